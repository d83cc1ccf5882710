// Writes a Delta table. A commit is one file of the log, and the mark is its `txn` action: both are
// there or neither. An upsert rewrites the files that hold a key it changes, and nothing else.
#include <arrow/array.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_set>

#include "base/file_system.h"
#include "connect/file/delta.h"
#include "connect/file/hive.h"
#include "connect/file/staging.h"
#include "connect/options.h"
#include "connect/weights.h"
#include "data/key.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCheckpointEvery = 10;
// So many small files of a folder are made one.
constexpr int64_t kSmallFilesMax = 8;
constexpr int kTriesMax = 20;

std::string AppOf(const SinkSpec& spec) { return "leat " + spec.state + " " + spec.statement; }

// "leat <state> <sink> <hash>"
std::optional<Mark> MarkOf(const std::string& app, const DeltaTxn& txn, const std::string& sink) {
  constexpr std::string_view kPrefix = "leat ";
  if (!app.starts_with(kPrefix) || txn.version == 0) return std::nullopt;
  const size_t blank = app.find(' ', kPrefix.size());
  if (blank == app.npos) return std::nullopt;
  Mark mark{.state = app.substr(kPrefix.size(), blank - kPrefix.size()),
            .statement = app.substr(blank + 1),
            .epoch = txn.version};
  const bool own = mark.statement.starts_with(sink + " ") || mark.statement.starts_with(sink + ":");
  return own ? std::optional(mark) : std::nullopt;
}

std::optional<Mark> LastMark(const DeltaState& state, const std::string& sink) {
  std::optional<Mark> last;
  int64_t updated = 0;
  for (const auto& [app, txn] : state.txns) {
    const auto mark = MarkOf(app, txn, sink);
    if (!mark || (last && txn.updated < updated)) continue;
    last = mark;
    updated = txn.updated;
  }
  return last;
}

int64_t NowMillis() { return SystemClock().Now() / 1000; }

using Keys = std::unordered_set<std::string>;

class DeltaSink : public Sink {
 public:
  DeltaSink(SinkSpec spec, std::string target, std::vector<int> partition_by, StagingSpec staging,
            int64_t keep_ms)
      : spec_(std::move(spec)),
        target_(std::move(target)),
        partition_by_(std::move(partition_by)),
        staging_spec_(std::move(staging)),
        keep_ms_(keep_ms) {
    for (int i = 0; i < spec_.schema.size(); ++i) all_.push_back(i);
  }

  Result<std::optional<Mark>> Open() override;
  Status Write(const Batch& batch) override;
  Status Commit(int64_t epoch) override;
  int64_t staged_bytes() const override { return staging_ ? staging_->bytes() : 0; }
  Status Reset() override;

 private:
  FileSystem& files() const { return *PosixFileSystem(); }
  Status Start();
  Status Create();
  Status AddColumns();
  Status Stage(const Batch& rows);
  Result<Strings> KeysOf(const Batch& rows, const std::vector<int>& columns) const;
  Status RefuseNullKeys(const Batch& rows) const;
  Status TakeAway(const Batch& went);
  Status Remember(const Batch& came);
  // The files that hold a touched key; their other rows are staged.
  Result<std::vector<DeltaFile>> Rewrite();
  Result<bool> Touches(const DeltaFile& file) const;
  Status StageOthers(const DeltaFile& file);
  // Moves what is staged into place: the files of the next version.
  Result<std::vector<DeltaFile>> Publish();
  Status Compact();
  Status Sweep();
  Status AfterCommit();
  std::string StagingFolder() const { return target_ + "/_leat/tmp"; }

  const SinkSpec spec_;
  const std::string target_;
  const std::vector<int> partition_by_;
  const StagingSpec staging_spec_;
  const int64_t keep_ms_;
  std::vector<int> all_;
  DeltaState state_;
  std::unique_ptr<Staging> staging_;
  Keys touched_;         // kUpsert: keys that came or went since the last commit
  Keys came_;            // … that came
  std::string doubled_;  // one that came twice, as text
};

Status DeltaSink::Start() {
  LEAT_RETURN(files().CreateDirectories(StagingFolder()));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(StagingFolder(), error)) {
    LEAT_RETURN(files().Remove(entry.path().string()));
  }
  staging_ = std::make_unique<Staging>(staging_spec_);
  touched_.clear();
  came_.clear();
  doubled_.clear();
  return Status::OK();
}

