// Nulls and truth: IS …, NOT, NULLIF, GREATEST, LEAST.
#include "func/compare.h"
#include "func/families.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

Result<Type> FirstArgument(std::span<const Type> args) { return args[0]; }

Result<ArrayPtr> Not(const Call& call, Arguments args) {
  const Bools values(args[0]);
  return MapRowsToBool(call, args, [&](int64_t row) { return !values[row]; });
}

// A bool for every row, never null.
template <typename F>
Result<ArrayPtr> TestRows(const Call& call, F test) {
  LEAT_ASSIGN(auto bytes, AllocateBools(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) bytes->mutable_data()[row] = test(row) ? 1 : 0;
  return BoolColumn(bytes->data(), call.rows, Nulls{});
}

template <bool null>
Result<ArrayPtr> IsNull(const Call& call, Arguments args) {
  const Argument& arg = args[0];
  return TestRows(call, [&](int64_t row) { return arg.array->IsNull(arg.at(row)) == null; });
}

enum class Truth : uint8_t { kFalse, kTrue, kUnknown };

template <Truth truth, bool is>
Result<ArrayPtr> IsTruth(const Call& call, Arguments args) {
  const Argument& arg = args[0];
  const Bools values(arg);
  return TestRows(call, [&](int64_t row) {
    const bool null = arg.array->IsNull(arg.at(row));
    const Truth actual = null ? Truth::kUnknown : values[row] ? Truth::kTrue : Truth::kFalse;
    return (actual == truth) == is;
  });
}

template <bool distinct>
Result<ArrayPtr> IsDistinct(const Call& call, Arguments args) {
  Selection all;  // a comparison cannot fail
  Call inner = call;
  inner.selection = &all;
  LEAT_ASSIGN(const ArrayPtr equal, CompareColumns(CompareOp::kEqual, inner, args));
  const auto& equals = static_cast<const arrow::BooleanArray&>(*equal);
  return TestRows(call, [&](int64_t row) {
    const bool differ = equals.IsNull(row) ? args[0].array->IsNull(args[0].at(row)) !=
                                                 args[1].array->IsNull(args[1].at(row))
                                           : !equals.Value(row);
    return differ == distinct;
  });
}

Result<ArrayPtr> NullIf(const Call& call, Arguments args) {
  LEAT_ASSIGN(const ArrayPtr equal, CompareColumns(CompareOp::kEqual, call, args));
  const auto& equals = static_cast<const arrow::BooleanArray&>(*equal);
  std::vector<int32_t> from(static_cast<size_t>(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool null =
        args[0].array->IsNull(args[0].at(row)) || (!equals.IsNull(row) && equals.Value(row));
    from[static_cast<size_t>(row)] = null ? -1 : 0;
  }
  return ChooseRows(args.first(1), from, *call.result);
}

template <CompareOp better>
Result<ArrayPtr> Best(const Call& call, Arguments args) {
  Argument best = args[0];
  for (size_t i = 1; i < args.size(); ++i) {
    const Argument pair[] = {args[i], best};
    LEAT_ASSIGN(const ArrayPtr wins, CompareColumns(better, call, pair));
    const auto& next_wins = static_cast<const arrow::BooleanArray&>(*wins);
    std::vector<int32_t> from(static_cast<size_t>(call.rows));
    for (int64_t row = 0; row < call.rows; ++row) {
      const bool next_null = pair[0].array->IsNull(pair[0].at(row));
      const bool best_null = pair[1].array->IsNull(pair[1].at(row));
      const bool next = best_null || (!next_null && next_wins.Value(row));
      from[static_cast<size_t>(row)] = next_null && best_null ? -1 : next ? 0 : 1;
    }
    LEAT_ASSIGN(best.array, ChooseRows(pair, from, *call.result));
    best.constant = false;
  }
  if (!best.constant) return best.array;
  const std::vector<int32_t> from(static_cast<size_t>(call.rows), 0);
  if (best.array->IsNull(0)) return NullColumn(*call.result, call.rows);
  return ChooseRows({&best, 1}, from, *call.result);
}

template <bool null>
Result<ArrayPtr> CountNulls(const Call& call, Arguments args) {
  LEAT_ASSIGN(auto buffer, AllocateValues(call.rows, sizeof(int32_t)));
  auto* counts = buffer->mutable_data_as<int32_t>();
  std::fill(counts, counts + call.rows, 0);
  for (const Argument& arg : args) {
    for (int64_t row = 0; row < call.rows; ++row) {
      counts[row] += arg.array->IsNull(arg.at(row)) == null ? 1 : 0;
    }
  }
  return FixedColumn(kInt4, call.rows, std::move(buffer), Nulls{});
}

// A scalar subquery's value, given how many rows it has.
Result<ArrayPtr> OneRow(const Call& call, Arguments args) {
  const Values<int64_t> counts(args[1]);
  std::vector<int32_t> from(static_cast<size_t>(call.rows), 0);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (args[0].array->IsNull(args[0].at(row))) from[static_cast<size_t>(row)] = -1;
    if (args[1].array->IsNull(args[1].at(row)) || counts[row] <= 1) continue;
    if (!call.selection->Has(row)) continue;
    call.errors->Set(row, "21000",
                     "more than one row returned by a subquery used as an expression");
  }
  return ChooseRows(args.first(1), from, *call.result);
}

// The functions to which null is a value like others, and which never fail.
Function TakingNulls(Function function) {
  function.strict = false;
  function.total = true;
  return function;
}

Function Common(Function function) {
  function.common = true;
  if (function.result.id == kUnknown) function.resolve = FirstArgument;
  return TakingNulls(std::move(function));
}

Function Variadic(Function function) {
  function.variadic = true;
  return function;
}

void AddTruthTests(std::vector<Function>* out) {
  const auto add = [&](const char* name, Kernel kernel, Documentation documentation) {
    out->push_back(TakingNulls(Spec(name, {kBool}, kBool, kernel, documentation)));
  };
  add("is true", IsTruth<Truth::kTrue, true>, {"True, not false or null", "true IS TRUE", "t"});
  add("is not true", IsTruth<Truth::kTrue, false>, {"False or null", "NULL IS NOT TRUE", "t"});
  add("is false", IsTruth<Truth::kFalse, true>, {"False, not null", "NULL IS FALSE", "f"});
  add("is not false", IsTruth<Truth::kFalse, false>, {"True or null", "NULL IS NOT FALSE", "t"});
  add("is unknown", IsTruth<Truth::kUnknown, true>,
      {"Null as a truth value", "NULL IS UNKNOWN", "t"});
  add("is not unknown", IsTruth<Truth::kUnknown, false>,
      {"True or false", "true IS NOT UNKNOWN", "t"});
}

}  // namespace

