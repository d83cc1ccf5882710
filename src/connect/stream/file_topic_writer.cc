#include <xxhash.h>

#include <iterator>
#include <thread>

#include "base/file_system.h"
#include "connect/json.h"
#include "connect/stream/file_topic.h"

namespace leat {
namespace {

constexpr int64_t kSegmentBytes = 64 << 20;  // one that has so many is followed by another
constexpr size_t kStagedInMemory = 4 << 20;  // more is staged in a file
constexpr int64_t kCopyBytes = 1 << 20;
// A commit of another process takes much less.
constexpr int kLockTries = 1000;
constexpr std::chrono::milliseconds kLockPause(10);

// Held while a process changes a topic.
Result<std::unique_ptr<FileLock>> LockTopic(const std::string& folder) {
  for (int i = 0; i < kLockTries; ++i) {
    LEAT_ASSIGN(auto lock, PosixFileSystem()->TryLock(folder + "/.lock"));
    if (lock) return lock;
    std::this_thread::sleep_for(kLockPause);
  }
  return IOErrorF("topic \"{}\" is locked by another process", folder);
}

Status WriteTopicState(const std::string& folder, const TopicState& state) {
  return WriteFileAtomically(PosixFileSystem(), folder + "/topic.json", EncodeTopicState(state));
}

// A new segment, behind whose beginning nothing is. REQUIRES: the lock is held.
Status DropSegments(const std::string& folder, TopicState* state) {
  const auto old = std::move(state->segments);
  state->segments = {{.number = old.back().number + 1, .bytes = 0, .first = state->ends}};
  LEAT_RETURN(WriteTopicState(folder, *state));
  for (const auto& segment : old) {
    LEAT_RETURN(PosixFileSystem()->Remove(SegmentPath(folder, segment.number)));
  }
  return Status::OK();
}

class FileTopicWriter : public TopicWriter {
 public:
  explicit FileTopicWriter(FileTopicSpec spec)
      : spec_(std::move(spec)),
        files_(*PosixFileSystem()),
        staging_path_(fmt::format("{}/.staged-{:016x}", spec_.folder,
                                  XXH3_64bits(spec_.writer.data(), spec_.writer.size()))) {}

  Result<std::optional<Mark>> Open() override;
  int32_t partitions() const override { return static_cast<int32_t>(counts_.size()); }
  Status Put(int32_t partition, const std::string* key, std::optional<Micros> timestamp,
             const std::string* value) override;
  int64_t staged_bytes() const override { return staged_bytes_; }
  Status Commit(const Mark& mark) override;
  Status Empty() override;

 private:
  Status Create();
  Status Forget();
  Status SpillStaged();
  // The topic as it is, which this process alone changes while it holds the lock.
  Result<TopicState> State() const;
  // Appends what is staged behind what is committed, durably.
  Status AppendTo(const TopicState::Segment& segment);

