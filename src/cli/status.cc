// leat status, leat rejects: what a pipeline's state holds, as of its last commit.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/file_system.h"
#include "cli/command.h"
#include "run/rejects.h"
#include "run/state_dir.h"

namespace leat {
namespace {

struct Flags {
  std::string pipeline, state, env, relation;
  int64_t samples = 5;
};

void AddCommon(CLI::App* command, Flags* flags) {
  command->add_option("pipeline", flags->pipeline, "a .sql file, or a directory of them")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--state", flags->state, "the state directory");
  command->add_option("--env", flags->env, "the state of --env NAME");
}

// The state's manifest, or an error for the user when nothing ran yet.
Result<std::unique_ptr<StateDirectory>> OpenState(const Flags& flags, Manifest* manifest) {
  const std::string path = StateDirectoryOf(flags.pipeline, flags.state, flags.env);
  LEAT_ASSIGN(auto state, StateDirectory::OpenToRead(PosixFileSystem(), path));
  LEAT_ASSIGN(const bool there, state->Load(manifest));
  if (there) return state;
  return SqlStatus(fmt::format("there is no state in \"{}\"", path),
                   {.hint = fmt::format("Run it first: leat run {}", flags.pipeline)});
}

Status PrintStatus(const Flags& flags) {
  Manifest manifest;
  LEAT_ASSIGN(const auto state, OpenState(flags, &manifest));
  const SystemClock clock;
  const auto age = static_cast<double>(clock.Now() - manifest.epoch.clock) / 1e6;
  fmt::print("state     {}\nepoch     {}, committed {:.0f} s ago\n", state->path(""),
             manifest.epoch.number, age);
  for (const auto& source : manifest.sources) {
    fmt::print("source    {}: {} rows read = {} used + {} rejected\n", source.name,
               source.rows_read, source.rows_read - source.rows_rejected, source.rows_rejected);
  }
  for (const auto& [name, hash] : manifest.definitions)
    fmt::print("holds     {} ({})\n", name, hash);
  return Status::OK();
}

Status PrintRejects(const Flags& flags) {
  Manifest manifest;
  LEAT_ASSIGN(const auto state, OpenState(flags, &manifest));
  LEAT_ASSIGN(StateReader * reader, state->Reader("rejects"));
  Rejects rejects;
  LEAT_RETURN(rejects.Restore(reader));
  LEAT_ASSIGN(const auto groups, SummarizeRejects(rejects, flags.relation, flags.samples));
  if (groups.empty()) {
    fmt::print("no rejects\n");
    return Status::OK();
  }
  for (const RejectGroup& group : groups) {
    fmt::print("{} × {}{}: {}\n", group.count, group.relation,
               group.column.empty() ? "" : "." + group.column, group.reason);
    for (const RejectSample& sample : group.samples) {
      fmt::print("    {}:{} (byte {}): {}\n", sample.file, sample.line, sample.offset, sample.raw);
    }
  }
  return Status::OK();
}

}  // namespace

void AddStatus(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app->add_subcommand("status", "what the last commit holds: epoch, rows, rejects");
  AddCommon(command, flags.get());
  command->callback([flags, exit_code] {
    const Status status = PrintStatus(*flags);
    *exit_code = status.ok() ? kExitDone : ReportError(status, "", "");
  });
}

void AddRejects(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app->add_subcommand("rejects", "rows that were not used, by reason, with samples");
  AddCommon(command, flags.get());
  command->add_option("relation", flags->relation, "only those of this relation");
  command->add_option("--samples", flags->samples, "samples of each reason (5)");
  command->callback([flags, exit_code] {
    const Status status = PrintRejects(*flags);
    *exit_code = status.ok() ? kExitDone : ReportError(status, "", "");
  });
}

}  // namespace leat
