// sum and avg of numerics and of intervals.
#include <arrow/util/decimal.h>

#include <algorithm>

#include "data/numeric.h"
#include "func/aggregate_state.h"
#include "func/interval.h"

namespace leat {
namespace {

using enum TypeId;

// The sum of the finite values, exact; how many there are of each display scale, since the answer
// shows the greatest of those still there; and the special values, counted.
struct NumericState {
  __int128 small = 0;  // at `small_scale`; added to `big`
  int32_t small_scale = 0;
  std::unique_ptr<Numeric> big;  // what left 128 bits, or absent
  int64_t count = 0;             // of finite values
  int64_t nans = 0;
  int64_t infinities = 0;
  int64_t negative_infinities = 0;
  std::vector<std::pair<int32_t, int64_t>> scales;  // sorted; counts are not 0

  bool empty() const {
    return count == 0 && nans == 0 && infinities == 0 && negative_infinities == 0;
  }

  void CountScale(int32_t scale, int64_t weight) {
    auto at = std::lower_bound(scales.begin(), scales.end(), std::pair(scale, INT64_MIN));
    if (at == scales.end() || at->first != scale) at = scales.insert(at, {scale, 0});
    at->second += weight;
    if (at->second == 0) scales.erase(at);
  }

  void MoveToBig() {
    Numeric sum = Numeric::FromInt128(small, small_scale);
    big = std::make_unique<Numeric>(big ? *big + sum : std::move(sum));
    small = 0;
  }

  // value * 10^-scale, weight times.
  void AddUnscaled(__int128 value, int32_t scale, int64_t weight) {
    __int128 product;
    __int128 sum;
    if (scale != small_scale && small == 0) small_scale = scale;
    if (scale != small_scale || __builtin_mul_overflow(value, weight, &product) ||
        __builtin_add_overflow(small, product, &sum)) {
      AddBig(Numeric::FromInt128(value, scale), weight);
      return;
    }
    small = sum;
  }

  void AddBig(const Numeric& value, int64_t weight) {
    MoveToBig();
    *big = *big + (weight == 1 ? value : value * Numeric(weight));
  }

  // The sum at the scale that PostgreSQL would show.
  Numeric Sum() const {
    if (nans > 0 || (infinities > 0 && negative_infinities > 0)) return Numeric::NaN();
    if (infinities > 0) return Numeric::Infinity(false);
    if (negative_infinities > 0) return Numeric::Infinity(true);
    Numeric sum = Numeric::FromInt128(small, small_scale);
    if (big) sum = sum + *big;
    return sum.Round(scales.empty() ? 0 : scales.back().first);
  }

  void Save(std::string* out) const {
    SaveWord(count, out);
    SaveWord(nans, out);
    SaveWord(infinities, out);
    SaveWord(negative_infinities, out);
    SaveWord(static_cast<int64_t>(scales.size()), out);
    for (const auto& [scale, values] : scales) {
      SaveWord(scale, out);
      SaveWord(values, out);
    }
    Numeric sum = Numeric::FromInt128(small, small_scale);
    if (big) sum = sum + *big;
    sum.Round(scales.empty() ? 0 : scales.back().first).Encode(out);
  }

  Status Load(std::string_view* bytes) {
    int64_t scale_count = 0;
    LEAT_RETURN(LoadWord(bytes, &count));
    LEAT_RETURN(LoadWord(bytes, &nans));
    LEAT_RETURN(LoadWord(bytes, &infinities));
    LEAT_RETURN(LoadWord(bytes, &negative_infinities));
    LEAT_RETURN(LoadWord(bytes, &scale_count));
    for (int64_t i = 0; i < scale_count; ++i) {
      std::pair<int32_t, int64_t> scale;
      LEAT_RETURN(LoadWord(bytes, &scale.first));
      LEAT_RETURN(LoadWord(bytes, &scale.second));
      scales.push_back(scale);
    }
    if (bytes->empty()) return Status::Invalid("an aggregate's state is cut off");
    big = std::make_unique<Numeric>(Numeric::Decode(*bytes));
    *bytes = {};
    return Status::OK();
  }
};

class NumericSum final : public StateColumn<NumericState> {
 public:
  explicit NumericSum(bool average) : average_(average) {}

  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const UpdateRows in{groups, weights, mask, rows};
    if (args[0].array->type_id() == arrow::Type::DECIMAL128) {
      UpdateDecimals(args[0], in, nulls);
    } else {
      UpdateNumerics(args[0], in, nulls);
    }
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    NumericBuilder builder{Type(kNumeric)};
    for (const uint32_t group : groups) {
      const NumericState& state = states_[group];
      if (state.empty()) {
        builder.AppendNull();
        continue;
      }
      Numeric answer = state.Sum();
      if (average_ && answer.kind() == Numeric::Kind::kFinite) {
        LEAT_ASSIGN(answer, answer.Divide(Numeric(state.count)));
      }
      builder.Append(answer);
    }
    return builder.Finish();
  }

