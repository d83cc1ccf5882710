#include "data/date.h"

namespace leat {

bool AddInterval(Micros at, const Interval& interval, Micros* out) {
  int64_t days = DaysOf(at);
  if (interval.months != 0) {
    const int64_t months = interval.months;
    if (months > 12 * 300000 || months < -12 * 300000) return false;
    days = DaysFromCivil(AddMonths(CivilFromDays(days), months));
  }
  days += interval.days;
  if (days < kTimestampDaysMin - 1 || days > kTimestampDaysEnd) return false;
  Micros sum;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &sum) ||
      __builtin_add_overflow(sum, TimeOfDay(at), &sum) ||
      __builtin_add_overflow(sum, interval.nanoseconds / 1000, &sum)) {
    return false;
  }
  *out = sum;
  return IsValidTimestamp(sum);
}

}  // namespace leat
