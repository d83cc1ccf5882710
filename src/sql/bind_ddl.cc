// CREATE: servers, tables, views.
#include <algorithm>

#include "func/function.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

Status Misplaced(std::string_view what, int location, std::string hint = "") {
  return NotSupported(fmt::format("{} is not supported", what), location, std::move(hint));
}

Result<Relation> NewRelation(const PgQuery__RangeVar& range, RelationKind kind,
                             const StatementContext& context, bool if_not_exists) {
  Relation relation;
  LEAT_ASSIGN(relation.name, RelationName(range));
  relation.kind = kind;
  relation.location = context.statement.location;
  if (!if_not_exists && context.catalog.FindRelation(relation.name) != nullptr) {
    return SqlStatus(fmt::format("relation \"{}\" already exists", relation.name),
                     {.sqlstate = "42P07", .location = range.location});
  }
  const std::string_view persistence = range.relpersistence;
  const bool temporary = kind == RelationKind::kTable || kind == RelationKind::kView;
  if (persistence == "t" && !temporary) {
    return Misplaced("TEMPORARY", range.location);
  }
  return relation;
}

// Fills in a view's columns from its query; `names` may rename the first ones.
Status DescribeView(const Query& query, const std::vector<std::string>& names,
                    const StatementContext& context, Relation* relation) {
  if (names.size() > static_cast<size_t>(query.visible)) {
    return SqlStatus("CREATE VIEW specifies more column names than columns",
                     {.sqlstate = kSyntaxError});
  }
  for (size_t i = 0; i < static_cast<size_t>(query.visible); ++i) {
    ColumnSpec spec;
    spec.column = query.root->schema.columns[i];
    if (i < names.size()) spec.column.name = names[i];
    if (relation->schema().Find(spec.column.name) >= 0) {
      return SqlStatus(fmt::format("column \"{}\" specified more than once", spec.column.name),
                       {.sqlstate = "42701"});
    }
    spec.outside_name = spec.column.name;
    relation->columns.push_back(std::move(spec));
  }
  relation->has_seq = HasSeq(*query.root);
  relation->definition = context.statement.shared_from_this();
  return Status::OK();
}

// What stands on a view must stand on its replacement.
Status CheckReplacement(const Relation& view, const Catalog& catalog) {
  const Relation* old = catalog.FindRelation(view.name);
  if (old == nullptr) return Status::OK();
  if (old->kind != RelationKind::kView) {
    return SqlStatus(fmt::format("\"{}\" is not a view", view.name), {.sqlstate = "42809"});
  }
  const auto wrong = [](std::string message) {
    return SqlStatus(std::move(message), {.sqlstate = "42P16"});
  };
  if (view.columns.size() < old->columns.size()) return wrong("cannot drop columns from view");
  for (size_t i = 0; i < old->columns.size(); ++i) {
    const Column& before = old->columns[i].column;
    const Column& after = view.columns[i].column;
    if (before.name != after.name) {
      return wrong(fmt::format("cannot change name of view column \"{}\" to \"{}\"", before.name,
                               after.name));
    }
    if (!(before.type == after.type)) {
      return wrong(fmt::format("cannot change data type of view column \"{}\" from {} to {}",
                               before.name, TypeName(before.type), TypeName(after.type)));
    }
  }
  return Status::OK();
}

// CREATE TABLE AS and SELECT INTO.
Result<BoundStatement> BindTableAs(const PgQuery__IntoClause& into,
                                   const PgQuery__SelectStmt& select, bool if_not_exists,
                                   const StatementContext& context) {
  CreateTableAs as;
  as.with_data = into.skip_data == 0;
  as.create.if_not_exists = if_not_exists;
  Relation& relation = as.create.relation;
  LEAT_ASSIGN(relation, NewRelation(*into.rel, RelationKind::kTable, context, if_not_exists));
  Binder binder(context.catalog);
  PgQuery__SelectStmt query = select;
  query.into_clause = nullptr;
  LEAT_ASSIGN(as.query, binder.BindQuery(query));
  LEAT_RETURN(DescribeView(as.query, StringsOf(Items(into.n_col_names, into.col_names)), context,
                           &relation));
  relation.definition = nullptr;
  relation.has_seq = true;
  for (ColumnSpec& spec : relation.columns) spec.column.nullable = true;
  return as;
}

Status CheckPrimaryOption(const Relation& relation, std::vector<int>* key) {
  const auto found = relation.options.find("key");
  if (found == relation.options.end()) return Status::OK();
  const std::string& text = found->second;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    std::string name = text.substr(at, end - at);
    name.erase(0, name.find_first_not_of(" \""));
    name.erase(name.find_last_not_of(" \"") + 1);
    const int column = relation.schema().Find(name);
    if (column < 0) {
      return SqlStatus(fmt::format("column \"{}\" named in key does not exist", name),
                       {.sqlstate = kUndefinedColumn});
    }
    key->push_back(column);
    at = end + 1;
  }
  return Status::OK();
}

