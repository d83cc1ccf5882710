// CREATE FUNCTION … LANGUAGE sql: its SELECT takes the place of every call.
#include <algorithm>
#include <cstdlib>

#include "func/function.h"
#include "sql/bind_statement.h"
#include "sql/outer.h"

namespace leat {
namespace {

std::string NumberedName(int number) { return fmt::format("${}", number); }

// $1 as a name that the scope of the parameters knows: function.$1.
Result<Node*> ParameterColumn(const std::string& name, const PgQuery__ParamRef& ref) {
  std::string function = name;
  PgQuery__String table = PG_QUERY__STRING__INIT;
  table.sval = function.data();
  std::string numbered = NumberedName(ref.number);
  PgQuery__String column = PG_QUERY__STRING__INIT;
  column.sval = numbered.data();
  Node fields[2] = {PG_QUERY__NODE__INIT, PG_QUERY__NODE__INIT};
  fields[0].node_case = fields[1].node_case = PG_QUERY__NODE__NODE_STRING;
  fields[0].string = &table;
  fields[1].string = &column;
  Node* list[] = {&fields[0], &fields[1]};
  PgQuery__ColumnRef column_ref = PG_QUERY__COLUMN_REF__INIT;
  column_ref.n_fields = 2;
  column_ref.fields = list;
  column_ref.location = ref.location;
  Node node = PG_QUERY__NODE__INIT;
  node.node_case = PG_QUERY__NODE__NODE_COLUMN_REF;
  node.column_ref = &column_ref;
  return CopyNode(node);
}

// The SELECT that a function's body is: AS '…', or RETURN ….
Result<std::shared_ptr<const ParsedStatement>> BodyOf(const PgQuery__CreateFunctionStmt& stmt,
                                                      const ParsedStatement& statement) {
  if (Is(stmt.sql_body, PG_QUERY__NODE__NODE_RETURN_STMT)) {
    PgQuery__ResTarget target = PG_QUERY__RES_TARGET__INIT;
    target.val = stmt.sql_body->return_stmt->returnval;
    Node item = PG_QUERY__NODE__INIT;
    item.node_case = PG_QUERY__NODE__NODE_RES_TARGET;
    item.res_target = &target;
    Node* items[] = {&item};
    PgQuery__SelectStmt select = PG_QUERY__SELECT_STMT__INIT;
    select.n_target_list = 1;
    select.target_list = items;
    select.op = PG_QUERY__SET_OPERATION__SETOP_NONE;
    select.limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
    Node node = PG_QUERY__NODE__INIT;
    node.node_case = PG_QUERY__NODE__NODE_SELECT_STMT;
    node.select_stmt = &select;
    return WithParameters(statement, &node, [](const PgQuery__ParamRef&) -> Result<Node*> {
      return NotSupported("a parameter without a name is not supported in RETURN", -1,
                          "Give it a name, or write the body as AS '…'.");
    });
  }
  for (const Node* node : Items(stmt.n_options, stmt.options)) {
    const PgQuery__DefElem& option = *node->def_elem;
    if (std::string_view(option.defname) != "as") continue;
    const std::string text = Is(option.arg, PG_QUERY__NODE__NODE_LIST)
                                 ? std::string(StringOf(option.arg->list->items[0]))
                                 : OptionText(option);
    auto parsed = ParseSql(text, {});
    if (!parsed.ok()) {
      return SqlStatus(parsed.status().message(),
                       {.sqlstate = kSyntaxError, .location = option.location});
    }
    const bool one = parsed->size() == 1;
    if (one && Is((*parsed)[0]->node, PG_QUERY__NODE__NODE_SELECT_STMT)) return (*parsed)[0];
    return NotSupported("a function's body must be one SELECT", option.location);
  }
  return NotSupported("a function's body must be AS '…' or RETURN …", statement.location);
}

struct FunctionOptions {
  std::string language;
  bool strict = false;
};

Result<FunctionOptions> OptionsOf(const PgQuery__CreateFunctionStmt& stmt) {
  FunctionOptions out;
  if (stmt.sql_body != nullptr) out.language = "sql";
  for (const Node* node : Items(stmt.n_options, stmt.options)) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    if (name == "language") out.language = OptionText(option);
    if (name == "strict")
      out.strict =
          Is(option.arg, PG_QUERY__NODE__NODE_BOOLEAN) ? option.arg->boolean->boolval != 0 : true;
  }
  return out;
}

Scope ParameterScope(const SqlFunction& function) {
  Scope scope;
  ScopeTable& table = scope.tables.emplace_back();
  table.name = function.name;
  for (size_t i = 0; i < function.types.size(); ++i) {
    const ExprPtr column = ColumnExpr(static_cast<int>(i), function.types[i]);
    table.columns.push_back({NumberedName(static_cast<int>(i) + 1), column});
    if (!function.parameters[i].empty()) table.columns.push_back({function.parameters[i], column});
  }
  return scope;
}

// How well arguments fit: the number that are of the very type; -1 if one does not fit.
int FitOf(const SqlFunction& function, const std::vector<ExprPtr>& args) {
  if (function.types.size() != args.size()) return -1;
  int exact = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i]->type.id == function.types[i].id) ++exact;
    if (!CanCast(args[i]->type, function.types[i], CastContext::kImplicit)) return -1;
  }
  return exact;
}

}  // namespace

