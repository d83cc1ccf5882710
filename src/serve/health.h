// Whether a running machine is well, and if not, why. Progress is defined by commits.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "run/live_status.h"

namespace leat {

// Why a machine is not well. Each code is documented by DescribeHealth.
struct HealthReason {
  std::string_view code;
  std::string of;    // the source or sink; "" the machine
  Micros since = 0;  // 0: not known
  std::string text;
};

struct HealthLimits {
  std::chrono::seconds silence_max{30};  // without a word from the engine
  std::chrono::seconds commit_max{30};   // past the time at which a commit was due
  std::chrono::seconds source_max{60};   // with bytes known to lie outside, and none read
};

// Empty: all is well, and nothing else is. `now` is the wall clock's.
std::vector<HealthReason> Diagnose(const LiveStatus& status, Micros now,
                                   const HealthLimits& limits = {});
// {"healthy":…,"epoch":…,"committed_epoch":…,"reasons":[{"code":…,"of":…,"since":…,"text":…}]}
std::string HealthJson(const LiveStatus& status, const std::vector<HealthReason>& reasons);

// Every code there is and what it means.
struct HealthCode {
  std::string_view code, meaning, remedy;
};
std::span<const HealthCode> HealthCodes();

}  // namespace leat
