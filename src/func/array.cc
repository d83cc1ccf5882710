// Arrays: made, taken apart, put together, and their text. They have one dimension, counted from 1.
#include <arrow/array/builder_binary.h>

#include <algorithm>

#include "data/text.h"
#include "data/utf8.h"
#include "func/families.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

const Type kAny(kUnknown);
const Type kAnyArray = Type::Array(kUnknown);

Result<Type> ArrayOfFirst(std::span<const Type> args) {
  if (args[0].id == kArray) {
    return NotSupported("arrays of more than one dimension are not supported");
  }
  return Type::Array(args[0]);
}
Result<Type> FirstArgument(std::span<const Type> args) { return args[0]; }
Result<Type> SecondArgument(std::span<const Type> args) { return args[1]; }
Result<Type> ElementOfFirst(std::span<const Type> args) { return *args[0].element; }

bool IsNull(const Argument& arg, int64_t row) { return arg.array->IsNull(arg.at(row)); }

// ARRAY[…]
Result<ArrayPtr> MakeArray(const Call& call, Arguments args) {
  std::vector<ArrayPtr> sources;
  for (const Argument& arg : args) sources.push_back(arg.array);
  ListWriter writer(std::move(sources));
  for (int64_t row = 0; row < call.rows; ++row) {
    for (size_t i = 0; i < args.size(); ++i) writer.Add(i, args[i].at(row));
    writer.End();
  }
  return writer.Finish(*call.result);
}

// a[i]: null outside.
Result<ArrayPtr> Element(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  const Values<int32_t> places(args[1]);
  std::vector<int64_t> picked;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool there = !lists.null(row) && !IsNull(args[1], row) && places[row] >= 1 &&
                       places[row] <= lists.size(row);
    picked.push_back(there ? lists.begin(row) + places[row] - 1 : -1);
  }
  return TakeRows(lists.values(), picked);
}

// a[from:to]
Result<ArrayPtr> Part(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  const Values<int32_t> from(args[1]), to(args[2]);
  ListWriter writer({lists.values()});
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.null(row) || IsNull(args[1], row) || IsNull(args[2], row)) {
      writer.EndNull();
      continue;
    }
    const int64_t first = std::max<int64_t>(from[row], 1);
    const int64_t last = std::min<int64_t>(to[row], lists.size(row));
    for (int64_t i = first; i <= last; ++i) writer.Add(0, lists.begin(row) + i - 1);
    writer.End();
  }
  return writer.Finish(*call.result);
}

