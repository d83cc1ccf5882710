// leat check: parse, bind and type everything, offline.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/file_system.h"
#include "cli/command.h"
#include "run/pipeline.h"
#include "run/state_dir.h"

namespace leat {
namespace {

struct CheckFlags {
  std::string pipeline, state, env;
};

int Check(const CheckFlags& flags) {
  const std::filesystem::path path(flags.pipeline);
  const std::string home =
      std::filesystem::is_directory(path) ? path.string() : path.parent_path().string();
  auto environment = LoadEnvironment(home, flags.env);
  if (!environment.ok()) return ReportError(environment.status(), "", "");
  PipelineOptions options{.path = flags.pipeline, .environment = *environment, .offline = true};
  const std::string state = StateDirectoryOf(flags.pipeline, flags.state, flags.env);
  if (const Status status = LoadPinned(PosixFileSystem(), state, &options.pinned); !status.ok()) {
    return ReportError(status, "", "");
  }
  std::string where = flags.pipeline;
  const auto pipeline = LoadPipeline(options, &where);
  if (!pipeline.ok()) return ReportErrorIn(pipeline.status(), where);
  fmt::print("{}: {} sources, {} sinks: good\n", flags.pipeline, pipeline->sources.size(),
             pipeline->sinks.size());
  return kExitDone;
}

}  // namespace

void AddCheck(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* check = app->add_subcommand("check", "parse, bind and type a pipeline, offline");
  check->add_option("pipeline", flags->pipeline, "a .sql file, or a directory of them")
      ->required()
      ->check(CLI::ExistingPath);
  check->add_option("--state", flags->state, "the state directory");
  check->add_option("--env", flags->env, "read .env.NAME instead of .env");
  check->callback([flags, exit_code] { *exit_code = Check(*flags); });
}

}  // namespace leat
