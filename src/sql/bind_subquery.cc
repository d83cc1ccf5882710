// Subqueries in expressions: bound where they stand, attached to the rows that need them by a join.
#include <algorithm>

#include "func/function.h"
#include "sql/bind_select.h"
#include "sql/decorrelate.h"
#include "sql/outer.h"

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

// For EXISTS only the rows count, not what is in them.
LogicalPtr RowsAlone(LogicalPtr plan) {
  for (;;) {
    const bool rows = plan->kind == LogicalKind::kProject || plan->kind == LogicalKind::kDistinct ||
                      (plan->kind == LogicalKind::kTop && plan->limit != 0 && plan->offset == 0);
    if (!rows) return plan;
    plan = plan->children[0];
  }
}

ExprPtr CaseOf(std::vector<ExprPtr> args) {
  Expr expr;
  expr.kind = ExprKind::kCase;
  expr.type = args.back()->type;
  expr.args = std::move(args);
  return std::make_shared<const Expr>(std::move(expr));
}

Result<ExprPtr> Compared(std::string_view symbol, const ExprPtr& a, const ExprPtr& b) {
  const Type types[] = {a->type, b->type};
  LEAT_ASSIGN(Resolved resolved, ResolveOperator(symbol, types, -1));
  return CallExpr(resolved.function, {a, b}, resolved.result);
}

// A count that may be null where there is no row: is it above zero?
Result<ExprPtr> SomeOf(const ExprPtr& count) {
  return Compared(">", CoalesceOf({count, Int8Literal(0)}), Int8Literal(0));
}

Result<AggregateCall> CountOf(std::vector<ExprPtr> args, ExprPtr filter) {
  std::vector<Type> types;
  for (const ExprPtr& arg : args) types.push_back(arg->type);
  LEAT_ASSIGN(ResolvedAggregate count, ResolveAggregate("count", types, -1));
  return AggregateCall{count.aggregate, std::move(args), std::move(filter), false, count.result};
}

// An expression over a node's columns in terms of what they are; outer columns stay.
ExprPtr Substituted(const ExprPtr& expr, const std::vector<ExprPtr>& columns) {
  return MapColumns(expr, [&](const Expr& column) {
    if (LevelOf(column.column) > 0) return ColumnAt(column.column, column.type, column.location);
    return columns[static_cast<size_t>(column.column)];
  });
}

ExprPtr WithArgs(const ExprPtr& expr, const std::vector<ExprPtr>& args) {
  return MapOuter(expr, [&](const Expr& column) {
    return args[static_cast<size_t>(column.column - kOuterBase)];
  });
}

// x op ANY: some row is equal, or some might be; x op ALL: some is not, or might not be. Two counts
// over all rows of the subquery: those that decide, and those of which nothing is known.
Status CountMatches(const ExprPtr& match, bool any, Subquery* subquery) {
  const ExprPtr decides = any ? match : CallOf("not", {match});
  LEAT_ASSIGN(AggregateCall decided, CountOf({}, decides));
  LEAT_ASSIGN(AggregateCall unknown, CountOf({}, CallOf("is null", {match})));
  subquery->plan = AggregateOn(subquery->plan, {}, {decided, unknown}, {"decided", "unknown"});
  const Type count(TypeId::kInt8);
  LEAT_ASSIGN(ExprPtr some, SomeOf(ColumnExpr(0, count)));
  LEAT_ASSIGN(ExprPtr maybe, SomeOf(ColumnExpr(1, count)));
  subquery->kind = Subquery::Kind::kScalar;
  subquery->value = CaseOf({std::move(some), BoolLiteral(any), std::move(maybe),
                            NullLiteral(Type(TypeId::kBool)), BoolLiteral(!any)});
  return Status::OK();
}

// WHERE x NOT IN (SELECT y …): no row of the subquery is equal, and none could be for all one
// knows.
LogicalPtr NullAwareAnti(LogicalPtr plan, const LogicalPtr& inner, JoinParts parts,
                         const ExprPtr& tested) {
  const ExprPtr value = parts.right_keys.back();
  LogicalPtr out = JoinOf(plan, inner, parts);
  // What is left when a null stands on a side: at most two rows, {null there, not null there}.
  const ExprPtr is_null = CallOf("is null", {value});
  LogicalPtr nulls = DistinctOf(ProjectOn(inner, {is_null}, {"null"}));
  const ExprPtr unknown_there = ColumnExpr(plan->schema.size(), Type(TypeId::kBool));
  JoinParts rest{.type = JoinType::kAnti};
  rest.residual = Disjunction({unknown_there, CallOf("is null", {tested})});
  return JoinOf(std::move(out), std::move(nulls), std::move(rest));
}

