// Which names a statement defines and refers to, so that declarations can come in any order.
#include <algorithm>
#include <set>

#include "sql/statement.h"

namespace leat {
namespace {

// How a function is told from a relation of its name.
std::string CalledName(const std::vector<std::string>& names) {
  return names.empty() ? "" : names.back() + "()";
}

// Collects the relations named in a FROM, or written to, without the names that WITH gives.
class References {
 public:
  void Visit(ProtobufCMessage* message) {
    const auto* descriptor = message->descriptor;
    if (descriptor == &pg_query__range_var__descriptor) {
      Add(reinterpret_cast<PgQuery__RangeVar*>(message)->relname);
    } else if (descriptor == &pg_query__func_call__descriptor) {
      const auto& call = *reinterpret_cast<PgQuery__FuncCall*>(message);
      names_.insert(CalledName(StringsOf(Items(call.n_funcname, call.funcname))));
    } else if (descriptor == &pg_query__common_table_expr__descriptor) {
      common_.insert(reinterpret_cast<PgQuery__CommonTableExpr*>(message)->ctename);
    } else if (descriptor == &pg_query__create_foreign_table_stmt__descriptor) {
      Add(reinterpret_cast<PgQuery__CreateForeignTableStmt*>(message)->servername);
    } else if (descriptor == &pg_query__create_user_mapping_stmt__descriptor) {
      Add(reinterpret_cast<PgQuery__CreateUserMappingStmt*>(message)->servername);
    }
  }

  std::vector<std::string> Names(const std::string& defined) const {
    std::vector<std::string> names;
    for (const std::string& name : names_) {
      if (name != defined && !common_.contains(name)) names.push_back(name);
    }
    return names;
  }

 private:
  void Add(const char* name) { names_.insert(name); }

  std::set<std::string> names_;
  std::set<std::string> common_;
};

// COMMENT ON names its object as a list of strings.
std::string CommentedRelation(const PgQuery__CommentStmt& comment) {
  const Node* object = comment.object;
  if (Is(object, PG_QUERY__NODE__NODE_STRING)) return std::string(StringOf(object));
  if (!Is(object, PG_QUERY__NODE__NODE_LIST)) return {};
  std::vector<std::string> names = StringsOf(Items(object->list->n_items, object->list->items));
  if (comment.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN && !names.empty()) names.pop_back();
  return names.empty() ? "" : names.back();
}

}  // namespace

std::string DefinedBy(const ParsedStatement& statement) {
  const Node* node = statement.node;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT:
      return node->create_foreign_server_stmt->servername;
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
      return node->create_foreign_table_stmt->base_stmt->relation->relname;
    case PG_QUERY__NODE__NODE_CREATE_STMT:
      return node->create_stmt->relation->relname;
    case PG_QUERY__NODE__NODE_VIEW_STMT:
      return node->view_stmt->view->relname;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return node->create_table_as_stmt->into->rel->relname;
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT: {
      const PgQuery__CreateFunctionStmt& create = *node->create_function_stmt;
      return CalledName(StringsOf(Items(create.n_funcname, create.funcname)));
    }
    default:
      return {};
  }
}

DeclarationRank RankOf(const ParsedStatement& statement) {
  switch (statement.node->node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return DeclarationRank::kSetting;
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT:
      return DeclarationRank::kServer;
    case PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT:
      return DeclarationRank::kUserMapping;
    case PG_QUERY__NODE__NODE_IMPORT_FOREIGN_SCHEMA_STMT:
      return DeclarationRank::kImport;
    default:
      return DeclarationRank::kRest;
  }
}

std::string InsertTargetOf(const ParsedStatement& statement) {
  if (!Is(statement.node, PG_QUERY__NODE__NODE_INSERT_STMT)) return {};
  return statement.node->insert_stmt->relation->relname;
}

std::vector<std::string> ReferencesOf(const ParsedStatement& statement) {
  if (Is(statement.node, PG_QUERY__NODE__NODE_COMMENT_STMT)) {
    return {CommentedRelation(*statement.node->comment_stmt)};
  }
  References references;
  auto* message = reinterpret_cast<ProtobufCMessage*>(statement.node);
  VisitMessages(message, [&](ProtobufCMessage* part) { references.Visit(part); });
  return references.Names(DefinedBy(statement));
}

}  // namespace leat
