// A captured database: first its tables as they are when the slot is made, then every change since.
//
// The slot's creation gives a snapshot of all that was committed before the place in the log where
// the slot begins; so the two fit together exactly. A snapshot that was cut short (its moment is
// gone with its connection) is gone on with at a later one, behind the last key that was read; what
// the log then says again of rows that were read late is known by their transactions and left out.
#include <xxhash.h>

#include <algorithm>
#include <chrono>

#include "base/file_system.h"
#include "connect/options.h"
#include "connect/postgres/gather.h"
#include "connect/postgres/postgres.h"
#include "connect/postgres/snapshot.h"
#include "connect/postgres/stream.h"

namespace leat {
namespace {

// How long a Poll waits for the rest of what has begun, before it looks again.
constexpr std::chrono::milliseconds kPause(20);
// That the log went on with nothing for us in it is worth an epoch, so that the server may forget
// it, when it was this much, or this long ago.
constexpr Lsn kProgressBytes = 16 << 20;
constexpr auto kProgressEvery = std::chrono::seconds(10);
// How often it is looked whether the tables are still the same ones, and how far the log goes.
constexpr auto kLookEvery = std::chrono::seconds(10);
constexpr auto kLookAtEndEvery = std::chrono::seconds(2);

class PostgresSource : public Source {
 public:
  PostgresSource(Server server, std::vector<Captured> tables)
      : server_(std::move(server)),
        names_(SlotNamesOf(server_)),
        spool_(OptionOr(server_.options, "spool", "")),
        tables_(std::move(tables)) {}

  Status Seek(const Offset& offset) override;
  void Follow() override { following_ = true; }
  bool Wait(std::chrono::milliseconds at_most) override;
  Result<std::optional<Arrival>> Poll(int64_t bytes_max) override;
  Result<Arrival> Reread(const Offset& end) override;
  Status Limit(const Offset&) override {
    return NotSupported("what a database held earlier cannot be read any more", -1,
                        "Keep the view's rows: WITH (key = '…'), or WITH (stored = true).");
  }
  int64_t lag_bytes() const override {
    if (!stream_ || !position_.streams) return -1;
    return static_cast<int64_t>(log_end_.lsn - std::min(position_.lsn, log_end_.lsn));
  }
  Micros lag_time() const override {
    if (!stream_ || !position_.streams) return -1;
    if (position_.lsn >= log_end_.lsn) return 0;
    return std::max<Micros>(log_end_.now - std::max(committed_at_, caught_up_at_), 0);
  }
  Result<AgainPlan> Again(const Offset& end, const AgainSpec& spec) override;
  Status Acknowledge(const Offset& end) override;

 private:
  // The snapshot.
  Status Begin();
  Status GoOnLater();
  Status OpenSnapshot();
  Status NextTable();
  Result<Arrival> PollSnapshot(int64_t bytes_max);
  Result<Arrival> RereadChunk(const ReplicaPosition& end);
  Result<Arrival> ChunkOf(int64_t table, std::string_view bytes);
  void MoveBehindChunk(const TableRows& rows, bool last);
  std::string ChunkPath(int64_t chunk) const {
    return fmt::format("{}/chunk-{:012d}", spool_, chunk);
  }
  Status RemoveChunks(int64_t before) const;

  // The stream.
  Status OpenStream();
  Status CheckTables();
  Status CheckCluster(const ClusterIdentity& cluster) const;
  Result<std::optional<std::string_view>> NextMessage();
  Result<std::optional<Arrival>> PollStream(int64_t bytes_max);
  Result<Arrival> RereadStream(const ReplicaPosition& end);
  Status Take(std::string_view bytes);
  void PassIdle();
  bool ProgressDue() const;
  Result<Arrival> Gathered();
  Status LookNowAndThen();
  Status LookAtEnd();

  Result<PostgresConnection*> Sql() {
    if (!sql_) {
      LEAT_ASSIGN(sql_, PostgresConnection::Open(server_));
    }
    return sql_.get();
  }

  const Server server_;
  const SlotNames names_;
  const std::string spool_;
  const std::vector<Captured> tables_;
  bool following_ = false;
  ReplicaPosition position_;
  ReplicaPosition reported_;  // with the last arrival
  std::chrono::steady_clock::time_point reported_at_{}, looked_at_{}, looked_at_end_{};

  std::unique_ptr<PostgresConnection> sql_;
  std::unique_ptr<SnapshotReader> snapshot_;
  std::unique_ptr<PostgresConnection> exporting_;  // holds the snapshot until it is taken
  std::vector<std::vector<WireColumn>> snapshot_columns_;

