// What is in an array: ANY, ALL, @>, <@, &&, array_position, array_remove, array_replace.
#include <algorithm>

#include "data/key.h"
#include "func/compare.h"
#include "func/families.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

const Type kElement(kUnknown);
const Type kArrayOfAny = Type::Array(kUnknown);

Result<Type> TypeOfFirst(std::span<const Type> args) { return args[0]; }

bool NullAt(const Argument& arg, int64_t row) { return arg.array->IsNull(arg.at(row)); }

// The values of a column as bytes that compare as the values do.
Result<Strings> KeysOf(const ArrayPtr& column, const Type& type) {
  Strings keys;
  LEAT_RETURN(KeyEncoder({{.type = type}}).Encode({column}, column->length(), &keys));
  return keys;
}

bool Holds(CompareOp op, int order) {
  switch (op) {
    case CompareOp::kEqual:
      return order == 0;
    case CompareOp::kNotEqual:
      return order != 0;
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kLessOrEqual:
      return order <= 0;
    case CompareOp::kGreater:
      return order > 0;
    case CompareOp::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

// x op ANY (array), x op ALL (array), with their rules for nulls.
template <CompareOp op, bool any>
Result<ArrayPtr> Quantified(const Call& call, Arguments args) {
  const Lists lists(args[1]);
  LEAT_ASSIGN(const Strings tested, KeysOf(args[0].array, args[0].type));
  LEAT_ASSIGN(const Strings elements, KeysOf(lists.values(), *args[1].type.element));
  LEAT_ASSIGN(auto bytes, AllocateBools(call.rows));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    bytes->mutable_data()[row] = any ? 0 : 1;
    if (lists.null(row)) continue;
    bool decided = false, unknown = false;
    for (int64_t i = lists.begin(row); i < lists.end(row) && !decided; ++i) {
      if (NullAt(args[0], row) || lists.values()->IsNull(i)) {
        unknown = true;
      } else {
        decided = Holds(op, tested[args[0].at(row)].compare(elements[i])) == any;
      }
    }
    if (decided) bytes->mutable_data()[row] = any ? 1 : 0;
    if (decided || !unknown) arrow::bit_util::SetBit(valid->mutable_data(), row);
  }
  return BoolColumn(bytes->data(), call.rows,
                    {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

// The keys of a row's elements that are not null, sorted; whether any was null.
std::vector<std::string_view> Sorted(const Lists& lists, const Strings& keys, int64_t row,
                                     bool* null) {
  std::vector<std::string_view> out;
  for (int64_t i = lists.begin(row); i < lists.end(row); ++i) {
    if (lists.values()->IsNull(i)) {
      *null = true;
    } else {
      out.push_back(keys[i]);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

enum class Relation : uint8_t { kContains, kContained, kOverlaps };

template <Relation relation>
Result<ArrayPtr> Related(const Call& call, Arguments args) {
  const Lists left(args[0]), right(args[1]);
  LEAT_ASSIGN(const Strings left_keys, KeysOf(left.values(), *args[0].type.element));
  LEAT_ASSIGN(const Strings right_keys, KeysOf(right.values(), *args[1].type.element));
  return MapRowsToBool(call, args, [&](int64_t row) {
    bool left_null = false, right_null = false;
    auto a = Sorted(left, left_keys, row, &left_null);
    auto b = Sorted(right, right_keys, row, &right_null);
    if (relation == Relation::kOverlaps) {
      return std::any_of(a.begin(), a.end(), [&](const auto& key) {
        return std::binary_search(b.begin(), b.end(), key);
      });
    }
    if (relation == Relation::kContained) {
      std::swap(a, b);
      std::swap(left_null, right_null);
    }
    return !right_null && std::all_of(b.begin(), b.end(), [&](const auto& key) {
      return std::binary_search(a.begin(), a.end(), key);
    });
  });
}

// Whether element i of the arrays is the value of the row; null is null.
struct Matcher {
  const Argument& value;
  const ArrayPtr elements;
  Strings value_keys, element_keys;

  static Result<Matcher> Make(const Argument& value, const ArrayPtr& elements, const Type& type) {
    Matcher matcher{value, elements, {}, {}};
    LEAT_ASSIGN(matcher.value_keys, KeysOf(value.array, value.type));
    LEAT_ASSIGN(matcher.element_keys, KeysOf(elements, type));
    return matcher;
  }
  bool Matches(int64_t row, int64_t i) const {
    const bool null = NullAt(value, row);
    if (null || elements->IsNull(i)) return null && elements->IsNull(i);
    return value_keys[value.at(row)] == element_keys[i];
  }
};

// array_position(array, value [, from])
Result<ArrayPtr> Position(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  LEAT_ASSIGN(const Matcher matcher, Matcher::Make(args[1], lists.values(), *args[0].type.element));
  const Values<int32_t> from(args.size() == 3 ? args[2] : Argument{args[1]});
  LEAT_ASSIGN(auto values, AllocateValues(call.rows, sizeof(int32_t)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  auto* out = values->mutable_data_as<int32_t>();
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = 0;
    if (lists.null(row)) continue;
    int64_t first = 1;
    if (args.size() == 3) {
      if (NullAt(args[2], row)) {
        if (call.selection->Has(row)) {
          call.errors->Set(row, "22004", "initial position must not be null");
        }
        continue;
      }
      first = std::max<int64_t>(from[row], 1);
    }
    for (int64_t i = first; i <= lists.size(row); ++i) {
      if (!matcher.Matches(row, lists.begin(row) + i - 1)) continue;
      out[row] = static_cast<int32_t>(i);
      arrow::bit_util::SetBit(valid->mutable_data(), row);
      break;
    }
  }
  return FixedColumn(kInt4, call.rows, std::move(values),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> Positions(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  LEAT_ASSIGN(const Matcher matcher, Matcher::Make(args[1], lists.values(), *args[0].type.element));
  std::vector<int32_t> offsets = {0}, places;
  std::vector<int64_t> nulls;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.null(row)) nulls.push_back(row);
    for (int64_t i = 0; i < lists.size(row); ++i) {
      if (matcher.Matches(row, lists.begin(row) + i)) places.push_back(static_cast<int32_t>(i + 1));
    }
    offsets.push_back(static_cast<int32_t>(places.size()));
  }
  const auto count = static_cast<int64_t>(places.size());
  const ArrayPtr elements =
      FixedColumn(kInt4, count, arrow::Buffer::FromVector(std::move(places)), Nulls{});
  return ListColumn(Type::Array(kInt4), elements, offsets, nulls);
}

// array_remove(array, value), array_replace(array, from, to)
Result<ArrayPtr> Replace(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  LEAT_ASSIGN(const Matcher matcher, Matcher::Make(args[1], lists.values(), *args[0].type.element));
  ListWriter writer({lists.values(), args.back().array});
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.null(row)) {
      writer.EndNull();
      continue;
    }
    for (int64_t i = lists.begin(row); i < lists.end(row); ++i) {
      if (!matcher.Matches(row, i)) {
        writer.Add(0, i);
      } else if (args.size() == 3) {
        writer.Add(1, args[2].at(row));
      }
    }
    writer.End();
  }
  return writer.Finish(*call.result);
}

Function Polymorphic(Function function, bool strict = false) {
  function.common = true;
  function.strict = strict;
  if (function.result.id == kUnknown) function.resolve = TypeOfFirst;
  return function;
}

template <CompareOp op>
void AddQuantified(const char* symbol, const char* any, const char* all,
                   std::vector<Function>* out) {
  const auto name = [&](const char* which) { return fmt::format("{} {}", symbol, which); };
  const auto example = [&](const char* which) {
    return fmt::format("2 {} {} ('{{1,2,NULL}}'::int[])", symbol, which);
  };
  out->push_back(
      Polymorphic(Spec(name("any"), {kElement, kArrayOfAny}, kBool, Quantified<op, true>,
                       {"Whether it holds for an element", example("ANY").c_str(), any})));
  out->push_back(
      Polymorphic(Spec(name("all"), {kElement, kArrayOfAny}, kBool, Quantified<op, false>,
                       {"Whether it holds for all elements", example("ALL").c_str(), all})));
}

}  // namespace

void AddArraySearchFunctions(std::vector<Function>* out) {
  AddQuantified<CompareOp::kEqual>("=", "t", "f", out);
  AddQuantified<CompareOp::kNotEqual>("<>", "t", "f", out);
  AddQuantified<CompareOp::kLess>("<", "", "f", out);
  AddQuantified<CompareOp::kLessOrEqual>("<=", "t", "f", out);
  AddQuantified<CompareOp::kGreater>(">", "t", "f", out);
  AddQuantified<CompareOp::kGreaterOrEqual>(">=", "t", "", out);
  out->push_back(
      Polymorphic(Spec("@>", {kArrayOfAny, kArrayOfAny}, kBool, Related<Relation::kContains>,
                       {"Has all elements of the other", "ARRAY[1,4,3] @> ARRAY[3,1,3]", "t"}),
                  true));
  out->push_back(Polymorphic(
      Spec("<@", {kArrayOfAny, kArrayOfAny}, kBool, Related<Relation::kContained>,
           {"All its elements are in the other", "ARRAY[2,2,7] <@ ARRAY[1,7,4,2,6]", "t"}),
      true));
  out->push_back(
      Polymorphic(Spec("&&", {kArrayOfAny, kArrayOfAny}, kBool, Related<Relation::kOverlaps>,
                       {"Some element is in both", "ARRAY[1,4,3] && ARRAY[2,1]", "t"}),
                  true));
  out->push_back(Polymorphic(
      Spec("array_position", {kArrayOfAny, kElement}, kInt4, Position,
           {"The first place of a value", "array_position(ARRAY['a','b','b'], 'b')", "2"})));
  out->push_back(Polymorphic(Spec("array_position", {kArrayOfAny, kElement, kInt4}, kInt4, Position,
                                  {"The first place of a value from a place on",
                                   "array_position(ARRAY['b','a','b'], 'b', 2)", "3"})));
  out->push_back(
      Polymorphic(Spec("array_positions", {kArrayOfAny, kElement}, Type::Array(kInt4), Positions,
                       {"All places of a value", "array_positions(ARRAY[1,2,1], 1)", "{1,3}"})));
  out->push_back(
      Polymorphic(Spec("array_remove", {kArrayOfAny, kElement}, kElement, Replace,
                       {"Without a value", "array_remove(ARRAY[1,2,3,2], 2)", "{1,3}"})));
  out->push_back(Polymorphic(Spec(
      "array_replace", {kArrayOfAny, kElement, kElement}, kElement, Replace,
      {"With a value in place of another", "array_replace(ARRAY[1,2,5,4], 5, 3)", "{1,2,3,4}"})));
}

}  // namespace leat