void AddConditionalFunctions(std::vector<Function>* out) {
  Function negation =
      Spec("not", {kBool}, kBool, Not, {"True if false, null if null", "NOT true", "f"});
  negation.total = true;
  out->push_back(std::move(negation));
  out->push_back(TakingNulls(Spec("is null", {kUnknown}, kBool, IsNull<true>,
                                  {"Whether there is no value", "NULL IS NULL", "t"})));
  out->push_back(TakingNulls(Spec("is not null", {kUnknown}, kBool, IsNull<false>,
                                  {"Whether there is a value", "1 IS NOT NULL", "t"})));
  AddTruthTests(out);
  out->push_back(
      Common(Spec("is distinct from", {kUnknown, kUnknown}, kBool, IsDistinct<true>,
                  {"Unequal, null being equal to null alone", "1 IS DISTINCT FROM NULL", "t"})));
  out->push_back(Common(
      Spec("is not distinct from", {kUnknown, kUnknown}, kBool, IsDistinct<false>,
           {"Equal, null being equal to null alone", "NULL IS NOT DISTINCT FROM NULL", "t"})));
  out->push_back(Variadic(
      Common(Spec("greatest", {kUnknown, kUnknown}, kUnknown, Best<CompareOp::kGreater>,
                  {"The greatest argument that is not null", "greatest(1, NULL, 3.5)", "3.5"}))));
  out->push_back(Variadic(
      Common(Spec("least", {kUnknown, kUnknown}, kUnknown, Best<CompareOp::kLess>,
                  {"The least argument that is not null", "least('b', 'a', NULL)", "a"}))));
  out->push_back(Common(Spec(
      "nullif", {kUnknown, kUnknown}, kUnknown, NullIf,
      {"Null if both arguments are equal, else the first", "nullif('n/a', 'n/a') IS NULL", "t"})));
  Function one_row =
      Spec("one row", {kUnknown, kInt8}, kUnknown, OneRow,
           {"The value of a subquery's only row", "(SELECT x FROM (VALUES (1)) t(x))", "1"});
  one_row.strict = false;
  one_row.resolve = FirstArgument;
  out->push_back(std::move(one_row));
  out->push_back(
      Variadic(TakingNulls(Spec("num_nulls", {kUnknown, kUnknown}, kInt4, CountNulls<true>,
                                {"How many arguments are null", "num_nulls(1, NULL, 2)", "1"}))));
  out->push_back(Variadic(
      TakingNulls(Spec("num_nonnulls", {kUnknown, kUnknown}, kInt4, CountNulls<false>,
                       {"How many arguments are not null", "num_nonnulls(1, NULL, 2)", "2"}))));
}

}  // namespace leat
