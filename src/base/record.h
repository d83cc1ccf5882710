// A small record as bytes: integers and texts, read back in the order they were put.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

class RecordWriter {
 public:
  RecordWriter& Int(int64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  RecordWriter& Text(std::string_view text) {
    Int(static_cast<int64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Past the end, or at a length that cannot be, it gives zeros and empty texts, and status() says
// so: check once, at the end. The bytes must outlive it.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}
  int64_t Int() {
    int64_t value = 0;
    if (bytes_.size() < sizeof value) return Fail(), 0;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string Text() {
    const int64_t size = Int();
    if (size < 0 || static_cast<size_t>(size) > bytes_.size()) return Fail(), std::string();
    std::string text(bytes_.substr(0, static_cast<size_t>(size)));
    bytes_.remove_prefix(text.size());
    return text;
  }
  bool ok() const { return !failed_; }
  Status status() const {
    return failed_ ? Status::IOError("a record is shorter than what it should hold") : Status::OK();
  }

 private:
  void Fail() {
    failed_ = true;
    bytes_ = {};
  }

  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace leat