// Joins what `freed` gives for each row: at most one row of it, or the row stays with nulls. Gives
// where its columns begin.
int JoinFreed(const Freed& freed, LogicalPtr* plan) {
  const int width = (*plan)->schema.size();
  *plan = JoinOf(*plan, freed.plan, freed.on);
  return width;
}

// Groups what `freed` gives by its keys, which become its first columns.
Freed Grouped(const Freed& freed, std::vector<AggregateCall> calls,
              const std::vector<std::string>& names) {
  Freed out = freed;
  out.plan = AggregateOn(freed.plan, freed.on.right_keys, std::move(calls), names);
  for (size_t i = 0; i < out.on.right_keys.size(); ++i) {
    out.on.right_keys[i] = ColumnExpr(static_cast<int>(i), out.on.right_keys[i]->type);
  }
  if (out.on.right_keys.empty()) out.on.type = JoinType::kInner;  // always one row
  return out;
}

}  // namespace

void NumberOuterColumns(Subquery* subquery) {
  std::vector<ExprPtr> columns = OuterColumnsOf(*subquery->plan);
  subquery->plan = MapOuter(subquery->plan, [&](const Expr& column) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ExprPtr& other) {
      return other->column == column.column;
    });
    const int place = static_cast<int>(found - columns.begin());
    return ColumnAt(kOuterBase + place, column.type, column.location);
  });
  for (const ExprPtr& column : columns) {
    const int by = LevelOf(column->column) == 1 ? kOuterBase : kOuterLevel;
    subquery->args.push_back(ColumnAt(column->column - by, column->type, column->location));
  }
}

// --- Binding -------------------------------------------------------------------------------------

Result<Subquery> Binder::BindSubquery(const PgQuery__SubLink& link, const ExprContext& context) {
  const auto type = link.sub_link_type;
  const bool any = type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK;
  const bool all = type == PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK;
  const bool exists = type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK;
  const bool array = type == PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK;
  if (!any && !all && !exists && !array && type != PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK) {
    return NotSupported("comparing a row with a subquery's only row is not supported",
                        link.location, "Write (a, b) IN (SELECT …), or compare column by column.");
  }
  const Scope nothing;
  SelectOptions options;
  options.outer = context.scope == nullptr ? &nothing : context.scope;
  if (array) return BindArraySubquery(link, options);
  Subquery subquery;
  subquery.location = link.location;
  LEAT_ASSIGN(subquery.plan, BindTable(*link.subselect->select_stmt, options));
  const Schema& schema = subquery.plan->schema;
  if (exists) {
    subquery.kind = Subquery::Kind::kExists;
    subquery.plan = RowsAlone(subquery.plan);
    NumberOuterColumns(&subquery);
    return subquery;
  }
  if (any || all) {
    NumberOuterColumns(&subquery);
    LEAT_RETURN(BindComparison(link, context, &subquery));
    return subquery;
  }
  if (schema.size() != 1) {
    return SqlStatus("subquery must return only one column",
                     {.sqlstate = kSyntaxError, .location = link.location});
  }
  subquery.value = ColumnExpr(0, schema.columns[0].type);
  NumberOuterColumns(&subquery);
  return subquery;
}

Result<ExprPtr> Binder::BindSubqueryColumn(const PgQuery__SubLink& link, int column, int width,
                                           const ExprContext& context) {
  SelectOptions options;
  options.outer = context.scope;
  Subquery subquery;
  subquery.location = link.location;
  LEAT_ASSIGN(subquery.plan, BindTable(*link.subselect->select_stmt, options));
  if (subquery.plan->schema.size() != width) {
    return SqlStatus("number of columns does not match number of values",
                     {.sqlstate = kSyntaxError, .location = link.location});
  }
  const Column& wanted = subquery.plan->schema.columns[static_cast<size_t>(column)];
  const Type type = wanted.type;
  subquery.plan = ProjectOn(subquery.plan, {ColumnExpr(column, type)}, {wanted.name});
  subquery.value = ColumnExpr(0, type);
  NumberOuterColumns(&subquery);
  auto& subqueries = context.collected->subqueries;
  subqueries.push_back(std::move(subquery));
  return ColumnAt(kSubqueryBase + static_cast<int>(subqueries.size()) - 1, type, link.location);
}

