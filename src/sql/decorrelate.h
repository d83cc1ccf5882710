// Subqueries that refer to the rows around them, made into plans that do not: after Neumann and
// Kemper, "Unnesting Arbitrary Queries" (BTW 2015). All that comes out is ordinary operators, so it
// is kept up to date like any other query.
#pragma once

#include <vector>

#include "sql/build.h"

namespace leat {

// A subquery for all rows around it at once: `plan` has the subquery's columns, `width` of them,
// and then those that say for which rows a row is meant: where `on` holds, to be joined with the
// rows around on the left.
struct Freed {
  LogicalPtr plan;
  int width = 0;
  JoinParts on;
};

// `plan`'s outer columns are kOuterBase + i, which is args[i] over a row of `around`. Where the
// subquery finds its rows by equality alone, it is grouped by what it compares; else it is computed
// once for each distinct args of the rows around.
Result<Freed> FreeOf(const LogicalPtr& plan, const std::vector<ExprPtr>& args,
                     const LogicalPtr& around);

// What an aggregate answers over no rows, as a literal.
Result<ExprPtr> EmptyAnswer(const AggregateCall& call);
// Calls whose rows have no group are answered by EmptyAnswer: `call`, a column that is null there.
Result<ExprPtr> OrEmptyAnswer(const AggregateCall& call, ExprPtr column);

}  // namespace leat
