#include <arrow/array.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "connect/postgres/copy_encoder.h"
#include "connect/postgres/table.h"
#include "connect/postgres/tables.h"
#include "connect/weights.h"
#include "data/text.h"

namespace leat {
namespace {

// Temporary tables of the sink's own session: rows that came, keys that went. Nobody else sees
// them, and every commit empties them.
constexpr const char* kCame = "pg_temp.leat_came";
constexpr const char* kWent = "pg_temp.leat_went";
// Which of several deletes in one commit a key is of: leat_went has it beside the key.
constexpr const char* kStep = "leat_step";

// What is staged waits here until it is so much, or the commit: a transaction is not kept open for
// a few rows that wait for `flush_interval`.
constexpr size_t kBufferBytesMax = 4 << 20;

class PostgresSink : public Sink {
 public:
  explicit PostgresSink(SinkSpec spec)
      : spec_(std::move(spec)),
        target_(TableNameOf(spec_.server, spec_.options, spec_.name)),
        what_(fmt::format("write table \"{}\"", target_.text())) {
    for (int i = 0; i < spec_.schema.size(); ++i) all_.push_back(i);
  }

  Result<std::optional<Mark>> Open() override;
  Status Write(const Batch& batch) override;
  Status Commit(int64_t epoch) override;
  int64_t staged_bytes() const override { return staged_bytes_; }
  Status Reset() override;

 private:
  // A table that a COPY fills: the target itself, or one that is staged into.
  enum class Into : uint8_t { kNone, kTarget, kCame, kWent };

  const Column& ColumnAt(int i) const { return spec_.schema.columns[static_cast<size_t>(i)]; }
  bool upsert() const { return spec_.mode == SinkMode::kUpsert; }

  // --- Open
  Status Prepare();
  Status RefuseOthersRows() const;
  Status MakeEncoders(const PostgresTable& table);
  Status CreateStaging();
  Status CheckUnique();

  // --- Rows
  Status Begin();
  Status Put(Into into, const CopyEncoder& encoder, const Batch& rows);
  Status Flush();
  Status EndCopy();
  Status StageWent(const Batch& rows);
  Status DeletePeriods(const Batch& rows);
  Status RefuseNullKeys(const Batch& rows) const;

  // --- Commit
  Status Apply(int64_t epoch);
  Status Upsert();
  Status NameDoubles(const Status& failed);
  Status TwoRows(const std::string& values) const;

  Status Drop();
  Status RefuseOlderTable(const PostgresConnection& connection) const;
  // Either all of this or nothing.
  static Status Together(PostgresConnection* connection, const std::function<Status()>& work);
  Status GiveUp(const Status& why);
  void Forget();

  // "a, b": the names, each as `each` makes it.
  template <typename Each>
  std::string List(const std::vector<int>& columns, const char* between, Each each) const {
    std::vector<std::string> items;
    for (const int column : columns)
      items.push_back(each(QuotePostgresName(ColumnAt(column).name)));
    return fmt::format("{}", fmt::join(items, between));
  }
  std::string Names(const std::vector<int>& columns) const {
    return List(columns, ", ", [](const std::string& name) { return name; });
  }
  std::string KeysEqual(const char* one, const char* other) const {
    return List(spec_.key, " AND ", [&](const std::string& name) {
      return fmt::format("{}.{} = {}.{}", one, name, other, name);
    });
  }
  std::string InsertSql() const;

  const SinkSpec spec_;
  const PostgresTableName target_;
  const std::string what_;
  std::vector<int> all_;
  std::unique_ptr<PostgresConnection> connection_;
  std::unique_ptr<CopyEncoder> encode_row_, encode_key_;
  PostgresMark held_;   // what is there of us
  bool empty_ = false;  // an upsert sink whose table has no rows yet: they go straight into it
  int64_t staged_bytes_ = 0;

