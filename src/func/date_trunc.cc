// date_trunc, date_bin, and the units' names.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "data/date.h"
#include "data/time_zone.h"
#include "func/date_unit.h"
#include "func/families.h"
#include "func/interval.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

struct UnitName {
  std::string_view name;
  DateUnit unit;
};

constexpr std::array kUnitNames = {
    UnitName{"microsecond", DateUnit::kMicroseconds},
    UnitName{"us", DateUnit::kMicroseconds},
    UnitName{"usec", DateUnit::kMicroseconds},
    UnitName{"millisecond", DateUnit::kMilliseconds},
    UnitName{"ms", DateUnit::kMilliseconds},
    UnitName{"msec", DateUnit::kMilliseconds},
    UnitName{"second", DateUnit::kSecond},
    UnitName{"s", DateUnit::kSecond},
    UnitName{"sec", DateUnit::kSecond},
    UnitName{"minute", DateUnit::kMinute},
    UnitName{"m", DateUnit::kMinute},
    UnitName{"min", DateUnit::kMinute},
    UnitName{"hour", DateUnit::kHour},
    UnitName{"h", DateUnit::kHour},
    UnitName{"hr", DateUnit::kHour},
    UnitName{"day", DateUnit::kDay},
    UnitName{"d", DateUnit::kDay},
    UnitName{"week", DateUnit::kWeek},
    UnitName{"w", DateUnit::kWeek},
    UnitName{"month", DateUnit::kMonth},
    UnitName{"mon", DateUnit::kMonth},
    UnitName{"quarter", DateUnit::kQuarter},
    UnitName{"qtr", DateUnit::kQuarter},
    UnitName{"year", DateUnit::kYear},
    UnitName{"y", DateUnit::kYear},
    UnitName{"yr", DateUnit::kYear},
    UnitName{"decade", DateUnit::kDecade},
    UnitName{"dec", DateUnit::kDecade},
    UnitName{"century", DateUnit::kCentury},
    UnitName{"centuries", DateUnit::kCentury},
    UnitName{"c", DateUnit::kCentury},
    UnitName{"cent", DateUnit::kCentury},
    UnitName{"millennium", DateUnit::kMillennium},
    UnitName{"millennia", DateUnit::kMillennium},
    UnitName{"mil", DateUnit::kMillennium},
    UnitName{"dow", DateUnit::kDow},
    UnitName{"isodow", DateUnit::kIsoDow},
    UnitName{"doy", DateUnit::kDoy},
    UnitName{"isoyear", DateUnit::kIsoYear},
    UnitName{"epoch", DateUnit::kEpoch},
    UnitName{"julian", DateUnit::kJulian},
    UnitName{"timezone", DateUnit::kTimezone},
    UnitName{"timezone_hour", DateUnit::kTimezoneHour},
    UnitName{"timezone_minute", DateUnit::kTimezoneMinute},
};

// Whether any date_trunc takes it: then PostgreSQL calls it unsupported, else unrecognized.
bool IsTruncation(DateUnit unit) {
  return unit <= DateUnit::kMillennium ||
         (unit >= DateUnit::kTimezone && unit != DateUnit::kUnknown);
}

// The year in which its decade, century or millennium begins; they begin with a year 1.
int64_t FirstYear(int64_t year, DateUnit unit) {
  switch (unit) {
    case DateUnit::kDecade:
      return FloorDivide(year, 10) * 10;
    case DateUnit::kCentury:
      return FloorDivide(year - 1, 100) * 100 + 1;
    case DateUnit::kMillennium:
      return FloorDivide(year - 1, 1000) * 1000 + 1;
    default:
      return year;
  }
}

// The first day of the unit that a day lies in.
int64_t TruncateDays(int64_t days, DateUnit unit) {
  if (unit == DateUnit::kDay) return days;
  if (unit == DateUnit::kWeek) return days - IsoDayOfWeek(days) + 1;
  CivilDate date = CivilFromDays(days);
  date.day = 1;
  if (unit == DateUnit::kQuarter) date.month = (date.month - 1) / 3 * 3 + 1;
  if (unit >= DateUnit::kYear) date.month = 1;
  date.year = static_cast<int32_t>(FirstYear(date.year, unit));
  return DaysFromCivil(date);
}

int64_t MicrosOfUnit(DateUnit unit) {
  switch (unit) {
    case DateUnit::kMicroseconds:
      return 1;
    case DateUnit::kMilliseconds:
      return 1000;
    case DateUnit::kSecond:
      return kMicrosPerSecond;
    case DateUnit::kMinute:
      return kMicrosPerMinute;
    default:
      return kMicrosPerHour;
  }
}

