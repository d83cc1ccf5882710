#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "connect/database/connection.h"
#include "connect/database/database.h"
#include "connect/database/dialect.h"
#include "connect/database/table.h"

namespace leat {
namespace {

// SELECT value, is-null, value, is-null, … in the relation's order.
std::string Select(System system, const Relation& relation, const std::string& table) {
  std::vector<std::string> items;
  for (const ColumnSpec& column : relation.columns) {
    const std::string name =
        QuoteName(column.outside_name.empty() ? column.column.name : column.outside_name);
    items.push_back(ReadExpression(system, column.column.type, name));
    items.push_back(fmt::format("CAST({} IS NULL AS BIGINT)", name));
  }
  if (items.empty()) items.emplace_back("1");
  return fmt::format("SELECT {} FROM {}", fmt::join(items, ", "), QuoteName(table));
}

Result<Batch> RaiseRows(System system, const Relation& relation, const arrow::RecordBatch& rows) {
  Batch batch{.rows = rows.num_rows()};
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const int at = static_cast<int>(2 * i);
    LEAT_ASSIGN(auto column, Raise(system, *rows.column(at), *rows.column(at + 1),
                                   relation.columns[i].column.type));
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

Status NoTable(const DatabaseUrl& url, const std::string& table, int location) {
  return SqlStatus(fmt::format("relation \"{}\" does not exist in \"{}\"", table, url.text),
                   {.sqlstate = kUndefinedTable, .location = location});
}

}  // namespace

Result<std::unique_ptr<Source>> MakeDatabaseSource(const Server& server, const Relation& relation) {
  return NotSupported(
      fmt::format(
          "foreign table \"{}\" of server \"{}\" cannot be followed: a database is no source "
          "of changes yet",
          relation.name, server.name),
      relation.location, "A plain SELECT reads it as it is now.");
}

Result<Schema> InferTableColumns(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(const DatabaseUrl url, UrlOf(server));
  LEAT_ASSIGN(const auto connection, Connection::Open(url));
  const std::string table = TableName(relation.options, relation.name);
  LEAT_ASSIGN(const auto columns, ColumnsOf(connection.get(), table));
  if (columns.empty()) return NoTable(url, table, relation.location);
  Schema schema;
  for (const TableColumn& column : columns) {
    schema.columns.push_back({column.name, TypeOfDeclared(url.system, column.declared)});
  }
  return schema;
}

Status ReadTable(const Server& server, const Relation& relation, const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const DatabaseUrl url, UrlOf(server));
  LEAT_ASSIGN(const auto connection, Connection::Open(url));
  const std::string table = TableName(relation.options, relation.name);
  LEAT_ASSIGN(const auto columns, ColumnsOf(connection.get(), table));
  if (columns.empty()) return NoTable(url, table, relation.location);
  return connection->QueryEach(Select(url.system, relation, table),
                               fmt::format("read table \"{}\"", table),
                               [&](const arrow::RecordBatch& rows) -> Status {
                                 if (rows.num_rows() == 0) return Status::OK();
                                 Arrival arrival{.place = table, .rows_read = rows.num_rows()};
                                 LEAT_ASSIGN(arrival.batch, RaiseRows(url.system, relation, rows));
                                 return visit(arrival);
                               });
}

Result<std::optional<Mark>> ReadTableMark(const SinkSpec& spec) {
  LEAT_ASSIGN(const DatabaseUrl url, UrlOf(spec.server));
  LEAT_ASSIGN(const auto connection, Connection::Open(url));
  LEAT_ASSIGN(const auto marks, ColumnsOf(connection.get(), "leat_marks"));
  if (marks.empty()) return std::optional<Mark>();
  LEAT_ASSIGN(const auto found, ReadMark(connection.get(), TableName(spec.options, spec.name)));
  return found ? found->mark : std::nullopt;
}

}  // namespace leat