  // Of the commit that is being staged.
  Into into_ = Into::kNone;
  std::string buffer_;    // encoded rows of `into_` that were not sent
  bool copying_ = false;  // the COPY into `into_` has begun
  bool came_ = false, went_ = false;
  int step_ = 0;
};

// --- Open ----------------------------------------------------------------------------------------

Result<std::optional<Mark>> PostgresSink::Open() {
  Forget();
  LEAT_ASSIGN(connection_, PostgresConnection::Open(spec_.server));
  // Waiting for somebody's lock is said; what the role or the database has set is kept.
  LEAT_RETURN(connection_->Execute(
      "SELECT set_config('lock_timeout', '60s', false) WHERE current_setting('lock_timeout') = '0'",
      "prepare the session"));
  LEAT_RETURN(Together(connection_.get(), [&] { return Prepare(); }));
  if (upsert()) {
    LEAT_RETURN(CreateStaging());
    LEAT_RETURN(CheckUnique());
  }
  return held_.mark;
}

Status PostgresSink::Prepare() {
  PostgresConnection* const connection = connection_.get();
  LEAT_RETURN(CreateMarks(connection, target_));
  LEAT_ASSIGN(auto table, DescribeTable(connection, target_));
  const bool make = !table;
  if (make) {
    LEAT_RETURN(CreateTable(connection, target_, spec_));
  } else {
    LEAT_ASSIGN(const bool added, AddColumns(connection, *table, spec_));
    if (!added) LEAT_RETURN(MakeEncoders(*table));
    if (added) table.reset();
  }
  if (!table) {
    LEAT_ASSIGN(table, DescribeTable(connection, target_));
    if (!table) return NoSuchTable(connection, target_, -1);
    LEAT_RETURN(MakeEncoders(*table));
  }
  LEAT_ASSIGN(const auto rows,
              connection->Query(fmt::format("SELECT NOT EXISTS (SELECT FROM {})", target_.quoted()),
                                what_));
  empty_ = rows.Bool(0, 0);
  LEAT_ASSIGN(const auto found, ReadMark(connection, target_));
  // A table that was dropped takes its mark with it, also when another took its name.
  const bool ours = found && !make && found->relation == table->oid;
  held_ = ours ? *found : PostgresMark{.created = make, .relation = table->oid};
  if (!ours) LEAT_RETURN(WriteMark(connection, target_, held_));
  return RefuseOthersRows();
}

// What is replaced whole must be ours.
Status PostgresSink::RefuseOthersRows() const {
  if (spec_.mode != SinkMode::kReplace || held_.mark || held_.created || empty_) {
    return Status::OK();
  }
  return NotSupported(
      fmt::format("sink \"{}\" of mode \"replace\" would remove the rows that table \"{}\" in "
                  "\"{}\" holds already",
                  spec_.name, target_.text(), connection_->place()),
      -1, "Empty the table there, or name another.");
}

Status PostgresSink::MakeEncoders(const PostgresTable& table) {
  std::vector<CopyColumn> row, key;
  for (const Column& column : spec_.schema.columns) {
    LEAT_ASSIGN(CopyColumn copied, CopyColumnFor(table, *table.Find(column.name), column));
    row.push_back(std::move(copied));
  }
  for (const int column : spec_.key) key.push_back(row[static_cast<size_t>(column)]);
  key.push_back({.name = kStep, .from = TypeId::kInt4, .to = Wire::kInt4});
  constexpr int kInfiniteNumerics = 140000;
  const bool infinite = connection_->server_version() >= kInfiniteNumerics;
  encode_row_ = std::make_unique<CopyEncoder>(target_.text(), std::move(row), infinite);
  encode_key_ = std::make_unique<CopyEncoder>(target_.text(), std::move(key), infinite);
  return Status::OK();
}

// Made once for the session, with the target's own types, and emptied in place by every commit: a
// temporary table for each commit would fill the system's catalog with what is gone.
Status PostgresSink::CreateStaging() {
  constexpr const char* kCreate =
      "CREATE TEMPORARY TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA";
  LEAT_RETURN(connection_->Execute(
      fmt::format(kCreate, std::string_view(kCame).substr(8), Names(all_), target_.quoted()),
      what_));
  return connection_->Execute(
      fmt::format(kCreate, std::string_view(kWent).substr(8),
                  fmt::format("{}, 0 AS {}", Names(spec_.key), kStep), target_.quoted()),
      what_);
}

// The table may be older than the sink: its key must be unique for ON CONFLICT.
Status PostgresSink::CheckUnique() {
  const Status planned = connection_->Execute("EXPLAIN " + InsertSql(), what_);
  const SqlError* const error = SqlErrorOf(planned);
  if (planned.ok() || error == nullptr || error->sqlstate != "42P10") return planned;
  return SqlStatus(fmt::format("table \"{}\" in \"{}\" has no unique constraint on ({})",
                               target_.text(), connection_->place(), Names(spec_.key)),
                   {.sqlstate = "42P10",
                    .hint = fmt::format("CREATE UNIQUE INDEX ON {} ({}) there.", target_.quoted(),
                                        Names(spec_.key))});
}

// --- Rows ----------------------------------------------------------------------------------------

Status PostgresSink::Begin() {
  if (connection_->in_transaction()) return Status::OK();
  LEAT_RETURN(connection_->Execute("BEGIN", what_));
  if (spec_.mode != SinkMode::kReplace) return Status::OK();
  // Not TRUNCATE: readers would wait, or see nothing in their snapshots.
  return connection_->Execute("DELETE FROM " + target_.quoted(), what_);
}

Status PostgresSink::Put(Into into, const CopyEncoder& encoder, const Batch& rows) {
  if (rows.rows == 0) return Status::OK();
  if (into != into_) LEAT_RETURN(EndCopy());
  into_ = into;
  const size_t whole = buffer_.size();
  const Status encoded = encoder.Encode(rows.columns, rows.rows, &buffer_);
  if (!encoded.ok()) {
    buffer_.resize(whole);
    return encoded;
  }
  staged_bytes_ += MemoryOf(rows);
  return buffer_.size() < kBufferBytesMax ? Status::OK() : Flush();
}

Status PostgresSink::Flush() {
  if (!copying_) {
    LEAT_RETURN(Begin());
    const std::string into = into_ == Into::kTarget ? target_.quoted()
                             : into_ == Into::kCame ? kCame
                                                    : kWent;
    const std::string columns =
        into_ == Into::kWent ? fmt::format("{}, {}", Names(spec_.key), kStep) : Names(all_);
    LEAT_RETURN(connection_->BeginCopyIn(
        fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", into, columns), what_));
    copying_ = true;
    LEAT_RETURN(connection_->PutCopyIn(CopyHeader()));
  }
  LEAT_RETURN(connection_->PutCopyIn(buffer_));
  buffer_.clear();
  return Status::OK();
}

Status PostgresSink::EndCopy() {
  if (!buffer_.empty()) LEAT_RETURN(Flush());
  into_ = Into::kNone;
  if (!std::exchange(copying_, false)) return Status::OK();
  LEAT_RETURN(connection_->PutCopyIn(CopyTrailer()));
  return connection_->EndCopyIn().status();
}

Status PostgresSink::RefuseNullKeys(const Batch& rows) const {
  for (const int i : spec_.key) {
    if (rows.columns[static_cast<size_t>(i)]->null_count() == 0) continue;
    return SqlStatus(
        fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    ColumnAt(i).name, spec_.name),
        {.sqlstate = "23502",
         .hint = fmt::format("A key cannot be null: add WHERE {} IS NOT NULL, or coalesce().",
                             ColumnAt(i).name)});
  }
  return Status::OK();
}

// Keys that go. Of rows that came before, in an earlier epoch of the same commit, those too.
Status PostgresSink::StageWent(const Batch& rows) {
  if (rows.rows == 0) return Status::OK();
  LEAT_RETURN(RefuseNullKeys(rows));
  Batch keys{.rows = rows.rows};
  for (const int i : spec_.key) keys.columns.push_back(rows.columns[static_cast<size_t>(i)]);
  const int step = ++step_;
  LEAT_ASSIGN(auto steps, arrow::MakeArrayFromScalar(arrow::Int32Scalar(step), rows.rows));
  keys.columns.push_back(std::move(steps));
  LEAT_RETURN(Put(Into::kWent, *encode_key_, keys));
  went_ = true;
  if (!came_) return Status::OK();
  LEAT_RETURN(EndCopy());
  const std::string from = empty_ ? target_.quoted() : kCame;
  return connection_->Execute(
      fmt::format("DELETE FROM {} AS c USING {} AS w WHERE w.{} = {} AND {}", from, kWent, kStep,
                  step, KeysEqual("w", "c")),
      what_);
}

// A snapshot's rows of -1: what the target holds of these periods goes.
Status PostgresSink::DeletePeriods(const Batch& rows) {
  const int last = spec_.schema.size() - 1;
  const Column& period = ColumnAt(last);
  LEAT_RETURN(EndCopy());
  LEAT_RETURN(Begin());
  for (int64_t row = 0; row < rows.rows; ++row) {
    std::string value;
    AppendText(*rows.columns.back(), row, period.type, TextSettings{}, &value);
    LEAT_RETURN(
        connection_
            ->Query(fmt::format("DELETE FROM {} WHERE {} = $1::{}", target_.quoted(),
                                QuotePostgresName(period.name), PostgresTypeName(period.type)),
                    what_, {value})
            .status());
  }
  return Status::OK();
}

Status PostgresSink::Write(const Batch& batch) {
  if (!upsert() && spec_.mode != SinkMode::kSnapshot) {
    LEAT_ASSIGN(const Batch rows, RowsThatCame(batch, spec_.name));
    return Put(Into::kTarget, *encode_row_, rows);
  }
  LEAT_ASSIGN(const CameAndWent split, SplitByWeight(batch));
  if (!upsert()) {
    if (split.went.rows > 0) LEAT_RETURN(DeletePeriods(split.went));
    return Put(Into::kTarget, *encode_row_, split.came);
  }
  LEAT_RETURN(StageWent(split.went));
  if (split.came.rows == 0) return Status::OK();
  LEAT_RETURN(RefuseNullKeys(split.came));
  came_ = true;
  return Put(empty_ ? Into::kTarget : Into::kCame, *encode_row_, split.came);
}

// --- Commit --------------------------------------------------------------------------------------

std::string PostgresSink::InsertSql() const {
  std::vector<int> rest;
  for (const int i : all_) {
    if (std::find(spec_.key.begin(), spec_.key.end(), i) == spec_.key.end()) rest.push_back(i);
  }
  const auto sql = fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO ",
                               target_.quoted(), Names(all_), Names(all_), kCame, Names(spec_.key));
  if (rest.empty()) return sql + "NOTHING";
  return sql + "UPDATE SET " + List(rest, ", ", [](const std::string& name) {
           return fmt::format("{0} = excluded.{0}", name);
         });
}

Status PostgresSink::TwoRows(const std::string& values) const {
  return SqlStatus(fmt::format("two rows for one key of sink \"{}\"", spec_.name),
                   {.sqlstate = "21000",
                    .detail = fmt::format("Key ({})=({}) came twice.", Names(spec_.key), values),
                    .hint = "Group by the key in the query, or choose a key that is unique."});
}

// Which key came twice, if it was that what failed.
Status PostgresSink::NameDoubles(const Status& failed) {
  const std::string texts =
      List(spec_.key, " || ', ' || ", [](const std::string& name) { return name + "::text"; });
  LEAT_ASSIGN(const auto rows,
              connection_->Query(fmt::format("SELECT {} FROM {} GROUP BY {} HAVING count(*) > 1 "
                                             "ORDER BY 1 LIMIT 1",
                                             texts, kCame, Names(spec_.key)),
                                 what_));
  return rows.rows() == 0 ? failed : TwoRows(std::string(rows.Text(0, 0)));
}

Status PostgresSink::Upsert() {
  if (went_ && !empty_) {
    // Not the rows that are updated: they keep the columns that are not ours.
    std::string sql = fmt::format("DELETE FROM {} AS t USING {} AS w WHERE {}", target_.quoted(),
                                  kWent, KeysEqual("w", "t"));
    if (came_) {
      sql +=
          fmt::format(" AND NOT EXISTS (SELECT FROM {} AS c WHERE {})", kCame, KeysEqual("c", "t"));
    }
    LEAT_RETURN(connection_->Execute(sql, what_));
  }
  if (!came_ || empty_) return Status::OK();
  LEAT_RETURN(connection_->Execute("SAVEPOINT leat_rows", what_));
  const Status inserted = connection_->Execute(InsertSql(), what_);
  const SqlError* const error = SqlErrorOf(inserted);
  if (inserted.ok() || error == nullptr || !error->sqlstate.starts_with("21")) return inserted;
  LEAT_RETURN(connection_->Execute("ROLLBACK TO leat_rows", what_));
  return NameDoubles(inserted);
}

Status PostgresSink::Apply(int64_t epoch) {
  const Status copied = EndCopy();
  const SqlError* const error = SqlErrorOf(copied);
  // Straight into an empty table, its own index finds the key that came twice.
  if (upsert() && empty_ && error != nullptr && error->sqlstate == "23505") {
    const size_t from = error->detail.find(")=("), to = error->detail.rfind(") already exists");
    if (from != std::string::npos && to != std::string::npos) {
      return TwoRows(error->detail.substr(from + 3, to - from - 3));
    }
  }
  LEAT_RETURN(copied);
  LEAT_RETURN(Begin());
  if (upsert()) LEAT_RETURN(Upsert());
  const Mark mark{.state = spec_.state, .statement = spec_.statement, .epoch = epoch};
  LEAT_RETURN(AdvanceMark(connection_.get(), target_, held_.mark, mark));
  LEAT_RETURN(connection_->Execute("COMMIT", what_));
  held_.mark = mark;
  return Status::OK();
}

Status PostgresSink::Commit(int64_t epoch) {
  const Status status = Apply(epoch);
  if (!status.ok()) return GiveUp(status);
  empty_ = empty_ && !came_;
  Forget();
  return Status::OK();
}

void PostgresSink::Forget() {
  buffer_.clear();
  into_ = Into::kNone;
  copying_ = came_ = went_ = false;
  staged_bytes_ = step_ = 0;
}

// What failed first is what is told.
Status PostgresSink::GiveUp(const Status& why) {
  if (copying_) static_cast<void>(connection_->AbortCopyIn("given up"));
  static_cast<void>(connection_->Execute("ROLLBACK", what_));
  Forget();
  return why;
}

Status PostgresSink::Together(PostgresConnection* connection, const std::function<Status()>& work) {
  LEAT_RETURN(connection->Execute("BEGIN", "begin a transaction"));
  const Status status = work();
  if (status.ok()) return connection->Execute("COMMIT", "commit");
  static_cast<void>(connection->Execute("ROLLBACK", "roll back"));
  return status;
}

// --- Reset ---------------------------------------------------------------------------------------

Status PostgresSink::RefuseOlderTable(const PostgresConnection& connection) const {
  return NotSupported(
      fmt::format("table \"{}\" in \"{}\" was there before leat: which of its rows are leat's is "
                  "not known",
                  target_.text(), connection.place()),
      -1, fmt::format("Delete them there, and the row of \"{}\" in leat_marks.", target_.table));
}

// Before Open the query may have changed, and its columns: what leat made, it makes again.
Status PostgresSink::Drop() {
  LEAT_ASSIGN(const auto connection, PostgresConnection::Open(spec_.server));
  return Together(connection.get(), [&]() -> Status {
    LEAT_ASSIGN(const auto found, ReadMark(connection.get(), target_));
    if (!found) return Status::OK();
    LEAT_ASSIGN(const auto table, DescribeTable(connection.get(), target_));
    if (table && (!found->created || table->oid != found->relation)) {
      return found->mark ? RefuseOlderTable(*connection) : Status::OK();
    }
    if (table) LEAT_RETURN(connection->Execute("DROP TABLE " + target_.quoted(), what_));
    return RemoveMark(connection.get(), target_);
  });
}

Status PostgresSink::Reset() {
  if (!connection_) return Drop();
  if (copying_ || connection_->in_transaction()) static_cast<void>(GiveUp(Status::OK()));
  Forget();
  if (!held_.mark) return Status::OK();
  if (!held_.created) return RefuseOlderTable(*connection_);
  PostgresMark cleared = held_;
  cleared.mark.reset();
  LEAT_RETURN(Together(connection_.get(), [&]() -> Status {
    LEAT_RETURN(connection_->Execute("DELETE FROM " + target_.quoted(), what_));
    return WriteMark(connection_.get(), target_, cleared);
  }));
  held_ = cleared;
  empty_ = true;
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<Sink>> MakePostgresSink(SinkSpec spec) {
  return std::make_unique<PostgresSink>(std::move(spec));
}

Result<std::optional<Mark>> ReadPostgresMark(const SinkSpec& spec) {
  LEAT_ASSIGN(const auto connection, PostgresConnection::Open(spec.server));
  const auto target = TableNameOf(spec.server, spec.options, spec.name);
  LEAT_ASSIGN(const auto found, ReadMark(connection.get(), target));
  if (!found) return std::nullopt;
  LEAT_ASSIGN(const auto table, DescribeTable(connection.get(), target));
  return table && table->oid == found->relation ? found->mark : std::nullopt;
}

}  // namespace leat
