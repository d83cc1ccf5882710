#include "cli/pipeline_flags.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/command.h"
#include "serve/control.h"

namespace leat {

std::string PipelineFlags::StatePath() const { return StateDirectoryOf(pipeline, state, env); }

void AddPipelineFlags(CLI::App* command, PipelineFlags* flags) {
  command->add_option("pipeline", flags->pipeline, "a .sql file, or a directory of them")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--state", flags->state,
                      "the state directory (default: .leat/NAME beside the pipeline)");
  command->add_option("--env", flags->env, "the state of --env NAME");
}

Result<std::unique_ptr<Session>> OpenSession(const PipelineFlags& flags, const Clock* clock,
                                             std::string* where) {
  namespace fs = std::filesystem;
  const fs::path path(flags.pipeline);
  const std::string home = fs::is_directory(path) ? path.string() : path.parent_path().string();
  SessionOptions options{.files = PosixFileSystem(), .clock = clock};
  LEAT_ASSIGN(options.environment, LoadEnvironment(home, flags.env));
  options.committed = [state = flags.StatePath()] { return OpenView(PosixFileSystem(), state); };
  auto session = std::make_unique<Session>(std::move(options));
  *where = flags.pipeline;
  LEAT_RETURN(session->OpenPipeline(flags.pipeline, where));
  return session;
}

}  // namespace leat
