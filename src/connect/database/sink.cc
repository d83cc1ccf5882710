#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <xxhash.h>

#include <algorithm>
#include <functional>

#include "connect/database/connection.h"
#include "connect/database/database.h"
#include "connect/database/dialect.h"
#include "connect/database/table.h"
#include "connect/weights.h"
#include "data/key.h"

namespace leat {
namespace {

// Temporary tables of the sink's own connection: rows that came, keys that went. Nobody else sees
// them, they lock nothing, and a crash forgets them.
constexpr const char* kCame = "leat_came";
constexpr const char* kWent = "leat_went";

class DatabaseSink : public Sink {
 public:
  DatabaseSink(SinkSpec spec, DatabaseUrl url)
      : spec_(std::move(spec)),
        url_(std::move(url)),
        table_(TableName(spec_.options, spec_.name)),
        what_(fmt::format("write table \"{}\"", table_)) {
    for (int i = 0; i < spec_.schema.size(); ++i) all_.push_back(i);
  }

  Result<std::optional<Mark>> Open() override;
  Status Write(const Batch& batch) override;
  Status Commit(int64_t epoch) override;
  int64_t staged_bytes() const override { return staged_bytes_; }
  Status Reset() override;

 private:
  const Column& ColumnAt(int i) const { return spec_.schema.columns[static_cast<size_t>(i)]; }
  bool upsert() const { return spec_.mode == SinkMode::kUpsert; }

  // Everything that one transaction of Open does.
  Status Prepare();
  Status CreateStaging(const char* name, const std::vector<int>& columns);
  Status CheckUnique();
  Status Stage(const char* name, const std::vector<int>& columns, const Batch& rows);
  Status StageWent(const Batch& rows);
  Status RefuseNullKeys(const Batch& rows) const;
  Status RememberKeys(const Batch& rows);
  Status RefuseDoubles();
  // "a, b": the names, each as `each` makes it.
  template <typename Each>
  std::string List(const std::vector<int>& columns, const char* between, Each each) const {
    std::vector<std::string> items;
    for (const int column : columns)
      items.push_back(each(QuoteName(ColumnAt(column).name), column));
    return fmt::format("{}", fmt::join(items, between));
  }
  std::string Names(const std::vector<int>& columns) const {
    return List(columns, ", ", [](const std::string& name, int) { return name; });
  }
  std::string InsertSql() const;
  // Rows of `of` whose key is also in the staging table `in`.
  std::string KeyIn(const std::string& of, const char* in) const;
  Status Apply();
  Status Forget();
  Status Drop();
  Status RefuseOlderTable() const;
  static Status Together(Connection* connection, const std::function<Status()>& work);
  static Status GiveUp(Connection* connection, const Status& why);

