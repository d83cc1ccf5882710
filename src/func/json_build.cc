// json and jsonb made from values: to_json, json_build_object, json_agg; jsonb changed.
#include <algorithm>
#include <optional>

#include "data/text.h"
#include "data/text_internal.h"
#include "func/aggregate_state.h"
#include "func/families.h"
#include "func/json_scan.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

bool IsNull(const Argument& arg, int64_t row) { return arg.array->IsNull(arg.at(row)); }

// A column's values as JSON, a null as `null`.
class JsonValues {
 public:
  static Result<JsonValues> Make(const Argument& arg, const TextSettings& settings) {
    JsonValues values;
    values.argument_ = &arg;
    if (arg.type.id == kArray) {
      const auto& list = static_cast<const arrow::ListArray&>(*arg.array);
      values.elements_ =
          std::make_unique<Argument>(Argument{.array = list.values(), .type = *arg.type.element});
      LEAT_ASSIGN(JsonValues inner, Make(*values.elements_, settings));
      values.inner_ = std::make_unique<JsonValues>(std::move(inner));
      return values;
    }
    LEAT_ASSIGN(values.texts_, ToTextColumn(*arg.array, arg.type, settings));
    return values;
  }

  void Append(int64_t row, std::string* out) const {
    const int64_t at = argument_->at(row);
    if (argument_->array->IsNull(at)) {
      *out += "null";
    } else if (inner_ != nullptr) {
      const auto& list = static_cast<const arrow::ListArray&>(*argument_->array);
      *out += '[';
      for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
        if (i > list.value_offset(at)) *out += ',';
        inner_->Append(i, out);
      }
      *out += ']';
    } else {
      AppendScalar(static_cast<const arrow::StringArray&>(*texts_).GetView(at), out);
    }
  }

 private:
  void AppendScalar(std::string_view text, std::string* out) const {
    switch (argument_->type.id) {
      case kBool:
        *out += text == "t" ? "true" : "false";
        return;
      case kInt2:
      case kInt4:
      case kInt8:
      case kFloat4:
      case kFloat8:
      case kNumeric:
        if (text.find_first_of("Nn") != text.npos) {  // NaN, Infinity
          AppendJsonQuoted(text, out);
        } else {
          *out += text;
        }
        return;
      case kJson:
      case kJsonb:
        *out += text;
        return;
      case kTimestamp:
      case kTimestamptz: {
        std::string iso(text);
        const size_t blank = iso.find(' ');
        if (blank != iso.npos && text.find("BC") == text.npos) iso[blank] = 'T';
        // ISO 8601 has minutes in an offset.
        const bool hours = argument_->type.id == kTimestamptz && iso.size() > 3 &&
                           (iso[iso.size() - 3] == '+' || iso[iso.size() - 3] == '-');
        if (hours) iso += ":00";
        AppendJsonQuoted(iso, out);
        return;
      }
      default:
        AppendJsonQuoted(text, out);
    }
  }

  const Argument* argument_ = nullptr;
  ArrayPtr texts_;
  std::unique_ptr<Argument> elements_;
  std::unique_ptr<JsonValues> inner_;
};

TextSettings SettingsOf(const Call& call) {
  return {.timezone = call.context->timezone, .now = call.context->now};
}

// Appends JSON as the result's type holds it; a wrong one is the row's error.
void AppendAs(const Call& call, int64_t row, const std::string& json, std::string* out) {
  if (call.result->id != kJsonb) {
    *out += json;
    return;
  }
  std::string normal;
  const Status status = text_internal::ParseJson(json, "json", &normal);
  if (!status.ok()) SetError(call, row, status);
  *out += normal;
}

Result<ArrayPtr> ToJson(const Call& call, Arguments args) {
  LEAT_ASSIGN(const JsonValues values, JsonValues::Make(args[0], SettingsOf(call)));
  std::string json;
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    json.clear();
    values.Append(row, &json);
    AppendAs(call, row, json, out);
  });
}

