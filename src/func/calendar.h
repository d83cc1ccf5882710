// Dates as numbers and numbers as dates: the proleptic Gregorian calendar, infinities, units of
// time. Private to func.
#pragma once

#include <cstdint>
#include <limits>

#include "base/clock.h"
#include "func/kernel.h"

namespace leat {

inline constexpr int64_t kMicrosPerSecond = 1000000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

// 'infinity' and '-infinity'.
inline constexpr int32_t kDateInfinity = std::numeric_limits<int32_t>::max();
inline constexpr int32_t kDateMinusInfinity = std::numeric_limits<int32_t>::min();
inline constexpr int64_t kTimestampInfinity = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kTimestampMinusInfinity = std::numeric_limits<int64_t>::min();
// PostgreSQL's dates: 4714-11-24 BC up to 5874897-12-31. Its timestamps end with 294276; ours,
// which count from 1970 and not from 2000, end 30 years earlier.
inline constexpr int32_t kDateLeast = -2440588;
inline constexpr int32_t kDateEnd = 2145042906;
inline constexpr int64_t kTimestampLeast = kDateLeast * kMicrosPerDay;
inline constexpr int64_t kTimestampEnd = kTimestampInfinity;

inline bool IsFinite(int32_t date) { return date != kDateInfinity && date != kDateMinusInfinity; }
inline bool IsFinite(int64_t timestamp) {
  return timestamp != kTimestampInfinity && timestamp != kTimestampMinusInfinity;
}
inline bool DateInRange(int64_t days) { return days >= kDateLeast && days < kDateEnd; }
inline bool TimestampInRange(__int128 micros) {
  return micros >= kTimestampLeast && micros < kTimestampEnd;
}

inline int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
inline int64_t FloorModulo(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

struct CivilDate {
  int64_t year;  // astronomical: 0 is 1 BC
  int32_t month;
  int32_t day;
};
int64_t DaysFromCivil(int64_t year, int32_t month, int32_t day);
CivilDate CivilFromDays(int64_t days);
int32_t DaysInMonth(int64_t year, int32_t month);

// An element of a month_day_nano_interval column.
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t nanos = 0;
  int64_t micros() const { return nanos / 1000; }
};
static_assert(sizeof(Interval) == 16);

// The microseconds by which the zone is ahead of UTC at a time of UTC, or at a local time (the
// standard one where the clock shows it twice, as PostgreSQL takes it).
Result<int64_t> ZoneOffsetAt(const std::string& zone, Micros utc);
Result<int64_t> ZoneOffsetAtLocal(const std::string& zone, int64_t local);

}  // namespace leat
