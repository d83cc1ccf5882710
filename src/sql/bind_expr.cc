// Expressions: the nodes that are neither operators nor calls.
#include <algorithm>

#include "base/ascii.h"
#include "func/function.h"
#include "sql/bind.h"

namespace leat {
namespace {

constexpr int kDepthMax = 400;  // of nested expressions: each costs several frames of stack

bool AllowsSubqueries(Clause clause) {
  return clause != Clause::kCheck && clause != Clause::kDefault;
}

// An expression that is none, from a tree that has one node kind of each.
Status Unexpected(const Node* node) {
  return NotSupported("this kind of expression is not supported", LocationOf(node));
}

ExprPtr Combine(ExprKind kind, std::vector<ExprPtr> args, Type type, int location) {
  Expr expr;
  expr.kind = kind;
  expr.type = std::move(type);
  expr.args = std::move(args);
  expr.location = location;
  return std::make_shared<const Expr>(std::move(expr));
}

std::string_view TestName(int test) {
  switch (test) {
    case PG_QUERY__BOOL_TEST_TYPE__IS_TRUE:
      return "is true";
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE:
      return "is not true";
    case PG_QUERY__BOOL_TEST_TYPE__IS_FALSE:
      return "is false";
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE:
      return "is not false";
    case PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN:
      return "is unknown";
    default:
      return "is not unknown";
  }
}

}  // namespace

std::string_view NameOf(Clause clause) {
  switch (clause) {
    case Clause::kSelect:
      return "SELECT";
    case Clause::kWhere:
      return "WHERE";
    case Clause::kHaving:
      return "HAVING";
    case Clause::kGroupBy:
      return "GROUP BY";
    case Clause::kOrderBy:
      return "ORDER BY";
    case Clause::kDistinctOn:
      return "DISTINCT ON";
    case Clause::kJoin:
      return "JOIN conditions";
    case Clause::kFilter:
      return "FILTER";
    case Clause::kWindow:
      return "window definitions";
    case Clause::kValues:
      return "VALUES";
    case Clause::kLimit:
      return "LIMIT";
    case Clause::kCheck:
      return "check constraints";
    case Clause::kDefault:
      return "DEFAULT expressions";
    case Clause::kUpdate:
      return "UPDATE";
    case Clause::kReturning:
      return "RETURNING";
  }
  return "";
}

Result<ExprPtr> Binder::BindExpr(const Node* node, const ExprContext& context) {
  if (depth_ >= kDepthMax) {
    return SqlStatus("stack depth limit exceeded",
                     {.sqlstate = "54001", .location = LocationOf(node)});
  }
  ++depth_;
  Result<ExprPtr> expr = BindNode(node, context);
  --depth_;
  return expr;
}

Result<ExprPtr> Binder::BindNode(const Node* node, const ExprContext& context) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return BindConstant(*node->a_const);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return BindColumnRef(*node->column_ref, context);
    case PG_QUERY__NODE__NODE_A_EXPR:
      return BindOperator(*node->a_expr, context);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return BindCall(*node->func_call, context);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      return BindCast(*node->type_cast, context);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return BindBoolExpr(*node->bool_expr, context);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return BindCase(*node->case_expr, context);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return BindCoalesce(*node->coalesce_expr, context);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return BindMinMax(*node->min_max_expr, context);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return BindArray(*node->a_array_expr, context, nullptr);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return BindBooleanTest(*node->boolean_test, context);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return BindClock(*node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_SUB_LINK: {
      if (!AllowsSubqueries(context.clause)) {
        const auto where =
            context.clause == Clause::kCheck ? "check constraint" : "DEFAULT expression";
        return SqlStatus(fmt::format("cannot use subquery in {}", where),
                         {.sqlstate = "0A000", .location = node->sub_link->location});
      }
      return BindSubLink(*node->sub_link, context);
    }
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return BindNullTest(*node->null_test, context);
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE: {
      const PgQuery__CollateClause& collate = *node->collate_clause;
      const auto names = StringsOf(Items(collate.n_collname, collate.collname));
      if (names.back() != "C" && names.back() != "POSIX" && names.back() != "ucs_basic") {
        return NotSupported(fmt::format("collation \"{}\" is not supported", names.back()),
                            collate.location, "Text orders by its bytes: COLLATE \"C\".");
      }
      return BindExpr(collate.arg, context);
    }
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      return SqlStatus("DEFAULT is not allowed in this context",
                       {.sqlstate = kSyntaxError, .location = node->set_to_default->location});
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return SqlStatus(fmt::format("there is no parameter ${}", node->param_ref->number),
                       {.sqlstate = "42P02", .location = node->param_ref->location});
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return NotSupported("row values are not supported", node->row_expr->location,
                          "Compare the columns one by one.");
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return BindGrouping(*node->grouping_func, context);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return BindIndirection(*node->a_indirection, context);
    default:
      return Unexpected(node);
  }
}

