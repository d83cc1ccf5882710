#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "connect/constraints.h"
#include "connect/file/again.h"
#include "connect/file/delta.h"
#include "connect/file/file.h"
#include "connect/file/hive.h"
#include "connect/file/ledger.h"
#include "connect/file/table.h"
#include "connect/file/tail.h"
#include "connect/root_folder.h"
#include "connect/watch.h"

namespace leat {
namespace {

constexpr int64_t kChunkBytesMax = 4 << 20;
// An arrival that has so much is not worth a copy to become larger.
constexpr int64_t kArrivalBytesGood = 1 << 20;

int64_t CountLines(std::string_view bytes) {
  // Blocks of a fixed length, so that the compiler counts a register at a time.
  int64_t lines = 0;
  constexpr size_t kBlock = 128;
  size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) {
    uint8_t in_block = 0;
    for (size_t i = 0; i < kBlock; ++i) in_block += bytes[at + i] == '\n' ? 1 : 0;
    lines += in_block;
  }
  return lines + std::count(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), '\n');
}

// Chunks on their way to one Arrival. The checksum is that of all their bytes, so it does not
// depend on how they were cut.
class Gathering {
 public:
  int64_t bytes() const { return arrival_.bytes_read; }
  // Whether the rejects of `place` can go into the same arrival.
  bool Accepts(const std::string& place) const {
    return arrival_.rejects.empty() || arrival_.place == place;
  }

  void Add(const FileState& file, ReadChunk chunk) {
    arrival_.place = file.name;
    arrival_.rows_read += chunk.rows_read;
    arrival_.bytes_read += chunk.bytes ? chunk.end - chunk.begin : MemoryOf(chunk.batch);
    if (chunk.bytes) {
      pieces_.push_back({chunk.bytes, {}, chunk.begin, chunk.end, chunk.checksum});
    } else if (!pieces_.empty() && pieces_.back().file == file.name) {
      pieces_.back().end = chunk.end;
    } else {
      pieces_.push_back({nullptr, file.name, chunk.begin, chunk.end, file.fingerprint});
    }
    std::move(chunk.rejects.begin(), chunk.rejects.end(), std::back_inserter(arrival_.rejects));
    if (chunk.batch.rows > 0) batches_.push_back(std::move(chunk.batch));
  }

  Result<Arrival> Finish(const Schema& schema, Offset end) {
    if (batches_.size() == 1) {
      arrival_.batch = std::move(batches_[0]);
    } else if (batches_.empty()) {
      arrival_.batch = EmptyBatch(schema);
    } else {
      LEAT_ASSIGN(arrival_.batch, Concatenate(schema, batches_));
    }
    arrival_.checksum = Checksum();
    arrival_.end = std::move(end);
    return std::move(arrival_);
  }

 private:
  // Bytes of a text file, or rows of a Parquet file (whose checksum is then the file's
  // fingerprint).
  struct Piece {
    std::shared_ptr<const std::string> bytes;
    std::string file;
    int64_t begin = 0, end = 0;
    uint64_t checksum = 0;
  };

  uint64_t Checksum() const {
    if (pieces_.size() == 1 && pieces_[0].bytes) return pieces_[0].checksum;
    const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                                XXH3_freeState);
    XXH3_64bits_reset(state.get());
    for (const Piece& piece : pieces_) {
      if (piece.bytes) {
        XXH3_64bits_update(state.get(), piece.bytes->data(), piece.bytes->size());
      } else {
        const auto rows = fmt::format("{:016x} {} {}", piece.checksum, piece.begin, piece.end);
        XXH3_64bits_update(state.get(), rows.data(), rows.size());
      }
    }
    return XXH3_64bits_digest(state.get());
  }

  Arrival arrival_;
  std::vector<Batch> batches_;
  std::vector<Piece> pieces_;
};

// Bytes to pass over at the end of what was read of a file that grew since: the newline that its
// last row lacked. An error if the row itself grew.
Result<int64_t> NewlineAfter(const std::string& path, int64_t done) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return IOErrorF("could not open file \"{}\" for reading: {}", path, std::strerror(errno));
  }
  std::array<char, 3> bytes{};
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), done - 1);
  ::close(fd);
  const std::string_view text(bytes.data(), got > 0 ? static_cast<size_t>(got) : 0);
  if (text.size() <= 1 || text[0] == '\n') return 0;
  if (text[1] == '\n') return 1;
  if (text.substr(1) == "\r\n") return 2;
  return IOErrorF("the last row of file \"{}\", at byte {}, grew after it was read", path, done);
}

class FileSource : public Source {
 public:
  explicit FileSource(FileTable table)
      : table_(std::move(table)), ledger_(table_), schema_(SchemaOf(table_.relation)) {}

