// The flags by which commands name a pipeline and its state, and a session over them.
#pragma once

#include <cstdint>
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

// `--memory`, in bytes.
void AddMemoryFlag(CLI::App* command, int64_t* bytes);

// A session over the pipeline as of its last commit: of the process that works on it, or else of
// its last checkpoint. `clock` outlives it. After an error `where` names the file it is in.
Result<std::unique_ptr<Session>> OpenSession(const PipelineFlags& flags, const Clock* clock,
                                             std::string* where);
// The same, of its last checkpoint. REQUIRES: the caller has the state for itself.
Result<std::unique_ptr<Session>> OpenSessionAlone(const PipelineFlags& flags, const Clock* clock,
                                                  std::string* where);

}  // namespace leat
