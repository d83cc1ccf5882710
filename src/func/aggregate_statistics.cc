// Variances, deviations, correlation and regression. Moments are kept exactly and rounded at the
// end, so that rows can be taken back and any cut of the input gives the same bits.
#include <gmp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "data/exact_sum.h"
#include "data/numeric.h"
#include "func/aggregate_state.h"

namespace leat {
namespace {

using enum TypeId;

class Integer {
 public:
  Integer() { mpz_init(value_); }
  Integer(const Integer&) = delete;
  Integer& operator=(const Integer&) = delete;
  ~Integer() { mpz_clear(value_); }
  operator mpz_ptr() { return value_; }  // NOLINT: it is one

 private:
  mpz_t value_;
};

// ---- exact numbers ------------------------------------------------------------------------------

// Moments of integers and numerics.
struct NumericMoments {
  int64_t count = 0;     // of finite values
  int64_t specials = 0;  // NaN and infinities: the answer is NaN while there are any
  Numeric sum, squares;
  std::map<int32_t, int64_t> scales;  // how many finite values show so many digits

  int32_t scale() const { return scales.empty() ? 0 : scales.rbegin()->first; }

  void Add(const Numeric& value, int64_t weight) {
    if (value.kind() != Numeric::Kind::kFinite) {
      specials += weight;
      return;
    }
    count += weight;
    const Numeric times(weight);
    sum = sum + value * times;
    squares = squares + value * value * times;
    if ((scales[value.scale()] += weight) == 0) scales.erase(value.scale());
  }

  void Save(std::string* out) const {
    SaveWord(count, out);
    SaveWord(specials, out);
    SaveWord(static_cast<int64_t>(scales.size()), out);
    for (const auto& [digits, values] : scales) {
      SaveWord(digits, out);
      SaveWord(values, out);
    }
    std::string bytes;
    sum.Round(scale()).Encode(&bytes);
    SaveWord(static_cast<int64_t>(bytes.size()), out);
    *out += bytes;
    squares.Round(2 * scale()).Encode(out);
  }

  Status Load(std::string_view* bytes) {
    int64_t entries = 0, size = 0;
    LEAT_RETURN(LoadWord(bytes, &count));
    LEAT_RETURN(LoadWord(bytes, &specials));
    LEAT_RETURN(LoadWord(bytes, &entries));
    for (int64_t i = 0; i < entries; ++i) {
      int32_t digits = 0;
      LEAT_RETURN(LoadWord(bytes, &digits));
      LEAT_RETURN(LoadWord(bytes, &scales[digits]));
    }
    LEAT_RETURN(LoadWord(bytes, &size));
    if (size <= 0 || static_cast<size_t>(size) >= bytes->size()) {
      return Status::Invalid("an aggregate's state is cut off");
    }
    sum = Numeric::Decode(bytes->substr(0, static_cast<size_t>(size)));
    squares = Numeric::Decode(bytes->substr(static_cast<size_t>(size)));
    *bytes = {};
    return Status::OK();
  }
};

// The square root at the value's own scale, rounded half up: sqrt_var of PostgreSQL's numeric.c.
Numeric RootAtScale(const Numeric& value) {
  Integer scaled, root, rest, power;
  value.GetUnscaled(scaled);
  mpz_ui_pow_ui(power, 10, static_cast<unsigned>(value.scale()));
  mpz_mul(scaled, scaled, power);
  mpz_sqrtrem(root, rest, scaled);
  if (mpz_cmp(rest, root) > 0) mpz_add_ui(root, root, 1);
  return Numeric::FromUnscaled(root, value.scale());
}

struct Spread {
  bool sample = false;  // divided by count - 1
  bool root = false;    // the deviation
};

// numeric_stddev_internal of PostgreSQL's numeric.c. REQUIRES: values enough.
Result<Numeric> SpreadOf(const NumericMoments& moments, const Spread& spread) {
  if (moments.specials != 0) return Numeric::NaN();
  const Numeric count(moments.count);
  const Numeric sum = moments.sum.Round(moments.scale());
  const Numeric squares = moments.squares.Round(2 * moments.scale());
  const Numeric numerator = count * squares - sum * sum;
  if (numerator.sign() <= 0) return Numeric(0);
  const Numeric divisor = count * Numeric(moments.count - (spread.sample ? 1 : 0));
  LEAT_ASSIGN(Numeric variance, numerator.Divide(divisor));
  return spread.root ? RootAtScale(variance) : variance;
}

template <Spread spread>
class NumericSpread final : public StateColumn<NumericMoments> {
 public:
  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const UpdateRows in{groups, weights, mask, rows};
    switch (args[0].type.id) {
      case kInt2:
        AddIntegers<int16_t>(args[0], in, nulls);
        break;
      case kInt4:
        AddIntegers<int32_t>(args[0], in, nulls);
        break;
      case kInt8:
        AddIntegers<int64_t>(args[0], in, nulls);
        break;
      default:
        ForEachUpdate(in, nulls, [&](int64_t row, uint32_t group, int64_t weight) {
          states_[group].Add(NumericAt(*args[0].array, args[0].at(row)), weight);
        });
    }
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    NumericBuilder builder{Type(kNumeric)};
    for (const uint32_t group : groups) {
      const NumericMoments& moments = states_[group];
      if (moments.count + moments.specials < (spread.sample ? 2 : 1)) {
        builder.AppendNull();
        continue;
      }
      LEAT_ASSIGN(const Numeric answer, SpreadOf(moments, spread));
      builder.Append(answer);
    }
    return builder.Finish();
  }

