// Casts among dates, times, timestamps and intervals.
#include "data/date.h"
#include "data/time_zone.h"
#include "func/cast_family.h"
#include "func/interval.h"

namespace leat {
namespace {

using enum TypeId;

Micros TimestampOf(const Call& call, int64_t row, int32_t date) {
  if (date == kDateInfinity) return kTimestampInfinity;
  if (date == kDateNegativeInfinity) return kTimestampNegativeInfinity;
  if (date >= kTimestampDaysMin && date < kTimestampDaysEnd) return date * kMicrosPerDay;
  call.errors->Set(row, "22008", "date out of range for timestamp");
  return 0;
}

int32_t DateOf(Micros timestamp) {
  if (timestamp == kTimestampInfinity) return kDateInfinity;
  if (timestamp == kTimestampNegativeInfinity) return kDateNegativeInfinity;
  return static_cast<int32_t>(DaysOf(timestamp));
}

Micros ToUtc(const TimeZone& zone, Micros local) {
  return IsInfiniteTimestamp(local) ? local : zone.ToUtc(local);
}

Micros ToLocal(const TimeZone& zone, Micros utc) {
  return IsInfiniteTimestamp(utc) ? utc : zone.ToLocal(utc);
}

Result<ArrayPtr> FromDate(const Call& call, const Argument& arg, const Type& to) {
  const Values<int32_t> dates(arg);
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(call.context->timezone));
  const bool zoned = to.id == kTimestamptz;
  return MapRows<int64_t>(call, {&arg, 1}, [&](int64_t row) {
    const int64_t local = TimestampOf(call, row, dates[row]);
    return zoned ? ToUtc(*zone, local) : local;
  });
}

// An infinite timestamp has no time of day: null, says PostgreSQL.
Result<ArrayPtr> TimeOfTimestamp(const Call& call, const Argument& arg) {
  const Values<int64_t> timestamps(arg);
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(int64_t)));
  auto* out = buffer->mutable_data_as<int64_t>();
  std::fill(out, out + call.rows, 0);
  LEAT_ASSIGN(const Nulls nulls, NullsOf({&arg, 1}, call.rows));
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(call.context->timezone));
  ForEachRow(call, nulls, [&](int64_t row) {
    if (IsInfiniteTimestamp(timestamps[row])) return;
    const bool zoned = arg.type.id == kTimestamptz;
    const int64_t local = zoned ? ToLocal(*zone, timestamps[row]) : timestamps[row];
    out[row] = TimeOfDay(local);
    arrow::bit_util::SetBit(valid->mutable_data(), row);
  });
  return FixedColumn(*call.result, call.rows, std::move(buffer),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> FromTimestamp(const Call& call, const Argument& arg, const Type& to) {
  const Values<int64_t> timestamps(arg);
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::Find(call.context->timezone));
  const bool from_zone = arg.type.id == kTimestamptz;
  if (to.id == kTime) return TimeOfTimestamp(call, arg);
  if (to.id == kDate) {
    return MapRows<int32_t>(call, {&arg, 1}, [&](int64_t row) {
      return DateOf(from_zone ? ToLocal(*zone, timestamps[row]) : timestamps[row]);
    });
  }
  return MapRows<int64_t>(call, {&arg, 1}, [&](int64_t row) {
    return from_zone ? ToLocal(*zone, timestamps[row]) : ToUtc(*zone, timestamps[row]);
  });
}

}  // namespace

Result<ArrayPtr> CastTime(const Call& call, const Argument& arg, const Type& to) {
  switch (arg.type.id) {
    case kDate:
      return FromDate(call, arg, to);
    case kTimestamp:
    case kTimestamptz:
      return FromTimestamp(call, arg, to);
    case kTime: {
      const Values<int64_t> times(arg);
      return MapRows<Interval>(call, {&arg, 1}, [&](int64_t row) {
        return Interval{0, 0, times[row] * 1000};
      });
    }
    default: {
      const Values<Interval> intervals(arg);
      return MapRows<int64_t>(call, {&arg, 1},
                              [&](int64_t row) { return TimeOfDay(MicrosOf(intervals[row])); });
    }
  }
}

}  // namespace leat
