#include "connect/file/offset.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>

#include "connect/json.h"

namespace leat {
namespace {

constexpr int64_t kSampleBytes = 64 << 10;

bool ReadHex(JsonScanner* json, uint64_t* number) {
  std::string digits;
  if (!ReadJson(json, &digits)) return false;
  const char* const end = digits.data() + digits.size();
  return std::from_chars(digits.data(), end, *number, 16).ptr == end && !digits.empty();
}

bool DecodeFile(JsonScanner* json, FileState* file) {
  const auto member = [&](std::string_view key) {
    if (key == "name") return ReadJson(json, &file->name);
    if (key == "size") return ReadJson(json, &file->size);
    if (key == "modified") return ReadJson(json, &file->modified);
    if (key == "xxh3") return ReadHex(json, &file->fingerprint);
    if (key == "done") return ReadJson(json, &file->done);
    if (key == "rows") return ReadJson(json, &file->rows);
    if (key == "lines") return ReadJson(json, &file->lines);
    if (key == "earlier") return ReadJson(json, &file->earlier);
    return key == "complete" && ReadJson(json, &file->complete);
  };
  return ReadJsonObject(json, 8, member, /*optional=*/1);
}

// Closes itself.
struct Descriptor {
  int value = -1;
  explicit Descriptor(int fd) : value(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

Status ReadAt(int fd, const std::string& path, int64_t offset, std::string* bytes) {
  size_t filled = 0;
  while (filled < bytes->size()) {
    const ssize_t got = ::pread(fd, bytes->data() + filled, bytes->size() - filled,
                                offset + static_cast<int64_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IOErrorF("could not read file \"{}\": {}", path, std::strerror(errno));
    if (got == 0) return IOErrorF("file \"{}\" is shorter than it was", path);
    filled += static_cast<size_t>(got);
  }
  return Status::OK();
}

}  // namespace

namespace {

constexpr std::string_view kHead = "{\"files\":[", kTail = "]}";

void AppendFile(const FileState& file, std::string* text) {
  *text += "{\"name\":";
  AppendJson(file.name, text);
  fmt::format_to(std::back_inserter(*text),
                 ",\"size\":{},\"modified\":{},\"xxh3\":\"{:016x}\",\"done\":{},\"rows\":{},"
                 "\"lines\":{},\"complete\":{}",
                 file.size, file.modified, file.fingerprint, file.done, file.rows, file.lines,
                 file.complete);
  if (file.earlier > 0) *text += fmt::format(",\"earlier\":{}", file.earlier);
  *text += '}';
}

}  // namespace

std::string EncodeOffset(const std::vector<FileState>& files) {
  OffsetText text;
  text.Reset(files);
  return text.text();
}

void OffsetText::Reset(const std::vector<FileState>& files) {
  text_.clear();
  starts_.clear();
  from_ = 0;
  static_cast<void>(Step(files));
}

void OffsetText::Changed(size_t place) {
  from_ = std::min(from_, place);
  to_ = std::max(to_, place + 1);
}

size_t OffsetText::EndOf(size_t place) const {
  return place + 1 < starts_.size() ? starts_[place + 1] - 1 : text_.size() - kTail.size();
}

OffsetStep OffsetText::Step(const std::vector<FileState>& files) {
  const size_t from = std::min({from_, starts_.size(), files.size()});
  const bool same_count = files.size() == starts_.size();
  const size_t to = same_count ? std::min(to_, files.size()) : files.size();
  from_ = SIZE_MAX;
  to_ = 0;
  if (same_count && from >= to) return {.front = text_.size(), .back = 0, .between = {}};
  OffsetStep step;
  // The empty list has no text at all.
  const bool whole = starts_.empty() || files.empty();
  if (!whole) {
    step.front = from == 0 ? kHead.size() : EndOf(from - 1);
    step.back = text_.size() - (same_count ? EndOf(to - 1) : text_.size() - kTail.size());
  } else if (!files.empty()) {
    step.between = kHead;
  }
  const size_t replaced = text_.size() - step.front - step.back;
  starts_.resize(files.size());
  for (size_t i = from; i < to; ++i) {
    if (i > 0) step.between += ',';
    starts_[i] = step.front + step.between.size();
    AppendFile(files[i], &step.between);
  }
  for (size_t i = to; i < files.size(); ++i) starts_[i] += step.between.size() - replaced;
  if (whole && !files.empty()) step.between += kTail;
  text_.replace(step.front, replaced, step.between);
  return step;
}

Result<std::vector<FileState>> OffsetText::DecodeRest(const Offset& end, size_t* place) const {
  const size_t front = StepTo(end, text_).front;
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), front);
  *place = after == starts_.begin() ? 0 : static_cast<size_t>(after - starts_.begin()) - 1;
  if (*place == 0) return DecodeOffset(end);
  return DecodeOffset(std::string(kHead) + end.substr(starts_[*place]));
}

Result<std::vector<FileState>> DecodeOffset(std::string_view offset) {
  std::vector<FileState> files;
  if (offset.empty()) return files;
  JsonScanner json(offset);
  const bool read = ReadJsonObject(&json, 1, [&](std::string_view key) {
    return key == "files" &&
           ReadJsonArray(&json, [&] { return DecodeFile(&json, &files.emplace_back()); });
  });
  if (!read || !json.AtEnd()) return Status::IOError("a file source's offset is damaged");
  return files;
}

Result<uint64_t> Fingerprint(const std::string& path, int64_t size) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.value < 0) {
    return IOErrorF("could not open file \"{}\" for reading: {}", path, std::strerror(errno));
  }
  std::string head(static_cast<size_t>(std::min(size, kSampleBytes)), '\0');
  LEAT_RETURN(ReadAt(fd.value, path, 0, &head));
  const int64_t tail_begin = std::max(std::min(size, kSampleBytes), size - kSampleBytes);
  std::string tail(static_cast<size_t>(size - tail_begin), '\0');
  LEAT_RETURN(ReadAt(fd.value, path, tail_begin, &tail));
  return XXH3_64bits((head + tail).data(), head.size() + tail.size());
}

}  // namespace leat
