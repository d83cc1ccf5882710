// Arithmetic and functions of numeric. Arguments come in either form (data/numeric.h); the answers
// are unconstrained.
#include <arrow/util/decimal.h>

#include <cstring>

#include "data/numeric.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// The elements of a numeric argument.
struct Numerics {
  explicit Numerics(const Argument& argument) : arg(argument) {}
  Numeric operator[](int64_t row) const { return NumericAt(*arg.array, arg.at(row)); }
  const Argument& arg;
};

void Write(const Call& call, int64_t row, const Result<Numeric>& value, std::string* out) {
  if (value.ok()) {
    value->Encode(out);
  } else {
    SetError(call, row, value.status());
  }
}

template <Result<Numeric> (*f)(const Numeric&, const Numeric&)>
Result<ArrayPtr> Binary(const Call& call, Arguments args) {
  const Numerics left(args[0]);
  const Numerics right(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    Write(call, row, f(left[row], right[row]), out);
  });
}

template <Result<Numeric> (*f)(const Numeric&)>
Result<ArrayPtr> Unary(const Call& call, Arguments args) {
  const Numerics values(args[0]);
  return MapRowsToText(
      call, args, [&](int64_t row, std::string* out) { Write(call, row, f(values[row]), out); });
}

// f(numeric, integer): round and trunc to digits.
template <Numeric (Numeric::*f)(int32_t) const>
Result<ArrayPtr> ToDigits(const Call& call, Arguments args) {
  const Numerics values(args[0]);
  const Values<int32_t> digits(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    (values[row].*f)(std::clamp(digits[row], -2000, 2000)).Encode(out);
  });
}

Result<Numeric> Add(const Numeric& a, const Numeric& b) { return a + b; }
Result<Numeric> Subtract(const Numeric& a, const Numeric& b) { return a - b; }
Result<Numeric> Multiply(const Numeric& a, const Numeric& b) { return a * b; }
Result<Numeric> Divide(const Numeric& a, const Numeric& b) { return a.Divide(b); }
Result<Numeric> Modulo(const Numeric& a, const Numeric& b) { return a.Modulo(b); }
Result<Numeric> DivideTruncated(const Numeric& a, const Numeric& b) { return a.DivideTruncated(b); }
Result<Numeric> Power(const Numeric& a, const Numeric& b) { return a.Power(b); }
Result<Numeric> Logarithm(const Numeric& base, const Numeric& a) { return a.Log(base); }
Result<Numeric> Negate(const Numeric& a) { return -a; }
Result<Numeric> Same(const Numeric& a) { return a; }
Result<Numeric> Abs(const Numeric& a) { return a.Abs(); }
Result<Numeric> Ceil(const Numeric& a) { return a.Ceil(); }
Result<Numeric> Floor(const Numeric& a) { return a.Floor(); }
Result<Numeric> Round(const Numeric& a) { return a.Round(0); }
Result<Numeric> Truncate(const Numeric& a) { return a.Truncate(0); }
Result<Numeric> Sqrt(const Numeric& a) { return a.Sqrt(); }
Result<Numeric> Exp(const Numeric& a) { return a.Exp(); }
Result<Numeric> Ln(const Numeric& a) { return a.Ln(); }
Result<Numeric> Log10(const Numeric& a) { return a.Log(Numeric(10)); }
Result<Numeric> Sign(const Numeric& a) {
  return a.kind() == Numeric::Kind::kNaN ? a : Numeric(a.sign());
}

Result<ArrayPtr> Scale(const Call& call, Arguments args) {
  const Numerics values(args[0]);
  return MapRows<int32_t>(call, args, [&](int64_t row) { return values[row].scale(); });
}

// The scale without trailing zeros.
int32_t LeastScale(const Numeric& value) {
  if (value.kind() != Numeric::Kind::kFinite || value.is_zero()) return 0;
  std::string digits;
  const int64_t point = value.Digits(&digits);
  return static_cast<int32_t>(std::max<int64_t>(0, static_cast<int64_t>(digits.size()) - point));
}

Result<ArrayPtr> MinScale(const Call& call, Arguments args) {
  const Numerics values(args[0]);
  return MapRows<int32_t>(call, args, [&](int64_t row) { return LeastScale(values[row]); });
}