 private:
  template <typename T>
  void AddIntegers(const Argument& arg, const UpdateRows& in, const Nulls& nulls) {
    const Values<T> values(arg);
    ForEachUpdate(in, nulls, [&](int64_t row, uint32_t group, int64_t weight) {
      states_[group].Add(Numeric(values[row]), weight);
    });
  }
};

// ---- floats -------------------------------------------------------------------------------------

// The nearest double to value / divisor * 2^exponent. REQUIRES: divisor > 0.
double Nearest(mpz_ptr value, int64_t divisor, int64_t exponent) {
  if (mpz_sgn(value) == 0) return 0;
  const bool negative = mpz_sgn(value) < 0;
  Integer scaled, rest, by;
  mpz_abs(scaled, value);
  // 64 bits of the quotient are left, the last of which says whether anything follows.
  const int64_t shift = 130 - static_cast<int64_t>(mpz_sizeinbase(scaled, 2));
  if (shift > 0) {
    mpz_mul_2exp(scaled, scaled, static_cast<mp_bitcnt_t>(shift));
    exponent -= shift;
  }
  mpz_set_si(by, divisor);
  mpz_tdiv_qr(scaled, rest, scaled, by);
  bool inexact = mpz_sgn(static_cast<mpz_ptr>(rest)) != 0;
  const auto drop = static_cast<mp_bitcnt_t>(mpz_sizeinbase(scaled, 2) - 64);
  inexact |= mpz_scan1(scaled, 0) < drop;
  mpz_tdiv_q_2exp(scaled, scaled, drop);
  const uint64_t bits = mpz_get_ui(scaled) | (inexact ? 1 : 0);
  const double out = std::ldexp(static_cast<double>(bits),
                                static_cast<int>(exponent + static_cast<int64_t>(drop)));
  return negative ? -out : out;
}

// Exact sums of one or two columns, their squares and product; of rows without nulls.
struct FloatMoments {
  int64_t count = 0;
  ExactSum x, xx, y, yy, xy;

  // Adds a product exactly: rounded, and what rounding lost.
  static void AddProduct(double a, double b, int64_t weight, ExactSum* sum) {
    const double product = a * b;
    sum->Add(product, weight);
    const double rest = std::fma(a, b, -product);
    if (std::isfinite(rest)) sum->Add(rest, weight);
  }

  // The sum of (a - mean of a) * (b - mean of b). NaN with an infinite or NaN value, as in
  // PostgreSQL; false where the moments leave the range of doubles.
  bool Central(const ExactSum& a, const ExactSum& b, const ExactSum& ab, double* out) const {
    *out = std::nan("");
    if (a.has_infinity() || b.has_infinity()) return true;
    if (ab.has_infinity()) return false;
    Integer first, second, products;
    a.GetUnits(first);
    b.GetUnits(second);
    ab.GetUnits(products);
    mpz_mul_si(products, products, count);
    mpz_mul_2exp(products, products, 1074);
    mpz_submul(products, first, second);
    *out = Nearest(products, count, -2148);
    return std::isfinite(*out);
  }

  void Save(std::string* out) const {
    SaveWord(count, out);
    for (const ExactSum* sum : {&x, &xx, &y, &yy, &xy}) sum->Save(out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &count));
    for (ExactSum* sum : {&x, &xx, &y, &yy, &xy}) LEAT_RETURN(sum->Load(bytes));
    return Status::OK();
  }
};

enum class Outcome : uint8_t { kValue, kNull, kOverflow };

template <Spread spread>
Outcome SpreadOfFloats(const FloatMoments& moments, double* out) {
  if (moments.count < (spread.sample ? 2 : 1)) return Outcome::kNull;
  if (!moments.Central(moments.x, moments.x, moments.xx, out)) return Outcome::kOverflow;
  *out /= static_cast<double>(moments.count - (spread.sample ? 1 : 0));
  if (spread.root) *out = std::sqrt(*out);
  return Outcome::kValue;
}