  std::unique_ptr<ReplicationStream> stream_;
  std::unique_ptr<Gather> gather_;
  std::string held_;  // a message that is not taken yet
  bool holds_ = false;
  PgoutputMessage message_;
  bool in_transaction_ = false;
  uint32_t transaction_ = 0;
  Lsn commit_ = 0;            // of the transaction
  int64_t changes_seen_ = 0;  // in it
  int64_t skip_ = 0;          // changes of the first transaction that were read before
  Lsn drained_at_ = 0;        // where a drain ends; 0: not known yet
  Lsn confirmed_ = 0;
  uint64_t checksum_ = 0;
  // How far the log goes, when that was last asked; by the clock there when the last transaction
  // was committed that we began to read, and when there was last nothing more to read.
  LogEnd log_end_;
  Micros committed_at_ = 0, caught_up_at_ = 0;
};

// --- Places --------------------------------------------------------------------------------------

Status PostgresSource::Seek(const Offset& offset) {
  LEAT_ASSIGN(position_, DecodeReplicaPosition(offset));
  if (position_.begun() && position_.tables.size() != tables_.size()) {
    return SqlStatus(fmt::format("server \"{}\" was captured with {} tables and has {} now",
                                 server_.name, position_.tables.size(), tables_.size()),
                     {.hint = "`leat run --fresh` reads all of them anew."});
  }
  reported_ = position_;
  snapshot_.reset();
  stream_.reset();
  gather_.reset();
  return Status::OK();
}

Result<std::optional<Arrival>> PostgresSource::Poll(int64_t bytes_max) {
  if (!position_.begun()) LEAT_RETURN(Begin());
  if (position_.streams) return PollStream(bytes_max);
  LEAT_ASSIGN(Arrival arrival, PollSnapshot(bytes_max));
  return arrival;
}

Result<Arrival> PostgresSource::Reread(const Offset& end) {
  LEAT_ASSIGN(const ReplicaPosition target, DecodeReplicaPosition(end));
  LEAT_ASSIGN(Arrival arrival, position_.streams ? RereadStream(target) : RereadChunk(target));
  arrival.end = end;
  return arrival;
}

Result<AgainPlan> PostgresSource::Again(const Offset&, const AgainSpec& spec) {
  if (!spec.from.empty() || spec.as_new) {
    return NotSupported("a database's earlier changes cannot be read again", -1,
                        "Without --from and --as-new its tables are read as they are now.");
  }
  AgainPlan plan;
  for (const Captured& table : tables_) {
    plan.parts.push_back(fmt::format("table {}: read anew, as it is now", table.name.text()));
  }
  return plan;
}

Status PostgresSource::Acknowledge(const Offset& end) {
  LEAT_ASSIGN(const ReplicaPosition position, DecodeReplicaPosition(end));
  LEAT_RETURN(RemoveChunks(position.chunks));
  if (!position.streams) return Status::OK();
  confirmed_ = position.lsn;
  return stream_ ? stream_->Confirm(confirmed_, false) : Status::OK();
}

// --- The snapshot --------------------------------------------------------------------------------

Status PostgresSource::Begin() {
  LEAT_ASSIGN(PostgresConnection * sql, Sql());
  ReplicaPosition position{.slot = names_.slot};
  for (const Captured& table : tables_) {
    LEAT_ASSIGN(const TableThere there, LookUpTable(sql, table));
    LEAT_ASSIGN(CapturedTable captured, CapturedOf(table, there));
    position.tables.push_back(std::move(captured));
  }
  LEAT_RETURN(Publish(sql, names_, tables_));
  LEAT_ASSIGN(exporting_, PostgresConnection::Open(server_, PostgresConnection::Use::kReplication));
  LEAT_ASSIGN(const ClusterIdentity cluster, IdentifyCluster(exporting_.get()));
  LEAT_ASSIGN(const NewSlot slot, MakeSlot(exporting_.get(), sql, names_));
  position.system = cluster.system;
  position.timeline = cluster.timeline;
  position.lsn = slot.lsn;
  LEAT_ASSIGN(auto reading, PostgresConnection::Open(server_));
  LEAT_ASSIGN(snapshot_, SnapshotReader::Open(std::move(reading), slot.snapshot));
  exporting_.reset();
  // Chunks of a snapshot that was never committed anywhere.
  LEAT_RETURN(RemoveChunks(INT64_MAX));
  position_ = std::move(position);
  return OpenSnapshot();
}

Status PostgresSource::OpenSnapshot() {
  LEAT_ASSIGN(PostgresConnection * sql, Sql());
  PostgresTypes types(sql);
  snapshot_columns_.clear();
  for (const CapturedTable& table : position_.tables) {
    LEAT_ASSIGN(auto columns, SnapshotColumns(&types, table));
    snapshot_columns_.push_back(std::move(columns));
  }
  return Status::OK();
}

// The moment of the snapshot is gone: what is left is read as it is now.
Status PostgresSource::GoOnLater() {
  LEAT_RETURN(CheckTables());
  const Captured& table = tables_[static_cast<size_t>(position_.table)];
  if (!table.keyed() && !position_.key.empty()) {
    return SqlStatus(
        fmt::format("the first reading of table \"{}\" was cut short, and without a key it cannot "
                    "be gone on with",
                    table.name.text()),
        {.hint = "`leat run --fresh` reads all anew. With a PRIMARY KEY it would go on."});
  }
  LEAT_ASSIGN(auto reading, PostgresConnection::Open(server_));
  LEAT_ASSIGN(snapshot_, SnapshotReader::Open(std::move(reading), ""));
  LEAT_RETURN(OpenSnapshot());
  // Before the first row of all the slot's own moment is as good as any.
  std::string after;
  if (!position_.key.empty()) {
    TableRows rows(*table.relation, "");
    std::vector<WireColumn> texts(table.relation->columns.size());
    for (WireColumn& column : texts) column.there.type = TypeId::kText;
    rows.Use(std::move(texts));
    size_t part = 0;
    std::vector<std::string> values(table.relation->columns.size());
    std::vector<bool> given(values.size());
    for (const int column : table.relation->primary_key) {
      values[static_cast<size_t>(column)] = position_.key[part++];
      given[static_cast<size_t>(column)] = true;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      if (given[i]) {
        rows.Value(i, values[i]);
      } else {
        rows.Null(i);
      }
    }
    rows.End(-1, 0, false, false);
    LEAT_RETURN(rows.Finish().status());
    after = rows.last_key_bytes();
  }
  for (auto at = position_.table; at < static_cast<int64_t>(tables_.size()); ++at) {
    position_.late.push_back({.table = at,
                              .after = at == position_.table ? after : "",
                              .snapshot = snapshot_->snapshot(),
                              .until = snapshot_->until()});
  }
  return Status::OK();
}

Result<Arrival> PostgresSource::PollSnapshot(int64_t bytes_max) {
  if (!snapshot_) LEAT_RETURN(GoOnLater());
  const int64_t at = position_.table;
  const Captured& table = tables_[static_cast<size_t>(at)];
  if (!snapshot_->reading()) {
    LEAT_RETURN(snapshot_->Begin(table, snapshot_columns_[static_cast<size_t>(at)], position_.key));
  }
  std::string bytes;
  LEAT_ASSIGN(const bool more, snapshot_->Next(bytes_max, &bytes));
  if (!spool_.empty()) {
    LEAT_RETURN(PosixFileSystem()->CreateDirectories(spool_));
    LEAT_RETURN(WriteFileAtomically(PosixFileSystem(), ChunkPath(position_.chunks), bytes));
  }
  LEAT_ASSIGN(Arrival arrival, ChunkOf(at, bytes));
  if (!more) LEAT_RETURN(NextTable());
  arrival.end = EncodeReplicaPosition(position_);
  reported_ = position_;
  return arrival;
}

Status PostgresSource::NextTable() {
  position_.key.clear();
  ++position_.table;
  if (position_.table < static_cast<int64_t>(tables_.size())) return Status::OK();
  snapshot_.reset();
  position_.table = 0;
  position_.streams = true;
  return Status::OK();
}

Result<Arrival> PostgresSource::ChunkOf(int64_t table, std::string_view bytes) {
  const Captured& captured = tables_[static_cast<size_t>(table)];
  const auto& columns = snapshot_columns_[static_cast<size_t>(table)];
  TableRows rows(*captured.relation, captured.name.text());
  rows.Use(columns);
  if (!AddCopiedRows(bytes, columns.size(), position_.lsn, &rows)) {
    return IOErrorF("table \"{}\" did not come in the form of COPY", captured.name.text());
  }
  LEAT_ASSIGN(Arrival arrival, rows.Finish());
  arrival.relation = static_cast<int>(table);
  arrival.checksum = XXH3_64bits(bytes.data(), bytes.size());
  if (!rows.last_key().empty()) position_.key = rows.last_key();
  if (!captured.keyed()) position_.key = {"begun"};
  ++position_.chunks;
  return arrival;
}

Result<Arrival> PostgresSource::RereadChunk(const ReplicaPosition& end) {
  const int64_t chunk = position_.chunks;
  if (end.chunks != chunk + 1) {
    return IOErrorF("chunk {} cannot be read after chunk {}", end.chunks, chunk);
  }
  LEAT_ASSIGN(const auto bytes, PosixFileSystem()->Read(ChunkPath(chunk)));
  const int64_t table = position_.table;
  if (!position_.begun()) position_ = end;
  if (snapshot_columns_.empty()) LEAT_RETURN(OpenSnapshot());
  position_.chunks = chunk;
  LEAT_ASSIGN(Arrival arrival, ChunkOf(table, bytes->bytes()));
  position_ = reported_ = end;
  return arrival;
}

Status PostgresSource::RemoveChunks(int64_t before) const {
  if (spool_.empty() || !PosixFileSystem()->Exists(spool_)) return Status::OK();
  LEAT_ASSIGN(const auto files, PosixFileSystem()->List(spool_));
  for (const std::string& file : files) {
    const std::string path = spool_ + "/" + file;
    if (path < ChunkPath(before)) LEAT_RETURN(PosixFileSystem()->Remove(path));
  }
  return Status::OK();
}

// --- The stream ----------------------------------------------------------------------------------

// A table of the same name may be another one, and the cluster behind an address, too.
Status PostgresSource::CheckTables() {
  LEAT_ASSIGN(PostgresConnection * sql, Sql());
  for (size_t i = 0; i < tables_.size(); ++i) {
    LEAT_ASSIGN(const TableThere there, LookUpTable(sql, tables_[i]));
    LEAT_ASSIGN(const CapturedTable now, CapturedOf(tables_[i], there));
    const CapturedTable& was = position_.tables[i];
    const auto stop = [&](std::string what) {
      return SqlStatus(
          fmt::format("table \"{}\" in \"{}\" {}", tables_[i].name.text(), sql->place(), what),
          {.sqlstate = "55000",
           .location = tables_[i].relation->location,
           .hint = fmt::format("`leat replay PIPELINE {}` reads it anew, and the sinks get only "
                               "what differs.",
                               tables_[i].relation->name)});
    };
    if (now.oid != was.oid) return stop("was dropped and made anew");
    if (!std::includes(now.partitions.begin(), now.partitions.end(), was.partitions.begin(),
                       was.partitions.end())) {
      return stop("has lost a partition: it was detached or dropped, and its rows with it");
    }
    position_.tables[i].partitions = now.partitions;
    for (size_t column = 0; column < now.columns.size(); ++column) {
      const CapturedColumn& before = was.columns[column];
      if (now.columns[column] == before) continue;
      const bool retyped = now.columns[column].number == before.number;
      return stop(fmt::format("has another column \"{}\" than the one that was read: {}",
                              tables_[i].OutsideName(column),
                              retyped ? "its type was changed" : "that was dropped or renamed"));
    }
  }
  return CheckSlot(sql, names_, position_.lsn);
}

Status PostgresSource::CheckCluster(const ClusterIdentity& cluster) const {
  if (cluster.system == position_.system && cluster.timeline == position_.timeline) {
    return Status::OK();
  }
  const bool other = cluster.system != position_.system;
  return SqlStatus(
      fmt::format("the database of server \"{}\" is {}", server_.name,
                  other ? "another one: its cluster was made anew"
                        : fmt::format("on timeline {} and was read on {}: another server took over",
                                      cluster.timeline, position_.timeline)),
      {.sqlstate = "55000",
       .hint = "What was read may not be what it has. `leat replay PIPELINE TABLE`, of any of its "
               "tables, reads all of them anew, and the sinks get only what differs."});
}

Status PostgresSource::OpenStream() {
  LEAT_ASSIGN(PostgresConnection * sql, Sql());
  LEAT_ASSIGN(auto replication,
              PostgresConnection::Open(server_, PostgresConnection::Use::kReplication));
  LEAT_ASSIGN(const ClusterIdentity cluster, IdentifyCluster(replication.get()));
  LEAT_RETURN(CheckCluster(cluster));
  LEAT_RETURN(CheckTables());
  if (drained_at_ == 0) drained_at_ = cluster.flushed;
  PostgresTypes types(sql);
  bool binary = true;
  for (const CapturedTable& table : position_.tables) {
    for (const CapturedColumn& column : table.columns) {
      LEAT_ASSIGN(const PostgresMeaning there, types.MeaningOf(column.type));
      binary = binary && there.binary;
    }
  }
  binary = binary && replication->server_version() >= 140000;
  StreamOptions options{.from = position_.lsn, .binary = binary};
  // A publication without tables is not there.
  for (const bool heard : {true, false}) {
    const bool any = std::any_of(tables_.begin(), tables_.end(), [&](const Captured& table) {
      return table.heard() == heard || !names_.made;
    });
    if (any && (heard || names_.made)) {
      options.publications.push_back(heard ? names_.all : names_.append);
    }
  }
  LEAT_ASSIGN(stream_, ReplicationStream::Start(std::move(replication), names_, options));
  gather_ = std::make_unique<Gather>(&tables_, sql, binary);
  in_transaction_ = holds_ = false;
  changes_seen_ = 0;
  skip_ = position_.changes;
  if (confirmed_ > 0) LEAT_RETURN(stream_->Confirm(confirmed_, false));
  return Status::OK();
}

bool PostgresSource::Wait(std::chrono::milliseconds at_most) {
  if (!stream_) return true;
  return stream_->Wait(at_most) || ProgressDue() ||
         std::chrono::steady_clock::now() - looked_at_end_ >= kLookAtEndEvery;
}

Result<std::optional<std::string_view>> PostgresSource::NextMessage() {
  if (std::exchange(holds_, false)) return std::optional<std::string_view>(held_);
  return stream_->Next();
}

// Between transactions what the server has passed is passed.
void PostgresSource::PassIdle() {
  if (in_transaction_ || holds_ || skip_ > 0 || stream_->passed() <= position_.lsn) return;
  position_.lsn = stream_->passed();
  position_.changes = 0;
}

bool PostgresSource::ProgressDue() const {
  if (position_.lsn == reported_.lsn) return false;
  return position_.lsn - reported_.lsn >= kProgressBytes ||
         std::chrono::steady_clock::now() - reported_at_ >= kProgressEvery;
}

Status PostgresSource::LookNowAndThen() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_at_ < kLookEvery) return Status::OK();
  const bool first = looked_at_ == std::chrono::steady_clock::time_point{};
  looked_at_ = now;
  return first ? Status::OK() : CheckTables();
}

// For those who watch: what the stream itself says is how far it was sent, not how far the log
// goes.
Status PostgresSource::LookAtEnd() {
  if (position_.lsn >= log_end_.lsn) caught_up_at_ = log_end_.now;
  const auto now = std::chrono::steady_clock::now();
  if (!following_ || now - looked_at_end_ < kLookAtEndEvery) return Status::OK();
  looked_at_end_ = now;
  LEAT_ASSIGN(PostgresConnection * sql, Sql());
  LEAT_ASSIGN(log_end_, EndOfLog(sql));
  return Status::OK();
}

Result<std::optional<Arrival>> PostgresSource::PollStream(int64_t bytes_max) {
  if (!stream_) LEAT_RETURN(OpenStream());
  LEAT_RETURN(LookAtEnd());
  auto asked_at = std::chrono::steady_clock::time_point{};
  while (gather_->bytes() < bytes_max) {
    LEAT_ASSIGN(const auto bytes, NextMessage());
    if (bytes) {
      LEAT_RETURN(Take(*bytes));
      continue;
    }
    PassIdle();
    if (in_transaction_) {  // the rest of it is on its way
      stream_->Wait(kPause);
      continue;
    }
    if (!gather_->empty()) break;
    if (following_) {
      LEAT_RETURN(LookNowAndThen());
      break;
    }
    if (position_.lsn >= drained_at_) break;
    if (std::chrono::steady_clock::now() - asked_at >= kPause) {
      asked_at = std::chrono::steady_clock::now();
      LEAT_RETURN(stream_->Ask());
    }
    stream_->Wait(kPause);
  }
  const bool at_end = !following_ && position_.lsn != reported_.lsn;
  if (gather_->empty() && !in_transaction_ && !at_end && !ProgressDue()) return std::nullopt;
  LEAT_ASSIGN(Arrival arrival, Gathered());
  return arrival;
}

