// Casts among dates, times, timestamps and intervals.
#include "func/calendar.h"
#include "func/cast_family.h"

namespace leat {
namespace {

using enum TypeId;

int64_t TimestampOf(const Call& call, int64_t row, int32_t date) {
  if (date == kDateInfinity) return kTimestampInfinity;
  if (date == kDateMinusInfinity) return kTimestampMinusInfinity;
  const __int128 micros = static_cast<__int128>(date) * kMicrosPerDay;
  if (TimestampInRange(micros)) return static_cast<int64_t>(micros);
  call.errors->Set(row, "22008", "date out of range for timestamp");
  return 0;
}

int32_t DateOf(int64_t timestamp) {
  if (timestamp == kTimestampInfinity) return kDateInfinity;
  if (timestamp == kTimestampMinusInfinity) return kDateMinusInfinity;
  return static_cast<int32_t>(FloorDivide(timestamp, kMicrosPerDay));
}

int64_t ToUtc(const Call& call, int64_t row, int64_t local) {
  if (!IsFinite(local)) return local;
  const auto offset = ZoneOffsetAtLocal(call.context->timezone, local);
  if (offset.ok()) return local - *offset;
  SetError(call, row, offset.status());
  return 0;
}

int64_t ToLocal(const Call& call, int64_t row, int64_t utc) {
  if (!IsFinite(utc)) return utc;
  const auto offset = ZoneOffsetAt(call.context->timezone, utc);
  if (offset.ok()) return utc + *offset;
  SetError(call, row, offset.status());
  return 0;
}

Result<ArrayPtr> FromDate(const Call& call, const Argument& arg, const Type& to) {
  const Values<int32_t> dates(arg);
  const bool zoned = to.id == kTimestamptz;
  return MapRows<int64_t>(call, {&arg, 1}, [&](int64_t row) {
    const int64_t local = TimestampOf(call, row, dates[row]);
    return zoned ? ToUtc(call, row, local) : local;
  });
}

// An infinite timestamp has no time of day: null, says PostgreSQL.
Result<ArrayPtr> TimeOfDay(const Call& call, const Argument& arg) {
  const Values<int64_t> timestamps(arg);
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(int64_t)));
  auto* out = buffer->mutable_data_as<int64_t>();
  std::fill(out, out + call.rows, 0);
  LEAT_ASSIGN(const Nulls nulls, NullsOf({&arg, 1}, call.rows));
  ForEachRow(call, nulls, [&](int64_t row) {
    if (!IsFinite(timestamps[row])) return;
    const bool zoned = arg.type.id == kTimestamptz;
    const int64_t local = zoned ? ToLocal(call, row, timestamps[row]) : timestamps[row];
    out[row] = FloorModulo(local, kMicrosPerDay);
    arrow::bit_util::SetBit(valid->mutable_data(), row);
  });
  return FixedColumn(*call.result, call.rows, std::move(buffer),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> FromTimestamp(const Call& call, const Argument& arg, const Type& to) {
  const Values<int64_t> timestamps(arg);
  const bool from_zone = arg.type.id == kTimestamptz;
  if (to.id == kTime) return TimeOfDay(call, arg);
  if (to.id == kDate) {
    return MapRows<int32_t>(call, {&arg, 1}, [&](int64_t row) {
      return DateOf(from_zone ? ToLocal(call, row, timestamps[row]) : timestamps[row]);
    });
  }
  return MapRows<int64_t>(call, {&arg, 1}, [&](int64_t row) {
    return from_zone ? ToLocal(call, row, timestamps[row]) : ToUtc(call, row, timestamps[row]);
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
      return MapRows<Interval>(call, {&arg, 1},
                               [&](int64_t row) { return Interval{.nanos = times[row] * 1000}; });
    }
    default: {
      const Values<Interval> intervals(arg);
      return MapRows<int64_t>(call, {&arg, 1}, [&](int64_t row) {
        return FloorModulo(intervals[row].micros(), kMicrosPerDay);
      });
    }
  }
}

}  // namespace leat
