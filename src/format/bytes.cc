#include "format/bytes.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "format/format.h"
#include "format/transcode.h"

namespace leat {
namespace {

constexpr int64_t kInputBytes = 256 << 10;

std::string ErrorText(int error) { return std::strerror(error); }

class PlainReader : public ByteReader {
 public:
  explicit PlainReader(std::string path) : path_(std::move(path)) {}
  ~PlainReader() override {
    if (file_ >= 0) close(file_);
  }
  PlainReader(const PlainReader&) = delete;
  PlainReader& operator=(const PlainReader&) = delete;

  Status Open(int64_t begin) {
    file_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) return IOErrorF("could not open \"{}\": {}", path_, ErrorText(errno));
    struct stat info {};
    if (fstat(file_, &info) == 0 && S_ISDIR(info.st_mode)) {
      return IOErrorF("could not read \"{}\": {}", path_, ErrorText(EISDIR));
    }
    posix_fadvise(file_, 0, 0, POSIX_FADV_SEQUENTIAL);
    size_ = info.st_size;
    position_ = begin;
    return Status::OK();
  }

  Result<int64_t> Read(char* out, int64_t size) override {
    while (true) {
      const ssize_t got = pread(file_, out, static_cast<size_t>(size), position_);
      if (got >= 0) {
        position_ += got;
        return got;
      }
      if (errno == EINTR) continue;
      return IOErrorF("could not read \"{}\" at byte {}: {}", path_, position_, ErrorText(errno));
    }
  }

  int64_t left() const override { return std::max<int64_t>(0, size_ - position_); }

  int64_t position() const { return position_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int file_ = -1;
  int64_t size_ = 0;  // when it was opened
  int64_t position_ = 0;
};

// What gzip and zstd share: compressed input by the buffer, and an error that waits until all bytes
// before it were handed out.
class InflateReader : public ByteReader {
 public:
  explicit InflateReader(std::unique_ptr<PlainReader> file)
      : file_(std::move(file)), input_(static_cast<size_t>(kInputBytes)) {}

  Result<int64_t> Read(char* out, int64_t size) override {
    int64_t filled = 0;
    while (filled < size && damage_.ok() && !ended_) {
      auto got = Inflate(out + filled, size - filled);
      if (got.ok()) {
        filled += *got;
        produced_ += *got;
      } else {
        damage_ = got.status();
      }
    }
    if (filled == 0 && !damage_.ok()) return damage_;
    return filled;
  }

 protected:
  // Inflates some bytes (0 is no end); sets ended_ at the end of the file.
  virtual Result<int64_t> Inflate(char* out, int64_t size) = 0;

  // The next input into [next_, next_ + left_), when that is empty. False at the end of the file.
  Result<bool> Refill() {
    if (left_ > 0) return true;
    LEAT_ASSIGN(left_, file_->Read(input_.data(), kInputBytes));
    next_ = input_.data();
    return left_ > 0;
  }

  // An error about the byte the decompressor stands at; `filled` came out in this call.
  Status Damage(std::string_view what, int64_t filled) const {
    return IOErrorF("\"{}\" is damaged: {} at byte {} of the file (uncompressed byte {})",
                    file_->path(), what, file_->position() - left_, produced_ + filled);
  }
  // The file ends too early: what came before is right, and goes on when the rest has come.
  Status Truncated() const {
    const Status where = Damage("the file ends inside the compressed data (truncated?)", 0);
    const Status sql = SqlStatus("", {.sqlstate = kTruncated,
                                      .hint = "The rows before it are read. Put the whole file in "
                                              "its place, and it goes on behind them."});
    return Status(where.code(), where.message(), sql.detail());
  }

  bool ended_ = false;
  char* next_ = nullptr;
  int64_t left_ = 0;

 private:
  std::unique_ptr<PlainReader> file_;
  std::vector<char> input_;
  int64_t produced_ = 0;  // uncompressed bytes handed out
  Status damage_;
};

class GzipReader : public InflateReader {
 public:
  explicit GzipReader(std::unique_ptr<PlainReader> file) : InflateReader(std::move(file)) {
    StartMember();
  }