Micros Truncate(Micros at, DateUnit unit) {
  if (IsInfiniteTimestamp(at)) return at;
  if (unit >= DateUnit::kDay) return TruncateDays(DaysOf(at), unit) * kMicrosPerDay;
  const int64_t micros = MicrosOfUnit(unit);
  return FloorDivide(at, micros) * micros;
}

Result<ArrayPtr> TruncateTimestamp(const Call& call, Arguments args) {
  const DateUnits units(args[0]);
  const Values<Micros> timestamps(args[1]);
  const bool zoned = args[1].type.id == kTimestamptz;
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(zoned ? call.context->timezone : "UTC"));
  return MapRows<Micros>(call, args, [&](int64_t row) -> Micros {
    const DateUnit unit = units[row];
    if (unit > DateUnit::kMillennium) {
      SetUnitError(call, row, units, args[1].type, IsTruncation(units[row]));
      return 0;
    }
    const Micros at = timestamps[row];
    if (!zoned || IsInfiniteTimestamp(at)) return Truncate(at, unit);
    const Micros local = zone->ToLocal(at);
    const Micros truncated = Truncate(local, unit);
    return unit >= DateUnit::kDay ? zone->ToUtc(truncated) : at - (local - truncated);
  });
}

// date_trunc(unit, timestamptz, zone)
Result<ArrayPtr> TruncateInZone(const Call& call, Arguments args) {
  const DateUnits units(args[0]);
  const Values<Micros> timestamps(args[1]);
  const Texts zones(args[2]);
  return MapRows<Micros>(call, args, [&](int64_t row) -> Micros {
    const auto zone = TimeZone::Find(zones[row]);
    if (!zone.ok()) SetError(call, row, zone.status());
    const DateUnit unit = units[row];
    if (unit > DateUnit::kMillennium)
      SetUnitError(call, row, units, args[1].type, IsTruncation(units[row]));
    const Micros at = timestamps[row];
    if (!zone.ok() || unit > DateUnit::kMillennium || IsInfiniteTimestamp(at)) return at;
    const Micros local = (*zone)->ToLocal(at);
    const Micros truncated = Truncate(local, unit);
    return unit >= DateUnit::kDay ? (*zone)->ToUtc(truncated) : at - (local - truncated);
  });
}

Interval TruncateOne(const Interval& interval, DateUnit unit) {
  Interval out{interval.months, 0, 0};
  const auto whole_years = [&](int32_t years) { out.months -= out.months % (12 * years); };
  switch (unit) {
    case DateUnit::kMillennium:
      whole_years(1000);
      break;
    case DateUnit::kCentury:
      whole_years(100);
      break;
    case DateUnit::kDecade:
      whole_years(10);
      break;
    case DateUnit::kYear:
      whole_years(1);
      break;
    case DateUnit::kQuarter:
      out.months -= out.months % 3;
      break;
    case DateUnit::kMonth:
      break;
    case DateUnit::kDay:
      out.days = interval.days;
      break;
    default: {
      const int64_t nanos = MicrosOfUnit(unit) * 1000;
      out.days = interval.days;
      out.nanoseconds = interval.nanoseconds - interval.nanoseconds % nanos;
    }
  }
  return out;
}

Result<ArrayPtr> TruncateInterval(const Call& call, Arguments args) {
  const DateUnits units(args[0]);
  const Values<Interval> intervals(args[1]);
  return MapRows<Interval>(call, args, [&](int64_t row) {
    const DateUnit unit = units[row];
    if (unit > DateUnit::kMillennium || unit == DateUnit::kWeek) {
      SetUnitError(call, row, units, args[1].type, IsTruncation(units[row]));
      return Interval{};
    }
    return TruncateOne(intervals[row], unit);
  });
}

// The beginning of the bin of width `stride` from `origin` on that a timestamp lies in.
Micros BinOf(const Call& call, int64_t row, const Interval& stride, Micros at, Micros origin) {
  if (IsInfiniteTimestamp(at)) return at;
  const auto fail = [&](const char* state, const char* message) {
    call.errors->Set(row, state, message);
    return Micros{0};
  };
  if (IsInfiniteTimestamp(origin)) return fail("22008", "origin out of range");
  if (stride.months != 0) {
    return fail("0A000", "timestamps cannot be binned into intervals containing months or years");
  }
  const int64_t width = stride.days * kMicrosPerDay + MicrosOf(stride);
  if (width <= 0) return fail("22008", "stride must be greater than zero");
  return origin + FloorDivide(at - origin, width) * width;
}

Result<ArrayPtr> Bin(const Call& call, Arguments args) {
  const Values<Interval> strides(args[0]);
  const Values<Micros> timestamps(args[1]), origins(args[2]);
  return MapRows<Micros>(call, args, [&](int64_t row) {
    return BinOf(call, row, strides[row], timestamps[row], origins[row]);
  });
}