  const SinkSpec spec_;
  const DatabaseUrl url_;
  const std::string table_;
  const std::string what_;
  std::vector<int> all_;
  std::unique_ptr<Connection> connection_;
  bool created_ = false;
  int64_t staged_bytes_ = 0;
  int64_t rows_came_ = 0;
  int64_t rows_went_ = 0;
  std::vector<uint64_t> keys_came_;  // hashes, to notice a key that came twice
};

Result<std::optional<Mark>> DatabaseSink::Open() {
  connection_.reset();
  LEAT_ASSIGN(connection_, Connection::Open(url_));
  // Readers go on while we write. It is a lasting property of the file, set outside transactions.
  if (url_.system == System::kSqlite) {
    LEAT_RETURN(connection_->Query("PRAGMA journal_mode = WAL", what_).status());
  }
  LEAT_RETURN(connection_->Begin());
  const Status prepared = Prepare();
  if (!prepared.ok()) return GiveUp(connection_.get(), prepared);
  LEAT_RETURN(connection_->Commit());
  LEAT_RETURN(CreateStaging(kCame, all_));
  if (upsert()) {
    LEAT_RETURN(CreateStaging(kWent, spec_.key));
    LEAT_RETURN(CheckUnique());
  }
  staged_bytes_ = rows_came_ = rows_went_ = 0;
  keys_came_.clear();
  LEAT_ASSIGN(const auto found, ReadMark(connection_.get(), table_));
  return found ? found->mark : std::nullopt;
}

Status DatabaseSink::Prepare() {
  LEAT_RETURN(CreateMarks(connection_.get()));
  LEAT_ASSIGN(const auto there, ColumnsOf(connection_.get(), table_));
  if (!there.empty()) {
    LEAT_ASSIGN(const auto found, ReadMark(connection_.get(), table_));
    created_ = found && found->created;
    return AddColumns(connection_.get(), table_, spec_, there);
  }
  // A table that was dropped takes its mark with it.
  created_ = true;
  LEAT_RETURN(CreateTable(connection_.get(), table_, spec_));
  return WriteMark(connection_.get(), table_, {.mark = std::nullopt, .created = true});
}

Status DatabaseSink::CreateStaging(const char* name, const std::vector<int>& columns) {
  return connection_->Execute(
      fmt::format("CREATE TEMPORARY TABLE {} ({})", name,
                  List(columns, ", ",
                       [&](const std::string& quoted, int column) {
                         return quoted + " " + StagedType(url_.system, ColumnAt(column).type);
                       })),
      what_);
}

// The table may be older than the sink: its key must be unique for ON CONFLICT.
Status DatabaseSink::CheckUnique() {
  const Status planned = connection_->Query("EXPLAIN " + InsertSql(), what_).status();
  const bool refused = planned.message().find("ON CONFLICT") != std::string::npos ||    // SQLite
                       planned.message().find("conflict target") != std::string::npos;  // DuckDB
  if (planned.ok() || !refused) return planned;
  return SqlStatus(
      fmt::format("table \"{}\" in \"{}\" has no unique constraint on ({})", table_, url_.text,
                  Names(spec_.key)),
      {.sqlstate = "42P10",
       .hint = fmt::format("CREATE UNIQUE INDEX ON {} ({}) there.", table_, Names(spec_.key))});
}

Status DatabaseSink::Stage(const char* name, const std::vector<int>& columns, const Batch& rows) {
  if (rows.rows == 0) return Status::OK();
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const int i : columns) {
    const Column& column = ColumnAt(i);
    LEAT_ASSIGN(auto lowered, Lower(url_.system, rows.columns[static_cast<size_t>(i)], column.type,
                                    table_, column.name));
    fields.push_back(arrow::field(column.name, lowered->type()));
    arrays.push_back(std::move(lowered));
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), rows.rows, arrays);
  LEAT_RETURN(connection_->Ingest(name, *batch, what_));
  staged_bytes_ += MemoryOf(rows);
  return Status::OK();
}

Status DatabaseSink::RefuseNullKeys(const Batch& rows) const {
  for (const int i : spec_.key) {
    if (rows.columns[static_cast<size_t>(i)]->null_count() == 0) continue;
    return SqlStatus(
        fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    ColumnAt(i).name, table_),
        {.sqlstate = "23502",
         .hint = fmt::format("A key cannot be null: add WHERE {} IS NOT NULL, or coalesce().",
                             ColumnAt(i).name)});
  }
  return Status::OK();
}

Status DatabaseSink::RememberKeys(const Batch& rows) {
  std::vector<KeyColumn> types;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const int i : spec_.key) {
    types.push_back({.type = ColumnAt(i).type});
    columns.push_back(rows.columns[static_cast<size_t>(i)]);
  }
  Strings keys;
  LEAT_RETURN(KeyEncoder(std::move(types)).Encode(columns, rows.rows, &keys));
  for (int64_t i = 0; i < keys.size(); ++i) {
    keys_came_.push_back(XXH3_64bits(keys[i].data(), keys[i].size()));
  }
  return Status::OK();
}

std::string DatabaseSink::KeyIn(const std::string& of, const char* in) const {
  const auto equal = List(spec_.key, " AND ", [&](const std::string& name, int column) {
    const auto staged = fmt::format("{}.{}", in, name);
    const auto value = RaiseExpression(url_.system, ColumnAt(column).type, staged);
    return fmt::format("{} = {}.{}", value, of, name);
  });
  return fmt::format("EXISTS (SELECT 1 FROM {} WHERE {})", in, equal);
}

