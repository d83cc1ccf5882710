// Intervals from text, as DecodeInterval and DecodeISO8601Interval of PostgreSQL's datetime.c.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "data/text_internal.h"

namespace leat::text_internal {
namespace {

enum class Unit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
};

std::optional<Unit> UnitOf(std::string_view word) {
  struct Name {
    std::string_view name;
    Unit unit;
  };
  static constexpr std::array kNames = {
      Name{"us", Unit::kMicrosecond},
      Name{"usec", Unit::kMicrosecond},
      Name{"usecs", Unit::kMicrosecond},
      Name{"usecond", Unit::kMicrosecond},
      Name{"useconds", Unit::kMicrosecond},
      Name{"microsecond", Unit::kMicrosecond},
      Name{"microseconds", Unit::kMicrosecond},
      Name{"microsecon", Unit::kMicrosecond},
      Name{"ms", Unit::kMillisecond},
      Name{"msec", Unit::kMillisecond},
      Name{"msecs", Unit::kMillisecond},
      Name{"msecond", Unit::kMillisecond},
      Name{"mseconds", Unit::kMillisecond},
      Name{"millisecond", Unit::kMillisecond},
      Name{"milliseconds", Unit::kMillisecond},
      Name{"millisecon", Unit::kMillisecond},
      Name{"s", Unit::kSecond},
      Name{"sec", Unit::kSecond},
      Name{"secs", Unit::kSecond},
      Name{"second", Unit::kSecond},
      Name{"seconds", Unit::kSecond},
      Name{"m", Unit::kMinute},
      Name{"min", Unit::kMinute},
      Name{"mins", Unit::kMinute},
      Name{"minute", Unit::kMinute},
      Name{"minutes", Unit::kMinute},
      Name{"h", Unit::kHour},
      Name{"hr", Unit::kHour},
      Name{"hrs", Unit::kHour},
      Name{"hour", Unit::kHour},
      Name{"hours", Unit::kHour},
      Name{"d", Unit::kDay},
      Name{"day", Unit::kDay},
      Name{"days", Unit::kDay},
      Name{"w", Unit::kWeek},
      Name{"week", Unit::kWeek},
      Name{"weeks", Unit::kWeek},
      Name{"mon", Unit::kMonth},
      Name{"mons", Unit::kMonth},
      Name{"month", Unit::kMonth},
      Name{"months", Unit::kMonth},
      Name{"y", Unit::kYear},
      Name{"yr", Unit::kYear},
      Name{"yrs", Unit::kYear},
      Name{"year", Unit::kYear},
      Name{"years", Unit::kYear},
      Name{"dec", Unit::kDecade},
      Name{"decs", Unit::kDecade},
      Name{"decade", Unit::kDecade},
      Name{"decades", Unit::kDecade},
      Name{"c", Unit::kCentury},
      Name{"cent", Unit::kCentury},
      Name{"century", Unit::kCentury},
      Name{"centuries", Unit::kCentury},
      Name{"mil", Unit::kMillennium},
      Name{"mils", Unit::kMillennium},
      Name{"millennia", Unit::kMillennium},
      Name{"millennium", Unit::kMillennium},
  };
  for (const Name& entry : kNames) {
    if (entry.name == word) return entry.unit;
  }
  return std::nullopt;
}

enum class IntervalFailure : uint8_t { kNone, kSyntax, kField };

// A number with its fraction, which has the number's sign.
struct Amount {
  int64_t whole = 0;
  double fraction = 0;
};

class Sum {
 public:
  IntervalFailure Add(Unit unit, const Amount& amount) {
    switch (unit) {
      case Unit::kMicrosecond:
        return Micros(amount, 1);
      case Unit::kMillisecond:
        return Micros(amount, 1000);
      case Unit::kSecond:
        return Micros(amount, kMicrosPerSecond);
      case Unit::kMinute:
        return Micros(amount, kMicrosPerMinute);
      case Unit::kHour:
        return Micros(amount, kMicrosPerHour);
      case Unit::kDay:
        return Days(amount, 1);
      case Unit::kWeek:
        return Days(amount, 7);
      case Unit::kMonth:
        return Months(amount);
      case Unit::kYear:
        return Years(amount, 1);
      case Unit::kDecade:
        return Years(amount, 10);
      case Unit::kCentury:
        return Years(amount, 100);
      case Unit::kMillennium:
        return Years(amount, 1000);
    }
    return IntervalFailure::kSyntax;
  }

