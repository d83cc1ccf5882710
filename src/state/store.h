// Where operators leave their state at a checkpoint: named immutable files under one directory, and
// small named blobs inside the manifest. The manifest (run/checkpoint.h) is the only commit point.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace leat {

// Writes one operator's part of one checkpoint. Everything is durable when the manifest is renamed.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  // A small value (offsets, counters, list of runs) that lives in the manifest itself.
  virtual Status PutBlob(std::string_view name, std::string bytes) = 0;
  // Writes an immutable file (fsynced before this returns) and gives its name, unique for ever.
  virtual Result<std::string> PutFile(std::string_view bytes) = 0;
  // Keeps a file of an earlier checkpoint; files that nobody keeps are deleted after the commit.
  virtual Status KeepFile(std::string_view file) = 0;
};

class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual Result<std::string> GetBlob(std::string_view name) = 0;  // KeyError where there is none
  // The file's bytes, mapped; they live as long as the returned object. Checksum verified.
  virtual Result<std::shared_ptr<const std::string_view>> GetFile(std::string_view file) = 0;
};

}  // namespace leat
