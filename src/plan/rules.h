// Rewrites of a logical tree that keep its answer. Each stands in its own file.
#pragma once

#include <span>
#include <string_view>

#include "sql/logical.h"

namespace leat {

struct Rule {
  std::string_view name;
  LogicalPtr (*apply)(const LogicalPtr& node);
};
// All rules, in their order.
std::span<const Rule> AllRules();
// Applies all rules, but for the one named `without`: answers do not depend on it, and a test sees
// to that.
LogicalPtr ApplyRules(const LogicalPtr& query, std::string_view without = "");

// WHERE goes down to where its columns come from; equalities between the sides of a join become its
// keys, so that `FROM a, b WHERE a.x = b.y` is a hash join.
LogicalPtr PushFilters(const LogicalPtr& node);

// An aggregate's input is projected to the columns that it reads: what an exchange moves. It
// depends on the aggregate alone, so equal ones stay equal (and shared).
LogicalPtr NarrowAggregates(const LogicalPtr& node);
// A standing query's clock: expressions that read it go into kMoving nodes, so that every other
// node sees rows that come and go. An expression that changes all the time is refused, with its
// place. A query that does not read the clock stays as it is. To be applied last.
Result<LogicalPtr> MoveWithClock(const LogicalPtr& node);
// Inner joins that would pair all rows with all, in an order in which equalities connect them.
LogicalPtr OrderJoins(const LogicalPtr& node);

}  // namespace leat
