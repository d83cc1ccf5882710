// Code points in UTF-8, counted and found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

inline bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

inline int64_t CodePoints(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += IsContinuation(c) ? 0 : 1;
  return count;
}

// The byte at which code point `index` (from 0) begins; the text's size if it has no more than
// that.
inline size_t ByteOf(std::string_view text, int64_t index) {
  if (index <= 0) return 0;
  size_t at = 0;
  while (at < text.size() && index > 0) {
    ++at;
    while (at < text.size() && IsContinuation(text[at])) ++at;
    --index;
  }
  return at;
}

// The code point that begins at `at`, as its bytes.
inline std::string_view CodePointAt(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && IsContinuation(text[end])) ++end;
  return text.substr(at, end - at);
}

// Code points [begin, end).
inline std::string_view CodePointRange(std::string_view text, int64_t begin, int64_t end) {
  if (end <= begin) return {};
  const size_t from = ByteOf(text, begin);
  const std::string_view rest = text.substr(from);
  return rest.substr(0, ByteOf(rest, end - (begin < 0 ? 0 : begin)));
}

uint32_t DecodeCodePoint(std::string_view bytes);
void AppendCodePoint(uint32_t code_point, std::string* out);

}  // namespace leat
