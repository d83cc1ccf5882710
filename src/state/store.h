// Where operators leave their state at a checkpoint: named immutable files under one directory, and
// small named blobs inside the manifest. The manifest is the only commit point.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace leat {

// Writes one operator's part of one checkpoint. Everything is durable when the manifest is renamed.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  // A small value (offsets, counters, list of runs) that lives in the manifest itself.
  virtual Status PutBlob(std::string_view name, std::string bytes) = 0;
  // Writes an immutable file (durable when the manifest is) and gives its name, unique for ever.
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

// The states of all operators in one directory: immutable files beside one manifest.
//
//   DIR/manifest          the only commit point: what the last checkpoint consists of
//   DIR/<n>-<xxh3>.state  a file: its content, then a trailer with length and checksum
//
// Used by one thread, by one process (whose caller holds the lock of the directory). A checkpoint
// is: Begin, a Writer for each operator, Commit. A crash anywhere leaves the checkpoint before.
class StateStore {
 public:
  // Opens or creates the store in `directory` and reads the manifest, if there is one; what a crash
  // left behind is removed. `files` must outlive the store. To look only, beside a process that
  // writes: `read_only` makes and removes nothing.
  static Result<std::unique_ptr<StateStore>> Open(FileSystem* files, std::string directory,
                                                  bool read_only = false);
  // Removes the checkpoint and all files.
  Status Clear();

  // Whether a checkpoint was committed, and what its Commit was given.
  bool has_checkpoint() const { return committed_; }
  const std::string& extra() const { return last_.extra; }
  // The operators of the last checkpoint.
  std::vector<std::string> operators() const;

  // Starts the next checkpoint. Files of one that was begun and never committed may still be kept.
  void Begin();
  // The part of operator `id` in the checkpoint that Begin started; lives until Commit.
  std::unique_ptr<StateWriter> Writer(std::string id);
  // Makes the checkpoint the last one, with the caller's own `extra` bytes (epoch, offsets), and
  // then removes the files that no operator kept.
  Status Commit(std::string extra);

  // The part of operator `id` in the last committed checkpoint.
  std::unique_ptr<StateReader> Reader(std::string id);

 private:
  friend class DirectoryWriter;
  friend class DirectoryReader;
  struct Manifest {
    uint64_t files_made = 0;
    std::map<std::string, std::map<std::string, std::string>> blobs;  // by operator, by name
    std::set<std::string> files;
    std::string extra;
  };
  StateStore(FileSystem* files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}
  std::string PathOf(std::string_view name) const { return directory_ + "/" + std::string(name); }
  Status Load(bool read_only);
  Status RemoveUnkept();
  Result<std::string> WriteFile(const std::vector<std::string_view>& pieces);
  Result<std::shared_ptr<const std::string_view>> ReadFile(std::string_view name);
  static std::string Encode(const Manifest& manifest);
  static Result<Manifest> Decode(std::string_view bytes);

  FileSystem* files_;
  std::string directory_;
  bool committed_ = false;
  Manifest last_, next_;
  std::set<std::string> present_;                      // files that are there and whole
  std::vector<std::unique_ptr<AppendFile>> unsynced_;  // written, not yet durable
};

}  // namespace leat