// array_length, array_upper: null of an empty array.
Result<ArrayPtr> Length(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  const Values<int32_t> dimensions(args[1]);
  LEAT_ASSIGN(auto values, AllocateValues(call.rows, sizeof(int32_t)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  auto* out = values->mutable_data_as<int32_t>();
  for (int64_t row = 0; row < call.rows; ++row) {
    out[row] = static_cast<int32_t>(lists.size(row));
    if (lists.size(row) == 0 || IsNull(args[1], row) || dimensions[row] != 1) continue;
    arrow::bit_util::SetBit(valid->mutable_data(), row);
  }
  return FixedColumn(kInt4, call.rows, std::move(values),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> Lower(const Call& call, Arguments args) {
  LEAT_ASSIGN(const ArrayPtr length, Length(call, args));
  const auto& lengths = static_cast<const arrow::Int32Array&>(*length);
  LEAT_ASSIGN(auto values, AllocateValues(call.rows, sizeof(int32_t)));
  std::fill_n(values->mutable_data_as<int32_t>(), call.rows, 1);
  return FixedColumn(kInt4, call.rows, std::move(values),
                     {.bitmap = lengths.null_bitmap(), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> Dimensions(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  std::vector<int64_t> picked;
  LEAT_ASSIGN(auto values, AllocateValues(call.rows, sizeof(int32_t)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  std::fill_n(values->mutable_data_as<int32_t>(), call.rows, 1);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.size(row) > 0) arrow::bit_util::SetBit(valid->mutable_data(), row);
  }
  return FixedColumn(kInt4, call.rows, std::move(values),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

// "[1:3]"; null of an empty array.
Result<ArrayPtr> DimensionsText(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.size(row) > 0) {
      writer.bytes() += fmt::format("[1:{}]", lists.size(row));
      arrow::bit_util::SetBit(valid->mutable_data(), row);
    }
    writer.End();
  }
  return writer.Finish(*call.result,
                       {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

// The places of an array's elements, from the first or (`reverse`) from the last.
Result<ArrayPtr> Subscripts(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  const Values<int32_t> dimensions(args[1]);
  std::vector<int32_t> offsets = {0};
  std::vector<int32_t> places;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool none = std::any_of(args.begin(), args.end(),
                                  [&](const Argument& arg) { return IsNull(arg, row); });
    const bool reverse = !none && args.size() == 3 && Bools(args[2])[row];
    const auto size = static_cast<int32_t>(none || dimensions[row] != 1 ? 0 : lists.size(row));
    for (int32_t i = 1; i <= size; ++i) places.push_back(reverse ? size + 1 - i : i);
    offsets.push_back(static_cast<int32_t>(places.size()));
  }
  const auto count = static_cast<int64_t>(places.size());
  const ArrayPtr elements =
      FixedColumn(kInt4, count, arrow::Buffer::FromVector(std::move(places)), Nulls{});
  return ListColumn(Type::Array(kInt4), elements, offsets, {});
}

Result<ArrayPtr> Cardinality(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  return MapRows<int32_t>(call, args,
                          [&](int64_t row) { return static_cast<int32_t>(lists.size(row)); });
}

void AddAll(const Lists& lists, int64_t row, size_t source, ListWriter* writer) {
  for (int64_t i = 0; i < lists.size(row); ++i) writer->Add(source, lists.begin(row) + i);
}

template <bool prepend>
Result<ArrayPtr> Append(const Call& call, Arguments args) {
  const Lists lists(args[prepend ? 1 : 0]);
  const Argument& element = args[prepend ? 0 : 1];
  ListWriter writer({lists.values(), element.array});
  for (int64_t row = 0; row < call.rows; ++row) {
    if (prepend) writer.Add(1, element.at(row));
    AddAll(lists, row, 0, &writer);
    if (!prepend) writer.Add(1, element.at(row));
    writer.End();
  }
  return writer.Finish(*call.result);
}

Result<ArrayPtr> Join(const Call& call, Arguments args) {
  const Lists left(args[0]), right(args[1]);
  ListWriter writer({left.values(), right.values()});
  for (int64_t row = 0; row < call.rows; ++row) {
    if (left.null(row) && right.null(row)) {
      writer.EndNull();
      continue;
    }
    AddAll(left, row, 0, &writer);
    AddAll(right, row, 1, &writer);
    writer.End();
  }
  return writer.Finish(*call.result);
}

Result<ArrayPtr> TrimArray(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  const Values<int32_t> counts(args[1]);
  ListWriter writer({lists.values()});
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.null(row) || IsNull(args[1], row)) {
      writer.EndNull();
      continue;
    }
    const int64_t size = lists.size(row);
    if (call.selection->Has(row) && (counts[row] < 0 || counts[row] > size)) {
      call.errors->Set(row, "2202E",
                       fmt::format("number of elements to trim must be between 0 and {}", size));
    }
    for (int64_t i = 0; i < size - counts[row]; ++i) writer.Add(0, lists.begin(row) + i);
    writer.End();
  }
  return writer.Finish(*call.result);
}

Result<ArrayPtr> Fill(const Call& call, Arguments args) {
  const Lists sizes(args[1]);
  const auto& numbers = static_cast<const arrow::Int32Array&>(*sizes.values());
  constexpr int64_t kElementsMax = int64_t{1} << 27;
  ListWriter writer({args[0].array});
  for (int64_t row = 0; row < call.rows; ++row) {
    if (sizes.size(row) > 1 && call.selection->Has(row)) {
      call.errors->Set(row, "0A000", "arrays of more than one dimension are not supported");
    }
    const int64_t count = sizes.size(row) == 1 ? numbers.Value(sizes.begin(row)) : 0;
    if (count > kElementsMax && call.selection->Has(row)) {
      call.errors->Set(row, "54000", "array size exceeds the maximum allowed");
    }
    for (int64_t i = 0; i < count && count <= kElementsMax; ++i) writer.Add(0, args[0].at(row));
    sizes.null(row) ? writer.EndNull() : writer.End();
  }
  return writer.Finish(*call.result);
}

Result<ArrayPtr> ArrayToString(const Call& call, Arguments args) {
  const Lists lists(args[0]);
  const Texts separators(args[1]);
  const TextSettings settings{.timezone = call.context->timezone, .now = call.context->now};
  LEAT_ASSIGN(const ArrayPtr column,
              ToTextColumn(*lists.values(), *args[0].type.element, settings));
  const Texts texts({.array = column, .type = kText});
  const Texts nulls(args.back());
  LEAT_ASSIGN(const Nulls strict, NullsOf(args.first(2), call.rows));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    bool any = false;
    for (int64_t i = 0; i < lists.size(row) && !strict.Has(row); ++i) {
      const int64_t at = lists.begin(row) + i;
      const bool null = column->IsNull(at);
      if (null && (args.size() == 2 || IsNull(args[2], row))) continue;
      if (any) writer.bytes() += separators[row];
      writer.bytes() += null ? nulls[row] : texts[at];
      any = true;
    }
    writer.End();
  }
  return writer.Finish(*call.result, strict);
}

// The parts of a text between separators; of each character where there is none.
std::vector<std::string_view> Split(std::string_view text, const std::string_view* separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  if (separator == nullptr) {
    for (size_t at = 0; at < text.size(); at += parts.back().size()) {
      parts.push_back(CodePointAt(text, at));
    }
    return parts;
  }
  size_t begin = 0;
  while (!separator->empty()) {
    const size_t at = text.find(*separator, begin);
    if (at == text.npos) break;
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator->size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

Result<ArrayPtr> StringToArray(const Call& call, Arguments args) {
  const Texts texts(args[0]), separators(args[1]), null_words(args.back());
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> nulls;
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (IsNull(args[0], row)) {
      nulls.push_back(row);
    } else {
      const std::string_view separator = separators[row];
      const bool has_word = args.size() == 3 && !IsNull(args[2], row);
      for (const auto part : Split(texts[row], IsNull(args[1], row) ? nullptr : &separator)) {
        LEAT_RETURN(has_word && part == null_words[row] ? builder.AppendNull()
                                                        : builder.Append(part));
      }
    }
    offsets.push_back(static_cast<int32_t>(builder.length()));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(Type::Array(kText), elements, offsets, nulls);
}

Function Lenient(Function function) {
  function.strict = false;
  return function;
}

Function Resolving(Function function, Result<Type> (*resolve)(std::span<const Type>),
                   bool common = false) {
  function.resolve = resolve;
  function.common = common;
  return Lenient(std::move(function));
}

void AddParts(std::vector<Function>* out) {
  out->push_back(
      Resolving(Spec("array element", {kAnyArray, kInt4}, kAny, Element,
                     {"The element at a place, null outside: a[i]", "(ARRAY['a','b'])[2]", "b"}),
                ElementOfFirst));
  out->push_back(
      Resolving(Spec("array part", {kAnyArray, kInt4, kInt4}, kAny, Part,
                     {"The elements between places: a[i:j]", "(ARRAY[5,6,7])[2:9]", "{6,7}"}),
                FirstArgument));
  out->push_back(
      Spec("array_length", {kAnyArray, kInt4}, kInt4, Length,
           {"How many elements there are, null if none", "array_length(ARRAY[5,6], 1)", "2"}));
  out->push_back(Spec("array_upper", {kAnyArray, kInt4}, kInt4, Length,
                      {"The place of the last element", "array_upper(ARRAY[5,6], 1)", "2"}));
  out->push_back(Spec("array_lower", {kAnyArray, kInt4}, kInt4, Lower,
                      {"The place of the first element", "array_lower(ARRAY[5,6], 1)", "1"}));
  out->push_back(Spec("array_ndims", {kAnyArray}, kInt4, Dimensions,
                      {"How many dimensions there are", "array_ndims(ARRAY[5,6])", "1"}));
  out->push_back(Spec("cardinality", {kAnyArray}, kInt4, Cardinality,
                      {"How many elements there are", "cardinality('{}'::int[])", "0"}));
  out->push_back(
      Resolving(Spec("trim_array", {kAnyArray, kInt4}, kAny, TrimArray,
                     {"Without the last elements", "trim_array(ARRAY[5,6,7], 2)", "{5}"}),
                FirstArgument));
}

}  // namespace

void AddArrayFunctions(std::vector<Function>* out) {
  Function make = Resolving(Spec("array", {kAny}, kAny, MakeArray,
                                 {"An array of these elements", "ARRAY[1, 2, NULL]", "{1,2,NULL}"}),
                            ArrayOfFirst, true);
  make.variadic = true;
  out->push_back(std::move(make));
  AddParts(out);
  for (const char* name : {"array_append", "||"}) {
    out->push_back(
        Resolving(Spec(name, {kAnyArray, AnyNonArray()}, kAny, Append<false>,
                       {"With an element at the end",
                        name[0] == '|' ? "ARRAY[1] || 2" : "array_append(ARRAY[1], 2)", "{1,2}"}),
                  FirstArgument, true));
  }
  for (const char* name : {"array_prepend", "||"}) {
    out->push_back(
        Resolving(Spec(name, {AnyNonArray(), kAnyArray}, kAny, Append<true>,
                       {"With an element in front",
                        name[0] == '|' ? "1 || ARRAY[2]" : "array_prepend(1, ARRAY[2])", "{1,2}"}),
                  SecondArgument, true));
  }
  for (const char* name : {"array_cat", "||"}) {
    out->push_back(Resolving(
        Spec(name, {kAnyArray, kAnyArray}, kAny, Join,
             {"One array after the other",
              name[0] == '|' ? "ARRAY[1] || ARRAY[2,3]" : "array_cat(ARRAY[1], ARRAY[2,3])",
              "{1,2,3}"}),
        FirstArgument, true));
  }
  out->push_back(Resolving(Spec("array_fill", {kAny, Type::Array(kInt4)}, kAny, Fill,
                                {"An array of one value", "array_fill(7, ARRAY[3])", "{7,7,7}"}),
                           ArrayOfFirst));
  out->push_back(Lenient(Spec("array_to_string", {kAnyArray, kText}, kText, ArrayToString,
                              {"The elements as one text, nulls left out",
                               "array_to_string(ARRAY[1,NULL,3], '-')", "1-3"})));
  out->push_back(Lenient(Spec("array_to_string", {kAnyArray, kText, kText}, kText, ArrayToString,
                              {"The elements as one text, nulls as a word",
                               "array_to_string(ARRAY[1,NULL,3], '-', '?')", "1-?-3"})));
  const Type texts = Type::Array(kText);
  out->push_back(Spec("array_dims", {Type::Array(kUnknown)}, kText, DimensionsText,
                      {"The bounds of its dimension", "array_dims(ARRAY[7,8,9])", "[1:3]"}));
  for (const bool reverse : {false, true}) {
    std::vector<Type> args = {Type::Array(kUnknown), kInt4};
    if (reverse) args.emplace_back(kBool);
    Function subscripts = Lenient(Spec("generate_subscripts", std::move(args), Type::Array(kInt4),
                                       Subscripts, {"A row for each place of an array"}));
    subscripts.set = true;
    out->push_back(std::move(subscripts));
  }
  for (const size_t count : {2, 3}) {
    Function table = Lenient(Spec("string_to_table", std::vector<Type>(count, kText), texts,
                                  StringToArray, {"A row for each part between separators"}));
    table.set = true;
    out->push_back(std::move(table));
  }
  out->push_back(
      Lenient(Spec("string_to_array", {kText, kText}, texts, StringToArray,
                   {"The parts between separators", "string_to_array('a,b', ',')", "{a,b}"})));
  out->push_back(Lenient(Spec("string_to_array", {kText, kText, kText}, texts, StringToArray,
                              {"The parts between separators, one word being null",
                               "string_to_array('a,?,b', ',', '?')", "{a,NULL,b}"})));
}

}  // namespace leat