// ARRAY(SELECT …), in the subquery's order; empty of no rows.
Result<Subquery> Binder::BindArraySubquery(const PgQuery__SubLink& link,
                                           const SelectOptions& options) {
  LEAT_ASSIGN(const Query query, BindQuery(*link.subselect->select_stmt, options));
  if (query.visible != 1) {
    return SqlStatus("subquery must return only one column",
                     {.sqlstate = kSyntaxError, .location = link.location});
  }
  const Type& type = query.root->schema.columns[0].type;
  LEAT_ASSIGN(const ResolvedAggregate resolved,
              ResolveAggregate("array_agg", {&type, 1}, link.location));
  AggregateCall collect;
  collect.aggregate = resolved.aggregate;
  collect.args = {ColumnExpr(0, type)};
  collect.result = resolved.result;
  for (const SortKey& key : query.order) {
    const int arg = key.expr->column == 0 ? 0 : static_cast<int>(collect.args.size());
    if (arg > 0) collect.args.push_back(key.expr);
    collect.order.push_back({arg, key.descending, key.nulls_first});
  }
  Subquery out;
  out.location = link.location;
  out.plan = AggregateOn(query.root, {}, {collect}, {"array"});
  const auto text =
      LiteralExpr(std::make_shared<arrow::StringScalar>("{}"), Type(TypeId::kUnknown));
  LEAT_ASSIGN(const ExprPtr empty, Coerce(text, collect.result, CastContext::kExplicit, settings_));
  out.value = CoalesceOf({ColumnExpr(0, collect.result), empty});
  NumberOuterColumns(&out);
  return out;
}

// x op ANY (SELECT …), x op ALL (SELECT …), and rows of several x.
Status Binder::BindComparison(const PgQuery__SubLink& link, const ExprContext& context,
                              Subquery* subquery) {
  const bool any = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK;
  const std::string symbol =
      link.n_oper_name == 0 ? "=" : std::string(StringOf(link.oper_name[link.n_oper_name - 1]));
  std::vector<ExprPtr> tested;
  if (Is(link.testexpr, PG_QUERY__NODE__NODE_ROW_EXPR)) {
    const PgQuery__RowExpr& row = *link.testexpr->row_expr;
    LEAT_ASSIGN(tested, BindExprs(Items(row.n_args, row.args), context));
  } else {
    LEAT_ASSIGN(ExprPtr one, BindExpr(link.testexpr, context));
    tested.push_back(std::move(one));
  }
  const Schema schema = subquery->plan->schema;
  if (schema.columns.size() != tested.size()) {
    const bool many = schema.columns.size() > tested.size();
    return SqlStatus(many ? "subquery has too many columns" : "subquery has too few columns",
                     {.sqlstate = kSyntaxError, .location = link.location});
  }
  std::vector<ExprPtr> columns;
  for (int i = 0; i < schema.size(); ++i) {
    columns.push_back(ColumnExpr(i, schema.columns[static_cast<size_t>(i)].type));
  }
  if (any && symbol == "=" && tested.size() == 1) {
    LEAT_ASSIGN(ExprPtr match, ApplyOperator("=", {tested[0], columns[0]}, link.location));
    if (const auto pair = AsKeys(match->args[0], match->args[1])) {
      subquery->kind = Subquery::Kind::kIn;
      subquery->args.push_back(pair->first);
      subquery->value = pair->second;
      return Status::OK();
    }
  }
  // What is tested becomes an argument of the subquery, compared inside it.
  std::vector<ExprPtr> outer;
  for (ExprPtr& expr : tested) {
    LEAT_ASSIGN(expr, ResolveUnknownAs(expr, columns[outer.size()]->type));
    outer.push_back(ColumnExpr(kOuterBase + static_cast<int>(subquery->args.size()), expr->type));
    subquery->args.push_back(expr);
  }
  LEAT_ASSIGN(ExprPtr match, CompareRows(symbol, outer, columns, link.location));
  return CountMatches(match, any, subquery);
}

// An untyped literal that is compared with a column is read as that column's type.
Result<ExprPtr> Binder::ResolveUnknownAs(const ExprPtr& expr, const Type& type) {
  if (expr->type.id != TypeId::kUnknown) return expr;
  return Coerce(expr, type, CastContext::kImplicit, settings_);
}

