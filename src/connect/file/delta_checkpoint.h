// A Delta table's checkpoint: a Parquet file with a row for each action.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"

namespace leat {

// Writes actions, lines of JSON, as a checkpoint, synced; how many there are.
Result<int64_t> WriteDeltaCheckpoint(const std::string& path, const std::string& lines);
// Gives each action of a checkpoint as its JSON.
Status ReadDeltaCheckpoint(const std::string& path,
                           const std::function<Status(const std::string& action)>& visit);

}  // namespace leat
