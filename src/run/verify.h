// leat verify and repair: a sink's target beside its query, both as of the sink's mark.
#pragma once

#include <string>

#include "run/session.h"
#include "run/sink_comparison.h"

namespace leat {

struct VerifyOptions {
  std::string where;  // a condition over the sink's columns: differences where it holds; "" all
};

// Reads the target back and computes the query again from the sources, up to what the mark says.
// Refused where that cannot be: the mark is not this state's or not of the last committed epoch,
// the target moves on faster than it can be read, or the order of arrival is not to be had again.
// `visit` is told of every difference.
Result<ComparisonCounts> VerifySink(Session* session, const StandingSink& sink,
                                    const VerifyOptions& options,
                                    const SinkComparison::Visit& visit);

// Writes what is different, and only that, in one transaction with the mark as it was (`replace`:
// all rows, once there is a difference). Refused where the target can only be appended to, and rows
// of it are wrong. REQUIRES: nobody else writes to the target: the caller holds the state's lock.
Result<ComparisonCounts> RepairSink(Session* session, const StandingSink& sink,
                                    const VerifyOptions& options,
                                    const SinkComparison::Visit& visit);

}  // namespace leat
