// The operators that a plan is lowered to: a spec each and the function that makes it. Forms
// (append-only, final, general) are chosen inside from the properties of the inputs; the answer is
// the same. Slow definitions stand in flow/slow_test.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "func/aggregate.h"
#include "func/expr.h"

namespace leat {

// Rows for which `predicate` is true. Linear.
struct FilterSpec {
  Schema input;
  ExprPtr predicate;
};
Result<std::unique_ptr<Operator>> MakeFilter(FilterSpec spec);

// One output column per expression. Keeps `_seq`. Linear.
struct ProjectSpec {
  Schema input;
  std::vector<ExprPtr> exprs;
  Schema output;
};
Result<std::unique_ptr<Operator>> MakeProject(ProjectSpec spec);

// Filter and project of which some read the clock: rows enter, leave and change as it moves, with
// none coming. Keeps the rows for which something will yet change. Linear in the weights. The error
// of MakeMoving is the user's: an expression that changes all the time.
struct MovingSpec {
  Schema input;
  ExprPtr predicate;           // or nullptr
  std::vector<ExprPtr> exprs;  // empty, with a predicate: the input's columns
  Schema output;
  Properties properties;
};
Result<std::unique_ptr<Operator>> MakeMoving(const MovingSpec& spec);

// Each row once for every element of its lists, side by side (the shorter ones filled up with
// nulls): unnest, generate_series. Output: the input's columns, then an element of each list.
// Linear; no `_seq`.
struct UnnestSpec {
  Schema input;
  std::vector<ExprPtr> lists;
  Schema output;
};
Result<std::unique_ptr<Operator>> MakeUnnest(UnnestSpec spec);

// The inputs' rows one after another; `ports` of them, the same column types.
Result<std::unique_ptr<Operator>> MakeUnionAll(int ports);

// Each distinct row once (nulls are not distinct from each other; numerics compare by value and the
// first row's own bytes stand for the group: least `_seq`, then least bytes).
struct DistinctSpec {
  Schema input;
  Properties properties;
};
Result<std::unique_ptr<Operator>> MakeDistinct(DistinctSpec spec);

// ORDER BY inside a call: by which of its arguments; those beyond the aggregate's own are there for
// that alone.
struct AggregateOrder {
  int arg = 0;
  bool descending = false;
  bool nulls_first = false;
  bool operator==(const AggregateOrder&) const = default;
};
struct AggregateCall {
  const Aggregate* aggregate = nullptr;
  std::vector<ExprPtr> args;  // already cast to the aggregate's argument types
  ExprPtr filter;             // or nullptr
  bool distinct = false;
  Type result;
  std::vector<AggregateOrder> order;
};
// Output: the keys, then the calls. Without keys: always one row (`SELECT count(*)` of nothing is
// 0), there from the first epoch on. Where equal keys are not identical (-0 and 0, 1.0 and 1.00),
// those of the row of least `_seq`, then of least bytes, stand for the group. A group whose answer
// fails (a sum out of range) is a reject: its output row, null where it failed, until the answer
// exists again.
struct AggregateSpec {
  Schema input;
  std::vector<ExprPtr> keys;
  std::vector<AggregateCall> calls;
  Schema output;
  Properties properties;
};
Result<std::unique_ptr<Operator>> MakeAggregate(AggregateSpec spec);

enum class JoinType : uint8_t { kInner, kLeft, kRight, kFull, kSemi, kAnti };
// Equi-join of port 0 (left) and port 1 (right): left[i] = right[i] for all keys (null matches
// nothing, but where `null_safe` says IS NOT DISTINCT FROM), and `residual` over left's columns
// followed by right's. Output: left's columns, then right's (semi, anti: left's only). Bilinear:
// dL*R + L*dR + dL*dR. No key: a nested loop. In final form port 1 is the build side: the caller
// finishes pushing it before port 0.
struct JoinSpec {
  JoinType type = JoinType::kInner;
  Schema left, right;
  std::vector<ExprPtr> left_keys, right_keys;  // over their own side; same types pairwise
  ExprPtr residual;                            // or nullptr
  std::vector<bool> null_safe;                 // by key; those beyond its end are not
  Properties left_properties, right_properties;
};
Result<std::unique_ptr<Operator>> MakeJoin(JoinSpec spec);

struct SortKey {
  ExprPtr expr;
  bool descending = false;
  bool nulls_first = false;  // as written, or PostgreSQL's default: true with DESC
};

// The first `limit` rows after `offset` of each partition in `order` (then `_seq`, then the row's
// bytes): DISTINCT ON, row_number() <= n, ORDER BY … LIMIT. Output: the input's columns. limit < 0:
// no limit.
struct TopSpec {
  Schema input;
  std::vector<ExprPtr> partition;
  std::vector<SortKey> order;  // empty: arrival order
  int64_t offset = 0;
  int64_t limit = 1;
  Properties properties;
};
Result<std::unique_ptr<Operator>> MakeTop(TopSpec spec);

enum class WindowFunction : uint8_t {
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,      // over the frame
  kEma,      // args: x, and n (constant): alpha = 2 / (n + 1), nulls skipped
  kSession,  // args: x, by which rows are ordered, and gap (constant): the x of the first row since
             // the last gap that was longer
  kRowNumber,
  kRank,
  kDenseRank,
  kLag,
  kLead,
  kFirstValue,
  kLastValue,
  kNthValue,  // args: x, and the place in the frame
  kNtile,     // args: the number of buckets; these three look at the whole partition
  kPercentRank,
  kCumeDist,
  kAggregate,  // any other aggregate, over the frame
};
struct WindowCall {
  WindowFunction function = WindowFunction::kCount;
  std::vector<ExprPtr> args;  // count(*): none
  ExprPtr filter;             // or nullptr
  Type result;
  const Aggregate* aggregate = nullptr;  // kAggregate's
  // Where the frame is bounded by values: as the last three of `args` what the rows are ordered by,
  // and the least and the greatest of it in a row's frame (anything where the frame says that it is
  // not bounded so). All of one type.
  bool by_value = false;
};
// ROWS BETWEEN preceding PRECEDING AND following FOLLOWING; negative `following` = PRECEDING.
struct RowFrame {
  static constexpr int64_t kUnbounded = INT64_MAX;
  int64_t preceding = kUnbounded;
  int64_t following = 0;
  // RANGE: peers stand for their row: 0 is CURRENT ROW, anything else but kUnbounded a value that
  // the calls have (`by_value`).
  bool range = false;
  bool groups = false;  // GROUPS: preceding and following count groups of peers
  enum class Exclude : uint8_t { kNothing, kCurrentRow, kGroup, kTies } exclude = Exclude::kNothing;
  friend bool operator==(const RowFrame&, const RowFrame&) = default;
};
// Output: the input's columns (with `_seq`), then the calls.
struct WindowSpec {
  Schema input;
  std::vector<ExprPtr> partition;
  std::vector<SortKey> order;  // empty: arrival order, `_seq`
  RowFrame frame;
  std::vector<WindowCall> calls;
  Schema output;
  Properties properties;
};
Result<std::unique_ptr<Operator>> MakeWindow(WindowSpec spec);
// Whether its rows leave in the order of `_seq`, each when it came.
bool KeepsArrivalOrder(const WindowSpec& spec);

}  // namespace leat
