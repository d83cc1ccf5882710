// The uncompressed bytes of one file, in order, whatever it is wrapped in.
#pragma once

#include <cstdint>
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
};

enum class Compression : uint8_t { kNone, kGzip, kZstd };

// By the name's ending: ".gz", ".zst", ".zstd".
Compression CompressionOf(std::string_view path);

// Opens `path` at the uncompressed byte `begin`. What is compressed is inflated and skipped.
Result<std::unique_ptr<ByteReader>> OpenBytes(const std::string& path, Compression compression,
                                              int64_t begin);

}  // namespace leat
