#include "cli/schedule.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

#include "cli/command.h"
#include "connect/options.h"
#include "run/crew.h"
#include "run/timetable.h"

namespace leat {
namespace {

// For a run that was asked to stop.
constexpr unsigned kGraceSeconds = 60;
constexpr int kInterrupted = 130;

std::atomic<bool>* stop_flag = nullptr;
std::atomic<bool> timed_out = false;

extern "C" void OnAlarm(int) {
  if (timed_out.exchange(true)) std::_Exit(kExitFailed);
  stop_flag->store(true);
  ::alarm(kGraceSeconds);
}

struct Schedule {
  std::optional<Timetable> times;
  std::chrono::seconds timeout{0}, retry_after{0};
};

Result<Schedule> MakeSchedule(const ScheduleFlags& flags) {
  Schedule schedule;
  const auto seconds = [](const std::string& name,
                          const std::string& text) -> Result<std::chrono::seconds> {
    if (text.empty()) return std::chrono::seconds(0);
    LEAT_ASSIGN(const auto time, TimeOption({{name, text}}, name, {}));
    return std::chrono::duration_cast<std::chrono::seconds>(time + std::chrono::milliseconds(999));
  };
  LEAT_ASSIGN(schedule.timeout, seconds("timeout", flags.timeout));
  LEAT_ASSIGN(schedule.retry_after, seconds("retry-after", flags.retry_after));
  if (!flags.every.empty()) {
    LEAT_ASSIGN(schedule.times, Timetable::Every(flags.every));
  } else if (!flags.cron.empty()) {
    LEAT_ASSIGN(schedule.times, Timetable::Cron(flags.cron));
  }
  return schedule;
}

// False: a signal came first.
bool SleepUntil(Micros time, const std::atomic<bool>& stop) {
  const SystemClock clock;
  while (!stop) {
    const Micros left = time - clock.Now();
    if (left <= 0) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(std::min<Micros>(left, 200'000)));
  }
  return false;
}

int RunWithin(std::chrono::seconds timeout, std::atomic<bool>* stop,
              const std::function<int()>& run) {
  if (timeout.count() == 0) return run();
  stop_flag = stop;
  timed_out = false;
  std::signal(SIGALRM, OnAlarm);
  ::alarm(static_cast<unsigned>(timeout.count()));
  const int code = run();
  ::alarm(0);
  if (!timed_out) return code;
  stop->store(false);
  fmt::print(stderr,
             "leat: the run was stopped after {} seconds (--timeout); the next one goes on\n",
             timeout.count());
  return code == kExitDone || code == kInterrupted ? kExitFailed : code;
}

int RunWithRetries(const ScheduleFlags& flags, const Schedule& schedule, std::atomic<bool>* stop,
                   const std::function<int()>& run) {
  for (int tries = 0;; ++tries) {
    const int code = RunWithin(schedule.timeout, stop, run);
    if (code != kExitFailed || tries >= flags.retries || *stop) return code;
    fmt::print(stderr, "leat: trying again in {} seconds ({} of {})\n",
               schedule.retry_after.count(), tries + 1, flags.retries);
    const Micros due = SystemClock().Now() + schedule.retry_after.count() * 1'000'000;
    if (!SleepUntil(due, *stop)) return code;
  }
}

}  // namespace

void AddScheduleFlags(CLI::App* run, ScheduleFlags* flags) {
  auto* every = run->add_option("--every", flags->every,
                                "run at once and again every '5 min', '1 day', until SIGTERM");
  auto* cron = run->add_option("--cron", flags->cron,
                               "run at these times (UTC), 'minute hour day month weekday', until "
                               "SIGTERM: '30 4 * * mon-fri'");
  every->excludes(cron);
  for (CLI::Option* option : {every, cron}) {
    option->excludes("--follow")->excludes("--dry-run")->excludes("--fresh")->excludes("--rebuild");
  }
  run->add_option("--retries", flags->retries,
                  "how often a run that failed for a reason outside is tried again (0)")
      ->check(CLI::Range(0, 1000));
  run->add_option("--retry-after", flags->retry_after, "how long after ('5 min')");
  run->add_option("--timeout", flags->timeout,
                  "stop a run after '60 min': it commits what it has and has failed");
}

int RunOnSchedule(const ScheduleFlags& flags, std::atomic<bool>* stop,
                  const std::function<int()>& run) {
  const auto schedule = MakeSchedule(flags);
  if (!schedule.ok()) return ReportError(schedule.status(), "", "");
  int code = kExitDone;
  if (!schedule->times) return RunWithRetries(flags, *schedule, stop, run);
  // What cron names it waits for; `--every` begins now.
  if (flags.cron.empty()) code = RunWithRetries(flags, *schedule, stop, run);
  while (!*stop && code != kExitUser) {
    const Micros next = schedule->times->Next(SystemClock().Now());
    if (next == kNever || !SleepUntil(next, *stop)) break;
    code = RunWithRetries(flags, *schedule, stop, run);
  }
  return *stop ? kExitDone : code;
}

}  // namespace leat
