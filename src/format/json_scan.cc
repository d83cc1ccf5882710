#include "format/json_scan.h"

#include <fmt/format.h>
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "data/utf8.h"

namespace leat {
namespace {

constexpr int kDepthMax = 1000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Behind the digits at `at`; `at` itself if there are none.
const char* Digits(const char* at, const char* end) {
  while (at < end && IsDigit(*at)) ++at;
  return at;
}

// Behind the number at `at`, or nullptr.
const char* NumberEnd(const char* at, const char* end) {
  if (at < end && *at == '-') ++at;
  const char* const whole = at;
  at = Digits(at, end);
  if (at == whole || (*whole == '0' && at > whole + 1)) return nullptr;
  if (at < end && *at == '.') {
    const char* const fraction = ++at;
    at = Digits(at, end);
    if (at == fraction) return nullptr;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    const char* const exponent = at;
    at = Digits(at, end);
    if (at == exponent) return nullptr;
  }
  return at;
}

uint32_t Hex4(const char* at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    const int digit = IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  return value;
}

char Unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

const char* FindJsonSpecial(const char* at, const char* end) {
  for (; end - at >= 32; at += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i control =
        _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1f)), block);
    const __m256i special =
        _mm256_or_si256(control, _mm256_or_si256(_mm256_cmpeq_epi8(block, _mm256_set1_epi8('"')),
                                                 _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'))));
    const auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(special));
    if (mask != 0) return at + std::countr_zero(mask);
  }
  while (at < end && *at != '"' && *at != '\\' && static_cast<uint8_t>(*at) > 0x1f) ++at;
  return at;
}

void JsonScanner::SkipBlanks() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
}

bool JsonScanner::Fail(std::string_view expected) {
  if (!error_.empty()) return false;
  if (at_ >= end_) {
    error_ = "The input string ended unexpectedly.";
  } else {
    const char* token_end = at_ + 1;
    while (token_end < end_ && (IsHex(*token_end) || (*token_end >= 'g' && *token_end <= 'z'))) {
      ++token_end;
    }
    error_ = fmt::format("Expected {}, but found \"{}\".", expected,
                         std::string_view(at_, static_cast<size_t>(token_end - at_)));
  }
  at_ = end_;
  return false;
}

JsonKind JsonScanner::Peek() {
  SkipBlanks();
  if (at_ >= end_) return JsonKind::kWrong;
  switch (*at_) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 't':
    case 'f':
      return JsonKind::kBool;
    case 'n':
      return JsonKind::kNull;
    default:
      return *at_ == '-' || IsDigit(*at_) ? JsonKind::kNumber : JsonKind::kWrong;
  }
}

bool JsonScanner::NextKey(bool first, std::string_view* key) {
  SkipBlanks();
  if (!ok()) return false;
  if (at_ < end_ && *at_ == '}') {
    ++at_;
    return false;
  }
  if (!first) {
    if (at_ >= end_ || *at_ != ',') return Fail("\",\" or \"}\"");
    ++at_;
    SkipBlanks();
  }
  if (at_ >= end_ || *at_ != '"') return Fail("string");
  if (!String(key)) return false;
  SkipBlanks();
  if (at_ >= end_ || *at_ != ':') return Fail("\":\"");
  ++at_;
  return true;
}

bool JsonScanner::NextKeyIs(bool first, std::string_view expected) {
  const char* at = at_;
  if (!first) {
    if (at >= end_ || *at != ',') return false;
    ++at;
    if (at < end_ && *at == ' ') ++at;
  }
  const size_t size = expected.size();
  if (static_cast<size_t>(end_ - at) < size + 3 || *at != '"' || at[size + 1] != '"' ||
      at[size + 2] != ':' || std::memcmp(at + 1, expected.data(), size) != 0) {
    return false;
  }
  at_ = at + size + 3;
  return true;
}

bool JsonScanner::NextElement(bool first) {
  SkipBlanks();
  if (!ok()) return false;
  if (at_ < end_ && *at_ == ']') {
    ++at_;
    return false;
  }
  if (first) return at_ < end_ || Fail("a value");
  if (at_ >= end_ || *at_ != ',') return Fail("\",\" or \"]\"");
  ++at_;
  return true;
}

