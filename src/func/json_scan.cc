#include "func/json_scan.h"

#include <fmt/format.h>

#include "data/utf8.h"

namespace leat {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t SkipBlanks(std::string_view text, size_t at) {
  while (at < text.size() && IsBlank(text[at])) ++at;
  return at;
}

// Where the string that begins at `at` ends.
size_t EndOfString(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at < text.size() ? at + 1 : text.size();
}

// Where the value that begins at `at` ends.
size_t EndOfValue(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = EndOfString(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
      ++at;
    } else if (depth == 0 && (c == ',' || IsBlank(c))) {
      return at;
    } else {
      ++at;
      continue;  // a number or a word goes on
    }
    if (depth == 0) return at;
  }
  return at;
}

uint32_t HexAt(std::string_view text, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4 && i < text.size(); ++i) {
    const char c = text[i];
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  return value;
}

}  // namespace

char JsonKindOf(std::string_view value) {
  const std::string_view text = JsonTrimmed(value);
  const char first = text.empty() ? 'n' : text[0];
  return std::string_view("{[\"tfn").find(first) == std::string_view::npos ? '\0' : first;
}

std::string_view JsonTrimmed(std::string_view value) {
  const size_t begin = SkipBlanks(value, 0);
  size_t end = value.size();
  while (end > begin && IsBlank(value[end - 1])) --end;
  return value.substr(begin, end - begin);
}

void EachJsonMember(
    std::string_view object,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  const std::string_view text = JsonTrimmed(object);
  size_t at = SkipBlanks(text, 1);
  while (at < text.size() && text[at] == '"') {
    const size_t key_end = EndOfString(text, at);
    const size_t begin = SkipBlanks(text, SkipBlanks(text, key_end) + 1);
    const size_t end = EndOfValue(text, begin);
    if (!visit(text.substr(at, key_end - at), text.substr(begin, end - begin))) return;
    at = SkipBlanks(text, SkipBlanks(text, end) + 1);
  }
}

void EachJsonElement(std::string_view array,
                     const std::function<bool(std::string_view value)>& visit) {
  const std::string_view text = JsonTrimmed(array);
  size_t at = SkipBlanks(text, 1);
  while (at < text.size() && text[at] != ']') {
    const size_t end = EndOfValue(text, at);
    if (!visit(text.substr(at, end - at))) return;
    at = SkipBlanks(text, SkipBlanks(text, end) + 1);
  }
}

std::string JsonUnquoted(std::string_view text) {
  std::string out;
  for (size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    const char c = text[++at];
    const size_t simple = std::string_view("bfnrt").find(c);
    if (c == 'u') {
      uint32_t point = HexAt(text, at + 1);
      at += 4;
      if (point >= 0xD800 && point < 0xDC00 && text.substr(at + 1, 2) == "\\u") {
        point = 0x10000 + ((point - 0xD800) << 10) + (HexAt(text, at + 3) - 0xDC00);
        at += 6;
      }
      AppendCodePoint(point, &out);
    } else {
      out += simple == std::string_view::npos ? c : "\b\f\n\r\t"[simple];
    }
  }
  return out;
}

void AppendJsonQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const size_t simple = std::string_view("\b\f\n\r\t\"\\").find(c);
    if (simple != std::string_view::npos) {
      out->push_back('\\');
      out->push_back("bfnrt\"\\"[simple]);
    } else if (static_cast<uint8_t>(c) < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<uint8_t>(c));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace leat