Result<Numeric> TrimScale(const Numeric& a) {
  return a.kind() == Numeric::Kind::kFinite ? a.Round(LeastScale(a)) : a;
}

void AddOperators(std::vector<Function>* out) {
  const auto binary = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(Spec(name, {kNumeric, kNumeric}, kNumeric, kernel, documentation));
  };
  binary("+", Binary<Add>, {"Sum", "7.50 + 2.5", "10.00"});
  binary("-", Binary<Subtract>, {"Difference", "7.50 - 2.5", "5.00"});
  binary("*", Binary<Multiply>, {"Product", "7.50 * 2.5", "18.750"});
  binary("/", Binary<Divide>, {"Quotient", "7.50 / 2.5", "3.0000000000000000"});
  binary("%", Binary<Modulo>, {"Remainder", "7.50 % 2.6", "2.30"});
  binary("^", Binary<Power>, {"Power", "1.5 ^ 2.0", "2.2500000000000000"});
  binary("mod", Binary<Modulo>, {"Remainder", "mod(7.50, 2.6)", "2.30"});
  binary("div", Binary<DivideTruncated>, {"Quotient, truncated", "div(7.5, 2)", "3"});
  binary("power", Binary<Power>, {"Power", "power(9.0, 3.0)", "729.0000000000000000"});
  binary("pow", Binary<Power>, {"Power", "pow(2.0, 0.5)", "1.4142135623730950"});
  binary("log", Binary<Logarithm>,
         {"Logarithm to the base of the first argument", "log(2.0, 64.0)", "6.0000000000000000"});
}

}  // namespace

void AddNumericFunctions(std::vector<Function>* out) {
  AddOperators(out);
  const auto unary = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(Spec(name, {kNumeric}, kNumeric, kernel, documentation));
  };
  unary("-", Unary<Negate>, {"Negative", "- (7.50)", "-7.50"});
  unary("+", Unary<Same>, {"The number itself", "+ (7.50)", "7.50"});
  unary("@", Unary<Abs>, {"Absolute value", "@ (-7.50)", "7.50"});
  unary("abs", Unary<Abs>, {"Absolute value", "abs(-17.4)", "17.4"});
  unary("ceil", Unary<Ceil>, {"Nearest integer not less", "ceil(42.2)", "43"});
  unary("ceiling", Unary<Ceil>, {"Nearest integer not less", "ceiling(95.3)", "96"});
  unary("floor", Unary<Floor>, {"Nearest integer not greater", "floor(-42.8)", "-43"});
  unary("round", Unary<Round>, {"Nearest integer, halves away from zero", "round(42.5)", "43"});
  unary("trunc", Unary<Truncate>, {"Integer part", "trunc(-42.8)", "-42"});
  unary("sqrt", Unary<Sqrt>, {"Square root", "sqrt(2.0)", "1.414213562373095"});
  unary("exp", Unary<Exp>, {"e raised to a power", "exp(1.0)", "2.7182818284590452"});
  unary("ln", Unary<Ln>, {"Natural logarithm", "ln(2.0)", "0.6931471805599453"});
  unary("log", Unary<Log10>, {"Logarithm to base 10", "log(100.0)", "2.0000000000000000"});
  unary("log10", Unary<Log10>, {"Logarithm to base 10", "log10(1000.0)", "3.0000000000000000"});
  unary("sign", Unary<Sign>, {"-1, 0 or 1", "sign(-8.4)", "-1"});
  out->push_back(
      Spec("round", {kNumeric, kInt4}, kNumeric, ToDigits<&Numeric::Round>,
           {"Rounds to so many digits, halves away from zero", "round(42.4382, 2)", "42.44"}));
  out->push_back(Spec("trunc", {kNumeric, kInt4}, kNumeric, ToDigits<&Numeric::Truncate>,
                      {"Cuts after so many digits", "trunc(42.4382, 2)", "42.43"}));
  unary("trim_scale", Unary<TrimScale>,
        {"The number without trailing zeros behind the point", "trim_scale(8.4100)", "8.41"});
  out->push_back(Spec("min_scale", {kNumeric}, kInt4, MinScale,
                      {"How many digits after the point it needs", "min_scale(8.4100)", "2"}));
  out->push_back(Spec("scale", {kNumeric}, kInt4, Scale,
                      {"How many digits after the point it shows", "scale(8.4100)", "4"}));
}

}  // namespace leat
