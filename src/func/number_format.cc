// to_char of numbers and to_number (PostgreSQL's manual, 9.8): its formatting.c, step by step,
// since the combinations of FM, zeros, signs and points have no shorter description.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "base/ascii.h"
#include "data/numeric.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/number_pattern.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// A number cut to what its pattern shows: the digits without a sign, perhaps with a point.
struct Digits {
  std::string text;
  char sign = '+';
  int spaces = 0;  // places of the pattern before the first digit
};

std::string Roman(int64_t number) {
  if (number < 1 || number > 3999) return std::string(15, '#');
  struct Part {
    int64_t value;
    std::string_view text;
  };
  static constexpr Part kParts[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                                    {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                                    {5, "V"},    {4, "IV"},   {1, "I"}};
  std::string text;
  for (const Part& part : kParts) {
    for (; number >= part.value; number -= part.value) text += part.text;
  }
  return text;
}

// Signs are told apart, and what has more digits than the pattern becomes #.
Digits Fitted(std::string text, const NumberPattern& pattern) {
  Digits out;
  if (text[0] == '-') {
    out.sign = '-';
    text.erase(0, 1);
  }
  const size_t point = text.find('.');
  const int whole = static_cast<int>(point == std::string::npos ? text.size() : point);
  if (whole < pattern.pre) out.spaces = pattern.pre - whole;
  if (whole > pattern.pre) {
    text.assign(static_cast<size_t>(pattern.pre) + static_cast<size_t>(pattern.post) + 1, '#');
    text[static_cast<size_t>(pattern.pre)] = '.';
  }
  out.text = std::move(text);
  return out;
}

// 1.23e+05 with so many digits behind the point, a blank for the sign of what is not negative.
std::string Scientific(const Numeric& value, const NumberPattern& pattern) {
  const auto digits_after = static_cast<size_t>(pattern.post);
  if (value.kind() != Numeric::Kind::kFinite) {
    std::string text(static_cast<size_t>(pattern.pre) + static_cast<size_t>(pattern.post) + 6, '#');
    text[0] = ' ';
    text[static_cast<size_t>(pattern.pre) + 1] = '.';
    return text;
  }
  std::string digits = "0";
  size_t digits_before = 1;
  int64_t exponent = 0;
  if (!value.is_zero()) {
    exponent = value.Digits(&digits) - 1;
    const Numeric rounded = value.Round(static_cast<int32_t>(pattern.post - exponent));
    // What rounds up to another power of ten keeps its exponent, as PostgreSQL has it: 10.0e+01.
    digits_before += static_cast<size_t>(rounded.Digits(&digits) - 1 - exponent);
  }
  digits.resize(digits_before + digits_after, '0');
  std::string text = value.sign() < 0 ? "-" : " ";
  text += digits.substr(0, digits_before);
  if (digits_after > 0) text += "." + digits.substr(digits_before);
  return text + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
}

std::string_view Ordinal(std::string_view digits, bool upper) {
  const char last = digits.back();
  const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  if (teen) return upper ? "TH" : "th";
  if (last == '1') return upper ? "ST" : "st";
  if (last == '2') return upper ? "ND" : "nd";
  if (last == '3') return upper ? "RD" : "rd";
  return upper ? "TH" : "th";
}

// NUM_processor() as it writes.
class NumberWriter {
 public:
  NumberWriter(NumberPattern pattern, Digits digits, std::string* out)
      : pattern_(std::move(pattern)), digits_(std::move(digits)), out_(*out) {}

  Status Write() {
    Prepare();
    for (const NumberPart& part : pattern_.parts) LEAT_RETURN(Write(part));
    out_.resize(std::min(out_.size(), cut_));
    return Status::OK();
  }

 private:
  using Kind = NumberPart::Kind;
  const char* number() const { return digits_.text.c_str(); }
  bool has(int flag) const { return (pattern_.flags & flag) != 0; }
  bool fill() const { return has(NumberPattern::kFillMode); }

  void Prepare() {
    if (pattern_.zero_start > 0) --pattern_.zero_start;
    if (has(NumberPattern::kRoman)) {
      pattern_.flags &= NumberPattern::kFillMode | NumberPattern::kRoman;
      digits_.sign = ' ';
    }
    if (has(NumberPattern::kPlus) || has(NumberPattern::kMinus)) {
      sign_wrote_ = !has(NumberPattern::kPlus) || has(NumberPattern::kMinus);
    } else {
      if (digits_.sign != '-' && fill()) pattern_.flags &= ~NumberPattern::kBracket;
      sign_wrote_ = digits_.sign == '+' && fill() && !has(NumberPattern::kSign);
      if (pattern_.sign == NumberPattern::Sign::kBefore &&
          pattern_.pre == pattern_.pre_sign_digits) {
        pattern_.sign = NumberPattern::Sign::kBehind;
      }
    }
    count_ = pattern_.post + pattern_.pre - 1;
    number_p_ = number();
    if (fill() && has(NumberPattern::kDecimal)) FindLastRelevant();
    if (!sign_wrote_ && digits_.spaces == 0) ++count_;
  }

  // The last digit behind the point that FM keeps: it drops zeros, but not where the pattern has 0.
  void FindLastRelevant() {
    const char* point = std::strchr(number(), '.');
    if (point == nullptr) return;
    last_relevant_ = point;
    for (const char* at = point + 1; *at != '\0'; ++at) {
      if (*at != '0') last_relevant_ = at;
    }
    if (pattern_.zero_end <= digits_.spaces) return;
    const int last =
        std::min(static_cast<int>(digits_.text.size()) - 1, pattern_.zero_end - digits_.spaces);
    last_relevant_ = std::max(last_relevant_, number() + last);
  }

  bool PointFirst() const {  // 0.1 under 9.9 is .1
    return !has(NumberPattern::kZero) && number_p_ == number() && *number() == '0' &&
           pattern_.post != 0;
  }

  Status Write(const NumberPart& part) {
    switch (part.kind) {
      case Kind::kNine:
      case Kind::kZero:
      case Kind::kPoint:
        if (!has(NumberPattern::kRoman)) WriteDigit(part.kind);
        break;
      case Kind::kGroup:
        if (digit_wrote_) {
          out_ += ',';
        } else if (!fill()) {
          out_ += ' ';
        }
        break;
      case Kind::kCurrency:
        out_ += ' ';
        break;
      case Kind::kRoman:
        WriteRoman(part.upper);
        break;
      case Kind::kOrdinal: {
        const bool none = has(NumberPattern::kRoman) || *number() == '#' || digits_.sign == '-' ||
                          has(NumberPattern::kDecimal);
        if (none) break;
        if (digits_.text.back() < '0' || digits_.text.back() > '9') {
          return SqlStatus(fmt::format("\"{}\" is not a number", digits_.text),
                           {.sqlstate = kInvalidText});
        }
        out_ += Ordinal(digits_.text, part.upper);
        break;
      }
      case Kind::kMinus:
        WriteSign('-');
        break;
      case Kind::kPlus:
        WriteSign('+');
        break;
      case Kind::kPlusMinus:
        out_ += digits_.sign;
        break;
      case Kind::kLiteral:
        out_ += part.text;
        break;
      case Kind::kOther:
        break;
    }
    return Status::OK();
  }

  void WriteSign(char sign) {
    if (digits_.sign == sign) {
      out_ += sign;
    } else if (!fill()) {
      out_ += ' ';
    }
  }

  void WriteRoman(bool upper) {
    const std::string text = upper ? digits_.text : LowerAscii(digits_.text);
    out_ += fill() ? text : fmt::format("{:>15}", text);
  }

  void WriteLeadingSign() {
    const bool reached =
        curr_ >= digits_.spaces || (has(NumberPattern::kZero) && pattern_.zero_start == curr_);
    const bool relevant = last_relevant_ != nullptr && *last_relevant_ == '.';
    if (sign_wrote_ || !reached || (PointFirst() && !relevant)) return;
    if (has(NumberPattern::kSign)) {
      if (pattern_.sign != NumberPattern::Sign::kBefore) return;
      out_ += digits_.sign;
    } else if (has(NumberPattern::kBracket)) {
      out_ += digits_.sign == '+' ? ' ' : '<';
    } else if (digits_.sign == '-') {
      out_ += '-';
    } else if (!fill()) {
      out_ += ' ';
    }
    sign_wrote_ = true;
  }

  void WriteDigit(Kind kind) {
    digit_wrote_ = false;
    WriteLeadingSign();
    const bool zero = has(NumberPattern::kZero);
    if (curr_ < digits_.spaces && (pattern_.zero_start > curr_ || !zero)) {
      if (!fill()) out_ += ' ';
    } else if (curr_ < digits_.spaces) {
      out_ += '0';
      digit_wrote_ = true;
    } else {
      WriteNext(kind);
      if (*number_p_ != '\0') ++number_p_;
    }
    int end = count_ + (digits_.spaces > 0 ? 1 : 0) + (has(NumberPattern::kDecimal) ? 1 : 0);
    if (last_relevant_ != nullptr && last_relevant_ == number_p_) end = curr_;
    if (curr_ + 1 == end) {
      if (sign_wrote_ && has(NumberPattern::kBracket)) {
        out_ += digits_.sign == '+' ? ' ' : '>';
      } else if (has(NumberPattern::kSign) && pattern_.sign == NumberPattern::Sign::kBehind) {
        out_ += digits_.sign;
      }
    }
    ++curr_;
  }

  void WriteNext(Kind kind) {
    const bool at_point = last_relevant_ != nullptr && *last_relevant_ == '.';
    if (*number_p_ == '.') {
      if (!at_point || fill()) out_ += '.';
      return;
    }
    if (last_relevant_ != nullptr && number_p_ > last_relevant_ && kind != Kind::kZero) return;
    if (PointFirst()) {
      if (!fill()) {
        out_ += ' ';
      } else if (at_point) {
        out_ += '0';
      }
      return;
    }
    if (*number_p_ == '\0') {  // PostgreSQL's text ends here, whatever it writes behind
      cut_ = std::min(cut_, out_.size());
      return;
    }
    out_ += *number_p_;
    digit_wrote_ = true;
  }

  NumberPattern pattern_;
  Digits digits_;
  std::string& out_;
  const char* number_p_ = nullptr;
  const char* last_relevant_ = nullptr;  // nullptr: all are
  int count_ = 0;
  int curr_ = 0;
  size_t cut_ = std::string::npos;  // where the answer ends
  bool sign_wrote_ = false;
  bool digit_wrote_ = false;
};

// The numeric that a pattern with V shows: times ten to the number of digits behind it.
Numeric Multiplied(const Numeric& value, NumberPattern* pattern) {
  if ((pattern->flags & NumberPattern::kMulti) == 0) return value;
  pattern->pre += pattern->multi;
  Numeric power(1);
  for (int i = 0; i < pattern->multi; ++i) power = power * Numeric(10);
  return value * power;
}

Status WriteNumeric(const Numeric& value, NumberPattern pattern, std::string* out) {
  if ((pattern.flags & NumberPattern::kScientific) != 0) {
    *out += Scientific(value, pattern);
    return Status::OK();
  }
  Digits digits;
  if ((pattern.flags & NumberPattern::kRoman) != 0) {
    const auto number = value.ToInt64();
    if (!number.ok()) return number.status();
    digits.text = Roman(*number);
  } else {
    const Numeric shown = Multiplied(value, &pattern);
    digits = Fitted(shown.Round(pattern.post).ToString(), pattern);
  }
  return NumberWriter(std::move(pattern), std::move(digits), out).Write();
}

// A float shows no more digits than it has.
Status WriteDouble(double value, int digits_max, NumberPattern pattern, std::string* out) {
  const bool special = (pattern.flags & (NumberPattern::kScientific | NumberPattern::kRoman)) != 0;
  if (special || !std::isfinite(value)) {
    const bool scientific = (pattern.flags & NumberPattern::kScientific) != 0;
    if (scientific && std::isfinite(value)) {
      std::string text = fmt::format("{:+.{}e}", value, pattern.post);
      if (text[0] == '+') text[0] = ' ';
      *out += text;
      return Status::OK();
    }
    LEAT_ASSIGN(const Numeric exact, Numeric::FromDouble(value));
    return WriteNumeric(exact, std::move(pattern), out);
  }
  if ((pattern.flags & NumberPattern::kMulti) != 0) {
    pattern.pre += pattern.multi;
    value *= std::pow(10.0, pattern.multi);
  }
  const int whole = static_cast<int>(fmt::format("{:.0f}", std::fabs(value)).size());
  if (whole >= digits_max) {
    pattern.post = 0;
  } else {
    pattern.post = std::min(pattern.post, digits_max - whole);
  }
  Digits digits = Fitted(fmt::format("{:.{}f}", value, pattern.post), pattern);
  return NumberWriter(std::move(pattern), std::move(digits), out).Write();
}

// Writes each row by its pattern, which is parsed once while it stays the same.
template <typename F>
Result<ArrayPtr> ByPattern(const Call& call, Arguments args, F write) {
  const Texts patterns(args[1]);
  std::string last;
  Result<NumberPattern> pattern = NumberPattern::Parse("");
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    if (last != patterns[row]) {
      last = patterns[row];
      pattern = NumberPattern::Parse(last);
    }
    const Status status = pattern.ok() ? write(row, *pattern, out) : pattern.status();
    if (!status.ok()) SetError(call, row, status);
  });
}