// PostgreSQL's names and order: regr_…(Y, X).
enum class Statistic : uint8_t {
  kCovarPop,
  kCovarSamp,
  kCorr,
  kSlope,
  kIntercept,
  kR2,
  kAvgX,
  kAvgY,
  kSxx,
  kSyy,
  kSxy,
};

// Of moments about the means. REQUIRES: there are rows.
Outcome RegressionOf(Statistic statistic, double count, double sum_x, double sum_y, double sxx,
                     double syy, double sxy, double* out) {
  switch (statistic) {
    case Statistic::kCovarPop:
      *out = sxy / count;
      return Outcome::kValue;
    case Statistic::kCovarSamp:
      *out = sxy / (count - 1);
      return count < 2 ? Outcome::kNull : Outcome::kValue;
    case Statistic::kCorr:
      *out = sxy / std::sqrt(sxx * syy);
      return sxx == 0 || syy == 0 ? Outcome::kNull : Outcome::kValue;
    case Statistic::kSlope:
      *out = sxy / sxx;
      return sxx == 0 ? Outcome::kNull : Outcome::kValue;
    case Statistic::kIntercept:
      *out = (sum_y - sum_x * sxy / sxx) / count;
      return sxx == 0 ? Outcome::kNull : Outcome::kValue;
    case Statistic::kR2:
      *out = syy == 0 ? 1.0 : (sxy * sxy) / (sxx * syy);
      return sxx == 0 ? Outcome::kNull : Outcome::kValue;
    case Statistic::kAvgX:
      *out = sum_x / count;
      return Outcome::kValue;
    case Statistic::kAvgY:
      *out = sum_y / count;
      return Outcome::kValue;
    case Statistic::kSxx:
      *out = sxx;
      return Outcome::kValue;
    case Statistic::kSyy:
      *out = syy;
      return Outcome::kValue;
    case Statistic::kSxy:
      *out = sxy;
      return Outcome::kValue;
  }
  return Outcome::kNull;
}

template <Statistic statistic>
Outcome StatisticOf(const FloatMoments& moments, double* out) {
  if (moments.count < 1) return Outcome::kNull;
  double sxx, syy, sxy;
  const bool fits = moments.Central(moments.x, moments.x, moments.xx, &sxx) &&
                    moments.Central(moments.y, moments.y, moments.yy, &syy) &&
                    moments.Central(moments.x, moments.y, moments.xy, &sxy);
  if (!fits) return Outcome::kOverflow;
  return RegressionOf(statistic, static_cast<double>(moments.count), moments.x.Value(),
                      moments.y.Value(), sxx, syy, sxy, out);
}

using FinishMoments = Outcome (*)(const FloatMoments& moments, double* out);

// T: the type of the arguments; of two, the first is Y.
template <typename T, FinishMoments finish>
class FloatStatistic final : public StateColumn<FloatMoments> {
 public:
  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const Values<T> xs(args.back()), ys(args.front());
    const bool two = args.size() == 2;
    ForEachUpdate({groups, weights, mask, rows}, nulls,
                  [&](int64_t row, uint32_t group, int64_t weight) {
                    FloatMoments& moments = states_[group];
                    const auto x = static_cast<double>(xs[row]), y = static_cast<double>(ys[row]);
                    moments.count += weight;
                    moments.x.Add(x, weight);
                    FloatMoments::AddProduct(x, x, weight, &moments.xx);
                    if (!two) return;
                    moments.y.Add(y, weight);
                    FloatMoments::AddProduct(y, y, weight, &moments.yy);
                    FloatMoments::AddProduct(x, y, weight, &moments.xy);
                  });
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask* errors) const override {
    return FinishFixed<double>(states_, groups, kFloat8,
                               [&](const FloatMoments& moments, int64_t at, double* out) {
                                 const Outcome outcome = finish(moments, out);
                                 if (outcome == Outcome::kOverflow) {
                                   errors->Set(at, kOutOfRange, "value out of range: overflow");
                                 }
                                 if (outcome != Outcome::kValue) *out = 0;
                                 return outcome == Outcome::kValue;
                               });
  }
};

class RowCount final : public StateColumn<NumericMoments> {
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
                                [](const NumericMoments& moments, int64_t, int64_t* out) {
                                  *out = moments.count;
                                  return true;
                                });
  }
};

template <Spread spread>
std::unique_ptr<Accumulators> MakeSpread(std::span<const Type> args) {
  if (args[0].id == kFloat8) {
    return std::make_unique<FloatStatistic<double, SpreadOfFloats<spread>>>();
  }
  if (args[0].id == kFloat4) {
    return std::make_unique<FloatStatistic<float, SpreadOfFloats<spread>>>();
  }
  return std::make_unique<NumericSpread<spread>>();
}

