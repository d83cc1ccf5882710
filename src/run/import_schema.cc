#include "run/import_schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/connectors.h"

namespace leat {
namespace {

// What is kept of a statement stands beside the columns of relations, under names that no relation
// has: "import SERVER SCHEMA …". A list of names is kept as columns of type text.
std::string StatementKey(const ImportSchema& import) {
  const char* which = import.which == ImportSchema::Which::kAll    ? ""
                      : import.which == ImportSchema::Which::kOnly ? " only "
                                                                   : " but ";
  return fmt::format("import {} {}{}{}", import.server, import.schema, which,
                     fmt::join(import.names, " "));
}

std::string TableKey(const ImportSchema& import, const std::string& table, const char* part) {
  return fmt::format("import {} {} {}: {}", import.server, import.schema, part, table);
}

Column Text(std::string text) { return {std::move(text), TypeId::kText}; }

// The foreign table that stands for a table there.
Relation ForeignTable(const ImportSchema& import, const std::string& table) {
  Relation relation{.name = table, .kind = RelationKind::kForeign, .server = import.server};
  relation.options = {{"schema", import.schema}, {"table", table}};
  return relation;
}

}  // namespace

Result<std::vector<Relation>> ImportTables(const ImportSchema& import, const Server& server) {
  const auto named = [&](const std::string& table) {
    return std::find(import.names.begin(), import.names.end(), table) != import.names.end();
  };
  std::vector<std::string> there;
  LEAT_ASSIGN(auto relations, ImportRelations(server, import.schema, [&](const std::string& table) {
                there.push_back(table);
                return import.which == ImportSchema::Which::kAll ||
                       named(table) == (import.which == ImportSchema::Which::kOnly);
              }));
  for (const std::string& name : import.names) {
    if (std::find(there.begin(), there.end(), name) != there.end()) continue;
    const auto nearest = NearestName(name, there);
    return SqlStatus(
        fmt::format("relation \"{}\" does not exist in schema \"{}\" of server \"{}\"", name,
                    import.schema, import.server),
        {.sqlstate = kUndefinedTable,
         .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest) : std::string()});
  }
  for (Relation& relation : relations) {
    Relation table = ForeignTable(import, relation.name);
    table.columns = std::move(relation.columns);
    table.primary_key = std::move(relation.primary_key);
    table.comment = std::move(relation.comment);
    relation = std::move(table);
  }
  return relations;
}

std::optional<std::vector<Relation>> PinnedImport(const ImportSchema& import,
                                                  const PinnedColumns& pinned) {
  const auto tables = pinned.find(StatementKey(import));
  if (tables == pinned.end()) return std::nullopt;
  std::vector<Relation> relations;
  for (const Column& table : tables->second) {
    const auto part = [&](const char* name) {
      const auto found = pinned.find(TableKey(import, table.name, name));
      return found == pinned.end() ? std::vector<Column>() : found->second;
    };
    Relation relation = ForeignTable(import, table.name);
    const auto comments = part("comments");
    for (const Column& column : part("columns")) {
      ColumnSpec spec{.column = column, .outside_name = column.name};
      const size_t at = relation.columns.size() + 1;
      if (at < comments.size()) spec.comment = comments[at].name;
      relation.columns.push_back(std::move(spec));
    }
    if (!comments.empty()) relation.comment = comments[0].name;
    const Schema schema = relation.schema();
    for (const Column& column : part("key")) {
      relation.primary_key.push_back(schema.Find(column.name));
    }
    relations.push_back(std::move(relation));
  }
  return relations;
}

void PinImport(const ImportSchema& import, const std::vector<Relation>& relations,
               PinnedColumns* pinned) {
  auto& tables = (*pinned)[StatementKey(import)];
  for (const Relation& relation : relations) {
    tables.push_back(Text(relation.name));
    auto& columns = (*pinned)[TableKey(import, relation.name, "columns")];
    auto& comments = (*pinned)[TableKey(import, relation.name, "comments")];
    auto& key = (*pinned)[TableKey(import, relation.name, "key")];
    comments.push_back(Text(relation.comment));
    for (const ColumnSpec& spec : relation.columns) {
      columns.push_back(spec.column);
      comments.push_back(Text(spec.comment));
    }
    for (const int column : relation.primary_key) {
      key.push_back(Text(relation.columns[static_cast<size_t>(column)].column.name));
    }
  }
}

}  // namespace leat