Status DatabaseSink::StageWent(const Batch& rows) {
  if (rows.rows == 0) return Status::OK();
  LEAT_RETURN(RefuseNullKeys(rows));
  rows_went_ += rows.rows;
  if (rows_came_ == 0) return Stage(kWent, spec_.key, rows);
  // A later epoch of the same commit: what it takes back is not to be inserted either.
  LEAT_RETURN(Stage(kWent, spec_.key, rows));
  LEAT_RETURN(connection_->Execute(
      fmt::format("DELETE FROM {} WHERE {}", kCame, KeyIn(kCame, kWent)), what_));
  keys_came_.clear();
  return Status::OK();
}

Status DatabaseSink::Write(const Batch& batch) {
  if (!upsert()) {
    LEAT_ASSIGN(const Batch rows, RowsThatCame(batch, spec_.name));
    rows_came_ += rows.rows;
    return Stage(kCame, all_, rows);
  }
  LEAT_ASSIGN(const CameAndWent split, SplitByWeight(batch));
  LEAT_RETURN(StageWent(split.went));
  if (split.came.rows == 0) return Status::OK();
  LEAT_RETURN(RefuseNullKeys(split.came));
  LEAT_RETURN(RememberKeys(split.came));
  rows_came_ += split.came.rows;
  return Stage(kCame, all_, split.came);
}

// Two rows for one key: the query's answer cannot be kept in this table.
Status DatabaseSink::RefuseDoubles() {
  std::sort(keys_came_.begin(), keys_came_.end());
  const bool maybe = std::adjacent_find(keys_came_.begin(), keys_came_.end()) != keys_came_.end() ||
                     static_cast<int64_t>(keys_came_.size()) != rows_came_;
  if (!maybe) return Status::OK();
  const std::string keys = Names(spec_.key);
  const std::string texts = List(spec_.key, " || ', ' || ", [](const std::string& name, int) {
    return fmt::format("CAST({} AS VARCHAR)", name);
  });
  LEAT_ASSIGN(const auto doubles,
              connection_->Query(fmt::format("SELECT {} FROM {} GROUP BY {} HAVING count(*) > 1 "
                                             "ORDER BY 1 LIMIT 1",
                                             texts, kCame, keys),
                                 what_));
  if (doubles.empty() || doubles[0]->num_rows() == 0) return Status::OK();
  const auto& value = static_cast<const arrow::StringArray&>(*doubles[0]->column(0));
  return SqlStatus(fmt::format("two rows for one key of sink \"{}\"", spec_.name),
                   {.sqlstate = "21000",
                    .detail = fmt::format("Key ({})=({}) came twice.", keys, value.GetString(0)),
                    .hint = "Group by the key in the query, or choose a key that is unique."});
}

std::string DatabaseSink::InsertSql() const {
  const auto values = List(all_, ", ", [&](const std::string& name, int column) {
    return RaiseExpression(url_.system, ColumnAt(column).type, name);
  });
  auto sql = fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} WHERE true", QuoteName(table_),
                         Names(all_), values, kCame);
  if (!upsert()) return sql;
  // In the key's order, so that SQLite goes through its tree once, from left to right.
  if (url_.system == System::kSqlite) sql += " ORDER BY " + Names(spec_.key);
  std::vector<int> rest;
  for (const int i : all_) {
    if (std::find(spec_.key.begin(), spec_.key.end(), i) == spec_.key.end()) rest.push_back(i);
  }
  sql += fmt::format(" ON CONFLICT ({}) DO ", Names(spec_.key));
  if (rest.empty()) return sql + "NOTHING";
  return sql + "UPDATE SET " + List(rest, ", ", [](const std::string& name, int) {
           return fmt::format("{0} = excluded.{0}", name);
         });
}

