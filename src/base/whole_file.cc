#include "base/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leat {
namespace {

Result<std::string> ReadToTheEnd(int fd, const std::string& path) {
  constexpr size_t kStep = size_t{64} << 10;
  std::string text;
  for (;;) {
    const size_t size = text.size();
    text.resize(size + kStep);
    const ssize_t count = ::read(fd, text.data() + size, kStep);
    text.resize(size + (count > 0 ? static_cast<size_t>(count) : 0));
    if (count == 0) return text;
    if (count < 0 && errno != EINTR) {
      return IOErrorF("could not read \"{}\": {}", path, std::strerror(errno));
    }
  }
}

}  // namespace

Result<std::string> ReadWholeFile(const std::string& path) {
  if (path == "-") return ReadToTheEnd(STDIN_FILENO, "standard input");
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return IOErrorF("could not open \"{}\": {}", path, std::strerror(errno));
  auto text = ReadToTheEnd(fd, path);
  ::close(fd);
  return text;
}

}  // namespace leat
