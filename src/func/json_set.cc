// What json_each, json_to_record and their kin give, column by column: the binder puts the columns
// side by side in FROM. Each is a set of its own, so their names have a blank.
#include <arrow/array/builder_binary.h>

#include <optional>

#include "func/families.h"
#include "func/json_scan.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

using FieldText = std::optional<std::string>;

// A JSON value as text: null for null, a string without its quotes.
FieldText FieldTextOf(std::string_view value) {
  const char kind = JsonKindOf(value);
  if (kind == 'n') return std::nullopt;
  const std::string_view trimmed = JsonTrimmed(value);
  return kind == '"' ? JsonUnquoted(trimmed) : std::string(trimmed);
}

// A set of texts of each row: `each(row, add)`.
template <typename Each>
Result<ArrayPtr> WriteSets(const Call& call, Arguments args, Each each, bool row_of_null = false) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  arrow::StringBuilder builder;
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  Status status;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row)) {
      if (row_of_null) {
        LEAT_RETURN(builder.AppendNull());
      } else {
        null_rows.push_back(row);
      }
    } else if (call.selection->Has(row)) {
      each(row, [&](const FieldText& value) {
        if (status.ok()) status = value ? builder.Append(*value) : builder.AppendNull();
      });
    }
    LEAT_RETURN(status);
    offsets.push_back(static_cast<int32_t>(builder.length()));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(*call.result, elements, offsets, null_rows);
}

// PostgreSQL's words differ between json and jsonb.
std::string NotAnObject(const Argument& arg, char kind) {
  if (arg.type.id == kJsonb) return "cannot call jsonb_each on a non-object";
  return kind == '[' ? "cannot deconstruct an array as an object" : "cannot deconstruct a scalar";
}

enum class MemberPart : uint8_t { kKey, kValue, kText };

template <MemberPart part>
Result<ArrayPtr> EachPart(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return WriteSets(call, args, [&](int64_t row, const auto& add) {
    const char kind = JsonKindOf(json[row]);
    if (kind != '{') {
      call.errors->Set(row, "22023", NotAnObject(args[0], kind));
      return;
    }
    EachJsonMember(json[row], [&](std::string_view key, std::string_view value) {
      if constexpr (part == MemberPart::kKey) add(JsonUnquoted(key));
      if constexpr (part == MemberPart::kValue) add(std::string(JsonTrimmed(value)));
      if constexpr (part == MemberPart::kText) add(FieldTextOf(value));
      return true;
    });
  });
}

// The last value of a key, raw or as text; nothing where it lacks.
FieldText RecordField(std::string_view object, std::string_view wanted, bool raw) {
  FieldText found;
  EachJsonMember(object, [&](std::string_view key, std::string_view value) {
    if (JsonUnquoted(key) == wanted)
      found = raw ? FieldText(JsonTrimmed(value)) : FieldTextOf(value);
    return true;
  });
  if (raw && found && JsonKindOf(*found) == 'n') found = std::nullopt;
  return found;
}

// (json, key): of each object of an array (`many`), or of the object itself.
template <bool many, bool raw>
Result<ArrayPtr> RecordFields(const Call& call, Arguments args) {
  const Texts json(args[0]), keys(args[1]);
  const std::string_view prefix = args[0].type.id == kJsonb ? "jsonb" : "json";
  return WriteSets(
      call, args,
      [&](int64_t row, const auto& add) {
        const char kind = JsonKindOf(json[row]);
        if constexpr (!many) {
          if (kind == '{') return add(RecordField(json[row], keys[row], raw));
          call.errors->Set(row, "22023",
                           fmt::format("cannot call {}_to_record on a non-object", prefix));
          return;
        }
        if (kind != '[') {
          call.errors->Set(row, "22023",
                           fmt::format("cannot call {}_to_recordset on {}", prefix,
                                       kind == '{' ? "an object" : "a non-array"));
          return;
        }
        EachJsonElement(json[row], [&](std::string_view element) {
          if (JsonKindOf(element) == '{') {
            add(RecordField(element, keys[row], raw));
            return true;
          }
          call.errors->Set(
              row, "22023",
              fmt::format("argument of {}_to_recordset must be an array of objects", prefix));
          return false;
        });
      },
      !many);
}

void AddPart(std::string name, std::vector<Type> args, const Type& element, Kernel kernel,
             const char* description, std::vector<Function>* out) {
  Function function =
      Spec(std::move(name), std::move(args), Type::Array(element), kernel, {description});
  function.set = true;
  function.strict = function.name.find("_to_record ") == std::string::npos;
  out->push_back(std::move(function));
}

}  // namespace

void AddJsonSetFunctions(std::vector<Function>* out) {
  for (const TypeId type : {kJson, kJsonb}) {
    const std::string name = type == kJson ? "json" : "jsonb";
    AddPart(name + "_each key", {type}, kText, EachPart<MemberPart::kKey>, "The keys of json_each",
            out);
    AddPart(name + "_each value", {type}, type, EachPart<MemberPart::kValue>,
            "The values of json_each", out);
    AddPart(name + "_each_text value", {type}, kText, EachPart<MemberPart::kText>,
            "The values of json_each_text", out);
    AddPart(name + "_to_record text", {type, kText}, kText, RecordFields<false, false>,
            "A column of json_to_record", out);
    AddPart(name + "_to_record value", {type, kText}, type, RecordFields<false, true>,
            "A column of json_to_record that is JSON", out);
    AddPart(name + "_to_recordset text", {type, kText}, kText, RecordFields<true, false>,
            "A column of json_to_recordset", out);
    AddPart(name + "_to_recordset value", {type, kText}, type, RecordFields<true, true>,
            "A column of json_to_recordset that is JSON", out);
  }
}

}  // namespace leat
