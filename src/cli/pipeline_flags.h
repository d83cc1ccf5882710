// The flags by which commands name a pipeline and its state, and a session over them.
#pragma once

#include <memory>
#include <string>

#include "run/session.h"

namespace CLI {
class App;
}

namespace leat {

struct PipelineFlags {
  std::string pipeline, state, env;
  // Where its state is.
  std::string StatePath() const;
};

// `pipeline`, --state and --env.
void AddPipelineFlags(CLI::App* command, PipelineFlags* flags);

// A session over the pipeline as of its last commit: of the process that works on it, or else of
// its last checkpoint. `clock` outlives it. After an error `where` names the file it is in.
Result<std::unique_ptr<Session>> OpenSession(const PipelineFlags& flags, const Clock* clock,
                                             std::string* where);

}  // namespace leat