  Status Seek(const Offset& offset) override {
    reader_.reset();
    limits_.reset();
    LEAT_ASSIGN(auto files, DecodeOffset(offset));
    // In another version's words, perhaps, from which no step goes on.
    known_ = EncodeOffset(files) == offset;
    return ledger_.Load(std::move(files));
  }

  Status Limit(const Offset& end) override {
    LEAT_ASSIGN(limits_, DecodeOffset(end));
    for (const FileState& file : *limits_) LEAT_RETURN(CheckReadOnce(file));
    LEAT_RETURN(ledger_.Load(*limits_));
    for (size_t place = 0; place < ledger_.files().size(); ++place) {
      ledger_.Set(place, Unread(ledger_.files()[place]));
    }
    return Status::OK();
  }

  void Follow() override {
    following_ = true;
    ledger_.Follow();
  }
  void GiveSteps() override { gives_steps_ = true; }
  bool Wait(std::chrono::milliseconds at_most) override;
  Result<std::optional<Arrival>> Poll(int64_t bytes_max) override;
  Result<Arrival> Reread(const Offset& end) override;
  Result<AgainPlan> Again(const Offset& end, const AgainSpec& spec) override {
    return PlanAgain(table_, end, spec);
  }
  int64_t lag_bytes() const override { return lag_bytes_; }

 private:
  static Schema SchemaOf(const Relation& relation) {
    Schema schema;
    for (const ColumnSpec& column : relation.columns) schema.columns.push_back(column.column);
    return schema;
  }

  // Where to stop reading a file; -1 at its end. A file that is read while it is written ends with
  // its last whole row.
  Result<int64_t> EndOf(size_t place) const;
  // Learns what is new: by what the watch told, or by a look at everything.
  Status Discover();
  void LookAtChanges(std::chrono::milliseconds at_most);
  static FileState Unread(FileState file) {
    file.done = file.rows = 0;
    file.lines = 1;
    return file;
  }
  // The place of the first file to read, also after another look at the folder; or -1.
  Result<int64_t> NextFile(bool may_discover);
  Result<Arrival> Arrive(Gathering* gathering);
  Status Open(const FileState& file, int64_t chunk_bytes, int64_t end);
  // The chunk of `file` after what is done, or nothing at its end (or at `end`).
  Result<std::optional<ReadChunk>> ReadNext(FileState* file, int64_t chunk_bytes, int64_t end);
  Status RereadFile(const FileState& target, FileState* file, Gathering* gathering);

  const FileTable table_;
  FileLedger ledger_;
  const Schema schema_;
  std::optional<std::vector<FileState>> limits_;  // by place in the ledger: see Limit
  bool following_ = false;
  bool gives_steps_ = false;
  bool known_ = true;  // whoever asks has the ledger's text as of its last Step
  int64_t lag_bytes_ = -1;
  std::unique_ptr<FolderWatch> watch_;  // since the first Poll that follows
  std::chrono::steady_clock::time_point look_again_;
  FolderChanges changes_;  // not yet looked at
  std::unique_ptr<FileReader> reader_;
  // What reader_ reads, while it is there.
  std::string reader_file_;
  int64_t reader_at_ = 0;
  int64_t reader_end_ = -1;
  int64_t reader_chunk_bytes_ = 0;
};

Result<int64_t> FileSource::EndOf(size_t place) const {
  if (limits_) return (*limits_)[place].done;
  const FileState& file = ledger_.files()[place];
  if (!following_ || !table_.tail || !IsRows(table_, file.name)) return -1;
  return EndOfRows(ledger_.PathOf(file), IsCsv(table_, file.name), file.done, table_.read);
}

Status FileSource::Discover() {
  if (!following_) return ledger_.Discover().status();
  if (!watch_) {
    const FolderOfFiles folder = FolderOf(table_);
    watch_ = WatchFolder(
        {.root = table_.root, .folder = folder.name, .deep = folder.deep, .growing = table_.tail});
    changes_ = {.any = true, .all = true};
  }
  if (!changes_.any) LookAtChanges(std::chrono::milliseconds(0));
  FolderChanges changes = std::exchange(changes_, {});
  if (changes.all) return ledger_.Discover().status();
  std::sort(changes.names.begin(), changes.names.end());
  for (const std::string& name : changes.names) LEAT_RETURN(ledger_.LookAt(name));
  return Status::OK();
}

bool FileSource::Wait(std::chrono::milliseconds at_most) {
  if (!watch_) return true;
  LookAtChanges(at_most);
  return changes_.any;
}

