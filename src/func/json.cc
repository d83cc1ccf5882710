// json and jsonb: taken apart with operators and functions.
#include <arrow/array/builder_binary.h>

#include <charconv>
#include <optional>

#include "data/numeric.h"
#include "data/text_internal.h"
#include "func/families.h"
#include "func/json_scan.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

using Value = std::optional<std::string_view>;

// The value of a key; the last of several.
Value MemberOf(std::string_view json, std::string_view key) {
  Value found;
  if (JsonKindOf(json) != '{') return found;
  EachJsonMember(json, [&](std::string_view name, std::string_view value) {
    if (JsonUnquoted(name) == key) found = value;
    return true;
  });
  return found;
}

int64_t LengthOf(std::string_view json) {
  int64_t length = 0;
  EachJsonElement(json, [&](std::string_view) {
    ++length;
    return true;
  });
  return length;
}

// The element at a place from 0; from the end where it is negative.
Value ElementOf(std::string_view json, int64_t place, bool scalar_is_array = false) {
  Value found;
  const char kind = JsonKindOf(json);
  // To jsonb a scalar is an array of one, as PostgreSQL stores it.
  if (scalar_is_array && kind != '[' && kind != '{') {
    return place == 0 || place == -1 ? Value(json) : found;
  }
  if (kind != '[') return found;
  if (place < 0) place += LengthOf(json);
  if (place < 0) return found;
  EachJsonElement(json, [&](std::string_view value) {
    if (place-- > 0) return true;
    found = value;
    return false;
  });
  return found;
}

Value StepInto(std::string_view json, std::string_view step) {
  if (JsonKindOf(json) != '[') return MemberOf(json, step);
  int64_t place = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), place);
  if (error != std::errc() || end != step.data() + step.size()) return {};
  return ElementOf(json, place);
}

// Writes the value that `find` gives of each row: as it is, or as text (`as_text`), where a JSON
// null is null and a string loses its quotes.
template <typename Find>
Result<ArrayPtr> WriteFound(const Call& call, Arguments args, bool as_text, Find find) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    const Value found = nulls.Has(row) || !call.selection->Has(row) ? Value() : find(row);
    if (found && !(as_text && JsonKindOf(*found) == 'n')) {
      const std::string_view value = JsonTrimmed(*found);
      if (as_text && value[0] == '"') {
        writer.bytes() += JsonUnquoted(value);
      } else {
        writer.bytes() += value;
      }
      arrow::bit_util::SetBit(valid->mutable_data(), row);
    }
    writer.End();
  }
  return writer.Finish(*call.result,
                       {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

template <bool as_text>
Result<ArrayPtr> Field(const Call& call, Arguments args) {
  const Texts json(args[0]), keys(args[1]);
  return WriteFound(call, args, as_text,
                    [&](int64_t row) { return MemberOf(json[row], keys[row]); });
}

template <bool as_text, bool is_jsonb>
Result<ArrayPtr> Element(const Call& call, Arguments args) {
  const Texts json(args[0]);
  const Values<int32_t> places(args[1]);
  return WriteFound(call, args, as_text,
                    [&](int64_t row) { return ElementOf(json[row], places[row], is_jsonb); });
}

template <bool as_text>
Result<ArrayPtr> Path(const Call& call, Arguments args) {
  const Texts json(args[0]);
  const Lists paths(args[1]);
  const auto& steps = static_cast<const arrow::StringArray&>(*paths.values());
  return WriteFound(call, args, as_text, [&](int64_t row) {
    Value at = json[row];
    for (int64_t i = paths.begin(row); i < paths.end(row) && at; ++i) {
      at = steps.IsNull(i) ? Value() : StepInto(*at, steps.GetView(i));
    }
    return at;
  });
}

// json_extract_path(json, 'a', 'b', …)
template <bool as_text>
Result<ArrayPtr> ExtractPath(const Call& call, Arguments args) {
  const Texts json(args[0]);
  std::vector<Texts> steps(args.begin() + 1, args.end());
  return WriteFound(call, args, as_text, [&](int64_t row) {
    Value at = json[row];
    for (size_t i = 0; i < steps.size() && at; ++i) at = StepInto(*at, steps[i][row]);
    return at;
  });
}

Result<ArrayPtr> TypeOf(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    switch (JsonKindOf(json[row])) {
      case '{':
        *out += "object";
        break;
      case '[':
        *out += "array";
        break;
      case '"':
        *out += "string";
        break;
      case 'n':
        *out += "null";
        break;
      case '\0':
        *out += "number";
        break;
      default:
        *out += "boolean";
    }
  });
}

Result<ArrayPtr> ArrayLength(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const char kind = JsonKindOf(json[row]);
    if (kind == '[') return static_cast<int32_t>(LengthOf(json[row]));
    call.errors->Set(row, "22023",
                     kind == '{' ? "cannot get array length of a non-array"
                                 : "cannot get array length of a scalar");
    return 0;
  });
}

