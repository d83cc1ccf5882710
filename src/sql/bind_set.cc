// UNION, INTERSECT, EXCEPT, and ORDER BY and LIMIT above them or above VALUES.
#include <algorithm>

#include "func/function.h"
#include "sql/bind.h"

namespace leat {
namespace {

std::string_view OperationName(int operation) {
  switch (operation) {
    case PG_QUERY__SET_OPERATION__SETOP_INTERSECT:
      return "INTERSECT";
    case PG_QUERY__SET_OPERATION__SETOP_EXCEPT:
      return "EXCEPT";
    default:
      return "UNION";
  }
}

std::vector<ExprPtr> ColumnsOf(const Logical& plan, int count) {
  std::vector<ExprPtr> exprs;
  for (int i = 0; i < count; ++i) {
    exprs.push_back(ColumnExpr(i, plan.schema.columns[static_cast<size_t>(i)].type));
  }
  return exprs;
}

std::vector<std::string> NamesOf(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  return names;
}

Status WrongOrder(int location) {
  return SqlStatus("invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                   {.sqlstate = "0A000",
                    .location = location,
                    .detail = "Only result column names can be used, not expressions or functions.",
                    .hint = "Add the expression/function to every SELECT, or move the UNION into a "
                            "FROM clause."});
}

// `plan` with a last column that says which side its rows are from.
LogicalPtr Marked(const LogicalPtr& plan, bool left) {
  std::vector<ExprPtr> exprs = ColumnsOf(*plan, plan->schema.size());
  std::vector<std::string> names = NamesOf(plan->schema);
  exprs.push_back(BoolLiteral(left));
  names.emplace_back("left");
  return ProjectOn(plan, std::move(exprs), names);
}

Result<ExprPtr> Apply(std::string_view symbol, ExprPtr left, ExprPtr right) {
  const Type types[] = {left->type, right->type};
  LEAT_ASSIGN(Resolved resolved, ResolveOperator(symbol, types, -1));
  return CallExpr(resolved.function, {std::move(left), std::move(right)}, resolved.result);
}

// Rows of both sides (INTERSECT), or of the left that are not on the right (EXCEPT): groups of
// equal rows, counted by side. With `all` as often as the lesser count, or as the left's is
// greater.
Result<LogicalPtr> CountedSides(const LogicalPtr& left, const LogicalPtr& right, bool both,
                                bool all) {
  const int width = left->schema.size();
  LogicalPtr rows = UnionAllOf({Marked(left, true), Marked(right, false)});
  LEAT_ASSIGN(ResolvedAggregate count, ResolveAggregate("count", {}, -1));
  const ExprPtr is_left = ColumnExpr(width, Type(TypeId::kBool));
  AggregateCall lefts{count.aggregate, {}, is_left, false, count.result, {}};
  AggregateCall rights{count.aggregate, {}, CallOf("not", {is_left}), false, count.result, {}};
  LogicalPtr grouped =
      AggregateOn(rows, ColumnsOf(*left, width), {lefts, rights}, {"lefts", "rights"});
  const Type type(TypeId::kInt8);
  const ExprPtr in_left = ColumnExpr(width, type), in_right = ColumnExpr(width + 1, type);
  if (all) {
    ExprPtr times;
    if (both) {
      times = CallOf("least", {in_left, in_right});
    } else {
      LEAT_ASSIGN(times, Apply("-", in_left, in_right));
    }
    const ExprPtr copies = CallOf("generate_series", {Int8Literal(1), times});
    return ProjectOn(UnnestOn(grouped, {copies}, {"copy"}), ColumnsOf(*left, width),
                     NamesOf(left->schema));
  }
  LEAT_ASSIGN(ExprPtr some_left, Apply(">", in_left, Int8Literal(0)));
  LEAT_ASSIGN(ExprPtr wanted_right, Apply(both ? ">" : "=", in_right, Int8Literal(0)));
  LogicalPtr kept = FilterOn(grouped, Conjunction({some_left, wanted_right}));
  return ProjectOn(kept, ColumnsOf(*left, width), NamesOf(left->schema));
}

}  // namespace

