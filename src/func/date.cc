// The clock, dates made of numbers, ages, zones.
#include <cmath>

#include "data/date.h"
#include "data/time_zone.h"
#include "func/families.h"
#include "func/interval.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

Result<Micros> LocalNow(const Call& call) {
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(call.context->timezone));
  return zone->ToLocal(call.context->now);
}

Result<ArrayPtr> Now(const Call& call, Arguments args) {
  return MapRows<Micros>(call, args, [&](int64_t) { return call.context->now; });
}

Result<ArrayPtr> LocalTimestamp(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Micros now, LocalNow(call));
  return MapRows<Micros>(call, args, [&](int64_t) { return now; });
}

Result<ArrayPtr> LocalTime(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Micros now, LocalNow(call));
  return MapRows<int64_t>(call, args, [&](int64_t) { return TimeOfDay(now); });
}

Result<ArrayPtr> CurrentDate(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Micros now, LocalNow(call));
  return MapRows<int32_t>(call, args, [&](int64_t) { return static_cast<int32_t>(DaysOf(now)); });
}

// False where there is no such date. A negative year is BC.
bool DateFrom(int32_t year, int32_t month, int32_t day, int64_t* days) {
  if (year == 0 || year < -4713 || year > 5874897 || month < 1 || month > 12) return false;
  const int32_t astronomical = year < 0 ? year + 1 : year;
  if (day < 1 || day > DaysInMonth(astronomical, month)) return false;
  *days = DaysFromCivil({astronomical, month, day});
  return IsValidDate(*days);
}

Result<ArrayPtr> MakeDate(const Call& call, Arguments args) {
  const Values<int32_t> years(args[0]), months(args[1]), days(args[2]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    int64_t date = 0;
    if (DateFrom(years[row], months[row], days[row], &date)) return static_cast<int32_t>(date);
    call.errors->Set(row, "22008",
                     fmt::format("date field value out of range: {}-{:02}-{:02}", years[row],
                                 months[row], days[row]));
    return 0;
  });
}

// False where there is no such time; second 60 carries over, as hour 24 does.
bool TimeFrom(int32_t hour, int32_t minute, double second, int64_t* micros) {
  const double fraction = std::rint(second * 1e6);
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(fraction >= 0) || fraction > 60e6) {
    return false;
  }
  *micros = hour * kMicrosPerHour + minute * kMicrosPerMinute + static_cast<int64_t>(fraction);
  return *micros <= kMicrosPerDay;
}

Result<ArrayPtr> MakeTime(const Call& call, Arguments args) {
  const Values<int32_t> hours(args[0]), minutes(args[1]);
  const Values<double> seconds(args[2]);
  return MapRows<int64_t>(call, args, [&](int64_t row) {
    int64_t time = 0;
    if (!TimeFrom(hours[row], minutes[row], seconds[row], &time)) {
      call.errors->Set(row, "22008",
                       fmt::format("time field value out of range: {}:{:02}:{:02g}", hours[row],
                                   minutes[row], seconds[row]));
    }
    return time;
  });
}

// years, months, weeks, days, hours, mins, secs
Result<ArrayPtr> IntervalOfParts(const Call& call, Arguments args) {
  std::vector<Values<int32_t>> parts;
  for (size_t i = 0; i < 6; ++i) parts.emplace_back(args[i]);
  const Values<double> seconds(args[6]);
  return MapRows<Interval>(call, args, [&](int64_t row) -> Interval {
    const auto at = [&](size_t i) { return static_cast<int64_t>(parts[i][row]); };
    const double micros = std::rint(seconds[row] * 1e6);
    const int64_t clock = (at(4) * 60 + at(5)) * 60 * 1'000'000;
    constexpr double kMicrosEnd = 9e18;
    Interval out{};
    if (!(std::abs(micros) + std::abs(static_cast<double>(clock)) < kMicrosEnd) ||
        !MakeInterval(at(0) * 12 + at(1), at(2) * 7 + at(3), clock + static_cast<int64_t>(micros),
                      &out)) {
      call.errors->Set(row, "22008", "interval out of range");
    }
    return out;
  });
}