Result<std::vector<JsonValues>> AllValues(const Call& call, Arguments args) {
  std::vector<JsonValues> all;
  for (const Argument& arg : args) {
    LEAT_ASSIGN(JsonValues values, JsonValues::Make(arg, SettingsOf(call)));
    all.push_back(std::move(values));
  }
  return all;
}

Result<ArrayPtr> BuildArray(const Call& call, Arguments args) {
  LEAT_ASSIGN(const auto values, AllValues(call, args));
  std::string json;
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    json = "[";
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) json += ", ";
      values[i].Append(row, &json);
    }
    json += ']';
    AppendAs(call, row, json, &writer.bytes());
    writer.End();
  }
  return writer.Finish(*call.result, Nulls{});
}

Result<ArrayPtr> BuildObject(const Call& call, Arguments args) {
  LEAT_ASSIGN(const auto values, AllValues(call, args));
  std::vector<ArrayPtr> keys;
  for (const Argument& arg : args) {
    LEAT_ASSIGN(ArrayPtr key, ToTextColumn(*arg.array, arg.type, SettingsOf(call)));
    keys.push_back(std::move(key));
  }
  std::string json;
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    json = "{";
    if (args.size() % 2 != 0 && call.selection->Has(row)) {
      call.errors->Set(row, "22023", "argument list must have even number of elements");
    }
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      if (i > 0) json += ", ";
      if (IsNull(args[i], row)) {
        if (call.selection->Has(row)) {
          call.errors->Set(row, "22023", fmt::format("argument {} cannot be null", i + 1));
        }
        json += "\"\"";
      } else {
        AppendJsonQuoted(static_cast<const arrow::StringArray&>(*keys[i]).GetView(args[i].at(row)),
                         &json);
      }
      json += " : ";
      values[i + 1].Append(row, &json);
    }
    json += '}';
    AppendAs(call, row, json, &writer.bytes());
    writer.End();
  }
  return writer.Finish(*call.result, Nulls{});
}

// (name, value, …) as row_to_json writes a row.
Result<ArrayPtr> RowObject(const Call& call, Arguments args) {
  LEAT_ASSIGN(const auto values, AllValues(call, args));
  std::string json;
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    json = "{";
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      if (i > 0) json += ',';
      values[i].Append(row, &json);
      json += ':';
      values[i + 1].Append(row, &json);
    }
    json += '}';
    AppendAs(call, row, json, &writer.bytes());
    writer.End();
  }
  return writer.Finish(*call.result, Nulls{});
}

// ---- jsonb changed ------------------------------------------------------------------------------

std::string WithoutKey(std::string_view object, std::string_view key) {
  std::string out = "{";
  EachJsonMember(object, [&](std::string_view name, std::string_view value) {
    if (JsonUnquoted(name) == key) return true;
    if (out.size() > 1) out += ',';
    out += fmt::format("{}:{}", name, value);
    return true;
  });
  return out + "}";
}

// The array without elements for which `drop` says so by place and value.
template <typename Drop>
std::string WithoutElements(std::string_view array, Drop drop) {
  std::string out = "[";
  int64_t place = 0;
  EachJsonElement(array, [&](std::string_view value) {
    if (drop(place++, value)) return true;
    if (out.size() > 1) out += ',';
    out += value;
    return true;
  });
  return out + "]";
}

Result<ArrayPtr> DeleteKey(const Call& call, Arguments args) {
  const Texts json(args[0]), keys(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view value = json[row];
    const char kind = JsonKindOf(value);
    if (kind == '{') {
      AppendAs(call, row, WithoutKey(value, keys[row]), out);
    } else if (kind == '[') {
      AppendAs(call, row,
               WithoutElements(value,
                               [&](int64_t, std::string_view element) {
                                 return element[0] == '"' && JsonUnquoted(element) == keys[row];
                               }),
               out);
    } else {
      call.errors->Set(row, "22023", "cannot delete from scalar");
    }
  });
}

