// = <> < <= > >= for every type.
#include "func/compare.h"

#include <arrow/util/decimal.h>

#include <array>
#include <cstring>
#include <type_traits>

#include "data/numeric.h"
#include "func/families.h"
#include "func/interval.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;
using enum CompareOp;

// Floats are totally ordered: NaN equals NaN and is the greatest.
template <CompareOp op, typename A, typename B>
uint8_t Holds(A a, B b) {
  if constexpr (op == kGreater) return Holds<kLess>(b, a);
  if constexpr (op == kGreaterOrEqual) return Holds<kLessOrEqual>(b, a);
  if constexpr (op == kNotEqual) return Holds<kEqual>(a, b) ^ 1;
  if constexpr (std::is_floating_point_v<A>) {
    const bool a_nan = a != a;
    const bool b_nan = b != b;
    if constexpr (op == kEqual) return (a == b) | (a_nan & b_nan);
    if constexpr (op == kLess) return (a < b) | (b_nan & !a_nan);
    if constexpr (op == kLessOrEqual) return (a <= b) | b_nan;
  } else {
    if constexpr (op == kEqual) return a == b;
    if constexpr (op == kLess) return a < b;
    if constexpr (op == kLessOrEqual) return a <= b;
  }
  return 0;
}

template <CompareOp op, typename A, typename B>
Result<ArrayPtr> ComparePrimitives(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto bytes, AllocateBools(call.rows));
  MapPairs(Values<A>(args[0]), Values<B>(args[1]), call.rows, bytes->mutable_data(),
           [](A a, B b) { return Holds<op>(a, b); });
  return BoolColumn(bytes->data(), call.rows, nulls);
}

// From a three-way comparison of a row's two values.
template <CompareOp op, typename F>
Result<ArrayPtr> CompareRows(const Call& call, Arguments args, F compare) {
  return MapRowsToBool(call, args,
                       [&](int64_t row) { return Holds<op, int, int>(compare(row), 0); });
}

template <CompareOp op>
Result<ArrayPtr> CompareTexts(const Call& call, Arguments args) {
  const Texts left(args[0]);
  const Texts right(args[1]);
  if constexpr (op == kEqual || op == kNotEqual) {
    return MapRowsToBool(call, args,
                         [&](int64_t row) { return (left[row] == right[row]) == (op == kEqual); });
  }
  return CompareRows<op>(call, args, [&](int64_t row) { return left[row].compare(right[row]); });
}

std::string_view WithoutBlanks(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

template <CompareOp op>
Result<ArrayPtr> ComparePadded(const Call& call, Arguments args) {
  const Texts left(args[0]);
  const Texts right(args[1]);
  return CompareRows<op>(call, args, [&](int64_t row) {
    return WithoutBlanks(left[row]).compare(WithoutBlanks(right[row]));
  });
}

int Sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

__int128 Word(const arrow::Array& decimals, int64_t row) {
  __int128 value;
  std::memcpy(&value, static_cast<const arrow::Decimal128Array&>(decimals).GetValue(row), 16);
  return value;
}

template <CompareOp op>
Result<ArrayPtr> CompareNumerics(const Call& call, Arguments args) {
  const arrow::Array& left = *args[0].array;
  const arrow::Array& right = *args[1].array;
  if (left.type_id() == arrow::Type::DECIMAL128 && right.type_id() == arrow::Type::DECIMAL128 &&
      args[0].type.scale == args[1].type.scale) {
    return CompareRows<op>(call, args, [&](int64_t row) {
      return Sign(Word(left, args[0].at(row)) <=> Word(right, args[1].at(row)));
    });
  }
  return CompareRows<op>(call, args, [&](int64_t row) {
    return Sign(NumericAt(left, args[0].at(row)) <=> NumericAt(right, args[1].at(row)));
  });
}

template <CompareOp op>
Result<ArrayPtr> CompareIntervals(const Call& call, Arguments args) {
  const Values<Interval> left(args[0]);
  const Values<Interval> right(args[1]);
  return CompareRows<op>(
      call, args, [&](int64_t row) { return Sign(SpanOf(left[row]) <=> SpanOf(right[row])); });
}

template <CompareOp op>
Result<ArrayPtr> CompareUuids(const Call& call, Arguments args) {
  const auto& left = static_cast<const arrow::FixedSizeBinaryArray&>(*args[0].array);
  const auto& right = static_cast<const arrow::FixedSizeBinaryArray&>(*args[1].array);
  return CompareRows<op>(call, args, [&](int64_t row) {
    return std::memcmp(left.GetValue(args[0].at(row)), right.GetValue(args[1].at(row)), 16);
  });
}

template <CompareOp op>
Result<ArrayPtr> CompareBools(const Call& call, Arguments args) {
  const Bools left(args[0]);
  const Bools right(args[1]);
  return CompareRows<op>(call, args, [&](int64_t row) { return left[row] - right[row]; });
}

template <CompareOp op>
Result<ArrayPtr> Compare(const Call& call, Arguments args) {
  const bool wide = args[1].type.id == kFloat8;
  switch (args[0].type.id) {
    case kInt2:
      return ComparePrimitives<op, int16_t, int16_t>(call, args);
    case kInt4:
    case kEnum:
    case kDate:
      return ComparePrimitives<op, int32_t, int32_t>(call, args);
    case kInt8:
    case kTime:
    case kTimestamp:
    case kTimestamptz:
      return ComparePrimitives<op, int64_t, int64_t>(call, args);
    case kFloat4:
      return wide ? ComparePrimitives<op, float, double>(call, args)
                  : ComparePrimitives<op, float, float>(call, args);
    case kFloat8:
      return wide ? ComparePrimitives<op, double, double>(call, args)
                  : ComparePrimitives<op, double, float>(call, args);
    case kNumeric:
      return CompareNumerics<op>(call, args);
    case kUnknown:
    case kText:
    case kVarchar:
    case kBytea:
      return CompareTexts<op>(call, args);
    case kChar:
      return ComparePadded<op>(call, args);
    case kBool:
      return CompareBools<op>(call, args);
    case kInterval:
      return CompareIntervals<op>(call, args);
    case kUuid:
      return CompareUuids<op>(call, args);
    case kJson:
    case kJsonb:
    case kArray:
      break;
  }
  return NotSupported(
      fmt::format("comparing values of type {} is not supported", TypeName(args[0].type)));
}

// A smaller and a greater value of a type, for the examples.
struct Sample {
  Type left;
  Type right;
  const char* smaller;
  const char* greater;
};

struct Answers {
  const char* symbol;
  const char* sentence;
  const char* answer;  // smaller op greater
};

template <CompareOp op>
void AddOperator(const Answers& answers, const std::vector<Sample>& samples,
                 std::vector<Function>* out) {
  for (const Sample& sample : samples) {
    const std::string example =
        fmt::format("{} {} {}", sample.smaller, answers.symbol, sample.greater);
    Function function = Spec(answers.symbol, {sample.left, sample.right}, kBool, Compare<op>,
                             {answers.sentence, example.c_str(), answers.answer});
    function.total = true;
    out->push_back(std::move(function));
  }
  for (const Type& type : {Type(kJsonb), Type(kEnum), Type::Array(kUnknown)}) {
    Function function = Spec(answers.symbol, {type, type}, kBool, Compare<op>, {answers.sentence});
    function.common = type.id != kJsonb;
    out->push_back(std::move(function));
  }
}

}  // namespace

