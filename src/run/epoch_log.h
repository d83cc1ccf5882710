// What was read, epoch by epoch: written down before anything computed from it leaves the process,
// so that an epoch can be computed again and gives the same.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "connect/source.h"
#include "flow/operator.h"

namespace leat {

// A range that one Poll gave.
struct LogRange {
  int32_t source = 0;              // its place in the pipeline's sources, named in the checkpoint
  Offset end;                      // it began where the source's previous range ended
  std::optional<OffsetStep> step;  // instead of `end`, from where it began
  int64_t rows_read = 0;
  int64_t rows_used = 0;
  int64_t first_seq = 0;  // the `_seq` of its first row; the others follow
  uint64_t checksum = 0;  // of its bytes
};

// Takes `offset` from the range's beginning to its end.
Status GoOn(const LogRange& range, Offset* offset);

struct LogRecord {
  Epoch epoch;
  std::vector<LogRange> ranges;  // as they interleaved
};

// Files in one directory, `log-1`, `log-2` …: each begins where a checkpoint was taken or where the
// log was opened, so that none is ever changed but at its end. In them frames: length, xxh3 of the
// payload, payload. An offset is written as its difference from the one before in the file. A torn
// tail (the last frame incomplete or its checksum wrong) is what a crash leaves: it was never
// synced, and is passed over. A record voids those before it with its number or a later one: they
// were read anew. The checksums are seeded with the state's id, so that a file of another state,
// which a power cut brought back, says nothing. Used by one thread.
class EpochLog {
 public:
  // Reads what the log in `directory` holds of the state `state` after epoch `after`, that of its
  // last checkpoint. The next record begins a new file.
  static Result<std::unique_ptr<EpochLog>> Open(FileSystem* files, std::string directory,
                                                std::string_view state, int64_t after);
  // Removes all files of the log in `directory`.
  static Status Remove(FileSystem* files, const std::string& directory);

  // As found when opened: after + 1, after + 2 … The first range of each source has its whole end,
  // the others may have a step.
  const std::vector<LogRecord>& records() const { return records_; }
  // Grows whenever the next record begins a new file; from 1. REQUIRES of Append: the first range
  // of a source in a file has its whole end.
  int64_t generation() const { return generation_; }
  // Appends; not durable before Sync. After an error only Open goes on.
  Status Append(const LogRecord& record);
  Status Sync();
  // Writes what was found when opened into a file of its own, durably, and removes the others: what
  // is seen may be of a process that was killed before its sync, or whose sync failed, after which
  // no later one makes the bytes durable. To be called before anything is replayed.
  Status WriteAnew();
  // The next record begins a new file. What is in the ones before is in a checkpoint that is being
  // made; when it is, DropRolled removes them.
  Status Roll();
  Status DropRolled();
  // Of the files that are there now.
  int64_t bytes() const { return bytes_; }

 private:
  Result<std::string> FrameOf(const LogRecord& record);
  struct Segment {
    int64_t number = 0;
    int64_t bytes = 0;
  };
  EpochLog(FileSystem* files, std::string directory, std::string_view state, int64_t after);
  std::string PathOf(int64_t number) const;
  Status Load();
  Status LoadSegment(Segment* segment);
  Status Keep(LogRecord record);

  FileSystem* const files_;
  const std::string directory_;
  const uint64_t seed_;
  const int64_t after_;
  Status gap_;  // while loading: records are missing before those at hand
  std::vector<LogRecord> records_;
  std::vector<Segment> segments_;  // that are there, oldest first
  size_t rolled_ = 0;              // of these: how many DropRolled removes
  int64_t generation_ = 1;
  std::unique_ptr<AppendFile> file_;  // the last segment, once it has a record
  std::map<int32_t, Offset> ends_;    // of each source, the last in it
  bool named_ = true;                 // the directory holds its name for good
  int64_t bytes_ = 0;
};

}  // namespace leat
