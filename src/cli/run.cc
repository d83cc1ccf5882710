// leat run: drains what there is, commits, stops.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "cli/command.h"
#include "cli/dry_run.h"
#include "cli/pipeline_flags.h"
#include "cli/schedule.h"
#include "cli/summary.h"
#include "run/machine.h"
#include "run/state_dir.h"
#include "serve/services.h"

namespace leat {
namespace {

// More shards than this cost small epochs more than large ones gain.
constexpr int kShardsByDefaultMax = 32;

struct RunFlags : PipelineFlags {
  std::string http;
  bool fresh = false, yes = false, quiet = false, follow = false;
  bool adopt = false, dry_run = false;
  int64_t rows_max = 1000;
  std::vector<std::string> rebuild;
  double checkpoint_seconds = 60;
  double degraded_seconds = -1;  // not given
  int64_t memory = 0;            // bytes; 0: no limit
  int threads = 0;
  ScheduleFlags schedule;
};

std::atomic<bool> stop_requested = false;

extern "C" void OnSignal(int) {
  if (stop_requested.exchange(true)) std::_Exit(130);  // the second Ctrl-C means it
}

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

void PrintProgress(const RunReport& report) {
  int64_t rows = 0, bytes = 0, rejected = 0;
  for (const auto& source : report.sources) {
    rows += source.rows_read;
    bytes += source.bytes;
    rejected += source.rows_rejected;
  }
  std::fprintf(stderr, "\r\033[K%s rows, %.0f MB/s, %s rejected, epoch %lld", Grouped(rows).c_str(),
               static_cast<double>(bytes) / 1e6 / report.seconds, Grouped(rejected).c_str(),
               static_cast<long long>(report.last_epoch));
  std::fflush(stderr);
}

Status Confirm(const RunFlags& flags, const std::string& flag, const std::string& what) {
  if (flags.yes) return Status::OK();
  return AskForLeave(fmt::format("{} drops {}", flag, what), fmt::format("Drop {}?", what));
}

Status ConfirmDrops(const RunFlags& flags, const std::string& state) {
  if (flags.fresh && std::filesystem::exists(state)) {
    LEAT_RETURN(Confirm(flags, "--fresh", "the state and the rows that leat wrote"));
  }
  if (flags.adopt) {
    LEAT_RETURN(
        Confirm(flags, "--adopt", "the rows that leat wrote to targets that are not this state's"));
  }
  for (const std::string& sink : flags.rebuild) {
    LEAT_RETURN(
        Confirm(flags, "--rebuild", fmt::format("the rows that leat wrote to sink \"{}\"", sink)));
  }
  return Status::OK();
}

// HTTP from the first moment: an address in use is known before anything is read.
Status Serve(const RunFlags& flags, Services* services, RunContext* context) {
  if (!flags.http.empty()) {
    LEAT_ASSIGN(const std::string address, services->Listen(flags.http));
    fmt::print(stderr, "leat: http://{}/health, /metrics, /status\n", address);
  }
  context->board = services->board();
  context->readers = services->desk();
  context->aside = services->aside();
  context->opened = [=] {
    // Some file systems have no sockets; the run is worth more than questions to it.
    const Status control = services->OpenControl(context->state_dir);
    if (control.ok()) return;
    fmt::print(stderr,
               "leat: {}: `leat status`, `sql` and `rejects` will show the last checkpoint\n",
               control.message());
  };
  return Status::OK();
}

int Run(const RunFlags& flags) {
  namespace fs = std::filesystem;
  const fs::path path(flags.pipeline);
  const std::string home = fs::is_directory(path) ? path.string() : path.parent_path().string();
  auto environment = LoadEnvironment(home, flags.env);
  if (!environment.ok()) return ReportError(environment.status(), "", "");
  const std::string state = StateDirectoryOf(flags.pipeline, flags.state, flags.env);
  if (const Status status = ConfirmDrops(flags, state); !status.ok()) {
    return ReportError(status, "", "");
  }
  PipelineOptions options{.path = flags.pipeline, .environment = *environment};
  const Status pinned = LoadPinned(PosixFileSystem(), state, &options.pinned);
  if (!pinned.ok() && !flags.fresh) return ReportError(pinned, "", "");
  std::string where = flags.pipeline;
  auto pipeline = LoadPipeline(options, &where);
  if (!pipeline.ok()) return ReportErrorIn(pipeline.status(), where);

  const SystemClock clock;
  std::random_device device;
  const bool terminal = isatty(STDERR_FILENO) && !flags.quiet;
  RunContext context{.files = PosixFileSystem(),
                     .clock = &clock,
                     .random = [&] { return (uint64_t{device()} << 32) | device(); },
                     .state_dir = state,
                     .stop = &stop_requested};
  if (terminal) context.progress = PrintProgress;
  RunOptions run{.fresh = flags.fresh, .adopt = flags.adopt, .rebuild = flags.rebuild};
  run.follow = flags.follow;
  run.checkpoint_interval = Milliseconds(flags.checkpoint_seconds);
  if (flags.degraded_seconds >= 0) run.degraded_max = Milliseconds(flags.degraded_seconds);
  std::optional<DryRun> dry;
  if (flags.dry_run) {
    dry.emplace(*pipeline, flags.rows_max);
    if (const Status status = dry->Prepare(&context); !status.ok()) {
      return ReportError(status, "", "");
    }
  }
  if (flags.memory > 0) run.LimitMemory(flags.memory);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  run.threads = flags.threads > 0 ? flags.threads : cores;
  run.shards = std::min(cores, kShardsByDefaultMax);
  Services services(&clock);
  if (!dry) {
    if (const Status status = Serve(flags, &services, &context); !status.ok()) {
      return ReportError(status, "", "");
    }
  }
  const auto report = RunPipeline(*pipeline, run, context);
  if (terminal) std::fprintf(stderr, "\r\033[K");
  if (!report.ok()) return ReportErrorIn(report.status(), flags.pipeline);
  if (dry) {
    dry->Print();
    return kExitDone;
  }
  if (!flags.quiet) PrintSummary(flags, *report, state);
  return stop_requested && !flags.follow ? 130 : kExitDone;
}

}  // namespace

void AddRun(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* run = app->add_subcommand(
      "run", "drain what there is, commit, stop; the next run reads only what is new");
  run->add_option("pipeline", flags->pipeline, "a .sql file, or a directory of them")
      ->required()
      ->check(CLI::ExistingPath);
  run->add_option("--state", flags->state,
                  "the state directory (default: .leat/NAME beside the pipeline)");
  run->add_option("--env", flags->env, "read .env.NAME instead of .env, with its own state");
  run->add_flag("--dry-run", flags->dry_run,
                "show what the sinks would get from the first rows of each source; write nothing");
  run->add_option("--limit", flags->rows_max, "with --dry-run: how many rows (1000)")
      ->needs("--dry-run")
      ->check(CLI::PositiveNumber);
  run->add_flag(
         "--follow", flags->follow,
         "never stop: read what comes, keep the sinks up to date; SIGTERM or Ctrl-C commits, "
         "checkpoints and leaves with 0")
      ->excludes("--dry-run");
  run->add_option(
      "--max-degraded", flags->degraded_seconds,
      "seconds that a failing source or sink is tried again (0; with --follow: for ever)");
  run->add_flag("--fresh", flags->fresh, "drop the state and our sinks' rows first (asks)");
  run->add_flag("--adopt", flags->adopt,
                "take over targets that belong to another state or lost their mark: drop the rows "
                "that leat wrote there, write them anew (asks)");
  run->add_option("--rebuild", flags->rebuild,
                  "drop the rows that leat wrote to this sink, write them anew (asks)");
  run->add_option(
      "--http", flags->http,
      "serve /health, /metrics and /status: a port (this machine alone), HOST:PORT; 0: a "
      "free one");
  run->add_flag("--yes,-y", flags->yes, "do not ask");
  run->add_flag("--quiet,-q", flags->quiet, "no progress, no summary");
  AddMemoryFlag(run, &flags->memory);
  run->add_option("--checkpoint-interval", flags->checkpoint_seconds,
                  "seconds between checkpoints (60)");
  run->add_option("--threads", flags->threads,
                  "that compute (default: the number of cores); the answer does not depend on it")
      ->check(CLI::Range(1, 1024));
  AddScheduleFlags(run, &flags->schedule);
  run->callback([flags, exit_code] {
    std::signal(SIGINT, OnSignal);
    std::signal(SIGTERM, OnSignal);
    *exit_code = RunOnSchedule(flags->schedule, &stop_requested, [&] { return Run(*flags); });
  });
}

}  // namespace leat