Result<ArrayPtr> MakeTimestamp(const Call& call, Arguments args) {
  const Values<int32_t> years(args[0]), months(args[1]), days(args[2]), hours(args[3]),
      minutes(args[4]);
  const Values<double> seconds(args[5]);
  const bool zoned = call.result->id == kTimestamptz;
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(zoned ? call.context->timezone : "UTC"));
  return MapRows<Micros>(call, args, [&](int64_t row) -> Micros {
    int64_t date = 0;
    int64_t time = 0;
    if (!DateFrom(years[row], months[row], days[row], &date)) {
      call.errors->Set(row, "22008",
                       fmt::format("date field value out of range: {}-{:02}-{:02}", years[row],
                                   months[row], days[row]));
    } else if (!TimeFrom(hours[row], minutes[row], seconds[row], &time)) {
      call.errors->Set(row, "22008",
                       fmt::format("time field value out of range: {}:{:02}:{:02g}", hours[row],
                                   minutes[row], seconds[row]));
    } else if (date < kTimestampDaysMin || date >= kTimestampDaysEnd) {
      call.errors->Set(row, "22008", "timestamp out of range");
      date = 0;
    }
    return zone->ToUtc(date * kMicrosPerDay + time);
  });
}

// Seconds since 1970.
Result<ArrayPtr> ToTimestamp(const Call& call, Arguments args) {
  const Values<double> seconds(args[0]);
  return MapRows<Micros>(call, args, [&](int64_t row) -> Micros {
    const double value = seconds[row];
    if (std::isinf(value)) return value > 0 ? kTimestampInfinity : kTimestampNegativeInfinity;
    if (std::isnan(value)) {
      call.errors->Set(row, "22008", "timestamp cannot be NaN");
      return 0;
    }
    const double micros = std::rint(value * 1e6);
    if (std::abs(micros) < 9.2e18 && IsValidTimestamp(static_cast<Micros>(micros))) {
      return static_cast<Micros>(micros);
    }
    call.errors->Set(row, "22008", fmt::format("timestamp out of range: \"{:g}\"", value));
    return 0;
  });
}

// The difference in calendar fields, later - earlier; see timestamp_age.
Interval AgeOf(Micros later, Micros earlier) {
  const int sign = later < earlier ? -1 : 1;
  if (sign < 0) std::swap(later, earlier);
  const CivilDate end = CivilFromDays(DaysOf(later));
  const CivilDate begin = CivilFromDays(DaysOf(earlier));
  int64_t months = (int64_t{end.year} - begin.year) * 12 + end.month - begin.month;
  int64_t days = int64_t{end.day} - begin.day;
  int64_t micros = TimeOfDay(later) - TimeOfDay(earlier);
  if (micros < 0) {
    micros += kMicrosPerDay;
    --days;
  }
  while (days < 0) {  // the days of the month in which the first argument's opposite lies
    const CivilDate& month = begin;
    days += DaysInMonth(month.year, month.month);
    --months;
  }
  return {static_cast<int32_t>(months) * sign, static_cast<int32_t>(days) * sign,
          micros * 1000 * sign};
}

Interval AgeIn(const Call& call, int64_t row, Micros a, Micros b, const TimeZone& zone) {
  if (!IsInfiniteTimestamp(a) && !IsInfiniteTimestamp(b)) {
    return AgeOf(zone.ToLocal(a), zone.ToLocal(b));
  }
  call.errors->Set(row, "22008", "timestamp out of range");
  return {};
}

// age(a, b), and age(b): of today's midnight.
Result<ArrayPtr> Age(const Call& call, Arguments args) {
  const bool zoned = args[0].type.id == kTimestamptz;
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(zoned ? call.context->timezone : "UTC"));
  const Values<Micros> values(args[0]);
  if (args.size() == 2) {
    const Values<Micros> others(args[1]);
    return MapRows<Interval>(
        call, args, [&](int64_t row) { return AgeIn(call, row, values[row], others[row], *zone); });
  }
  LEAT_ASSIGN(const Micros now, LocalNow(call));
  const Micros midnight = zone->ToUtc(DaysOf(now) * kMicrosPerDay);
  return MapRows<Interval>(
      call, args, [&](int64_t row) { return AgeIn(call, row, midnight, values[row], *zone); });
}

