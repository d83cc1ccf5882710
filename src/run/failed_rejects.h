// The rejects of a run that ended with too many of them: nothing of it was committed, but they are
// what one wants to see. A file beside the state, until a run succeeds.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "run/read_view.h"

namespace leat {

struct FailedRejects {
  std::string message;   // why the run ended
  Micros at = 0;         // when
  int64_t left_out = 0;  // how many rejects are not among the rows, which are the first 10,000
  RowsScan rows;         // of RejectsSchema
};

// Keeps those rejects of the run that are not committed: of epochs after `committed`.
Status SaveFailedRejects(FileSystem* files, const std::string& state_dir, const RowsScan& rejects,
                         int64_t committed, const std::string& message, Micros now);
Result<std::optional<FailedRejects>> LoadFailedRejects(FileSystem* files,
                                                       const std::string& state_dir);
// A run has succeeded. No error if there are none.
Status RemoveFailedRejects(FileSystem* files, const std::string& state_dir);

}  // namespace leat
