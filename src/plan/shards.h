// How a step's work is spread over threads without the answer depending on them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "flow/operator.h"

namespace leat {

// What a dataflow may use. The number of shards decides in which order results come (not which);
// the number of threads decides nothing.
struct Cores {
  ThreadPool* pool = nullptr;  // absent: the caller's thread does everything
  int shards = 1;              // into which operators with a key are split
  // Rows and bytes that gather before an exchange before they are worked on; an epoch's end does
  // not wait. The least that is worth waking a thread for.
  int64_t round_rows = 1 << 17;
  int64_t round_bytes = 32 << 20;
  int64_t threads_rows = 4096;
  // What shards may put out ahead of their turn, each.
  int64_t ahead_bytes_max = 64 << 20;
};

// Something that a shard's operators put out to others: rows of a node, or one that failed.
struct Emission {
  int node = 0;
  Batch batch;
  // For each exchange behind the node: the rows by shard.
  std::vector<std::vector<Batch>> parts;
  std::vector<RowError> errors;  // at most one; then there is no batch
};
using Deliver = std::function<Status(Emission emission)>;

// Does `work` for shards 0 … shards - 1 and hands on what they put out: all of shard 0, then all of
// shard 1 …, on the caller's thread. With a pool the shards run at the same time, those whose turn
// has not come into a bounded buffer. The first error in that order ends it, and later shards may
// then stop in the middle.
using ShardWork = std::function<Status(int shard, const Deliver& deliver)>;
Status RunShards(ThreadPool* pool, int shards, int64_t ahead_bytes_max, const ShardWork& work,
                 const Deliver& deliver);

}  // namespace leat
