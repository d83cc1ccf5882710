// + - * / of dates, times and intervals.
#include "data/date.h"
#include "data/time_zone.h"
#include "func/families.h"
#include "func/interval.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr const char* kDateTimeOverflow = "22008";

void SetError(const Call& call, int64_t row, const char* message) {
  call.errors->Set(row, kDateTimeOverflow, message);
}

// date + integer; `swapped` where the integer comes first, `sign` -1 for date - integer.
template <bool swapped, int sign>
Result<ArrayPtr> DateAndDays(const Call& call, Arguments args) {
  const Values<int32_t> dates(args[swapped ? 1 : 0]);
  const Values<int32_t> days(args[swapped ? 0 : 1]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    if (IsInfiniteDate(dates[row])) return dates[row];
    const int64_t sum = int64_t{dates[row]} + int64_t{days[row]} * sign;
    if (IsValidDate(sum)) return static_cast<int32_t>(sum);
    SetError(call, row, "date out of range");
    return 0;
  });
}

Result<ArrayPtr> DaysBetween(const Call& call, Arguments args) {
  const Values<int32_t> left(args[0]);
  const Values<int32_t> right(args[1]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    if (!IsInfiniteDate(left[row]) && !IsInfiniteDate(right[row])) return left[row] - right[row];
    SetError(call, row, "cannot subtract infinite dates");
    return 0;
  });
}

// The midnight with which a date begins.
Micros MidnightOf(const Call& call, int64_t row, int32_t date) {
  if (date == kDateInfinity) return kTimestampInfinity;
  if (date == kDateNegativeInfinity) return kTimestampNegativeInfinity;
  if (date >= kTimestampDaysMin && date < kTimestampDaysEnd) return date * kMicrosPerDay;
  SetError(call, row, "date out of range for timestamp");
  return 0;
}

// False where a field has no negative.
bool Negate(const Interval& interval, Interval* out) {
  return MakeInterval(-static_cast<__int128>(interval.months),
                      -static_cast<__int128>(interval.days),
                      -static_cast<__int128>(MicrosOf(interval)), out);
}

template <int sign>
Micros AddTo(const Call& call, int64_t row, Micros at, const Interval& interval) {
  if (IsInfiniteTimestamp(at)) return at;
  Interval signed_interval = interval;
  Micros out = 0;
  const bool ok =
      (sign > 0 || Negate(interval, &signed_interval)) && AddInterval(at, signed_interval, &out);
  if (!ok) SetError(call, row, "timestamp out of range");
  return out;
}

template <bool swapped, int sign>
Result<ArrayPtr> DateAndInterval(const Call& call, Arguments args) {
  const Values<int32_t> dates(args[swapped ? 1 : 0]);
  const Values<Interval> intervals(args[swapped ? 0 : 1]);
  return MapRows<Micros>(call, args, [&](int64_t row) {
    return AddTo<sign>(call, row, MidnightOf(call, row, dates[row]), intervals[row]);
  });
}

template <bool swapped>
Result<ArrayPtr> DateAndTime(const Call& call, Arguments args) {
  const Values<int32_t> dates(args[swapped ? 1 : 0]);
  const Values<int64_t> times(args[swapped ? 0 : 1]);
  return MapRows<Micros>(call, args, [&](int64_t row) {
    const Micros midnight = MidnightOf(call, row, dates[row]);
    return IsInfiniteTimestamp(midnight) ? midnight : midnight + times[row];
  });
}

template <bool swapped, int sign>
Result<ArrayPtr> TimestampAndInterval(const Call& call, Arguments args) {
  const Values<Micros> timestamps(args[swapped ? 1 : 0]);
  const Values<Interval> intervals(args[swapped ? 0 : 1]);
  return MapRows<Micros>(call, args, [&](int64_t row) {
    return AddTo<sign>(call, row, timestamps[row], intervals[row]);
  });
}

// Months and days are of the wall's calendar, the rest is time that passes.
template <bool swapped, int sign>
Result<ArrayPtr> ZonedAndInterval(const Call& call, Arguments args) {
  const Values<Micros> timestamps(args[swapped ? 1 : 0]);
  const Values<Interval> intervals(args[swapped ? 0 : 1]);
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(call.context->timezone));
  return MapRows<Micros>(call, args, [&](int64_t row) {
    Micros at = timestamps[row];
    if (IsInfiniteTimestamp(at)) return at;
    const Interval& interval = intervals[row];
    if (interval.months != 0 || interval.days != 0) {
      const Interval calendar{interval.months, interval.days, 0};
      at = zone->ToUtc(AddTo<sign>(call, row, zone->ToLocal(at), calendar));
    }
    return AddTo<sign>(call, row, at, Interval{0, 0, interval.nanoseconds});
  });
}

