// CREATE INDEX and what goes with it: accepted, since scripts have it; UNIQUE is kept.
#include <algorithm>

#include "sql/bind_statement.h"

namespace leat {
namespace {

const IndexSpec* FindIndex(const Catalog& catalog, std::string_view name) {
  for (const auto& [table, relation] : catalog.relations()) {
    for (const IndexSpec& index : relation.indexes) {
      if (index.name == name) return &index;
    }
  }
  return nullptr;
}

// As PostgreSQL's ChooseIndexName: t_a_b_idx, t_a_b_idx1.
std::string IndexName(const Relation& table, const std::vector<std::string>& columns,
                      const Catalog& catalog) {
  std::string base = table.name;
  for (const std::string& column : columns) base += "_" + column;
  base += "_idx";
  for (int number = 0;; ++number) {
    std::string name = number == 0 ? base : fmt::format("{}{}", base, number);
    if (FindIndex(catalog, name) == nullptr && catalog.FindRelation(name) == nullptr) return name;
  }
}

Status WrongKind(const Relation& relation, int location) {
  if (relation.kind == RelationKind::kForeign || relation.kind == RelationKind::kMaterializedView) {
    return NotSupported(
        fmt::format("an index on {} \"{}\" is not supported",
                    relation.kind == RelationKind::kForeign ? "foreign table" : "materialized view",
                    relation.name),
        location, "leat indexes what its operators need by itself.");
  }
  return SqlStatus(fmt::format("cannot create index on relation \"{}\"", relation.name),
                   {.sqlstate = "42809",
                    .location = location,
                    .detail = "This operation is not supported for views."});
}

Scope ScopeOf(const Relation& relation) {
  Scope scope;
  ScopeTable& table = scope.tables.emplace_back();
  table.name = relation.name;
  for (const ColumnSpec& spec : relation.columns) {
    const auto place = static_cast<int>(table.columns.size());
    table.columns.push_back(
        {spec.column.name, ColumnExpr(place, spec.column.type), spec.column.nullable});
  }
  return scope;
}

}  // namespace

Result<BoundStatement> BindCreateIndex(const PgQuery__IndexStmt& stmt,
                                       const StatementContext& context) {
  Binder binder(context.catalog);
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  if (relation->kind != RelationKind::kTable) return WrongKind(*relation, stmt.relation->location);
  CreateIndex create;
  create.table = relation->name;
  create.index.name = stmt.idxname;
  create.index.unique = stmt.unique != 0;
  const std::string& name = create.index.name;
  const bool taken =
      FindIndex(context.catalog, name) != nullptr || context.catalog.FindRelation(name) != nullptr;
  if (!name.empty() && taken) {
    create.exists = true;
    if (stmt.if_not_exists != 0) return create;
    return SqlStatus(fmt::format("relation \"{}\" already exists", name), {.sqlstate = "42P07"});
  }
  const Scope scope = ScopeOf(*relation);
  ExprContext expressions;
  expressions.clause = Clause::kWhere;
  expressions.scope = &scope;
  std::vector<std::string> names;
  bool plain = stmt.where_clause == nullptr;
  for (const Node* node : Items(stmt.n_index_params, stmt.index_params)) {
    const PgQuery__IndexElem& element = *node->index_elem;
    if (element.expr != nullptr) {
      LEAT_RETURN(binder.BindExpr(element.expr, expressions).status());
      names.emplace_back("expr");
      plain = false;
      continue;
    }
    const int column = relation->schema().Find(element.name);
    if (column < 0) {
      return SqlStatus(fmt::format("column \"{}\" does not exist", element.name),
                       {.sqlstate = kUndefinedColumn});
    }
    names.emplace_back(element.name);
    create.index.columns.push_back(column);
  }
  if (stmt.where_clause != nullptr) {
    LEAT_RETURN(binder.BindBool(stmt.where_clause, expressions, "WHERE").status());
  }
  if (create.index.unique && !plain) {
    return NotSupported("a unique index over an expression or with WHERE is not supported",
                        stmt.relation->location);
  }
  if (stmt.nulls_not_distinct != 0) {
    return NotSupported("NULLS NOT DISTINCT is not supported", stmt.relation->location);
  }
  if (!plain) create.index.columns.clear();
  if (name.empty()) create.index.name = IndexName(*relation, names, context.catalog);
  return create;
}

Result<BoundStatement> BindDropIndex(const PgQuery__DropStmt& stmt,
                                     const StatementContext& context) {
  DropIndex drop;
  for (const Node* node : Items(stmt.n_objects, stmt.objects)) {
    const std::string name = Is(node, PG_QUERY__NODE__NODE_LIST)
                                 ? StringsOf(Items(node->list->n_items, node->list->items)).back()
                                 : std::string(StringOf(node));
    if (FindIndex(context.catalog, name) != nullptr) {
      drop.names.push_back(name);
    } else if (stmt.missing_ok == 0) {
      return SqlStatus(fmt::format("index \"{}\" does not exist", name), {.sqlstate = "42704"});
    }
  }
  return drop;
}

Result<BoundStatement> BindReindex(const PgQuery__ReindexStmt& stmt,
                                   const StatementContext& context) {
  if (stmt.relation != nullptr) {
    const std::string_view name = stmt.relation->relname;
    const bool index = stmt.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX;
    const bool known = index ? FindIndex(context.catalog, name) != nullptr
                             : context.catalog.FindRelation(name) != nullptr;
    if (!known) {
      return SqlStatus(fmt::format("relation \"{}\" does not exist", name),
                       {.sqlstate = kUndefinedTable});
    }
  }
  return Maintenance{"REINDEX"};
}

Result<BoundStatement> BindVacuum(const PgQuery__VacuumStmt& stmt,
                                  const StatementContext& context) {
  Binder binder(context.catalog);
  for (const Node* node : Items(stmt.n_rels, stmt.rels)) {
    LEAT_RETURN(binder.FindRelation(*node->vacuum_relation->relation).status());
  }
  return Maintenance{stmt.is_vacuumcmd != 0 ? "VACUUM" : "ANALYZE"};
}

}  // namespace leat
