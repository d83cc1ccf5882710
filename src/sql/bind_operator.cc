// Operators, and what the grammar makes of them: IN, BETWEEN, LIKE, IS DISTINCT FROM, NULLIF.
#include "func/function.h"
#include "sql/bind.h"

namespace leat {
namespace {

std::string OperatorName(const PgQuery__AExpr& expr) {
  return std::string(StringOf(expr.name[expr.n_name - 1]));
}

bool IsRow(const Node* node) { return Is(node, PG_QUERY__NODE__NODE_ROW_EXPR); }

}  // namespace

Result<ExprPtr> Binder::ApplyOperator(std::string_view symbol, std::vector<ExprPtr> args,
                                      int location) {
  std::vector<Type> types;
  for (const ExprPtr& arg : args) types.push_back(arg->type);
  LEAT_ASSIGN(Resolved resolved, ResolveOperator(symbol, types, location));
  for (size_t i = 0; i < args.size(); ++i) {
    LEAT_ASSIGN(args[i], Coerce(args[i], resolved.args[i], CastContext::kImplicit, settings_));
  }
  return WithLocation(CallExpr(resolved.function, std::move(args), resolved.result), location);
}

Result<ExprPtr> Binder::ApplyFunction(std::string_view name, std::vector<ExprPtr> args,
                                      int location) {
  std::vector<Type> types;
  for (const ExprPtr& arg : args) types.push_back(arg->type);
  LEAT_ASSIGN(Resolved resolved, ResolveFunction(name, types, location));
  for (size_t i = 0; i < args.size(); ++i) {
    LEAT_ASSIGN(args[i], Coerce(args[i], resolved.args[i], CastContext::kImplicit, settings_));
  }
  return WithLocation(CallExpr(resolved.function, std::move(args), resolved.result), location);
}

Result<ExprPtr> Binder::BindOperator(const PgQuery__AExpr& expr, const ExprContext& context) {
  switch (expr.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      return BindAnyArray(expr, context);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
      return BindInList(expr, context);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
      return BindBetween(expr, context);
    default:
      break;
  }
  if (IsRow(expr.lexpr) || IsRow(expr.rexpr)) return BindRowOperator(expr, context);
  std::vector<ExprPtr> args;
  for (const Node* side : {expr.lexpr, expr.rexpr}) {
    if (side == nullptr) continue;
    LEAT_ASSIGN(ExprPtr arg, BindExpr(side, context));
    args.push_back(std::move(arg));
  }
  switch (expr.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
      return ApplyFunction("is distinct from", std::move(args), expr.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return ApplyFunction("is not distinct from", std::move(args), expr.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      return ApplyFunction("nullif", std::move(args), expr.location);
    default:
      return ApplyOperator(OperatorName(expr), std::move(args), expr.location);
  }
}

Result<std::vector<ExprPtr>> Binder::BindRow(const Node* node, const ExprContext& context) {
  if (!IsRow(node)) {
    return NotSupported("comparing a row with what is no row is not supported", LocationOf(node),
                        "Write (a, b) = (1, 2), or (a, b) IN (SELECT …).");
  }
  return BindExprs(Items(node->row_expr->n_args, node->row_expr->args), context);
}

// (a, b) = (SELECT …): compared with the subquery's only row, in it.
Result<ExprPtr> Binder::BindRowSubquery(const PgQuery__AExpr& expr, const ExprContext& context) {
  const PgQuery__SubLink& link = *expr.rexpr->sub_link;
  if (context.collected == nullptr) {
    return NotSupported("a subquery is not supported here", link.location);
  }
  LEAT_ASSIGN(auto row, BindRow(expr.lexpr, context));
  SelectOptions options;
  const Scope nothing;
  options.outer = context.scope == nullptr ? &nothing : context.scope;
  Subquery subquery;
  subquery.location = link.location;
  LEAT_ASSIGN(subquery.plan, BindTable(*link.subselect->select_stmt, options));
  const std::vector<Column> columns = subquery.plan->schema.columns;
  if (columns.size() != row.size()) {
    return SqlStatus(columns.size() > row.size() ? "subquery has too many columns"
                                                 : "subquery has too few columns",
                     {.sqlstate = kSyntaxError, .location = expr.location});
  }
  NumberOuterColumns(&subquery);
  std::vector<ExprPtr> outer, inner;
  for (size_t i = 0; i < row.size(); ++i) {
    LEAT_ASSIGN(row[i], ResolveUnknownAs(row[i], columns[i].type));
    outer.push_back(ColumnExpr(kOuterBase + static_cast<int>(subquery.args.size()), row[i]->type));
    inner.push_back(ColumnExpr(static_cast<int>(i), columns[i].type));
    subquery.args.push_back(std::move(row[i]));
  }
  LEAT_ASSIGN(ExprPtr match, CompareRows(OperatorName(expr), outer, inner, expr.location));
  subquery.plan = ProjectOn(subquery.plan, {std::move(match)}, {"match"});
  subquery.value = ColumnExpr(0, Type(TypeId::kBool));
  auto& subqueries = context.collected->subqueries;
  subqueries.push_back(std::move(subquery));
  return ColumnAt(kSubqueryBase + static_cast<int>(subqueries.size()) - 1, Type(TypeId::kBool),
                  link.location);
}

Result<ExprPtr> Binder::BindRowOperator(const PgQuery__AExpr& expr, const ExprContext& context) {
  const bool plain = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP;
  if (plain && IsRow(expr.lexpr) && Is(expr.rexpr, PG_QUERY__NODE__NODE_SUB_LINK)) {
    return BindRowSubquery(expr, context);
  }
  LEAT_ASSIGN(const auto left, BindRow(expr.lexpr, context));
  LEAT_ASSIGN(const auto right, BindRow(expr.rexpr, context));
  const bool distinct = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT;
  if (!distinct && expr.kind != PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT) {
    return CompareRows(OperatorName(expr), left, right, expr.location);
  }
  if (left.size() != right.size()) {
    return SqlStatus("unequal number of entries in row expressions",
                     {.sqlstate = kSyntaxError, .location = expr.location});
  }
  std::vector<ExprPtr> parts;
  for (size_t i = 0; i < left.size(); ++i) {
    LEAT_ASSIGN(ExprPtr part, ApplyFunction(distinct ? "is distinct from" : "is not distinct from",
                                            {left[i], right[i]}, expr.location));
    parts.push_back(std::move(part));
  }
  return distinct ? Disjunction(std::move(parts)) : Conjunction(std::move(parts));
}

// PostgreSQL's row-wise comparison: by the first pair that differs.
Result<ExprPtr> Binder::CompareRows(std::string_view symbol, const std::vector<ExprPtr>& left,
                                    const std::vector<ExprPtr>& right, int location) {
  if (left.size() != right.size()) {
    return SqlStatus("unequal number of entries in row expressions",
                     {.sqlstate = kSyntaxError, .location = location});
  }
  if (left.empty()) {
    return NotSupported("cannot compare rows of zero length", location);
  }
  const auto compare = [&](std::string_view with, size_t i) -> Result<ExprPtr> {
    LEAT_ASSIGN(ExprPtr test, ApplyOperator(with, {left[i], right[i]}, location));
    return CoerceToBool(test, "row comparison", settings_);
  };
  if (left.size() == 1) return compare(symbol, 0);
  if (symbol == "=" || symbol == "<>") {
    std::vector<ExprPtr> parts;
    for (size_t i = 0; i < left.size(); ++i) {
      LEAT_ASSIGN(ExprPtr part, compare(symbol, i));
      parts.push_back(std::move(part));
    }
    return symbol == "=" ? Conjunction(std::move(parts)) : Disjunction(std::move(parts));
  }
  if (symbol != "<" && symbol != "<=" && symbol != ">" && symbol != ">=") {
    return SqlStatus(
        fmt::format("could not determine interpretation of row comparison operator {}", symbol),
        {.sqlstate = "0A000",
         .location = location,
         .hint = "Row comparison operators must be associated with btree operator families."});
  }
  const size_t last = left.size() - 1;
  LEAT_ASSIGN(ExprPtr test, compare(symbol, last));
  for (size_t i = last; i-- > 0;) {
    LEAT_ASSIGN(ExprPtr before, compare(symbol.substr(0, 1), i));
    LEAT_ASSIGN(ExprPtr same, compare("=", i));
    test = Disjunction({std::move(before), Conjunction({std::move(same), std::move(test)})});
  }
  return test;
}

Result<ExprPtr> Binder::BindInList(const PgQuery__AExpr& expr, const ExprContext& context) {
  const bool negated = OperatorName(expr) == "<>";
  const PgQuery__List& list = *expr.rexpr->list;
  if (IsRow(expr.lexpr)) {
    LEAT_ASSIGN(const auto row, BindRow(expr.lexpr, context));
    std::vector<ExprPtr> tests;
    for (const Node* item : Items(list.n_items, list.items)) {
      LEAT_ASSIGN(const auto other, BindRow(item, context));
      LEAT_ASSIGN(ExprPtr test, CompareRows(negated ? "<>" : "=", row, other, expr.location));
      tests.push_back(std::move(test));
    }
    return negated ? Conjunction(std::move(tests)) : Disjunction(std::move(tests));
  }
  LEAT_ASSIGN(ExprPtr tested, BindExpr(expr.lexpr, context));
  LEAT_ASSIGN(auto items, BindExprs(Items(list.n_items, list.items), context));
  // The constants get one type, with the tested value's, if they have one.
  std::vector<Type> types = {tested->type};
  for (const ExprPtr& item : items) {
    if (UsesOnly(*item, 0, 0)) types.push_back(item->type);
  }
  if (types.size() > 2) {
    const auto common = CommonType(types, "IN", expr.location);
    for (size_t i = 0; common.ok() && i < items.size(); ++i) {
      if (!UsesOnly(*items[i], 0, 0)) continue;
      LEAT_ASSIGN(items[i], Coerce(items[i], *common, CastContext::kImplicit, settings_));
    }
  }
  std::vector<ExprPtr> tests;
  for (ExprPtr& item : items) {
    LEAT_ASSIGN(ExprPtr test, ApplyOperator(negated ? "<>" : "=", {tested, item}, expr.location));
    LEAT_ASSIGN(test, CoerceToBool(test, "IN", settings_));
    tests.push_back(std::move(test));
  }
  return negated ? Conjunction(std::move(tests)) : Disjunction(std::move(tests));
}

Result<ExprPtr> Binder::BindBetween(const PgQuery__AExpr& expr, const ExprContext& context) {
  const PgQuery__List& list = *expr.rexpr->list;
  LEAT_ASSIGN(ExprPtr tested, BindExpr(expr.lexpr, context));
  LEAT_ASSIGN(ExprPtr low, BindExpr(list.items[0], context));
  LEAT_ASSIGN(ExprPtr high, BindExpr(list.items[1], context));
  const bool negated = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ||
                       expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  const bool symmetric = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM ||
                         expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  const auto range = [&](const ExprPtr& from, const ExprPtr& to) -> Result<ExprPtr> {
    LEAT_ASSIGN(ExprPtr a, ApplyOperator(negated ? "<" : ">=", {tested, from}, expr.location));
    LEAT_ASSIGN(ExprPtr b, ApplyOperator(negated ? ">" : "<=", {tested, to}, expr.location));
    return negated ? Disjunction({a, b}) : Conjunction({a, b});
  };
  LEAT_ASSIGN(ExprPtr one, range(low, high));
  if (!symmetric) return one;
  LEAT_ASSIGN(ExprPtr other, range(high, low));
  return negated ? Conjunction({one, other}) : Disjunction({one, other});
}

Result<ExprPtr> Binder::BindAnyOfValue(const PgQuery__AExpr& expr, bool any,
                                       const ExprContext& context) {
  LEAT_ASSIGN(ExprPtr tested, BindExpr(expr.lexpr, context));
  LEAT_ASSIGN(ExprPtr array, BindExpr(expr.rexpr, context));
  if (array->type.id == TypeId::kUnknown) {
    LEAT_ASSIGN(tested, ResolveUnknown(tested, settings_));
    LEAT_ASSIGN(array,
                Coerce(array, Type::Array(tested->type.Bare()), CastContext::kImplicit, settings_));
  }
  if (array->type.id != TypeId::kArray) {
    return SqlStatus(fmt::format("op ANY/ALL (array) requires array on right side"),
                     {.sqlstate = "42809", .location = expr.location});
  }
  const std::string name = fmt::format("{} {}", OperatorName(expr), any ? "any" : "all");
  if (FindFunctions(name).empty()) {
    return NotSupported(
        fmt::format("{} {} (array) is not supported", OperatorName(expr), any ? "ANY" : "ALL"),
        expr.location, "Write out the array: ARRAY['a%', 'b%'].");
  }
  return ApplyFunction(name, {std::move(tested), std::move(array)}, expr.location);
}

// x = ANY (ARRAY[…]) is x IN (…); other arrays are searched.
Result<ExprPtr> Binder::BindAnyArray(const PgQuery__AExpr& expr, const ExprContext& context) {
  const bool any = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY;
  if (!Is(expr.rexpr, PG_QUERY__NODE__NODE_A_ARRAY_EXPR) ||
      expr.rexpr->a_array_expr->n_elements == 0) {
    return BindAnyOfValue(expr, any, context);
  }
  const PgQuery__AArrayExpr& array = *expr.rexpr->a_array_expr;
  LEAT_ASSIGN(ExprPtr tested, BindExpr(expr.lexpr, context));
  LEAT_ASSIGN(auto items, BindExprs(Items(array.n_elements, array.elements), context));
  LEAT_ASSIGN(items, CoerceAll(std::move(items), "ARRAY", array.location));
  std::vector<ExprPtr> tests;
  for (ExprPtr& item : items) {
    LEAT_ASSIGN(ExprPtr test, ApplyOperator(OperatorName(expr), {tested, item}, expr.location));
    LEAT_ASSIGN(test, CoerceToBool(test, any ? "ANY" : "ALL", settings_));
    tests.push_back(std::move(test));
  }
  return any ? Disjunction(std::move(tests)) : Conjunction(std::move(tests));
}

}  // namespace leat