  void Negate() {
    months_ = -months_;
    days_ = -days_;
    micros_ = -micros_;
  }

  IntervalFailure Get(Interval* out) const {
    // Arrow's nanoseconds hold 292 years of time; PostgreSQL's microseconds a thousand times that.
    int64_t nanoseconds;
    if (months_ > INT32_MAX || months_ < INT32_MIN || days_ > INT32_MAX || days_ < INT32_MIN ||
        __builtin_mul_overflow(micros_, int64_t{1000}, &nanoseconds)) {
      return IntervalFailure::kField;
    }
    *out = {static_cast<int32_t>(months_), static_cast<int32_t>(days_), nanoseconds};
    return IntervalFailure::kNone;
  }

 private:
  static bool Accumulate(int64_t value, int64_t scale, int64_t* sum) {
    int64_t product;
    return !__builtin_mul_overflow(value, scale, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
  }

  // AdjustFractMicroseconds: rounds only what is left after the whole microseconds.
  bool FractionMicros(double fraction, int64_t scale) {
    fraction *= static_cast<double>(scale);
    const auto micros = static_cast<int64_t>(fraction);
    fraction -= static_cast<double>(micros);
    return Accumulate(micros + (fraction > 0.5 ? 1 : fraction < -0.5 ? -1 : 0), 1, &micros_);
  }

  bool FractionDays(double fraction, int64_t scale) {
    fraction *= static_cast<double>(scale);
    const auto days = static_cast<int64_t>(fraction);
    return Accumulate(days, 1, &days_) &&
           FractionMicros(fraction - static_cast<double>(days), kMicrosPerDay);
  }

  IntervalFailure Micros(const Amount& amount, int64_t scale) {
    return Accumulate(amount.whole, scale, &micros_) && FractionMicros(amount.fraction, scale)
               ? IntervalFailure::kNone
               : IntervalFailure::kField;
  }
  IntervalFailure Days(const Amount& amount, int64_t scale) {
    const bool fits = Accumulate(amount.whole, scale, &days_) &&
                      (scale == 1 ? FractionMicros(amount.fraction, kMicrosPerDay)
                                  : FractionDays(amount.fraction, scale));
    return fits ? IntervalFailure::kNone : IntervalFailure::kField;
  }
  IntervalFailure Months(const Amount& amount) {
    return Accumulate(amount.whole, 1, &months_) && FractionDays(amount.fraction, 30)
               ? IntervalFailure::kNone
               : IntervalFailure::kField;
  }
  IntervalFailure Years(const Amount& amount, int64_t scale) {
    const double months = std::rint(amount.fraction * static_cast<double>(scale) * 12);
    return Accumulate(amount.whole, 12 * scale, &months_) &&
                   Accumulate(static_cast<int64_t>(months), 1, &months_)
               ? IntervalFailure::kNone
               : IntervalFailure::kField;
  }

  int64_t months_ = 0, days_ = 0, micros_ = 0;
};

// "[+-]digits[.digits]"; moves `text` behind it.
IntervalFailure ReadAmount(std::string_view* text, Amount* out) {
  size_t at = 0;
  const bool negative = text->starts_with('-');
  if (negative || text->starts_with('+')) ++at;
  const size_t begin = at;
  bool overflow = false;
  int64_t value = 0;
  for (; at < text->size() && IsDigit((*text)[at]); ++at) {
    overflow = overflow || __builtin_mul_overflow(value, int64_t{10}, &value) ||
               __builtin_add_overflow(value, (*text)[at] - '0', &value);
  }
  size_t digits = at - begin;
  double fraction = 0;
  if (at < text->size() && (*text)[at] == '.') {
    const size_t point = at++;
    while (at < text->size() && IsDigit((*text)[at])) ++at;
    digits += at - point - 1;
    if (at - point > 1) std::from_chars(text->data() + point, text->data() + at, fraction);
  }
  if (digits == 0) return IntervalFailure::kSyntax;
  if (overflow) return IntervalFailure::kField;
  *out = {negative ? -value : value, negative ? -fraction : fraction};
  text->remove_prefix(at);
  return IntervalFailure::kNone;
}

// --- ISO 8601: P1Y2M3W4DT5H6M7.5S, and P0001-02-03T04:05:06
// ---------------------------------------

std::optional<Unit> IsoUnit(char letter, bool time) {
  switch (letter) {
    case 'Y':
      return time ? std::nullopt : std::optional(Unit::kYear);
    case 'M':
      return time ? Unit::kMinute : Unit::kMonth;
    case 'W':
      return time ? std::nullopt : std::optional(Unit::kWeek);
    case 'D':
      return time ? std::nullopt : std::optional(Unit::kDay);
    case 'H':
      return time ? std::optional(Unit::kHour) : std::nullopt;
    case 'S':
      return time ? std::optional(Unit::kSecond) : std::nullopt;
    default:
      return std::nullopt;
  }
}

IntervalFailure DecodeIso(std::string_view text, Sum* sum) {
  if (text.empty()) return IntervalFailure::kSyntax;
  static constexpr std::array kDateParts = {Unit::kYear, Unit::kMonth, Unit::kDay};
  static constexpr std::array kTimeParts = {Unit::kHour, Unit::kMinute, Unit::kSecond};
  bool time = false;
  size_t plain = 0;  // parts without a letter
  while (!text.empty()) {
    if (text[0] == 'T' && !time) {
      time = true;
      plain = 0;
      text.remove_prefix(1);
      if (text.empty()) break;
    }
    Amount amount;
    if (const IntervalFailure failure = ReadAmount(&text, &amount);
        failure != IntervalFailure::kNone)
      return failure;
    const char next = text.empty() ? '\0' : text[0];
    std::optional<Unit> unit = IsoUnit(next, time);
    if (unit) {
      text.remove_prefix(1);
    } else if (plain < 3 &&
               (next == '\0' || next == (time ? ':' : '-') || (!time && next == 'T'))) {
      unit = time ? kTimeParts[plain++] : kDateParts[plain++];
      if (next == '-' || next == ':') text.remove_prefix(1);
    } else {
      return IntervalFailure::kSyntax;
    }
    if (const IntervalFailure failure = sum->Add(*unit, amount); failure != IntervalFailure::kNone)
      return failure;
  }
  return IntervalFailure::kNone;
}

// --- PostgreSQL's: 1 year 2 mons -3 days 04:05:06
// -------------------------------------------------

enum class IntervalFieldKind : uint8_t { kAmount, kClock, kYearMonth, kWord };

struct IntervalField {
  IntervalFieldKind kind;
  std::string text;
};

// Cuts into signed numbers, clocks, year-months and words; '@' and blanks are nothing.
bool CutFields(std::string_view text, std::vector<IntervalField>* fields) {
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (IsSpace(c) || c == '@' || c == ',') {
      ++at;
      continue;
    }
    IntervalField field{IntervalFieldKind::kWord, {}};
    if (IsAlpha(c)) {
      while (at < text.size() && IsAlpha(text[at])) field.text += LowerAscii(text[at++]);
    } else if (IsDigit(c) || c == '.' || c == '+' || c == '-') {
      field.kind = IntervalFieldKind::kAmount;
      if (c == '+' || c == '-') {
        field.text += text[at++];
        while (at < text.size() && IsSpace(text[at])) ++at;
      }
      const size_t begin = at;
      while (at < text.size() && (IsDigit(text[at]) || text[at] == '.' || text[at] == ':' ||
                                  (text[at] == '-' && at > begin))) {
        if (text[at] == ':') field.kind = IntervalFieldKind::kClock;
        if (text[at] == '-') field.kind = IntervalFieldKind::kYearMonth;
        field.text += text[at++];
      }
      if (at == begin) return false;
    } else {
      return false;
    }
    fields->push_back(std::move(field));
  }
  return !fields->empty();
}

// [-]h:mm[:ss[.f]], or m:ss.f
IntervalFailure AddClock(std::string_view text, Sum* sum) {
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  std::vector<Amount> parts;
  for (;;) {
    if (text.empty() || text[0] == '-' || text[0] == '+') return IntervalFailure::kSyntax;
    Amount amount;
    if (const IntervalFailure failure = ReadAmount(&text, &amount);
        failure != IntervalFailure::kNone)
      return failure;
    parts.push_back(amount);
    if (text.empty()) break;
    if (text[0] != ':' || parts.size() == 3 || amount.fraction != 0)
      return IntervalFailure::kSyntax;
    text.remove_prefix(1);
    if (text.empty()) break;  // "12:" reads as "12:00"
  }
  size_t unit = 0;
  if (parts.size() == 2 && parts[1].fraction != 0) unit = 1;  // minutes and seconds
  static constexpr std::array kUnits = {Unit::kHour, Unit::kMinute, Unit::kSecond};
  for (size_t i = 0; i < parts.size(); ++i, ++unit) {
    if (unit > 0 && i > 0 && parts[i].whole > (kUnits[unit] == Unit::kSecond ? 60 : 59)) {
      return IntervalFailure::kField;
    }
    if (negative) parts[i] = {-parts[i].whole, -parts[i].fraction};
    if (const IntervalFailure failure = sum->Add(kUnits[unit], parts[i]);
        failure != IntervalFailure::kNone) {
      return failure;
    }
  }
  return IntervalFailure::kNone;
}

// "1-2": a year and two months.
IntervalFailure AddYearMonth(std::string_view text, Sum* sum) {
  const bool negative = text[0] == '-';
  Amount years, months;
  if (ReadAmount(&text, &years) != IntervalFailure::kNone || years.fraction != 0 ||
      !text.starts_with('-')) {
    return IntervalFailure::kSyntax;
  }
  text.remove_prefix(1);
  if (ReadAmount(&text, &months) != IntervalFailure::kNone || !text.empty() || months.whole < 0) {
    return IntervalFailure::kSyntax;
  }
  if (months.whole >= 12) return IntervalFailure::kField;
  if (negative) months.whole = -months.whole;
  const IntervalFailure failure = sum->Add(Unit::kYear, years);
  return failure == IntervalFailure::kNone ? sum->Add(Unit::kMonth, months) : failure;
}

// From the last field to the first, as a unit stands behind its number.
IntervalFailure DecodeFields(const std::vector<IntervalField>& fields, Sum* sum) {
  std::optional<Unit> unit;
  bool ago = false;
  uint32_t seen = 0;
  const auto once = [&](Unit of) {
    const uint32_t bit = 1U << static_cast<uint32_t>(of);
    const bool fresh = (seen & bit) == 0;
    seen |= bit;
    return fresh;
  };
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    IntervalFailure failure = IntervalFailure::kNone;
    switch (field->kind) {
      case IntervalFieldKind::kWord:
        if (field->text == "ago") {
          ago = true;
          continue;
        }
        unit = UnitOf(field->text);
        if (!unit || field + 1 == fields.rend() ||
            (field + 1)->kind != IntervalFieldKind::kAmount) {
          return IntervalFailure::kSyntax;
        }
        continue;
      case IntervalFieldKind::kClock:
        if (!once(Unit::kHour) || !once(Unit::kMinute) || !once(Unit::kSecond)) {
          return IntervalFailure::kSyntax;
        }
        failure = AddClock(field->text, sum);
        unit = Unit::kDay;  // a bare number in front of a clock is days
        break;
      case IntervalFieldKind::kYearMonth:
        if (!once(Unit::kYear) || !once(Unit::kMonth)) return IntervalFailure::kSyntax;
        failure = AddYearMonth(field->text, sum);
        break;
      case IntervalFieldKind::kAmount: {
        const Unit of = unit.value_or(Unit::kSecond);
        std::string_view text = field->text;
        Amount amount;
        failure = ReadAmount(&text, &amount);
        if (failure == IntervalFailure::kNone && (!text.empty() || !once(of)))
          return IntervalFailure::kSyntax;
        if (failure == IntervalFailure::kNone) failure = sum->Add(of, amount);
        unit.reset();
        break;
      }
    }
    if (failure != IntervalFailure::kNone) return failure;
  }
  if (ago) sum->Negate();
  return seen == 0 ? IntervalFailure::kSyntax : IntervalFailure::kNone;
}

}  // namespace

Status ParseInterval(std::string_view text, Interval* out) {
  const std::string_view trimmed = Trimmed(text);
  Sum sum;
  IntervalFailure failure;
  if (trimmed.starts_with('P')) {
    failure = DecodeIso(trimmed.substr(1), &sum);
  } else {
    std::vector<IntervalField> fields;
    failure = CutFields(trimmed, &fields) ? DecodeFields(fields, &sum) : IntervalFailure::kSyntax;
  }
  if (failure == IntervalFailure::kNone) failure = sum.Get(out);
  switch (failure) {
    case IntervalFailure::kNone:
      return Status::OK();
    case IntervalFailure::kSyntax:
      return InvalidSyntax("interval", text, "22007");
    case IntervalFailure::kField:
      break;
  }
  return SqlStatus(fmt::format("interval field value out of range: \"{}\"", text),
                   {.sqlstate = "22015"});
}

}  // namespace leat::text_internal