// AT TIME ZONE: a wall's time to a point in time, and back.
Result<ArrayPtr> AtTimeZone(const Call& call, Arguments args) {
  const Texts zones(args[0]);
  const Values<Micros> values(args[1]);
  const bool to_local = args[1].type.id == kTimestamptz;
  return MapRows<Micros>(call, args, [&](int64_t row) {
    const auto zone = TimeZone::Find(zones[row]);
    if (!zone.ok()) SetError(call, row, zone.status());
    const Micros at = values[row];
    if (!zone.ok() || IsInfiniteTimestamp(at)) return at;
    return to_local ? (*zone)->ToLocal(at) : (*zone)->ToUtc(at);
  });
}

template <bool hours, bool days>
Result<ArrayPtr> Justify(const Call& call, Arguments args) {
  const Values<Interval> intervals(args[0]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    int64_t months = intervals[row].months;
    int64_t day = intervals[row].days;
    int64_t micros = MicrosOf(intervals[row]);
    const auto carry = [](int64_t* from, int64_t unit, int64_t* to) {
      *to += *from / unit;
      *from %= unit;
    };
    const auto align = [](int64_t* high, int64_t* low, int64_t unit) {
      if (*high > 0 && *low < 0) {
        *low += unit;
        --*high;
      } else if (*high < 0 && *low > 0) {
        *low -= unit;
        ++*high;
      }
    };
    if (hours) carry(&micros, kMicrosPerDay, &day);
    if (days) carry(&day, 30, &months);
    if (days && hours && months > 0 && (day < 0 || (day == 0 && micros < 0))) {
      day += 30;
      --months;
    } else if (days && hours && months < 0 && (day > 0 || (day == 0 && micros > 0))) {
      day -= 30;
      ++months;
    } else if (days && !hours) {
      align(&months, &day, 30);
    }
    if (hours) align(&day, &micros, kMicrosPerDay);
    Interval out;
    if (!MakeInterval(months, day, micros, &out)) {
      call.errors->Set(row, "22008", "interval out of range");
    }
    return out;
  });
}

Result<ArrayPtr> IsFinite(const Call& call, Arguments args) {
  if (args[0].type.id == kDate) {
    const Values<int32_t> dates(args[0]);
    return MapRowsToBool(call, args, [&](int64_t row) { return !IsInfiniteDate(dates[row]); });
  }
  if (args[0].type.id == kInterval) {
    return MapRowsToBool(call, args, [](int64_t) { return true; });
  }
  const Values<Micros> values(args[0]);
  return MapRowsToBool(call, args, [&](int64_t row) { return !IsInfiniteTimestamp(values[row]); });
}

void AddClock(std::vector<Function>* out) {
  const auto add = [&](const char* name, TypeId type, Kernel kernel, const char* description) {
    Function function = Spec(name, {}, type, kernel, {description});
    function.volatility = Volatility::kStable;
    out->push_back(std::move(function));
  };
  for (const char* name :
       {"now", "current_timestamp", "transaction_timestamp", "statement_timestamp"}) {
    add(name, kTimestamptz, Now, "The epoch's clock");
  }
  add("current_date", kDate, CurrentDate, "The epoch's date, in the session's zone");
  add("localtimestamp", kTimestamp, LocalTimestamp, "The epoch's clock, in the session's zone");
  add("localtime", kTime, LocalTime, "The epoch's time of day, in the session's zone");
}

