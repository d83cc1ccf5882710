// Where operators leave their state at a checkpoint: named immutable files under one directory, and
// small named blobs inside the manifest. The manifest (run/checkpoint.h) is the only commit point.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
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
  // The same for content that lies in several places.
  virtual Result<std::string> PutFilePieces(const std::vector<std::string_view>& pieces);
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

// A part of an operator's state under its own names: what several traces in one operator use. The
// writer or reader behind it must outlive it.
class PrefixWriter : public StateWriter {
 public:
  PrefixWriter(std::string prefix, StateWriter* to) : prefix_(std::move(prefix)), to_(to) {}
  Status PutBlob(std::string_view name, std::string bytes) override {
    return to_->PutBlob(prefix_ + std::string(name), std::move(bytes));
  }
  Result<std::string> PutFile(std::string_view bytes) override { return to_->PutFile(bytes); }
  Result<std::string> PutFilePieces(const std::vector<std::string_view>& pieces) override {
    return to_->PutFilePieces(pieces);
  }
  Status KeepFile(std::string_view file) override { return to_->KeepFile(file); }

 private:
  std::string prefix_;
  StateWriter* to_;
};

class PrefixReader : public StateReader {
 public:
  PrefixReader(std::string prefix, StateReader* from) : prefix_(std::move(prefix)), from_(from) {}
  Result<std::string> GetBlob(std::string_view name) override {
    return from_->GetBlob(prefix_ + std::string(name));
  }
  Result<std::shared_ptr<const std::string_view>> GetFile(std::string_view file) override {
    return from_->GetFile(file);
  }

 private:
  std::string prefix_;
  StateReader* from_;
};

}  // namespace leat
