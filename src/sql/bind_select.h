// One SELECT while it is bound.
#pragma once

#include <string>
#include <vector>

#include "sql/bind.h"

namespace leat {

struct OrderItem {
  int target = 0;
  bool descending = false;
  bool nulls_first = false;
};

struct Binder::Selection {
  const PgQuery__SelectStmt* select = nullptr;
  SelectOptions options;
  LogicalPtr plan;  // what is built so far
  Scope scope;      // of the FROM
  Collected collected;
  std::vector<Target> targets;  // the select list, then what only ORDER BY and DISTINCT ON need
  int visible = 0;
  std::vector<ExprPtr> keys;  // GROUP BY
  // GROUPING SETS: which of the keys each has; empty: plain GROUP BY.
  std::vector<std::vector<int>> sets;
  bool grouped = false;
  ExprPtr having;
  std::vector<OrderItem> order;
  std::vector<int> distinct_on;  // targets
  bool distinct = false;

  ExprContext Context(Clause clause) {
    ExprContext context;
    context.clause = clause;
    context.scope = &scope;
    context.collected = &collected;
    context.select = select;
    return context;
  }
};

}  // namespace leat