Result<ArrayPtr> DeleteElement(const Call& call, Arguments args) {
  const Texts json(args[0]);
  const Values<int32_t> places(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view value = json[row];
    if (JsonKindOf(value) != '[') {
      call.errors->Set(row, "22023",
                       JsonKindOf(value) == '{' ? "cannot delete from object using integer index"
                                                : "cannot delete from scalar");
      return;
    }
    int64_t length = 0;
    EachJsonElement(value, [&](std::string_view) { return ++length > 0; });
    const int64_t wanted = places[row] < 0 ? length + places[row] : places[row];
    AppendAs(call, row,
             WithoutElements(value, [&](int64_t at, std::string_view) { return at == wanted; }),
             out);
  });
}

// What is between the brackets of an object or array, nothing but blanks being nothing.
std::string_view Inside(std::string_view json) {
  return JsonTrimmed(json.substr(1, json.size() - 2));
}

Result<ArrayPtr> Merge(const Call& call, Arguments args) {
  const Texts left(args[0]), right(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    std::string a(left[row]), b(right[row]);
    const bool objects = JsonKindOf(a) == '{' && JsonKindOf(b) == '{';
    // Anything but two objects is put into one array.
    for (std::string* side : {&a, &b}) {
      if (!objects && JsonKindOf(*side) != '[') *side = "[" + *side + "]";
    }
    const std::string_view first = Inside(a), second = Inside(b);
    const std::string both =
        fmt::format("{}{}{}", first, first.empty() || second.empty() ? "" : ",", second);
    AppendAs(call, row, objects ? "{" + both + "}" : "[" + both + "]", out);
  });
}

// Without members that are null, at any depth.
void AppendStripped(std::string_view json, std::string* out) {
  const char kind = JsonKindOf(json);
  if (kind != '{' && kind != '[') {
    *out += json;
    return;
  }
  bool first = true;
  *out += kind;
  const auto separate = [&] {
    if (!first) *out += ',';
    first = false;
  };
  if (kind == '[') {
    EachJsonElement(json, [&](std::string_view value) {
      separate();
      AppendStripped(value, out);
      return true;
    });
  } else {
    EachJsonMember(json, [&](std::string_view key, std::string_view value) {
      if (JsonKindOf(value) == 'n') return true;
      separate();
      *out += fmt::format("{}:", key);
      AppendStripped(value, out);
      return true;
    });
  }
  *out += kind == '[' ? ']' : '}';
}

Result<ArrayPtr> StripNulls(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    std::string stripped;
    AppendStripped(json[row], &stripped);
    AppendAs(call, row, stripped, out);
  });
}

// ---- aggregates ---------------------------------------------------------------------------------