void AddAges(std::vector<Function>* out) {
  out->push_back(
      Spec("age", {kTimestamp, kTimestamp}, kInterval, Age,
           {"The difference in years, months and days",
            "age(timestamp '2001-04-10', timestamp '1957-06-13')", "43 years 9 mons 27 days"}));
  out->push_back(Spec("age", {kTimestamptz, kTimestamptz}, kInterval, Age,
                      {"The difference in years, months and days",
                       "age(timestamptz '2024-03-01 00:00+00', timestamptz '2024-01-31 12:00+00')",
                       "1 mon 12:00:00"}));
  for (const TypeId type : {kTimestamp, kTimestamptz}) {
    Function function =
        Spec("age", {type}, kInterval, Age, {"How long before today's midnight it was"});
    function.volatility = Volatility::kStable;
    out->push_back(std::move(function));
  }
}

void AddMakers(std::vector<Function>* out) {
  out->push_back(Spec("make_date", {kInt4, kInt4, kInt4}, kDate, MakeDate,
                      {"The date of year, month and day", "make_date(2024, 2, 29)", "2024-02-29"}));
  out->push_back(
      Spec("make_time", {kInt4, kInt4, kFloat8}, kTime, MakeTime,
           {"The time of hour, minute and second", "make_time(8, 15, 23.5)", "08:15:23.5"}));
  out->push_back(Spec("make_interval", {kInt4, kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
                      kInterval, IntervalOfParts,
                      {"The interval of years, months, weeks, days, hours, mins and secs",
                       "make_interval(days => 10, secs => 1.5)", "10 days 00:00:01.5"}));
  out->push_back(Spec("make_timestamp", {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8}, kTimestamp,
                      MakeTimestamp,
                      {"The timestamp of its fields", "make_timestamp(2013, 7, 15, 8, 15, 23.5)",
                       "2013-07-15 08:15:23.5"}));
  out->push_back(Spec("make_timestamptz", {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
                      kTimestamptz, MakeTimestamp,
                      {"The timestamp of its fields in the session's zone",
                       "make_timestamptz(2013, 7, 15, 8, 15, 23.5)", "2013-07-15 08:15:23.5+00"}));
  out->push_back(
      Spec("to_timestamp", {kFloat8}, kTimestamptz, ToTimestamp,
           {"So many seconds after 1970", "to_timestamp(1284352323)", "2010-09-13 04:32:03+00"}));
}

}  // namespace

void AddDateFunctions(std::vector<Function>* out) {
  AddClock(out);
  AddAges(out);
  AddMakers(out);
  out->push_back(Spec(
      "timezone", {kText, kTimestamptz}, kTimestamp, AtTimeZone,
      {"The time that a clock shows there: x AT TIME ZONE zone",
       "timezone('America/Denver', timestamptz '2001-02-16 20:38:40+00')", "2001-02-16 13:38:40"}));
  out->push_back(Spec(
      "timezone", {kText, kTimestamp}, kTimestamptz, AtTimeZone,
      {"When a clock shows this time there: x AT TIME ZONE zone",
       "timezone('America/Denver', timestamp '2001-02-16 20:38:40')", "2001-02-17 03:38:40+00"}));
  out->push_back(
      Spec("justify_hours", {kInterval}, kInterval, Justify<true, false>,
           {"24 hours to a day", "justify_hours(interval '27 hours')", "1 day 03:00:00"}));
  out->push_back(Spec("justify_days", {kInterval}, kInterval, Justify<false, true>,
                      {"30 days to a month", "justify_days(interval '35 days')", "1 mon 5 days"}));
  out->push_back(Spec("justify_interval", {kInterval}, kInterval, Justify<true, true>,
                      {"Hours to days, days to months, with one sign",
                       "justify_interval(interval '1 mon -1 hour')", "29 days 23:00:00"}));
  for (const TypeId type : {kDate, kTimestamp, kTimestamptz, kInterval}) {
    const std::string example = fmt::format("isfinite('2 days'::{})", TypeName(Type(type)));
    const bool interval = type == kInterval;
    out->push_back(
        Spec("isfinite", {type}, kBool, IsFinite,
             {"Whether it is not infinity", interval ? example.c_str() : "", interval ? "t" : ""}));
  }
}

}  // namespace leat