// A set of texts of each row: `each(row, add)`.
template <typename Each>
Result<ArrayPtr> WriteLists(const Call& call, Arguments args, Each each) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  arrow::StringBuilder builder;
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  Status status;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row)) {
      null_rows.push_back(row);
    } else if (call.selection->Has(row)) {
      each(row, [&](Value value) {
        if (status.ok()) status = value ? builder.Append(*value) : builder.AppendNull();
      });
    }
    LEAT_RETURN(status);
    offsets.push_back(static_cast<int32_t>(builder.length()));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(*call.result, elements, offsets, null_rows);
}

template <bool as_text>
Result<ArrayPtr> Elements(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return WriteLists(call, args, [&](int64_t row, const auto& add) {
    const char kind = JsonKindOf(json[row]);
    if (kind != '[') {
      call.errors->Set(row, "22023",
                       kind == '{' ? "cannot extract elements from an object"
                                   : "cannot extract elements from a scalar");
      return;
    }
    EachJsonElement(json[row], [&](std::string_view value) {
      if (as_text && JsonKindOf(value) == 'n') {
        add({});
      } else if (as_text && value[0] == '"') {
        add(JsonUnquoted(value));
      } else {
        add(value);
      }
      return true;
    });
  });
}

Result<ArrayPtr> ObjectKeys(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return WriteLists(call, args, [&](int64_t row, const auto& add) {
    const char kind = JsonKindOf(json[row]);
    if (kind != '{') {
      call.errors->Set(
          row, "22023",
          fmt::format("cannot call {} on {}",
                      args[0].type.id == kJsonb ? "jsonb_object_keys" : "json_object_keys",
                      kind == '[' ? "an array" : "a scalar"));
      return;
    }
    EachJsonMember(json[row], [&](std::string_view key, std::string_view) {
      add(JsonUnquoted(key));
      return true;
    });
  });
}

// ---- jsonb: containment and existence -----------------------------------------------------------

bool Contains(std::string_view a, std::string_view b);

bool EqualScalars(std::string_view a, std::string_view b) {
  const char kind = JsonKindOf(a);
  if (kind != JsonKindOf(b)) return false;
  if (kind != '\0') return a == b;
  const auto x = Numeric::Parse(a), y = Numeric::Parse(b);
  return x.ok() && y.ok() && *x == *y;
}

bool IsScalar(std::string_view json) {
  const char kind = JsonKindOf(json);
  return kind != '{' && kind != '[';
}

bool ArrayHas(std::string_view array, std::string_view wanted) {
  bool found = false;
  EachJsonElement(array, [&](std::string_view element) {
    found = IsScalar(wanted)
                ? IsScalar(element) && EqualScalars(element, wanted)
                : JsonKindOf(element) == JsonKindOf(wanted) && Contains(element, wanted);
    return !found;
  });
  return found;
}

// JsonbDeepContains. An array contains a scalar that is one of its elements, at the top alone.
bool Contains(std::string_view a, std::string_view b) {
  if (IsScalar(b)) return IsScalar(a) && EqualScalars(a, b);
  if (JsonKindOf(a) != JsonKindOf(b)) return false;
  bool all = true;
  if (JsonKindOf(a) == '[') {
    EachJsonElement(b, [&](std::string_view wanted) { return all = ArrayHas(a, wanted); });
  } else {
    EachJsonMember(b, [&](std::string_view key, std::string_view wanted) {
      const Value value = MemberOf(a, JsonUnquoted(key));
      all = value && Contains(*value, wanted);
      return all;
    });
  }
  return all;
}

template <bool swapped>
Result<ArrayPtr> ContainsKernel(const Call& call, Arguments args) {
  const Texts left(args[swapped ? 1 : 0]), right(args[swapped ? 0 : 1]);
  return MapRowsToBool(call, args, [&](int64_t row) {
    const std::string_view a = left[row], b = right[row];
    return (JsonKindOf(a) == '[' && IsScalar(b)) ? ArrayHas(a, b) : Contains(a, b);
  });
}

// Whether a text is a key of the object, an element of the array, or the string itself.
bool Exists(std::string_view json, std::string_view text) {
  bool found = false;
  switch (JsonKindOf(json)) {
    case '{':
      return MemberOf(json, text).has_value();
    case '[':
      EachJsonElement(json, [&](std::string_view value) {
        found = value[0] == '"' && JsonUnquoted(value) == text;
        return !found;
      });
      return found;
    case '"':
      return JsonUnquoted(json) == text;
    default:
      return false;
  }
}

