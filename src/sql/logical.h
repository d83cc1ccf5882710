// A bound query as a tree of relational operators: what the binder makes of SQL, what plan's rules
// rewrite and plan/lower.cc turns into operators. Immutable and shared. A node's columns are those
// of `schema`; expressions refer to the columns of the children, left's first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/type.h"
#include "flow/operators.h"
#include "func/aggregate.h"
#include "func/expr.h"

namespace leat {

struct Logical;
using LogicalPtr = std::shared_ptr<const Logical>;

enum class LogicalKind : uint8_t {
  kScan,      // relation `relation`; its columns, all of them (rules prune: `columns`)
  kValues,    // `rows` of constant expressions; no child
  kFilter,    // exprs[0]
  kProject,   // exprs
  kUnnest,    // exprs: lists, whose elements come beside the child's columns
  kUnionAll,  // any number of children
  kDistinct,
  kAggregate,  // keys = exprs; calls
  kJoin,       // join type, pairs of keys, residual
  kTop,        // partition = exprs, order, offset, limit: DISTINCT ON and ORDER BY … LIMIT
  kWindow,     // partition = exprs, order, frame, windows
  // WITH RECURSIVE: children[0], then children[1] over the rows found last, which it scans under
  // the name `relation`, until none are found. One-shot queries alone.
  kRecursive,
  kMoving,  // filter (residual, or none) and project (exprs; none: all) that move with the clock
};

struct Logical {
  LogicalKind kind = LogicalKind::kValues;
  Schema schema;
  std::vector<LogicalPtr> children;

  std::string relation;                    // kScan: the catalog's name
  std::vector<int> columns;                // kScan: which of the relation's columns, in order
  bool has_seq = true;                     // kScan: the relation's rows carry `_seq`
  std::vector<std::vector<ExprPtr>> rows;  // kValues
  std::vector<ExprPtr> exprs;
  std::vector<AggregateCall> calls;  // kAggregate
  JoinType join = JoinType::kInner;  // kJoin: left_keys[i] = right_keys[i], residual
  std::vector<ExprPtr> left_keys, right_keys;
  ExprPtr residual;
  std::vector<bool> null_safe;  // kJoin, by key: IS NOT DISTINCT FROM; those beyond its end are =
  std::vector<SortKey> order;   // kTop, kWindow
  int64_t offset = 0;           // kTop
  int64_t limit = -1;
  bool distinct = false;  // kRecursive: UNION, not UNION ALL
  RowFrame frame;         // kWindow
  std::vector<WindowCall> windows;
  int location = -1;
};

// A bound SELECT. `order` sorts what a one-shot query shows (over `root`'s columns, of which the
// first `visible` are shown); a standing query ignores it unless there is a LIMIT (then `root` has
// a kTop).
struct Query {
  LogicalPtr root;
  std::vector<SortKey> order;
  int visible = 0;
};

// A canonical text of the tree, one node a line, children indented: what EXPLAIN shows and the
// definition's hash is made of.
std::string ToString(const Logical& node);
// xxh3 of the canonical text, as 16 hex digits.
std::string HashOf(const Logical& node);

// Whether the node's rows carry `_seq`: not above a join, an aggregate or DISTINCT.
bool HasSeq(const Logical& node);

}  // namespace leat