Result<ArrayPtr> TimestampDifference(const Call& call, Arguments args) {
  const Values<Micros> left(args[0]);
  const Values<Micros> right(args[1]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    if (IsInfiniteTimestamp(left[row]) || IsInfiniteTimestamp(right[row])) {
      SetError(call, row, "cannot subtract infinite timestamps");
      return Interval{};
    }
    Micros difference = 0;
    if (__builtin_sub_overflow(left[row], right[row], &difference)) {
      SetError(call, row, "interval out of range");
    }
    return Interval{0, static_cast<int32_t>(difference / kMicrosPerDay),
                    difference % kMicrosPerDay * 1000};
  });
}

template <bool swapped, int sign>
Result<ArrayPtr> TimeAndInterval(const Call& call, Arguments args) {
  const Values<int64_t> times(args[swapped ? 1 : 0]);
  const Values<Interval> intervals(args[swapped ? 0 : 1]);
  return MapRows<int64_t>(call, args, [&](int64_t row) {
    return TimeOfDay(times[row] + MicrosOf(intervals[row]) % kMicrosPerDay * sign);
  });
}

Result<ArrayPtr> TimeDifference(const Call& call, Arguments args) {
  const Values<int64_t> left(args[0]);
  const Values<int64_t> right(args[1]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    return Interval{0, 0, (left[row] - right[row]) * 1000};
  });
}

template <int sign>
Result<ArrayPtr> IntervalSum(const Call& call, Arguments args) {
  const Values<Interval> left(args[0]);
  const Values<Interval> right(args[1]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    const Interval& a = left[row];
    const Interval& b = right[row];
    Interval out;
    if (!MakeInterval(a.months + static_cast<__int128>(b.months) * sign,
                      a.days + static_cast<__int128>(b.days) * sign,
                      MicrosOf(a) + static_cast<__int128>(MicrosOf(b)) * sign, &out)) {
      SetError(call, row, "interval out of range");
    }
    return out;
  });
}

template <bool swapped>
Result<ArrayPtr> IntervalProduct(const Call& call, Arguments args) {
  const Values<Interval> intervals(args[swapped ? 1 : 0]);
  const Values<double> factors(args[swapped ? 0 : 1]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    Interval out;
    if (!MultiplyInterval(intervals[row], factors[row], &out)) {
      SetError(call, row, "interval out of range");
    }
    return out;
  });
}

Result<ArrayPtr> IntervalQuotient(const Call& call, Arguments args) {
  const Values<Interval> intervals(args[0]);
  const Values<double> divisors(args[1]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    Interval out;
    if (divisors[row] == 0) {
      call.errors->Set(row, kDivisionByZero, "division by zero");
    } else if (!DivideInterval(intervals[row], divisors[row], &out)) {
      SetError(call, row, "interval out of range");
    }
    return out;
  });
}

Result<ArrayPtr> IntervalNegative(const Call& call, Arguments args) {
  const Values<Interval> intervals(args[0]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    Interval out;
    if (!Negate(intervals[row], &out)) SetError(call, row, "interval out of range");
    return out;
  });
}

using Add = std::function<void(const char*, TypeId, TypeId, TypeId, Kernel, Documentation)>;

void AddDates(const Add& add) {
  add("+", kDate, kInt4, kDate, DateAndDays<false, 1>,
      {"So many days later", "date '2024-02-28' + 2", "2024-03-01"});
  add("+", kInt4, kDate, kDate, DateAndDays<true, 1>,
      {"So many days later", "2 + date '2024-02-28'", "2024-03-01"});
  add("-", kDate, kInt4, kDate, DateAndDays<false, -1>,
      {"So many days earlier", "date '2024-03-01' - 1", "2024-02-29"});
  add("-", kDate, kDate, kInt4, DaysBetween,
      {"Days between", "date '2024-03-01' - date '2024-02-01'", "29"});
  add("+", kDate, kInterval, kTimestamp, DateAndInterval<false, 1>,
      {"Later by an interval", "date '2024-01-31' + interval '1 month'", "2024-02-29 00:00:00"});
  add("+", kInterval, kDate, kTimestamp, DateAndInterval<true, 1>,
      {"Later by an interval", "interval '1 hour' + date '2024-01-31'", "2024-01-31 01:00:00"});
  add("-", kDate, kInterval, kTimestamp, DateAndInterval<false, -1>,
      {"Earlier by an interval", "date '2024-03-31' - interval '1 month'", "2024-02-29 00:00:00"});
  add("+", kDate, kTime, kTimestamp, DateAndTime<false>,
      {"The time of that day", "date '2024-01-31' + time '03:00'", "2024-01-31 03:00:00"});
  add("+", kTime, kDate, kTimestamp, DateAndTime<true>,
      {"The time of that day", "time '03:00' + date '2024-01-31'", "2024-01-31 03:00:00"});
}