Result<ExprPtr> Binder::BindSubLink(const PgQuery__SubLink& link, const ExprContext& context) {
  if (context.collected == nullptr) {
    return NotSupported("a subquery is not supported here", link.location);
  }
  LEAT_ASSIGN(Subquery subquery, BindSubquery(link, context));
  const bool scalar = subquery.kind == Subquery::Kind::kScalar;
  const Type type = scalar ? subquery.value->type : Type(TypeId::kBool);
  auto& subqueries = context.collected->subqueries;
  subqueries.push_back(std::move(subquery));
  return ColumnAt(kSubqueryBase + static_cast<int>(subqueries.size()) - 1, type, link.location);
}

// --- Attaching -----------------------------------------------------------------------------------

// The value of a subquery over the columns of *plan, to which what it needs is joined.
Result<ExprPtr> Binder::AttachScalar(const Subquery& subquery, const LogicalPtr& around,
                                     LogicalPtr* plan) {
  LogicalPtr inner = subquery.plan;
  ExprPtr value = subquery.value;
  if (GivesOneRow(*inner)) {
    // What is computed of the one row can be computed where it is joined.
    while (inner->kind == LogicalKind::kProject) {
      value = Substituted(value, inner->exprs);
      inner = inner->children[0];
    }
  }
  if (inner->kind == LogicalKind::kValues && inner->rows.size() == 1) {
    return WithArgs(Substituted(value, inner->rows[0]), subquery.args);
  }
  const auto over = [&](const std::vector<ExprPtr>& columns) {
    return WithArgs(Substituted(value, columns), subquery.args);
  };
  std::vector<ExprPtr> columns;
  const bool aggregate = inner->kind == LogicalKind::kAggregate && inner->exprs.empty();
  bool own = true;  // the calls need nothing of the rows around
  for (const AggregateCall& call : inner->calls) {
    for (const ExprPtr& arg : call.args) own &= !UsesOuter(*arg);
    own &= !call.filter || !UsesOuter(*call.filter);
  }
  if (aggregate && own) {
    LEAT_ASSIGN(Freed freed, FreeOf(inner->children[0], subquery.args, around));
    std::vector<std::string> names;
    for (const Column& column : inner->schema.columns) names.push_back(column.name);
    const Freed grouped = Grouped(freed, inner->calls, names);
    const int keys = static_cast<int>(grouped.on.right_keys.size());
    const int begin = JoinFreed(grouped, plan) + keys;
    for (size_t i = 0; i < inner->calls.size(); ++i) {
      const AggregateCall& call = inner->calls[i];
      ExprPtr column = ColumnExpr(begin + static_cast<int>(i), call.result);
      if (keys > 0) {
        LEAT_ASSIGN(column, OrEmptyAnswer(call, std::move(column)));
      }
      columns.push_back(std::move(column));
    }
    return over(columns);
  }
  return AttachRows(subquery, inner, around, over, plan);
}

// A scalar subquery that is no bare aggregate: its row, or the error that there are several.
Result<ExprPtr> Binder::AttachRows(const Subquery& subquery, const LogicalPtr& inner,
                                   const LogicalPtr& around,
                                   const std::function<ExprPtr(const std::vector<ExprPtr>&)>& over,
                                   LogicalPtr* plan) {
  LEAT_ASSIGN(Freed freed, FreeOf(inner, subquery.args, around));
  std::vector<ExprPtr> columns;
  if (GivesAtMostOneRow(*inner)) {
    if (freed.on.right_keys.empty() && GivesOneRow(*inner)) freed.on.type = JoinType::kInner;
    const int begin = JoinFreed(freed, plan);
    for (int i = 0; i < freed.width; ++i) {
      const Column& column = freed.plan->schema.columns[static_cast<size_t>(i)];
      columns.push_back(ColumnExpr(begin + i, column.type));
    }
    return over(columns);
  }
  const Type type = freed.plan->schema.columns[0].type;
  const Type types[] = {type};
  LEAT_ASSIGN(ResolvedAggregate first, ResolveAggregate("first", types, -1));
  AggregateCall value{first.aggregate, {ColumnExpr(0, type)}, nullptr, false, type};
  LEAT_ASSIGN(AggregateCall count, CountOf({}, nullptr));
  const Freed grouped = Grouped(freed, {std::move(value), std::move(count)}, {"value", "count"});
  const int begin = JoinFreed(grouped, plan) + static_cast<int>(grouped.on.right_keys.size());
  columns.push_back(
      CallOf("one row", {ColumnExpr(begin, type), ColumnExpr(begin + 1, Type(TypeId::kInt8))}));
  return over(columns);
}