template <Statistic statistic>
std::unique_ptr<Accumulators> MakeStatistic(std::span<const Type>) {
  return std::make_unique<FloatStatistic<double, StatisticOf<statistic>>>();
}

std::unique_ptr<Accumulators> MakeRowCount(std::span<const Type>) {
  return std::make_unique<RowCount>();
}

void AddSpreads(std::vector<Aggregate>* out) {
  struct Form {
    const char* name;
    MakeAccumulators make;
    const char* description;
    const char* exact;  // of VALUES (1), (2), (3), (4)
    const char* real;
  };
  constexpr Spread kVarPop{}, kVarSamp{.sample = true}, kDevPop{.root = true};
  constexpr Spread kDevSamp{.sample = true, .root = true};
  const char* var_samp[] = {"1.6666666666666667", "1.6666666666666667"};
  const char* dev_samp[] = {"1.2909944487358056", "1.2909944487358056"};
  for (const Form& form :
       {Form{"var_pop", MakeSpread<kVarPop>, "The variance of a population", "1.2500000000000000",
             "1.25"},
        Form{"var_samp", MakeSpread<kVarSamp>, "The variance of a sample", var_samp[0],
             var_samp[1]},
        Form{"variance", MakeSpread<kVarSamp>, "The variance of a sample", var_samp[0],
             var_samp[1]},
        Form{"stddev_pop", MakeSpread<kDevPop>, "The standard deviation of a population",
             "1.1180339887498948", "1.118033988749895"},
        Form{"stddev_samp", MakeSpread<kDevSamp>, "The standard deviation of a sample", dev_samp[0],
             dev_samp[1]},
        Form{"stddev", MakeSpread<kDevSamp>, "The standard deviation of a sample", dev_samp[0],
             dev_samp[1]}}) {
    for (const TypeId type : {kInt4, kInt8, kInt2, kFloat8, kNumeric, kFloat4}) {
      const bool real = Type(type).is_float();
      const std::string example = fmt::format("{}(x) FROM (VALUES (1::{}), (2), (3), (4)) t(x)",
                                              form.name, TypeName(Type(type)));
      out->push_back(AggregateOf(form.name, {type}, real ? kFloat8 : kNumeric, form.make,
                                 form.description, example.c_str(), real ? form.real : form.exact));
    }
  }
}

}  // namespace

void AddStatistics(std::vector<Aggregate>* out) {
  AddSpreads(out);
  struct Form {
    const char* name;
    MakeAccumulators make;
    const char* description;
    const char* answer;  // of VALUES (1.0, 1.0), (3, 2), (5, 4)
  };
  for (const Form& form :
       {Form{"covar_pop", MakeStatistic<Statistic::kCovarPop>, "The covariance of a population",
             "2"},
        Form{"covar_samp", MakeStatistic<Statistic::kCovarSamp>, "The covariance of a sample", "3"},
        Form{"corr", MakeStatistic<Statistic::kCorr>, "The correlation", "0.9819805060619656"},
        Form{"regr_slope", MakeStatistic<Statistic::kSlope>,
             "The slope of the line fitted to (X, Y)", "1.2857142857142856"},
        Form{"regr_intercept", MakeStatistic<Statistic::kIntercept>,
             "Where the line fitted to (X, Y) meets X = 0", "0"},
        Form{"regr_r2", MakeStatistic<Statistic::kR2>, "The square of the correlation",
             "0.9642857142857142"},
        Form{"regr_avgx", MakeStatistic<Statistic::kAvgX>, "The mean of X", "2.3333333333333335"},
        Form{"regr_avgy", MakeStatistic<Statistic::kAvgY>, "The mean of Y", "3"},
        Form{"regr_sxx", MakeStatistic<Statistic::kSxx>, "The squares of X about its mean",
             "4.666666666666667"},
        Form{"regr_syy", MakeStatistic<Statistic::kSyy>, "The squares of Y about its mean", "8"},
        Form{"regr_sxy", MakeStatistic<Statistic::kSxy>,
             "The products of X and Y about their means", "6"}}) {
    const std::string example =
        fmt::format("{}(y, x) FROM (VALUES (1.0, 1.0), (3, 2), (5, 4)) t(y, x)", form.name);
    out->push_back(AggregateOf(form.name, {kFloat8, kFloat8}, kFloat8, form.make, form.description,
                               example.c_str(), form.answer));
  }
  out->push_back(AggregateOf("regr_count", {kFloat8, kFloat8}, kInt8, MakeRowCount,
                             "How many rows have both",
                             "regr_count(y, x) FROM (VALUES (1.0, 1.0), (3, NULL)) t(y, x)", "1"));
}

}  // namespace leat
