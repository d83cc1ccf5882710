// Casts among numbers: PostgreSQL's roundings and its words for what is out of range.
#include <arrow/util/decimal.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include "data/numeric.h"
#include "func/cast_family.h"

namespace leat {
namespace {

using enum TypeId;

template <typename T>
constexpr const char* kName = nullptr;
template <>
constexpr const char* kName<int16_t> = "smallint";
template <>
constexpr const char* kName<int32_t> = "integer";
template <>
constexpr const char* kName<int64_t> = "bigint";

template <typename From, typename To>
bool Fits(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    if constexpr (std::is_floating_point_v<To>) return true;
    // The greatest integer may not be a float; its successor, a power of two, is.
    constexpr From kEnd = -static_cast<From>(std::numeric_limits<To>::min());
    const From rounded = std::nearbyint(value);
    return rounded >= -kEnd && rounded < kEnd;
  } else if constexpr (std::is_integral_v<To>) {
    return value >= std::numeric_limits<To>::min() && value <= std::numeric_limits<To>::max();
  }
  return true;
}

template <typename From, typename To>
To Convert(From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return Fits<From, To>(value) ? static_cast<To>(std::nearbyint(value)) : To{0};
  } else {
    return static_cast<To>(value);
  }
}

template <typename From, typename To>
constexpr bool kAlwaysFits = std::is_floating_point_v<To> ||
                             (std::is_integral_v<From> && sizeof(From) <= sizeof(To));

void CheckNarrowed(const Call& call, const Nulls& nulls, const Values<double>& from,
                   const float* to) {
  ForEachRow(call, nulls, [&](int64_t row) {
    const double value = from[row];
    if (std::isinf(to[row]) && !std::isinf(value)) {
      call.errors->Set(row, kOutOfRange, "value out of range: overflow");
    } else if (to[row] == 0 && value != 0) {
      call.errors->Set(row, kOutOfRange, "value out of range: underflow");
    }
  });
}

template <typename From, typename To>
Result<ArrayPtr> CastPrimitive(const Call& call, const Argument& arg) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf({&arg, 1}, call.rows));
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(To)));
  const Values<From> from(arg);
  To* to = buffer->template mutable_data_as<To>();
  for (int64_t i = 0; i < call.rows; ++i) to[i] = Convert<From, To>(from.data[i]);
  if constexpr (std::is_same_v<From, double> && std::is_same_v<To, float>) {
    CheckNarrowed(call, nulls, from, to);
  } else if constexpr (!kAlwaysFits<From, To>) {
    bool fit = true;
    for (int64_t i = 0; i < call.rows; ++i) fit &= Fits<From, To>(from.data[i]);
    if (!fit) {
      ForEachRow(call, nulls, [&](int64_t row) {
        if (Fits<From, To>(from[row])) return;
        call.errors->Set(row, kOutOfRange, fmt::format("{} out of range", kName<To>));
      });
    }
  }
  return FixedColumn(*call.result, call.rows, std::move(buffer), nulls);
}

template <typename From>
Result<ArrayPtr> CastFrom(const Call& call, const Argument& arg, TypeId to) {
  switch (to) {
    case kInt2:
      return CastPrimitive<From, int16_t>(call, arg);
    case kInt4:
      return CastPrimitive<From, int32_t>(call, arg);
    case kInt8:
      return CastPrimitive<From, int64_t>(call, arg);
    case kFloat4:
      return CastPrimitive<From, float>(call, arg);
    default:
      return CastPrimitive<From, double>(call, arg);
  }
}

// real has six digits to be trusted: float4_numeric.
Result<Numeric> NumericFromFloat(float value) {
  if (!std::isfinite(value)) return Numeric::FromDouble(value);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), static_cast<double>(value),
                                 std::chars_format::general, 6);
  return Numeric::Parse({text, static_cast<size_t>(end.ptr - text)});
}

template <typename F>
Result<ArrayPtr> BuildNumerics(const Call& call, const Argument& arg, const Type& to, F f) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf({&arg, 1}, call.rows));
  NumericBuilder builder(to);
  const bool decimal = ArrowType(to)->id() == arrow::Type::DECIMAL128;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row) || !call.selection->Has(row)) {
      builder.AppendNull();
      continue;
    }
    Result<Numeric> value = f(row);
    if (value.ok() && to.precision >= 0) value = value->Fit(to.precision, to.scale);
    if (value.ok() && decimal && value->kind() == Numeric::Kind::kNaN) {
      value =
          NotSupported(fmt::format("NaN in a column of type {} is not supported", TypeName(to)));
    }
    if (value.ok()) {
      builder.Append(*value);
    } else {
      SetError(call, row, value.status());
      builder.AppendNull();
    }
  }
  return builder.Finish();
}