Result<ExprPtr> Binder::AttachExists(const Subquery& subquery, const LogicalPtr& around,
                                     LogicalPtr* plan) {
  LEAT_ASSIGN(Freed freed, FreeOf(subquery.plan, subquery.args, around));
  LEAT_ASSIGN(AggregateCall count, CountOf({}, nullptr));
  const Freed grouped = Grouped(freed, {std::move(count)}, {"rows"});
  const int begin = JoinFreed(grouped, plan) + static_cast<int>(grouped.on.right_keys.size());
  return SomeOf(ColumnExpr(begin, Type(TypeId::kInt8)));
}

// x IN (SELECT y …): true if a row is equal; else null if there is a row and a null on a side.
Result<ExprPtr> Binder::AttachIn(const Subquery& subquery, const LogicalPtr& around,
                                 LogicalPtr* plan) {
  std::vector<ExprPtr> args = subquery.args;
  const ExprPtr tested = args.back();
  args.pop_back();
  LogicalPtr inner = ProjectOn(subquery.plan, {subquery.value}, {"value"});
  const bool nullable = IsNullable(*tested, around->schema) || inner->schema.columns[0].nullable;
  LEAT_ASSIGN(const Freed freed, FreeOf(inner, args, around));
  // The distinct values, each with a mark that is null where no row is equal.
  std::vector<ExprPtr> exprs = freed.on.right_keys;
  exprs.push_back(ColumnExpr(0, tested->type));
  Freed marks = freed;
  marks.on.null_safe.resize(freed.on.left_keys.size(), false);
  marks.on.left_keys.push_back(tested);
  LEAT_ASSIGN(AggregateCall count, CountOf({}, nullptr));
  marks.plan = AggregateOn(freed.plan, exprs, {count}, {"rows"});
  marks.on.right_keys.clear();
  for (size_t i = 0; i < exprs.size(); ++i) {
    marks.on.right_keys.push_back(ColumnExpr(static_cast<int>(i), exprs[i]->type));
  }
  const Type int8(TypeId::kInt8);
  const int mark = JoinFreed(marks, plan) + static_cast<int>(exprs.size());
  const ExprPtr found = CallOf("is not null", {ColumnExpr(mark, int8)});
  if (!nullable) return found;
  LEAT_ASSIGN(AggregateCall values, CountOf({ColumnExpr(0, tested->type)}, nullptr));
  const Freed counts = Grouped(freed, {count, values}, {"rows", "values"});
  const int at = JoinFreed(counts, plan) + static_cast<int>(counts.on.right_keys.size());
  LEAT_ASSIGN(ExprPtr some, SomeOf(ColumnExpr(at, int8)));
  LEAT_ASSIGN(ExprPtr nulls, Compared(">", ColumnExpr(at, int8), ColumnExpr(at + 1, int8)));
  const ExprPtr unknown = NullLiteral(Type(TypeId::kBool));
  return CaseOf({found, BoolLiteral(true), CallOf("not", {std::move(some)}), BoolLiteral(false),
                 CallOf("is null", {tested}), unknown, std::move(nulls), unknown,
                 BoolLiteral(false)});
}

Status Binder::AttachSubqueries(const Collected& collected, std::vector<ExprPtr*> exprs,
                                LogicalPtr* plan) {
  std::vector<ExprPtr> values(collected.subqueries.size());
  const LogicalPtr around = *plan;
  std::function<Status(ExprPtr*)> attach = [&](ExprPtr* expr) -> Status {
    if (!UsesBase(**expr, kSubqueryBase)) return Status::OK();
    Status status;
    *expr = MapColumns(*expr, [&](const Expr& column) {
      const ExprPtr same = ColumnAt(column.column, column.type, column.location);
      if (BaseOf(column.column) != kSubqueryBase || !status.ok()) return same;
      const auto at = static_cast<size_t>(column.column - kSubqueryBase);
      if (!values[at]) {
        Subquery subquery = collected.subqueries[at];
        bool nested = false;
        for (ExprPtr& arg : subquery.args) {
          nested |= UsesBase(*arg, kSubqueryBase);
          status = attach(&arg);
          if (!status.ok()) return same;
        }
        auto value = AttachOne(subquery, nested ? *plan : around, plan);
        status = value.status();
        if (!status.ok()) return same;
        values[at] = *value;
      }
      return WithLocation(values[at], column.location);
    });
    return status;
  };
  for (ExprPtr* expr : exprs) LEAT_RETURN(attach(expr));
  return Status::OK();
}

