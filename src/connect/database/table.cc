#include "connect/database/table.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "connect/database/dialect.h"

namespace leat {
namespace {

// One column of all batches as texts, "" for null.
std::vector<std::string> Texts(const RecordBatches& batches, int column) {
  std::vector<std::string> texts;
  for (const auto& batch : batches) {
    const auto& array = static_cast<const arrow::StringArray&>(*batch->column(column));
    for (int64_t row = 0; row < array.length(); ++row) {
      texts.push_back(array.IsNull(row) ? std::string() : array.GetString(row));
    }
  }
  return texts;
}

// On one line, and not the end of a comment.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\r', ' ');
  return text;
}

std::string KeyClause(const SinkSpec& spec) {
  if (spec.mode != SinkMode::kUpsert) return {};
  std::vector<std::string> names;
  for (const int column : spec.key) {
    names.push_back(QuoteName(spec.schema.columns[static_cast<size_t>(column)].name));
  }
  return fmt::format("PRIMARY KEY ({})", fmt::join(names, ", "));
}

Status CommentOnDuckdb(Connection* connection, const std::string& table, const SinkSpec& spec) {
  const auto what = fmt::format("comment on table \"{}\"", table);
  if (!spec.comment.empty()) {
    LEAT_RETURN(connection->Execute(
        fmt::format("COMMENT ON TABLE {} IS {}", QuoteName(table), QuoteText(spec.comment)), what));
  }
  for (size_t i = 0; i < spec.comments.size(); ++i) {
    if (spec.comments[i].empty()) continue;
    LEAT_RETURN(connection->Execute(
        fmt::format("COMMENT ON COLUMN {}.{} IS {}", QuoteName(table),
                    QuoteName(spec.schema.columns[i].name), QuoteText(spec.comments[i])),
        what));
  }
  return Status::OK();
}

}  // namespace

Result<std::vector<TableColumn>> ColumnsOf(Connection* connection, const std::string& table) {
  const std::string sql =
      connection->system() == System::kSqlite
          ? fmt::format("SELECT name, coalesce(type, '') FROM pragma_table_info({}) ORDER BY cid",
                        QuoteText(table))
          : fmt::format(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = {} "
                "AND database_name = current_database() AND schema_name = "
                "current_schema() ORDER BY column_index",
                QuoteText(table));
  LEAT_ASSIGN(const auto batches,
              connection->Query(sql, fmt::format("look at table \"{}\"", table)));
  std::vector<TableColumn> columns;
  if (batches.empty() || batches[0]->num_rows() == 0) return columns;
  const auto names = Texts(batches, 0);
  const auto types = Texts(batches, 1);
  for (size_t i = 0; i < names.size(); ++i) columns.push_back({names[i], types[i]});
  return columns;
}

Status CreateTable(Connection* connection, const std::string& table, const SinkSpec& spec) {
  const bool sqlite = connection->system() == System::kSqlite;
  const std::string key = KeyClause(spec);
  std::string sql = fmt::format("CREATE TABLE {} (", QuoteName(table));
  if (sqlite && !spec.comment.empty()) sql += " -- " + OneLine(spec.comment);
  for (int i = 0; i < spec.schema.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    const Column& column = spec.schema.columns[at];
    const bool in_key = spec.mode == SinkMode::kUpsert &&
                        std::find(spec.key.begin(), spec.key.end(), i) != spec.key.end();
    const bool last = i + 1 == spec.schema.size() && key.empty();
    sql += fmt::format("\n  {} {}{}{}", QuoteName(column.name),
                       DeclaredType(connection->system(), column.type), in_key ? " NOT NULL" : "",
                       last ? "" : ",");
    if (sqlite && at < spec.comments.size() && !spec.comments[at].empty()) {
      sql += " -- " + OneLine(spec.comments[at]);
    }
  }
  if (!key.empty()) sql += "\n  " + key;
  // SQLite then keeps the rows in the key's tree, not in a second one beside it.
  sql += sqlite && !key.empty() ? "\n) WITHOUT ROWID" : "\n)";
  LEAT_RETURN(connection->Execute(sql, fmt::format("create table \"{}\"", table)));
  return sqlite ? Status::OK() : CommentOnDuckdb(connection, table, spec);
}

Status AddColumns(Connection* connection, const std::string& table, const SinkSpec& spec,
                  const std::vector<TableColumn>& there) {
  for (const Column& column : spec.schema.columns) {
    const auto found = std::find_if(there.begin(), there.end(), [&](const TableColumn& each) {
      return each.name == column.name;
    });
    const std::string declared = DeclaredType(connection->system(), column.type);
    if (found == there.end()) {
      LEAT_RETURN(connection->Execute(
          fmt::format("ALTER TABLE {} ADD COLUMN {} {}", QuoteName(table), QuoteName(column.name),
                      declared),
          fmt::format("add column \"{}\" to table \"{}\"", column.name, table)));
    } else if (!CanHold(connection->system(), found->declared, column.type)) {
      return SqlStatus(
          fmt::format(
              "column \"{}\" of table \"{}\" in \"{}\" is of type {} but the query gives {}",
              column.name, table, connection->url().text, found->declared, TypeName(column.type)),
          {.sqlstate = kDatatypeMismatch,
           .hint = "Cast the expression in the query, or change the column there."});
    }
  }
  return Status::OK();
}

Status CreateMarks(Connection* connection) {
  return connection->Execute(
      "CREATE TABLE IF NOT EXISTS leat_marks (target VARCHAR NOT NULL PRIMARY KEY, "
      "state VARCHAR NOT NULL, statement VARCHAR NOT NULL, epoch BIGINT NOT NULL, "
      "created BIGINT NOT NULL)",
      "create table \"leat_marks\"");
}

Result<std::optional<TableMark>> ReadMark(Connection* connection, const std::string& table) {
  LEAT_ASSIGN(
      const auto batches,
      connection->Query(fmt::format("SELECT state, statement, CAST(epoch AS VARCHAR), "
                                    "CAST(created AS VARCHAR) FROM leat_marks WHERE target = {}",
                                    QuoteText(table)),
                        "read table \"leat_marks\""));
  if (batches.empty() || batches[0]->num_rows() == 0) return std::nullopt;
  TableMark found{.created = Texts(batches, 3)[0] != "0"};
  Mark mark{.state = Texts(batches, 0)[0],
            .statement = Texts(batches, 1)[0],
            .epoch = std::strtoll(Texts(batches, 2)[0].c_str(), nullptr, 10)};
  if (!mark.state.empty()) found.mark = std::move(mark);
  return found;
}

Status WriteMark(Connection* connection, const std::string& table, const TableMark& mark) {
  const Mark value = mark.mark.value_or(Mark{.epoch = -1});
  return connection->Execute(
      fmt::format("INSERT INTO leat_marks (target, state, statement, epoch, created) "
                  "VALUES ({}, {}, {}, {}, {}) ON CONFLICT (target) DO UPDATE SET "
                  "state = excluded.state, statement = excluded.statement, "
                  "epoch = excluded.epoch, created = excluded.created",
                  QuoteText(table), QuoteText(value.state), QuoteText(value.statement), value.epoch,
                  mark.created ? 1 : 0),
      "write table \"leat_marks\"");
}

}  // namespace leat