Result<std::optional<Mark>> DeltaSink::Open() {
  LEAT_RETURN(files().CreateDirectories(target_));
  LEAT_ASSIGN(state_, ReadDeltaLog(target_));
  LEAT_RETURN(state_.version < 0 ? Create() : AddColumns());
  LEAT_RETURN(Start());
  return LastMark(state_, spec_.name);
}

Status DeltaSink::Create() {
  const int64_t now = NowMillis();
  const std::string seed = fmt::format("{} {} {}", target_, spec_.state, now);
  const uint64_t low = XXH3_64bits(seed.data(), seed.size());
  const uint64_t high = XXH3_64bits_withSeed(seed.data(), seed.size(), 1);
  state_.id =
      fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                  high & 0xfff, (low >> 48) & 0xfff, low & 0xffffffffffff);
  state_.created = now;
  state_.schema = DeltaSchemaString(spec_.schema);
  for (const int i : partition_by_) {
    state_.partition_by.push_back(spec_.schema.columns[static_cast<size_t>(i)].name);
  }
  state_.timestamp_ntz = state_.schema.find("\"timestamp_ntz\"") != state_.schema.npos;
  LEAT_ASSIGN(const bool made, CommitDelta(target_, 0,
                                           CommitInfoAction(now, "CREATE TABLE") +
                                               ProtocolAction(state_) + MetaDataAction(state_)));
  if (!made) return IOErrorF("somebody else made a Delta table in \"{}\" just now", target_);
  state_.version = 0;
  return Status::OK();
}

// The table's columns stay; those that are new come behind them.
Status DeltaSink::AddColumns() {
  LEAT_ASSIGN(Schema there, ParseDeltaSchema(state_.schema));
  bool added = false;
  for (const Column& column : DeltaSchema(spec_.schema).columns) {
    const int at = there.Find(column.name);
    if (at < 0) {
      there.columns.push_back(column);
      added = true;
      continue;
    }
    const Type& type = there.columns[static_cast<size_t>(at)].type;
    const bool texts = type.id == TypeId::kText &&
                       DeltaSchemaString({{column}}).find("\"string\"") != std::string::npos;
    if (type == column.type || texts) continue;
    return SqlStatus(
        fmt::format("column \"{}\" of the Delta table in \"{}\" is of type {}, and its "
                    "query gives {}",
                    column.name, target_, TypeName(type), TypeName(column.type)),
        {.sqlstate = kDatatypeMismatch, .hint = "Add a cast to the query."});
  }
  std::vector<std::string> folders;
  for (const int i : partition_by_) {
    folders.push_back(spec_.schema.columns[static_cast<size_t>(i)].name);
  }
  if (folders != state_.partition_by) {
    return SqlStatus(fmt::format("the Delta table in \"{}\" has other partitions", target_),
                     {.sqlstate = kDatatypeMismatch});
  }
  if (!added) return Status::OK();
  DeltaState wider = state_;
  wider.schema = DeltaSchemaString(there);
  const int64_t now = NowMillis();
  std::string lines = CommitInfoAction(now, "ADD COLUMNS");
  if (!wider.timestamp_ntz && wider.schema.find("\"timestamp_ntz\"") != wider.schema.npos) {
    wider.timestamp_ntz = true;
    lines += ProtocolAction(wider);
  }
  LEAT_ASSIGN(const bool made,
              CommitDelta(target_, state_.version + 1, lines + MetaDataAction(wider)));
  if (!made) return IOErrorF("the Delta table in \"{}\" was changed just now", target_);
  return ReadDeltaNews(target_, &state_);
}

// --- Staging -------------------------------------------------------------------------------------

Status DeltaSink::Stage(const Batch& rows) {
  if (rows.rows == 0) return Status::OK();
  LEAT_ASSIGN(const Batch kept, ToDelta(spec_.schema, rows));
  if (partition_by_.empty()) return staging_->Write("", kept);
  Batch inside = kept;
  inside.columns.clear();
  for (const int i : all_) {
    if (std::find(partition_by_.begin(), partition_by_.end(), i) == partition_by_.end()) {
      inside.columns.push_back(kept.columns[static_cast<size_t>(i)]);
    }
  }
  LEAT_ASSIGN(const auto parts, SplitByFolder(rows, spec_.schema, partition_by_));
  for (const HivePart& part : parts) {
    LEAT_ASSIGN(Batch taken, Take(inside, part.rows));
    LEAT_RETURN(staging_->Write(part.folder, std::move(taken)));
  }
  return Status::OK();
}

