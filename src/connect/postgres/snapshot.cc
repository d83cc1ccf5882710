#include "connect/postgres/snapshot.h"

namespace leat {
namespace {

// The order in which KeyEncoder puts a column's values, by an expression there.
std::string KeyExpression(const std::string& quoted, const Type& here, const Type& there) {
  if (here.is_string()) return quoted + "::text COLLATE \"C\"";
  return here == there ? quoted : quoted + "::" + PostgresTypeName(here);
}

// What a type's output function prints, as the stream sends it; a cast to text may be something
// else (an inet's). The test is one of the value itself, also of a row of nulls.
std::string OutputOf(const std::string& quoted) {
  return fmt::format("CASE WHEN {0} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', {0}) END",
                     quoted);
}

std::string SelectOf(const Captured& table, const std::vector<WireColumn>& columns,
                     const std::vector<std::string>& after) {
  const Relation& relation = *table.relation;
  std::vector<std::string> items, keys, literals;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string quoted = QuotePostgresName(table.OutsideName(i));
    items.push_back(columns[i].there.binary ? quoted : OutputOf(quoted));
  }
  for (const int column : relation.primary_key) {
    const auto at = static_cast<size_t>(column);
    const Type& here = relation.columns[at].column.type;
    keys.push_back(
        KeyExpression(QuotePostgresName(table.OutsideName(at)), here, columns[at].there.type));
    if (literals.size() >= after.size()) continue;
    const std::string literal = QuotePostgresText(after[literals.size()]);
    literals.push_back(literal + (here.is_string() ? "::text" : "::" + PostgresTypeName(here)));
  }
  std::string sql = fmt::format("SELECT {} FROM {}", fmt::join(items, ", "), table.name.quoted());
  if (!after.empty()) {
    sql += fmt::format(" WHERE ({}) > ({})", fmt::join(keys, ", "), fmt::join(literals, ", "));
  }
  return keys.empty() ? sql : sql + fmt::format(" ORDER BY {}", fmt::join(keys, ", "));
}

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(
    std::unique_ptr<PostgresConnection> sql, const std::string& exported) {
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(std::move(sql)));
  constexpr std::string_view kWhat = "read a snapshot";
  LEAT_RETURN(reader->sql_->Execute(  // it takes as long as it takes
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0", kWhat));
  LEAT_RETURN(reader->sql_->Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", kWhat));
  if (!exported.empty()) {
    LEAT_RETURN(
        reader->sql_->Execute("SET TRANSACTION SNAPSHOT " + QuotePostgresText(exported), kWhat));
  }
  // txid_… is what version 12 calls it. The place in the log is asked for after the snapshot.
  LEAT_ASSIGN(const PostgresRows snapshot,
              reader->sql_->Query("SELECT pg_catalog.txid_current_snapshot()", kWhat));
  reader->snapshot_ = snapshot.Text(0, 0);
  LEAT_ASSIGN(const PostgresRows place,
              reader->sql_->Query("SELECT pg_catalog.pg_current_wal_insert_lsn()", kWhat));
  if (!ParseLsn(place.Text(0, 0), &reader->until_)) return Status::IOError("no place in the log");
  return reader;
}

Status SnapshotReader::Begin(const Captured& table, const std::vector<WireColumn>& columns,
                             const std::vector<std::string>& after) {
  LEAT_RETURN(sql_->BeginCopyOut(
      fmt::format("COPY ({}) TO STDOUT (FORMAT binary)", SelectOf(table, columns, after)),
      fmt::format("read table \"{}\"", table.name.text())));
  reading_ = &table;
  return Status::OK();
}

Result<bool> SnapshotReader::Next(int64_t bytes_max, std::string* bytes) {
  while (static_cast<int64_t>(bytes->size()) < bytes_max) {
    LEAT_ASSIGN(const auto piece, sql_->NextCopyOut());
    if (!piece) {
      reading_ = nullptr;
      return false;
    }
    bytes->append(*piece);
  }
  return true;
}

bool AddCopiedRows(std::string_view bytes, size_t columns, Lsn lsn, TableRows* rows) {
  bool well = true;
  BinaryRows reader(static_cast<int>(columns));
  const bool read = reader.Read(
      bytes,
      [&](int column, const std::string_view* value) {
        const auto at = static_cast<size_t>(column);
        if (value == nullptr) {
          rows->Null(at);
        } else {
          well = rows->Value(at, *value) && well;
        }
      },
      [&] { rows->End(1, lsn, /*moved=*/false, /*read=*/true); });
  return read && well;
}

Result<std::vector<WireColumn>> SnapshotColumns(PostgresTypes* types, const CapturedTable& table) {
  std::vector<WireColumn> columns;
  for (const CapturedColumn& column : table.columns) {
    LEAT_ASSIGN(PostgresMeaning there, types->MeaningOf(column.type));
    // What is cast to text there comes as text's bytes.
    if (!there.binary) there.type = TypeId::kText;
    columns.push_back({.there = std::move(there), .binary = true});
  }
  return columns;
}

}  // namespace leat
