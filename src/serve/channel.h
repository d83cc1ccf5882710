// Messages between two processes over a socket in the state directory.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

// A message: what it is, and its bytes.
struct Message {
  char kind = 0;
  std::string body;
};

// One end of a connection. Used by one thread at a time, but for Shut.
class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  Status Send(char kind, std::string_view body);
  // The other end's next message; nothing where it hung up between two.
  Result<std::optional<Message>> Receive();
  // The other end is silent, or does not read, for at most so long; 0: for ever.
  Status SetTimeout(std::chrono::seconds silence_max);
  // Ends what another thread waits for here. Any thread.
  void Shut();

 private:
  Result<bool> ReceiveBytes(char* to, size_t bytes);

  const int fd_;
};

// The name of the socket in a state directory.
inline constexpr std::string_view kControlName = "control";

// Listens at DIRECTORY/control, for this user alone (mode 0600). REQUIRES: the caller holds the
// directory's lock: a socket that a dead process left behind is replaced.
class ControlListener {
 public:
  static Result<std::unique_ptr<ControlListener>> Open(const std::string& directory);
  ~ControlListener();  // removes the name
  ControlListener(const ControlListener&) = delete;
  ControlListener& operator=(const ControlListener&) = delete;

  // The next connection, of this user or root; nullptr when none came within `wait_max`.
  Result<std::unique_ptr<Channel>> Accept(std::chrono::milliseconds wait_max);
  // Ends an Accept that another thread waits in, and all later ones, with an error. Any thread.
  void Shut();

 private:
  ControlListener(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  const int fd_;
  const std::string path_;
};

// nullptr where nobody listens.
Result<std::unique_ptr<Channel>> ConnectControl(const std::string& directory);

}  // namespace leat
