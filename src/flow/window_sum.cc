// count, sum and avg over frames. Floats give PostgreSQL's bits: it has no inverse transition for
// them, so it adds a frame's values again, in order, whenever its head moves; sum begins with the
// first value, avg with 0.0. Exact types are sums of differences.
//
// float8_accum also carries the squares (for stddev) and fails when these overflow, beyond 1e154;
// here only the sum counts.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>

#include <cmath>
#include <cstring>
#include <map>

#include "flow/window_calls.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Counted = std::vector<uint8_t>;
constexpr int64_t kUnbounded = RowFrame::kUnbounded;

bool Counts(const Counted& counted, int64_t row) {
  return counted.empty() || counted[static_cast<size_t>(row)] != 0;
}

// ---- count ------------------------------------------------------------------------------------

// How many rows count in each frame; with the states' counts where frames begin with the partition.
std::vector<int64_t> CountFrames(size_t number, bool running, const Counted& counted,
                                 const Sheet& sheet, const Frames& frames) {
  std::vector<int64_t> before(static_cast<size_t>(sheet.rows) + 1);  // rows that count before each
  for (size_t i = 0; i + 1 < before.size(); ++i) {
    before[i + 1] = before[i] + (counted.empty() ? 1 : counted[i]);
  }
  const auto between = [&](int64_t begin, int64_t end) {
    return before[static_cast<size_t>(end)] - before[static_cast<size_t>(begin)];
  };
  std::vector<int64_t> counts(frames.begin.size());
  size_t out = 0;
  for (const Stretch& stretch : sheet.stretches) {
    CallState* state = running && stretch.states ? &(*stretch.states)[number] : nullptr;
    const int64_t base = state ? state->rows : 0;
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++out) {
      counts[out] = base + between(frames.begin[out], frames.end[out]);
    }
    if (state && stretch.save >= 0) state->rows = base + between(stretch.first, stretch.save);
  }
  return counts;
}

// ---- floats over sliding frames -----------------------------------------------------------------

// out[i] = zero + v[i] + v[i + 1] + … + v[i + length - 1], in this order: the column added to
// itself, shifted, `length` times, a register full of rows at a time.
template <typename T>
void ShiftedSums(const T* v, int64_t rows, int64_t length, T zero, T* out) {
  typedef T Lanes __attribute__((vector_size(32)));
  constexpr int64_t kLanes = 32 / sizeof(T);
  constexpr int kRegisters = 8;
  int64_t i = 0;
  for (; i + kRegisters * kLanes <= rows; i += kRegisters * kLanes) {
    Lanes sums[kRegisters];
#pragma GCC unroll 8
    for (int r = 0; r < kRegisters; ++r) sums[r] = Lanes{} + zero;
    for (int64_t k = 0; k < length; ++k) {
      const T* at = v + i + k;
#pragma GCC unroll 8
      for (int r = 0; r < kRegisters; ++r) {
        Lanes next;
        __builtin_memcpy(&next, at + r * kLanes, sizeof(next));
        sums[r] += next;
      }
    }
    __builtin_memcpy(out + i, sums, sizeof(sums));
  }
  for (; i < rows; ++i) {
    T sum = zero;
    for (int64_t k = 0; k < length; ++k) sum += v[i + k];
    out[i] = sum;
  }
}

// Whether adding these values in order goes from finite to infinite, which PostgreSQL refuses.
template <typename T>
bool Overflows(const T* values, const Counted& counted, int64_t begin, int64_t end) {
  T sum = -0.0;
  for (int64_t i = begin; i < end; ++i) {
    if (!Counts(counted, i)) continue;
    const T next = sum + values[i];
    if (std::isinf(next) && !std::isinf(sum) && !std::isinf(values[i])) return true;
    sum = next;
  }
  return false;
}

void FailOverflow(int64_t row, ErrorMask* errors) {
  errors->Set(row, kOutOfRange, "value out of range: overflow");
}