bool JsonScanner::String(std::string_view* inside) {
  SkipBlanks();
  if (at_ >= end_ || *at_ != '"') return Fail("string");
  const char* const begin = ++at_;
  while (true) {
    at_ = FindJsonSpecial(at_, end_);
    if (at_ >= end_) return Fail("end of string");
    if (*at_ == '"') break;
    if (*at_ != '\\') {
      error_ =
          fmt::format("Character with value 0x{:02x} must be escaped.", static_cast<uint8_t>(*at_));
      return false;
    }
    if (end_ - at_ < 2) return Fail("end of string");
    if (at_[1] == 'u') {
      for (int i = 2; i < 6; ++i) {
        if (end_ - at_ > i && IsHex(at_[i])) continue;
        error_ = "\"\\u\" must be followed by four hexadecimal digits.";
        return false;
      }
      at_ += 6;
    } else {
      if (std::string_view("\"\\/bfnrt").find(at_[1]) == std::string_view::npos) {
        error_ = fmt::format("Escape sequence \"\\{}\" is invalid.", at_[1]);
        return false;
      }
      at_ += 2;
    }
  }
  *inside = {begin, static_cast<size_t>(at_ - begin)};
  ++at_;
  return true;
}

bool JsonScanner::Scalar(std::string_view* token) {
  SkipBlanks();
  const char* const begin = at_;
  const auto left = std::string_view(at_, static_cast<size_t>(end_ - at_));
  const char* after = nullptr;
  if (at_ < end_ && (IsDigit(*at_) || *at_ == '-')) {
    after = NumberEnd(at_, end_);
  } else {
    for (const std::string_view word : {"true", "false", "null"}) {
      if (left.starts_with(word)) after = at_ + word.size();
    }
  }
  // A word or number ends where a separator stands: 12x is neither.
  const bool ends =
      after != nullptr && (after == end_ || *after == ',' ||
                           std::string_view(" \t\r\n]}").find(*after) != std::string_view::npos);
  if (!ends) {
    if (at_ < end_ && error_.empty()) {
      const size_t length = std::min(left.find_first_of(" \t\r\n,]}:"), left.size());
      error_ = fmt::format("Token \"{}\" is invalid.", left.substr(0, std::max<size_t>(length, 1)));
      at_ = end_;
    }
    return Fail("a value");
  }
  at_ = after;
  *token = {begin, static_cast<size_t>(after - begin)};
  return true;
}

bool JsonScanner::Skip(std::string_view* json) {
  SkipBlanks();
  const char* const begin = at_;
  if (!SkipInside()) return false;
  *json = {begin, static_cast<size_t>(at_ - begin)};
  return true;
}

bool JsonScanner::SkipInside() {
  std::string_view ignored;
  const JsonKind kind = Peek();
  if (kind == JsonKind::kString) return String(&ignored);
  if (kind != JsonKind::kObject && kind != JsonKind::kArray) return Scalar(&ignored);
  if (++depth_ > kDepthMax) {
    error_ = "The JSON is nested too deeply.";
    return false;
  }
  Enter();
  if (kind == JsonKind::kObject) {
    for (bool first = true; NextKey(first, &ignored); first = false) {
      if (!SkipInside()) return false;
    }
  } else {
    for (bool first = true; NextElement(first); first = false) {
      if (!SkipInside()) return false;
    }
  }
  --depth_;
  return ok();
}

bool JsonScanner::AtEnd() {
  SkipBlanks();
  return ok() && (at_ == end_ || Fail("end of input"));
}

bool UnescapeJson(std::string_view inside, std::string* out) {
  out->clear();
  for (size_t at = 0; at < inside.size();) {
    if (inside[at] != '\\') {
      out->push_back(inside[at++]);
    } else if (inside[at + 1] != 'u') {
      out->push_back(Unescaped(inside[at + 1]));
      at += 2;
    } else {
      uint32_t code = Hex4(inside.data() + at + 2);
      at += 6;
      if (code >= 0xd800 && code < 0xdc00) {
        if (inside.size() < at + 6 || inside[at] != '\\' || inside[at + 1] != 'u') return false;
        const uint32_t low = Hex4(inside.data() + at + 2);
        if (low < 0xdc00 || low > 0xdfff) return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      } else if (code == 0 || (code >= 0xdc00 && code < 0xe000)) {
        return false;
      }
      AppendCodePoint(code, out);
    }
  }
  return true;
}

}  // namespace leat
