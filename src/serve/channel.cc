#include "serve/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace leat {
namespace {

constexpr size_t kMessageBytesMax = 1 << 30;  // a row of rejects holds all of an endless line
constexpr int kWaitingMax = 16;

// A path of a socket is at most 107 bytes, of a state directory more: an open directory has a short
// name of its own.
class DirectoryName {
 public:
  explicit DirectoryName(const std::string& directory)
      : fd_(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  ~DirectoryName() {
    if (fd_ >= 0) close(fd_);
  }
  DirectoryName(const DirectoryName&) = delete;
  DirectoryName& operator=(const DirectoryName&) = delete;

  bool ok() const { return fd_ >= 0; }
  sockaddr_un Address() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = fmt::format("/proc/self/fd/{}/{}", fd_, kControlName);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
  }

 private:
  const int fd_;
};

std::string PathIn(const std::string& directory) {
  return fmt::format("{}/{}", directory, kControlName);
}

Status Failed(std::string_view what, const std::string& path) {
  return IOErrorF("could not {} \"{}\": {}", what, path, std::strerror(errno));
}

}  // namespace

Channel::~Channel() { close(fd_); }

void Channel::Shut() { shutdown(fd_, SHUT_RDWR); }

Status Channel::SetTimeout(std::chrono::seconds silence_max) {
  const timeval time{.tv_sec = silence_max.count(), .tv_usec = 0};
  if (setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0 ||
      setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) != 0) {
    return IOErrorF("could not limit a connection's silence: {}", std::strerror(errno));
  }
  return Status::OK();
}

// A message is its length (with the kind), the kind, the bytes.
Status Channel::Send(char kind, std::string_view body) {
  const auto size = static_cast<uint32_t>(body.size() + 1);
  std::string message(reinterpret_cast<const char*>(&size), sizeof size);
  message += kind;
  message += body;
  for (std::string_view left = message; !left.empty();) {
    const ssize_t sent = send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return IOErrorF("the other process does not listen: {}", std::strerror(errno));
    left.remove_prefix(static_cast<size_t>(sent));
  }
  return Status::OK();
}

// False: the end, before the first byte.
Result<bool> Channel::ReceiveBytes(char* to, size_t bytes) {
  for (size_t have = 0; have < bytes;) {
    const ssize_t got = recv(fd_, to + have, bytes - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IOErrorF("the other process does not answer: {}", std::strerror(errno));
    if (got == 0 && have == 0) return false;
    if (got == 0) return Status::IOError("the other process hung up within a message");
    have += static_cast<size_t>(got);
  }
  return true;
}

Result<std::optional<Message>> Channel::Receive() {
  uint32_t size = 0;
  LEAT_ASSIGN(const bool more, ReceiveBytes(reinterpret_cast<char*>(&size), sizeof size));
  if (!more) return std::optional<Message>();
  if (size == 0 || size > kMessageBytesMax)
    return IOErrorF("a message of {} bytes: this is no leat", size);
  Message message;
  LEAT_ASSIGN(bool whole, ReceiveBytes(&message.kind, 1));
  message.body.resize(size - 1);
  if (whole && size > 1) {
    LEAT_ASSIGN(whole, ReceiveBytes(message.body.data(), message.body.size()));
  }
  if (!whole) return Status::IOError("the other process hung up within a message");
  return std::optional(std::move(message));
}

Result<std::unique_ptr<ControlListener>> ControlListener::Open(const std::string& directory) {
  const std::string path = PathIn(directory);
  const DirectoryName name(directory);
  if (!name.ok()) return Failed("open", directory);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Failed("make the socket", path);
  std::unique_ptr<ControlListener> listener(new ControlListener(fd, path));
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed("replace", path);
  const sockaddr_un address = name.Address();
  // The mode of an unbound socket is that of the file that bind makes: nobody else ever sees it.
  if (fchmod(fd, 0600) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, kWaitingMax) != 0) {
    return Failed("listen at", path);
  }
  return listener;
}

void ControlListener::Shut() { shutdown(fd_, SHUT_RDWR); }

ControlListener::~ControlListener() {
  close(fd_);
  unlink(path_.c_str());
}

Result<std::unique_ptr<Channel>> ControlListener::Accept(std::chrono::milliseconds wait_max) {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, static_cast<int>(wait_max.count())) <= 0) return std::unique_ptr<Channel>();
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
      return std::unique_ptr<Channel>();
    return Failed("accept at", path_);
  }
  auto channel = std::make_unique<Channel>(fd);
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (!known || (peer.uid != geteuid() && peer.uid != 0)) return std::unique_ptr<Channel>();
  return channel;
}

Result<std::unique_ptr<Channel>> ConnectControl(const std::string& directory) {
  const DirectoryName name(directory);
  if (!name.ok()) return std::unique_ptr<Channel>();
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failed("make a socket for", PathIn(directory));
  auto channel = std::make_unique<Channel>(fd);
  const sockaddr_un address = name.Address();
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return channel;
  if (errno == ENOENT || errno == ECONNREFUSED) return std::unique_ptr<Channel>();
  return Failed("connect to", PathIn(directory));
}

}  // namespace leat
