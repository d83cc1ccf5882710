// The place in a folder of files: which are known, in which order, how far each was read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "connect/source.h"

namespace leat {

// A file as it was when last looked at, and how far it was read.
struct FileState {
  std::string name;
  int64_t size = 0;          // on disk
  int64_t modified = 0;      // nanoseconds since 1970: only to see quickly that nothing changed
  uint64_t fingerprint = 0;  // of `size` bytes; see Fingerprint
  int64_t done = 0;          // uncompressed bytes read; rows for Parquet
  int64_t rows = 0;          // data rows read
  int64_t lines = 1;         // the line at `done`
  bool complete = false;     // nothing after `done` when last looked at
  int64_t earlier = 0;       // how often it was read before, as new: those rows stand beside these

  bool operator==(const FileState&) const = default;
};

// Canonical JSON, and back. "" is no file at all.
std::string EncodeOffset(const std::vector<FileState>& files);
Result<std::vector<FileState>> DecodeOffset(std::string_view offset);

// The canonical text of a list of files that changes a little at a time.
class OffsetText {
 public:
  // What a step goes on from.
  void Reset(const std::vector<FileState>& files);
  // files[place] is another than it was, is new, or is gone with all behind it.
  void Changed(size_t place);
  // Makes the text that of `files`: how it goes on from what it was. Takes the time of encoding
  // those between the first and the last that changed (to the end, if there are more or fewer).
  OffsetStep Step(const std::vector<FileState>& files);
  const std::string& text() const { return text_; }
  // The files of another offset that may differ from those of text(): from this place on.
  Result<std::vector<FileState>> DecodeRest(const Offset& end, size_t* place) const;

 private:
  size_t EndOf(size_t place) const;

  std::string text_;
  std::vector<size_t> starts_;       // of each file
  size_t from_ = SIZE_MAX, to_ = 0;  // what changed since
};

// xxh3-64 of the first and the last 64 KiB of the first `size` bytes: the identity of a file that
// may have grown since. IOError if it is shorter now.
Result<uint64_t> Fingerprint(const std::string& path, int64_t size);

}  // namespace leat