Result<const SqlFunction*> Binder::FindSqlFunction(const std::string& name,
                                                   const std::vector<ExprPtr>& args) {
  const SqlFunction* best = nullptr;
  int fit = -1;
  bool twice = false;
  for (const SqlFunction* function : catalog_.FindFunctions(name)) {
    const int of = FitOf(*function, args);
    if (of < 0 || of < fit) continue;
    twice = of == fit;
    best = function;
    fit = of;
  }
  if (twice) {
    std::string types;
    for (const ExprPtr& arg : args) types += (types.empty() ? "" : ", ") + PlainName(arg->type);
    return SqlStatus(fmt::format("function {}({}) is not unique", name, types),
                     {.sqlstate = "42725"});
  }
  return best;
}

Result<ExprPtr> Binder::BindSqlCall(const SqlFunction& function, std::vector<ExprPtr> args,
                                    int location, const ExprContext& context) {
  for (size_t i = 0; i < args.size(); ++i) {
    LEAT_ASSIGN(args[i], Coerce(args[i], function.types[i], CastContext::kImplicit, settings_));
  }
  const Scope parameters = ParameterScope(function);
  SelectOptions options;
  options.outer = &parameters;
  std::vector<std::map<std::string, CommonTable, std::less<>>> hidden;
  std::swap(hidden, common_tables_);  // a body sees no WITH of whoever calls
  Result<Query> query = BindQuery(*function.body->node->select_stmt, options);
  std::swap(hidden, common_tables_);
  if (!query.ok()) {
    const SqlError* error = SqlErrorOf(query.status());
    SqlError copy = error == nullptr ? SqlError{} : *error;
    copy.location = location;  // the place in the body is not in this text
    return SqlStatus(
        fmt::format("SQL function \"{}\": {}", function.name, query.status().message()),
        std::move(copy));
  }
  if (query->visible != 1) {
    return SqlStatus(fmt::format("return type mismatch in function declared to return {}",
                                 PlainName(function.result)),
                     {.sqlstate = "42P13",
                      .location = location,
                      .detail = "Final statement must return exactly one column."});
  }
  Subquery subquery;
  subquery.location = location;
  subquery.plan = query->root;
  const bool one = subquery.plan->kind == LogicalKind::kValues && subquery.plan->rows.size() == 1;
  if (!one) subquery.plan = TopOf(subquery.plan, {.order = query->order, .limit = 1});
  subquery.plan = FirstColumns(subquery.plan, 1);
  const Type type = subquery.plan->schema.columns[0].type;
  if (!CanCast(type, function.result, CastContext::kAssignment)) {
    return SqlStatus(fmt::format("return type mismatch in function declared to return {}",
                                 PlainName(function.result)),
                     {.sqlstate = "42P13",
                      .location = location,
                      .detail = fmt::format("Actual return type is {}.", PlainName(type))});
  }
  NumberOuterColumns(&subquery);
  std::vector<ExprPtr> given;
  for (const ExprPtr& arg : subquery.args) given.push_back(args[static_cast<size_t>(arg->column)]);
  ExprPtr value;
  if (one) {
    value = MapOuter(subquery.plan->rows[0][0], [&](const Expr& column) {
      return given[static_cast<size_t>(column.column - kOuterBase)];
    });
  } else if (context.collected == nullptr) {
    return NotSupported("a function that reads tables is not supported here", location);
  } else {
    subquery.args = std::move(given);
    subquery.value = ColumnExpr(0, type);
    auto& subqueries = context.collected->subqueries;
    subqueries.push_back(std::move(subquery));
    value = ColumnAt(kSubqueryBase + static_cast<int>(subqueries.size()) - 1, type, location);
  }
  LEAT_ASSIGN(value, Coerce(value, function.result, CastContext::kAssignment, settings_));
  if (!function.strict || args.empty()) return value;
  std::vector<ExprPtr> missing;
  for (const ExprPtr& arg : args) missing.push_back(CallOf("is null", {arg}));
  Expr guarded;
  guarded.kind = ExprKind::kCase;
  guarded.type = function.result;
  guarded.args = {Disjunction(std::move(missing)), NullLiteral(function.result), value};
  return std::make_shared<const Expr>(std::move(guarded));
}

