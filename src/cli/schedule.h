// leat run again and again: --every, --cron, --retries, --timeout.
#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace leat {

struct ScheduleFlags {
  std::string every, cron;
  std::string timeout;  // "": none
  std::string retry_after = "5 min";
  int retries = 0;
};

void AddScheduleFlags(CLI::App* run, ScheduleFlags* flags);

// Runs once, or at every time of the schedule until `stop` is set by a signal; a failure of the
// world (exit code 1) is tried again. A run that takes longer than the timeout is asked to stop, as
// by Ctrl-C, and failed; one that does not stop within a minute ends the process. The exit code of
// the last run.
int RunOnSchedule(const ScheduleFlags& flags, std::atomic<bool>* stop,
                  const std::function<int()>& run);

}  // namespace leat
