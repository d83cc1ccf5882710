// How a folder of files takes a commit: files are staged in <target>/_leat/tmp/, a manifest names
// them, and its rename is the commit. Then they are moved into place; a crash between is made good
// by whoever opens the folder next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect/sink.h"

namespace leat {

struct CommitFile {
  std::string staged;  // its name in _leat/tmp/
  std::string name;    // below the target
  int64_t rows = 0;
  int64_t bytes = 0;
};

struct CommitManifest {
  Mark mark;
  std::vector<CommitFile> files;
  // Mode `snapshot`: folders whose other data files go.
  std::vector<std::string> replaced;
};

std::string StagingFolder(const std::string& target);

// Creates the folders that a commit needs, with their parents.
Status MakeFolders(const std::string& target);
// The last commit, or nothing where there was none.
Result<std::optional<CommitManifest>> ReadManifest(const std::string& target);
// Makes the commit durable. REQUIRES: the staged files are synced.
Status WriteManifest(const std::string& target, const CommitManifest& manifest);
// Moves what is still staged into place. Can be done again.
Status MoveIntoPlace(const std::string& target, const CommitManifest& manifest);
// Modes `replace` and `snapshot`: removes the data files of the manifest's state that it does not
// name, all of them or those in the folders that it replaces. Can be done again. A reader between
// MoveIntoPlace and this sees old files beside new ones.
Status RemoveReplaced(const std::string& target, const CommitManifest& manifest, bool everywhere);
// Removes what was staged and never committed.
Status ClearStaging(const std::string& target);

// What names of data files that a state wrote begin with.
std::string DataFilePrefix(const std::string& state);
// Removes the data files that these states wrote, wherever they are below the target, and the
// manifest; folders that become empty go too.
Status RemoveCommitted(const std::string& target, const std::vector<std::string>& states);

}  // namespace leat
