#include "cli/pipeline_flags.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <limits>

#include "cli/command.h"
#include "serve/control.h"

namespace leat {
namespace {

// Less than this is taken by libraries, buffers and one epoch alone.
constexpr int64_t kMemoryMin = int64_t{256} << 20;

}  // namespace

std::string PipelineFlags::StatePath() const { return StateDirectoryOf(pipeline, state, env); }

void AddPipelineFlags(CLI::App* command, PipelineFlags* flags) {
  command->add_option("pipeline", flags->pipeline, "a .sql file, or a directory of them")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--state", flags->state,
                      "the state directory (default: .leat/NAME beside the pipeline)");
  command->add_option("--env", flags->env, "the state of --env NAME");
}

void AddMemoryFlag(CLI::App* command, int64_t* bytes) {
  command
      ->add_option(
          "--memory", *bytes,
          "limit of the process's memory, e.g. 512MB or 4GB: state beyond it lives in files")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(kMemoryMin, std::numeric_limits<int64_t>::max())
                  .description("at least 256MB"));
}

namespace {

using Committed = std::function<Result<ReadViewPtr>()>;

Result<std::unique_ptr<Session>> Open(const PipelineFlags& flags, const Clock* clock,
                                      Committed committed, std::string* where) {
  namespace fs = std::filesystem;
  const fs::path path(flags.pipeline);
  const std::string home = fs::is_directory(path) ? path.string() : path.parent_path().string();
  SessionOptions options{.files = PosixFileSystem(), .clock = clock};
  LEAT_ASSIGN(options.environment, LoadEnvironment(home, flags.env));
  options.committed = std::move(committed);
  auto session = std::make_unique<Session>(std::move(options));
  *where = flags.pipeline;
  LEAT_RETURN(session->OpenPipeline(flags.pipeline, where));
  return session;
}

}  // namespace

Result<std::unique_ptr<Session>> OpenSession(const PipelineFlags& flags, const Clock* clock,
                                             std::string* where) {
  return Open(
      flags, clock, [state = flags.StatePath()] { return OpenView(PosixFileSystem(), state); },
      where);
}

Result<std::unique_ptr<Session>> OpenSessionAlone(const PipelineFlags& flags, const Clock* clock,
                                                  std::string* where) {
  return Open(
      flags, clock,
      [state = flags.StatePath()] { return ReadCheckpoint(PosixFileSystem(), state); }, where);
}

}  // namespace leat
