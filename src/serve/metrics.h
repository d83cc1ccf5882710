// A running machine's numbers for Prometheus.
#pragma once

#include <string>

#include "run/live_status.h"

namespace leat {

// The text format, version 0.0.4. `now` is the wall clock's.
std::string MetricsText(const LiveStatus& status, Micros now);

// All metrics as a Markdown table, for docs/metrics.md.
std::string DescribeMetrics();

}  // namespace leat
