// Set-returning functions: each gives an array, of which every element is a row.
#include <arrow/array/builder_primitive.h>

#include <limits>

#include "data/date.h"
#include "data/numeric.h"
#include "data/time_zone.h"
#include "func/families.h"
#include "func/interval.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr Micros kSpanMax = kTimestampEnd / 4;    // of a window
constexpr int64_t kSeriesMax = int64_t{1} << 27;  // elements of the series of a batch

// A series of each row: `next` is called with the row and a sink for values; false ends for good.
template <typename Builder, typename Fill>
Result<ArrayPtr> SeriesOf(const Call& call, Arguments args, Fill fill) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  Builder builder;
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row)) {
      null_rows.push_back(row);
    } else if (call.selection->Has(row)) {
      LEAT_RETURN(fill(row, &builder));
    }
    offsets.push_back(static_cast<int32_t>(builder.length()));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(*call.result, elements, offsets, null_rows);
}

Status TooLong() {
  return SqlStatus("generate_series gives more rows than one array holds", {.sqlstate = "54000"});
}

void SetZeroStep(const Call& call, int64_t row) {
  call.errors->Set(row, "22023", "step size cannot equal zero");
}

template <typename T, typename Builder>
Result<ArrayPtr> IntegerSeries(const Call& call, Arguments args) {
  const Values<T> from(args[0]), to(args[1]);
  const bool stepped = args.size() == 3;
  const Values<T> steps(args[stepped ? 2 : 1]);
  return SeriesOf<Builder>(call, args, [&](int64_t row, Builder* out) -> Status {
    const auto step = static_cast<__int128>(stepped ? steps[row] : T{1});
    if (step == 0) {
      SetZeroStep(call, row);
      return Status::OK();
    }
    for (__int128 at = from[row]; step > 0 ? at <= to[row] : at >= to[row]; at += step) {
      if (out->length() >= kSeriesMax) return TooLong();
      LEAT_RETURN(out->Append(static_cast<T>(at)));
    }
    return Status::OK();
  });
}

Result<ArrayPtr> NumericSeries(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  NumericBuilder builder(*call.result->element);
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  int64_t length = 0;
  const auto at = [&](size_t i, int64_t row) { return NumericAt(*args[i].array, args[i].at(row)); };
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row)) {
      null_rows.push_back(row);
    } else if (call.selection->Has(row)) {
      Numeric value = at(0, row);
      const Numeric end = at(1, row);
      const Numeric step = args.size() == 3 ? at(2, row) : Numeric(1);
      const auto finite = [](const Numeric& n) { return n.kind() == Numeric::Kind::kFinite; };
      if (!finite(value) || !finite(end) || !finite(step)) {
        call.errors->Set(row, "22023", "the bounds and step of a series must be finite");
      } else if (step.is_zero()) {
        SetZeroStep(call, row);
      } else {
        for (; step.sign() > 0 ? value <= end : value >= end; value = value + step) {
          if (++length > kSeriesMax) return TooLong();
          builder.Append(value);
        }
      }
    }
    offsets.push_back(static_cast<int32_t>(length));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(*call.result, elements, offsets, null_rows);
}

// The point an interval later; days and months by the clock on the wall of `zone`.
bool Later(const TimeZone* zone, Micros at, const Interval& step, Micros* out) {
  if (zone == nullptr) return AddInterval(at, step, out);
  Interval calendar{step.months, step.days, 0}, time{0, 0, step.nanoseconds};
  Micros local = 0;
  if (step.months == 0 && step.days == 0) return AddInterval(at, time, out);
  if (!AddInterval(zone->ToLocal(at), calendar, &local)) return false;
  return AddInterval(zone->ToUtc(local), time, out);
}

template <bool zoned>
Result<ArrayPtr> TimeSeries(const Call& call, Arguments args) {
  const Values<Micros> from(args[0]), to(args[1]);
  const Values<Interval> steps(args[2]);
  const TimeZone* zone = nullptr;
  if (zoned) {
    LEAT_ASSIGN(zone, TimeZone::FindSetting(call.context->timezone));
  }
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  std::vector<Micros> times;
  for (int64_t row = 0; row < call.rows; ++row) {
    const __int128 span = nulls.Has(row) ? 0 : SpanOf(steps[row]);
    if (nulls.Has(row)) {
      null_rows.push_back(row);
    } else if (!call.selection->Has(row)) {
      // Not asked for.
    } else if (span == 0) {
      SetZeroStep(call, row);
    } else if (IsInfiniteTimestamp(from[row]) || IsInfiniteTimestamp(to[row])) {
      call.errors->Set(row, "22023", "the bounds of a series must be finite");
    } else {
      Micros at = from[row];
      while (span > 0 ? at <= to[row] : at >= to[row]) {
        if (static_cast<int64_t>(times.size()) >= kSeriesMax) return TooLong();
        times.push_back(at);
        if (!Later(zone, at, steps[row], &at)) {
          call.errors->Set(row, "22008", "timestamp out of range");
          break;
        }
      }
    }
    offsets.push_back(static_cast<int32_t>(times.size()));
  }
  const auto count = static_cast<int64_t>(times.size());
  const ArrayPtr elements = FixedColumn(*call.result->element, count,
                                        arrow::Buffer::FromVector(std::move(times)), Nulls{});
  return ListColumn(*call.result, elements, offsets, null_rows);
}

