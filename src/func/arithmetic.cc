// + - * / % of integers and floats.
#include <cmath>
#include <limits>
#include <type_traits>

#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

template <typename T>
const char* OutOfRange() {
  if constexpr (sizeof(T) == 2) return "smallint out of range";
  return sizeof(T) == 4 ? "integer out of range" : "bigint out of range";
}

// Each operation gives its result and whether that is wrong; the loops only collect whether any is.
struct Add {
  template <typename T>
  static bool Overflows(T a, T b, T* out) {
    return __builtin_add_overflow(a, b, out);
  }
  template <typename T>
  static T Float(T a, T b) {
    return a + b;
  }
  static constexpr bool kMayUnderflow = false;
};
struct Subtract {
  template <typename T>
  static bool Overflows(T a, T b, T* out) {
    return __builtin_sub_overflow(a, b, out);
  }
  template <typename T>
  static T Float(T a, T b) {
    return a - b;
  }
  static constexpr bool kMayUnderflow = false;
};
struct Multiply {
  template <typename T>
  static bool Overflows(T a, T b, T* out) {
    return __builtin_mul_overflow(a, b, out);
  }
  template <typename T>
  static T Float(T a, T b) {
    return a * b;
  }
  static constexpr bool kMayUnderflow = true;
};

template <typename Op, typename T>
Result<ArrayPtr> IntegerKernel(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(T)));
  const Values<T> left(args[0]);
  const Values<T> right(args[1]);
  bool overflow = false;
  MapPairs(left, right, call.rows, buffer->template mutable_data_as<T>(), [&](T a, T b) {
    T out;
    overflow |= Op::Overflows(a, b, &out);
    return out;
  });
  if (overflow) {
    ForEachRow(call, nulls, [&](int64_t row) {
      T out;
      if (!Op::Overflows(left[row], right[row], &out)) return;
      call.errors->Set(row, kOutOfRange, OutOfRange<T>());
    });
  }
  return FixedColumn(*call.result, call.rows, std::move(buffer), nulls);
}

template <bool remainder, typename T>
Result<ArrayPtr> IntegerDivide(const Call& call, Arguments args) {
  const Values<T> left(args[0]);
  const Values<T> right(args[1]);
  return MapRows<T>(call, args, [&](int64_t row) -> T {
    const T divisor = right[row];
    if (divisor == 0) {
      call.errors->Set(row, kDivisionByZero, "division by zero");
      return 0;
    }
    if (divisor == -1) {  // the least value has no negative, and the processor traps on it
      if (remainder) return 0;
      if (left[row] == std::numeric_limits<T>::min()) {
        call.errors->Set(row, kOutOfRange, OutOfRange<T>());
        return 0;
      }
    }
    return static_cast<T>(remainder ? left[row] % divisor : left[row] / divisor);
  });
}

void SetOverflow(const Call& call, int64_t row) {
  call.errors->Set(row, kOutOfRange, "value out of range: overflow");
}

void SetUnderflow(const Call& call, int64_t row) {
  call.errors->Set(row, kOutOfRange, "value out of range: underflow");
}

template <typename Op, typename A, typename B>
Result<ArrayPtr> FloatKernel(const Call& call, Arguments args) {
  using T = std::common_type_t<A, B>;
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(T)));
  const Values<A> left(args[0]);
  const Values<B> right(args[1]);
  T* out = buffer->template mutable_data_as<T>();
  unsigned suspect = 0;
  MapPairs(left, right, call.rows, out, [&](A a, B b) {
    const T result = Op::Float(static_cast<T>(a), static_cast<T>(b));
    suspect |= std::abs(result) > std::numeric_limits<T>::max() ? 1U : 0U;
    if constexpr (Op::kMayUnderflow) suspect |= (result == 0) & (a != 0) & (b != 0) ? 1U : 0U;
    return result;
  });
  if (suspect != 0) {
    ForEachRow(call, nulls, [&](int64_t row) {
      const A a = left[row];
      const B b = right[row];
      if (std::isinf(out[row]) && !std::isinf(a) && !std::isinf(b)) SetOverflow(call, row);
      if (Op::kMayUnderflow && out[row] == 0 && a != 0 && b != 0) SetUnderflow(call, row);
    });
  }
  return FixedColumn(*call.result, call.rows, std::move(buffer), nulls);
}