// The sums of frames [i - preceding, i + following] for the computed rows.
template <typename T>
void SlidingFloatSums(const T* values, const Counted& counted, const BoundFrame& frame, T zero,
                      const Sheet& sheet, T* out) {
  std::vector<T> padded;
  for (const Stretch& stretch : sheet.stretches) {
    const int64_t rows = stretch.last - stretch.first;
    // A frame longer than the stretch adds nothing more.
    const int64_t preceding = std::min(frame.preceding, stretch.last - stretch.begin);
    const int64_t following = std::min(frame.following, stretch.end - stretch.first);
    const int64_t length = std::max<int64_t>(preceding + following + 1, 0);
    // -0.0 is what adds nothing, to -0.0 too.
    padded.assign(static_cast<size_t>(rows + length), T{-0.0});
    const int64_t head = stretch.first - preceding;  // the row at padded[0]
    const int64_t begin = std::max(stretch.begin, head);
    const int64_t end = std::min(stretch.end, head + rows + length);
    for (int64_t i = begin; i < end; ++i) {
      if (Counts(counted, i)) padded[static_cast<size_t>(i - head)] = values[i];
    }
    ShiftedSums(padded.data(), rows, length, zero, out);
    out += rows;
  }
}

template <typename T>
void CheckSlidingSums(const T* values, const Counted& counted, const Frames& frames, const T* sums,
                      ErrorMask* errors) {
  for (size_t i = 0; i < frames.begin.size(); ++i) {
    if (std::isfinite(sums[i])) continue;
    if (Overflows(values, counted, frames.begin[i], frames.end[i])) {
      FailOverflow(static_cast<int64_t>(i), errors);
    }
  }
}

// Frames that begin with the partition: one sum that goes on.
template <typename T>
void RunningFloatSums(const T* values, size_t number, const Counted& counted, T zero,
                      const Sheet& sheet, const Frames& frames, T* out, ErrorMask* errors) {
  size_t row = 0;
  for (const Stretch& stretch : sheet.stretches) {
    CallState fresh{.real = zero};
    CallState* state = stretch.states ? &(*stretch.states)[number] : &fresh;
    if (!state->set) state->real = zero;
    T sum = static_cast<T>(state->real);
    bool overflow = state->overflow;
    const auto save = [&] {
      state->real = sum;
      state->set = true;
      state->overflow = overflow;
    };
    int64_t next = stretch.first;
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++row) {
      if (i == stretch.save) save();
      for (; next < frames.end[row]; ++next) {
        if (!Counts(counted, next)) continue;
        const T sum_next = sum + values[next];
        overflow |= std::isinf(sum_next) && !std::isinf(sum) && !std::isinf(values[next]);
        sum = sum_next;
      }
      out[row] = sum;
      if (overflow) FailOverflow(static_cast<int64_t>(row), errors);
    }
    if (stretch.save == stretch.last) save();
  }
}

// An array of `values`, null where nothing was counted; sums become means where `mean`. All NaNs
// are made the same, since which of two NaNs a sum keeps is the compiler's choice.
template <typename Builder, typename T>
CallResult BuildFloats(const std::vector<T>& values, const std::vector<int64_t>& counts,
                       bool mean) {
  const auto rows = static_cast<int64_t>(values.size());
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> buffer,
              arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(T))));
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  int64_t nulls = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const T value = mean ? values[i] / static_cast<T>(counts[i]) : values[i];
    out[i] = value != value ? std::numeric_limits<T>::quiet_NaN() : value;
    nulls += counts[i] == 0;
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (nulls > 0) {
    arrow::TypedBufferBuilder<bool> bits;
    LEAT_RETURN(bits.Reserve(rows));
    for (const int64_t count : counts) bits.UnsafeAppend(count > 0);
    LEAT_ASSIGN(validity, bits.Finish());
  }
  return arrow::MakeArray(arrow::ArrayData::Make(arrow::TypeTraits<Builder>::type_singleton(), rows,
                                                 {validity, buffer}, nulls));
}

// sum(float4) adds floats, avg(float4) doubles.
template <typename ArrowFloat, typename T>
CallResult FloatSums(const BoundCall& call, size_t number, const BoundFrame& frame,
                     const Sheet& sheet, const ArrayPtr& column, ErrorMask* errors) {
  const T* values = column->data()->GetValues<T>(1);
  const Counted counted = CountedRows(call, sheet);
  LEAT_ASSIGN(const Frames frames, FramesOf(frame, sheet));
  const bool running = frame.preceding == kUnbounded;
  const bool mean = call.function == WindowFunction::kAvg;
  const T zero = mean ? T{0.0} : T{-0.0};
  const bool fixed = !running && !frame.by_peers() && frame.following != kUnbounded;
  std::vector<T> sums(frames.begin.size());
  if (running) {
    RunningFloatSums(values, number, counted, zero, sheet, frames, sums.data(), errors);
  } else if (fixed) {
    SlidingFloatSums(values, counted, frame, zero, sheet, sums.data());
    CheckSlidingSums(values, counted, frames, sums.data(), errors);
  } else {
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] = zero;
      for (int64_t k = frames.begin[i]; k < frames.end[i]; ++k) {
        if (Counts(counted, k)) sums[i] += values[k];
      }
    }
    CheckSlidingSums(values, counted, frames, sums.data(), errors);
  }
  const std::vector<int64_t> counts = CountFrames(number, running, counted, sheet, frames);
  return BuildFloats<ArrowFloat>(sums, counts, mean);
}

