// One seed's play: a pipeline is run, crashed, run again …, and judged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/sim/disk.h"
#include "test/sim/target.h"
#include "test/sim/upstream.h"

namespace leat::sim {

// What is broken on purpose, to see that it is noticed.
struct Canary {
  DiskLies disk;
  SourceLies source;
  SinkLies sink;
  bool replays_by_another_clock = false;
};

struct PlayOptions {
  Canary canary;
  bool trace = false;
  int64_t lives_max = 6;  // of the process, but for the last, in which all goes well
};

struct Outcome {
  std::string complaint;  // the promise that was broken; "" none
  std::string sql;
  int64_t lives = 0, kills = 0, crashes = 0, failures = 0, rows = 0, commits = 0, checks = 0;
  std::vector<std::string> trace;
};

Outcome Play(uint64_t seed, const PlayOptions& options);

}  // namespace leat::sim
