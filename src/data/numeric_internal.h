// What the files of Numeric share: GMP's integers as values, powers of ten, rounding division.
#pragma once

#include <gmp.h>

#include <cstdint>
#include <string>

namespace leat::numeric_internal {

using UInt128 = unsigned __int128;

// PostgreSQL's limits of its numeric format.
inline constexpr int64_t kWholeDigitsMax = 131072;
inline constexpr int32_t kScaleMax = 16383;
// Its choices of scale: at least this many significant digits, at most this scale.
inline constexpr int32_t kSignificantDigitsMin = 16;
inline constexpr int32_t kDisplayScaleMax = 1000;
inline constexpr int32_t kResultScaleMax = 2000;

// Owns an mpz_t.
class Integer {
 public:
  Integer() { mpz_init(value_); }
  explicit Integer(int64_t value) { mpz_init_set_si(value_, value); }
  Integer(const Integer& other) { mpz_init_set(value_, other.value_); }
  Integer& operator=(const Integer& other) {
    mpz_set(value_, other.value_);
    return *this;
  }
  ~Integer() { mpz_clear(value_); }
  mpz_ptr get() { return value_; }
  mpz_srcptr get() const { return value_; }

 private:
  mpz_t value_;
};

// 10^digits. REQUIRES: 0 <= digits <= 38.
UInt128 SmallPowerOfTen(int32_t digits);
void PowerOfTen(int64_t digits, mpz_ptr out);
// Half away from zero. REQUIRES: divisor is not zero; quotient is neither argument.
void DivideRounded(mpz_srcptr dividend, mpz_srcptr divisor, mpz_ptr quotient);
// Multiplies by 10^(to - from), rounding half away from zero or truncating.
void Rescale(mpz_ptr value, int64_t from, int64_t to, bool round);
// The nearest double of a well-formed decimal text; an infinity beyond the range.
double TextToDouble(const std::string& text);

}  // namespace leat::numeric_internal