Result<Strings> DeltaSink::KeysOf(const Batch& rows, const std::vector<int>& columns) const {
  std::vector<KeyColumn> types;
  std::vector<std::shared_ptr<arrow::Array>> values;
  for (size_t i = 0; i < columns.size(); ++i) {
    types.push_back({spec_.schema.columns[static_cast<size_t>(spec_.key[i])].type});
    values.push_back(rows.columns[static_cast<size_t>(columns[i])]);
  }
  Strings keys;
  LEAT_RETURN(KeyEncoder(std::move(types)).Encode(values, rows.rows, &keys));
  return keys;
}

Status DeltaSink::RefuseNullKeys(const Batch& rows) const {
  for (const int i : spec_.key) {
    if (rows.columns[static_cast<size_t>(i)]->null_count() == 0) continue;
    return SqlStatus(
        fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    spec_.schema.columns[static_cast<size_t>(i)].name, spec_.name),
        {.sqlstate = "23502"});
  }
  return Status::OK();
}

// What was staged before under keys that go is staged no more.
Status DeltaSink::TakeAway(const Batch& went) {
  LEAT_RETURN(RefuseNullKeys(went));
  LEAT_ASSIGN(const Strings keys, KeysOf(went, spec_.key));
  Keys again;
  for (int64_t i = 0; i < keys.size(); ++i) {
    std::string key(keys[i]);
    if (came_.erase(key) > 0) again.insert(key);
    touched_.insert(std::move(key));
  }
  if (again.empty()) return Status::OK();
  LEAT_ASSIGN(const auto staged, staging_->Finish());
  Keys all = std::move(touched_);
  touched_ = std::move(again);
  for (const StagedFile& file : staged) {
    DeltaFile read{.path = "_leat/tmp/" + file.name, .partition = HiveValues(file.folder + "/")};
    LEAT_RETURN(StageOthers(read));
    LEAT_RETURN(files().Remove(target_ + "/" + read.path));
  }
  touched_ = std::move(all);
  return Status::OK();
}

Status DeltaSink::Remember(const Batch& came) {
  LEAT_RETURN(RefuseNullKeys(came));
  LEAT_ASSIGN(const Strings keys, KeysOf(came, spec_.key));
  for (int64_t i = 0; i < keys.size(); ++i) {
    std::string key(keys[i]);
    touched_.insert(key);
    if (came_.insert(std::move(key)).second || !doubled_.empty()) continue;
    std::vector<std::string> names, values;
    for (const int column : spec_.key) {
      const auto at = static_cast<size_t>(column);
      names.push_back("\"" + spec_.schema.columns[at].name + "\"");
      AppendText(*Plain(came.columns[at]), i, spec_.schema.columns[at].type, {},
                 &values.emplace_back());
    }
    doubled_ =
        fmt::format("Key ({})=({}) came twice.", fmt::join(names, ", "), fmt::join(values, ", "));
  }
  return Status::OK();
}

Status DeltaSink::Write(const Batch& batch) {
  if (spec_.mode != SinkMode::kUpsert) {
    LEAT_ASSIGN(const Batch rows, RowsThatCame(batch, spec_.name));
    return Stage(rows);
  }
  LEAT_ASSIGN(const CameAndWent rows, SplitByWeight(batch));
  if (rows.went.rows > 0) LEAT_RETURN(TakeAway(rows.went));
  if (rows.came.rows == 0) return Status::OK();
  LEAT_RETURN(Remember(rows.came));
  return Stage(rows.came);
}

// --- Committing ----------------------------------------------------------------------------------

Result<bool> DeltaSink::Touches(const DeltaFile& file) const {
  bool touches = false;
  std::vector<int> columns;
  for (size_t i = 0; i < spec_.key.size(); ++i) columns.push_back(static_cast<int>(i));
  const DeltaFileReader reader(target_, spec_.schema, spec_.key);
  LEAT_RETURN(reader.Read(file, [&](const Batch& batch) -> Status {
    if (touches) return Status::OK();
    LEAT_ASSIGN(const Strings keys, KeysOf(batch, columns));
    for (int64_t i = 0; i < keys.size() && !touches; ++i) {
      touches = touched_.contains(std::string(keys[i]));
    }
    return Status::OK();
  }));
  return touches;
}

