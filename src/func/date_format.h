// to_char and to_date patterns of times; private to func.
#pragma once

#include <string_view>
#include <vector>

#include "func/function.h"

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

void AddDateFormatFunctions(std::vector<Function>* out);
void AddDateParseFunctions(std::vector<Function>* out);

}  // namespace leat