  const FileTopicSpec spec_;
  FileSystem& files_;
  const std::string staging_path_;
  std::vector<int64_t> counts_;  // staged records, by partition
  std::string staged_;           // behind what is in the file
  std::unique_ptr<AppendFile> file_;
  int64_t staged_bytes_ = 0;
};

Result<TopicState> FileTopicWriter::State() const {
  LEAT_ASSIGN(auto state, ReadTopicState(spec_.folder));
  if (!state) return IOErrorF("topic \"{}\" is gone", spec_.folder);
  return *std::move(state);
}

Result<std::optional<Mark>> FileTopicWriter::Open() {
  LEAT_RETURN(files_.CreateDirectories(spec_.folder));
  LEAT_ASSIGN(const auto lock, LockTopic(spec_.folder));
  LEAT_ASSIGN(auto state, ReadTopicState(spec_.folder));
  if (!state) {
    LEAT_RETURN(Create());
    LEAT_ASSIGN(state, ReadTopicState(spec_.folder));
  }
  counts_.assign(state->ends.size(), 0);
  LEAT_RETURN(Forget());
  for (const auto& [writer, mark] : state->marks) {
    if (writer == spec_.writer) return mark;
  }
  return std::nullopt;
}

Status FileTopicWriter::Create() {
  const std::string seed = fmt::format("{} {} {}", spec_.folder, spec_.writer, spec_.clock->Now());
  TopicState state;
  state.id = fmt::format("{:016x}", XXH3_64bits(seed.data(), seed.size()));
  state.ends.assign(static_cast<size_t>(spec_.partitions), 0);
  state.segments.push_back({.number = 1, .bytes = 0, .first = state.ends});
  return WriteTopicState(spec_.folder, state);
}

Status FileTopicWriter::Forget() {
  file_.reset();
  staged_.clear();
  staged_bytes_ = 0;
  counts_.assign(counts_.size(), 0);
  return files_.Remove(staging_path_);
}

Status FileTopicWriter::Put(int32_t partition, const std::string* key,
                            std::optional<Micros> timestamp, const std::string* value) {
  const size_t before = staged_.size();
  fmt::format_to(std::back_inserter(staged_), "{{\"partition\":{},\"timestamp\":{}", partition,
                 timestamp ? *timestamp : spec_.clock->Now());
  if (key != nullptr) {
    staged_ += ",\"key\":";
    AppendJson(*key, &staged_);
  }
  staged_ += ",\"value\":";
  staged_ += value != nullptr ? *value : "null";
  staged_ += "}\n";
  staged_bytes_ += static_cast<int64_t>(staged_.size() - before);
  ++counts_[static_cast<size_t>(partition)];
  return staged_.size() < kStagedInMemory ? Status::OK() : SpillStaged();
}

Status FileTopicWriter::SpillStaged() {
  if (!file_) {
    LEAT_ASSIGN(file_, files_.OpenAppend(staging_path_));
  }
  LEAT_RETURN(file_->Append(staged_));
  staged_.clear();
  return Status::OK();
}

Status FileTopicWriter::AppendTo(const TopicState::Segment& segment) {
  const std::string path = SegmentPath(spec_.folder, segment.number);
  const bool is_new = !files_.Exists(path);
  {
    LEAT_ASSIGN(const auto made, files_.OpenAppend(path));
    if (made->size() < segment.bytes) return IOErrorF("segment \"{}\" is too short", path);
    if (made->size() > segment.bytes) LEAT_RETURN(files_.Truncate(path, segment.bytes));
  }
  LEAT_ASSIGN(const auto out, files_.OpenAppend(path));
  if (file_) {
    LEAT_ASSIGN(const auto in, files_.OpenRead(staging_path_));
    std::string piece;
    for (int64_t at = 0; at < in->size(); at += kCopyBytes) {
      piece.resize(static_cast<size_t>(std::min(kCopyBytes, in->size() - at)));
      LEAT_RETURN(in->ReadAt(at, static_cast<int64_t>(piece.size()), piece.data()));
      LEAT_RETURN(out->Append(piece));
    }
  }
  LEAT_RETURN(out->Append(staged_));
  LEAT_RETURN(out->Sync());
  return is_new ? files_.SyncDirectory(spec_.folder) : Status::OK();
}

Status FileTopicWriter::Commit(const Mark& mark) {
  LEAT_ASSIGN(const auto lock, LockTopic(spec_.folder));
  LEAT_ASSIGN(TopicState state, State());
  if (staged_bytes_ > 0) {
    if (state.segments.back().bytes >= kSegmentBytes) {
      state.segments.push_back(
          {.number = state.segments.back().number + 1, .bytes = 0, .first = state.ends});
    }
    LEAT_RETURN(AppendTo(state.segments.back()));
    state.segments.back().bytes += staged_bytes_;
    for (size_t i = 0; i < counts_.size(); ++i) state.ends[i] += counts_[i];
  }
  std::erase_if(state.marks, [&](const auto& other) { return other.writer == spec_.writer; });
  state.marks.push_back({.writer = spec_.writer, .mark = mark});
  LEAT_RETURN(WriteTopicState(spec_.folder, state));
  return Forget();
}

Status FileTopicWriter::Empty() {
  LEAT_ASSIGN(const auto there, ReadTopicState(spec_.folder));
  if (!there) return Status::OK();
  LEAT_ASSIGN(const auto lock, LockTopic(spec_.folder));
  LEAT_ASSIGN(TopicState state, State());
  for (const auto& [writer, mark] : state.marks) {
    if (writer == spec_.writer) continue;
    return SqlStatus(
        fmt::format("topic \"{}\" also holds records of \"{}\"", spec_.folder, writer),
        {.sqlstate = "55006",
         .hint = "Only the records of all writers can be deleted: `leat topic FOLDER --empty`."});
  }
  std::erase_if(state.marks, [&](const auto& mark) { return mark.writer == spec_.writer; });
  LEAT_RETURN(DropSegments(spec_.folder, &state));
  counts_.assign(state.ends.size(), 0);
  return Forget();
}

}  // namespace

Status EmptyFileTopic(const std::string& folder) {
  LEAT_ASSIGN(auto there, ReadTopicState(folder));
  if (!there) return IOErrorF("there is no topic in \"{}\"", folder);
  LEAT_ASSIGN(const auto lock, LockTopic(folder));
  LEAT_ASSIGN(there, ReadTopicState(folder));
  return there ? DropSegments(folder, &*there) : Status::OK();
}

std::unique_ptr<TopicWriter> WriteFileTopic(FileTopicSpec spec) {
  return std::make_unique<FileTopicWriter>(std::move(spec));
}

}  // namespace leat
