// Dates and times in other spellings: to_char's and to_date's patterns (PostgreSQL's manual, 9.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace leat {

// What a pattern names; how it is written (MONTH, Month, month) is in DatePart::text.
enum class DateField : uint8_t {
  kLiteral,
  kHour12,
  kHour24,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kFraction,  // FF1 to FF6: `digits`
  kSecondsOfDay,
  kMeridiem,
  kEra,
  kYearComma,
  kYear,     // `digits`
  kIsoYear,  // `digits`
  kMonthName,
  kMonthShort,
  kMonth,
  kDayName,
  kDayShort,
  kDayOfYear,
  kIsoDayOfYear,
  kDay,
  kDayOfWeek,
  kIsoDayOfWeek,
  kWeekOfMonth,
  kWeek,
  kIsoWeek,
  kCentury,
  kJulian,
  kQuarter,
  kRomanMonth,
  kZoneName,
  kZoneHour,
  kZoneMinute,
  kZoneOffset,
};

struct DatePart {
  DateField field = DateField::kLiteral;
  std::string_view text;  // the keyword, or the literal text
  int digits = 0;
  bool fill = true;     // without FM: padded
  char ordinal = '\0';  // 'T': TH, 't': th
};
// The parts of a pattern; the texts lie in it.
std::vector<DatePart> ParseDatePattern(std::string_view pattern);

extern const char* const kMonthNames[12];
extern const char* const kDayNames[7];  // Sunday first

// Reads texts by one pattern, as to_date and to_timestamp do (DCH_from_char): many threads may.
class DatePattern {
 public:
  // to_date passes over what a text lacks or has behind the pattern; with `whole` the text must
  // follow all of it.
  explicit DatePattern(std::string pattern, bool whole = false);
  DatePattern(const DatePattern&) = delete;
  DatePattern& operator=(const DatePattern&) = delete;

  const std::string& text() const { return text_; }
  // Whether it names anything: a pattern of letters alone would read every text as one day.
  bool names_something() const;
  // Days since 1970-01-01. 22007 or 22008 where the text does not follow the pattern.
  Result<int32_t> Date(std::string_view text) const;
  struct Point {
    Micros local = 0;               // as a clock on the wall shows it
    std::optional<int64_t> offset;  // seconds east of UTC, where the text says so
  };
  Result<Point> Time(std::string_view text) const;

 private:
  const std::string text_;
  const std::vector<DatePart> parts_;  // their texts lie in text_
  const bool whole_;
};

}  // namespace leat
