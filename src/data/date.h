// Dates and times as PostgreSQL counts them: the proleptic Gregorian calendar, days and
// microseconds since 1970-01-01, no leap seconds. Year 0 is 1 BC. For what a date column holds
// (date32), what a timestamp column holds (timestamp[us]) and intervals (month_day_nano_interval).
#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace leat {

inline constexpr int64_t kMicrosPerSecond = 1000 * 1000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

// 'infinity' and '-infinity' of date, timestamp and timestamptz: they order as they should.
inline constexpr int32_t kDateInfinity = std::numeric_limits<int32_t>::max();
inline constexpr int32_t kDateNegativeInfinity = std::numeric_limits<int32_t>::min();
inline constexpr int64_t kTimestampInfinity = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kTimestampNegativeInfinity = std::numeric_limits<int64_t>::min();
constexpr bool IsInfiniteDate(int32_t days) {
  return days == kDateInfinity || days == kDateNegativeInfinity;
}
constexpr bool IsInfiniteTimestamp(Micros at) {
  return at == kTimestampInfinity || at == kTimestampNegativeInfinity;
}

// Finite values lie in [min, end): 4714-11-24 BC to 5874898-06-02, and to 294247-01-09 (PostgreSQL,
// which counts from 2000, goes on to 294276: 64 bits of microseconds since 1970 hold no more).
inline constexpr int64_t kDateMin = -2440588, kDateEnd = 2145042906;
inline constexpr int64_t kTimestampDaysMin = kDateMin, kTimestampDaysEnd = 106751991;
inline constexpr Micros kTimestampMin = kTimestampDaysMin * kMicrosPerDay;
inline constexpr Micros kTimestampEnd = kTimestampDaysEnd * kMicrosPerDay;
constexpr bool IsValidDate(int64_t days) { return days >= kDateMin && days < kDateEnd; }
constexpr bool IsValidTimestamp(Micros at) { return at >= kTimestampMin && at < kTimestampEnd; }

struct CivilDate {
  int32_t year = 1970;  // 0 is 1 BC
  int32_t month = 1;    // 1 to 12
  int32_t day = 1;      // 1 to 31
  bool operator==(const CivilDate&) const = default;
};

// Algorithms: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
constexpr int64_t DaysFromCivil(CivilDate date) {
  const int64_t year = int64_t{date.year} - (date.month <= 2 ? 1 : 0);
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t month = date.month + (date.month > 2 ? -3 : 9);
  const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

constexpr CivilDate CivilFromDays(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int32_t>(day_of_year - (153 * month + 2) / 5 + 1);
  const auto civil_month = static_cast<int32_t>(month < 10 ? month + 3 : month - 9);
  const auto year = static_cast<int32_t>(year_of_era + era * 400 + (civil_month <= 2 ? 1 : 0));
  return {year, civil_month, day};
}

constexpr bool IsLeapYear(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int32_t DaysInMonth(int64_t year, int32_t month) {
  if (month == 2) return IsLeapYear(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// 0 Sunday to 6 Saturday, as extract(dow); Monday 1 to Sunday 7, as extract(isodow).
constexpr int32_t DayOfWeek(int64_t days) { return static_cast<int32_t>(((days + 4) % 7 + 7) % 7); }
constexpr int32_t IsoDayOfWeek(int64_t days) { return DayOfWeek(days) == 0 ? 7 : DayOfWeek(days); }
// 1 to 366.
constexpr int32_t DayOfYear(int64_t days) {
  return static_cast<int32_t>(days - DaysFromCivil({CivilFromDays(days).year, 1, 1}) + 1);
}

struct IsoWeek {
  int32_t year = 0;
  int32_t week = 0;  // 1 to 53
};
constexpr IsoWeek IsoWeekOf(int64_t days) {
  const int64_t thursday = days - IsoDayOfWeek(days) + 4;
  return {CivilFromDays(thursday).year, (DayOfYear(thursday) - 1) / 7 + 1};
}

// A point in time taken apart; `second` without its fraction.
struct TimestampFields {
  CivilDate date;
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t micros = 0;
};

constexpr int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The day that `at` falls in, and how far in it.
constexpr int64_t DaysOf(Micros at) { return FloorDivide(at, kMicrosPerDay); }
constexpr int64_t TimeOfDay(Micros at) { return at - DaysOf(at) * kMicrosPerDay; }

// REQUIRES: finite.
constexpr TimestampFields FieldsOf(Micros at) {
  const int64_t time = TimeOfDay(at);
  return {CivilFromDays(DaysOf(at)), static_cast<int32_t>(time / kMicrosPerHour),
          static_cast<int32_t>(time / kMicrosPerMinute % 60),
          static_cast<int32_t>(time / kMicrosPerSecond % 60),
          static_cast<int32_t>(time % kMicrosPerSecond)};
}

// False where the point lies outside PostgreSQL's range. Hour 24 and second 60 carry over.
constexpr bool MicrosOf(const TimestampFields& fields, Micros* at) {
  const int64_t days = DaysFromCivil(fields.date);
  if (days < kTimestampDaysMin || days > kTimestampDaysEnd) return false;
  *at = days * kMicrosPerDay + fields.hour * kMicrosPerHour + fields.minute * kMicrosPerMinute +
        fields.second * kMicrosPerSecond + fields.micros;
  return IsValidTimestamp(*at);
}

using Interval = arrow::MonthDayNanoIntervalType::MonthDayNanos;

// The date `months` later; the last day of its month where that day does not exist.
constexpr CivilDate AddMonths(CivilDate date, int64_t months) {
  const int64_t month = int64_t{date.year} * 12 + date.month - 1 + months;
  const int64_t year = FloorDivide(month, 12);
  const auto of_year = static_cast<int32_t>(month - year * 12 + 1);
  const int32_t last = DaysInMonth(year, of_year);
  return {static_cast<int32_t>(year), of_year, date.day < last ? date.day : last};
}

// timestamp + interval: months, then days, then time. False where the answer is out of range.
// REQUIRES: finite.
bool AddInterval(Micros at, const Interval& interval, Micros* out);

}  // namespace leat