// ---- exact sums ---------------------------------------------------------------------------------

// Gives out[i] for each computed row from sums of words, all of one scale.
class WordSums {
 public:
  WordSums(const ArrayPtr& column, const Counted& counted, int32_t scale)
      : scale_(scale), before_(static_cast<size_t>(column->length()) + 1) {
    if (column->type_id() == arrow::Type::INT16) {
      Add(column->data()->GetValues<int16_t>(1), counted);
    } else if (column->type_id() == arrow::Type::INT32) {
      Add(column->data()->GetValues<int32_t>(1), counted);
    } else if (column->type_id() == arrow::Type::INT64) {
      Add(column->data()->GetValues<int64_t>(1), counted);
    } else {
      Add(column->data()->GetValues<__int128>(1), counted);
    }
  }
  __int128 Between(int64_t begin, int64_t end) const {
    return before_[static_cast<size_t>(end)] - before_[static_cast<size_t>(begin)];
  }
  Numeric Exact(__int128 words) const { return Numeric::FromInt128(words, scale_); }

 private:
  template <typename T>
  void Add(const T* values, const Counted& counted) {
    for (size_t i = 0; i + 1 < before_.size(); ++i) {
      T value{};  // memcpy: decimals lie at any multiple of eight
      if (counted.empty() || counted[i] != 0) std::memcpy(&value, values + i, sizeof(T));
      before_[i + 1] = before_[i] + value;
    }
  }

  const int32_t scale_;
  std::vector<__int128> before_;
};

// Sums of numerics of any scale over frames that move forward: values come and go; specials are
// counted, and so are scales, since a sum prints with the greatest among its values.
class NumericSum {
 public:
  void Add(const Numeric& value) { Change(value, 1); }
  void Remove(const Numeric& value) { Change(value, -1); }
  Numeric Value() const {
    if (nans_ > 0 || (infinities_ > 0 && negatives_ > 0)) return Numeric::NaN();
    if (infinities_ > 0 || negatives_ > 0) return Numeric::Infinity(negatives_ > 0);
    return sum_.Round(scales_.empty() ? 0 : scales_.rbegin()->first);
  }

 private:
  void Change(const Numeric& value, int64_t by) {
    switch (value.kind()) {
      case Numeric::Kind::kNaN:
        nans_ += by;
        return;
      case Numeric::Kind::kInfinity:
        infinities_ += by;
        return;
      case Numeric::Kind::kNegativeInfinity:
        negatives_ += by;
        return;
      case Numeric::Kind::kFinite:
        break;
    }
    sum_ = by > 0 ? sum_ + value : sum_ - value;
    if ((scales_[value.scale()] += by) == 0) scales_.erase(value.scale());
  }

  Numeric sum_;
  std::map<int32_t, int64_t> scales_;
  int64_t nans_ = 0, infinities_ = 0, negatives_ = 0;
};

bool FitsWords(const Type& type) {
  // 10^28 times more rows than there can be stays below 2^127.
  return type.is_integer() ||
         (type.id == TypeId::kNumeric && type.precision >= 0 && type.precision <= 28);
}

std::vector<Numeric> WordFrames(const BoundCall& call, size_t number, bool running,
                                const Counted& counted, const Sheet& sheet, const Frames& frames) {
  const WordSums words(sheet.columns[static_cast<size_t>(call.value)], counted, call.type.scale);
  std::vector<Numeric> sums(frames.begin.size());
  size_t row = 0;
  for (const Stretch& stretch : sheet.stretches) {
    CallState* state = running && stretch.states ? &(*stretch.states)[number] : nullptr;
    const bool carries = state && !state->exact.is_zero();
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++row) {
      sums[row] = words.Exact(words.Between(frames.begin[row], frames.end[row]));
      if (carries) sums[row] = sums[row] + state->exact;
    }
    if (state && stretch.save >= 0) {
      state->exact = state->exact + words.Exact(words.Between(stretch.first, stretch.save));
    }
  }
  return sums;
}

