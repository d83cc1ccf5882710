// The files that traces keep: immutable once whole, kept by checkpoints, or only by the traces that
// have spilled to them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

// A whole file. It is there as long as this object, or a checkpoint that keeps it. Thread-safe.
class StateFile {
 public:
  virtual ~StateFile() = default;
  virtual const std::string& name() const = 0;  // unique for ever
  // For messages.
  virtual std::string path() const = 0;
  virtual int64_t size() const = 0;
  // Reads exactly `size` bytes.
  virtual Status ReadAt(int64_t offset, int64_t size, char* out) const = 0;
};

// A file being written. Given up, and removed, when destroyed before Finish. Used by one thread.
class StateFileMaker {
 public:
  virtual ~StateFileMaker() = default;
  virtual Status Append(std::string_view bytes) = 0;
  // The file is whole; it survives a power cut only when a checkpoint keeps it.
  virtual Result<std::shared_ptr<const StateFile>> Finish() = 0;
};

// Where traces put what they cannot hold in memory. Thread-safe; outlives its files' users.
class StateFiles {
 public:
  virtual ~StateFiles() = default;
  virtual Result<std::unique_ptr<StateFileMaker>> NewFile() = 0;
};

// The state at `path` cannot be read for the reason `what`: says so, and what to do about it.
Status DamagedState(const std::string& path, std::string_view what);

}  // namespace leat
