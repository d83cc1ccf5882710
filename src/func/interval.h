// Arithmetic of intervals: months, days and microseconds, each for itself. Private to func.
#pragma once

#include <cstdint>

#include "data/date.h"

namespace leat {

constexpr int64_t MicrosOf(const Interval& interval) { return interval.nanoseconds / 1000; }

// How long it is where a month counts 30 days and a day 24 hours: the order of intervals.
inline __int128 SpanOf(const Interval& interval) {
  const int64_t days = static_cast<int64_t>(interval.months) * 30 + interval.days;
  return static_cast<__int128>(days) * kMicrosPerDay + MicrosOf(interval);
}

// False where a field does not fit (hours beyond 292 years do not: Arrow counts nanoseconds).
bool MakeInterval(__int128 months, __int128 days, __int128 micros, Interval* out);
// As interval_mul and interval_div: fractions of a month become days of 30, those of a day time.
// False out of range. REQUIRES: divisor is not 0.
bool MultiplyInterval(const Interval& interval, double factor, Interval* out);
bool DivideInterval(const Interval& interval, double divisor, Interval* out);

}  // namespace leat