std::vector<Numeric> NumericFrames(const BoundCall& call, size_t number, bool running,
                                   const Counted& counted, const Sheet& sheet,
                                   const Frames& frames) {
  const arrow::Array& column = *sheet.columns[static_cast<size_t>(call.value)];
  std::vector<Numeric> sums(frames.begin.size());
  size_t row = 0;
  for (const Stretch& stretch : sheet.stretches) {
    CallState* state = running && stretch.states ? &(*stretch.states)[number] : nullptr;
    NumericSum sum;
    if (state && state->rows > 0) sum.Add(state->exact);
    Numeric saved;
    int64_t gone = stretch.begin, next = stretch.begin;
    if (running) gone = next = stretch.first;
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++row) {
      if (i == stretch.save) saved = sum.Value();
      for (; next < frames.end[row]; ++next) {
        if (Counts(counted, next)) sum.Add(NumericAt(column, next));
      }
      for (; gone < std::min(frames.begin[row], next); ++gone) {
        if (Counts(counted, gone)) sum.Remove(NumericAt(column, gone));
      }
      sums[row] = sum.Value();
    }
    if (stretch.save == stretch.last) saved = sum.Value();
    if (state && stretch.save >= 0) state->exact = saved;
  }
  return sums;
}

Result<ArrayPtr> BuildIntegers(const std::vector<Numeric>& sums, const std::vector<int64_t>& counts,
                               ErrorMask* errors) {
  arrow::Int64Builder out;
  LEAT_RETURN(out.Reserve(static_cast<int64_t>(sums.size())));
  for (size_t i = 0; i < sums.size(); ++i) {
    const Result<int64_t> sum = counts[i] == 0 ? 0 : sums[i].ToInt64();
    if (!sum.ok()) errors->Set(static_cast<int64_t>(i), kOutOfRange, "bigint out of range");
    if (counts[i] > 0 && sum.ok()) {
      out.UnsafeAppend(*sum);
    } else {
      out.UnsafeAppendNull();
    }
  }
  return out.Finish();
}

CallResult ExactSums(const BoundCall& call, size_t number, const BoundFrame& frame,
                     const Sheet& sheet, ErrorMask* errors) {
  const Counted counted = CountedRows(call, sheet);
  LEAT_ASSIGN(const Frames frames, FramesOf(frame, sheet));
  const bool running = frame.preceding == kUnbounded;
  // NumericFrames reads the states' counts: the counts change after it.
  const auto sums = FitsWords(call.type)
                        ? WordFrames(call, number, running, counted, sheet, frames)
                        : NumericFrames(call, number, running, counted, sheet, frames);
  const std::vector<int64_t> counts = CountFrames(number, running, counted, sheet, frames);
  if (call.result.id == TypeId::kInt8) return BuildIntegers(sums, counts, errors);
  NumericBuilder out(call.result);
  for (size_t i = 0; i < sums.size(); ++i) {
    if (counts[i] == 0) {
      out.AppendNull();
    } else if (call.function == WindowFunction::kSum) {
      out.Append(sums[i]);
    } else {
      LEAT_ASSIGN(const Numeric mean, sums[i].Divide(Numeric(counts[i])));
      out.Append(mean);
    }
  }
  return out.Finish();
}

CallResult Counts(const BoundCall& call, size_t number, const BoundFrame& frame,
                  const Sheet& sheet) {
  const bool running = frame.preceding == kUnbounded;
  LEAT_ASSIGN(const Frames frames, FramesOf(frame, sheet));
  const std::vector<int64_t> counts =
      CountFrames(number, running, CountedRows(call, sheet), sheet, frames);
  arrow::Int64Builder out;
  LEAT_RETURN(out.AppendValues(counts));
  return out.Finish();
}

}  // namespace

CallResult ComputeSum(const BoundCall& call, size_t number, const BoundFrame& frame,
                      const Sheet& sheet, ErrorMask* errors) {
  if (call.function == WindowFunction::kCount) return Counts(call, number, frame, sheet);
  if (!call.type.is_float()) return ExactSums(call, number, frame, sheet, errors);
  ArrayPtr column = sheet.columns[static_cast<size_t>(call.value)];
  if (call.type.id == TypeId::kFloat4 && call.function == WindowFunction::kSum) {
    return FloatSums<arrow::FloatType, float>(call, number, frame, sheet, column, errors);
  }
  if (call.type.id == TypeId::kFloat4) {
    LEAT_ASSIGN(arrow::Datum wide, arrow::compute::Cast(column, arrow::float64()));
    column = wide.make_array();
  }
  return FloatSums<arrow::DoubleType, double>(call, number, frame, sheet, column, errors);
}

}  // namespace leat
