#include "data/numeric.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "data/numeric_internal.h"

namespace leat {

using numeric_internal::Integer;
using numeric_internal::kScaleMax;
using numeric_internal::kWholeDigitsMax;
using numeric_internal::PowerOfTen;
using numeric_internal::SmallPowerOfTen;
using numeric_internal::UInt128;

struct Numeric::Big {
  Integer value;
};

namespace {

constexpr __int128 kInt128Max = static_cast<__int128>(~UInt128{0} >> 1);

UInt128 Magnitude(__int128 value) {
  return value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

void SetInt128(mpz_ptr out, __int128 value) {
  const UInt128 magnitude = Magnitude(value);
  const std::array<uint64_t, 2> words = {static_cast<uint64_t>(magnitude),
                                         static_cast<uint64_t>(magnitude >> 64)};
  mpz_import(out, 2, -1, sizeof(uint64_t), 0, 0, words.data());
  if (value < 0) mpz_neg(out, out);
}

// False where the value does not fit (the least int128 counts as not fitting, so that negation is
// always safe).
bool GetInt128(mpz_srcptr value, __int128* out) {
  if (mpz_sizeinbase(value, 2) > 127) return false;
  std::array<uint64_t, 2> words = {0, 0};
  mpz_export(words.data(), nullptr, -1, sizeof(uint64_t), 0, 0, value);
  const auto magnitude = static_cast<__int128>((UInt128{words[1]} << 64) | words[0]);
  *out = mpz_sgn(value) < 0 ? -magnitude : magnitude;
  return true;
}

// value / 10^digits, half away from zero or towards zero. REQUIRES: 0 <= digits.
__int128 DropDigits(__int128 value, int32_t digits, bool round) {
  if (digits > 38) return 0;
  const UInt128 power = SmallPowerOfTen(digits);
  const UInt128 magnitude = Magnitude(value);
  UInt128 quotient = magnitude / power;
  if (round && magnitude - quotient * power >= power - power / 2 && digits > 0) ++quotient;
  return value < 0 ? -static_cast<__int128>(quotient) : static_cast<__int128>(quotient);
}

bool ScaleUp(__int128 value, int32_t digits, __int128* out) {
  if (value == 0) {
    *out = 0;
    return true;
  }
  if (digits > 38) return false;
  return !__builtin_mul_overflow(value, static_cast<__int128>(SmallPowerOfTen(digits)), out) &&
         *out >= -kInt128Max;
}

void AppendDigits(UInt128 value, std::string* out) {
  std::array<char, 40> buffer;
  char* at = buffer.data() + buffer.size();
  while (value > UINT64_MAX) {
    auto low = static_cast<uint64_t>(value % 10000000000000000000ULL);
    value /= 10000000000000000000ULL;
    for (int i = 0; i < 19; ++i, low /= 10) *--at = static_cast<char>('0' + low % 10);
  }
  auto low = static_cast<uint64_t>(value);
  do {
    *--at = static_cast<char>('0' + low % 10);
    low /= 10;
  } while (low != 0);
  out->append(at, static_cast<size_t>(buffer.data() + buffer.size() - at));
}

}  // namespace

namespace numeric_internal {

UInt128 SmallPowerOfTen(int32_t digits) {
  static constexpr std::array<UInt128, 39> kPowers = [] {
    std::array<UInt128, 39> powers{};
    powers[0] = 1;
    for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return kPowers[static_cast<size_t>(digits)];
}

void PowerOfTen(int64_t digits, mpz_ptr out) {
  mpz_ui_pow_ui(out, 10, static_cast<unsigned long>(digits));
}

void DivideRounded(mpz_srcptr dividend, mpz_srcptr divisor, mpz_ptr quotient) {
  Integer remainder;
  mpz_tdiv_qr(quotient, remainder.get(), dividend, divisor);
  mpz_mul_2exp(remainder.get(), remainder.get(), 1);
  if (mpz_cmpabs(remainder.get(), divisor) < 0) return;
  if ((mpz_sgn(dividend) < 0) != (mpz_sgn(divisor) < 0)) {
    mpz_sub_ui(quotient, quotient, 1);
  } else {
    mpz_add_ui(quotient, quotient, 1);
  }
}

void Rescale(mpz_ptr value, int64_t from, int64_t to, bool round) {
  if (from == to) return;
  Integer power;
  PowerOfTen(std::abs(to - from), power.get());
  if (to > from) {
    mpz_mul(value, value, power.get());
  } else if (round) {
    Integer quotient;
    DivideRounded(value, power.get(), quotient.get());
    mpz_swap(value, quotient.get());
  } else {
    mpz_tdiv_q(value, value, power.get());
  }
}

}  // namespace numeric_internal

Numeric::Numeric() = default;
Numeric::Numeric(int64_t value) : small_(value) {}
Numeric::Numeric(const Numeric& other)
    : kind_(other.kind_),
      scale_(other.scale_),
      small_(other.small_),
      big_(other.big_ ? std::make_unique<Big>(*other.big_) : nullptr) {}
Numeric::Numeric(Numeric&&) noexcept = default;
Numeric& Numeric::operator=(const Numeric& other) {
  if (this != &other) *this = Numeric(other);
  return *this;
}
Numeric& Numeric::operator=(Numeric&&) noexcept = default;
Numeric::~Numeric() = default;

Numeric Numeric::FromInt128(__int128 value, int32_t scale) {
  Numeric result;
  result.scale_ = std::max(scale, 0);
  if (value < -kInt128Max || scale < 0) {
    Integer big;
    SetInt128(big.get(), value);
    numeric_internal::Rescale(big.get(), scale, result.scale_, false);
    return FromUnscaled(big.get(), result.scale_);
  }
  result.small_ = value;
  return result;
}

Numeric Numeric::FromUnscaled(mpz_srcptr unscaled, int64_t scale) {
  LEAT_CHECK(scale >= 0 && scale <= INT32_MAX, "numeric scale {}", scale);
  Numeric result;
  result.scale_ = static_cast<int32_t>(scale);
  if (!GetInt128(unscaled, &result.small_)) {
    result.small_ = 0;
    result.big_ = std::make_unique<Big>();
    mpz_set(result.big_->value.get(), unscaled);
  }
  return result;
}

void Numeric::GetUnscaled(mpz_ptr out) const {
  if (big_) {
    mpz_set(out, big_->value.get());
  } else {
    SetInt128(out, small_);
  }
}

Numeric Numeric::NaN() {
  Numeric result;
  result.kind_ = Kind::kNaN;
  return result;
}

Numeric Numeric::Infinity(bool negative) {
  Numeric result;
  result.kind_ = negative ? Kind::kNegativeInfinity : Kind::kInfinity;
  return result;
}

bool Numeric::is_zero() const { return kind_ == Kind::kFinite && !big_ && small_ == 0; }

int Numeric::sign() const {
  switch (kind_) {
    case Kind::kNegativeInfinity:
      return -1;
    case Kind::kInfinity:
    case Kind::kNaN:
      return 1;
    case Kind::kFinite:
      break;
  }
  if (big_) return mpz_sgn(big_->value.get());
  return small_ > 0 ? 1 : small_ < 0 ? -1 : 0;
}

bool Numeric::overflows() const {
  if (!big_) return false;
  // sizeinbase 10 is exact or one too big; only near the limit does it matter.
  const auto digits = static_cast<int64_t>(mpz_sizeinbase(big_->value.get(), 10)) - scale_;
  if (digits <= kWholeDigitsMax) return false;
  if (digits > kWholeDigitsMax + 1) return true;
  Integer limit;
  PowerOfTen(kWholeDigitsMax + scale_, limit.get());
  return mpz_cmpabs(big_->value.get(), limit.get()) >= 0;
}

int64_t Numeric::Digits(std::string* digits) const {
  digits->clear();
  if (big_) {
    digits->resize(mpz_sizeinbase(big_->value.get(), 10) + 2);
    mpz_get_str(digits->data(), 10, big_->value.get());
    digits->resize(std::strlen(digits->data()));
    if ((*digits)[0] == '-') digits->erase(0, 1);
  } else {
    AppendDigits(Magnitude(small_), digits);
  }
  const auto point = static_cast<int64_t>(digits->size()) - scale_;
  digits->resize(digits->find_last_not_of('0') + 1);
  return point;
}

std::string Numeric::ToString() const {
  switch (kind_) {
    case Kind::kNaN:
      return "NaN";
    case Kind::kInfinity:
      return "Infinity";
    case Kind::kNegativeInfinity:
      return "-Infinity";
    case Kind::kFinite:
      break;
  }
  std::string digits;
  if (big_) {
    digits.resize(mpz_sizeinbase(big_->value.get(), 10) + 2);
    mpz_get_str(digits.data(), 10, big_->value.get());
    digits.resize(std::strlen(digits.data()));
  } else {
    if (small_ < 0) digits += '-';
    AppendDigits(Magnitude(small_), &digits);
  }
  if (scale_ == 0) return digits;
  const size_t first = digits[0] == '-' ? 1 : 0;
  const auto scale = static_cast<size_t>(scale_);
  if (digits.size() - first <= scale)
    digits.insert(first, scale + 1 - (digits.size() - first), '0');
  digits.insert(digits.size() - scale, 1, '.');
  return digits;
}

double Numeric::ToDouble() const {
  switch (kind_) {
    case Kind::kNaN:
      return std::nan("");
    case Kind::kInfinity:
      return HUGE_VAL;
    case Kind::kNegativeInfinity:
      return -HUGE_VAL;
    case Kind::kFinite:
      break;
  }
  // Both exact as doubles: one correctly rounded division.
  if (!big_ && Magnitude(small_) <= (UInt128{1} << 53) && scale_ <= 22) {
    return static_cast<double>(static_cast<int64_t>(small_)) /
           static_cast<double>(SmallPowerOfTen(scale_));
  }
  return numeric_internal::TextToDouble(ToString());
}

Result<int64_t> Numeric::ToInt64() const {
  const auto out_of_range = [] {
    return SqlStatus("bigint out of range", {.sqlstate = kOutOfRange});
  };
  if (kind_ == Kind::kNaN) return SqlStatus("cannot convert NaN to bigint", {.sqlstate = "0A000"});
  if (kind_ != Kind::kFinite) {
    return SqlStatus("cannot convert infinity to bigint", {.sqlstate = "0A000"});
  }
  __int128 value;
  if (!ToInt128(0, &value) || value > INT64_MAX || value < INT64_MIN) return out_of_range();
  return static_cast<int64_t>(value);
}

bool Numeric::ToInt128(int32_t scale, __int128* out) const {
  if (kind_ != Kind::kFinite) return false;
  if (!big_ && scale >= scale_) return ScaleUp(small_, scale - scale_, out);
  if (!big_) {
    *out = DropDigits(small_, scale_ - scale, true);
    return true;
  }
  Integer value;
  GetUnscaled(value.get());
  numeric_internal::Rescale(value.get(), scale_, scale, true);
  return GetInt128(value.get(), out);
}

Result<Numeric> Numeric::Fit(int32_t precision, int32_t scale) const {
  if (kind_ == Kind::kNaN || precision < 0) return *this;
  const auto overflow = [&](bool infinite) {
    const auto detail =
        infinite
            ? fmt::format("A field with precision {}, scale {} cannot hold an infinite value.",
                          precision, scale)
            : fmt::format(
                  "A field with precision {}, scale {} must round to an absolute value less than "
                  "{}{}.",
                  precision, scale, precision == scale ? "" : "10^",
                  precision == scale ? 1 : precision - scale);
    return SqlStatus("numeric field overflow", {.sqlstate = kOutOfRange, .detail = detail});
  };
  if (kind_ != Kind::kFinite) return overflow(true);
  Numeric rounded = Round(scale);
  // |value| < 10^(precision - scale); a negative scale leaves trailing zeros before the point.
  if (!rounded.big_) {
    const int32_t digits = precision - scale + rounded.scale_;
    if (digits <= 38 && Magnitude(rounded.small_) >= SmallPowerOfTen(std::max(digits, 0)) &&
        rounded.small_ != 0) {
      return overflow(false);
    }
    return rounded;
  }
  Integer limit;
  PowerOfTen(std::max(precision - scale + rounded.scale_, 0), limit.get());
  if (mpz_cmpabs(rounded.big_->value.get(), limit.get()) >= 0) return overflow(false);
  return rounded;
}

Numeric Numeric::Round(int32_t digits) const {
  if (kind_ != Kind::kFinite) return *this;
  digits = std::min(digits, kScaleMax);
  const int32_t scale = std::max(digits, 0);
  if (!big_) {
    __int128 value;
    if (digits >= scale_) {
      if (ScaleUp(small_, digits - scale_, &value)) return FromInt128(value, scale);
    } else {
      value = DropDigits(small_, scale_ - digits, true);
      if (digits >= 0 || ScaleUp(value, -digits, &value)) return FromInt128(value, scale);
    }
  }
  Integer value;
  GetUnscaled(value.get());
  numeric_internal::Rescale(value.get(), scale_, digits, true);
  if (digits < 0) numeric_internal::Rescale(value.get(), digits, 0, true);
  return FromUnscaled(value.get(), scale);
}

Numeric Numeric::Truncate(int32_t digits) const {
  if (kind_ != Kind::kFinite) return *this;
  if (digits >= scale_) return Round(digits);
  const int32_t scale = std::max(digits, 0);
  if (!big_) {
    const __int128 value = DropDigits(small_, scale_ - digits, false);
    __int128 raised = value;  // fits: it is not greater than what we had
    if (digits < 0 && value != 0) ScaleUp(value, -digits, &raised);
    return FromInt128(raised, scale);
  }
  Integer value;
  GetUnscaled(value.get());
  numeric_internal::Rescale(value.get(), scale_, digits, false);
  if (digits < 0) numeric_internal::Rescale(value.get(), digits, 0, false);
  return FromUnscaled(value.get(), scale);
}

Numeric Numeric::Ceil() const {
  Numeric whole = Truncate(0);
  if (kind_ != Kind::kFinite) return whole;
  return whole < *this ? whole + Numeric(1) : whole;
}

Numeric Numeric::Floor() const {
  Numeric whole = Truncate(0);
  if (kind_ != Kind::kFinite) return whole;
  return whole > *this ? whole - Numeric(1) : whole;
}

Numeric Numeric::Abs() const { return sign() < 0 ? -*this : *this; }

std::strong_ordering Numeric::operator<=>(const Numeric& other) const {
  if (kind_ != Kind::kFinite || other.kind_ != Kind::kFinite) {
    const auto rank = [](Kind kind) {
      switch (kind) {
        case Kind::kNegativeInfinity:
          return 0;
        case Kind::kFinite:
          return 1;
        case Kind::kInfinity:
          return 2;
        case Kind::kNaN:
          break;
      }
      return 3;
    };
    return rank(kind_) <=> rank(other.kind_);
  }
  if (!big_ && !other.big_) {
    if (scale_ == other.scale_) return small_ <=> other.small_;
    __int128 left, right;
    const int32_t scale = std::max(scale_, other.scale_);
    if (ScaleUp(small_, scale - scale_, &left) &&
        ScaleUp(other.small_, scale - other.scale_, &right)) {
      return left <=> right;
    }
  }
  if (sign() != other.sign()) return sign() <=> other.sign();
  Integer left, right;
  GetUnscaled(left.get());
  other.GetUnscaled(right.get());
  const int32_t scale = std::max(scale_, other.scale_);
  numeric_internal::Rescale(left.get(), scale_, scale, false);
  numeric_internal::Rescale(right.get(), other.scale_, scale, false);
  return mpz_cmp(left.get(), right.get()) <=> 0;
}

// Form: a byte (0 positive or zero, 1 negative, 2 -inf, 3 inf, 4 NaN), for finite ones the scale in
// two bytes and the magnitude in as few as possible, least first.
void Numeric::Encode(std::string* out) const {
  if (kind_ != Kind::kFinite) {
    out->push_back(kind_ == Kind::kNegativeInfinity ? 2 : kind_ == Kind::kInfinity ? 3 : 4);
    return;
  }
  out->push_back(sign() < 0 ? 1 : 0);
  out->push_back(static_cast<char>(scale_ & 0xFF));
  out->push_back(static_cast<char>(scale_ >> 8));
  if (!big_) {
    for (UInt128 rest = Magnitude(small_); rest != 0; rest >>= 8) {
      out->push_back(static_cast<char>(rest & 0xFF));
    }
    return;
  }
  const size_t bytes = (mpz_sizeinbase(big_->value.get(), 2) + 7) / 8;
  const size_t at = out->size();
  out->resize(at + bytes);
  mpz_export(out->data() + at, nullptr, -1, 1, 0, 0, big_->value.get());
}

Numeric Numeric::Decode(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  LEAT_CHECK(!bytes.empty() && byte(0) <= 4, "numeric of {} bytes", bytes.size());
  if (byte(0) == 4) return NaN();
  if (byte(0) >= 2) return Infinity(byte(0) == 2);
  LEAT_CHECK(bytes.size() >= 3, "numeric of {} bytes", bytes.size());
  const int32_t scale = byte(1) | (byte(2) << 8);
  if (bytes.size() <= 3 + 15) {
    UInt128 magnitude = 0;
    for (size_t i = bytes.size(); i > 3; --i) magnitude = (magnitude << 8) | byte(i - 1);
    const auto value = static_cast<__int128>(magnitude);
    return FromInt128(byte(0) == 1 ? -value : value, scale);
  }
  Integer value;
  mpz_import(value.get(), bytes.size() - 3, -1, 1, 0, 0, bytes.data() + 3);
  if (byte(0) == 1) mpz_neg(value.get(), value.get());
  return FromUnscaled(value.get(), scale);
}

}  // namespace leat