Status DatabaseSink::Apply() {
  if (rows_went_ > 0) {
    // Not the rows that are updated: they keep the columns that are not ours.
    std::string sql =
        fmt::format("DELETE FROM {} WHERE {}", QuoteName(table_), KeyIn(QuoteName(table_), kWent));
    if (rows_came_ > 0) sql += fmt::format(" AND NOT {}", KeyIn(QuoteName(table_), kCame));
    LEAT_RETURN(connection_->Execute(sql, what_));
  }
  if (rows_came_ == 0) return Status::OK();
  return connection_->Execute(InsertSql(), what_);
}

Status DatabaseSink::Forget() {
  if (rows_came_ > 0)
    LEAT_RETURN(connection_->Execute(fmt::format("DELETE FROM {}", kCame), what_));
  if (rows_went_ > 0)
    LEAT_RETURN(connection_->Execute(fmt::format("DELETE FROM {}", kWent), what_));
  staged_bytes_ = rows_came_ = rows_went_ = 0;
  keys_came_.clear();
  return Status::OK();
}

Status DatabaseSink::Commit(int64_t epoch) {
  if (upsert() && rows_came_ > 0) LEAT_RETURN(RefuseDoubles());
  LEAT_RETURN(connection_->Begin());
  Status status = Apply();
  const Mark mark{.state = spec_.state, .statement = spec_.statement, .epoch = epoch};
  if (status.ok()) {
    status = WriteMark(connection_.get(), table_, {.mark = mark, .created = created_});
  }
  if (status.ok()) status = connection_->Commit();
  if (!status.ok()) return GiveUp(connection_.get(), status);
  return Forget();
}

Status DatabaseSink::RefuseOlderTable() const {
  return NotSupported(
      fmt::format("table \"{}\" in \"{}\" was there before leat: which of its rows are leat's is "
                  "not known",
                  table_, url_.text),
      -1, fmt::format("Delete them there, and the row of \"{}\" in leat_marks.", table_));
}

// Either all of this or nothing.
Status DatabaseSink::Together(Connection* connection, const std::function<Status()>& work) {
  LEAT_RETURN(connection->Begin());
  const Status status = work();
  return status.ok() ? connection->Commit() : GiveUp(connection, status);
}

// What failed first is what is told: a system that rolled back by itself, as SQLite does on a full
// disk, refuses to be told to.
Status DatabaseSink::GiveUp(Connection* connection, const Status& why) {
  static_cast<void>(connection->Rollback());
  return why;
}

// Before Open the query may have changed, and its columns: what leat made, it makes again.
Status DatabaseSink::Drop() {
  LEAT_ASSIGN(const auto connection, Connection::Open(url_));
  LEAT_RETURN(CreateMarks(connection.get()));
  LEAT_ASSIGN(const auto found, ReadMark(connection.get(), table_));
  if (!found) return Status::OK();
  if (!found->created) return found->mark ? RefuseOlderTable() : Status::OK();
  return Together(connection.get(), [&]() -> Status {
    LEAT_RETURN(connection->Execute("DROP TABLE IF EXISTS " + QuoteName(table_), what_));
    return connection->Execute("DELETE FROM leat_marks WHERE target = " + QuoteText(table_), what_);
  });
}

Status DatabaseSink::Reset() {
  if (!connection_) return Drop();
  LEAT_RETURN(Forget());
  LEAT_ASSIGN(const auto found, ReadMark(connection_.get(), table_));
  if (!found || !found->mark) return Status::OK();
  if (!created_) return RefuseOlderTable();
  return Together(connection_.get(), [&]() -> Status {
    LEAT_RETURN(connection_->Execute("DELETE FROM " + QuoteName(table_), what_));
    return WriteMark(connection_.get(), table_, {.mark = std::nullopt, .created = true});
  });
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeDatabaseSink(SinkSpec spec) {
  if (spec.mode != SinkMode::kAppend && spec.mode != SinkMode::kUpsert) {
    return NotSupported(
        fmt::format("sink \"{}\": a database sink has no other modes than "
                    "\"append\" and \"upsert\" yet",
                    spec.name));
  }
  LEAT_ASSIGN(DatabaseUrl url, UrlOf(spec.server));
  return std::make_unique<DatabaseSink>(std::move(spec), std::move(url));
}

}  // namespace leat
