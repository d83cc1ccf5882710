// The functions of enums; comparison is in compare.cc, since a value is its place in the order.
#include <optional>

#include "func/families.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

Result<Type> EnumOf(std::span<const Type> args) {
  for (const Type& arg : args) {
    if (arg.labels) return arg.Bare();
  }
  return SqlStatus("could not determine polymorphic type because input has type unknown",
                   {.sqlstate = kDatatypeMismatch});
}

Result<Type> EnumsOf(std::span<const Type> args) {
  LEAT_ASSIGN(Type type, EnumOf(args));
  return Type::Array(std::move(type));
}

// The same for every row: only the argument's type counts.
template <bool last>
Result<ArrayPtr> EndOfEnum(const Call& call, Arguments) {
  const auto& labels = call.result->labels->labels;
  if (labels.empty()) return NullColumn(*call.result, call.rows);
  const int32_t order = last ? labels.back().order : labels.front().order;
  std::vector<int32_t> orders(static_cast<size_t>(call.rows), order);
  return FixedColumn(*call.result, call.rows, arrow::Buffer::FromVector(std::move(orders)),
                     Nulls{});
}

// Of one argument all labels, of two those from one to the other; null is an open end.
Result<ArrayPtr> RangeOfEnum(const Call& call, Arguments args) {
  std::vector<int32_t> offsets = {0};
  std::vector<int32_t> orders;
  const bool bounded = args.size() == 2;
  const auto bound = [&](size_t i, int64_t row) -> std::optional<int32_t> {
    if (!bounded || args[i].array->IsNull(args[i].at(row))) return std::nullopt;
    return static_cast<const arrow::Int32Array&>(*args[i].array).Value(args[i].at(row));
  };
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto from = bound(0, row), to = bound(1, row);
    for (const EnumType::Label& label : call.result->element->labels->labels) {
      if (from && label.order < *from) continue;
      if (to && label.order > *to) continue;
      orders.push_back(label.order);
    }
    offsets.push_back(static_cast<int32_t>(orders.size()));
  }
  const auto count = static_cast<int64_t>(orders.size());
  const ArrayPtr elements = FixedColumn(*call.result->element, count,
                                        arrow::Buffer::FromVector(std::move(orders)), Nulls{});
  return ListColumn(*call.result, elements, offsets, {});
}

void AddOfEnum(const char* name, std::vector<Type> args, Kernel kernel, bool list,
               const char* description, std::vector<Function>* out) {
  Function function =
      Spec(name, std::move(args), list ? Type::Array(kEnum) : Type(kEnum), kernel, {description});
  function.common = true;
  function.strict = false;
  function.resolve = list ? EnumsOf : EnumOf;
  out->push_back(std::move(function));
}

}  // namespace

void AddEnumFunctions(std::vector<Function>* out) {
  AddOfEnum("enum_first", {kEnum}, EndOfEnum<false>, false, "The first label of an enum's type",
            out);
  AddOfEnum("enum_last", {kEnum}, EndOfEnum<true>, false, "The last label of an enum's type", out);
  AddOfEnum("enum_range", {kEnum}, RangeOfEnum, true, "All labels of an enum's type", out);
  AddOfEnum("enum_range", {kEnum, kEnum}, RangeOfEnum, true, "The labels from one to another", out);
}

}  // namespace leat