template <typename A, typename B>
Result<ArrayPtr> FloatDivide(const Call& call, Arguments args) {
  using T = std::common_type_t<A, B>;
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(T)));
  const Values<A> left(args[0]);
  const Values<B> right(args[1]);
  T* out = buffer->template mutable_data_as<T>();
  unsigned suspect = 0;
  MapPairs(left, right, call.rows, out, [&](A a, B b) {
    const T result = static_cast<T>(a) / static_cast<T>(b);
    suspect |=
        (b == 0) | (std::abs(result) > std::numeric_limits<T>::max()) | ((result == 0) & (a != 0))
            ? 1U
            : 0U;
    return result;
  });
  if (suspect != 0) {
    ForEachRow(call, nulls, [&](int64_t row) {
      const A a = left[row];
      const B b = right[row];
      if (b == 0 && !std::isnan(a)) {
        call.errors->Set(row, kDivisionByZero, "division by zero");
      } else if (std::isinf(out[row]) && !std::isinf(a)) {
        SetOverflow(call, row);
      } else if (out[row] == 0 && a != 0 && !std::isinf(b)) {
        SetUnderflow(call, row);
      }
    });
  }
  return FixedColumn(*call.result, call.rows, std::move(buffer), nulls);
}

template <typename T>
Result<ArrayPtr> Negate(const Call& call, Arguments args) {
  const Values<T> values(args[0]);
  return MapRows<T>(call, args, [&](int64_t row) -> T {
    if constexpr (std::is_integral_v<T>) {
      if (values[row] == std::numeric_limits<T>::min()) {
        call.errors->Set(row, kOutOfRange, OutOfRange<T>());
        return 0;
      }
    }
    return static_cast<T>(-values[row]);
  });
}

// The argument itself, spread over the rows if it is one value.
Result<ArrayPtr> Same(const Call& call, Arguments args) {
  if (args[0].array->length() == call.rows) return args[0].array;
  return ChooseRows(args, std::vector<int32_t>(static_cast<size_t>(call.rows), 0), *call.result);
}

template <typename T>
void AddInteger(TypeId id, const char* cast, std::vector<Function>* out) {
  const auto add = [&](const char* symbol, Kernel kernel, const char* sentence,
                       const char* answer) {
    const std::string example = fmt::format("7{0} {1} 2{0}", cast, symbol);
    out->push_back(Spec(symbol, {id, id}, id, kernel, {sentence, example.c_str(), answer}));
  };
  add("+", IntegerKernel<Add, T>, "Sum", "9");
  add("-", IntegerKernel<Subtract, T>, "Difference", "5");
  add("*", IntegerKernel<Multiply, T>, "Product", "14");
  add("/", IntegerDivide<false, T>, "Quotient, rounded towards zero", "3");
  add("%", IntegerDivide<true, T>, "Remainder, with the sign of the dividend", "1");
  const std::string example = fmt::format("- (7{})", cast);
  out->push_back(Spec("-", {id}, id, Negate<T>, {"Negative", example.c_str(), "-7"}));
  out->push_back(Spec("+", {id}, id, Same, {"The number itself", "+ 7", "7"}));
}

template <typename A, typename B>
void AddFloat(TypeId left, TypeId right, const char* casts[2], std::vector<Function>* out) {
  const TypeId result = std::is_same_v<std::common_type_t<A, B>, float> ? kFloat4 : kFloat8;
  const auto add = [&](const char* symbol, Kernel kernel, const char* sentence,
                       const char* answer) {
    const std::string example = fmt::format("7.5{} {} 2{}", casts[0], symbol, casts[1]);
    out->push_back(
        Spec(symbol, {left, right}, result, kernel, {sentence, example.c_str(), answer}));
  };
  add("+", FloatKernel<Add, A, B>, "Sum", "9.5");
  add("-", FloatKernel<Subtract, A, B>, "Difference", "5.5");
  add("*", FloatKernel<Multiply, A, B>, "Product", "15");
  add("/", FloatDivide<A, B>, "Quotient", "3.75");
}

template <typename T>
void AddFloatSigns(TypeId id, const char* cast, std::vector<Function>* out) {
  const std::string minus = fmt::format("- (7.5{})", cast);
  const std::string plus = fmt::format("+ (7.5{})", cast);
  out->push_back(Spec("-", {id}, id, Negate<T>, {"Negative", minus.c_str(), "-7.5"}));
  out->push_back(Spec("+", {id}, id, Same, {"The number itself", plus.c_str(), "7.5"}));
}

}  // namespace

void AddArithmeticFunctions(std::vector<Function>* out) {
  AddInteger<int32_t>(kInt4, "", out);
  AddInteger<int64_t>(kInt8, "::bigint", out);
  AddInteger<int16_t>(kInt2, "::smallint", out);
  const char* wide[2] = {"::float8", "::float8"};
  const char* narrow[2] = {"::real", "::real"};
  const char* narrow_wide[2] = {"::real", "::float8"};
  const char* wide_narrow[2] = {"::float8", "::real"};
  AddFloat<double, double>(kFloat8, kFloat8, wide, out);
  AddFloat<float, float>(kFloat4, kFloat4, narrow, out);
  AddFloat<float, double>(kFloat4, kFloat8, narrow_wide, out);
  AddFloat<double, float>(kFloat8, kFloat4, wide_narrow, out);
  AddFloatSigns<double>(kFloat8, "::float8", out);
  AddFloatSigns<float>(kFloat4, "::real", out);
}

}  // namespace leat
