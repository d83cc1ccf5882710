#include "run/health.h"

#include <algorithm>

namespace leat {
namespace {

constexpr Micros kFirstPause = 100'000;
constexpr Micros kPauseMax = 30'000'000;

}  // namespace

bool IsRetryable(const Status& status) { return status.IsIOError(); }

std::string ReasonOf(const Status& status) {
  std::string reason = status.message();
  if (const SqlError* error = SqlErrorOf(status); error != nullptr && !error->hint.empty()) {
    reason += "; HINT: " + error->hint;
  }
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  return reason;
}

bool Health::Fail(const Status& status, Micros now) {
  if (!troubled_) {
    steady_since_ = now;
    since_ = rules_.clock->Now();
    attempts_ = 0;
  }
  degraded_ = troubled_ = true;
  reason_ = ReasonOf(status);
  if (!IsRetryable(status) || rules_.degraded_max <= now - steady_since_) return false;
  // Doubled each time, then between half of it and all of it, so that many do not come at once.
  const Micros pause = std::min(kPauseMax, kFirstPause << std::min<int64_t>(attempts_, 20));
  ++attempts_;
  ++retries_;
  const auto half = static_cast<uint64_t>(pause / 2);
  retry_at_ = now + pause / 2 + static_cast<Micros>(rules_.random() % (half + 1));
  return true;
}

void Health::Resume() {
  degraded_ = false;
  retry_at_ = 0;
}

void Health::Recover() {
  degraded_ = troubled_ = false;
  reason_.clear();
  since_ = retry_at_ = 0;
}

}  // namespace leat
