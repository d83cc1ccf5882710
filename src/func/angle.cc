// Trigonometry in degrees, exact where the answer is (PostgreSQL's float.c), and the inverse
// hyperbolic functions.
#include <cmath>

#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr double kRadiansPerDegree = 0.0174532925199432957692;

// Values that the C library gives for what is exact in degrees: results are divided by them.
struct Exact {
  double sin_30 = std::sin(30 * kRadiansPerDegree);
  double one_minus_cos_60 = 1 - std::cos(60 * kRadiansPerDegree);
  double asin_half = std::asin(0.5);
  double acos_half = std::acos(0.5);
  double atan_1 = std::atan(1.0);
};
const Exact& ExactValues() {
  static const Exact exact;
  return exact;
}

double SinTo30(double x) { return std::sin(x * kRadiansPerDegree) / ExactValues().sin_30 / 2.0; }
double CosTo60(double x) {
  return 1.0 - ((1.0 - std::cos(x * kRadiansPerDegree)) / ExactValues().one_minus_cos_60) / 2.0;
}
double SinTo90(double x) { return x <= 30 ? SinTo30(x) : CosTo60(90 - x); }
double CosTo90(double x) { return x <= 60 ? CosTo60(x) : SinTo30(90 - x); }

// An angle brought to the first quadrant, and what that did to the sign of each function.
struct Quadrant {
  double angle;
  int sin = 1, cos = 1, tan = 1;
};
Quadrant QuadrantOf(double x) {
  Quadrant q{std::fmod(x, 360.0)};
  if (q.angle < 0) {
    q.angle = -q.angle;
    q.sin = -q.sin;
    q.tan = -q.tan;
  }
  if (q.angle > 180) {
    q.angle = 360 - q.angle;
    q.sin = -q.sin;
    q.tan = -q.tan;
  }
  if (q.angle > 90) {
    q.angle = 180 - q.angle;
    q.cos = -q.cos;
    q.tan = -q.tan;
  }
  return q;
}

double Sin(double x) {
  const Quadrant q = QuadrantOf(x);
  return q.sin * SinTo90(q.angle);
}
double Cos(double x) {
  const Quadrant q = QuadrantOf(x);
  return q.cos * CosTo90(q.angle);
}
double Tan(double x) {
  const Quadrant q = QuadrantOf(x);
  const double tan_45 = SinTo90(45) / CosTo90(45);
  const double result = q.tan * (SinTo90(q.angle) / CosTo90(q.angle) / tan_45);
  return result == 0 ? 0 : result;  // never -0
}
double Cot(double x) {
  const Quadrant q = QuadrantOf(x);
  const double cot_45 = CosTo90(45) / SinTo90(45);
  const double result = q.tan * (CosTo90(q.angle) / SinTo90(q.angle) / cot_45);
  return result == 0 ? 0 : result;
}

double AsinTo90(double x) {
  if (x <= 0.5) return std::asin(x) / ExactValues().asin_half * 30;
  return 90 - std::acos(x) / ExactValues().acos_half * 60;
}
double AcosTo90(double x) {
  if (x <= 0.5) return 90 - std::asin(x) / ExactValues().asin_half * 30;
  return std::acos(x) / ExactValues().acos_half * 60;
}
double Asin(double x) { return x >= 0 ? AsinTo90(x) : -AsinTo90(-x); }
double Acos(double x) { return x >= 0 ? AcosTo90(x) : 90 + AsinTo90(-x); }
double Atan(double x) { return std::atan(x) / ExactValues().atan_1 * 45; }
double Asinh(double x) { return std::asinh(x); }
double Acosh(double x) { return std::acosh(x); }
double Atanh(double x) { return std::atanh(x); }

bool Finite(double x) { return !std::isinf(x); }
bool Unit(double x) { return std::isnan(x) || (x >= -1 && x <= 1); }
bool Any(double) { return true; }
bool AtLeastOne(double x) { return std::isnan(x) || x >= 1; }

template <double (*f)(double), bool (*valid)(double)>
Result<ArrayPtr> Within(const Call& call, Arguments args) {
  const Values<double> values(args[0]);
  return MapRows<double>(call, args, [&](int64_t row) -> double {
    if (std::isnan(values[row])) return values[row];
    if (!valid(values[row])) {
      call.errors->Set(row, kOutOfRange, "input is out of range");
      return 0;
    }
    return f(values[row]);
  });
}

Result<ArrayPtr> Atan2(const Call& call, Arguments args) {
  const Values<double> y(args[0]), x(args[1]);
  return MapRows<double>(call, args, [&](int64_t row) {
    return std::atan2(y[row], x[row]) / ExactValues().atan_1 * 45;
  });
}

}  // namespace

void AddAngleFunctions(std::vector<Function>* out) {
  const auto add = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(Spec(name, {kFloat8}, kFloat8, kernel, documentation));
  };
  add("sind", Within<Sin, Finite>, {"Sine of degrees", "sind(30)", "0.5"});
  add("cosd", Within<Cos, Finite>, {"Cosine of degrees", "cosd(60)", "0.5"});
  add("tand", Within<Tan, Finite>, {"Tangent of degrees", "tand(45)", "1"});
  add("cotd", Within<Cot, Finite>, {"Cotangent of degrees", "cotd(45)", "1"});
  add("asind", Within<Asin, Unit>, {"Inverse sine, in degrees", "asind(0.5)", "30"});
  add("acosd", Within<Acos, Unit>, {"Inverse cosine, in degrees", "acosd(0.5)", "60"});
  add("atand", Within<Atan, Any>, {"Inverse tangent, in degrees", "atand(1)", "45"});
  add("asinh", Within<Asinh, Any>, {"Inverse hyperbolic sine", "asinh(1)", "0.881373587019543"});
  add("acosh", Within<Acosh, AtLeastOne>, {"Inverse hyperbolic cosine", "acosh(1)", "0"});
  add("atanh", Within<Atanh, Unit>,
      {"Inverse hyperbolic tangent", "atanh(0.5)", "0.5493061443340548"});
  out->push_back(Spec("atan2d", {kFloat8, kFloat8}, kFloat8, Atan2,
                      {"Inverse tangent of a quotient, in degrees", "atan2d(1, 0)", "90"}));
}

}  // namespace leat
