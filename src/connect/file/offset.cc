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

std::string EncodeOffset(const std::vector<FileState>& files) {
  if (files.empty()) return {};
  std::string text = "{\"files\":[";
  for (const FileState& file : files) {
    text += text.ends_with('[') ? "{\"name\":" : ",{\"name\":";
    AppendJson(file.name, &text);
    fmt::format_to(std::back_inserter(text),
                   ",\"size\":{},\"modified\":{},\"xxh3\":\"{:016x}\",\"done\":{},\"rows\":{},"
                   "\"lines\":{},\"complete\":{}",
                   file.size, file.modified, file.fingerprint, file.done, file.rows, file.lines,
                   file.complete);
    if (file.earlier > 0) text += fmt::format(",\"earlier\":{}", file.earlier);
    text += '}';
  }
  text += "]}";
  return text;
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
