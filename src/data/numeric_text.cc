// Numeric from text and floats.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "data/numeric.h"
#include "data/numeric_internal.h"

namespace leat {
namespace {

using numeric_internal::Integer;
using numeric_internal::kScaleMax;
using numeric_internal::kWholeDigitsMax;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Status InvalidSyntax(std::string_view text) {
  return SqlStatus(fmt::format("invalid input syntax for type numeric: \"{}\"", text),
                   {.sqlstate = kInvalidText});
}

Status TooLarge() { return SqlStatus(kNumericOverflow, {.sqlstate = kOutOfRange}); }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// sign, digits and the power of ten of the last digit.
struct Scanned {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;
  int64_t fraction_digits = 0;
};

// False where `text` is no number; an exponent beyond reason is clamped and overflows later.
bool Scan(std::string_view text, Scanned* out) {
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) out->negative = text[at++] == '-';
  bool point = false, any = false;
  for (; at < text.size() && (IsDigit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    any = true;
    if (point) ++out->fraction_digits;
    if (!out->digits.empty() || text[at] != '0') out->digits += text[at];
  }
  if (!any) return false;
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    bool negative = false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
    if (at == text.size() || !IsDigit(text[at])) return false;
    int64_t exponent = 0;
    for (; at < text.size() && IsDigit(text[at]); ++at) {
      if (exponent < (int64_t{1} << 40)) exponent = exponent * 10 + (text[at] - '0');
    }
    out->exponent = negative ? -exponent : exponent;
  }
  return at == text.size();
}

Result<Numeric> FromScanned(const Scanned& scanned) {
  if (std::abs(scanned.exponent) >= INT32_MAX / 2) return TooLarge();
  const int64_t scale = std::max<int64_t>(scanned.fraction_digits - scanned.exponent, 0);
  if (scale > kScaleMax) return TooLarge();
  if (scanned.digits.empty()) return Numeric::FromInt128(0, static_cast<int32_t>(scale));
  const int64_t zeros = scale - (scanned.fraction_digits - scanned.exponent);
  if (static_cast<int64_t>(scanned.digits.size()) + zeros - scale > kWholeDigitsMax) {
    return TooLarge();
  }
  Integer value;
  mpz_set_str(value.get(), scanned.digits.c_str(), 10);
  numeric_internal::Rescale(value.get(), 0, zeros, false);
  if (scanned.negative) mpz_neg(value.get(), value.get());
  return Numeric::FromUnscaled(value.get(), scale);
}

// The common case without allocation: at most 18 digits and no exponent.
bool ParseShort(std::string_view text, Numeric* out) {
  if (text.empty() || text.size() > 20) return false;
  size_t at = 0;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') ++at;
  int64_t value = 0;
  int32_t digits = 0, scale = -1;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && scale < 0) {
      scale = 0;
    } else if (IsDigit(text[at])) {
      if (++digits > 18) return false;
      value = value * 10 + (text[at] - '0');
      if (scale >= 0) ++scale;
    } else {
      return false;
    }
  }
  if (digits == 0) return false;
  *out = Numeric::FromInt128(negative ? -value : value, std::max(scale, 0));
  return true;
}

// A double or float as printf's %.{digits}g prints it.
Result<Numeric> FromFloating(double value, int digits) {
  if (std::isnan(value)) return Numeric::NaN();
  if (std::isinf(value)) return Numeric::Infinity(value < 0);
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::general, digits);
  return Numeric::Parse({buffer.data(), static_cast<size_t>(end.ptr - buffer.data())});
}

}  // namespace

double numeric_internal::TextToDouble(const std::string& text) {
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc::result_out_of_range) return value;
  // Too large, or too near to zero: which one shows in whether a digit stands before the point.
  const bool negative = text[0] == '-';
  const bool large = text[negative ? 1 : 0] != '0';
  const double magnitude = large ? HUGE_VAL : 0;
  return negative ? -magnitude : magnitude;
}

Result<Numeric> Numeric::Parse(std::string_view text) {
  Numeric result;
  if (ParseShort(text, &result)) return result;
  const std::string_view trimmed = Trimmed(text);
  Scanned scanned;
  if (Scan(trimmed, &scanned)) return FromScanned(scanned);
  if (EqualsIgnoringCase(trimmed, "nan")) return NaN();
  std::string_view word = trimmed;
  const bool negative = word.starts_with('-');
  if (negative || word.starts_with('+')) word.remove_prefix(1);
  if (EqualsIgnoringCase(word, "infinity") || EqualsIgnoringCase(word, "inf")) {
    return Infinity(negative);
  }
  return InvalidSyntax(text);
}

Result<Numeric> Numeric::FromDouble(double value) { return FromFloating(value, 15); }
Result<Numeric> Numeric::FromFloat(float value) { return FromFloating(value, 6); }

}  // namespace leat