Status DeltaSink::StageOthers(const DeltaFile& file) {
  const DeltaFileReader reader(target_, spec_.schema, all_);
  return reader.Read(file, [&](const Batch& batch) -> Status {
    std::vector<int32_t> others;
    LEAT_ASSIGN(const Strings keys, KeysOf(batch, spec_.key));
    for (int64_t i = 0; i < keys.size(); ++i) {
      if (!touched_.contains(std::string(keys[i]))) others.push_back(static_cast<int32_t>(i));
    }
    LEAT_ASSIGN(const Batch rows, Take(batch, others));
    return Stage(rows);
  });
}

Result<std::vector<DeltaFile>> DeltaSink::Rewrite() {
  std::vector<DeltaFile> rewritten;
  if (spec_.mode == SinkMode::kReplace) {
    for (const auto& [path, file] : state_.files) rewritten.push_back(file);
  }
  if (touched_.empty()) return rewritten;
  for (const auto& [path, file] : state_.files) {
    LEAT_ASSIGN(const bool touches, Touches(file));
    if (!touches) continue;
    LEAT_RETURN(StageOthers(file));
    rewritten.push_back(file);
  }
  return rewritten;
}

Result<std::vector<DeltaFile>> DeltaSink::Publish() {
  LEAT_ASSIGN(const auto staged, staging_->Finish());
  std::vector<DeltaFile> added;
  std::set<std::string> folders;
  for (const StagedFile& file : staged) {
    const std::string name = fmt::format("part-{:020d}-{:05d}-{}.parquet", state_.version + 1,
                                         added.size(), std::string_view(spec_.state).substr(0, 12));
    const std::string folder = file.folder.empty() ? target_ : target_ + "/" + file.folder;
    LEAT_RETURN(files().CreateDirectories(folder));
    LEAT_RETURN(files().Rename(StagingFolder() + "/" + file.name, folder + "/" + name));
    folders.insert(folder);
    std::error_code error;
    DeltaFile delta{.path = file.folder.empty() ? name : file.folder + "/" + name,
                    .partition = HiveValues(file.folder + "/"),
                    .modified = NowMillis(),
                    .stats = fmt::format("{{\"numRecords\":{}}}", file.rows)};
    delta.bytes = static_cast<int64_t>(fs::file_size(target_ + "/" + delta.path, error));
    added.push_back(std::move(delta));
  }
  for (const std::string& folder : folders) LEAT_RETURN(files().SyncDirectory(folder));
  return added;
}

Status DeltaSink::Commit(int64_t epoch) {
  if (!doubled_.empty()) {
    return SqlStatus(fmt::format("two rows for one key of sink \"{}\"", spec_.name),
                     {.sqlstate = "21000", .detail = doubled_});
  }
  const bool appends = spec_.mode == SinkMode::kAppend;
  LEAT_ASSIGN(const auto removed, Rewrite());
  LEAT_ASSIGN(const auto added, Publish());
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const int64_t now = NowMillis();
    std::string lines = CommitInfoAction(now, appends ? "WRITE" : "MERGE");
    lines += TxnAction(AppOf(spec_), {.version = epoch, .updated = now});
    for (const DeltaFile& file : removed) lines += RemoveAction(file, now, true);
    for (const DeltaFile& file : added) lines += AddAction(file, true);
    LEAT_ASSIGN(const bool made, CommitDelta(target_, state_.version + 1, lines));
    // Rows that are only added fit behind whatever somebody else committed meanwhile.
    LEAT_RETURN(ReadDeltaNews(target_, &state_));
    if (made) return AfterCommit();
    if (!appends) break;
  }
  return IOErrorF("the Delta table in \"{}\" was changed by another writer", target_);
}

Status DeltaSink::AfterCommit() {
  LEAT_RETURN(Start());
  LEAT_RETURN(Compact());
  if (state_.version >= state_.checkpoint + kCheckpointEvery) LEAT_RETURN(Sweep());
  return Status::OK();
}

