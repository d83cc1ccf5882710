// extract and date_part.
#include <cmath>
#include <limits>

#include "data/date.h"
#include "data/numeric.h"
#include "data/time_zone.h"
#include "func/date_unit.h"
#include "func/families.h"
#include "func/interval.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// A field's value, value * 10^-scale.
struct Field {
  enum class Kind : uint8_t { kValue, kNull, kInfinity, kNegativeInfinity, kUnsupported };
  Kind kind = Kind::kValue;
  int64_t value = 0;
  int32_t scale = 0;
};

constexpr Field kUnsupportedField{Field::Kind::kUnsupported};
constexpr int64_t kJulianOf1970 = 2440588;

// Years before 1 AD: there is no year 0.
int64_t CivilYear(int64_t year) { return year > 0 ? year : year - 1; }

// Which century (100) or millennium (1000) a year is in: the first is 1 to 100.
int64_t Age(int64_t year, int64_t length) {
  return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

Field OfDays(int64_t days, DateUnit unit) {
  const CivilDate date = CivilFromDays(days);
  switch (unit) {
    case DateUnit::kDay:
      return {.value = date.day};
    case DateUnit::kWeek:
      return {.value = IsoWeekOf(days).week};
    case DateUnit::kMonth:
      return {.value = date.month};
    case DateUnit::kQuarter:
      return {.value = (date.month - 1) / 3 + 1};
    case DateUnit::kYear:
      return {.value = CivilYear(date.year)};
    case DateUnit::kDecade:
      return {.value = FloorDivide(date.year, 10)};
    case DateUnit::kCentury:
      return {.value = Age(date.year, 100)};
    case DateUnit::kMillennium:
      return {.value = Age(date.year, 1000)};
    case DateUnit::kDow:
      return {.value = DayOfWeek(days)};
    case DateUnit::kIsoDow:
      return {.value = IsoDayOfWeek(days)};
    case DateUnit::kDoy:
      return {.value = DayOfYear(days)};
    case DateUnit::kIsoYear:
      return {.value = CivilYear(IsoWeekOf(days).year)};
    default:
      return kUnsupportedField;
  }
}

// Of a time of day, or of an interval's time (whose hours do not end at 24).
Field OfTime(int64_t micros, DateUnit unit) {
  switch (unit) {
    case DateUnit::kMicroseconds:
      return {.value = micros % kMicrosPerMinute};
    case DateUnit::kMilliseconds:
      return {.value = micros % kMicrosPerMinute, .scale = 3};
    case DateUnit::kSecond:
      return {.value = micros % kMicrosPerMinute, .scale = 6};
    case DateUnit::kMinute:
      return {.value = micros / kMicrosPerMinute % 60};
    case DateUnit::kHour:
      return {.value = micros / kMicrosPerHour};
    default:
      return kUnsupportedField;
  }
}

// Units that grow with time are infinite of an infinite time, the others have no value.
Field OfInfinity(bool positive, DateUnit unit) {
  switch (unit) {
    case DateUnit::kYear:
    case DateUnit::kDecade:
    case DateUnit::kCentury:
    case DateUnit::kMillennium:
    case DateUnit::kIsoYear:
    case DateUnit::kEpoch:
    case DateUnit::kJulian:
      return {positive ? Field::Kind::kInfinity : Field::Kind::kNegativeInfinity};
    case DateUnit::kUnknown:
      return kUnsupportedField;
    default:
      return {Field::Kind::kNull};
  }
}

Field OfDate(int32_t date, DateUnit unit) {
  if (unit <= DateUnit::kHour || unit == DateUnit::kTimezone) return kUnsupportedField;
  if (IsInfiniteDate(date)) return OfInfinity(date > 0, unit);
  if (unit == DateUnit::kEpoch) return {.value = int64_t{date} * 86400};
  if (unit == DateUnit::kJulian) return {.value = date + kJulianOf1970};
  return OfDays(date, unit);
}

Field OfTimestamp(Micros local, Micros utc, bool zoned, DateUnit unit) {
  if (IsInfiniteTimestamp(local)) return OfInfinity(local > 0, unit);
  const int64_t offset = (local - utc) / kMicrosPerSecond;
  switch (unit) {
    case DateUnit::kEpoch:
      return {.value = utc, .scale = 6};
    case DateUnit::kTimezone:
      return zoned ? Field{.value = offset} : kUnsupportedField;
    case DateUnit::kTimezoneHour:
      return zoned ? Field{.value = offset / 3600} : kUnsupportedField;
    case DateUnit::kTimezoneMinute:
      return zoned ? Field{.value = offset / 60 % 60} : kUnsupportedField;
    default:
      break;
  }
  return unit <= DateUnit::kHour ? OfTime(TimeOfDay(local), unit) : OfDays(DaysOf(local), unit);
}

Field OfTimeOfDay(int64_t time, DateUnit unit) {
  return unit == DateUnit::kEpoch ? Field{.value = time, .scale = 6} : OfTime(time, unit);
}

Field OfInterval(const Interval& interval, DateUnit unit) {
  const int64_t years = interval.months / 12;
  const int64_t months = interval.months % 12;
  switch (unit) {
    case DateUnit::kDay:
      return {.value = interval.days};
    case DateUnit::kMonth:
      return {.value = months};
    case DateUnit::kQuarter:
      return {.value = months / 3 + 1};
    case DateUnit::kYear:
      return {.value = years};
    case DateUnit::kDecade:
      return {.value = years / 10};
    case DateUnit::kCentury:
      return {.value = years / 100};
    case DateUnit::kMillennium:
      return {.value = years / 1000};
    case DateUnit::kEpoch: {
      // A year counts 365.25 days, a month 30: in quarters of a day.
      const int64_t quarters = years * 1461 + months * 120 + int64_t{interval.days} * 4;
      return {.value = quarters * (kMicrosPerDay / 4) + MicrosOf(interval), .scale = 6};
    }
    default:
      return OfTime(MicrosOf(interval), unit);
  }
}

// Calls put(row, field) for the rows that count and have one.
template <typename Put>
Status EachField(const Call& call, Arguments args, const Nulls& nulls, Put put) {
  const DateUnits units(args[0]);
  const Argument& from = args[1];
  const bool zoned = from.type.id == kTimestamptz;
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(zoned ? call.context->timezone : "UTC"));
  const auto each = [&](auto field_of) {
    ForEachRow(call, nulls, [&](int64_t row) {
      const DateUnit unit = units[row];
      const Field field = unit == DateUnit::kUnknown ? kUnsupportedField : field_of(row, unit);
      if (field.kind == Field::Kind::kUnsupported) {
        SetUnitError(call, row, units, from.type);
      } else {
        put(row, field);
      }
    });
  };
  switch (from.type.id) {
    case kDate: {
      const Values<int32_t> values(from);
      each([&](int64_t row, DateUnit unit) { return OfDate(values[row], unit); });
      break;
    }
    case kTime: {
      const Values<int64_t> values(from);
      each([&](int64_t row, DateUnit unit) { return OfTimeOfDay(values[row], unit); });
      break;
    }
    case kInterval: {
      const Values<Interval> values(from);
      each([&](int64_t row, DateUnit unit) { return OfInterval(values[row], unit); });
      break;
    }
    default: {
      const Values<Micros> values(from);
      each([&](int64_t row, DateUnit unit) {
        const Micros at = values[row];
        const Micros local = IsInfiniteTimestamp(at) ? at : zone->ToLocal(at);
        return OfTimestamp(local, at, zoned, unit);
      });
    }
  }
  return Status::OK();
}

