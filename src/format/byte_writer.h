// Bytes into one file, compressed by the name's ending.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

// Used by one thread.
class ByteWriter {
 public:
  virtual ~ByteWriter() = default;
  virtual Status Write(std::string_view bytes) = 0;
  // Everything is durable. To be called once; without it the file is incomplete.
  virtual Status Close() = 0;
  virtual int64_t bytes_written() const = 0;  // as they lie in the file, roughly
};

Result<std::unique_ptr<ByteWriter>> CreateBytes(const std::string& path);

}  // namespace leat