Result<Arrival> PostgresSource::Gathered() {
  if (!position_.late.empty()) {
    const auto past = [&](const RowsReadLater& late) { return late.until <= position_.lsn; };
    if (!in_transaction_ && std::all_of(position_.late.begin(), position_.late.end(), past)) {
      position_.late.clear();
    }
  }
  LEAT_ASSIGN(Arrival arrival, gather_->Finish());
  if (arrival.place.empty()) arrival.place = names_.slot;
  arrival.goes_on = in_transaction_;
  arrival.checksum = std::exchange(checksum_, 0);
  arrival.end = EncodeReplicaPosition(position_);
  reported_ = position_;
  reported_at_ = std::chrono::steady_clock::now();
  return arrival;
}

Status PostgresSource::Take(std::string_view bytes) {
  using Kind = PgoutputMessage::Kind;
  if (!ReadPgoutput(bytes, &message_)) {
    return IOErrorF("the replication stream has a malformed message behind {}",
                    LsnText(position_.lsn));
  }
  switch (message_.kind) {
    case Kind::kBegin:
      in_transaction_ = true;
      transaction_ = message_.transaction;
      commit_ = message_.lsn;
      committed_at_ = message_.committed_at;
      changes_seen_ = 0;
      return Status::OK();
    case Kind::kCommit:
      in_transaction_ = false;
      position_.lsn = message_.lsn;
      position_.changes = 0;
      skip_ = 0;
      return Status::OK();
    case Kind::kRelation:
      return gather_->Take(message_, commit_, transaction_, position_);
    case Kind::kOther:
      return Status::OK();
    default:
      break;
  }
  ++changes_seen_;
  if (changes_seen_ <= skip_) return Status::OK();
  position_.changes = changes_seen_;
  checksum_ = checksum_ * 31 + XXH3_64bits(bytes.data(), bytes.size());
  return gather_->Take(message_, commit_, transaction_, position_);
}