Result<ArrayPtr> CompareColumns(CompareOp op, const Call& call, Arguments args) {
  switch (op) {
    case kEqual:
      return Compare<kEqual>(call, args);
    case kNotEqual:
      return Compare<kNotEqual>(call, args);
    case kLess:
      return Compare<kLess>(call, args);
    case kLessOrEqual:
      return Compare<kLessOrEqual>(call, args);
    case kGreater:
      return Compare<kGreater>(call, args);
    case kGreaterOrEqual:
      break;
  }
  return Compare<kGreaterOrEqual>(call, args);
}

void AddComparisonFunctions(std::vector<Function>* out) {
  const std::vector<Sample> samples = {
      {kInt4, kInt4, "1", "2"},
      {kInt8, kInt8, "1::bigint", "10000000000"},
      {kInt2, kInt2, "1::smallint", "2::smallint"},
      {kFloat8, kFloat8, "1.5::float8", "'NaN'::float8"},
      {kFloat4, kFloat4, "1.5::real", "2.5::real"},
      {kFloat4, kFloat8, "0.2::real", "0.5::float8"},
      {kFloat8, kFloat4, "0.1::float8", "0.1::real"},
      {kNumeric, kNumeric, "1.0", "1.01"},
      {kText, kText, "'B'::text", "'a'::text"},
      {kChar, kChar, "'a'::char(3)", "'b'::char(1)"},
      {kBool, kBool, "false", "true"},
      {kBytea, kBytea, "'\\x00'::bytea", "'\\x01'::bytea"},
      {kDate, kDate, "date '2024-02-28'", "date '2024-02-29'"},
      {kTimestamp, kTimestamp, "timestamp '2024-02-28 10:00'", "timestamp '2024-02-28 10:01'"},
      {kTimestamptz, kTimestamptz, "timestamptz '2024-02-28 10:00+00'",
       "timestamptz '2024-02-28 10:00-01'"},
      {kTime, kTime, "time '10:00'", "time '10:00:01'"},
      {kInterval, kInterval, "interval '29 days'", "interval '1 month'"},
      {kUuid, kUuid, "'00000000-0000-0000-0000-000000000001'::uuid",
       "'00000000-0000-0000-0000-000000000002'::uuid"},
  };
  AddOperator<kEqual>({"=", "Equal", "f"}, samples, out);
  AddOperator<kNotEqual>({"<>", "Not equal", "t"}, samples, out);
  AddOperator<kLess>({"<", "Less than", "t"}, samples, out);
  AddOperator<kLessOrEqual>({"<=", "Less than or equal to", "t"}, samples, out);
  AddOperator<kGreater>({">", "Greater than", "f"}, samples, out);
  AddOperator<kGreaterOrEqual>({">=", "Greater than or equal to", "f"}, samples, out);
}

}  // namespace leat
