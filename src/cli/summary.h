// What commands that run a pipeline say at their end, and what they ask before they begin.
#pragma once

#include <string>

#include "cli/pipeline_flags.h"
#include "run/machine.h"

namespace leat {

// "27,648,741"
std::string Grouped(int64_t number);

void PrintSummary(const PipelineFlags& flags, const RunReport& report, const std::string& state);

// Asks on a terminal. Elsewhere, or where the answer is no, an error: `what` it would do, and
// --yes.
Status AskForLeave(const std::string& what, const std::string& question);

}  // namespace leat
