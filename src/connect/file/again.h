// Which files of a table are read again, and from where (`leat replay`).
#pragma once

#include "connect/file/offset.h"
#include "connect/file/table.h"
#include "connect/source.h"

namespace leat {

// As Source::Again. A file is named by its name below the server's folder or a glob (without a `/`:
// of the last part of the name), or by a time at or after which it was written.
Result<AgainPlan> PlanAgain(const FileTable& table, const Offset& end, const AgainSpec& spec);

// Refuses a file whose rows cannot be had again by reading it once: it was read again as new.
Status CheckReadOnce(const FileState& file);

}  // namespace leat
