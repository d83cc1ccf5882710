// Numeric's exact operations: + - * / div mod, with numeric.c's scales.
#include <algorithm>
#include <array>
#include <string>

#include "data/numeric.h"
#include "data/numeric_internal.h"

namespace leat {
namespace {

using numeric_internal::Integer;
using numeric_internal::kScaleMax;
using Kind = Numeric::Kind;

Status DivisionByZero() { return SqlStatus("division by zero", {.sqlstate = kDivisionByZero}); }

bool IsFinite(const Numeric& a) { return a.kind() == Kind::kFinite; }
bool IsNaN(const Numeric& a) { return a.kind() == Kind::kNaN; }

// The unscaled value at `scale` digits. REQUIRES: scale >= a.scale().
Integer UnscaledAt(const Numeric& a, int32_t scale) {
  Integer value;
  a.GetUnscaled(value.get());
  numeric_internal::Rescale(value.get(), a.scale(), scale, false);
  return value;
}

// a + b, or a - b, where one of them is not finite.
Numeric AddSpecial(const Numeric& a, const Numeric& b) {
  if (IsNaN(a) || IsNaN(b)) return Numeric::NaN();
  if (IsFinite(a)) return b;
  if (IsFinite(b)) return a;
  return a.kind() == b.kind() ? a : Numeric::NaN();
}

Numeric MultiplySpecial(const Numeric& a, const Numeric& b) {
  if (IsNaN(a) || IsNaN(b) || a.sign() == 0 || b.sign() == 0) return Numeric::NaN();
  return Numeric::Infinity(a.sign() != b.sign());
}

// Where PostgreSQL thinks in digits of 10000: the power of the first one that is not zero, and it.
struct FirstDigit {
  int64_t weight = 0;
  int value = 0;
};

FirstDigit FirstDigitOf(const Numeric& a) {
  if (a.sign() == 0) return {};
  std::string digits;
  const int64_t point = a.Digits(&digits);
  const int64_t power = point - 1;  // of the leading decimal digit
  const int64_t weight = power >= 0 ? power / 4 : -((3 - power) / 4);
  const auto length = static_cast<size_t>(power - weight * 4 + 1);
  digits.resize(length, '0');
  return {weight, std::stoi(digits)};
}

// select_div_scale.
int32_t DivisionScale(const Numeric& a, const Numeric& b) {
  const FirstDigit first = FirstDigitOf(a), second = FirstDigitOf(b);
  int64_t weight = first.weight - second.weight;
  if (first.value <= second.value) --weight;
  int64_t scale = numeric_internal::kSignificantDigitsMin - weight * 4;
  scale = std::max<int64_t>({scale, a.scale(), b.scale(), 0});
  return static_cast<int32_t>(std::min<int64_t>(scale, numeric_internal::kDisplayScaleMax));
}

// a / b where one is not finite; the quotient of finite by infinite is 0.
Result<Numeric> DivideSpecial(const Numeric& a, const Numeric& b) {
  if (IsNaN(a) || IsNaN(b)) return Numeric::NaN();
  if (!IsFinite(a)) {
    if (!IsFinite(b)) return Numeric::NaN();
    if (b.sign() == 0) return DivisionByZero();
    return Numeric::Infinity(a.sign() != b.sign());
  }
  return Numeric();
}

}  // namespace

Numeric Numeric::operator-() const {
  switch (kind_) {
    case Kind::kNaN:
      return *this;
    case Kind::kInfinity:
      return Infinity(true);
    case Kind::kNegativeInfinity:
      return Infinity(false);
    case Kind::kFinite:
      break;
  }
  if (!big_) return FromInt128(-small_, scale_);
  Integer value;
  GetUnscaled(value.get());
  mpz_neg(value.get(), value.get());
  return FromUnscaled(value.get(), scale_);
}

Numeric Numeric::operator+(const Numeric& other) const {
  if (!IsFinite(*this) || !IsFinite(other)) return AddSpecial(*this, other);
  const int32_t scale = std::max(scale_, other.scale_);
  __int128 left, right, sum;
  if (!big_ && !other.big_ && ToInt128(scale, &left) && other.ToInt128(scale, &right) &&
      !__builtin_add_overflow(left, right, &sum)) {
    return FromInt128(sum, scale);
  }
  Integer value = UnscaledAt(*this, scale);
  const Integer addend = UnscaledAt(other, scale);
  mpz_add(value.get(), value.get(), addend.get());
  return FromUnscaled(value.get(), scale);
}

Numeric Numeric::operator-(const Numeric& other) const { return *this + -other; }

Numeric Numeric::operator*(const Numeric& other) const {
  if (!IsFinite(*this) || !IsFinite(other)) return MultiplySpecial(*this, other);
  const int32_t scale = scale_ + other.scale_;
  __int128 product;
  if (!big_ && !other.big_ && scale <= kScaleMax &&
      !__builtin_mul_overflow(small_, other.small_, &product)) {
    return FromInt128(product, scale);
  }
  Integer value, factor;
  GetUnscaled(value.get());
  other.GetUnscaled(factor.get());
  mpz_mul(value.get(), value.get(), factor.get());
  numeric_internal::Rescale(value.get(), scale, std::min(scale, kScaleMax), true);
  return FromUnscaled(value.get(), std::min(scale, kScaleMax));
}

Result<Numeric> Numeric::Divide(const Numeric& other) const {
  if (!IsFinite(*this) || !IsFinite(other)) return DivideSpecial(*this, other);
  if (other.is_zero()) return DivisionByZero();
  const int32_t scale = DivisionScale(*this, other);
  // (a / 10^sa) / (b / 10^sb) * 10^scale = a * 10^(scale + sb - sa) / b
  const int64_t shift = int64_t{scale} + other.scale_ - scale_;
  Integer dividend, divisor, quotient;
  GetUnscaled(dividend.get());
  other.GetUnscaled(divisor.get());
  if (shift >= 0) {
    numeric_internal::Rescale(dividend.get(), 0, shift, false);
  } else {
    numeric_internal::Rescale(divisor.get(), 0, -shift, false);
  }
  numeric_internal::DivideRounded(dividend.get(), divisor.get(), quotient.get());
  return FromUnscaled(quotient.get(), scale);
}

Result<Numeric> Numeric::DivideTruncated(const Numeric& other) const {
  if (!IsFinite(*this) || !IsFinite(other)) return DivideSpecial(*this, other);
  if (other.is_zero()) return DivisionByZero();
  const int32_t scale = std::max(scale_, other.scale_);
  Integer dividend = UnscaledAt(*this, scale);
  const Integer divisor = UnscaledAt(other, scale);
  mpz_tdiv_q(dividend.get(), dividend.get(), divisor.get());
  return FromUnscaled(dividend.get(), 0);
}

Result<Numeric> Numeric::Modulo(const Numeric& other) const {
  if (IsNaN(*this) || IsNaN(other)) return NaN();
  if (!IsFinite(*this)) {
    if (other.is_zero()) return DivisionByZero();
    return NaN();
  }
  if (!IsFinite(other)) return *this;  // x mod infinity is x
  if (other.is_zero()) return DivisionByZero();
  const int32_t scale = std::max(scale_, other.scale_);
  Integer dividend = UnscaledAt(*this, scale);
  const Integer divisor = UnscaledAt(other, scale);
  mpz_tdiv_r(dividend.get(), dividend.get(), divisor.get());
  return FromUnscaled(dividend.get(), scale);
}

}  // namespace leat