Status CheckServerName(const std::string& name, const Catalog& catalog) {
  if (catalog.FindServer(name) != nullptr) return Status::OK();
  std::vector<std::string> names;
  for (const auto& [known, server] : catalog.servers()) names.push_back(known);
  const auto nearest = NearestName(name, names);
  return SqlStatus(
      fmt::format("server \"{}\" does not exist", name),
      {.sqlstate = "42704",
       .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest) : std::string()});
}

}  // namespace

Result<Options> BindOptions(Nodes nodes) {
  Options options;
  for (const Node* node : nodes) {
    const PgQuery__DefElem& option = *node->def_elem;
    if (!options.emplace(option.defname, OptionText(option)).second) {
      return SqlStatus(fmt::format("option \"{}\" provided more than once", option.defname),
                       {.sqlstate = kDuplicateObject, .location = option.location});
    }
  }
  return options;
}

Result<std::string> RelationName(const PgQuery__RangeVar& range) {
  const std::string_view schema = range.schemaname;
  if (schema.empty() || schema == "public") return std::string(range.relname);
  return SqlStatus(fmt::format("schema \"{}\" does not exist", schema),
                   {.sqlstate = "3F000", .location = range.location});
}

Result<BoundStatement> BindCreateServer(const PgQuery__CreateForeignServerStmt& stmt,
                                        const StatementContext& context) {
  CreateServer create;
  create.if_not_exists = stmt.if_not_exists != 0;
  create.server.name = stmt.servername;
  create.server.kind = stmt.fdwname;
  static const std::vector<std::string> kKinds = {"file", "database", "stream", "http"};
  if (std::find(kKinds.begin(), kKinds.end(), create.server.kind) == kKinds.end()) {
    return SqlStatus(fmt::format("foreign-data wrapper \"{}\" does not exist", stmt.fdwname),
                     {.sqlstate = "42704",
                      .hint = "There are: file, database, stream, http. The url's scheme picks the "
                              "system."});
  }
  if (!create.if_not_exists && context.catalog.FindServer(create.server.name) != nullptr) {
    return SqlStatus(fmt::format("server \"{}\" already exists", stmt.servername),
                     {.sqlstate = kDuplicateObject});
  }
  LEAT_ASSIGN(create.server.options, BindOptions(Items(stmt.n_options, stmt.options)));
  return create;
}

Result<BoundStatement> BindCreateUserMapping(const PgQuery__CreateUserMappingStmt& stmt,
                                             const StatementContext& context) {
  CreateUserMapping create;
  create.server = stmt.servername;
  if (context.catalog.FindServer(create.server) == nullptr) {
    return SqlStatus(fmt::format("server \"{}\" does not exist", stmt.servername),
                     {.sqlstate = "42704"});
  }
  LEAT_ASSIGN(create.options, BindOptions(Items(stmt.n_options, stmt.options)));
  return create;
}

Result<BoundStatement> BindImportSchema(const PgQuery__ImportForeignSchemaStmt& stmt,
                                        const StatementContext& context) {
  ImportSchema import{.server = stmt.server_name, .schema = stmt.remote_schema};
  LEAT_RETURN(CheckServerName(import.server, context.catalog));
  if (std::string_view(stmt.local_schema) != "public") {
    return SqlStatus(fmt::format("schema \"{}\" does not exist", stmt.local_schema),
                     {.sqlstate = "3F000", .hint = "There is one schema here: INTO public."});
  }
  if (stmt.n_options > 0) {
    return SqlStatus(
        fmt::format("invalid option \"{}\"", stmt.options[0]->def_elem->defname),
        {.sqlstate = "HV00D",
         .hint = "IMPORT FOREIGN SCHEMA takes none; those of the server serve its tables."});
  }
  using Which = ImportSchema::Which;
  if (stmt.list_type == PG_QUERY__IMPORT_FOREIGN_SCHEMA_TYPE__FDW_IMPORT_SCHEMA_LIMIT_TO) {
    import.which = Which::kOnly;
  }
  if (stmt.list_type == PG_QUERY__IMPORT_FOREIGN_SCHEMA_TYPE__FDW_IMPORT_SCHEMA_EXCEPT) {
    import.which = Which::kAllBut;
  }
  for (const Node* table : Items(stmt.n_table_list, stmt.table_list)) {
    import.names.emplace_back(table->range_var->relname);
  }
  return import;
}