// tumble(ts, size): the bins of date_bin from 1970-01-01 on.
Result<ArrayPtr> Tumble(const Call& call, Arguments args) {
  const Values<Micros> timestamps(args[0]);
  const Values<Interval> sizes(args[1]);
  return MapRows<Micros>(
      call, args, [&](int64_t row) { return BinOf(call, row, sizes[row], timestamps[row], 0); });
}

// A session is made where rows are grouped; nothing calls this for a query that is right.
Result<ArrayPtr> SessionAlone(const Call&, Arguments) {
  return NotSupported("session(ts, gap) outside of GROUP BY", -1,
                      "Group by it, or write session(ts, gap) OVER (PARTITION BY …).");
}

}  // namespace

DateUnit DateUnitOf(std::string_view name) {
  const std::string lower = LowerAscii(name);
  const auto find = [&](std::string_view wanted) {
    const auto found = std::find_if(kUnitNames.begin(), kUnitNames.end(),
                                    [&](const UnitName& unit) { return unit.name == wanted; });
    return found == kUnitNames.end() ? DateUnit::kUnknown : found->unit;
  };
  const DateUnit unit = find(lower);
  if (unit != DateUnit::kUnknown || lower.size() < 3 || !lower.ends_with('s')) return unit;
  const DateUnit singular = find(std::string_view(lower).substr(0, lower.size() - 1));
  return singular <= DateUnit::kMillennium ? singular : DateUnit::kUnknown;
}

void SetUnitError(const Call& call, int64_t row, const DateUnits& units, const Type& type,
                  bool supported_elsewhere) {
  const bool known = units[row] != DateUnit::kUnknown && supported_elsewhere;
  call.errors->Set(row, known ? "0A000" : "22023",
                   fmt::format("unit \"{}\" not {} for type {}", LowerAscii(units.name(row)),
                               known ? "supported" : "recognized", TypeName(type)));
}

void AddDateTruncFunctions(std::vector<Function>* out) {
  out->push_back(
      Spec("date_trunc", {kText, kTimestamp}, kTimestamp, TruncateTimestamp,
           {"The beginning of the unit that a time lies in",
            "date_trunc('hour', timestamp '2024-02-16 20:38:40')", "2024-02-16 20:00:00"}));
  out->push_back(
      Spec("date_trunc", {kText, kTimestamptz}, kTimestamptz, TruncateTimestamp,
           {"The beginning of the unit that a time lies in, in the session's zone",
            "date_trunc('week', timestamptz '2024-03-03 20:38:40+00')", "2024-02-26 00:00:00+00"}));
  out->push_back(Spec("date_trunc", {kText, kTimestamptz, kText}, kTimestamptz, TruncateInZone,
                      {"The beginning of the unit that a time lies in, in a zone",
                       "date_trunc('day', timestamptz '2001-02-16 20:38:40+00', "
                       "'Australia/Sydney')",
                       "2001-02-16 13:00:00+00"}));
  out->push_back(
      Spec("date_trunc", {kText, kInterval}, kInterval, TruncateInterval,
           {"The whole units of an interval",
            "date_trunc('hour', interval '2 days 3 hours 40 minutes')", "2 days 03:00:00"}));
  for (const TypeId type : {kTimestamp, kTimestamptz}) {
    const bool zoned = type == kTimestamptz;
    out->push_back(
        Spec("tumble", {type, kInterval}, type, Tumble,
             {"The beginning of the window of that size, counted from 1970-01-01, that a "
              "time lies in",
              zoned ? "tumble(timestamptz '2024-02-29 10:17:04+00', '10 minutes')"
                    : "tumble(timestamp '2024-02-29 10:17:04', '10 minutes')",
              zoned ? "2024-02-29 10:10:00+00" : "2024-02-29 10:10:00"}));
    out->push_back(Spec("session", {type, kInterval}, type, SessionAlone,
                        {"In GROUP BY (or with OVER): the first time since nothing came for longer "
                         "than the gap, among rows that agree in the other keys"}));
  }
  out->push_back(Spec("date_bin", {kInterval, kTimestamp, kTimestamp}, kTimestamp, Bin,
                      {"The beginning of the bin that a time lies in",
                       "date_bin('15 minutes', timestamp '2020-02-11 15:44:17', "
                       "timestamp '2001-01-01')",
                       "2020-02-11 15:30:00"}));
  out->push_back(Spec("date_bin", {kInterval, kTimestamptz, kTimestamptz}, kTimestamptz, Bin,
                      {"The beginning of the bin that a time lies in",
                       "date_bin('1 hour', timestamptz '2020-02-11 15:44:17+00', "
                       "timestamptz '2001-01-01 00:02:30+00')",
                       "2020-02-11 15:02:30+00"}));
}

}  // namespace leat
