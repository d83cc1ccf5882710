// leat drop: what a pipeline made in the systems that it reads, and its state, are removed.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/command.h"
#include "cli/pipeline_flags.h"
#include "cli/summary.h"
#include "connect/drop.h"
#include "run/source_feed.h"
#include "run/state_dir.h"

namespace leat {
namespace {

struct DropFlags : PipelineFlags {
  bool yes = false;
};

Status DropAll(const Pipeline& pipeline, const std::string& state) {
  // Nobody else may be at work there.
  LEAT_ASSIGN(const auto directory, StateDirectory::Open(PosixFileSystem(), state, /*drop=*/true));
  for (const StandingSource& source : pipeline.sources) {
    if (source.leader != source.name) continue;
    LEAT_ASSIGN(const Server server,
                ServerForSource(pipeline, *pipeline.catalog.FindServer(source.server),
                                *pipeline.catalog.FindRelation(source.name), state));
    LEAT_ASSIGN(const auto dropped, DropWhatSourcesMade(server));
    for (const std::string& what : dropped) fmt::print("dropped {}\n", what);
  }
  LEAT_RETURN(directory->Clear());
  fmt::print("dropped the state in \"{}\"\n", state);
  return Status::OK();
}

int Drop(const DropFlags& flags) {
  namespace fs = std::filesystem;
  const fs::path path(flags.pipeline);
  const std::string home = fs::is_directory(path) ? path.string() : path.parent_path().string();
  auto environment = LoadEnvironment(home, flags.env);
  if (!environment.ok()) return ReportError(environment.status(), "", "");
  const std::string state = StateDirectoryOf(flags.pipeline, flags.state, flags.env);
  PipelineOptions options{.path = flags.pipeline, .environment = *environment, .offline = true};
  // A state that cannot be read is one more reason to drop it.
  static_cast<void>(LoadPinned(PosixFileSystem(), state, &options.pinned));
  std::string where = flags.pipeline;
  const auto pipeline = LoadPipeline(options, &where);
  if (!pipeline.ok()) return ReportErrorIn(pipeline.status(), where);
  Status status;
  if (!flags.yes) {
    status = AskForLeave("drop removes the state, and replication slots and publications",
                         "Drop them? What the sinks hold stays.");
  }
  if (status.ok()) status = DropAll(*pipeline, state);
  return status.ok() ? kExitDone : ReportErrorIn(status, flags.pipeline);
}

}  // namespace

void AddDrop(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<DropFlags>();
  CLI::App* drop = app->add_subcommand(
      "drop", "remove a pipeline's state, and the replication slots that it made; sinks stay");
  AddPipelineFlags(drop, flags.get());
  drop->add_flag("--yes,-y", flags->yes, "do not ask");
  drop->callback([flags, exit_code] { *exit_code = Drop(*flags); });
}

}  // namespace leat
