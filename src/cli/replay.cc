// leat replay: a part of a source is read again.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "cli/command.h"
#include "cli/pipeline_flags.h"
#include "cli/summary.h"
#include "run/machine.h"
#include "run/state_dir.h"
#include "serve/control.h"

namespace leat {
namespace {

constexpr size_t kLinesShown = 20;

struct ReplayFlags : PipelineFlags {
  std::string source, from;
  bool as_new = false, yes = false;
  int64_t memory = 0;  // bytes; 0: no limit
};

std::atomic<bool> replay_stopped = false;

extern "C" void StopReplay(int) {
  if (replay_stopped.exchange(true)) std::_Exit(130);
}

Status Confirm(const ReplayFlags& flags, const std::vector<std::string>& what) {
  const size_t shown = what.size() > kLinesShown ? kLinesShown - 1 : what.size();
  for (size_t i = 0; i < shown; ++i) fmt::print(stderr, "  {}\n", what[i]);
  if (what.size() > shown) fmt::print(stderr, "  … and {} more\n", what.size() - shown);
  if (flags.yes) return Status::OK();
  return AskForLeave("it would do what is listed above", "Do it?");
}

Result<Pipeline> Load(const ReplayFlags& flags, std::string* where) {
  namespace fs = std::filesystem;
  const fs::path path(flags.pipeline);
  const std::string home = fs::is_directory(path) ? path.string() : path.parent_path().string();
  PipelineOptions options{.path = flags.pipeline};
  LEAT_ASSIGN(options.environment, LoadEnvironment(home, flags.env));
  LEAT_RETURN(LoadPinned(PosixFileSystem(), flags.StatePath(), &options.pinned));
  return LoadPipeline(options, where);
}

// A state that nobody made is not made by asking for a replay.
Status CheckThere(const std::string& state) {
  if (std::filesystem::exists(state)) return Status::OK();
  return SqlStatus(fmt::format("there is no state in \"{}\"", state),
                   {.hint = "`leat run` reads everything for the first time."});
}

int Replay(const ReplayFlags& flags) {
  const std::string state = flags.StatePath();
  if (const Status status = CheckThere(state); !status.ok()) return ReportError(status, "", "");
  std::string where = flags.pipeline;
  const auto pipeline = Load(flags, &where);
  if (!pipeline.ok()) return ReportErrorIn(pipeline.status(), where);
  std::signal(SIGINT, StopReplay);
  std::signal(SIGTERM, StopReplay);
  // Goes on when this process ends, however it does.
  const auto aside = AskAside(state, "`leat replay`");
  if (!aside.ok()) return ReportError(aside.status(), "", "");
  if (*aside) fmt::print(stderr, "the leat at work on this state waits meanwhile\n");
  const SystemClock clock;
  std::random_device device;
  const RunContext context{.files = PosixFileSystem(),
                           .clock = &clock,
                           .random = [&] { return (uint64_t{device()} << 32) | device(); },
                           .state_dir = state,
                           .stop = &replay_stopped};
  RunOptions options;
  options.again = AgainOptions{
      .source = flags.source,
      .from = flags.from,
      .as_new = flags.as_new,
      .confirm = [&](const std::vector<std::string>& what) { return Confirm(flags, what); }};
  options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  options.shards = options.threads;
  if (flags.memory > 0) options.LimitMemory(flags.memory);
  const auto report = RunPipeline(*pipeline, options, context);
  if (!report.ok()) return ReportErrorIn(report.status(), flags.pipeline);
  PrintSummary(flags, *report, state);
  return replay_stopped ? 130 : kExitDone;
}

}  // namespace

void AddReplay(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<ReplayFlags>();
  CLI::App* command = app->add_subcommand("replay",
                                          "read a part of a source again, because it changed, and "
                                          "make the sinks equal to their queries");
  AddPipelineFlags(command, flags.get());
  command->add_option("source", flags->source, "which source")->required();
  command->add_option("--from", flags->from,
                      "which part: a file, a glob, or a time since which files were written; all "
                      "of it without");
  command->add_flag("--as-new", flags->as_new,
                    "the part's rows come once more, beside those that it gave before");
  AddMemoryFlag(command, &flags->memory);
  command->add_flag("--yes,-y", flags->yes, "do not ask");
  command->callback([flags, exit_code] { *exit_code = Replay(*flags); });
}

}  // namespace leat
