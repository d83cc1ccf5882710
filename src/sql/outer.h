// The columns of the queries around a subquery, as they stand in its plan: kOuterBase and up, a
// level of kOuterLevel for each query further out.
#pragma once

#include <vector>

#include "sql/build.h"

namespace leat {

// How many queries out the column's query is: 1 the next one; 0 for a column of the query itself.
inline int LevelOf(int column) {
  return column < kOuterBase ? 0 : (column - kOuterBase) / kOuterLevel + 1;
}

bool UsesOuter(const Expr& expr);
// Whether an expression in the plan is over columns of a query around it.
bool IsDependent(const Logical& plan);
// The distinct columns of the queries around, in the order of first use.
std::vector<ExprPtr> OuterColumnsOf(const Logical& plan);

// The plan with its outer columns replaced.
LogicalPtr MapOuter(const LogicalPtr& plan, const ColumnMap& map);
ExprPtr MapOuter(const ExprPtr& expr, const ColumnMap& map);
// The plan as it stands `by` queries deeper (or less deep: negative).
LogicalPtr ShiftLevels(const LogicalPtr& plan, int by);
ExprPtr ShiftLevels(const ExprPtr& expr, int by);

}  // namespace leat