Result<BoundStatement> BindCreateForeignTable(const PgQuery__CreateForeignTableStmt& stmt,
                                              const StatementContext& context) {
  const PgQuery__CreateStmt& base = *stmt.base_stmt;
  CreateRelation create;
  create.if_not_exists = base.if_not_exists != 0;
  LEAT_ASSIGN(create.relation,
              NewRelation(*base.relation, RelationKind::kForeign, context, create.if_not_exists));
  Relation& relation = create.relation;
  relation.server = stmt.servername;
  LEAT_RETURN(CheckServerName(relation.server, context.catalog));
  LEAT_ASSIGN(relation.options, BindOptions(Items(stmt.n_options, stmt.options)));
  relation.infer_columns = base.n_table_elts == 0;
  LEAT_RETURN(AddTableElements(context, Items(base.n_table_elts, base.table_elts), &relation));
  for (const ColumnSpec& spec : relation.columns) {
    if (!spec.column.type.labels && !(spec.column.type.element && spec.column.type.element->labels))
      continue;
    return NotSupported(
        fmt::format("an enum in foreign table \"{}\" is not supported", relation.name),
        base.relation->location,
        fmt::format("Declare column \"{}\" text, and cast it in a view.", spec.column.name));
  }
  if (const auto on_error = relation.options.find("on_error"); on_error != relation.options.end()) {
    LEAT_ASSIGN(OnError value, OnErrorOf(on_error->second, -1));
    for (ColumnSpec& spec : relation.columns) {
      if (!spec.options.contains("on_error")) spec.on_error = value;
    }
  }
  return create;
}

Result<BoundStatement> BindCreateTable(const PgQuery__CreateStmt& stmt,
                                       const StatementContext& context) {
  CreateRelation create;
  create.if_not_exists = stmt.if_not_exists != 0;
  if (stmt.n_inh_relations > 0 || stmt.partspec != nullptr || stmt.partbound != nullptr) {
    return Misplaced("inheritance and partitioning", stmt.relation->location);
  }
  LEAT_ASSIGN(create.relation,
              NewRelation(*stmt.relation, RelationKind::kTable, context, create.if_not_exists));
  LEAT_ASSIGN(create.relation.options, BindOptions(Items(stmt.n_options, stmt.options)));
  LEAT_RETURN(AddTableElements(context, Items(stmt.n_table_elts, stmt.table_elts), &create.relation,
                               &create.sequences));
  return create;
}

Result<BoundStatement> BindCreateView(const PgQuery__ViewStmt& stmt,
                                      const StatementContext& context) {
  CreateRelation create;
  create.replace = stmt.replace != 0;
  LEAT_ASSIGN(create.relation,
              NewRelation(*stmt.view, RelationKind::kView, context, create.replace));
  LEAT_ASSIGN(create.relation.options, BindOptions(Items(stmt.n_options, stmt.options)));
  Binder binder(context.catalog);
  LEAT_ASSIGN(Query query, binder.BindQuery(*stmt.query->select_stmt));
  create.relation.sql = QueryTextOf(context.statement, stmt.query);
  LEAT_RETURN(DescribeView(query, StringsOf(Items(stmt.n_aliases, stmt.aliases)), context,
                           &create.relation));
  if (create.replace) LEAT_RETURN(CheckReplacement(create.relation, context.catalog));
  return create;
}

Result<BoundStatement> BindSelectInto(const PgQuery__SelectStmt& select,
                                      const StatementContext& context) {
  return BindTableAs(*select.into_clause, select, false, context);
}

Result<BoundStatement> BindCreateTableAs(const PgQuery__CreateTableAsStmt& stmt,
                                         const StatementContext& context) {
  if (stmt.objtype != PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
    if (!Is(stmt.query, PG_QUERY__NODE__NODE_SELECT_STMT)) {
      return Misplaced("EXECUTE", stmt.into->rel->location);
    }
    return BindTableAs(*stmt.into, *stmt.query->select_stmt, stmt.if_not_exists != 0, context);
  }
  CreateRelation create;
  create.if_not_exists = stmt.if_not_exists != 0;
  const PgQuery__IntoClause& into = *stmt.into;
  LEAT_ASSIGN(create.relation, NewRelation(*into.rel, RelationKind::kMaterializedView, context,
                                           create.if_not_exists));
  Relation& relation = create.relation;
  LEAT_ASSIGN(relation.options, BindOptions(Items(into.n_options, into.options)));
  if (!Is(stmt.query, PG_QUERY__NODE__NODE_SELECT_STMT)) {
    return Misplaced("EXECUTE", into.rel->location);
  }
  Binder binder(context.catalog);
  LEAT_ASSIGN(Query query, binder.BindQuery(*stmt.query->select_stmt));
  relation.sql = QueryTextOf(context.statement, stmt.query);
  LEAT_RETURN(
      DescribeView(query, StringsOf(Items(into.n_col_names, into.col_names)), context, &relation));
  LEAT_RETURN(CheckPrimaryOption(relation, &relation.primary_key));
  return create;
}

}  // namespace leat