Result<BoundStatement> BindCreateFunction(const PgQuery__CreateFunctionStmt& stmt,
                                          const StatementContext& context) {
  const int location = context.statement.location;
  if (stmt.is_procedure != 0) return NotSupported("CREATE PROCEDURE is not supported", location);
  LEAT_ASSIGN(const FunctionOptions options, OptionsOf(stmt));
  if (options.language != "sql") {
    return NotSupported(fmt::format("language \"{}\" is not supported", options.language), location,
                        "LANGUAGE sql is: its SELECT is kept up to date like any other.");
  }
  CreateFunction create;
  create.replace = stmt.replace != 0;
  SqlFunction& function = create.function;
  function.name = StringsOf(Items(stmt.n_funcname, stmt.funcname)).back();
  function.strict = options.strict;
  for (const Node* node : Items(stmt.n_parameters, stmt.parameters)) {
    const PgQuery__FunctionParameter& parameter = *node->function_parameter;
    const bool in = parameter.mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_IN ||
                    parameter.mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_DEFAULT;
    if (!in || parameter.defexpr != nullptr) {
      return NotSupported(
          "OUT, VARIADIC and DEFAULT parameters and RETURNS TABLE are not supported",
          parameter.arg_type->location, "A view, or LATERAL (SELECT …), gives rows.");
    }
    LEAT_ASSIGN(Type type, BindTypeName(*parameter.arg_type, context.catalog));
    function.types.push_back(std::move(type));
    function.parameters.emplace_back(parameter.name);
  }
  if (stmt.return_type == nullptr) {
    return NotSupported("a function without RETURNS is not supported", location);
  }
  LEAT_ASSIGN(function.result, BindTypeName(*stmt.return_type, context.catalog));
  LEAT_ASSIGN(const auto body, BodyOf(stmt, context.statement));
  const int count = static_cast<int>(function.types.size());
  LEAT_ASSIGN(function.body,
              WithParameters(*body, body->node, [&](const PgQuery__ParamRef& ref) -> Result<Node*> {
                if (ref.number <= count) return ParameterColumn(function.name, ref);
                return SqlStatus(fmt::format("there is no parameter ${}", ref.number),
                                 {.sqlstate = "42P02", .location = location});
              }));
  // It must work now, for arguments that are not known yet.
  Binder binder(context.catalog);
  std::vector<ExprPtr> nulls;
  for (const Type& type : function.types) nulls.push_back(NullLiteral(type));
  Collected collected;
  ExprContext calling;
  calling.collected = &collected;
  LEAT_RETURN(binder.BindSqlCall(function, std::move(nulls), location, calling).status());
  return create;
}

Result<BoundStatement> BindDropFunction(const PgQuery__DropStmt& stmt,
                                        const StatementContext& context) {
  DropFunction drop;
  for (const Node* node : Items(stmt.n_objects, stmt.objects)) {
    const PgQuery__ObjectWithArgs& object = *node->object_with_args;
    const std::string name = StringsOf(Items(object.n_objname, object.objname)).back();
    std::vector<Type> types;
    for (const Node* arg : Items(object.n_objargs, object.objargs)) {
      LEAT_ASSIGN(Type type, BindTypeName(*arg->type_name, context.catalog));
      types.push_back(std::move(type));
    }
    std::vector<const SqlFunction*> found = context.catalog.FindFunctions(name);
    if (object.args_unspecified == 0) {
      std::erase_if(found, [&](const SqlFunction* function) { return function->types != types; });
    }
    if (found.size() > 1) {
      return SqlStatus(fmt::format("function name \"{}\" is not unique", name),
                       {.sqlstate = "42725",
                        .hint = "Specify the argument list to select the function unambiguously."});
    }
    if (found.empty() && stmt.missing_ok == 0) {
      std::string list;
      for (const Type& type : types) list += (list.empty() ? "" : ", ") + PlainName(type);
      return SqlStatus(object.args_unspecified != 0
                           ? fmt::format("could not find a function named \"{}\"", name)
                           : fmt::format("function {}({}) does not exist", name, list),
                       {.sqlstate = "42883"});
    }
    drop.functions.insert(drop.functions.end(), found.begin(), found.end());
  }
  return drop;
}

}  // namespace leat