void FileSource::LookAtChanges(std::chrono::milliseconds at_most) {
  // Nobody may tell when a file that waits has become whole.
  FolderChanges changes = watch_->Wait(at_most);
  if (ledger_.waits() && !changes.all) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= look_again_) {
      look_again_ = now + std::chrono::milliseconds(500);
      changes.any = changes.all = true;
    }
  }
  if (changes.lost) watch_.reset();
  changes_ = std::move(changes);
}

Result<int64_t> FileSource::NextFile(bool may_discover) {
  if (limits_) {
    for (size_t place = 0; place < ledger_.files().size(); ++place) {
      if (ledger_.files()[place].done < (*limits_)[place].done) return static_cast<int64_t>(place);
    }
    return -1;
  }
  if (ledger_.FirstToRead() < 0 && may_discover) LEAT_RETURN(Discover());
  return ledger_.FirstToRead();
}

Status FileSource::Open(const FileState& file, int64_t chunk_bytes, int64_t end) {
  if (reader_ && reader_file_ == file.name && reader_at_ == file.done && reader_end_ == end &&
      reader_chunk_bytes_ <= chunk_bytes) {
    return Status::OK();
  }
  reader_.reset();
  const std::string path = ledger_.PathOf(file);
  ReadRange range{.begin = file.done, .end = end, .first_row = file.rows, .first_line = file.lines};
  if (file.done > 0 && CanGrow(table_, file.name)) {
    LEAT_ASSIGN(const int64_t newline, NewlineAfter(path, file.done));
    range.begin += newline;
    range.first_line += newline > 0 ? 1 : 0;
  }
  ReadOptions options = table_.read;
  options.chunk_bytes_max = chunk_bytes;
  LEAT_ASSIGN(reader_, OpenFile(path, table_.format, options, range));
  reader_file_ = file.name;
  reader_at_ = file.done;
  reader_end_ = end;
  reader_chunk_bytes_ = chunk_bytes;
  return Status::OK();
}

Result<std::optional<ReadChunk>> FileSource::ReadNext(FileState* file, int64_t chunk_bytes,
                                                      int64_t end) {
  LEAT_RETURN(Open(*file, chunk_bytes, end));
  auto next = reader_->Next();
  if (!next.ok() || !*next) reader_.reset();
  if (!next.ok() || !*next) return next;
  ReadChunk& chunk = **next;
  if (chunk.bytes) file->lines = chunk.first_line + CountLines(*chunk.bytes);
  file->done = reader_at_ = chunk.end;
  file->rows += chunk.rows_read;
  LEAT_ASSIGN(chunk.batch, AddPartitionColumns(table_, file->name, std::move(chunk.batch)));
  LEAT_RETURN(ApplyConstraints(table_.relation, file->name, &chunk));
  return next;
}

Result<std::optional<Arrival>> FileSource::Poll(int64_t bytes_max) {
  Gathering gathering;
  bool moved = false;
  const int64_t chunk_bytes = std::clamp<int64_t>(bytes_max, 1, kChunkBytesMax);
  while (gathering.bytes() < std::min(bytes_max, kArrivalBytesGood)) {
    LEAT_ASSIGN(const int64_t next, NextFile(!moved));
    if (next < 0) break;
    const auto place = static_cast<size_t>(next);
    FileState file = ledger_.files()[place];
    if (!gathering.Accepts(file.name)) break;
    LEAT_ASSIGN(const int64_t end, EndOf(place));
    if (end >= 0 && end <= file.done && !limits_) {
      file.complete = true;  // until its next row is whole
      ledger_.Set(place, std::move(file));
      continue;
    }
    auto chunk = ReadNext(&file, chunk_bytes, end);
    if (!chunk.ok()) {
      // The rows before the damage go first; the error comes again with the next Poll.
      reader_.reset();
      if (!moved) return chunk.status();
      break;
    }
    if (!*chunk && limits_) {
      return IOErrorF("file \"{}\" is shorter than it was when it was read", ledger_.PathOf(file));
    }
    // The end shows at the next call, or by the size where it says so: no arrival without rows.
    const bool at_end = !*chunk || (CanGrow(table_, file.name) && file.done >= file.size);
    if (at_end) {
      reader_.reset();
      LEAT_RETURN(ledger_.Finish(&file));
    }
    ledger_.Set(place, file);
    if (*chunk) gathering.Add(file, std::move(**chunk));
    moved = true;
  }
  lag_bytes_ = ledger_.BytesToRead();
  if (!moved) return std::nullopt;
  LEAT_ASSIGN(Arrival arrival, Arrive(&gathering));
  return arrival;
}

