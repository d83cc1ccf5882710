// All that serves a running machine, together: its board and its desk, HTTP and the control socket.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "run/aside.h"
#include "run/live_status.h"
#include "run/read_view.h"
#include "serve/control.h"
#include "serve/http.h"

namespace leat {

// Outlives the machine that it serves. Used by one thread; its servers have their own.
class Services {
 public:
  explicit Services(const Clock* clock) : clock_(*clock) {}

  // Serves /health, /metrics and /status; `address` as ParseHttpAddress takes it. Returns where.
  Result<std::string> Listen(const std::string& address);
  // Answers `leat status`, `sql` and `rejects`; once is enough. REQUIRES: this process holds the
  // state's lock.
  Status OpenControl(const std::string& state_dir);

  StatusBoard* board() { return &board_; }
  ReadDesk* desk() { return &desk_; }
  AsideDesk* aside() { return &aside_; }

 private:
  const Clock& clock_;
  StatusBoard board_;
  ReadDesk desk_;
  AsideDesk aside_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ControlServer> control_;
};

}  // namespace leat
