// The patterns of to_char and to_number for numbers; private to func.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/numeric.h"

namespace leat {

struct NumberPart {
  enum class Kind : uint8_t {
    kNine,
    kZero,
    kPoint,
    kGroup,
    kCurrency,
    kRoman,
    kOrdinal,
    kMinus,
    kPlus,
    kPlusMinus,
    kLiteral,
    kOther,  // says something of the whole
  };
  Kind kind = Kind::kLiteral;
  bool upper = false;
  bool locale = false;  // G, not ','
  std::string text;     // kLiteral's
};

// As formatting.c's NUMDesc: what the parts say together.
struct NumberPattern {
  // What stands somewhere in the pattern: bits of `flags`.
  static constexpr int kDecimal = 1, kZero = 2, kBlank = 4, kFillMode = 8, kSign = 16,
                       kBracket = 32, kMinus = 64, kPlus = 128, kRoman = 256, kMulti = 512,
                       kScientific = 1024;
  enum class Sign : uint8_t { kNone, kBefore, kBehind };

  std::vector<NumberPart> parts;
  int flags = 0;
  int pre = 0;   // digits before the point
  int post = 0;  // and behind
  int multi = 0;
  int zero_start = 0, zero_end = 0;
  Sign sign = Sign::kNone;
  int pre_sign_digits = 0;

  // 42601, in PostgreSQL's words, for what does not go together.
  static Result<NumberPattern> Parse(std::string_view text);
};

// to_number: the number that `text` is under the pattern.
Result<Numeric> ReadNumber(std::string_view text, const NumberPattern& pattern);

}  // namespace leat
