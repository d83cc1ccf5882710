// Calls whose arguments are no plain values: whole rows as JSON, names of sequences, named
// arguments.
#include <arrow/scalar.h>

#include <algorithm>

#include "func/function.h"
#include "sql/bind.h"

namespace leat {
namespace {

ExprPtr TextLiteral(std::string text) {
  return LiteralExpr(std::make_shared<arrow::StringScalar>(std::move(text)), Type(TypeId::kText));
}

// Whether a FROM item may give rows of nulls that are no rows at all.
bool HasOuterJoin(const Node* node) {
  if (!Is(node, PG_QUERY__NODE__NODE_JOIN_EXPR)) return false;
  const PgQuery__JoinExpr& join = *node->join_expr;
  return join.jointype != PG_QUERY__JOIN_TYPE__JOIN_INNER || HasOuterJoin(join.larg) ||
         HasOuterJoin(join.rarg);
}

// The table that `t` or `t.*` stands for, if it is one of this FROM and no column is called so.
const ScopeTable* WholeRow(const Node* arg, const ExprContext& context) {
  if (context.scope == nullptr || !Is(arg, PG_QUERY__NODE__NODE_COLUMN_REF)) return nullptr;
  const PgQuery__ColumnRef& ref = *arg->column_ref;
  const bool star = ref.n_fields == 2 && Is(ref.fields[1], PG_QUERY__NODE__NODE_A_STAR);
  if (ref.n_fields != 1 && !star) return nullptr;
  const std::string_view name = StringOf(ref.fields[0]);
  if (name.empty() || (!star && ResolveColumn(*context.scope, "", name, -1).ok())) return nullptr;
  for (const ScopeTable& table : context.scope->tables) {
    if (table.table_visible && table.name == name) return &table;
  }
  return nullptr;
}

// The parameters of a function that may be called by name: make_interval's, or one of the user's.
struct Parameters {
  std::vector<std::string> names;
  bool zero_by_default = false;
};

std::optional<Parameters> NamedParametersOf(const std::string& name, const Catalog& catalog) {
  if (name == "make_interval") {
    return Parameters{{"years", "months", "weeks", "days", "hours", "mins", "secs"}, true};
  }
  const auto own = catalog.FindFunctions(name);
  if (own.size() != 1) return std::nullopt;
  return Parameters{own[0]->parameters, false};
}

}  // namespace

Result<std::vector<ExprPtr>> Binder::BindArgs(const std::string& name,
                                              const PgQuery__FuncCall& call,
                                              const ExprContext& context) {
  const Nodes nodes = Items(call.n_args, call.args);
  const auto is_named = [](const Node* node) {
    return Is(node, PG_QUERY__NODE__NODE_NAMED_ARG_EXPR);
  };
  const bool any_named = std::any_of(nodes.begin(), nodes.end(), is_named);
  const auto parameters = NamedParametersOf(name, catalog_);
  if (!any_named && !(parameters && parameters->zero_by_default)) return BindExprs(nodes, context);
  if (!parameters) {
    return NotSupported(fmt::format("named arguments of {} are not supported", name), call.location,
                        "Give them in their order.");
  }
  std::vector<ExprPtr> args(parameters->names.size());
  const auto no_such = [&] {
    return SqlStatus(fmt::format("function {} does not exist with these arguments", name),
                     {.sqlstate = kUndefinedFunction, .location = call.location});
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    size_t at = i;
    const Node* value = nodes[i];
    if (is_named(value)) {
      const PgQuery__NamedArgExpr& named = *value->named_arg_expr;
      const auto found = std::find(parameters->names.begin(), parameters->names.end(), named.name);
      at = static_cast<size_t>(found - parameters->names.begin());
      value = named.arg;
    }
    if (at >= args.size() || args[at]) return no_such();
    LEAT_ASSIGN(args[at], BindExpr(value, context));
  }
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i]) continue;
    if (!parameters->zero_by_default) return no_such();
    args[i] = LiteralExpr(std::make_shared<arrow::Int32Scalar>(0), Type(TypeId::kInt4));
  }
  return args;
}

Result<std::optional<ExprPtr>> Binder::BindRowToJson(const std::string& name, const Node* arg,
                                                     const ExprContext& context) {
  std::vector<ExprPtr> args;
  if (Is(arg, PG_QUERY__NODE__NODE_ROW_EXPR)) {
    LEAT_ASSIGN(const auto values, BindRow(arg, context));
    for (size_t i = 0; i < values.size(); ++i) {
      args.push_back(TextLiteral(fmt::format("f{}", i + 1)));
      args.push_back(values[i]);
    }
  } else if (const ScopeTable* table = WholeRow(arg, context)) {
    const Nodes from = context.select == nullptr
                           ? Nodes()
                           : Items(context.select->n_from_clause, context.select->from_clause);
    if (context.select == nullptr || std::any_of(from.begin(), from.end(), HasOuterJoin)) {
      return NotSupported("a whole row above an outer join is not supported", LocationOf(arg),
                          "Name the columns: jsonb_build_object('a', t.a, …).");
    }
    for (const ScopeColumn& column : table->columns) {
      args.push_back(TextLiteral(column.name));
      args.push_back(column.expr);
    }
  } else {
    return std::nullopt;
  }
  const bool jsonb = name == "to_jsonb";
  LEAT_ASSIGN(ExprPtr row, ApplyFunction(jsonb ? "jsonb of row" : "json of row", std::move(args),
                                         LocationOf(arg)));
  return std::optional(std::move(row));
}

Result<std::vector<ExprPtr>> Binder::BindSequenceArgs(const PgQuery__FuncCall& call,
                                                      const ExprContext& context) {
  std::vector<ExprPtr> args;
  for (const Node* node : Items(call.n_args, call.args)) {
    const bool named = args.empty() && Is(node, PG_QUERY__NODE__NODE_TYPE_CAST) &&
                       InternalTypeName(*node->type_cast->type_name) == "regclass";
    LEAT_ASSIGN(ExprPtr arg, BindExpr(named ? node->type_cast->arg : node, context));
    args.push_back(std::move(arg));
  }
  return args;
}

Result<ExprPtr> Binder::BindSerialName(const PgQuery__FuncCall& call) {
  std::vector<std::string> names;
  for (const Node* node : Items(call.n_args, call.args)) {
    LEAT_ASSIGN(const ExprPtr arg, BindExpr(node, {}));
    if (arg->kind != ExprKind::kLiteral || !arg->literal->is_valid) {
      return NotSupported("pg_get_serial_sequence of what is no literal is not supported",
                          call.location);
    }
    names.push_back(arg->literal->ToString());
  }
  if (names.size() != 2) return ApplyFunction("pg_get_serial_sequence", {}, call.location);
  if (names[0].starts_with("public.")) names[0].erase(0, 7);
  const Relation* relation = catalog_.FindRelation(names[0]);
  if (relation == nullptr) {
    return SqlStatus(fmt::format("relation \"{}\" does not exist", names[0]),
                     {.sqlstate = kUndefinedTable});
  }
  const int at = relation->schema().Find(names[1]);
  if (at < 0) {
    return SqlStatus(
        fmt::format("column \"{}\" of relation \"{}\" does not exist", names[1], names[0]),
        {.sqlstate = kUndefinedColumn});
  }
  const std::string& sequence = relation->columns[static_cast<size_t>(at)].sequence;
  if (sequence.empty()) return NullLiteral(Type(TypeId::kText));
  return TextLiteral("public." + sequence);
}

}  // namespace leat