Result<ExprPtr> Binder::BindValue(const Node* node, const ExprContext& context) {
  LEAT_ASSIGN(ExprPtr expr, BindExpr(node, context));
  return ResolveUnknown(expr, settings_);
}

Result<ExprPtr> Binder::BindBool(const Node* node, const ExprContext& context,
                                 std::string_view construct) {
  LEAT_ASSIGN(ExprPtr expr, BindExpr(node, context));
  return CoerceToBool(expr, construct, settings_);
}

Result<std::vector<ExprPtr>> Binder::BindExprs(Nodes nodes, const ExprContext& context) {
  std::vector<ExprPtr> exprs;
  for (const Node* node : nodes) {
    LEAT_ASSIGN(ExprPtr expr, BindExpr(node, context));
    exprs.push_back(std::move(expr));
  }
  return exprs;
}

Result<std::vector<ExprPtr>> Binder::CoerceAll(std::vector<ExprPtr> exprs,
                                               std::string_view construct, int location) {
  std::vector<Type> types;
  for (const ExprPtr& expr : exprs) types.push_back(expr->type);
  // PostgreSQL points at the first value that does not fit those before it.
  int place = location;
  for (size_t count = 1; count <= types.size(); ++count) {
    place = exprs[count - 1]->location >= 0 ? exprs[count - 1]->location : location;
    auto common = CommonType(std::span(types).first(count), construct, place);
    if (!common.ok()) return common.status();
  }
  LEAT_ASSIGN(Type common, CommonType(types, construct, location));
  for (ExprPtr& expr : exprs) {
    LEAT_ASSIGN(expr, Coerce(expr, common, CastContext::kImplicit, settings_));
  }
  return exprs;
}

Result<ExprPtr> Binder::BindColumnRef(const PgQuery__ColumnRef& ref, const ExprContext& context) {
  const Nodes fields = Items(ref.n_fields, ref.fields);
  if (Is(fields.back(), PG_QUERY__NODE__NODE_A_STAR)) {
    return NotSupported("a whole row as a value is not supported", ref.location);
  }
  std::vector<std::string> names = StringsOf(fields);
  if (names.size() > 2 && (names.size() > 3 || names[0] != "public")) {
    return SqlStatus(
        fmt::format("missing FROM-clause entry for table \"{}\"", names[names.size() - 2]),
        {.sqlstate = kUndefinedTable, .location = ref.location});
  }
  const std::string table = names.size() > 1 ? names[names.size() - 2] : "";
  if (context.scope == nullptr) {
    if (context.clause == Clause::kDefault) {
      return SqlStatus("cannot use column reference in DEFAULT expression",
                       {.sqlstate = "0A000", .location = ref.location});
    }
    return ResolveColumn(Scope{}, table, names.back(), ref.location);
  }
  Result<ExprPtr> found = ResolveColumn(*context.scope, table, names.back(), ref.location);
  if (!found.ok() && names.size() == 1 && ResolveTable(*context.scope, names[0], -1).ok()) {
    return NotSupported("a whole row as a value is not supported", ref.location);
  }
  return found;
}

Result<ExprPtr> Binder::BindCast(const PgQuery__TypeCast& cast, const ExprContext& context) {
  int fields = 0;
  const Domain* domain = nullptr;
  LEAT_ASSIGN(Type type, BindTypeName(*cast.type_name, catalog_, &fields, &domain));
  if (Is(cast.arg, PG_QUERY__NODE__NODE_A_ARRAY_EXPR) && type.id == TypeId::kArray) {
    return BindArray(*cast.arg->a_array_expr, context, &type);
  }
  LEAT_ASSIGN(ExprPtr arg, BindExpr(cast.arg, context));
  const int location = cast.location >= 0 ? cast.location : cast.type_name->location;
  if (fields != 0) {
    if (arg->kind != ExprKind::kLiteral || arg->type.id != TypeId::kUnknown ||
        !arg->literal->is_valid) {
      return NotSupported("a cast to interval with fields is not supported", location);
    }
    return IntervalLiteral(*arg, fields, settings_);
  }
  if (!CanCast(arg->type, type, CastContext::kExplicit)) {
    return SqlStatus(
        fmt::format("cannot cast type {} to {}", PlainName(arg->type), PlainName(type)),
        {.sqlstate = "42846", .location = location});
  }
  LEAT_ASSIGN(ExprPtr out, Coerce(arg, type, CastContext::kExplicit, settings_));
  return domain == nullptr ? out : AsDomain(std::move(out), *domain);
}