Result<ExprPtr> Binder::AttachOne(const Subquery& subquery, const LogicalPtr& around,
                                  LogicalPtr* plan) {
  switch (subquery.kind) {
    case Subquery::Kind::kExists:
      return AttachExists(subquery, around, plan);
    case Subquery::Kind::kIn:
      return AttachIn(subquery, around, plan);
    default:
      return AttachScalar(subquery, around, plan);
  }
}

// --- Semi joins ----------------------------------------------------------------------------------

// WHERE [NOT] EXISTS (SELECT …) and WHERE x [NOT] IN (SELECT …): a semi or anti join.
Result<LogicalPtr> Binder::ApplySemiJoin(LogicalPtr plan, const PgQuery__SubLink& link,
                                         const ExprContext& context, bool negated) {
  LEAT_ASSIGN(Subquery subquery, BindSubquery(link, context));
  std::vector<ExprPtr*> args;
  for (ExprPtr& arg : subquery.args) args.push_back(&arg);
  const LogicalPtr before = plan;
  LEAT_RETURN(AttachSubqueries(*context.collected, args, &plan));
  const bool in = subquery.kind == Subquery::Kind::kIn;
  LogicalPtr inner = subquery.plan;
  bool nullable = false;
  if (in) {
    nullable = IsNullable(*subquery.args.back(), plan->schema) ||
               IsNullable(*subquery.value, inner->schema);
  }
  const bool marked = negated && nullable && IsDependent(*inner);
  if (subquery.kind == Subquery::Kind::kScalar || marked) {
    LEAT_ASSIGN(ExprPtr value, AttachOne(subquery, plan, &plan));
    return FilterOn(plan, negated ? CallOf("not", {value}) : value);
  }
  const JoinType type = negated ? JoinType::kAnti : JoinType::kSemi;
  const int width = plan->schema.size();
  ExprPtr value = subquery.value;
  if (!in) inner = RowsAlone(inner);
  while (in && inner->kind == LogicalKind::kProject && IsDependent(*inner)) {
    value = Substituted(value, inner->exprs);
    inner = inner->children[0];
  }
  std::vector<ExprPtr> conjuncts;
  const bool filtered = inner->kind == LogicalKind::kFilter && IsDependent(*inner);
  if (filtered && !IsDependent(*inner->children[0])) {
    conjuncts = ConjunctsOf(inner->exprs[0]);
    inner = inner->children[0];
  }
  if (IsDependent(*inner) || (in && UsesOuter(*value))) {
    // Computed for the distinct rows around, and joined with them.
    LogicalPtr whole = in ? ProjectOn(subquery.plan, {subquery.value}, {"value"}) : subquery.plan;
    std::vector<ExprPtr> outer = subquery.args;
    if (in) outer.pop_back();
    LEAT_ASSIGN(Freed freed, FreeOf(whole, outer, plan));
    freed.on.type = type;
    if (in) {
      freed.on.null_safe.resize(freed.on.left_keys.size(), false);
      freed.on.left_keys.push_back(subquery.args.back());
      freed.on.right_keys.push_back(ColumnExpr(0, subquery.args.back()->type));
    }
    return JoinOf(std::move(plan), freed.plan, std::move(freed.on));
  }
  for (ExprPtr& conjunct : conjuncts) {
    conjunct = MapColumns(conjunct, [&](const Expr& column) {
      if (LevelOf(column.column) > 0) {
        return subquery.args[static_cast<size_t>(column.column - kOuterBase)];
      }
      return ColumnAt(column.column + width, column.type, column.location);
    });
  }
  if (in) conjuncts.push_back(EqualityOf(subquery.args.back(), ShiftColumns(value, width)));
  JoinParts parts = SplitJoin(type, conjuncts, width, width + inner->schema.size());
  if (!negated || !nullable) return JoinOf(std::move(plan), inner, std::move(parts));
  return NullAwareAnti(std::move(plan), inner, std::move(parts), subquery.args.back());
}

}  // namespace leat
