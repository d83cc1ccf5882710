// The state directory of one pipeline: lock, checkpoint, log.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "run/manifest.h"
#include "run/pipeline.h"
#include "state/store.h"

namespace leat {

// Holds the directory's lock while it lives. Used by one thread.
class StateDirectory {
 public:
  // Makes the directory if it is missing. Another process in it is an IOError naming the way out.
  // `drop`: what is in it is not read, whatever it may be, and goes with the Clear that follows.
  static Result<std::unique_ptr<StateDirectory>> Open(FileSystem* files, std::string path,
                                                      bool drop = false);
  // To look only: takes no lock, makes nothing. REQUIRES: nothing is written through it.
  static Result<std::unique_ptr<StateDirectory>> OpenToRead(FileSystem* files, std::string path);

  // Removes the checkpoint, the log and all state (`--fresh`).
  Status Clear();
  // The last checkpoint's manifest; false if there is none.
  Result<bool> Load(Manifest* manifest) const;
  // The parts of the checkpoint that is being written, or of the last one.
  Result<StateWriter*> Writer(const std::string& name);
  Result<StateReader*> Reader(const std::string& name);
  // Makes what was written since the last Commit the checkpoint, at once.
  Status Commit(const Manifest& manifest);
  // The same in steps: what this gives is written beside the engine (Write) and then made the
  // checkpoint (Publish), before the next part is asked for.
  std::unique_ptr<PendingCheckpoint> Prepare(const Manifest& manifest);
  // Where traces spill to.
  StateFiles* spill() { return store_->files(); }

  const std::string& path() const { return path_; }
  std::string path(const std::string& file) const { return path_ + "/" + file; }

 private:
  StateDirectory(FileSystem* files, std::string path) : files_(files), path_(std::move(path)) {}

  FileSystem* const files_;
  const std::string path_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<StateStore> store_;
  std::map<std::string, std::unique_ptr<StateWriter>> writers_;
  std::map<std::string, std::unique_ptr<StateReader>> readers_;
};

// The definitions of a pipeline's sinks, views and local tables, by hash.
std::map<std::string, std::string> DefinitionsOf(const Pipeline& pipeline);
// Refuses (SqlStatus) a state that was made by other definitions, naming each difference.
Status CheckDefinitions(const Manifest& manifest, const Pipeline& pipeline);

// The columns of `()` sources that the state in `path` (if there is one) has pinned.
Status LoadPinned(FileSystem* files, const std::string& path,
                  std::map<std::string, std::vector<Column>>* pinned);

}  // namespace leat
