// A strict scanner of JSON (RFC 8259) that hands out tokens as they stand in the text. simdjson
// would do, but the Parquet library carries and exports a simdjson of its own, of another version,
// and the linker takes one for the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

enum class JsonKind : uint8_t { kObject, kArray, kString, kNumber, kBool, kNull, kWrong };

// Walks one text. Each function moves behind what it read, or fails for ever with error() set.
// Usage: for (bool first = true; scanner.NextKey(first, &key); first = false) { … one value … }
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  // What comes next, without moving; kWrong for no value at all.
  JsonKind Peek();
  // Into an object or array. REQUIRES: Peek() said so.
  void Enter() { ++at_; }
  // The next key of an object, between its quotes; false behind the last, or on an error.
  bool NextKey(bool first, std::string_view* key);
  // The same, if that key stands there just as `expected`, the inside of a key read before; else
  // nothing is done, and NextKey tells what there is.
  bool NextKeyIs(bool first, std::string_view expected);
  // Whether an array has a next element.
  bool NextElement(bool first);
  // A string without its quotes, still with escapes.
  bool String(std::string_view* inside);
  // A number, true, false or null.
  bool Scalar(std::string_view* token);
  // Any value, all of it validated.
  bool Skip(std::string_view* json);
  // How far it has come.
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  // Whether nothing but blanks is left.
  bool AtEnd();

  bool ok() const { return error_.empty(); }
  // Why the text is wrong, in PostgreSQL's manner.
  const std::string& error() const { return error_; }

 private:
  void SkipBlanks();
  bool Fail(std::string_view expected);
  bool SkipInside();

  const char* begin_;
  const char* at_;
  const char* end_;
  int depth_ = 0;
  std::string error_;
};

// The first quote, backslash or control character at or behind `at`.
const char* FindJsonSpecial(const char* at, const char* end);

// The characters of a string's inside; false if it names what UTF-8 text cannot hold (U+0000, half
// a surrogate pair). REQUIRES: JsonScanner read it.
bool UnescapeJson(std::string_view inside, std::string* out);

}  // namespace leat
