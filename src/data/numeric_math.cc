// sqrt, exp, ln, log and power of Numeric. The scale of each answer is chosen as numeric.c chooses
// it; the digits come from binary fixed point with guard bits, so that they are right to the last
// one.
#include <algorithm>
#include <cmath>
#include <string>

#include "data/numeric.h"
#include "data/numeric_internal.h"

namespace leat {
namespace {

using numeric_internal::Integer;
using numeric_internal::kDisplayScaleMax;
using numeric_internal::kResultScaleMax;
using numeric_internal::kSignificantDigitsMin;
using Kind = Numeric::Kind;

constexpr double kBitsPerDigit = 3.3219280948873626;
constexpr double kLog10OfE = 0.434294481903252;
constexpr int64_t kGuardBits = 64;

Status Overflow() { return SqlStatus(kNumericOverflow, {.sqlstate = kOutOfRange}); }
Status LogOfZero() { return SqlStatus("cannot take logarithm of zero", {.sqlstate = "2201E"}); }
Status LogOfNegative() {
  return SqlStatus("cannot take logarithm of a negative number", {.sqlstate = "2201E"});
}
Status ComplexPower() {
  return SqlStatus("a negative number raised to a non-integer power yields a complex result",
                   {.sqlstate = "2201F"});
}

bool Finite(const Numeric& a) { return a.kind() == Kind::kFinite; }

int32_t Clamp(int64_t scale, std::initializer_list<int32_t> at_least) {
  for (const int32_t least : at_least) scale = std::max<int64_t>(scale, least);
  return static_cast<int32_t>(std::clamp<int64_t>(scale, 0, kDisplayScaleMax));
}

int64_t BitsFor(int64_t digits) {
  return static_cast<int64_t>(
             std::ceil(static_cast<double>(std::max<int64_t>(digits, 0)) * kBitsPerDigit)) +
         kGuardBits;
}

// --- Binary fixed point: an Integer v stands for v / 2^bits ------------------------------------

// a / 10^scale with `bits` bits after the point.
Integer ToFixed(const Numeric& a, int64_t bits) {
  Integer value, power;
  a.GetUnscaled(value.get());
  numeric_internal::PowerOfTen(a.scale(), power.get());
  if (bits >= 0) {
    mpz_mul_2exp(value.get(), value.get(), static_cast<mp_bitcnt_t>(bits));
  } else {
    mpz_mul_2exp(power.get(), power.get(), static_cast<mp_bitcnt_t>(-bits));
  }
  mpz_fdiv_q(value.get(), value.get(), power.get());
  return value;
}

// value / 2^bits as a numeric of `scale`, rounded.
Numeric FromFixed(const Integer& value, int64_t bits, int32_t scale) {
  Integer decimal, power, quotient;
  numeric_internal::PowerOfTen(scale, power.get());
  mpz_mul(decimal.get(), value.get(), power.get());
  Integer divisor(1);
  if (bits >= 0) {
    mpz_mul_2exp(divisor.get(), divisor.get(), static_cast<mp_bitcnt_t>(bits));
  } else {
    mpz_mul_2exp(decimal.get(), decimal.get(), static_cast<mp_bitcnt_t>(-bits));
  }
  numeric_internal::DivideRounded(decimal.get(), divisor.get(), quotient.get());
  return Numeric::FromUnscaled(quotient.get(), scale);
}

void MultiplyFixed(Integer* a, const Integer& b, int64_t bits) {
  mpz_mul(a->get(), a->get(), b.get());
  mpz_fdiv_q_2exp(a->get(), a->get(), static_cast<mp_bitcnt_t>(bits));
}

// 2 atanh(numerator / denominator) = ln((1 + t) / (1 - t)), for |t| < 1.
Integer LogRatio(const Integer& numerator, const Integer& denominator, int64_t bits) {
  Integer t, square, term, part, sum;
  mpz_mul_2exp(t.get(), numerator.get(), static_cast<mp_bitcnt_t>(bits));
  mpz_fdiv_q(t.get(), t.get(), denominator.get());
  square = t;
  MultiplyFixed(&square, t, bits);
  term = t;
  for (unsigned long k = 1; mpz_sgn(term.get()) != 0 && mpz_cmp_si(term.get(), -1) != 0; k += 2) {
    mpz_tdiv_q_ui(part.get(), term.get(), k);
    mpz_add(sum.get(), sum.get(), part.get());
    MultiplyFixed(&term, square, bits);
  }
  mpz_mul_2exp(sum.get(), sum.get(), 1);
  return sum;
}

Integer LogOfTwo(int64_t bits) { return LogRatio(Integer(1), Integer(3), bits); }

// ln(a) with an error of a few units in 2^-bits. REQUIRES: a > 0.
Integer LogFixed(const Numeric& a, int64_t bits) {
  // Of the roots taken below each costs a bit, and so does the power of two that is split off.
  constexpr int64_t kRoots = 8;
  const int64_t work = bits + kRoots + 40;
  // a = mantissa * 2^exponent, 1/2 <= mantissa < 2.
  Integer unscaled;
  a.GetUnscaled(unscaled.get());
  const auto size = static_cast<int64_t>(mpz_sizeinbase(unscaled.get(), 2));
  int64_t exponent =
      size - static_cast<int64_t>(std::floor(static_cast<double>(a.scale()) * kBitsPerDigit));
  // Near one, splitting off a power of two would cancel digits.
  if (exponent == 1 || exponent == 0) exponent = 0;
  Integer mantissa = ToFixed(a, work - exponent);
  for (int64_t i = 0; i < kRoots; ++i) {
    mpz_mul_2exp(mantissa.get(), mantissa.get(), static_cast<mp_bitcnt_t>(work));
    mpz_sqrt(mantissa.get(), mantissa.get());
  }
  Integer one(1);
  mpz_mul_2exp(one.get(), one.get(), static_cast<mp_bitcnt_t>(work));
  Integer above, below;
  mpz_sub(above.get(), mantissa.get(), one.get());
  mpz_add(below.get(), mantissa.get(), one.get());
  Integer log = LogRatio(above, below, work);
  mpz_mul_2exp(log.get(), log.get(), kRoots);
  if (exponent != 0) {
    Integer twos = LogOfTwo(work);
    mpz_mul_si(twos.get(), twos.get(), exponent);
    mpz_add(log.get(), log.get(), twos.get());
  }
  mpz_fdiv_q_2exp(log.get(), log.get(), static_cast<mp_bitcnt_t>(work - bits));
  return log;
}

// e^(x / 2^bits) as mantissa / 2^bits * 2^exponent, mantissa in [1, 2].
Integer ExpFixed(const Integer& x, int64_t bits, int64_t* exponent) {
  constexpr int64_t kHalvings = 12;
  const int64_t work = bits + kHalvings + 40;
  Integer rest, quotient;
  mpz_mul_2exp(rest.get(), x.get(), static_cast<mp_bitcnt_t>(work - bits));
  const Integer two = LogOfTwo(work);
  mpz_fdiv_qr(quotient.get(), rest.get(), rest.get(), two.get());
  *exponent = mpz_get_si(quotient.get());
  mpz_fdiv_q_2exp(rest.get(), rest.get(), kHalvings);
  Integer term(1), sum;
  mpz_mul_2exp(term.get(), term.get(), static_cast<mp_bitcnt_t>(work));
  for (unsigned long k = 1; mpz_sgn(term.get()) != 0; ++k) {
    mpz_add(sum.get(), sum.get(), term.get());
    MultiplyFixed(&term, rest, work);
    mpz_tdiv_q_ui(term.get(), term.get(), k);
  }
  for (int64_t i = 0; i < kHalvings; ++i) {
    const Integer factor = sum;
    MultiplyFixed(&sum, factor, work);
  }
  mpz_fdiv_q_2exp(sum.get(), sum.get(), static_cast<mp_bitcnt_t>(work - bits));
  return sum;
}

// e^(x / 2^bits) rounded to `scale`.
Numeric ExpToScale(const Integer& x, int64_t bits, int32_t scale) {
  int64_t exponent;
  const Integer mantissa = ExpFixed(x, bits, &exponent);
  return FromFixed(mantissa, bits - exponent, scale);
}

// --- numeric.c's choices of scale ----------------------------------------------------------------

// The power of ten of the leading digit. REQUIRES: a > 0.
int64_t LeadingPower(const Numeric& a, std::string* digits) { return a.Digits(digits) - 1; }

int64_t FloorToBase(int64_t power) { return power >= 0 ? power / 4 * 4 : -((3 - power) / 4 * 4); }

// The number that the first `count` digits of 10000 make, and the power of ten of the last of them.
double LeadingDigits(const Numeric& a, int count, int64_t* power) {
  std::string digits;
  const int64_t leading = LeadingPower(a, &digits);
  *power = FloorToBase(leading);
  const auto first = static_cast<size_t>(leading - *power + 1);
  size_t length = first;
  for (int i = 1; i < count && length < digits.size(); ++i) {
    length += 4;
    *power -= 4;
  }
  digits.resize(length, '0');
  return std::stod(digits);
}

// estimate_ln_dweight: the decimal weight of ln(a). REQUIRES: a > 0.
int64_t LogWeight(const Numeric& a) {
  if (a >= Numeric::FromInt128(9, 1) && a <= Numeric::FromInt128(11, 1)) {
    const Numeric rest = (a - Numeric(1)).Abs();
    if (rest.is_zero()) return 0;
    int64_t power;
    const double digit = LeadingDigits(rest, 1, &power);
    return power + static_cast<int64_t>(std::log10(digit));
  }
  int64_t power;
  const double digits = LeadingDigits(a, 2, &power);
  const double log = std::log(digits) + static_cast<double>(power) * 2.302585092994046;
  return static_cast<int64_t>(std::log10(std::fabs(log)));
}

bool IsWhole(const Numeric& a) { return a == a.Truncate(0); }

// Whether a whole number is odd.
bool IsOdd(const Numeric& a) {
  Integer value;
  a.Truncate(0).GetUnscaled(value.get());
  return mpz_odd_p(value.get()) != 0;
}

// --- power ---------------------------------------------------------------------------------------

// base^exponent exactly, over 10^(base.scale * |exponent|). REQUIRES: both small.
Numeric ExactPower(const Numeric& base, int64_t exponent, int32_t scale) {
  const auto times = static_cast<unsigned long>(std::abs(exponent));
  Integer value, power, quotient;
  base.GetUnscaled(value.get());
  mpz_pow_ui(value.get(), value.get(), times);
  numeric_internal::PowerOfTen(int64_t{base.scale()} * static_cast<int64_t>(times), power.get());
  Integer& dividend = exponent < 0 ? power : value;
  Integer& divisor = exponent < 0 ? value : power;
  numeric_internal::Rescale(dividend.get(), 0, scale, false);
  numeric_internal::DivideRounded(dividend.get(), divisor.get(), quotient.get());
  return Numeric::FromUnscaled(quotient.get(), scale);
}

// A magnitude that may be far from one: mantissa * 2^exponent, the mantissa cut to some bits.
struct Floating {
  Integer mantissa;
  int64_t exponent = 0;

