// Subqueries in expressions: one value by a join, EXISTS and IN as semi and anti joins.
#include <algorithm>

#include "func/function.h"
#include "sql/bind_select.h"

namespace leat {
namespace {

// Whether the query gives exactly one row whatever the tables hold.
bool GivesOneRow(const Logical& plan) {
  switch (plan.kind) {
    case LogicalKind::kProject:
      return GivesOneRow(*plan.children[0]);
    case LogicalKind::kValues:
      return plan.rows.size() == 1;
    case LogicalKind::kAggregate:
      return plan.exprs.empty();
    default:
      return false;
  }
}

bool GivesAtMostOneRow(const Logical& plan) {
  switch (plan.kind) {
    case LogicalKind::kTop:
      return (plan.exprs.empty() && plan.limit >= 0 && plan.limit <= 1) ||
             GivesAtMostOneRow(*plan.children[0]);
    case LogicalKind::kProject:
    case LogicalKind::kFilter:
    case LogicalKind::kWindow:
      return GivesAtMostOneRow(*plan.children[0]);
    default:
      return GivesOneRow(plan);
  }
}

constexpr std::string_view kOneRowHint =
    "Make it one row: an aggregate without GROUP BY, or LIMIT 1.";

// Whether a SELECT may be taken apart for a semi join: no grouping, no limit.
bool IsPlain(const PgQuery__SelectStmt& select) {
  return select.op == PG_QUERY__SET_OPERATION__SETOP_NONE && select.n_values_lists == 0 &&
         select.n_group_clause == 0 && select.having_clause == nullptr &&
         select.limit_count == nullptr && select.limit_offset == nullptr &&
         select.with_clause == nullptr;
}

// The inner query's conditions on the outer row, over outer columns followed by inner ones.
std::vector<ExprPtr> OverBoth(const std::vector<ExprPtr>& conjuncts, int outer_width) {
  std::vector<ExprPtr> out;
  for (const ExprPtr& conjunct : conjuncts) {
    out.push_back(MapColumns(conjunct, [&](const Expr& column) {
      const bool outer = BaseOf(column.column) == kOuterBase;
      const int place = outer ? column.column - kOuterBase : column.column + outer_width;
      return ColumnAt(place, column.type, column.location);
    }));
  }
  return out;
}

// WHERE x NOT IN (SELECT y …): no row of the subquery is equal, and none could be for all one
// knows.
LogicalPtr NullAwareAnti(LogicalPtr plan, const LogicalPtr& inner, JoinParts parts,
                         const ExprPtr& tested) {
  const ExprPtr value = parts.right_keys.back();
  const bool no_nulls = !IsNullable(*tested, plan->schema) && !IsNullable(*value, inner->schema);
  LogicalPtr out = JoinOf(plan, inner, parts);
  if (no_nulls) return out;
  // What is left when a null stands on a side: at most two rows, {null there, not null there}.
  const ExprPtr is_null = CallOf("is null", {value});
  LogicalPtr nulls = DistinctOf(ProjectOn(inner, {is_null}, {"null"}));
  const ExprPtr unknown_there = ColumnExpr(plan->schema.size(), Type(TypeId::kBool));
  Expr either;
  either.kind = ExprKind::kOr;
  either.type = Type(TypeId::kBool);
  either.args = {unknown_there, CallOf("is null", {tested})};
  JoinParts rest{.type = JoinType::kAnti};
  rest.residual = std::make_shared<const Expr>(std::move(either));
  return JoinOf(std::move(out), std::move(nulls), std::move(rest));
}

}  // namespace

Result<ExprPtr> Binder::BindSubLink(const PgQuery__SubLink& link, const ExprContext& context) {
  const auto type = link.sub_link_type;
  if (type != PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK) {
    const bool exists = type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK;
    const bool any = type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK;
    return NotSupported(
        fmt::format("{} (SELECT …) is not supported here", exists ? "EXISTS"
                                                           : any  ? "IN"
                                                                  : "this kind of subquery"),
        link.location, "It may stand in WHERE, alone or between ANDs.");
  }
  if (context.collected == nullptr || context.in_aggregate) {
    return NotSupported("a subquery is not supported here", link.location);
  }
  const PgQuery__SelectStmt& select = *link.subselect->select_stmt;
  SelectOptions options;
  options.outer = context.scope;
  ScalarSubquery subquery;
  Result<LogicalPtr> plan = BindTable(select, options);
  if (plan.ok()) {
    if ((*plan)->schema.size() != 1) {
      return SqlStatus("subquery must return only one column",
                       {.sqlstate = kSyntaxError, .location = link.location});
    }
    subquery.one_row = GivesOneRow(**plan);
    if (!GivesAtMostOneRow(**plan)) {
      return NotSupported("a subquery that may give more than one row is not supported",
                          link.location, std::string(kOneRowHint));
    }
    subquery.value = ColumnExpr(0, (*plan)->schema.columns[0].type);
    subquery.plan = *plan;
  } else if (SqlErrorOf(plan.status()) != nullptr &&
             SqlErrorOf(plan.status())->sqlstate == "0A000" && IsPlain(select)) {
    // Perhaps it refers to the query around it.
    LEAT_ASSIGN(subquery, BindCorrelatedScalar(select, context.scope, link.location));
  } else {
    return plan.status();
  }
  subquery.location = link.location;
  auto& subqueries = context.collected->subqueries;
  const Type value_type = subquery.value->type;
  subqueries.push_back(std::move(subquery));
  return ColumnAt(kSubqueryBase + static_cast<int>(subqueries.size()) - 1, value_type,
                  link.location);
}

// (SELECT max(x) FROM u WHERE u.k = t.k): grouped by the inner keys and joined to the outer ones.
Result<ScalarSubquery> Binder::BindCorrelatedScalar(const PgQuery__SelectStmt& select,
                                                    const Scope* outer, int location) {
  Selection inner;
  inner.select = &select;
  inner.scope.outer = outer;
  inner.outer_allowed = true;
  LEAT_ASSIGN(FromItem from, BindFrom(Items(select.n_from_clause, select.from_clause), outer));
  inner.plan = std::move(from.plan);
  inner.scope.tables = std::move(from.tables);
  LEAT_RETURN(BindTargets(&inner));
  LEAT_RETURN(BuildWhere(&inner));
  Collected& collected = inner.collected;
  if (inner.targets.size() != 1) {
    return SqlStatus("subquery must return only one column",
                     {.sqlstate = kSyntaxError, .location = location});
  }
  ScalarSubquery out;
  // Conditions over "outer columns, inner columns": the outer ones end where the inner begin.
  const JoinParts parts = SplitJoin(JoinType::kLeft, OverBoth(inner.outer_conjuncts, kOuterBase),
                                    kOuterBase, kOuterBase + inner.plan->schema.size());
  const bool plain = collected.windows.empty() && collected.subqueries.empty() &&
                     !collected.aggregates.empty() && !parts.residual && !parts.left_keys.empty();
  if (!plain) {
    return NotSupported("this correlated subquery is not supported", location,
                        "Supported is one aggregate over rows found by equality: (SELECT max(u.x) "
                        "FROM u WHERE u.k = t.k). Else write a JOIN.");
  }
  inner.keys = parts.right_keys;
  const size_t keys = inner.keys.size();
  LogicalPtr grouped =
      AggregateOn(inner.plan, inner.keys, collected.aggregates, collected.aggregate_names);
  out.plan = grouped;
  out.left_keys = parts.left_keys;
  for (size_t i = 0; i < keys; ++i) {
    out.right_keys.push_back(ColumnExpr(static_cast<int>(i), inner.keys[i]->type));
  }
  bool stray = false;
  out.value = MapColumns(inner.targets[0].expr, [&](const Expr& column) -> ExprPtr {
    if (BaseOf(column.column) != kAggregateBase) {
      stray = true;
      return ColumnAt(0, column.type, column.location);
    }
    const auto at = static_cast<size_t>(column.column - kAggregateBase);
    ExprPtr value = ColumnAt(static_cast<int>(keys + at), column.type, column.location);
    if (collected.aggregates[at].aggregate->name != "count") return value;
    Expr counted;  // no row to join: counted none
    counted.kind = ExprKind::kCoalesce;
    counted.type = value->type;
    counted.args = {value, Int8Literal(0)};
    return std::make_shared<const Expr>(std::move(counted));
  });
  if (stray) {
    return NotSupported("a column beside an aggregate in a correlated subquery is not supported",
                        location);
  }
  return out;
}

Status Binder::AttachSubqueries(const Collected& collected, std::vector<ExprPtr*> exprs,
                                LogicalPtr* plan) {
  std::vector<ExprPtr> values(collected.subqueries.size());
  for (ExprPtr* expr : exprs) {
    if (!UsesBase(**expr, kSubqueryBase)) continue;
    *expr = MapColumns(*expr, [&](const Expr& column) {
      if (BaseOf(column.column) != kSubqueryBase) {
        return ColumnAt(column.column, column.type, column.location);
      }
      const auto at = static_cast<size_t>(column.column - kSubqueryBase);
      if (!values[at]) {
        const ScalarSubquery& subquery = collected.subqueries[at];
        const int width = (*plan)->schema.size();
        JoinParts parts{subquery.one_row ? JoinType::kInner : JoinType::kLeft, subquery.left_keys,
                        subquery.right_keys, nullptr};
        *plan = JoinOf(*plan, subquery.plan, std::move(parts));
        values[at] = ShiftColumns(subquery.value, width);
      }
      return WithLocation(values[at], column.location);
    });
  }
  return Status::OK();
}

// WHERE [NOT] EXISTS (SELECT …) and WHERE x [NOT] IN (SELECT …).
Result<LogicalPtr> Binder::ApplySemiJoin(LogicalPtr plan, const Scope& scope,
                                         const PgQuery__SubLink& link, bool negated) {
  const PgQuery__SelectStmt& select = *link.subselect->select_stmt;
  const bool exists = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK;
  const int width = plan->schema.size();
  Selection inner;
  inner.select = &select;
  inner.scope.outer = &scope;
  inner.outer_allowed = true;
  if (IsPlain(select)) {
    LEAT_ASSIGN(FromItem from, BindFrom(Items(select.n_from_clause, select.from_clause), &scope));
    inner.plan = std::move(from.plan);
    inner.scope.tables = std::move(from.tables);
    LEAT_RETURN(BindTargets(&inner));
    LEAT_RETURN(BuildWhere(&inner));
  }
  const bool bare = IsPlain(select) && inner.collected.aggregates.empty() &&
                    inner.collected.windows.empty() && inner.collected.subqueries.empty();
  if (!bare) {
    // Anything else stands for itself: bound whole, without the query around.
    SelectOptions options;
    options.outer = &scope;
    LEAT_ASSIGN(inner.plan, BindTable(select, options));
    inner.outer_conjuncts.clear();
    inner.targets.clear();
    for (int i = 0; i < inner.plan->schema.size(); ++i) {
      const Column& column = inner.plan->schema.columns[static_cast<size_t>(i)];
      inner.targets.push_back({column.name, ColumnExpr(i, column.type)});
    }
  }
  std::vector<ExprPtr> conjuncts = OverBoth(inner.outer_conjuncts, width);
  const JoinType type = negated ? JoinType::kAnti : JoinType::kSemi;
  ExprPtr tested;
  if (!exists) {
    if (Is(link.testexpr, PG_QUERY__NODE__NODE_ROW_EXPR)) {
      return NotSupported("row comparison is not supported", link.location,
                          "Write EXISTS with the columns compared one by one.");
    }
    if (inner.targets.size() != 1) {
      return SqlStatus("subquery has too many columns",
                       {.sqlstate = kSyntaxError, .location = link.location});
    }
    const std::string symbol =
        link.n_oper_name == 0 ? "=" : std::string(StringOf(link.oper_name[link.n_oper_name - 1]));
    ExprContext context;
    context.clause = Clause::kWhere;
    context.scope = &scope;
    LEAT_ASSIGN(tested, BindExpr(link.testexpr, context));
    LEAT_ASSIGN(
        ExprPtr match,
        ApplyOperator(symbol, {tested, ShiftColumns(inner.targets[0].expr, width)}, link.location));
    tested = match->args[0];
    conjuncts.push_back(std::move(match));
  }
  const int both = width + inner.plan->schema.size();
  JoinParts parts = SplitJoin(type, conjuncts, width, both);
  if (exists || !negated) return JoinOf(std::move(plan), inner.plan, std::move(parts));
  const bool simple = conjuncts.size() == 1 && parts.left_keys.size() == 1;
  if (!simple) {
    return NotSupported("this NOT IN is not supported", link.location,
                        "Write NOT EXISTS (SELECT FROM u WHERE u.k = t.k).");
  }
  return NullAwareAnti(std::move(plan), inner.plan, std::move(parts), tested);
}

}  // namespace leat
