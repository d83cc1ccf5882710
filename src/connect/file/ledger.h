// Which files of a table are known, in the order in which they were found, and whether they are
// still what they were.
#pragma once

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "connect/file/offset.h"
#include "connect/file/paths.h"
#include "connect/file/table.h"

namespace leat {

class FileLedger {
 public:
  // `table` outlives the ledger.
  explicit FileLedger(const FileTable& table) : table_(table) {}

  const std::vector<FileState>& files() const { return files_; }
  // The place of the first file that is not read to its end; -1 without one.
  int64_t FirstToRead();
  void Set(size_t place, FileState file);
  void Append(FileState file);
  void Truncate(size_t count);
  // The canonical text of all files (EncodeOffset), and how it differs from what it was when this
  // was asked before, or at Load. In the time of what is said anew.
  const std::string& text() const { return text_.text(); }
  OffsetStep Step();
  // As OffsetText's. REQUIRES: nothing has changed since Step.
  Result<std::vector<FileState>> DecodeRest(const Offset& end, size_t* place) const {
    return text_.DecodeRest(end, place);
  }
  // On disk, of the files that are not read to their end. A compressed one counts whole until then.
  int64_t BytesToRead();

  // Goes to a place: the files there must be the same still.
  Status Load(std::vector<FileState> files);
  // From now on files that somebody writes are passed over until they are whole, but those that are
  // read row by row.
  void Follow() { following_ = true; }
  // Looks at the folder: new files are added by name, known ones compared with what they were. True
  // if there is something to read.
  Result<bool> Discover();
  // The same for one file.
  Status LookAt(const std::string& name);
  // A file is still being written: look again although nothing may tell of it.
  bool waits() const { return waits_; }
  // Fails if `file` does not hold the `file.size` bytes it held, or is gone.
  Status Verify(const FileState& file) const;
  // The end of an uncompressed file was reached: bytes that came while it was read are part of it.
  Status Finish(FileState* file) const;

  std::string PathOf(const FileState& file) const;

 private:
  Status LookAgain(const FoundFile& now, FileState* file) const;
  bool MustWait(const FoundFile& file);
  Status Missing(FileState* file) const;
  Status LookAtKnown(size_t place, const FoundFile* now);
  Status AddFound(const FoundFile& file);
  void Mark(size_t place);

  const FileTable& table_;
  std::vector<FileState> files_;
  std::unordered_map<std::string, size_t> places_;  // by name
  size_t complete_ = 0;  // so many at the beginning are read to their end
  OffsetText text_;
  bool following_ = false;
  bool waits_ = false;
  struct Seen {
    int64_t size = 0, modified = 0;
    std::chrono::steady_clock::time_point since;
  };
  std::unordered_map<std::string, Seen> seen_;  // of which the kernel cannot say who writes them
};

}  // namespace leat
