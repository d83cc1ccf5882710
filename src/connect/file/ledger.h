// Which files of a table are known, in the order in which they were found, and whether they are
// still what they were.
#pragma once

#include <string>
#include <vector>

#include "connect/file/offset.h"
#include "connect/file/paths.h"
#include "connect/file/table.h"

namespace leat {

class FileLedger {
 public:
  // `table` outlives the ledger.
  explicit FileLedger(const FileTable& table) : table_(table) {}

  std::vector<FileState>& files() { return files_; }
  const std::vector<FileState>& files() const { return files_; }
  const FileState* FirstToRead() const;  // or nullptr

  // Goes to a place: the files there must be the same still.
  Status Load(std::vector<FileState> files);
  // Looks at the folder: new files are added by name, known ones compared with what they were. True
  // if there is something to read.
  Result<bool> Discover();
  // Fails if `file` does not hold the `file.size` bytes it held, or is gone.
  Status Verify(const FileState& file) const;
  // The end of an uncompressed file was reached: bytes that came while it was read are part of it.
  Status Finish(FileState* file) const;

  std::string PathOf(const FileState& file) const;

 private:
  Status LookAgain(const FoundFile& now, FileState* file) const;
  Status Missing(FileState* file) const;

  const FileTable& table_;
  std::vector<FileState> files_;
};

}  // namespace leat
