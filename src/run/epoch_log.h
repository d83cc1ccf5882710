// What was read, epoch by epoch: written down before anything computed from it leaves the process,
// so that an epoch can be computed again and gives the same.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "connect/source.h"
#include "flow/operator.h"

namespace leat {

// A range that one Poll gave.
struct LogRange {
  int32_t source = 0;  // its place in the pipeline's sources, named in the checkpoint
  Offset end;          // it began where the source's previous range ended
  int64_t rows_read = 0;
  int64_t rows_used = 0;
  int64_t first_seq = 0;  // the `_seq` of its first row; the others follow
  uint64_t checksum = 0;  // of its bytes
};

struct LogRecord {
  Epoch epoch;
  std::vector<LogRange> ranges;  // as they interleaved
};

// One file, framed: length, xxh3 of the payload, payload. A torn tail (the last frame incomplete or
// its checksum wrong) is what a crash leaves: it is dropped. Used by one thread.
class EpochLog {
 public:
  // Opens or creates the log and reads what it holds.
  static Result<std::unique_ptr<EpochLog>> Open(FileSystem* files, std::string path);

  const std::vector<LogRecord>& records() const { return records_; }
  // Appends; not durable before Sync.
  Status Append(const LogRecord& record);
  Status Sync();
  // A checkpoint holds all of it: starts over, empty.
  Status Clear();

 private:
  EpochLog(FileSystem* files, std::string path) : files_(files), path_(std::move(path)) {}
  Status Load();

  FileSystem* const files_;
  const std::string path_;
  std::vector<LogRecord> records_;  // as found when opened
  std::unique_ptr<AppendFile> file_;
};

}  // namespace leat
