// PREPARE and EXECUTE: a statement's tree with its parameters replaced.
#include <algorithm>
#include <cstdlib>

#include "sql/bind_statement.h"

namespace leat {
namespace {

std::vector<Node*> ParametersOf(Node* root) {
  std::vector<Node*> found;
  VisitMessages(&root->base, [&](ProtobufCMessage* part) {
    if (part->descriptor != &pg_query__node__descriptor) return;
    auto* node = reinterpret_cast<Node*>(part);
    if (Is(node, PG_QUERY__NODE__NODE_PARAM_REF)) found.push_back(node);
  });
  return found;
}

// What stands for a parameter: the argument, as the type that PREPARE gave it.
Result<Node*> ArgumentFor(Node* argument, const Node* type, int location) {
  if (type == nullptr) return CopyNode(*argument);
  PgQuery__TypeCast cast = PG_QUERY__TYPE_CAST__INIT;
  cast.arg = argument;
  cast.type_name = type->type_name;
  cast.location = location;
  Node node = PG_QUERY__NODE__INIT;
  node.node_case = PG_QUERY__NODE__NODE_TYPE_CAST;
  node.type_cast = &cast;
  return CopyNode(node);
}

int HighestParameter(Node* query) {
  int highest = 0;
  for (const Node* node : ParametersOf(query)) {
    highest = std::max(highest, node->param_ref->number);
  }
  return highest;
}

// Every parameter as a null: what can be said of the statement before its arguments are known.
Result<std::shared_ptr<const ParsedStatement>> WithNulls(const ParsedStatement& statement,
                                                         const PgQuery__PrepareStmt& stmt) {
  return WithParameters(statement, stmt.query, [&](const PgQuery__ParamRef& ref) {
    PgQuery__AConst null = PG_QUERY__A__CONST__INIT;
    null.isnull = 1;
    Node node = PG_QUERY__NODE__INIT;
    node.node_case = PG_QUERY__NODE__NODE_A_CONST;
    node.a_const = &null;
    const auto at = static_cast<size_t>(ref.number - 1);
    return ArgumentFor(&node, at < stmt.n_argtypes ? stmt.argtypes[at] : nullptr, ref.location);
  });
}

// Whether an error is one whatever the arguments are.
bool IsCertain(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error != nullptr &&
         (error->sqlstate == kUndefinedTable || error->sqlstate == kUndefinedColumn);
}

}  // namespace

Result<Node*> CopyNode(const Node& node) {
  std::string bytes(pg_query__node__get_packed_size(&node), '\0');
  pg_query__node__pack(&node, reinterpret_cast<uint8_t*>(bytes.data()));
  Node* copy =
      pg_query__node__unpack(nullptr, bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data()));
  if (copy == nullptr) return SqlStatus("stack depth limit exceeded", {.sqlstate = "54001"});
  return copy;
}

Result<std::shared_ptr<const ParsedStatement>> WithParameters(
    const ParsedStatement& statement, Node* node,
    const std::function<Result<Node*>(const PgQuery__ParamRef&)>& replace) {
  auto script = std::make_shared<Script>();
  script->text = statement.script->text;
  // A tree of one statement, all of it protobuf-c's to free.
  PgQuery__RawStmt raw = PG_QUERY__RAW_STMT__INIT;
  raw.stmt = node;
  PgQuery__RawStmt* statements[] = {&raw};
  PgQuery__ParseResult tree = PG_QUERY__PARSE_RESULT__INIT;
  tree.n_stmts = 1;
  tree.stmts = statements;
  std::string bytes(pg_query__parse_result__get_packed_size(&tree), '\0');
  pg_query__parse_result__pack(&tree, reinterpret_cast<uint8_t*>(bytes.data()));
  script->tree = pg_query__parse_result__unpack(nullptr, bytes.size(),
                                                reinterpret_cast<const uint8_t*>(bytes.data()));
  if (script->tree == nullptr) {
    return SqlStatus("stack depth limit exceeded", {.sqlstate = "54001"});
  }
  Node* root = script->tree->stmts[0]->stmt;
  for (Node* parameter : ParametersOf(root)) {
    LEAT_ASSIGN(Node * value, replace(*parameter->param_ref));
    std::swap(*parameter, *value);
    pg_query__node__free_unpacked(value, nullptr);
  }
  auto out = std::make_shared<ParsedStatement>();
  out->script = std::move(script);
  out->node = root;
  out->location = statement.location;
  out->end = statement.end;
  out->substituted = true;  // its text has parameters that its tree has not
  return std::shared_ptr<const ParsedStatement>(std::move(out));
}

Result<BoundStatement> BindPrepare(const PgQuery__PrepareStmt& stmt,
                                   const StatementContext& context) {
  for (const Node* type : Items(stmt.n_argtypes, stmt.argtypes)) {
    LEAT_RETURN(BindTypeName(*type->type_name, context.catalog).status());
  }
  LEAT_ASSIGN(const auto trial, WithNulls(context.statement, stmt));
  const auto bound = Bind(*trial, context.catalog);
  if (!bound.ok() && IsCertain(bound.status())) return bound.status();
  return Prepare{stmt.name, context.statement.shared_from_this()};
}

Result<std::shared_ptr<const ParsedStatement>> FillParameters(const ParsedStatement& prepare,
                                                              const ParsedStatement& execute) {
  const PgQuery__PrepareStmt& stmt = *prepare.node->prepare_stmt;
  const PgQuery__ExecuteStmt& call = *execute.node->execute_stmt;
  const size_t expected =
      std::max(stmt.n_argtypes, static_cast<size_t>(HighestParameter(stmt.query)));
  if (call.n_params != expected) {
    return SqlStatus(
        fmt::format("wrong number of parameters for prepared statement \"{}\"", stmt.name),
        {.sqlstate = kSyntaxError,
         .location = execute.location,
         .detail = fmt::format("Expected {} parameters but got {}.", expected, call.n_params)});
  }
  return WithParameters(prepare, stmt.query, [&](const PgQuery__ParamRef& ref) {
    const auto at = static_cast<size_t>(ref.number - 1);
    return ArgumentFor(call.params[at], at < stmt.n_argtypes ? stmt.argtypes[at] : nullptr,
                       ref.location);
  });
}

}  // namespace leat