// Writes each group that has rows as `open`, its rows and `close`; normalised for jsonb.
template <typename Each>
Result<ArrayPtr> FoldJson(const FoldCall& call, char open, char close, Each each) {
  const auto groups = static_cast<int64_t>(call.offsets.size()) - 1;
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(groups));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(groups));
  for (int64_t group = 0; group < groups; ++group) {
    std::string json(1, open);
    for (int64_t row = call.offsets[group]; row < call.offsets[group + 1]; ++row) {
      if (row > call.offsets[group]) json += ", ";
      each(group, row, &json);
    }
    if (open == '{' && call.result->id == kJson) json += ' ';
    json += close;
    if (call.offsets[group] < call.offsets[group + 1]) {
      arrow::bit_util::SetBit(valid->mutable_data(), group);
      if (call.result->id == kJsonb) {
        std::string normal;
        LEAT_RETURN(text_internal::ParseJson(json, "json", &normal));
        json = std::move(normal);
      }
      writer.bytes() += json;
    }
    writer.End();
  }
  return writer.Finish(*call.result,
                       {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> JsonAgg(const FoldCall& call) {
  LEAT_ASSIGN(const JsonValues values, JsonValues::Make(call.args[0], {}));
  const bool lines = call.args[0].type.id == kArray;
  return FoldJson(call, '[', ']', [&](int64_t, int64_t row, std::string* json) {
    if (lines && json->size() > 1) *json += "\n ";
    values.Append(row, json);
  });
}

Result<ArrayPtr> JsonObjectAgg(const FoldCall& call) {
  LEAT_ASSIGN(const ArrayPtr keys, ToTextColumn(*call.args[0].array, call.args[0].type, {}));
  LEAT_ASSIGN(const JsonValues values, JsonValues::Make(call.args[1], {}));
  const auto& names = static_cast<const arrow::StringArray&>(*keys);
  return FoldJson(call, '{', '}', [&](int64_t group, int64_t row, std::string* json) {
    if (json->size() == 1 && call.result->id == kJson) *json += ' ';
    if (names.IsNull(row)) {
      call.errors->Set(group, "22023", "field name must not be null");
      *json += "\"\"";
    } else {
      AppendJsonQuoted(names.GetView(row), json);
    }
    *json += " : ";
    values.Append(row, json);
  });
}

Function Lenient(Function function) {
  function.strict = false;
  return function;
}

}  // namespace

void AddJsonBuildFunctions(std::vector<Function>* out) {
  for (const TypeId type : {kJson, kJsonb}) {
    const std::string name = type == kJson ? "json" : "jsonb";
    out->push_back(
        Spec("to_" + name, {kUnknown}, type, ToJson,
             {"A value as JSON", fmt::format("to_{}('a\"b'::text)", name).c_str(), "\"a\\\"b\""}));
    Function array = Lenient(
        Spec(name + "_build_array", {kUnknown}, type, BuildArray,
             {"An array of these values", fmt::format("{}_build_array(1, 'a', NULL)", name).c_str(),
              "[1, \"a\", null]"}));
    Function object = Lenient(
        Spec(name + "_build_object", {kUnknown}, type, BuildObject,
             {"An object of keys and values", fmt::format("{}_build_object('a', 1)", name).c_str(),
              type == kJson ? "{\"a\" : 1}" : "{\"a\": 1}"}));
    Function of_row = Lenient(Spec(name + " of row", {kUnknown}, type, RowObject,
                                   {"A row's names and values as an object"}));
    for (Function* function : {&array, &object, &of_row}) {
      function->variadic = true;
      out->push_back(std::move(*function));
    }
    out->push_back(Spec(name + "_strip_nulls", {type}, type, StripNulls,
                        {"Without members that are null",
                         fmt::format("{}_strip_nulls('{{\"a\":null}}')", name).c_str(), "{}"}));
  }
  out->push_back(Lenient(Spec("array_to_json", {Type::Array(kUnknown)}, kJson, ToJson,
                              {"An array as JSON", "array_to_json(ARRAY[1,2])", "[1,2]"})));
  out->back().strict = true;
  out->push_back(Spec(
      "-", {kJsonb, kText}, kJsonb, DeleteKey,
      {"Without a key or a string element", "'{\"a\":1,\"b\":2}'::jsonb - 'a'", "{\"b\": 2}"}));
  out->push_back(Spec("-", {kJsonb, kInt4}, kJsonb, DeleteElement,
                      {"Without the element at a place", "'[7,8]'::jsonb - 0", "[8]"}));
  out->push_back(Spec("||", {kJsonb, kJsonb}, kJsonb, Merge,
                      {"One after the other, later keys winning",
                       "'{\"a\":1}'::jsonb || '{\"a\":2}'", "{\"a\": 2}"}));
}

void AddJsonAggregates(std::vector<Aggregate>* out) {
  for (const TypeId type : {kJson, kJsonb}) {
    const std::string name = type == kJson ? "json" : "jsonb";
    Aggregate array = AggregateOf(
        name + "_agg", {kUnknown}, type, nullptr, "The values as a JSON array",
        fmt::format("{}_agg(x ORDER BY x) FROM (VALUES (2), (1)) t(x)", name).c_str(), "[1, 2]");
    array.fold = JsonAgg;
    out->push_back(std::move(array));
    Aggregate object = AggregateOf(
        name + "_object_agg", {kUnknown, kUnknown}, type, nullptr, "Keys and values as an object",
        fmt::format("{}_object_agg(k, x) FROM (VALUES ('a', 1)) t(k, x)", name).c_str(),
        type == kJson ? "{ \"a\" : 1 }" : "{\"a\": 1}");
    object.fold = JsonObjectAgg;
    out->push_back(std::move(object));
  }
}

}  // namespace leat
