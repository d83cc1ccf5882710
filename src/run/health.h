// How a worker bears failures of the world: how long it tries again, and what it says meanwhile.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "run/crew.h"
#include "run/live_status.h"

namespace leat {

struct RetryRules {
  // How long a worker may be degraded before its error ends the run. 0: no error is tried again.
  Micros degraded_max = 0;
  const Clock* clock = nullptr;      // for `degraded_since`
  std::function<uint64_t()> random;  // spreads the retries; called with the crew's mutex
};

// Whether trying again can help: the world failed, not the user's SQL and not a row.
bool IsRetryable(const Status& status);

// "message; HINT: …" in one line.
std::string ReasonOf(const Status& status);

// Of one worker. Guarded by the crew's mutex.
class Health {
 public:
  explicit Health(RetryRules rules) : rules_(std::move(rules)) {}

  // An attempt failed at the steady time `now`. True: try again at retry_at(). False: the error is
  // the end.
  bool Fail(const Status& status, Micros now);
  // Work goes on, but nothing has come of it yet: the trouble is over when Recover says so.
  void Resume();
  // An attempt went well.
  void Recover();

  // Nothing can be done before retry_at().
  bool degraded() const { return degraded_; }
  // It was, and nothing has come of the work since.
  bool troubled() const { return troubled_; }
  Micros retry_at() const { return retry_at_; }  // 0 when not degraded
  int64_t retries() const { return retries_; }
  const std::string& reason() const { return reason_; }
  Micros degraded_since() const { return since_; }

 private:
  const RetryRules rules_;
  bool degraded_ = false;
  bool troubled_ = false;
  int64_t retries_ = 0;   // of this run
  int64_t attempts_ = 0;  // since the trouble began
  std::string reason_;
  Micros since_ = 0;         // by the clock
  Micros steady_since_ = 0;  // by the crew's time
  Micros retry_at_ = 0;
};

}  // namespace leat