Numeric NumericOf(const Field& field) {
  if (field.kind == Field::Kind::kInfinity) return Numeric::Infinity(false);
  if (field.kind == Field::Kind::kNegativeInfinity) return Numeric::Infinity(true);
  return Numeric::FromInt128(field.value, field.scale);
}

double DoubleOf(const Field& field) {
  if (field.kind == Field::Kind::kInfinity) return HUGE_VAL;
  if (field.kind == Field::Kind::kNegativeInfinity) return -HUGE_VAL;
  const auto value = static_cast<double>(field.value);
  return field.scale == 6 ? value / 1e6 : field.scale == 3 ? value / 1e3 : value;
}

Result<ArrayPtr> Extract(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  std::vector<std::string> texts(static_cast<size_t>(call.rows));  // small enough to stay inside
  LEAT_RETURN(EachField(call, args, nulls, [&](int64_t row, const Field& field) {
    if (field.kind == Field::Kind::kNull) return;
    NumericOf(field).Encode(&texts[static_cast<size_t>(row)]);
  }));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    const std::string& text = texts[static_cast<size_t>(row)];
    writer.bytes() += text;
    writer.End();
    if (!text.empty()) arrow::bit_util::SetBit(valid->mutable_data(), row);
  }
  return writer.Finish(kNumeric, {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> DatePartOf(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto values, AllocateValues(call.rows, sizeof(double)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  auto* out = values->mutable_data_as<double>();
  std::fill(out, out + call.rows, 0.0);
  LEAT_RETURN(EachField(call, args, nulls, [&](int64_t row, const Field& field) {
    if (field.kind == Field::Kind::kNull) return;
    out[row] = DoubleOf(field);
    arrow::bit_util::SetBit(valid->mutable_data(), row);
  }));
  return FixedColumn(kFloat8, call.rows, std::move(values),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

}  // namespace

void AddDateExtractFunctions(std::vector<Function>* out) {
  struct Sample {
    TypeId type;
    const char* unit;
    const char* value;
    const char* extracted;
    const char* part;
  };
  for (const Sample& sample :
       {Sample{kTimestamp, "epoch", "timestamp '2024-02-29 12:00:00.5'", "1709208000.500000",
               "1709208000.5"},
        Sample{kTimestamptz, "hour", "timestamptz '2024-02-29 12:00+02'", "10", "10"},
        Sample{kDate, "isodow", "date '2024-02-29'", "4", "4"},
        Sample{kTime, "seconds", "time '10:11:12.25'", "12.250000", "12.25"},
        Sample{kInterval, "month", "interval '2 years 3 months'", "3", "3"}}) {
    const std::string extract = fmt::format("extract({} FROM {})", sample.unit, sample.value);
    const std::string part = fmt::format("date_part('{}', {})", sample.unit, sample.value);
    out->push_back(Spec("extract", {kText, sample.type}, kNumeric, Extract,
                        {"A field of a time", extract.c_str(), sample.extracted}));
    out->push_back(Spec("date_part", {kText, sample.type}, kFloat8, DatePartOf,
                        {"A field of a time", part.c_str(), sample.part}));
  }
}

}  // namespace leat
