// The door Bind(), and the small statements: COMMENT, SET, SHOW, DROP, EXPLAIN, transactions.
#include <algorithm>

#include "base/ascii.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

// COMMENT ON and DROP name objects as lists of strings.
std::vector<std::string> ObjectName(const Node* object) {
  if (Is(object, PG_QUERY__NODE__NODE_STRING)) return {std::string(StringOf(object))};
  if (!Is(object, PG_QUERY__NODE__NODE_LIST)) return {};
  std::vector<std::string> names = StringsOf(Items(object->list->n_items, object->list->items));
  if (names.size() > 1 && names[0] == "public") names.erase(names.begin());
  return names;
}

std::optional<RelationKind> KindOf(int object_type) {
  switch (object_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
      return RelationKind::kTable;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
      return RelationKind::kForeign;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      return RelationKind::kView;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
      return RelationKind::kMaterializedView;
    default:
      return std::nullopt;
  }
}

Status NotThatKind(std::string_view name, RelationKind wanted, RelationKind is) {
  return SqlStatus(fmt::format("\"{}\" is not a {}", name, KindName(wanted)),
                   {.sqlstate = "42809",
                    .hint = fmt::format("Use DROP {} to remove a {}.",
                                        is == RelationKind::kTable     ? "TABLE"
                                        : is == RelationKind::kForeign ? "FOREIGN TABLE"
                                        : is == RelationKind::kView    ? "VIEW"
                                                                       : "MATERIALIZED VIEW",
                                        KindName(is))});
}

Status Missing(std::string_view kind, std::string_view name) {
  return SqlStatus(fmt::format("{} \"{}\" does not exist", kind, name),
                   {.sqlstate = kUndefinedTable});
}

std::string ValueText(const Node* node) {
  if (!Is(node, PG_QUERY__NODE__NODE_A_CONST)) {
    return Is(node, PG_QUERY__NODE__NODE_TYPE_CAST) ? ValueText(node->type_cast->arg) : "";
  }
  const PgQuery__AConst& value = *node->a_const;
  switch (value.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      return std::to_string(value.ival->ival);
    case PG_QUERY__A__CONST__VAL_FVAL:
      return value.fval->fval;
    case PG_QUERY__A__CONST__VAL_SVAL:
      return value.sval->sval;
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      return value.boolval->boolval != 0 ? "on" : "off";
    default:
      return {};
  }
}

// Statements that PostgreSQL knows and leat does not.
Status Unsupported(const ParsedStatement& statement) {
  const std::string_view text = statement.text();
  size_t end = text.find(' ');
  if (end != text.npos) end = text.find_first_of(" \n;(", end + 1);
  const std::string words = UpperAscii(text.substr(0, end));
  std::string hint;
  if (words.starts_with("ALTER")) {
    hint = "Change the declaration itself: leat compares what is declared with what it holds.";
  } else if (words.starts_with("REFRESH")) {
    hint = "A materialized view is always fresh.";
  } else if (words.starts_with("IMPORT")) {
    hint = "Declare the tables with CREATE FOREIGN TABLE.";
  }
  return NotSupported(fmt::format("{} is not supported", words), statement.location,
                      std::move(hint));
}

Result<Query> BindSelectStatement(const PgQuery__SelectStmt& select, const Catalog& catalog) {
  Binder binder(catalog);
  return binder.BindQuery(select);
}

// The views that cannot be understood without these relations, nor without one another.
std::vector<const Relation*> DependentsOf(const std::vector<std::string>& names,
                                          const Catalog& catalog) {
  Catalog after = catalog;
  for (const std::string& name : names) static_cast<void>(after.Drop(name).ok());
  std::vector<const Relation*> dependents;
  for (bool found = true; found;) {
    found = false;
    for (const auto& [name, relation] : catalog.relations()) {
      const bool view =
          relation.kind == RelationKind::kView || relation.kind == RelationKind::kMaterializedView;
      if (!view || after.FindRelation(name) == nullptr || BindViewQuery(relation, after).ok() ||
          !BindViewQuery(relation, catalog).ok()) {
        continue;
      }
      static_cast<void>(after.Drop(name).ok());
      dependents.push_back(&relation);
      found = true;
    }
  }
  return dependents;
}