  void Cut(int64_t bits) {
    const auto excess = static_cast<int64_t>(mpz_sizeinbase(mantissa.get(), 2)) - bits;
    if (excess <= 0) return;
    mpz_fdiv_q_2exp(mantissa.get(), mantissa.get(), static_cast<mp_bitcnt_t>(excess));
    exponent += excess;
  }
  void Multiply(const Floating& other, int64_t bits) {
    mpz_mul(mantissa.get(), mantissa.get(), other.mantissa.get());
    exponent += other.exponent;
    Cut(bits);
  }
};

// base^times by squaring, to about `bits` bits.
Floating FloatingPower(const Integer& base, uint64_t times, int64_t bits) {
  Floating square{base, 0}, result{Integer(1), 0};
  for (; times != 0; times >>= 1) {
    if ((times & 1) != 0) result.Multiply(square, bits);
    if (times > 1) square.Multiply(square, bits);
  }
  return result;
}

// |base|^exponent where the exact power would be too long; `weight` is about its decimal weight.
Numeric RoundedPower(const Numeric& base, int64_t exponent, double weight, int32_t scale) {
  const auto times = static_cast<uint64_t>(std::abs(exponent));
  const int64_t bits = BitsFor(static_cast<int64_t>(weight) + 2 + scale) + 2 * kGuardBits;
  Integer unscaled;
  base.GetUnscaled(unscaled.get());
  mpz_abs(unscaled.get(), unscaled.get());
  Floating value = FloatingPower(unscaled, times, bits);
  Floating power = FloatingPower(Integer(10), times * static_cast<uint64_t>(base.scale()), bits);
  if (exponent < 0) std::swap(value, power);
  mpz_mul_2exp(value.mantissa.get(), value.mantissa.get(), static_cast<mp_bitcnt_t>(2 * bits));
  mpz_fdiv_q(value.mantissa.get(), value.mantissa.get(), power.mantissa.get());
  return FromFixed(value.mantissa, 2 * bits - (value.exponent - power.exponent), scale);
}

// The absolute power by logarithms. REQUIRES: base > 0; `result_digits` before the point at most.
Numeric LogPower(const Numeric& base, const Numeric& exponent, int64_t result_digits,
                 int32_t scale) {
  Integer unscaled;
  exponent.GetUnscaled(unscaled.get());
  const auto exponent_bits = static_cast<int64_t>(mpz_sizeinbase(unscaled.get(), 2));
  const int64_t bits = BitsFor(std::max<int64_t>(result_digits, 0) + scale) + exponent_bits;
  Integer log = LogFixed(base, bits), power;
  mpz_mul(log.get(), log.get(), unscaled.get());
  numeric_internal::PowerOfTen(exponent.scale(), power.get());
  mpz_fdiv_q(log.get(), log.get(), power.get());
  return ExpToScale(log, bits, scale);
}

// power_var_int.
Result<Numeric> IntegerPower(const Numeric& base, int64_t exponent, int32_t scale) {
  if (exponent == 0) return Numeric(1).Round(scale);
  if (base.is_zero()) {
    if (exponent < 0) return SqlStatus("division by zero", {.sqlstate = kDivisionByZero});
    return Numeric().Round(scale);
  }
  std::string digits;
  const int64_t point = base.Digits(&digits);
  const double weight =
      static_cast<double>(exponent) *
      (std::log10(std::stod("0." + digits.substr(0, 17))) + static_cast<double>(point));
  const bool simple = exponent == 1 || exponent == 2 || exponent == -1;
  if (!simple && weight > 131072) return Overflow();
  if (!simple && (weight + 1 < -scale || weight + 1 < -kDisplayScaleMax))
    return Numeric().Round(scale);
  const double exact_bits =
      static_cast<double>(digits.size()) * kBitsPerDigit * static_cast<double>(std::abs(exponent));
  Numeric result;
  if (simple || exact_bits < 100000) {
    result = ExactPower(base, exponent, scale);
  } else {
    result = RoundedPower(base, exponent, weight, scale);
    if (base.sign() < 0 && exponent % 2 != 0) result = -result;
  }
  if (result.overflows()) return Overflow();
  return result;
}

// power_var for exponents that are not 32-bit integers.
Result<Numeric> GeneralPower(const Numeric& base, const Numeric& exponent) {
  if (base.is_zero()) return Numeric().Round(kSignificantDigitsMin);
  if (base.sign() < 0 && !IsWhole(exponent)) return ComplexPower();
  const bool negative = base.sign() < 0 && IsOdd(exponent);
  const Numeric magnitude = base.Abs();
  const auto bits = BitsFor(8 - LogWeight(magnitude));
  const double log = FromFixed(LogFixed(magnitude, bits), bits,
                               static_cast<int32_t>(std::max<int64_t>(8 - LogWeight(magnitude), 0)))
                         .ToDouble();
  double value = log * exponent.ToDouble();
  if (std::fabs(value) > kResultScaleMax * 3.01) {
    if (value > 0) return Overflow();
    return Numeric().Round(kDisplayScaleMax);
  }
  value *= kLog10OfE;
  const int32_t scale =
      Clamp(kSignificantDigitsMin - static_cast<int64_t>(value), {base.scale(), exponent.scale()});
  const Numeric result =
      LogPower(magnitude, exponent, static_cast<int64_t>(std::ceil(value)) + 2, scale);
  return negative ? -result : result;
}

// One of them is not finite; POSIX's rules for pow.
Result<Numeric> SpecialPower(const Numeric& base, const Numeric& exponent) {
  const Numeric one(1);
  if (base.kind() == Kind::kNaN) {
    if (Finite(exponent) && exponent.is_zero()) return one;
    return Numeric::NaN();
  }
  if (exponent.kind() == Kind::kNaN) return Finite(base) && base == one ? one : Numeric::NaN();
  if (base == one) return one;
  if (Finite(exponent) && exponent.is_zero()) return one;
  if (base.is_zero() && exponent.sign() < 0) {
    return SqlStatus("zero raised to a negative power is undefined", {.sqlstate = "2201F"});
  }
  if (base.is_zero()) return Numeric();
  if (!Finite(exponent)) {
    if (base == -one) return one;
    return (base.Abs() > one) == (exponent.sign() > 0) ? Numeric::Infinity(false) : Numeric();
  }
  if (base.sign() > 0) return exponent.sign() > 0 ? base : Numeric();
  if (!IsWhole(exponent)) return ComplexPower();
  if (exponent.sign() < 0) return Numeric();
  return Numeric::Infinity(IsOdd(exponent));
}

}  // namespace

Result<Numeric> Numeric::Sqrt() const {
  if (kind_ == Kind::kNaN || kind_ == Kind::kInfinity) return *this;
  if (sign() < 0) {
    return SqlStatus("cannot take square root of a negative number", {.sqlstate = "2201F"});
  }
  int64_t weight = 0;
  if (!is_zero()) {
    std::string digits;
    weight = FloorToBase(LeadingPower(*this, &digits)) / 4;
  }
  const int32_t scale = Clamp(kSignificantDigitsMin - (weight * 2 + 1), {scale_});
  // Twice the scale and two digits more below the root; the remainder decides a tie that cannot be.
  Integer value;
  GetUnscaled(value.get());
  numeric_internal::Rescale(value.get(), scale_, int64_t{scale} * 2 + 2, false);
  mpz_sqrt(value.get(), value.get());
  numeric_internal::Rescale(value.get(), scale + 1, scale, true);
  return FromUnscaled(value.get(), scale);
}

Result<Numeric> Numeric::Exp() const {
  if (kind_ == Kind::kNegativeInfinity) return Numeric();
  if (kind_ != Kind::kFinite) return *this;
  const double value = ToDouble();
  const double weight = std::clamp<double>(value * kLog10OfE, -kResultScaleMax, kResultScaleMax);
  const int32_t scale = Clamp(kSignificantDigitsMin - static_cast<int64_t>(weight), {scale_});
  if (std::fabs(value) >= kResultScaleMax * 3) {
    if (value > 0) return Overflow();
    return Numeric().Round(scale);
  }
  const int64_t bits =
      BitsFor(scale + std::max<int64_t>(static_cast<int64_t>(value * kLog10OfE) + 2, 0));
  return ExpToScale(ToFixed(*this, bits), bits, scale);
}

Result<Numeric> Numeric::Ln() const {
  if (kind_ == Kind::kNaN) return *this;
  if (sign() < 0) return LogOfNegative();
  if (sign() == 0) return LogOfZero();
  if (kind_ == Kind::kInfinity) return *this;
  const int32_t scale = Clamp(kSignificantDigitsMin - LogWeight(*this), {scale_});
  const int64_t bits = BitsFor(scale);
  return FromFixed(LogFixed(*this, bits), bits, scale);
}

Result<Numeric> Numeric::Log(const Numeric& base) const {
  if (kind_ == Kind::kNaN || base.kind_ == Kind::kNaN) return NaN();
  if (base.sign() < 0 || sign() < 0) return LogOfNegative();
  if (base.sign() == 0 || sign() == 0) return LogOfZero();
  if (base.kind_ == Kind::kInfinity) return kind_ == Kind::kInfinity ? NaN() : Numeric();
  if (kind_ == Kind::kInfinity) return *this;
  const int64_t base_weight = LogWeight(base), weight = LogWeight(*this);
  const int32_t scale =
      Clamp(kSignificantDigitsMin - (weight - base_weight), {base.scale_, scale_});
  const int64_t bits = BitsFor(scale + std::abs(base_weight) + std::abs(weight));
  Integer dividend = LogFixed(*this, bits);
  const Integer divisor = LogFixed(base, bits);
  if (mpz_sgn(divisor.get()) == 0)
    return SqlStatus("division by zero", {.sqlstate = kDivisionByZero});
  Integer quotient;
  numeric_internal::Rescale(dividend.get(), 0, scale, false);
  numeric_internal::DivideRounded(dividend.get(), divisor.get(), quotient.get());
  return FromUnscaled(quotient.get(), scale);
}

Result<Numeric> Numeric::Power(const Numeric& exponent) const {
  if (!Finite(*this) || !Finite(exponent)) return SpecialPower(*this, exponent);
  if (is_zero() && exponent.sign() < 0) {
    return SqlStatus("zero raised to a negative power is undefined", {.sqlstate = "2201F"});
  }
  __int128 whole;
  if (IsWhole(exponent) && exponent.ToInt128(0, &whole) && whole >= INT32_MIN &&
      whole <= INT32_MAX) {
    return IntegerPower(*this, static_cast<int64_t>(whole), Clamp(kSignificantDigitsMin, {scale_}));
  }
  return GeneralPower(*this, exponent);
}

}  // namespace leat
