// Answers a query incrementally over a recorded history of changes, cut in some way: the law of the
// tests is that the answer does not depend on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/batch.h"
#include "func/evaluate.h"
#include "plan/shards.h"
#include "sql/logical.h"

namespace leat {

// How a query over local tables is computed; the answer must not depend on it.
struct Way {
  enum class Cut : uint8_t {
    kPlain,        // one-shot, final: what a SELECT does
    kWhole,        // incrementally, all changes in one epoch
    kRows,         // … every changed row an epoch of its own
    kRandom,       // … random cuts of the same order of arrival
    kRetract,      // … random cuts, with rows added that are taken back later
    kRestart,      // … random cuts, checkpointed and restored into new operators in between
    kThreads,      // … the same, with operators in shards that several threads work on
    kOnceThreads,  // one-shot as kPlain, in shards, with several threads
  };
  Cut cut = Cut::kPlain;
  uint64_t seed = 0;
};
const char* NameOf(Way::Cut cut);

// As many shards and threads as make the most of little data, exchanges and waits included.
// `round_rows`: that a region gathers.
inline constexpr int kWayThreads = 3;
Cores WayCores(ThreadPool* pool, int64_t round_rows);

// The rows that are left of batches with weights, in no particular order.
Result<Batch> SumOf(const Schema& schema, const std::vector<Batch>& batches);

// A change of a relation, with weights and `_seq`, in the order of arrival.
struct Change {
  // What a test asks for behind a change, in every way but kPlain.
  enum class Then : uint8_t { kNothing, kEpoch, kRestart };

  std::string relation;
  Batch delta;
  Micros clock = 0;            // when it was made
  Then then = Then::kNothing;  // kEpoch: it ends here; kRestart: … and operators are restored
};

// The net answer at context.now, in no particular order; on the way there the clock went by those
// of the changes. A row that cannot be computed and is not taken back fails it, as a one-shot query
// would. REQUIRES: way.cut is neither kPlain nor kOnceThreads.
Result<Batch> AnswerIncrementally(const LogicalPtr& query, const std::vector<Change>& history,
                                  const Way& way, const EvalContext& context);

}  // namespace leat