// The same changes, up to the same place.
Result<Arrival> PostgresSource::RereadStream(const ReplicaPosition& end) {
  if (!stream_) LEAT_RETURN(OpenStream());
  const auto behind = [&] {
    return position_.lsn > end.lsn || (position_.lsn == end.lsn && position_.changes > end.changes);
  };
  while (position_.lsn != end.lsn || position_.changes != end.changes) {
    if (behind()) {
      return IOErrorF("{} cannot be read after {}", LsnText(end.lsn), LsnText(position_.lsn));
    }
    LEAT_ASSIGN(const auto bytes, NextMessage());
    if (!bytes) {
      if (!in_transaction_ && end.changes == 0 && stream_->passed() >= end.lsn) {
        position_.lsn = end.lsn;
        break;
      }
      if (!in_transaction_) LEAT_RETURN(stream_->Ask());
      stream_->Wait(kPause);
      continue;
    }
    if (!ReadPgoutput(*bytes, &message_)) return IOErrorF("a malformed message");
    const bool begins = message_.kind == PgoutputMessage::Kind::kBegin;
    if (begins && end.changes == 0 && message_.lsn >= end.lsn) {
      held_ = *bytes;  // nothing of ours came before the place
      holds_ = true;
      position_.lsn = end.lsn;
      break;
    }
    if (begins && end.changes > 0 && position_.lsn < end.lsn && message_.lsn >= end.lsn) {
      position_.lsn = end.lsn;
    }
    LEAT_RETURN(Take(*bytes));
  }
  LEAT_ASSIGN(Arrival arrival, Gathered());
  position_ = reported_ = end;
  return arrival;
}

}  // namespace

SourceTraits PostgresTraits(const Relation& relation) {
  const bool all = OptionOr(relation.options, "changes", "all") == "all";
  return {
      .key = relation.primary_key, .whole = relation.primary_key.empty() && all, .shared = true};
}

Result<std::unique_ptr<Source>> MakePostgresSource(const Server& server,
                                                   const std::vector<const Relation*>& relations) {
  std::vector<Captured> tables;
  for (const Relation* relation : relations) {
    tables.push_back(
        {.relation = relation, .name = TableNameOf(server, relation->options, relation->name)});
    const std::string changes = OptionOr(relation->options, "changes", "all");
    if (changes != "all" && changes != "insert") {
      return InvalidValue("changes", changes, "Valid values are \"all\" and \"insert\".");
    }
    if (relation->columns.empty()) {
      return SqlStatus(fmt::format("foreign table \"{}\" has no columns", relation->name),
                       {.location = relation->location});
    }
  }
  return std::make_unique<PostgresSource>(server, std::move(tables));
}

}  // namespace leat
