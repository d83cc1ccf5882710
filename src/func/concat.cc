// ||, concat, concat_ws.
#include "data/text.h"
#include "func/cast.h"
#include "func/families.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

Result<ArrayPtr> Join(const Call& call, Arguments args) {
  const Texts left(args[0]), right(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    *out += left[row];
    *out += right[row];
  });
}

// The argument as text: cast (true), or as it is printed (t).
Result<Argument> AsText(const Call& call, const Argument& arg, bool cast) {
  Argument text{.array = arg.array, .type = kText, .constant = arg.constant};
  if (arg.type.id == kUnknown || arg.type.id == kText || arg.type.id == kVarchar) return text;
  const Type type(kText);
  if (!cast) {
    const TextSettings settings{.timezone = call.context->timezone, .now = call.context->now};
    LEAT_ASSIGN(text.array, ToTextColumn(*arg.array, arg.type, settings));
    return text;
  }
  const Selection all;
  Call inner = call;
  inner.result = &type;
  inner.selection = &all;
  inner.rows = arg.array->length();
  LEAT_ASSIGN(text.array, CastColumn(inner, arg, type, CastContext::kExplicit));
  return text;
}

Result<ArrayPtr> JoinAny(const Call& call, Arguments args) {
  LEAT_ASSIGN(const Argument left, AsText(call, args[0], true));
  LEAT_ASSIGN(const Argument right, AsText(call, args[1], true));
  const Argument texts[] = {left, right};
  return Join(call, texts);
}

// concat (no separator) and concat_ws: nulls are left out.
template <bool separated>
Result<ArrayPtr> Concat(const Call& call, Arguments args) {
  std::vector<Argument> columns;
  for (const Argument& arg : args) {
    LEAT_ASSIGN(Argument text, AsText(call, arg, false));
    columns.push_back(std::move(text));
  }
  std::vector<Texts> texts(columns.begin(), columns.end());
  const auto null = [&](size_t i, int64_t row) {
    return columns[i].array->IsNull(columns[i].at(row));
  };
  Nulls nulls;
  if (separated) {
    LEAT_ASSIGN(nulls, NullsOf(std::span<const Argument>(columns).first(1), call.rows));
  }
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    bool first = true;
    for (size_t i = separated ? 1 : 0; i < columns.size(); ++i) {
      if (null(i, row) || nulls.Has(row)) continue;
      if (separated && !first) writer.bytes() += texts[0][row];
      writer.bytes() += texts[i][row];
      first = false;
    }
    writer.End();
  }
  return writer.Finish(kText, nulls);
}

Function LenientVariadic(Function function) {
  function.strict = false;
  function.variadic = true;
  return function;
}

}  // namespace

void AddConcatFunctions(std::vector<Function>* out) {
  out->push_back(Spec("||", {kText, kText}, kText, Join,
                      {"One text after the other", "'Post' || 'greSQL'", "PostgreSQL"}));
  out->push_back(Spec("||", {kText, AnyNonArray()}, kText, JoinAny,
                      {"A text, then any value", "'Value: ' || 42", "Value: 42"}));
  out->push_back(Spec("||", {AnyNonArray(), kText}, kText, JoinAny,
                      {"Any value, then a text", "42 || ' is it'", "42 is it"}));
  out->push_back(Spec("||", {kBytea, kBytea}, kBytea, Join,
                      {"Some bytes after others", "'\\x01'::bytea || '\\x02'::bytea", "\\x0102"}));
  out->push_back(LenientVariadic(Spec(
      "concat", {kUnknown, kUnknown}, kText, Concat<false>,
      {"All values as one text, nulls left out", "concat('abcde', 2, NULL, 22)", "abcde222"})));
  out->push_back(LenientVariadic(Spec("concat_ws", {kText, kUnknown, kUnknown}, kText, Concat<true>,
                                      {"The values after the first, with it between them",
                                       "concat_ws(',', 'abcde', 2, NULL, 22)", "abcde,2,22"})));
}

}  // namespace leat
