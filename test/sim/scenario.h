// A pipeline, its sources and the ways of running it, drawn from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "run/machine.h"
#include "run/pipeline.h"
#include "test/sim/upstream.h"

namespace leat::sim {

struct Scenario {
  std::string sql;
  // The same pipeline, whose queries leave out the rows that cannot be computed.
  std::string reference_sql;
  std::vector<Upstream> upstreams;
  RunOptions options;
  int64_t poll_rows_max = 1;
};

Scenario DrawScenario(Random* random);

// Binds a pipeline's text. The file system is the machine's own, for a moment.
Result<Pipeline> LoadText(const std::string& sql);

}  // namespace leat::sim
