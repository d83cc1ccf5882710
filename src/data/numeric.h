// PostgreSQL's numeric: exact, unbounded, with its own display scale, NaN and infinities. An
// unscaled integer (machine words while it fits in 128 bits, GMP beyond) and a scale. Results'
// scales follow src/backend/utils/adt/numeric.c (select_div_scale and friends), so that they print
// the same.
#pragma once

#include <arrow/type_fwd.h>
#include <gmp.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "data/type.h"

namespace leat {

class Numeric {
 public:
  enum class Kind : uint8_t { kFinite, kNegativeInfinity, kInfinity, kNaN };

  Numeric();               // 0, scale 0
  Numeric(int64_t value);  // NOLINT: an integer is a numeric
  // value * 10^-scale
  static Numeric FromInt128(__int128 value, int32_t scale);
  static Numeric NaN();
  static Numeric Infinity(bool negative);
  // As numeric_in: "1e10", " -12.50 ", "NaN", "infinity". 22P02 or 22003 otherwise.
  static Result<Numeric> Parse(std::string_view text);
  // As float8_numeric: 15 significant digits.
  static Result<Numeric> FromDouble(double value);
  // As float4_numeric: 6 significant digits.
  static Result<Numeric> FromFloat(float value);

  Numeric(const Numeric&);
  Numeric(Numeric&&) noexcept;
  Numeric& operator=(const Numeric&);
  Numeric& operator=(Numeric&&) noexcept;
  ~Numeric();

  Kind kind() const { return kind_; }
  int32_t scale() const { return scale_; }  // digits after the point, as printed
  bool is_zero() const;
  int sign() const;  // -1, 0, 1; NaN counts as 1
  // More than 131072 digits before the point: whoever adds or multiplies answers with 22003,
  // kNumericOverflow. Cheap for numbers of machine words.
  bool overflows() const;

  std::string ToString() const;
  double ToDouble() const;
  Result<int64_t> ToInt64() const;  // rounded half away from zero; 22003 out of range
  // Fits numeric(p,s): rounds to s, then 22003 "numeric field overflow" if more than p digits.
  Result<Numeric> Fit(int32_t precision, int32_t scale) const;
  // The unscaled value at exactly `scale` digits (rounding); false if it does not fit 128 bits.
  bool ToInt128(int32_t scale, __int128* out) const;

  // Digits of the unscaled value's magnitude, most significant first and without trailing zeros,
  // and the power of ten p with |value| = 0.DIGITS * 10^p. REQUIRES: finite and not zero.
  int64_t Digits(std::string* digits) const;

  // The in-memory form of an unconstrained numeric column (arrow binary), and back. Not ordered.
  void Encode(std::string* out) const;
  static Numeric Decode(std::string_view bytes);

  // Total order as PostgreSQL's: NaN greatest and equal to itself; 1.0 == 1.00.
  std::strong_ordering operator<=>(const Numeric& other) const;
  bool operator==(const Numeric& other) const { return (*this <=> other) == 0; }

  Numeric operator-() const;
  Numeric operator+(const Numeric& other) const;
  Numeric operator-(const Numeric& other) const;
  Numeric operator*(const Numeric& other) const;
  Result<Numeric> Divide(const Numeric& other) const;           // 22012 by zero
  Result<Numeric> DivideTruncated(const Numeric& other) const;  // div(a, b)
  Result<Numeric> Modulo(const Numeric& other) const;
  Numeric Round(int32_t digits) const;  // half away from zero; digits may be negative
  Numeric Truncate(int32_t digits) const;
  Numeric Ceil() const;
  Numeric Floor() const;
  Numeric Abs() const;
  Result<Numeric> Sqrt() const;
  Result<Numeric> Exp() const;
  Result<Numeric> Ln() const;
  Result<Numeric> Log(const Numeric& base) const;
  Result<Numeric> Power(const Numeric& exponent) const;

  // The unscaled value as GMP's integer, and back; for arithmetic beyond this class.
  void GetUnscaled(mpz_ptr out) const;
  static Numeric FromUnscaled(mpz_srcptr unscaled, int64_t scale);

 private:
  Kind kind_ = Kind::kFinite;
  int32_t scale_ = 0;
  __int128 small_ = 0;  // the unscaled value while `big_` is null
  struct Big;           // owns an mpz_t
  std::unique_ptr<Big> big_;
};

inline constexpr const char* kNumericOverflow = "value overflows numeric format";

// Element `row` of a numeric column in either form (decimal128 or binary). REQUIRES: not null.
Numeric NumericAt(const arrow::Array& column, int64_t row);
// Builds a column of ArrowType(type) from numerics; REQUIRES: they fit.
class NumericBuilder {
 public:
  explicit NumericBuilder(const Type& type);
  ~NumericBuilder();
  void Append(const Numeric& value);
  void AppendNull();
  Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat
