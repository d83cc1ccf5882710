// Functions of integers and floats.
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <type_traits>

#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr double kDegree = std::numbers::pi / 180;

void SetOutOfRange(const Call& call, int64_t row, const char* message) {
  call.errors->Set(row, kOutOfRange, message);
}

void CheckRange(const Call& call, int64_t row, double result, bool was_infinite) {
  if (std::isinf(result) && !was_infinite) {
    SetOutOfRange(call, row, "value out of range: overflow");
  }
}

// A float function that is defined everywhere.
template <double (*f)(double)>
Result<ArrayPtr> Float(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) {
    const double result = f(values[row]);
    CheckRange(call, row, result, std::isinf(values[row]));
    return result;
  });
}

// One that is defined in [least, greatest] only.
template <double (*f)(double), int least, int greatest>
Result<ArrayPtr> Within(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) {
    const double x = values[row];
    if (x < least || x > greatest) SetOutOfRange(call, row, "input is out of range");
    return f(x);
  });
}

// sin, cos and tan have no value at infinity.
template <double (*f)(double)>
Result<ArrayPtr> Trigonometric(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) {
    if (std::isinf(values[row])) SetOutOfRange(call, row, "input is out of range");
    return f(values[row]);
  });
}

template <double (*f)(double)>
Result<ArrayPtr> Log(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) {
    const double x = values[row];
    if (x == 0) call.errors->Set(row, "2201E", "cannot take logarithm of zero");
    if (x < 0) call.errors->Set(row, "2201E", "cannot take logarithm of a negative number");
    return f(x);
  });
}

Result<ArrayPtr> Sqrt(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) {
    if (values[row] < 0) {
      call.errors->Set(row, "2201F", "cannot take square root of a negative number");
    }
    return std::sqrt(values[row]);
  });
}

Result<ArrayPtr> Exp(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) {
    const double x = values[row];
    const double result = std::exp(x);
    CheckRange(call, row, result, std::isinf(x));
    if (result == 0 && !std::isinf(x)) SetOutOfRange(call, row, "value out of range: underflow");
    return result;
  });
}

Result<ArrayPtr> Power(const Call& call, Arguments args) {
  const Values<double> bases(args[0]);
  const Values<double> exponents(args[1]);
  return MapRows<double>(call, args, [&](int64_t row) {
    const double x = bases[row];
    const double y = exponents[row];
    if (x == 0 && y < 0) {
      call.errors->Set(row, "2201F", "zero raised to a negative power is undefined");
    } else if (x < 0 && std::isfinite(x) && std::isfinite(y) && std::floor(y) != y) {
      call.errors->Set(row, "2201F",
                       "a negative number raised to a non-integer power yields a complex result");
    }
    const double result = std::pow(x, y);
    if (std::isfinite(x) && std::isfinite(y)) {
      CheckRange(call, row, result, false);
      if (result == 0 && x != 0) SetOutOfRange(call, row, "value out of range: underflow");
    }
    return result;
  });
}

Result<ArrayPtr> Atan2(const Call& call, Arguments args) {
  const Values<double> y(args[0]);
  const Values<double> x(args[1]);
  return MapRows<double>(call, args, [&](int64_t row) { return std::atan2(y[row], x[row]); });
}

Result<ArrayPtr> Pi(const Call& call, Arguments args) {
  return MapRows<double>(call, args, [](int64_t) { return std::numbers::pi; });
}

double Sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double Degrees(double x) { return x / kDegree; }
double Radians(double x) { return x * kDegree; }
double Cot(double x) { return 1 / std::tan(x); }

template <typename T>
const char* OutOfRange() {
  if constexpr (sizeof(T) == 2) return "smallint out of range";
  return sizeof(T) == 4 ? "integer out of range" : "bigint out of range";
}

template <typename T>
Result<ArrayPtr> Abs(const Call& call, Arguments args) {
  const Values<T> values(args[0]);
  return MapRows<T>(call, args, [&](int64_t row) -> T {
    if constexpr (std::is_integral_v<T>) {
      if (values[row] == std::numeric_limits<T>::min()) SetOutOfRange(call, row, OutOfRange<T>());
      return static_cast<T>(values[row] < 0 ? 0 - values[row] : values[row]);
    } else {
      return std::abs(values[row]);
    }
  });
}

template <typename T>
Result<ArrayPtr> Modulo(const Call& call, Arguments args) {
  const Values<T> left(args[0]);
  const Values<T> right(args[1]);
  return MapRows<T>(call, args, [&](int64_t row) -> T {
    if (right[row] == 0) {
      call.errors->Set(row, kDivisionByZero, "division by zero");
      return 0;
    }
    return right[row] == -1 ? T{0} : static_cast<T>(left[row] % right[row]);
  });
}

// The magnitude, of the least value too.
template <typename T>
std::make_unsigned_t<T> Magnitude(T x) {
  using U = std::make_unsigned_t<T>;
  return x < 0 ? U{0} - static_cast<U>(x) : static_cast<U>(x);
}

template <typename T, bool least_multiple>
Result<ArrayPtr> CommonFactor(const Call& call, Arguments args) {
  const Values<T> left(args[0]);
  const Values<T> right(args[1]);
  return MapRows<T>(call, args, [&](int64_t row) -> T {
    const auto a = Magnitude(left[row]);
    const auto b = Magnitude(right[row]);
    auto result = std::gcd(a, b);
    bool overflow = false;
    if (least_multiple && result != 0) overflow = __builtin_mul_overflow(a / result, b, &result);
    if (overflow || result > Magnitude(std::numeric_limits<T>::max())) {
      SetOutOfRange(call, row, OutOfRange<T>());
      return 0;
    }
    return static_cast<T>(result);
  });
}

Result<ArrayPtr> WidthBucket(const Call& call, Arguments args) {
  const Values<double> x(args[0]), low(args[1]), high(args[2]);
  const Values<int32_t> count(args[3]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const double begin = low[row];
    const double end = high[row];
    const auto fail = [&](const char* message) {
      call.errors->Set(row, "2201G", message);
      return 0;
    };
    if (count[row] <= 0) return fail("count must be greater than zero");
    if (std::isnan(x[row]) || std::isnan(begin) || std::isnan(end)) {
      return fail("operand, lower bound, and upper bound cannot be NaN");
    }
    if (std::isinf(begin) || std::isinf(end)) return fail("lower and upper bounds must be finite");
    if (begin == end) return fail("lower bound cannot equal upper bound");
    const bool up = begin < end;
    const double value = up ? x[row] : -x[row];
    const double from = up ? begin : -begin;
    const double to = up ? end : -end;
    if (value < from) return 0;
    if (value >= to) {
      if (count[row] == std::numeric_limits<int32_t>::max()) {
        SetOutOfRange(call, row, "integer out of range");
        return 0;
      }
      return count[row] + 1;
    }
    const double bucket = std::floor(count[row] * ((value - from) / (to - from)));
    return std::min(static_cast<int32_t>(bucket), count[row] - 1) + 1;
  });
}

template <typename T>
void AddInteger(TypeId id, const char* cast, std::vector<Function>* out) {
  const auto binary = [&](const char* name, Kernel kernel, const char* sentence, const char* args,
                          const char* answer) {
    const std::string example = fmt::format("{}({}{})", name, args, cast);
    out->push_back(Spec(name, {id, id}, id, kernel, {sentence, example.c_str(), answer}));
  };
  binary("mod", Modulo<T>, "Remainder", "-9, 4", "-1");
  if (id != kInt2) {
    binary("gcd", CommonFactor<T, false>, "Greatest common divisor", "1071, 462", "21");
    binary("lcm", CommonFactor<T, true>, "Least common multiple", "1071, 462", "23562");
  }
  const std::string example = fmt::format("abs((-17){})", cast);
  out->push_back(Spec("abs", {id}, id, Abs<T>, {"Absolute value", example.c_str(), "17"}));
  out->push_back(Spec("@", {id}, id, Abs<T>, {"Absolute value", "@ (-17)", "17"}));
}

double Rint(double x) { return std::nearbyint(x); }

void AddRounding(std::vector<Function>* out) {
  const auto add = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(Spec(name, {kFloat8}, kFloat8, kernel, documentation));
  };
  add("abs", Abs<double>, {"Absolute value", "abs(-17.4::float8)", "17.4"});
  add("@", Abs<double>, {"Absolute value", "@ (-17.4::float8)", "17.4"});
  out->push_back(
      Spec("abs", {kFloat4}, kFloat4, Abs<float>, {"Absolute value", "abs(-17.4::real)", "17.4"}));
  add("ceil", Float<std::ceil>, {"Nearest integer not less", "ceil(-42.8::float8)", "-42"});
  add("ceiling", Float<std::ceil>, {"Nearest integer not less", "ceiling(42.2::float8)", "43"});
  add("floor", Float<std::floor>, {"Nearest integer not greater", "floor(-42.8::float8)", "-43"});
  add("round", Float<Rint>, {"Nearest integer, halves to even", "round(42.5::float8)", "42"});
  add("trunc", Float<std::trunc>, {"Integer part", "trunc(-42.8::float8)", "-42"});
  add("sign", Float<Sign>, {"-1, 0 or 1", "sign(-8.4::float8)", "-1"});
}

void AddPowers(std::vector<Function>* out) {
  const auto add = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(Spec(name, {kFloat8}, kFloat8, kernel, documentation));
  };
  add("sqrt", Sqrt, {"Square root", "sqrt(2::float8)", "1.4142135623730951"});
  add("|/", Sqrt, {"Square root", "|/ (25::float8)", "5"});
  add("cbrt", Float<std::cbrt>, {"Cube root", "cbrt(64::float8)", "4"});
  add("||/", Float<std::cbrt>, {"Cube root", "||/ (64::float8)", "4"});
  add("exp", Exp, {"e raised to a power", "exp(1::float8)", "2.718281828459045"});
  add("ln", Log<std::log>, {"Natural logarithm", "ln(2::float8)", "0.6931471805599453"});
  add("log", Log<std::log10>, {"Logarithm to base 10", "log(100::float8)", "2"});
  add("log10", Log<std::log10>, {"Logarithm to base 10", "log10(1000::float8)", "3"});
  for (const char* name : {"power", "pow"}) {
    const std::string example = fmt::format("{}(9::float8, 3::float8)", name);
    out->push_back(
        Spec(name, {kFloat8, kFloat8}, kFloat8, Power, {"Power", example.c_str(), "729"}));
  }
  out->push_back(Spec("^", {kFloat8, kFloat8}, kFloat8, Power, {"Power", "2::float8 ^ 3", "8"}));
}

void AddAngles(std::vector<Function>* out) {
  const auto add = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(Spec(name, {kFloat8}, kFloat8, kernel, documentation));
  };
  add("degrees", Float<Degrees>, {"Radians to degrees", "degrees(0.5)", "28.64788975654116"});
  add("radians", Float<Radians>, {"Degrees to radians", "radians(45)", "0.7853981633974483"});
  add("sin", Trigonometric<std::sin>, {"Sine", "sin(1)", "0.8414709848078965"});
  add("cos", Trigonometric<std::cos>, {"Cosine", "cos(0)", "1"});
  add("tan", Trigonometric<std::tan>, {"Tangent", "tan(1)", "1.5574077246549023"});
  add("cot", Trigonometric<Cot>, {"Cotangent", "cot(0.5)", "1.830487721712452"});
  add("asin", Within<std::asin, -1, 1>, {"Inverse sine", "asin(1)", "1.5707963267948966"});
  add("acos", Within<std::acos, -1, 1>, {"Inverse cosine", "acos(1)", "0"});
  add("atan", Float<std::atan>, {"Inverse tangent", "atan(1)", "0.7853981633974483"});
  add("sinh", Float<std::sinh>, {"Hyperbolic sine", "sinh(1)", "1.1752011936438014"});
  add("cosh", Float<std::cosh>, {"Hyperbolic cosine", "cosh(0)", "1"});
  add("tanh", Float<std::tanh>, {"Hyperbolic tangent", "tanh(1)", "0.7615941559557649"});
  out->push_back(Spec("atan2", {kFloat8, kFloat8}, kFloat8, Atan2,
                      {"Inverse tangent of a quotient", "atan2(1, 0)", "1.5707963267948966"}));
  out->push_back(Spec("pi", {}, kFloat8, Pi, {"The ratio pi", "pi()", "3.141592653589793"}));
}

}  // namespace

void AddMathFunctions(std::vector<Function>* out) {
  AddInteger<int32_t>(kInt4, "", out);
  AddInteger<int64_t>(kInt8, "::bigint", out);
  AddInteger<int16_t>(kInt2, "::smallint", out);
  AddRounding(out);
  AddPowers(out);
  AddAngles(out);
  out->push_back(Spec("width_bucket", {kFloat8, kFloat8, kFloat8, kInt4}, kInt4, WidthBucket,
                      {"The number of the bucket of equal width that a value falls in",
                       "width_bucket(5.35, 0.024, 10.06, 5)", "3"}));
}

}  // namespace leat