Result<ExprPtr> Binder::BindBoolExpr(const PgQuery__BoolExpr& expr, const ExprContext& context) {
  const Nodes nodes = Items(expr.n_args, expr.args);
  if (expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR) {
    LEAT_ASSIGN(ExprPtr arg, BindBool(nodes[0], context, "NOT"));
    return ApplyFunction("not", {arg}, expr.location);
  }
  const bool conjunction = expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
  std::vector<ExprPtr> args;
  for (const Node* node : nodes) {
    LEAT_ASSIGN(ExprPtr arg, BindBool(node, context, conjunction ? "AND" : "OR"));
    args.push_back(std::move(arg));
  }
  return Combine(conjunction ? ExprKind::kAnd : ExprKind::kOr, std::move(args), Type(TypeId::kBool),
                 expr.location);
}

Result<ExprPtr> Binder::BindCase(const PgQuery__CaseExpr& expr, const ExprContext& context) {
  ExprPtr tested;
  if (expr.arg != nullptr) {
    LEAT_ASSIGN(tested, BindValue(expr.arg, context));
  }
  std::vector<ExprPtr> conditions;
  std::vector<ExprPtr> values;
  for (const Node* node : Items(expr.n_args, expr.args)) {
    const PgQuery__CaseWhen& when = *node->case_when;
    ExprPtr condition;
    if (tested) {
      LEAT_ASSIGN(condition, BindExpr(when.expr, context));
      LEAT_ASSIGN(condition, ApplyOperator("=", {tested, condition}, LocationOf(when.expr)));
    } else {
      LEAT_ASSIGN(condition, BindBool(when.expr, context, "CASE/WHEN"));
    }
    conditions.push_back(std::move(condition));
    LEAT_ASSIGN(ExprPtr value, BindExpr(when.result, context));
    values.push_back(std::move(value));
  }
  // PostgreSQL puts ELSE first when it looks for the common type.
  ExprPtr otherwise = LiteralExpr(arrow::MakeNullScalar(arrow::utf8()), Type(TypeId::kUnknown));
  if (expr.defresult != nullptr) {
    LEAT_ASSIGN(otherwise, BindExpr(expr.defresult, context));
  }
  values.insert(values.begin(), std::move(otherwise));
  LEAT_ASSIGN(values, CoerceAll(std::move(values), "CASE", expr.location));
  std::vector<ExprPtr> args;
  for (size_t i = 0; i < conditions.size(); ++i) {
    args.push_back(std::move(conditions[i]));
    args.push_back(values[i + 1]);
  }
  args.push_back(values[0]);
  const Type type = args.back()->type;
  return Combine(ExprKind::kCase, std::move(args), type, expr.location);
}

Result<ExprPtr> Binder::BindCoalesce(const PgQuery__CoalesceExpr& expr,
                                     const ExprContext& context) {
  LEAT_ASSIGN(auto args, BindExprs(Items(expr.n_args, expr.args), context));
  LEAT_ASSIGN(args, CoerceAll(std::move(args), "COALESCE", expr.location));
  const Type type = args[0]->type;
  if (args.size() == 1) return args[0];
  return Combine(ExprKind::kCoalesce, std::move(args), type, expr.location);
}

Result<ExprPtr> Binder::BindMinMax(const PgQuery__MinMaxExpr& expr, const ExprContext& context) {
  const bool greatest = expr.op == PG_QUERY__MIN_MAX_OP__IS_GREATEST;
  LEAT_ASSIGN(auto args, BindExprs(Items(expr.n_args, expr.args), context));
  LEAT_ASSIGN(args, CoerceAll(std::move(args), greatest ? "GREATEST" : "LEAST", expr.location));
  return ApplyFunction(greatest ? "greatest" : "least", std::move(args), expr.location);
}

Result<ExprPtr> Binder::BindArray(const PgQuery__AArrayExpr& expr, const ExprContext& context,
                                  const Type* wanted) {
  LEAT_ASSIGN(auto args, BindExprs(Items(expr.n_elements, expr.elements), context));
  if (wanted != nullptr) {
    for (ExprPtr& arg : args) {
      LEAT_ASSIGN(arg, Coerce(arg, *wanted->element, CastContext::kExplicit, settings_));
    }
  } else if (args.empty()) {
    return SqlStatus(
        "cannot determine type of empty array",
        {.sqlstate = "42P18",
         .location = expr.location,
         .hint = "Explicitly cast to the desired type, for example ARRAY[]::integer[]."});
  } else {
    LEAT_ASSIGN(args, CoerceAll(std::move(args), "ARRAY", expr.location));
  }
  if (args.empty()) {
    auto text = LiteralExpr(std::make_shared<arrow::StringScalar>("{}"), Type(TypeId::kUnknown));
    return Coerce(text, *wanted, CastContext::kExplicit, settings_);
  }
  return ApplyFunction("array", std::move(args), expr.location);
}

Result<ExprPtr> Binder::BindNullTest(const PgQuery__NullTest& test, const ExprContext& context) {
  const bool is_null = test.nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL;
  const auto name = is_null ? "is null" : "is not null";
  if (!Is(test.arg, PG_QUERY__NODE__NODE_ROW_EXPR)) {
    LEAT_ASSIGN(ExprPtr arg, BindValue(test.arg, context));
    return ApplyFunction(name, {arg}, LocationOf(test.arg));
  }
  LEAT_ASSIGN(auto row, BindRow(test.arg, context));
  for (ExprPtr& value : row) {
    LEAT_ASSIGN(value, ApplyFunction(name, {value}, LocationOf(test.arg)));
  }
  return row.empty() ? BoolLiteral(true) : Conjunction(std::move(row));
}

// a[i], a[i:j]
Result<ExprPtr> Binder::BindIndirection(const PgQuery__AIndirection& indirection,
                                        const ExprContext& context) {
  LEAT_ASSIGN(ExprPtr value, BindExpr(indirection.arg, context));
  for (const Node* node : Items(indirection.n_indirection, indirection.indirection)) {
    const int location = LocationOf(indirection.arg);
    if (!Is(node, PG_QUERY__NODE__NODE_A_INDICES)) {
      return NotSupported("fields of composite values are not supported", location);
    }
    const PgQuery__AIndices& indices = *node->a_indices;
    if (value->type.id == TypeId::kJsonb && indices.is_slice == 0) {
      LEAT_ASSIGN(ExprPtr place, BindValue(indices.uidx, context));
      LEAT_ASSIGN(value, ApplyOperator("->", {value, place}, location));
      continue;
    }
    if (value->type.id != TypeId::kArray) {
      return SqlStatus(fmt::format("cannot subscript type {} because it does not support "
                                   "subscripting",
                                   PlainName(value->type)),
                       {.sqlstate = "42804", .location = location});
    }
    const auto place = [&](const Node* bound, ExprPtr otherwise) -> Result<ExprPtr> {
      if (bound == nullptr) return otherwise;
      LEAT_ASSIGN(ExprPtr expr, BindExpr(bound, context));
      if (!CanCast(expr->type, Type(TypeId::kInt4), CastContext::kAssignment)) {
        return SqlStatus("array subscript must have type integer",
                         {.sqlstate = "42804", .location = LocationOf(bound)});
      }
      return Coerce(expr, Type(TypeId::kInt4), CastContext::kAssignment, settings_);
    };
    const auto literal = [](int32_t number) {
      return LiteralExpr(std::make_shared<arrow::Int32Scalar>(number), Type(TypeId::kInt4));
    };
    LEAT_ASSIGN(ExprPtr upper, place(indices.uidx, literal(INT32_MAX)));
    if (indices.is_slice == 0) {
      LEAT_ASSIGN(value, ApplyFunction("array element", {value, upper}, location));
      continue;
    }
    LEAT_ASSIGN(ExprPtr lower, place(indices.lidx, literal(1)));
    LEAT_ASSIGN(value, ApplyFunction("array part", {value, lower, upper}, location));
  }
  return value;
}

Result<ExprPtr> Binder::BindBooleanTest(const PgQuery__BooleanTest& test,
                                        const ExprContext& context) {
  const std::string_view name = TestName(test.booltesttype);
  LEAT_ASSIGN(ExprPtr arg, BindBool(test.arg, context, UpperAscii(name)));
  return ApplyFunction(name, {arg}, LocationOf(test.arg));
}

}  // namespace leat