Result<ArrayPtr> ExistsKernel(const Call& call, Arguments args) {
  const Texts json(args[0]), texts(args[1]);
  return MapRowsToBool(call, args, [&](int64_t row) { return Exists(json[row], texts[row]); });
}

template <bool all>
Result<ArrayPtr> ExistsMany(const Call& call, Arguments args) {
  const Texts json(args[0]);
  const Lists lists(args[1]);
  const auto& texts = static_cast<const arrow::StringArray&>(*lists.values());
  return MapRowsToBool(call, args, [&](int64_t row) {
    for (int64_t i = lists.begin(row); i < lists.end(row); ++i) {
      if (texts.IsNull(i)) continue;
      if (Exists(json[row], texts.GetView(i)) != all) return !all;
    }
    return all;
  });
}

void AddOperators(const Type& type, std::vector<Function>* out) {
  const char* name = type.id == kJson ? "json" : "jsonb";
  const auto example = [&](const char* pattern) {
    return fmt::format(fmt::runtime(pattern), name);
  };
  const Type path = Type::Array(kText);
  const auto add = [&](const char* symbol, const Type& by, const Type& result, Kernel kernel,
                       const char* description, const char* pattern, const char* answer) {
    out->push_back(
        Spec(symbol, {type, by}, result, kernel, {description, example(pattern).c_str(), answer}));
  };
  add("->", kText, type, Field<false>, "The value of a key", "'{{\"a\":5}}'::{} -> 'a'", "5");
  const bool jsonb = type.id != kJson;
  add("->", kInt4, type, jsonb ? Element<false, true> : Element<false, false>,
      "The element at a place from 0", "'[7,8]'::{} -> 1", "8");
  add("->>", kText, kText, Field<true>, "The value of a key, as text",
      "'{{\"a\":\"x\"}}'::{} ->> 'a'", "x");
  add("->>", kInt4, kText, jsonb ? Element<true, true> : Element<true, false>,
      "The element at a place from 0, as text", "'[\"x\"]'::{} ->> -1", "x");
  add("#>", path, type, Path<false>, "What lies at a path", "'{{\"a\":[7,8]}}'::{} #> '{{a,1}}'",
      "8");
  add("#>>", path, kText, Path<true>, "What lies at a path, as text",
      "'{{\"a\":[7,\"x\"]}}'::{} #>> '{{a,1}}'", "x");
}

void AddFunctions(const Type& type, std::vector<Function>* out) {
  const std::string prefix = type.id == kJson ? "json" : "jsonb";
  const auto add = [&](const char* name, std::vector<Type> args, const Type& result, Kernel kernel,
                       const char* description) -> Function& {
    out->push_back(Spec(prefix + name, std::move(args), result, kernel, {description}));
    return out->back();
  };
  add("_typeof", {type}, kText, TypeOf, "What kind of value it is");
  add("_array_length", {type}, kInt4, ArrayLength, "How many elements it has");
  add("_extract_path", {type, kText}, type, ExtractPath<false>, "What lies at a path").variadic =
      true;
  add("_extract_path_text", {type, kText}, kText, ExtractPath<true>, "What lies at a path, as text")
      .variadic = true;
  add("_array_elements", {type}, Type::Array(type), Elements<false>, "A row for each element").set =
      true;
  add("_array_elements_text", {type}, Type::Array(kText), Elements<true>,
      "A row for each element, as text")
      .set = true;
  add("_object_keys", {type}, Type::Array(kText), ObjectKeys, "A row for each key").set = true;
}

}  // namespace

void AddJsonFunctions(std::vector<Function>* out) {
  for (const TypeId type : {kJson, kJsonb}) {
    AddOperators(type, out);
    AddFunctions(type, out);
  }
  const Type texts = Type::Array(kText);
  out->push_back(
      Spec("@>", {kJsonb, kJsonb}, kBool, ContainsKernel<false>,
           {"Has all that the other has", "'{\"a\":1,\"b\":2}'::jsonb @> '{\"b\":2}'", "t"}));
  out->push_back(Spec("<@", {kJsonb, kJsonb}, kBool, ContainsKernel<true>,
                      {"The other has all that it has", "'[1]'::jsonb <@ '[1,2]'", "t"}));
  out->push_back(Spec("?", {kJsonb, kText}, kBool, ExistsKernel,
                      {"Has this key or element", "'{\"a\":1}'::jsonb ? 'a'", "t"}));
  out->push_back(Spec("?|", {kJsonb, texts}, kBool, ExistsMany<false>,
                      {"Has one of these keys", "'{\"a\":1}'::jsonb ?| '{a,b}'", "t"}));
  out->push_back(Spec("?&", {kJsonb, texts}, kBool, ExistsMany<true>,
                      {"Has all of these keys", "'{\"a\":1}'::jsonb ?& '{a,b}'", "f"}));
}

}  // namespace leat