template <typename T>
Result<ArrayPtr> IntegerToChar(const Call& call, Arguments args) {
  const Values<T> values(args[0]);
  return ByPattern(call, args, [&](int64_t row, const NumberPattern& pattern, std::string* out) {
    return WriteNumeric(Numeric(values[row]), pattern, out);
  });
}

Result<ArrayPtr> NumericToChar(const Call& call, Arguments args) {
  return ByPattern(call, args, [&](int64_t row, const NumberPattern& pattern, std::string* out) {
    return WriteNumeric(NumericAt(*args[0].array, args[0].at(row)), pattern, out);
  });
}

template <typename T>
Result<ArrayPtr> FloatToChar(const Call& call, Arguments args) {
  const Values<T> values(args[0]);
  constexpr int kDigits = sizeof(T) == 4 ? FLT_DIG : DBL_DIG;
  return ByPattern(call, args, [&](int64_t row, const NumberPattern& pattern, std::string* out) {
    return WriteDouble(static_cast<double>(values[row]), kDigits, pattern, out);
  });
}

Result<ArrayPtr> ToNumber(const Call& call, Arguments args) {
  const Texts texts(args[0]), patterns(args[1]);
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  NumericBuilder builder{Type(kNumeric)};
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row) || !call.selection->Has(row)) {
      builder.AppendNull();
      continue;
    }
    const auto pattern = NumberPattern::Parse(patterns[row]);
    const Result<Numeric> value =
        pattern.ok() ? ReadNumber(texts[row], *pattern) : pattern.status();
    if (!value.ok()) {
      SetError(call, row, value.status());
      builder.AppendNull();
      continue;
    }
    builder.Append(*value);
  }
  return builder.Finish();
}

}  // namespace

void AddNumberFormatFunctions(std::vector<Function>* out) {
  const char* description = "A number as text, by a pattern";
  const auto add = [&](TypeId type, Kernel kernel, const char* example, const char* answer) {
    out->push_back(Spec("to_char", {type, kText}, kText, kernel, {description, example, answer}));
  };
  add(kInt4, IntegerToChar<int32_t>, "to_char(-485, '999MI')", "485-");
  add(kInt8, IntegerToChar<int64_t>, "to_char(1485::bigint, 'FM9,999th')", "1,485th");
  add(kNumeric, NumericToChar, "to_char(-12454.8, 'FM99G999D9S')", "12,454.8-");
  add(kFloat4, FloatToChar<float>, "to_char(0.5::real, 'FM0.99')", "0.5");
  add(kFloat8, FloatToChar<double>, "to_char(3.14159::float8, '9.99EEEE')", " 3.14e+00");
  out->push_back(Spec("to_number", {kText, kText}, kNumeric, ToNumber,
                      {"The number that a text is, by a pattern",
                       "to_number('12,454.8-', '99G999D9S')", "-12454.8"}));
}

}  // namespace leat
