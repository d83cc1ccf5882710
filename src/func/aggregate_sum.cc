// count, and sum and avg of machine numbers; bool_and and bool_or.
#include <cmath>
#include <limits>
#include <type_traits>

#include "data/exact_sum.h"
#include "data/numeric.h"
#include "func/aggregate_state.h"

namespace leat {
namespace {

using enum TypeId;

struct CountState {
  int64_t count = 0;
  void Save(std::string* out) const { SaveWord(count, out); }
  Status Load(std::string_view* bytes) { return LoadWord(bytes, &count); }
};

class Count final : public StateColumn<CountState> {
 public:
  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    ForEachUpdate({groups, weights, mask, rows}, nulls,
                  [&](int64_t, uint32_t group, int64_t weight) { states_[group].count += weight; });
    return Status::OK();
  }
  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    return FinishFixed<int64_t>(states_, groups, kInt8,
                                [](const CountState& state, int64_t, int64_t* out) {
                                  *out = state.count;
                                  return true;
                                });
  }
};

// Exact whatever the order: 2^64 rows of 2^63 fit.
struct IntegerState {
  __int128 sum = 0;
  int64_t count = 0;
  void Add(int64_t value, int64_t weight) {
    sum += static_cast<__int128>(value) * weight;
    count += weight;
  }
  void Save(std::string* out) const {
    SaveWord(sum, out);
    SaveWord(count, out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &sum));
    return LoadWord(bytes, &count);
  }
};

template <typename T>
class IntegerSum final : public FoldedColumn<IntegerState, Values<T>> {
 public:
  explicit IntegerSum(bool average) : average_(average) {}

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask* errors) const override {
    if (average_ || sizeof(T) == 8) return FinishNumeric(groups);
    return FinishFixed<int64_t>(this->states_, groups, kInt8,
                                [&](const IntegerState& state, int64_t at, int64_t* out) {
                                  if (state.count == 0) return false;
                                  *out = static_cast<int64_t>(state.sum);
                                  if (*out == state.sum) return true;
                                  errors->Set(at, kOutOfRange, "bigint out of range");
                                  return false;
                                });
  }

 private:
  Result<ArrayPtr> FinishNumeric(std::span<const uint32_t> groups) const {
    NumericBuilder builder{Type(kNumeric)};
    for (const uint32_t group : groups) {
      const IntegerState& state = this->states_[group];
      if (state.count == 0) {
        builder.AppendNull();
        continue;
      }
      Numeric answer = Numeric::FromInt128(state.sum, 0);
      if (average_) {
        LEAT_ASSIGN(answer, answer.Divide(Numeric(state.count)));
      }
      builder.Append(answer);
    }
    return builder.Finish();
  }

  bool average_;
};

struct FloatState {
  ExactSum sum;
  int64_t count = 0;
  void Add(double value, int64_t weight) {
    if (weight == 1) {
      sum.Add(value);
    } else {
      sum.Add(value, weight);
    }
    count += weight;
  }
  void Save(std::string* out) const {
    SaveWord(count, out);
    sum.Save(out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &count));
    return sum.Load(bytes);
  }
};

// T is the argument's type, Out the answer's.
template <typename T, typename Out>
class FloatSum final : public FoldedColumn<FloatState, Values<T>> {
 public:
  explicit FloatSum(bool average) : average_(average) {}

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask* errors) const override {
    const Type type = std::is_same_v<Out, float> ? kFloat4 : kFloat8;
    return FinishFixed<Out>(
        this->states_, groups, type, [&](const FloatState& state, int64_t at, Out* out) {
          if (state.count == 0) return false;
          const double sum = state.sum.Value();
          const double answer = average_ ? sum / static_cast<double>(state.count) : sum;
          *out = static_cast<Out>(answer);
          if ((!std::isinf(sum) && !std::isinf(*out)) || state.sum.has_infinity()) return true;
          errors->Set(at, kOutOfRange, "value out of range: overflow");
          return false;
        });
  }

 private:
  bool average_;
};

struct BoolState {
  int64_t trues = 0;
  int64_t falses = 0;
  void Add(bool value, int64_t weight) { (value ? trues : falses) += weight; }
  void Save(std::string* out) const {
    SaveWord(trues, out);
    SaveWord(falses, out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &trues));
    return LoadWord(bytes, &falses);
  }
};

class BoolAggregate final : public FoldedColumn<BoolState, Bools> {
 public:
  explicit BoolAggregate(bool is_and) : is_and_(is_and) {}

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    const auto rows = static_cast<int64_t>(groups.size());
    LEAT_ASSIGN(auto bytes, AllocateBools(rows));
    LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(rows));
    for (int64_t i = 0; i < rows; ++i) {
      const BoolState& state = states_[groups[static_cast<size_t>(i)]];
      bytes->mutable_data()[i] = (is_and_ ? state.falses == 0 : state.trues != 0) ? 1 : 0;
      if (state.trues + state.falses != 0) arrow::bit_util::SetBit(valid->mutable_data(), i);
    }
    return BoolColumn(bytes->data(), rows,
                      {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
  }

 private:
  bool is_and_;
};

std::unique_ptr<Accumulators> SumOf(const Type& type, bool average) {
  switch (type.id) {
    case kInt2:
      return std::make_unique<IntegerSum<int16_t>>(average);
    case kInt4:
      return std::make_unique<IntegerSum<int32_t>>(average);
    case kInt8:
      return std::make_unique<IntegerSum<int64_t>>(average);
    case kFloat4:
      if (average) return std::make_unique<FloatSum<float, double>>(average);
      return std::make_unique<FloatSum<float, float>>(average);
    case kFloat8:
      return std::make_unique<FloatSum<double, double>>(average);
    case kNumeric:
      return MakeNumericSum(average);
    case kInterval:
      return MakeIntervalSum(average);
    default:
      return nullptr;
  }
}

}  // namespace

std::unique_ptr<Accumulators> MakeCount(std::span<const Type>) { return std::make_unique<Count>(); }
std::unique_ptr<Accumulators> MakeSum(std::span<const Type> args) { return SumOf(args[0], false); }
std::unique_ptr<Accumulators> MakeAverage(std::span<const Type> args) {
  return SumOf(args[0], true);
}
std::unique_ptr<Accumulators> MakeBoolAnd(std::span<const Type>) {
  return std::make_unique<BoolAggregate>(true);
}
std::unique_ptr<Accumulators> MakeBoolOr(std::span<const Type>) {
  return std::make_unique<BoolAggregate>(false);
}

}  // namespace leat
