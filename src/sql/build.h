// Makes nodes of the logical tree, with their schemas, and takes expressions apart.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/logical.h"

namespace leat {

// --- Expressions ---------------------------------------------------------------------------------

// Columns that are not there yet stand in an expression under numbers of their own, until the node
// that makes them is built: the results of aggregates, of window functions, of subqueries and of
// GROUPING, and the columns of the query around a subquery.
inline constexpr int kAggregateBase = 1 << 24;
inline constexpr int kGroupingBase = kAggregateBase + (1 << 20);  // GROUPING(…)
inline constexpr int kWindowBase = 2 << 24;
inline constexpr int kSubqueryBase = 3 << 24;
inline constexpr int kSetBase = 4 << 24;  // set-returning functions of the select list
inline constexpr int kOuterBase = 5 << 24;
inline constexpr int kOuterLevel = 1 << 24;  // more for each query further out
// The base to which a column's number belongs; 0 for a column of the input.
inline int BaseOf(int column) { return column >> 24 << 24; }

ExprPtr ColumnAt(int column, Type type, int location);
ExprPtr WithLocation(ExprPtr expr, int location);
// The expression with every column replaced by what `map` gives for it.
using ColumnMap = std::function<ExprPtr(const Expr& column)>;
ExprPtr MapColumns(const ExprPtr& expr, const ColumnMap& map);
ExprPtr ShiftColumns(const ExprPtr& expr, int by);
void VisitExprs(const Expr& expr, const std::function<void(const Expr&)>& visit);
// Whether some column of the expression belongs to `base`.
bool UsesBase(const Expr& expr, int base);
// Whether all columns of the expression lie in [begin, end).
bool UsesOnly(const Expr& expr, int begin, int end);
bool IsNullable(const Expr& expr, const Schema& input);

ExprPtr BoolLiteral(bool value);
ExprPtr Int8Literal(int64_t value);
ExprPtr NullLiteral(const Type& type);
// nullptr for none, the one, or kAnd of all.
ExprPtr Conjunction(std::vector<ExprPtr> conjuncts);
std::vector<ExprPtr> ConjunctsOf(const ExprPtr& expr);
// A boolean function of the engine: "not", "is null", …; REQUIRES: it exists.
ExprPtr CallOf(std::string_view function, std::vector<ExprPtr> args);
// a = b. REQUIRES: the same type.
ExprPtr EqualityOf(ExprPtr a, ExprPtr b);
// REQUIRES: two or more, of the same type.
ExprPtr CoalesceOf(std::vector<ExprPtr> args);
// nullptr for none, the one, or kOr of all.
ExprPtr Disjunction(std::vector<ExprPtr> disjuncts);

// --- Nodes ---------------------------------------------------------------------------------------

LogicalPtr ScanOf(std::string relation, Schema schema, bool has_seq, int location);
LogicalPtr ValuesOf(Schema schema, std::vector<std::vector<ExprPtr>> rows);
LogicalPtr FilterOn(LogicalPtr child, ExprPtr predicate);
LogicalPtr ProjectOn(LogicalPtr child, std::vector<ExprPtr> exprs,
                     const std::vector<std::string>& names);
// The child's columns, then the elements of the lists under `names`.
LogicalPtr UnnestOn(LogicalPtr child, std::vector<ExprPtr> lists,
                    const std::vector<std::string>& names);
// The first `count` columns.
LogicalPtr FirstColumns(LogicalPtr child, int count);
LogicalPtr UnionAllOf(std::vector<LogicalPtr> children);
LogicalPtr DistinctOf(LogicalPtr child);
LogicalPtr AggregateOn(LogicalPtr child, std::vector<ExprPtr> keys,
                       std::vector<AggregateCall> calls, const std::vector<std::string>& names);
struct JoinParts {
  JoinType type = JoinType::kInner;
  std::vector<ExprPtr> left_keys, right_keys;
  ExprPtr residual;
  std::vector<bool> null_safe;  // by key: IS NOT DISTINCT FROM
};
LogicalPtr JoinOf(LogicalPtr left, LogicalPtr right, JoinParts parts);
// The operands of an equality as keys of a join: brought to one type, if they can be.
std::optional<std::pair<ExprPtr, ExprPtr>> AsKeys(ExprPtr a, ExprPtr b);
// Sorts conjuncts over left's columns followed by right's into pairs of keys and a residual.
JoinParts SplitJoin(JoinType type, const std::vector<ExprPtr>& conjuncts, int left_width,
                    int width);
struct TopParts {
  std::vector<ExprPtr> partition;
  std::vector<SortKey> order;
  int64_t offset = 0;
  int64_t limit = -1;
};
LogicalPtr TopOf(LogicalPtr child, TopParts parts);
struct WindowParts {
  std::vector<ExprPtr> partition;
  std::vector<SortKey> order;
  RowFrame frame;
  std::vector<WindowCall> calls;
  std::vector<std::string> names;
};
LogicalPtr WindowOn(LogicalPtr child, WindowParts parts);

}  // namespace leat
