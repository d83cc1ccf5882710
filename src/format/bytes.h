// The uncompressed bytes of one file, in order, whatever it is wrapped in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

// Used by one thread at a time; memory is bounded by a constant.
class ByteReader {
 public:
  virtual ~ByteReader() = default;
  // Fills up to `size` bytes and returns how many; 0 at the end. A damaged file gives every byte
  // before the damage first and then, for ever, an IOError that names the file and the byte.
  virtual Result<int64_t> Read(char* out, int64_t size) = 0;
  // How many bytes were still to come when the file was opened, less what was read since: to make
  // no more room than it takes. -1: not known.
  virtual int64_t left() const { return -1; }
};

enum class Compression : uint8_t { kNone, kGzip, kZstd };

// How a file's text is wrapped: what compressed it, and its encoding, as iconv(3) or PostgreSQL
// name it; empty: UTF-8, which is passed on as it is.
struct Coding {
  Compression compression = Compression::kNone;
  std::string encoding;
};

// The encoding of the option `encoding`, checked; empty for UTF-8.
Result<std::string> EncodingOption(const std::map<std::string, std::string>& options);

// By the name's ending: ".gz", ".zst", ".zstd".
Compression CompressionOf(std::string_view path);

// Opens `path` at the byte `begin` of its text: inflated, and in UTF-8. What is compressed or
// encoded is read from its beginning and skipped. What its encoding has no character for comes as
// the byte 0xff, which is none of UTF-8, so that the row it stands in is refused.
Result<std::unique_ptr<ByteReader>> OpenBytes(const std::string& path, const Coding& coding,
                                              int64_t begin);

}  // namespace leat
