#include "run/machine.h"

#include "run/engine.h"

namespace leat {

bool IsTooManyRejects(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error != nullptr && error->sqlstate == kTooManyRejects;
}

Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunOptions& options,
                              const RunContext& context) {
  Crew crew(context.schedule, context.stop);
  return Engine(pipeline, options, context, &crew).Run();
}

}  // namespace leat
