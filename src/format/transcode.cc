#include "format/transcode.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace leat {
namespace {

constexpr size_t kInputBytes = 64 << 10;
constexpr char kNoCharacter = '\xff';

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

// PostgreSQL's WIN1252 is iconv's CP1252; the others they name alike.
std::string IconvName(std::string_view name) {
  const std::string upper = Upper(name);
  return upper.starts_with("WIN1") ? "CP" + upper.substr(3) : upper;
}

// Bytes to pass over where there is no character.
size_t UnitOf(std::string_view encoding) {
  if (encoding.starts_with("UTF-16") || encoding.starts_with("UCS-2")) return 2;
  return encoding.starts_with("UTF-32") || encoding.starts_with("UCS-4") ? 4 : 1;
}

class TranscodingReader : public ByteReader {
 public:
  TranscodingReader(std::unique_ptr<ByteReader> bytes, iconv_t conversion, size_t unit)
      : bytes_(std::move(bytes)), conversion_(conversion), unit_(unit), input_(kInputBytes) {}
  ~TranscodingReader() override { iconv_close(conversion_); }
  TranscodingReader(const TranscodingReader&) = delete;
  TranscodingReader& operator=(const TranscodingReader&) = delete;

  Result<int64_t> Read(char* out, int64_t size) override {
    char* at = out;
    auto room = static_cast<size_t>(size);
    while (room > 0) {
      if (pending_ > 0) {
        const size_t some = std::min(pending_, room);
        std::memcpy(at, overflow_ + (overflow_size_ - pending_), some);
        at += some;
        room -= some;
        pending_ -= some;
        continue;
      }
      if (!Convert(&at, &room) && !Refill()) break;
    }
    if (at == out && size > 0) LEAT_RETURN(damage_);
    return at - out;
  }

 private:
  // Converts what is at hand; false if it takes more input.
  bool Convert(char** at, size_t* room) {
    if (left_ == 0) return false;
    char* const before = *at;
    // A character that the caller has no room for as a whole goes through the overflow.
    const bool small = *room < sizeof(overflow_);
    char* to = small ? overflow_ : *at;
    size_t space = small ? sizeof(overflow_) : *room;
    const size_t was = space;
    const size_t done = iconv(conversion_, &next_, &left_, &to, &space);
    const int error = done == static_cast<size_t>(-1) ? errno : 0;
    if (error == EILSEQ) {
      if (space == 0) return true;
      *to++ = kNoCharacter;
      --space;
      const size_t unit = std::min(unit_, left_);
      next_ += unit;
      left_ -= unit;
    }
    if (small) {
      overflow_size_ = pending_ = was - space;
      return pending_ > 0 || error != EINVAL;
    }
    *at = to;
    *room = space;
    return *at != before || error != EINVAL;
  }

  // More input behind what is left; false at the end, where half a character is none.
  bool Refill() {
    if (left_ > 0) std::memmove(input_.data(), next_, left_);
    next_ = input_.data();
    auto got = bytes_->Read(input_.data() + left_, static_cast<int64_t>(input_.size() - left_));
    if (!got.ok()) damage_ = got.status();
    if (got.ok() && *got > 0) {
      left_ += static_cast<size_t>(*got);
      return true;
    }
    if (left_ == 0 || !got.ok()) return false;
    left_ = 0;
    overflow_[0] = kNoCharacter;
    overflow_size_ = pending_ = 1;
    return true;
  }

  std::unique_ptr<ByteReader> bytes_;
  iconv_t conversion_;
  const size_t unit_;
  std::vector<char> input_;
  char* next_ = nullptr;
  size_t left_ = 0;
  char overflow_[16] = {};
  size_t overflow_size_ = 0, pending_ = 0;
  Status damage_;
};

}  // namespace

Result<std::string> EncodingOption(const std::map<std::string, std::string>& options) {
  const auto found = options.find("encoding");
  if (found == options.end()) return std::string();
  const std::string name = IconvName(found->second);
  if (name == "UTF8" || name == "UTF-8") return std::string();
  const iconv_t conversion = iconv_open("UTF-8", name.c_str());
  if (name.empty() || conversion == reinterpret_cast<iconv_t>(-1)) {
    return SqlStatus(
        fmt::format("\"{}\" is not a known encoding", found->second),
        {.sqlstate = "22023",
         .hint = "Use a name such as LATIN1, WIN1252, UTF-16 or SJIS; `iconv -l` lists "
                 "them all."});
  }
  iconv_close(conversion);
  return name;
}

Result<std::unique_ptr<ByteReader>> Transcode(std::unique_ptr<ByteReader> bytes,
                                              const std::string& encoding) {
  const iconv_t conversion = iconv_open("UTF-8", encoding.c_str());
  if (conversion == reinterpret_cast<iconv_t>(-1)) {
    return IOErrorF("could not convert from \"{}\": {}", encoding, std::strerror(errno));
  }
  return std::unique_ptr<ByteReader>(
      std::make_unique<TranscodingReader>(std::move(bytes), conversion, UnitOf(encoding)));
}

}  // namespace leat
