#include "connect/file/tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace leat {
namespace {

constexpr size_t kBlock = 64 << 10;
// Enough for an arrival; what lies beyond is looked for at the next one.
constexpr int64_t kLookAhead = 8 << 20;

struct Descriptor {
  explicit Descriptor(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};

char OneOf(const ReadOptions& options, const std::string& name, char fallback) {
  const auto found = options.options.find(name);
  return found == options.options.end() || found->second.empty() ? fallback : found->second[0];
}

// Where rows end, fed with the bytes of a file from the beginning of a row.
class RowEnds {
 public:
  RowEnds(bool csv, const ReadOptions& options)
      : csv_(csv),
        quote_(OneOf(options, "quote", '"')),
        escape_(OneOf(options, "escape", quote_)) {}

  // Bytes up to the end of the last row that ends in `bytes`; 0 if none does.
  size_t Feed(std::string_view bytes) {
    if (!csv_) return bytes.rfind('\n') + 1;
    size_t end = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      const char c = bytes[i];
      if (escaped_) {
        escaped_ = false;
      } else if (quoted_ && c == escape_ && escape_ != quote_) {
        escaped_ = true;
      } else if (c == quote_) {
        quoted_ = !quoted_;  // a doubled quote closes and opens again
      } else if (c == '\n' && !quoted_) {
        end = i + 1;
      }
    }
    return end;
  }

 private:
  const bool csv_;
  const char quote_, escape_;
  bool quoted_ = false, escaped_ = false;
};

}  // namespace

Result<int64_t> EndOfRows(const std::string& path, bool csv, int64_t done,
                          const ReadOptions& options, int64_t row_bytes_max) {
  const Descriptor file(path);
  std::vector<char> block(kBlock);
  RowEnds ends(csv, options);
  int64_t end = done;
  for (int64_t at = done; at - done < kLookAhead || end == done;) {
    if (at - done >= row_bytes_max) return -1;
    const ssize_t got = file.fd < 0 ? -1 : ::pread(file.fd, block.data(), block.size(), at);
    if (got < 0) return IOErrorF("could not read file \"{}\": {}", path, std::strerror(errno));
    if (got == 0) break;
    const size_t rows = ends.Feed({block.data(), static_cast<size_t>(got)});
    if (rows > 0) end = at + static_cast<int64_t>(rows);
    at += got;
  }
  return end;
}

}  // namespace leat