 private:
  void UpdateDecimals(const Argument& arg, const UpdateRows& in, const Nulls& nulls) {
    const auto& decimals = static_cast<const arrow::Decimal128Array&>(*arg.array);
    const int32_t scale = arg.type.scale;
    ForEachUpdate(in, nulls, [&](int64_t row, uint32_t group, int64_t weight) {
      __int128 value;
      std::memcpy(&value, decimals.GetValue(arg.at(row)), sizeof(value));
      NumericState& state = states_[group];
      state.AddUnscaled(value, scale, weight);
      state.count += weight;
      state.CountScale(scale, weight);
    });
  }

  void UpdateNumerics(const Argument& arg, const UpdateRows& in, const Nulls& nulls) {
    ForEachUpdate(in, nulls, [&](int64_t row, uint32_t group, int64_t weight) {
      const Numeric value = NumericAt(*arg.array, arg.at(row));
      NumericState& state = states_[group];
      switch (value.kind()) {
        case Numeric::Kind::kNaN:
          state.nans += weight;
          return;
        case Numeric::Kind::kInfinity:
          state.infinities += weight;
          return;
        case Numeric::Kind::kNegativeInfinity:
          state.negative_infinities += weight;
          return;
        case Numeric::Kind::kFinite:
          break;
      }
      __int128 unscaled;
      if (value.ToInt128(value.scale(), &unscaled)) {
        state.AddUnscaled(unscaled, value.scale(), weight);
      } else {
        state.AddBig(value, weight);
      }
      state.count += weight;
      state.CountScale(value.scale(), weight);
    });
  }

  bool average_;
};

struct IntervalState {
  __int128 months = 0;
  __int128 days = 0;
  __int128 micros = 0;
  int64_t count = 0;
  void Add(const Interval& value, int64_t weight) {
    months += static_cast<__int128>(value.months) * weight;
    days += static_cast<__int128>(value.days) * weight;
    micros += static_cast<__int128>(MicrosOf(value)) * weight;
    count += weight;
  }
  void Save(std::string* out) const {
    SaveWord(months, out);
    SaveWord(days, out);
    SaveWord(micros, out);
    SaveWord(count, out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &months));
    LEAT_RETURN(LoadWord(bytes, &days));
    LEAT_RETURN(LoadWord(bytes, &micros));
    return LoadWord(bytes, &count);
  }
};

class IntervalSum final : public FoldedColumn<IntervalState, Values<Interval>> {
 public:
  explicit IntervalSum(bool average) : average_(average) {}

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask* errors) const override {
    return FinishFixed<Interval>(
        states_, groups, kInterval, [&](const IntervalState& state, int64_t at, Interval* out) {
          if (state.count == 0) return false;
          bool ok = MakeInterval(state.months, state.days, state.micros, out);
          if (ok && average_) ok = DivideInterval(*out, static_cast<double>(state.count), out);
          if (!ok) errors->Set(at, "22008", "interval out of range");
          return ok;
        });
  }

 private:
  bool average_;
};

}  // namespace

std::unique_ptr<Accumulators> MakeNumericSum(bool average) {
  return std::make_unique<NumericSum>(average);
}
std::unique_ptr<Accumulators> MakeIntervalSum(bool average) {
  return std::make_unique<IntervalSum>(average);
}

}  // namespace leat