Result<Arrival> FileSource::Arrive(Gathering* gathering) {
  OffsetStep step = ledger_.Step();
  const bool whole = !gives_steps_ || !known_;
  known_ = true;
  LEAT_ASSIGN(Arrival arrival, gathering->Finish(schema_, whole ? ledger_.text() : Offset()));
  if (!whole) arrival.step = std::move(step);
  return arrival;
}

Status FileSource::RereadFile(const FileState& target, FileState* file, Gathering* gathering) {
  if (target.done <= file->done) return Status::OK();
  LEAT_RETURN(ledger_.Verify(target));
  // First with the reader that stands there, whose chunks usually end at the same places: so a
  // compressed file is not read from its beginning for every arrival.
  int64_t end = -1;
  while (file->done < target.done) {
    FileState ahead = *file;
    LEAT_ASSIGN(auto chunk, ReadNext(&ahead, kChunkBytesMax, end));
    const bool beyond = chunk && ahead.done > target.done;
    if (!chunk || (beyond && end == target.done)) {
      return IOErrorF("file \"{}\" has no row that ends at byte {}, to which it was read before",
                      ledger_.PathOf(target), target.done);
    }
    if (beyond) {
      end = target.done;
      reader_.reset();
      continue;
    }
    *file = ahead;
    gathering->Add(*file, std::move(*chunk));
  }
  return Status::OK();
}

Result<Arrival> FileSource::Reread(const Offset& end) {
  static_cast<void>(ledger_.Step());
  size_t place = 0;
  LEAT_ASSIGN(const auto targets, ledger_.DecodeRest(end, &place));
  Gathering gathering;
  for (const FileState& target : targets) {
    if (place >= ledger_.files().size()) ledger_.Append(Unread(target));
    FileState file = ledger_.files()[place];
    if (file.name != target.name) {
      return IOErrorF("at this place file \"{}\" was read before, not \"{}\"", target.name,
                      file.name);
    }
    LEAT_RETURN(RereadFile(target, &file, &gathering));
    ledger_.Set(place++, target);
  }
  ledger_.Truncate(place);  // later ones are found again
  known_ = false;
  return gathering.Finish(schema_, end);
}

// The folder of a Delta table.
std::string DeltaFolder(const Server& server, const Relation& relation) {
  std::string path = PathOption(relation.options, relation.name);
  while (path.ends_with('/')) path.pop_back();
  return path.starts_with('/') ? path : fmt::format("{}/{}", RootFolder(server), path);
}

}  // namespace

Result<std::unique_ptr<Source>> MakeFileSource(const Server& server, const Relation& relation) {
  if (IsDelta(relation.options)) {
    return NotSupported(
        fmt::format("Delta table \"{}\" as a source of a standing query is not supported",
                    relation.name),
        relation.location, "It can be written, and read by `leat sql`.");
  }
  LEAT_ASSIGN(FileTable table, MakeFileTable(server, relation));
  return std::make_unique<FileSource>(std::move(table));
}

Status ReadFiles(const Server& server, const Relation& relation, const ArrivalVisitor& visit) {
  if (IsDelta(relation.options)) return ReadDelta(relation, DeltaFolder(server, relation), visit);
  LEAT_ASSIGN(const auto source, MakeFileSource(server, relation));
  while (true) {
    LEAT_ASSIGN(const auto arrival, source->Poll(kChunkBytesMax));
    if (!arrival) return Status::OK();
    LEAT_RETURN(visit(*arrival));
  }
}

Result<Schema> InferFileColumns(const Server& server, const Relation& relation) {
  if (IsDelta(relation.options)) return InferDeltaColumns(DeltaFolder(server, relation));
  LEAT_ASSIGN(const FileTable table, MakeFileTable(server, relation));
  LEAT_ASSIGN(const auto files, FindFiles(table.root, table.pattern));
  if (files.empty()) {
    return SqlStatus(fmt::format("could not infer the columns of \"{}\": no file matches \"{}\"",
                                 relation.name, table.pattern),
                     {.sqlstate = kUndefinedTable,
                      .location = relation.location,
                      .hint = "Declare the columns, or put a file there."});
  }
  LEAT_ASSIGN(Schema schema, InferSchema(files[0].path, table.format, table.read.options));
  const std::string prefix = OptionOr(relation.options, "strip_prefix", "");
  for (Column& column : schema.columns) {
    if (!prefix.empty() && column.name.starts_with(prefix)) column.name.erase(0, prefix.size());
  }
  LEAT_ASSIGN(const auto partition_by,
              NameList("partition_by", OptionOr(relation.options, "partition_by", "")));
  for (const std::string& name : partition_by) {
    if (schema.Find(name) < 0) schema.columns.push_back({name, TypeId::kText});
  }
  return schema;
}

}  // namespace leat
