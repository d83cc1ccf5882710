// Text of booleans, integers and floats.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "data/text_internal.h"

namespace leat {
namespace text_internal {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

Status InvalidSyntax(std::string_view type, std::string_view text, const char* sqlstate) {
  return SqlStatus(fmt::format("invalid input syntax for type {}: \"{}\"", type, text),
                   {.sqlstate = sqlstate});
}

// As parse_bool: a word or its beginning, as long as it is of one word only.
Status ParseBool(std::string_view text, bool* out) {
  struct Word {
    std::string_view word;
    size_t length_min;
    bool value;
  };
  static constexpr std::array kWords = {
      Word{"true", 1, true}, Word{"false", 1, false}, Word{"yes", 1, true}, Word{"no", 1, false},
      Word{"on", 2, true},   Word{"off", 2, false},   Word{"1", 1, true},   Word{"0", 1, false}};
  const std::string_view trimmed = Trimmed(text);
  for (const Word& word : kWords) {
    if (trimmed.size() < word.length_min || trimmed.size() > word.word.size()) continue;
    bool same = true;
    for (size_t i = 0; i < trimmed.size(); ++i) same &= LowerAscii(trimmed[i]) == word.word[i];
    if (!same) continue;
    *out = word.value;
    return Status::OK();
  }
  return InvalidSyntax("boolean", text);
}

Status ParseInteger(std::string_view text, TypeId type, int64_t* out) {
  const std::string_view trimmed = Trimmed(text);
  const char* at = trimmed.data();
  const char* end = at + trimmed.size();
  const bool plus = trimmed.size() > 1 && trimmed[0] == '+' && IsDigit(trimmed[1]);
  const auto parsed = std::from_chars(plus ? at + 1 : at, end, *out);
  if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument) {
    return InvalidSyntax(TypeName(type), text);
  }
  bool fits = parsed.ec == std::errc();
  if (type == TypeId::kInt4) fits = fits && *out >= INT32_MIN && *out <= INT32_MAX;
  if (type == TypeId::kInt2) fits = fits && *out >= INT16_MIN && *out <= INT16_MAX;
  if (fits) return Status::OK();
  return SqlStatus(fmt::format("value \"{}\" is out of range for type {}", text, TypeName(type)),
                   {.sqlstate = kOutOfRange});
}

namespace {

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (LowerAscii(text[i]) != lower[i]) return false;
  }
  return true;
}

template <typename Float>
Status ParseFloat(std::string_view text, std::string_view type, Float* out) {
  std::string_view number = Trimmed(text);
  const bool negative = number.starts_with('-');
  if (negative || number.starts_with('+')) number.remove_prefix(1);
  const char* end = number.data() + number.size();
  // from_chars reads "inf", "nan" and "-" too, which have their own rules here.
  if (!number.empty() && (IsDigit(number[0]) || number[0] == '.')) {
    const auto parsed = std::from_chars(number.data(), end, *out);
    if (parsed.ptr == end && parsed.ec == std::errc()) {
      if (negative) *out = -*out;
      return Status::OK();
    }
    if (parsed.ptr == end && parsed.ec == std::errc::result_out_of_range) {
      return SqlStatus(fmt::format("\"{}\" is out of range for type {}", Trimmed(text), type),
                       {.sqlstate = kOutOfRange});
    }
  } else if (EqualsIgnoringCase(number, "infinity") || EqualsIgnoringCase(number, "inf")) {
    *out =
        negative ? -std::numeric_limits<Float>::infinity() : std::numeric_limits<Float>::infinity();
    return Status::OK();
  } else if (EqualsIgnoringCase(number, "nan")) {
    *out = std::numeric_limits<Float>::quiet_NaN();
    return Status::OK();
  }
  return InvalidSyntax(type, text);
}

// Fixed notation from 1e-4 up to `fixed_end`, as float8out and float4out choose it.
template <typename Float>
void AppendFloat(Float value, Float fixed_end, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out->append(value < 0 ? "-Infinity" : "Infinity");
    return;
  }
  const Float magnitude = std::fabs(value);
  const bool fixed = magnitude == 0 || (magnitude >= Float(1e-4) && magnitude < fixed_end);
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  out->append(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
}

}  // namespace

Status ParseFloat8(std::string_view text, double* out) {
  return ParseFloat(text, "double precision", out);
}

Status ParseFloat4(std::string_view text, float* out) { return ParseFloat(text, "real", out); }

}  // namespace text_internal

void AppendFloat8(double value, std::string* out) {
  text_internal::AppendFloat<double>(value, 1e15, out);
}

void AppendFloat4(float value, std::string* out) {
  text_internal::AppendFloat<float>(value, 1e6F, out);
}

}  // namespace leat
