// Where operators leave their state at a checkpoint: named immutable files under one directory, and
// small named blobs inside the manifest. The manifest is the only commit point. Operators hand over
// what they hold in no time; the bytes are written afterwards, beside them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "state/file.h"

namespace leat {

// What is to become a file of a checkpoint, when that is written, perhaps by another thread while
// its maker goes on: immutable.
class StateContent {
 public:
  virtual ~StateContent() = default;
  // Called once; again after it failed; never where the checkpoint is given up.
  virtual Result<std::shared_ptr<const StateFile>> Write(std::unique_ptr<StateFileMaker> to) = 0;
};

// Takes one operator's part of one checkpoint. Everything is durable when the manifest is renamed.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  // A small value (offsets, counters, list of runs) that lives in the manifest itself.
  virtual Status PutBlob(std::string_view name, std::string bytes) = 0;
  // An immutable file with these bytes (durable when the manifest is); gives its name, unique for
  // ever.
  virtual Result<std::string> PutFile(std::string_view bytes) = 0;
  // The same with content that is made later.
  virtual Result<std::string> PutContent(std::shared_ptr<StateContent> content) = 0;
  // Keeps a file of an earlier checkpoint, or one that a trace has spilled to; files that nobody
  // keeps or reads are deleted after the commit.
  virtual Status KeepFile(std::string_view file) = 0;
};

class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual Result<std::string> GetBlob(std::string_view name) = 0;  // KeyError where there is none
  // The file's bytes, mapped; they live as long as the returned object. Checksum verified.
  virtual Result<std::shared_ptr<const std::string_view>> GetFile(std::string_view file) = 0;
  // To read parts of it; nothing is verified. For what PutContent wrote.
  virtual Result<std::shared_ptr<const StateFile>> OpenFile(std::string_view file) = 0;
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
  Result<std::string> PutContent(std::shared_ptr<StateContent> content) override {
    return to_->PutContent(std::move(content));
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
  Result<std::shared_ptr<const StateFile>> OpenFile(std::string_view file) override {
    return from_->OpenFile(file);
  }

 private:
  std::string prefix_;
  StateReader* from_;
};

struct StateManifest {
  std::map<std::string, std::map<std::string, std::string>> blobs;  // by operator, by name
  std::set<std::string> files;
  std::string extra;
  uint64_t files_made = 0;
};
class StateDirectoryFiles;  // store.cc

// A checkpoint whose content is settled and not yet written.
class PendingCheckpoint {
 public:
  // Writes what the operators handed over and makes it durable. On any thread, beside the state's
  // work. After an error the checkpoint before is whole and the next one may begin.
  Status Write();
  // Makes it the last checkpoint, and removes the files that nobody needs. REQUIRES: Write.
  Status Publish();
  Status Commit() {
    LEAT_RETURN(Write());
    return Publish();
  }
  ~PendingCheckpoint();

 private:
  friend class StateStore;
  friend class DirectoryWriter;
  explicit PendingCheckpoint(std::shared_ptr<StateDirectoryFiles> files)
      : files_(std::move(files)) {}

  const std::shared_ptr<StateDirectoryFiles> files_;
  StateManifest manifest_;
  std::vector<std::pair<std::string, std::shared_ptr<StateContent>>> contents_;
  std::vector<std::shared_ptr<const StateFile>> written_;
};

// The states of all operators in one directory: immutable files beside one manifest.
//
//   DIR/manifest      the only commit point: what the last checkpoint consists of
//   DIR/<n>.state     a file: PutFile's, its bytes and a trailer with length and checksum; another,
//                     what its content wrote
//
// Used by one process (whose caller holds the lock of the directory) and one thread, but for
// PendingCheckpoint, files() and what they give. A checkpoint is: Begin, a Writer for each
// operator, Prepare, and Commit of what that gives, before the next Begin. A crash anywhere leaves
// the checkpoint before.
class StateStore {
 public:
  // Opens or creates the store in `directory` and reads the manifest, if there is one; what a crash
  // left behind is removed. `files` must outlive the store. To look only, beside a process that
  // writes: `read_only` makes and removes nothing.
  static Result<std::unique_ptr<StateStore>> Open(FileSystem* files, std::string directory,
                                                  bool read_only = false);
  ~StateStore();
  // Removes the checkpoint and all files.
  Status Clear();

  // Whether a checkpoint was committed, and what its Commit was given.
  bool has_checkpoint() const;
  std::string extra() const;
  // The operators of the last checkpoint.
  std::vector<std::string> operators() const;

  // Starts the next checkpoint. Files of one that was begun and never committed may still be kept.
  void Begin();
  // The part of operator `id` in the checkpoint that Begin started; lives until Prepare.
  std::unique_ptr<StateWriter> Writer(std::string id);
  // The checkpoint that Begin started, with the caller's own `extra` bytes (epoch, offsets). May
  // outlive the store.
  std::unique_ptr<PendingCheckpoint> Prepare(std::string extra);
  // Both at once.
  Status Commit(std::string extra) { return Prepare(std::move(extra))->Commit(); }

  // The part of operator `id` in the last committed checkpoint.
  std::unique_ptr<StateReader> Reader(std::string id);
  // Where traces spill to between checkpoints. Lives as long as the store.
  StateFiles* files();

 private:
  friend class DirectoryWriter;
  StateStore() = default;

  std::shared_ptr<StateDirectoryFiles> files_;
  std::unique_ptr<PendingCheckpoint> next_;
};

}  // namespace leat
