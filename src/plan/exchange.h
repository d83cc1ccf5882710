// Between operators whose keys differ: rows go to the shard of their key.
#pragma once

#include <vector>

#include "flow/operator.h"
#include "func/expr.h"

namespace leat {

// At most so many shards.
inline constexpr int kShardsMax = 256;

// The shard of each row by the values of `keys`: equal keys (1.0 and 1.00, -0 and 0) have the same
// one, whatever order the keys are named in. A row whose keys cannot be computed has some shard, as
// it has when it is taken back. The state of operators is kept by shard: changing this changes the
// state's format.
Result<std::vector<uint8_t>> ShardsOf(const std::vector<ExprPtr>& keys, int shards,
                                      const Batch& batch, const EvalContext& context);

// The batch's rows by shard, in their order, `shards` batches.
Result<std::vector<Batch>> SplitByShard(const std::vector<ExprPtr>& keys, int shards,
                                        const Batch& batch, const EvalContext& context);

// Rows of several batches in the order of `_seq`, equal ones in the order given. REQUIRES: all have
// `_seq`.
Result<Batch> MergeBySeq(const Schema& schema, const std::vector<Batch>& batches);

}  // namespace leat