Result<Query> Binder::BindSetOperation(const PgQuery__SelectStmt& select,
                                       const SelectOptions& options) {
  const std::string_view operation = OperationName(select.op);
  SelectOptions inner = options;
  inner.keep_unknown = true;
  std::vector<LogicalPtr> sides;
  for (const PgQuery__SelectStmt* side : {select.larg, select.rarg}) {
    LEAT_ASSIGN(LogicalPtr plan, BindTable(*side, inner));
    sides.push_back(std::move(plan));
  }
  if (sides[0]->schema.size() != sides[1]->schema.size()) {
    const PgQuery__SelectStmt& right = *select.rarg;
    const int location = right.n_target_list == 0 ? -1 : LocationOf(right.target_list[0]);
    return SqlStatus(fmt::format("each {} query must have the same number of columns", operation),
                     {.sqlstate = kSyntaxError, .location = location});
  }
  const int width = sides[0]->schema.size();
  std::vector<Type> common;
  for (size_t i = 0; i < static_cast<size_t>(width); ++i) {
    const Type types[] = {sides[0]->schema.columns[i].type, sides[1]->schema.columns[i].type};
    int location = -1;
    if (i < select.rarg->n_target_list)
      location = LocationOf(select.rarg->target_list[i]->res_target->val);
    LEAT_ASSIGN(Type type, CommonType(types, operation, location));
    common.push_back(std::move(type));
  }
  for (LogicalPtr& side : sides) {
    std::vector<ExprPtr> exprs = ColumnsOf(*side, width);
    bool changed = false;
    for (size_t i = 0; i < exprs.size(); ++i) {
      if (exprs[i]->type == common[i]) continue;
      changed = true;
      exprs[i] = CastExpr(exprs[i], common[i], CastContext::kImplicit);
    }
    if (changed) side = ProjectOn(side, std::move(exprs), NamesOf(side->schema));
  }
  const bool is_union = select.op == PG_QUERY__SET_OPERATION__SETOP_UNION;
  LogicalPtr plan;
  if (is_union) {
    plan = UnionAllOf(std::move(sides));
    if (select.all == 0) plan = DistinctOf(std::move(plan));
  } else {
    const bool both = select.op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT;
    LEAT_ASSIGN(plan, CountedSides(sides[0], sides[1], both, select.all != 0));
  }
  return FinishSetOperation(select, std::move(plan));
}

// ORDER BY names output columns or their places; LIMIT.
Result<Query> Binder::FinishSetOperation(const PgQuery__SelectStmt& select, LogicalPtr plan) {
  Query query;
  query.visible = plan->schema.size();
  for (const Node* node : Items(select.n_sort_clause, select.sort_clause)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    const int location = LocationOf(sort.node);
    int column = -1;
    if (Is(sort.node, PG_QUERY__NODE__NODE_A_CONST) &&
        sort.node->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
      column = sort.node->a_const->ival->ival - 1;
      if (column < 0 || column >= query.visible) {
        return SqlStatus(fmt::format("ORDER BY position {} is not in select list", column + 1),
                         {.sqlstate = "42P10", .location = location});
      }
    } else if (Is(sort.node, PG_QUERY__NODE__NODE_COLUMN_REF) &&
               sort.node->column_ref->n_fields == 1) {
      const std::string_view name = StringOf(sort.node->column_ref->fields[0]);
      for (int i = query.visible - 1; i >= 0; --i) {
        if (plan->schema.columns[static_cast<size_t>(i)].name == name) column = i;
      }
      if (column < 0) {
        return SqlStatus(fmt::format("column \"{}\" does not exist", name),
                         {.sqlstate = kUndefinedColumn, .location = location});
      }
    } else {
      return WrongOrder(location);
    }
    SortKey key;
    key.expr = ColumnExpr(column, plan->schema.columns[static_cast<size_t>(column)].type);
    key.descending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    key.nulls_first = sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT
                          ? key.descending
                          : sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
    query.order.push_back(std::move(key));
  }
  LEAT_ASSIGN(query.root, BuildLimit(select, std::move(plan), query.order));
  return query;
}

}  // namespace leat