Result<ArrayPtr> ToNumeric(const Call& call, const Argument& arg, const Type& to) {
  switch (arg.type.id) {
    case kInt2: {
      const Values<int16_t> values(arg);
      return BuildNumerics(call, arg, to,
                           [&](int64_t row) -> Result<Numeric> { return Numeric(values[row]); });
    }
    case kInt4: {
      const Values<int32_t> values(arg);
      return BuildNumerics(call, arg, to,
                           [&](int64_t row) -> Result<Numeric> { return Numeric(values[row]); });
    }
    case kInt8: {
      const Values<int64_t> values(arg);
      return BuildNumerics(call, arg, to,
                           [&](int64_t row) -> Result<Numeric> { return Numeric(values[row]); });
    }
    case kFloat4: {
      const Values<float> values(arg);
      return BuildNumerics(call, arg, to,
                           [&](int64_t row) { return NumericFromFloat(values[row]); });
    }
    case kFloat8: {
      const Values<double> values(arg);
      return BuildNumerics(call, arg, to,
                           [&](int64_t row) { return Numeric::FromDouble(values[row]); });
    }
    default:
      return BuildNumerics(call, arg, to, [&](int64_t row) -> Result<Numeric> {
        return NumericAt(*arg.array, arg.at(row));
      });
  }
}

template <typename To>
Result<ArrayPtr> IntFromNumeric(const Call& call, const Argument& arg) {
  return MapRows<To>(call, {&arg, 1}, [&](int64_t row) -> To {
    const Numeric value = NumericAt(*arg.array, arg.at(row));
    if (value.kind() != Numeric::Kind::kFinite) {
      const bool nan = value.kind() == Numeric::Kind::kNaN;
      call.errors->Set(row, "0A000",
                       fmt::format("cannot convert {} to {}", nan ? "NaN" : "infinity", kName<To>));
      return 0;
    }
    __int128 whole = 0;
    if (!value.ToInt128(0, &whole) || whole < std::numeric_limits<To>::min() ||
        whole > std::numeric_limits<To>::max()) {
      call.errors->Set(row, kOutOfRange, fmt::format("{} out of range", kName<To>));
      return 0;
    }
    return static_cast<To>(whole);
  });
}

template <typename To>
Result<ArrayPtr> FloatFromNumeric(const Call& call, const Argument& arg) {
  return MapRows<To>(call, {&arg, 1}, [&](int64_t row) -> To {
    const Numeric numeric = NumericAt(*arg.array, arg.at(row));
    const auto value = static_cast<To>(numeric.ToDouble());
    const bool lost = (std::isinf(value) && numeric.kind() == Numeric::Kind::kFinite) ||
                      (value == 0 && !numeric.is_zero());
    if (lost) {
      call.errors->Set(row, kOutOfRange,
                       fmt::format("\"{}\" is out of range for type {}", numeric.ToString(),
                                   std::is_same_v<To, float> ? "real" : "double precision"));
    }
    return value;
  });
}

Result<ArrayPtr> FromNumeric(const Call& call, const Argument& arg, const Type& to) {
  switch (to.id) {
    case kInt2:
      return IntFromNumeric<int16_t>(call, arg);
    case kInt4:
      return IntFromNumeric<int32_t>(call, arg);
    case kInt8:
      return IntFromNumeric<int64_t>(call, arg);
    case kFloat4:
      return FloatFromNumeric<float>(call, arg);
    default:
      return FloatFromNumeric<double>(call, arg);
  }
}

}  // namespace

Result<ArrayPtr> CastNumber(const Call& call, const Argument& arg, const Type& to) {
  if (to.id == kNumeric) return ToNumeric(call, arg, to);
  switch (arg.type.id) {
    case kInt2:
      return CastFrom<int16_t>(call, arg, to.id);
    case kInt4:
      return CastFrom<int32_t>(call, arg, to.id);
    case kInt8:
      return CastFrom<int64_t>(call, arg, to.id);
    case kFloat4:
      return CastFrom<float>(call, arg, to.id);
    case kFloat8:
      return CastFrom<double>(call, arg, to.id);
    default:
      return FromNumeric(call, arg, to);
  }
}

Result<ArrayPtr> CastBoolToInt(const Call& call, const Argument& arg) {
  const Bools values(arg);
  return MapRows<int32_t>(call, {&arg, 1}, [&](int64_t row) { return values[row] ? 1 : 0; });
}

Result<ArrayPtr> CastIntToBool(const Call& call, const Argument& arg) {
  const Values<int32_t> values(arg);
  return MapRowsToBool(call, {&arg, 1}, [&](int64_t row) { return values[row] != 0; });
}

}  // namespace leat