void AddTimestamps(const Add& add) {
  add("+", kTimestamp, kInterval, kTimestamp, TimestampAndInterval<false, 1>,
      {"Later by an interval", "timestamp '2024-01-31 10:00' + interval '1 month 2 hours'",
       "2024-02-29 12:00:00"});
  add("+", kInterval, kTimestamp, kTimestamp, TimestampAndInterval<true, 1>,
      {"Later by an interval", "interval '1 day' + timestamp '2024-01-31 10:00'",
       "2024-02-01 10:00:00"});
  add("-", kTimestamp, kInterval, kTimestamp, TimestampAndInterval<false, -1>,
      {"Earlier by an interval", "timestamp '2024-01-31 10:00' - interval '11 hours'",
       "2024-01-30 23:00:00"});
  add("+", kTimestamptz, kInterval, kTimestamptz, ZonedAndInterval<false, 1>,
      {"Later by an interval", "timestamptz '2024-01-31 10:00+00' + interval '1 month'",
       "2024-02-29 10:00:00+00"});
  add("+", kInterval, kTimestamptz, kTimestamptz, ZonedAndInterval<true, 1>,
      {"Later by an interval", "interval '1 day' + timestamptz '2024-01-31 10:00+00'",
       "2024-02-01 10:00:00+00"});
  add("-", kTimestamptz, kInterval, kTimestamptz, ZonedAndInterval<false, -1>,
      {"Earlier by an interval", "timestamptz '2024-01-31 10:00+00' - interval '1 day'",
       "2024-01-30 10:00:00+00"});
  add("-", kTimestamp, kTimestamp, kInterval, TimestampDifference,
      {"The time between, in days and hours",
       "timestamp '2024-03-01 10:00' - timestamp '2024-02-28 12:30'", "1 day 21:30:00"});
  add("-", kTimestamptz, kTimestamptz, kInterval, TimestampDifference,
      {"The time between, in days and hours",
       "timestamptz '2024-03-01 10:00+00' - timestamptz '2024-03-01 10:00+02'", "02:00:00"});
}

void AddIntervals(const Add& add) {
  add("+", kTime, kInterval, kTime, TimeAndInterval<false, 1>,
      {"Later, past midnight too", "time '23:00' + interval '3 hours'", "02:00:00"});
  add("+", kInterval, kTime, kTime, TimeAndInterval<true, 1>,
      {"Later, past midnight too", "interval '3 hours' + time '01:00'", "04:00:00"});
  add("-", kTime, kInterval, kTime, TimeAndInterval<false, -1>,
      {"Earlier, past midnight too", "time '01:00' - interval '2 hours'", "23:00:00"});
  add("-", kTime, kTime, kInterval, TimeDifference,
      {"The time between", "time '05:00' - time '03:00'", "02:00:00"});
  add("+", kInterval, kInterval, kInterval, IntervalSum<1>,
      {"Sum", "interval '1 day' + interval '1 hour'", "1 day 01:00:00"});
  add("-", kInterval, kInterval, kInterval, IntervalSum<-1>,
      {"Difference", "interval '1 day' - interval '1 hour'", "1 day -01:00:00"});
  add("*", kInterval, kFloat8, kInterval, IntervalProduct<false>,
      {"Multiple", "interval '1 day' * 1.5", "1 day 12:00:00"});
  add("*", kFloat8, kInterval, kInterval, IntervalProduct<true>,
      {"Multiple", "2.5 * interval '1 month'", "2 mons 15 days"});
  add("/", kInterval, kFloat8, kInterval, IntervalQuotient,
      {"Part", "interval '1 hour' / 1.5", "00:40:00"});
}

}  // namespace

void AddDateArithmeticFunctions(std::vector<Function>* out) {
  const Add add = [&](const char* symbol, TypeId left, TypeId right, TypeId result, Kernel kernel,
                      Documentation documentation) {
    out->push_back(Spec(symbol, {left, right}, result, kernel, documentation));
  };
  AddDates(add);
  AddTimestamps(add);
  AddIntervals(add);
  out->push_back(Spec("-", {kInterval}, kInterval, IntervalNegative,
                      {"Negative", "- interval '1 day'", "-1 days"}));
}

}  // namespace leat