// What declares or changes things besides tables' rows.
Result<BoundStatement> BindDefinition(const StatementContext& context) {
  const Node* node = context.statement.node;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
      return BindCreateTable(*node->create_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT:
      return BindCreateServer(*node->create_foreign_server_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
      return BindCreateForeignTable(*node->create_foreign_table_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT:
      return BindCreateUserMapping(*node->create_user_mapping_stmt, context);
    case PG_QUERY__NODE__NODE_IMPORT_FOREIGN_SCHEMA_STMT:
      return BindImportSchema(*node->import_foreign_schema_stmt, context);
    case PG_QUERY__NODE__NODE_VIEW_STMT:
      return BindCreateView(*node->view_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return BindCreateTableAs(*node->create_table_as_stmt, context);
    case PG_QUERY__NODE__NODE_COMMENT_STMT:
      return BindComment(*node->comment_stmt, context);
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return BindSet(*node->variable_set_stmt);
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      return BindShow(*node->variable_show_stmt);
    case PG_QUERY__NODE__NODE_DROP_STMT:
      return BindDrop(*node->drop_stmt, context);
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
      return BindTransaction(*node->transaction_stmt);
    case PG_QUERY__NODE__NODE_INDEX_STMT:
      return BindCreateIndex(*node->index_stmt, context);
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
      return BindReindex(*node->reindex_stmt, context);
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
      return BindVacuum(*node->vacuum_stmt, context);
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return BindExplain(*node->explain_stmt, context);
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return BindAlterTable(*node->alter_table_stmt, context);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
      return BindRename(*node->rename_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
      return BindCreateFunction(*node->create_function_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
      return BindCreateEnum(*node->create_enum_stmt, context);
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
      return BindAlterEnum(*node->alter_enum_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
      return BindCreateDomain(*node->create_domain_stmt, context);
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
      return BindCreateSequence(*node->create_seq_stmt, context);
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT:
      return BindAlterSequence(*node->alter_seq_stmt, context);
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
      return BindPrepare(*node->prepare_stmt, context);
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
      return ExecutePrepared{node->execute_stmt->name};
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
      return Deallocate{node->deallocate_stmt->name};
    default:
      return Unsupported(context.statement);
  }
}

Result<BoundStatement> BindNode(const StatementContext& context) {
  const Node* node = context.statement.node;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT: {
      if (node->select_stmt->into_clause != nullptr) {
        return BindSelectInto(*node->select_stmt, context);
      }
      Select select;
      LEAT_ASSIGN(select.query, BindSelectStatement(*node->select_stmt, context.catalog));
      return select;
    }
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return BindInsert(*node->insert_stmt, context);
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return BindUpdate(*node->update_stmt, context);
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return BindDelete(*node->delete_stmt, context);
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return BindMerge(*node->merge_stmt, context);
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
      return BindTruncate(*node->truncate_stmt, context);
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return BindCopy(*node->copy_stmt, context);
    default:
      return BindDefinition(context);
  }
}

// The statement that a stored text is, for a declaration read back without its tree.
Result<std::shared_ptr<const ParsedStatement>> ParseOne(const std::string& sql) {
  LEAT_ASSIGN(auto statements, ParseSql(sql, {}));
  if (statements.size() != 1 || !Is(statements[0]->node, PG_QUERY__NODE__NODE_SELECT_STMT)) {
    return SqlStatus("a view's text must be one SELECT", {.sqlstate = kSyntaxError});
  }
  return statements[0];
}

const PgQuery__SelectStmt* SelectOf(const Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_VIEW_STMT:
      return node->view_stmt->query->select_stmt;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return node->create_table_as_stmt->query->select_stmt;
    default:
      return node->select_stmt;
  }
}

}  // namespace

Result<BoundStatement> Bind(const ParsedStatement& statement, const Catalog& catalog) {
  LEAT_ASSIGN(BoundStatement bound, BindNode({statement, catalog}));
  LEAT_RETURN(CheckDraws(bound));
  return bound;
}

Result<Query> BindViewQuery(const Relation& view, const Catalog& catalog) {
  // How deep views may stand in views; a circle would otherwise never end.
  static thread_local int depth = 0;
  if (depth > 64) {
    return SqlStatus(
        fmt::format("infinite recursion detected in rules for relation \"{}\"", view.name),
        {.sqlstate = "42P17"});
  }
  std::shared_ptr<const ParsedStatement> definition = view.definition;
  if (!definition) {
    LEAT_ASSIGN(definition, ParseOne(view.sql));
  }
  ++depth;
  Result<Query> query = BindSelectStatement(*SelectOf(definition->node), catalog);
  --depth;
  if (!query.ok()) return query.status();
  // The names that CREATE VIEW v (a, b) gave.
  auto named = std::make_shared<Logical>(*query->root);
  for (size_t i = 0; i < view.columns.size() && i < named->schema.columns.size(); ++i) {
    named->schema.columns[i].name = view.columns[i].column.name;
  }
  query->root = std::move(named);
  return query;
}

Result<Query> BindInsertQuery(const StandingInsert& insert, const Catalog& catalog) {
  const Relation* sink = catalog.FindRelation(insert.sink);
  if (sink == nullptr) return Missing("relation", insert.sink);
  if (insert.definition) {
    return BindInsertSource(*insert.definition->node->insert_stmt, *sink, catalog);
  }
  std::string text = "INSERT INTO \"" + insert.sink + "\"";
  for (size_t i = 0; i < insert.columns.size(); ++i) {
    text += fmt::format("{}\"{}\"{}", i == 0 ? " (" : ", ", insert.columns[i],
                        i + 1 == insert.columns.size() ? ")" : "");
  }
  LEAT_ASSIGN(auto statements, ParseSql(text + " " + insert.sql, {}));
  return BindInsertSource(*statements[0]->node->insert_stmt, *sink, catalog);
}

Result<BoundStatement> BindComment(const PgQuery__CommentStmt& stmt,
                                   const StatementContext& context) {
  CommentOn comment;
  comment.text = stmt.comment == nullptr ? "" : stmt.comment;
  std::vector<std::string> names = ObjectName(stmt.object);
  const bool column = stmt.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN;
  if (!column && !KindOf(stmt.objtype)) {
    return NotSupported("COMMENT ON is supported for tables, views and columns",
                        context.statement.location);
  }
  if (column && names.size() > 1) {
    comment.column = names.back();
    names.pop_back();
  }
  comment.relation = names.empty() ? "" : names.back();
  const Relation* relation = context.catalog.FindRelation(comment.relation);
  if (relation == nullptr) return Missing("relation", comment.relation);
  // The columns of a sink declared with () come with its INSERT.
  const bool known = relation->schema().Find(comment.column) >= 0 || relation->columns.empty();
  if (column && !known) {
    return SqlStatus(fmt::format("column \"{}\" of relation \"{}\" does not exist", comment.column,
                                 comment.relation),
                     {.sqlstate = kUndefinedColumn});
  }
  if (!column && relation->kind != *KindOf(stmt.objtype)) {
    return SqlStatus(
        fmt::format("\"{}\" is not a {}", relation->name, KindName(*KindOf(stmt.objtype))),
        {.sqlstate = "42809"});
  }
  return comment;
}

Result<BoundStatement> BindSet(const PgQuery__VariableSetStmt& stmt) {
  SetVariable set;
  set.name = stmt.name;
  if (stmt.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL) set.name = "all";
  for (const Node* node : Items(stmt.n_args, stmt.args)) {
    if (!set.value.empty()) set.value += ", ";
    set.value += ValueText(node);
  }
  return set;
}

Result<BoundStatement> BindShow(const PgQuery__VariableShowStmt& stmt) {
  return ShowVariable{stmt.name};
}

Result<BoundStatement> BindDrop(const PgQuery__DropStmt& stmt, const StatementContext& context) {
  if (stmt.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX) return BindDropIndex(stmt, context);
  if (stmt.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION) {
    return BindDropFunction(stmt, context);
  }
  if (stmt.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE) {
    return BindDropSequence(stmt, context);
  }
  if (stmt.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE ||
      stmt.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN) {
    return BindDropType(stmt, context);
  }
  const auto kind = KindOf(stmt.remove_type);
  if (!kind) return Unsupported(context.statement);
  DropRelation drop;
  drop.if_exists = stmt.missing_ok != 0;
  for (const Node* node : Items(stmt.n_objects, stmt.objects)) {
    const std::vector<std::string> names = ObjectName(node);
    const Relation* relation = context.catalog.FindRelation(names.back());
    if (relation == nullptr) {
      if (drop.if_exists) continue;
      return Missing(KindName(*kind), names.back());
    }
    if (relation->kind != *kind) return NotThatKind(relation->name, *kind, relation->kind);
    drop.names.push_back(relation->name);
  }
  for (const Relation* view : DependentsOf(drop.names, context.catalog)) {
    if (stmt.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE) {
      drop.dependents.push_back(view->name);
      continue;
    }
    return SqlStatus(fmt::format("cannot drop {} {} because other objects depend on it",
                                 KindName(*kind), drop.names[0]),
                     {.sqlstate = "2BP01",
                      .detail = fmt::format("{} {} depends on {} {}", KindName(view->kind),
                                            view->name, KindName(*kind), drop.names[0]),
                      .hint = "Use DROP ... CASCADE to drop the dependent objects too."});
  }
  return drop;
}

Result<BoundStatement> BindTransaction(const PgQuery__TransactionStmt& stmt) {
  switch (stmt.kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
      return Transaction{"BEGIN", ""};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
      return Transaction{"COMMIT", ""};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
      return Transaction{"ROLLBACK", ""};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
      return Transaction{"SAVEPOINT", stmt.savepoint_name};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
      return Transaction{"RELEASE", stmt.savepoint_name};
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
      return Transaction{"ROLLBACK TO", stmt.savepoint_name};
    default:
      return NotSupported("prepared transactions are not supported");
  }
}

Result<BoundStatement> BindExplain(const PgQuery__ExplainStmt& stmt,
                                   const StatementContext& context) {
  Explain explain;
  for (const Node* node : Items(stmt.n_options, stmt.options)) {
    const std::string value = OptionText(*node->def_elem);
    const std::string_view name = node->def_elem->defname;
    const bool on = value != "false" && value != "off";
    if (name == "analyze") explain.analyze = on;
    if (name == "costs") explain.state = on;
    if (name != "format" || value == "text") continue;
    if (value == "mermaid") {
      explain.format = Explain::Format::kMermaid;
    } else if (value == "dot") {
      explain.format = Explain::Format::kDot;
    } else {
      return SqlStatus(
          fmt::format("unrecognized value for EXPLAIN option \"format\": \"{}\"", value),
          {.sqlstate = "22023",
           .location = node->def_elem->location,
           .hint = "It is text, mermaid or dot."});
    }
  }
  const Node* query = stmt.query;
  if (Is(query, PG_QUERY__NODE__NODE_SELECT_STMT)) {
    LEAT_ASSIGN(explain.query, BindSelectStatement(*query->select_stmt, context.catalog));
  } else if (Is(query, PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT)) {
    const Node* view = query->create_table_as_stmt->query;
    LEAT_ASSIGN(explain.query, BindSelectStatement(*view->select_stmt, context.catalog));
  } else if (Is(query, PG_QUERY__NODE__NODE_INSERT_STMT)) {
    Binder binder(context.catalog);
    LEAT_ASSIGN(const Relation* sink, binder.FindRelation(*query->insert_stmt->relation));
    LEAT_ASSIGN(explain.query, BindInsertSource(*query->insert_stmt, *sink, context.catalog));
  } else {
    return NotSupported("EXPLAIN of this statement is not supported", context.statement.location);
  }
  return explain;
}

}  // namespace leat