// Makes one file of many small ones of a folder. Readers of changes see none.
Status DeltaSink::Compact() {
  std::map<std::string, std::vector<DeltaFile>> small;
  for (const auto& [path, file] : state_.files) {
    const size_t slash = path.rfind('/');
    if (file.bytes < staging_spec_.file_bytes_max / 4) {
      small[slash == path.npos ? "" : path.substr(0, slash)].push_back(file);
    }
  }
  std::vector<DeltaFile> removed;
  const DeltaFileReader reader(target_, spec_.schema, all_);
  for (const auto& [folder, many] : small) {
    if (static_cast<int64_t>(many.size()) < kSmallFilesMax) continue;
    for (const DeltaFile& file : many) {
      LEAT_RETURN(reader.Read(file, [&](const Batch& batch) { return Stage(batch); }));
      removed.push_back(file);
    }
  }
  if (removed.empty()) return Status::OK();
  LEAT_ASSIGN(const auto added, Publish());
  const int64_t now = NowMillis();
  std::string lines = CommitInfoAction(now, "OPTIMIZE");
  for (const DeltaFile& file : removed) lines += RemoveAction(file, now, false);
  for (const DeltaFile& file : added) lines += AddAction(file, false);
  // Where somebody else was faster it is for another time; the files are nobody's.
  LEAT_ASSIGN(const bool made, CommitDelta(target_, state_.version + 1, lines));
  if (!made) {
    for (const DeltaFile& file : added) LEAT_RETURN(files().Remove(target_ + "/" + file.path));
  }
  return ReadDeltaNews(target_, &state_);
}

// Removes files that no version younger than `vacuum_after` names, and shortens the log.
Status DeltaSink::Sweep() {
  const int64_t now = NowMillis();
  for (auto file = state_.removed.begin(); file != state_.removed.end();) {
    if (file->second + keep_ms_ > now) {
      ++file;
      continue;
    }
    LEAT_RETURN(files().Remove(target_ + "/" + file->first));
    file = state_.removed.erase(file);
  }
  state_.checkpoint = state_.version;
  return CheckpointDelta(target_, state_, now, keep_ms_);
}

Status DeltaSink::Reset() {
  LEAT_RETURN(files().CreateDirectories(target_));
  LEAT_ASSIGN(state_, ReadDeltaLog(target_));
  if (state_.version >= 0) {
    const int64_t now = NowMillis();
    std::string lines = CommitInfoAction(now, "DELETE");
    for (const auto& [app, txn] : state_.txns) {
      if (MarkOf(app, txn, spec_.name)) lines += TxnAction(app, {.version = 0, .updated = now});
    }
    for (const auto& [path, file] : state_.files) lines += RemoveAction(file, now, true);
    LEAT_ASSIGN(const bool made, CommitDelta(target_, state_.version + 1, lines));
    if (!made) return IOErrorF("the Delta table in \"{}\" was changed just now", target_);
    LEAT_RETURN(ReadDeltaNews(target_, &state_));
  }
  return Start();
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeDeltaSink(SinkSpec spec, std::string target,
                                            std::vector<int> partition_by) {
  if (spec.mode == SinkMode::kSnapshot) {
    return NotSupported(
        fmt::format(
            "sink \"{}\": a Delta table has the modes \"append\", \"upsert\", \"replace\" and "
            "\"changelog\"",
            spec.name),
        -1, "It keeps its own history: read it as of a version.");
  }
  StagingSpec staging{
      .folder = target + "/_leat/tmp", .format = "parquet", .extension = ".parquet"};
  for (int i = 0; i < spec.schema.size(); ++i) {
    const Column& column = spec.schema.columns[static_cast<size_t>(i)];
    if (std::find(partition_by.begin(), partition_by.end(), i) == partition_by.end()) {
      staging.schema.columns.push_back(DeltaSchema({{column}}).columns[0]);
      continue;
    }
    const bool plain =
        column.type.is_integer() || column.type.is_string() || column.type.id == TypeId::kDate;
    if (!plain) {
      return NotSupported(
          fmt::format("a Delta table partitioned by column \"{}\" of type {} is not "
                      "supported",
                      column.name, TypeName(column.type)),
          -1, "Partition by a date, an integer or text.");
    }
  }
  if (staging.schema.columns.empty()) {
    return InvalidValue("partition_by", OptionOr(spec.options, "partition_by", ""),
                        "At least one column must be inside the files.");
  }
  // What Spark and others read everywhere.
  staging.options = {{"compression", OptionOr(spec.options, "compression", "snappy")}};
  LEAT_ASSIGN(staging.file_bytes_max,
              BytesOption(spec.options, "file_bytes_max", staging.file_bytes_max));
  LEAT_ASSIGN(const auto keep, TimeOption(spec.options, "vacuum_after", std::chrono::hours(24)));
  return std::make_unique<DeltaSink>(std::move(spec), std::move(target), std::move(partition_by),
                                     std::move(staging), keep.count() / 1000);
}

Result<std::optional<Mark>> ReadDeltaMark(const SinkSpec& spec, const std::string& target) {
  LEAT_ASSIGN(const DeltaState state, ReadDeltaLog(target));
  return LastMark(state, spec.name);
}

}  // namespace leat