// The beginnings of all windows of a size, one every slide from 1970-01-01 on, that a time lies in.
Result<ArrayPtr> Hop(const Call& call, Arguments args) {
  const Values<Micros> times(args[0]);
  const Values<Interval> slides(args[1]), sizes(args[2]);
  const auto width = [](const Interval& interval) -> __int128 {
    return interval.months != 0 ? 0 : SpanOf(interval);
  };
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  std::vector<Micros> begins;
  for (int64_t row = 0; row < call.rows; ++row) {
    const __int128 slide = nulls.Has(row) ? 1 : width(slides[row]);
    const __int128 size = nulls.Has(row) ? 1 : width(sizes[row]);
    if (nulls.Has(row)) {
      null_rows.push_back(row);
    } else if (slide <= 0 || size <= 0 || slide > kSpanMax || size > kSpanMax) {
      call.errors->Set(row, "22023",
                       "the slide and the size of hop must be times without months, above zero");
    } else if (call.selection->Has(row) && !IsInfiniteTimestamp(times[row])) {
      const auto step = static_cast<Micros>(slide), length = static_cast<Micros>(size);
      Micros at = (FloorDivide(times[row] - length, step) + 1) * step;
      for (; at <= times[row]; at += step) {
        if (static_cast<int64_t>(begins.size()) >= kSeriesMax) return TooLong();
        begins.push_back(at);
      }
    }
    offsets.push_back(static_cast<int32_t>(begins.size()));
  }
  const auto count = static_cast<int64_t>(begins.size());
  const ArrayPtr elements = FixedColumn(*call.result->element, count,
                                        arrow::Buffer::FromVector(std::move(begins)), Nulls{});
  return ListColumn(*call.result, elements, offsets, null_rows);
}

Result<ArrayPtr> Itself(const Call& call, Arguments args) {
  if (!args[0].constant || call.rows == 1) return args[0].array;
  return arrow::MakeArray(args[0].array->data());
}

// The numbers of the rows that several lists give side by side: 1 to the longest's length.
Result<ArrayPtr> Ordinals(const Call& call, Arguments args) {
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> numbers;
  for (int64_t row = 0; row < call.rows; ++row) {
    int64_t longest = 0;
    for (const Argument& arg : args) longest = std::max(longest, Lists(arg).size(row));
    for (int64_t i = 1; i <= longest; ++i) numbers.push_back(i);
    offsets.push_back(static_cast<int32_t>(numbers.size()));
  }
  const auto count = static_cast<int64_t>(numbers.size());
  const ArrayPtr elements =
      FixedColumn(kInt8, count, arrow::Buffer::FromVector(std::move(numbers)), Nulls{});
  return ListColumn(Type::Array(kInt8), elements, offsets, {});
}

Function Set(Function function) {
  function.set = true;
  return function;
}

void AddSeries(TypeId type, TypeId step, Kernel kernel, bool always_stepped,
               std::vector<Function>* out) {
  const Type result = Type::Array(type);
  const Documentation documentation{"The values from one to another, a step apart"};
  out->push_back(Set(Spec("generate_series", {type, type, step}, result, kernel, documentation)));
  if (always_stepped) return;
  out->push_back(Set(Spec("generate_series", {type, type}, result, kernel, documentation)));
}

}  // namespace

void AddSetFunctions(std::vector<Function>* out) {
  AddSeries(kInt4, kInt4, IntegerSeries<int32_t, arrow::Int32Builder>, false, out);
  AddSeries(kInt8, kInt8, IntegerSeries<int64_t, arrow::Int64Builder>, false, out);
  AddSeries(kNumeric, kNumeric, NumericSeries, false, out);
  AddSeries(kTimestamp, kInterval, TimeSeries<false>, true, out);
  AddSeries(kTimestamptz, kInterval, TimeSeries<true>, true, out);
  for (const TypeId type : {kTimestamp, kTimestamptz}) {
    out->push_back(
        Set(Spec("hop", {type, kInterval, kInterval}, Type::Array(type), Hop,
                 {"hop(ts, slide, size): the beginnings of the windows of that size, one "
                  "every slide from 1970-01-01 on, that a time lies in"})));
  }
  Function unnest = Set(Spec("unnest", {Type::Array(kUnknown)}, kUnknown, Itself,
                             {"A row for each element of an array"}));
  unnest.resolve = [](std::span<const Type> args) -> Result<Type> { return args[0]; };
  out->push_back(std::move(unnest));
  Function ordinals = Spec("ordinals of", {Type::Array(kUnknown)}, Type::Array(kInt8), Ordinals,
                           {"WITH ORDINALITY: the numbers of a set's rows"});
  ordinals.variadic = true;
  ordinals.strict = false;
  out->push_back(std::move(ordinals));
}

}  // namespace leat