 protected:
  Result<int64_t> Inflate(char* out, int64_t size) override {
    if (state_.block_state == ISAL_BLOCK_FINISH) {
      LEAT_ASSIGN(const bool more, NextMember());
      if (!more) return 0;
    }
    // What the decompressor still holds comes out before new input is asked for.
    if (left_ == 0) {
      LEAT_ASSIGN(const bool more, Refill());
      if (!more) drained_ = true;
    }
    state_.next_in = reinterpret_cast<uint8_t*>(next_);
    state_.avail_in = static_cast<uint32_t>(left_);
    state_.next_out = reinterpret_cast<uint8_t*>(out);
    state_.avail_out = static_cast<uint32_t>(std::min<int64_t>(size, 1 << 30));
    const int code = isal_inflate(&state_);
    const int64_t filled = reinterpret_cast<char*>(state_.next_out) - out;
    next_ = reinterpret_cast<char*>(state_.next_in);
    left_ = state_.avail_in;
    if (code < 0) return Fail(code, filled);
    if (filled == 0 && drained_ && state_.block_state != ISAL_BLOCK_FINISH) {
      return Truncated();
    }
    return filled;
  }

 private:
  void StartMember() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  // Bytes that were inflated before a failure are good: they are given, the failure comes next.
  Result<int64_t> Fail(int code, int64_t filled) {
    const char* what = code == ISAL_INCORRECT_CHECKSUM ? "incorrect gzip checksum"
                       : code == ISAL_INVALID_WRAPPER  ? "not a gzip header"
                                                       : "invalid compressed data";
    failed_ = Damage(what, filled);
    if (filled == 0) return failed_;
    state_.block_state = ISAL_BLOCK_FINISH;
    return filled;
  }

  // After a member's end: another member, or the end. Zero padding is ignored, as gzip(1) does.
  Result<bool> NextMember() {
    LEAT_RETURN(failed_);
    while (true) {
      LEAT_ASSIGN(const bool more, Refill());
      if (!more) {
        ended_ = true;
        return false;
      }
      if (*next_ != 0) break;
      ++next_;
      --left_;
    }
    StartMember();
    return true;
  }

  inflate_state state_;
  Status failed_;
  bool drained_ = false;
};

class ZstdReader : public InflateReader {
 public:
  explicit ZstdReader(std::unique_ptr<PlainReader> file)
      : InflateReader(std::move(file)), stream_(ZSTD_createDStream()) {}
  ~ZstdReader() override { ZSTD_freeDStream(stream_); }
  ZstdReader(const ZstdReader&) = delete;
  ZstdReader& operator=(const ZstdReader&) = delete;

 protected:
  Result<int64_t> Inflate(char* out, int64_t size) override {
    LEAT_ASSIGN(const bool more, Refill());
    if (!more && between_frames_) {
      ended_ = true;
      return 0;
    }
    ZSTD_inBuffer in = {next_, static_cast<size_t>(left_), 0};
    ZSTD_outBuffer to = {out, static_cast<size_t>(size), 0};
    const size_t code = ZSTD_decompressStream(stream_, &to, &in);
    next_ += in.pos;
    left_ -= static_cast<int64_t>(in.pos);
    const auto filled = static_cast<int64_t>(to.pos);
    if (ZSTD_isError(code) != 0) return Damage(ZSTD_getErrorName(code), filled);
    between_frames_ = code == 0;
    if (filled == 0 && !more && !between_frames_) {
      return Truncated();
    }
    return filled;
  }

 private:
  ZSTD_DStream* stream_;
  bool between_frames_ = true;
};

// Drops bytes up to `begin`; a file that ends before it just reads as ended.
Status Skip(int64_t begin, ByteReader* reader) {
  std::vector<char> scratch(static_cast<size_t>(kInputBytes));
  while (begin > 0) {
    LEAT_ASSIGN(const int64_t got, reader->Read(scratch.data(), std::min(kInputBytes, begin)));
    if (got == 0) break;
    begin -= got;
  }
  return Status::OK();
}

}  // namespace

Compression CompressionOf(std::string_view path) {
  if (path.ends_with(".gz")) return Compression::kGzip;
  if (path.ends_with(".zst") || path.ends_with(".zstd")) return Compression::kZstd;
  return Compression::kNone;
}

Result<std::unique_ptr<ByteReader>> OpenBytes(const std::string& path, const Coding& coding,
                                              int64_t begin) {
  auto file = std::make_unique<PlainReader>(path);
  const bool as_it_is = coding.compression == Compression::kNone && coding.encoding.empty();
  LEAT_RETURN(file->Open(as_it_is ? begin : 0));
  std::unique_ptr<ByteReader> reader;
  switch (coding.compression) {
    case Compression::kNone:
      reader = std::move(file);
      break;
    case Compression::kGzip:
      reader = std::make_unique<GzipReader>(std::move(file));
      break;
    case Compression::kZstd:
      reader = std::make_unique<ZstdReader>(std::move(file));
      break;
  }
  if (!coding.encoding.empty()) {
    LEAT_ASSIGN(reader, Transcode(std::move(reader), coding.encoding));
  }
  if (!as_it_is) LEAT_RETURN(Skip(begin, reader.get()));
  return reader;
}

}  // namespace leat
