#include "func/cast.h"

#include <arrow/array.h>

#include "data/text.h"
#include "func/cast_family.h"

namespace leat {
namespace {

using enum TypeId;

TextSettings SettingsOf(const Call& call) {
  return {.timezone = call.context->timezone, .now = call.context->now};
}

// The column with another label, for types that are the same in memory.
ArrayPtr Relabel(const ArrayPtr& column, const Type& type) {
  auto data = column->data()->Copy();
  data->type = ArrowType(type);
  return arrow::MakeArray(data);
}

Result<ArrayPtr> BoolText(const Call& call, const Argument& arg) {
  const Bools values(arg);
  return MapRowsToText(call, {&arg, 1}, [&](int64_t row, std::string* out) {
    *out += values[row] ? "true" : "false";
  });
}

// char(n) to text: the padding is not part of the value.
Result<ArrayPtr> WithoutPadding(const Call& call, const Argument& arg) {
  const Texts texts(arg);
  return MapRowsToText(call, {&arg, 1}, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    const size_t last = text.find_last_not_of(' ');
    *out += text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  });
}

// The bytes of the first `length` code points, and how many code points there are up to there.
std::pair<size_t, int64_t> Prefix(std::string_view text, int64_t length) {
  size_t at = 0;
  int64_t count = 0;
  while (at < text.size() && count < length) {
    ++at;
    while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) ++at;
    ++count;
  }
  return {at, count};
}

// varchar(n) and char(n): cuts (explicit cast) or refuses what is longer, blanks excepted.
Result<ArrayPtr> FitLength(const Call& call, const Argument& arg, const Type& to,
                           CastContext context) {
  const Texts texts(arg);
  const bool pads = to.id == kChar;
  return MapRowsToText(call, {&arg, 1}, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    const auto [bytes, count] = Prefix(text, to.length);
    const bool only_blanks = text.find_first_not_of(' ', bytes) == std::string_view::npos;
    if (context != CastContext::kExplicit && !only_blanks) {
      call.errors->Set(row, "22001", fmt::format("value too long for type {}", TypeName(to)));
      return;
    }
    *out += text.substr(0, bytes);
    if (pads) out->append(static_cast<size_t>(to.length - count), ' ');
  });
}

// Any value to text, varchar or char.
Result<ArrayPtr> ToString(const Call& call, const Argument& arg, const Type& to,
                          CastContext context) {
  Argument text{.array = arg.array, .type = kText, .constant = arg.constant};
  const Type text_type(kText);
  Call inner = call;
  inner.result = &text_type;
  if (arg.type.id == kBool) {
    LEAT_ASSIGN(text.array, BoolText(inner, arg));
  } else if (arg.type.id == kChar && to.id != kChar) {
    LEAT_ASSIGN(text.array, WithoutPadding(inner, arg));
  } else if (!arg.type.is_string() && arg.type.id != kUnknown) {
    LEAT_ASSIGN(text.array, ToTextColumn(*arg.array, arg.type, SettingsOf(call)));
  }
  if (to.length < 0) return Relabel(text.array, to);
  return FitLength(call, text, to, context);
}

Result<ArrayPtr> FromString(const Call& call, const Argument& arg, const Type& to) {
  return FromTextColumn(*arg.array, to, SettingsOf(call), [&](int64_t row, const Status& status) {
    if (call.selection->Has(row)) SetError(call, row, status);
  });
}

// json and jsonb are both text in memory; only jsonb has a normal form.
Result<ArrayPtr> ReadAsText(const Call& call, const Argument& arg, const Type& to) {
  Argument text = arg;
  text.type = kText;
  return FromString(call, text, to);
}

std::string_view JsonKind(std::string_view text) {
  switch (text.empty() ? 'n' : text[0]) {
    case '"':
      return "string";
    case '{':
      return "object";
    case '[':
      return "array";
    case 't':
    case 'f':
      return "boolean";
    case 'n':
      return "null";
    default:
      return "numeric";
  }
}

// A jsonb scalar to bool or a number, which must be one already.
Result<ArrayPtr> FromJsonb(const Call& call, const Argument& arg, const Type& to) {
  const Texts texts(arg);
  const std::string_view wanted = to.id == kBool ? "boolean" : "numeric";
  Selection right;
  right.active.assign(static_cast<size_t>(call.rows), 0);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (arg.array->IsNull(arg.at(row)) || !call.selection->Has(row)) continue;
    const std::string_view kind = JsonKind(texts[row]);
    if (kind == wanted) {
      right.active[static_cast<size_t>(row)] = 1;
    } else {
      call.errors->Set(row, "22023",
                       fmt::format("cannot cast jsonb {} to type {}", kind, TypeName(Type(to.id))));
    }
  }
  Call inner = call;
  inner.selection = &right;
  const Type numeric = to.id == kBool ? Type(kBool) : Type(kNumeric);
  inner.result = &numeric;
  LEAT_ASSIGN(ArrayPtr value, ReadAsText(inner, arg, numeric));
  if (to.id == kBool) return value;
  const Argument number{.array = std::move(value), .type = numeric, .constant = arg.constant};
  inner.result = &to;
  return CastColumn(inner, number, to, CastContext::kExplicit);
}

// Element by element; an element's error is its row's.
Result<ArrayPtr> CastArray(const Call& call, const Argument& arg, const Type& to,
                           CastContext context) {
  const auto& list = static_cast<const arrow::ListArray&>(*arg.array);
  const int64_t count = list.values()->length();
  ErrorMask errors(count);
  const Selection all;
  const Call inner{.rows = count,
                   .result = to.element.get(),
                   .context = call.context,
                   .selection = &all,
                   .errors = &errors};
  const Argument elements{.array = list.values(), .type = *arg.type.element};
  LEAT_ASSIGN(ArrayPtr values, CastColumn(inner, elements, *to.element, context));
  for (int64_t row = 0; row < call.rows && errors.any(); ++row) {
    if (list.IsNull(row) || !call.selection->Has(row)) continue;
    for (const auto& error : errors.errors()) {
      if (error.row < list.value_offset(row) || error.row >= list.value_offset(row + 1)) continue;
      call.errors->Set(row, error.sqlstate, error.message);
    }
  }
  auto data = list.data()->Copy();
  data->type = ArrowType(to);
  data->child_data = {values->data()};
  return arrow::MakeArray(data);
}

bool IsTime(const Type& type) { return type.id >= kDate && type.id <= kInterval; }

}  // namespace

bool IsRelabel(const Type& from, const Type& to) {
  if (from == to) return true;
  if (to.id == kUnknown) return false;
  if (!to.is_string() || to.length >= 0) return false;
  if (from.id == kChar) return to.id == kChar;
  return from.is_string() || from.id == kUnknown;
}

Result<ArrayPtr> CastColumn(const Call& call, const Argument& arg, const Type& to,
                            CastContext context) {
  if (IsRelabel(arg.type, to)) return arg.array;
  const TypeId from = arg.type.id;
  if (to.is_string()) return ToString(call, arg, to, context);
  if (arg.type.is_string() || from == kUnknown) return FromString(call, arg, to);
  if (arg.type.is_numeric() && to.is_numeric()) return CastNumber(call, arg, to);
  if (from == kBool && to.id == kInt4) return CastBoolToInt(call, arg);
  if (from == kInt4 && to.id == kBool) return CastIntToBool(call, arg);
  if (IsTime(arg.type) && IsTime(to)) return CastTime(call, arg, to);
  if (from == kArray && to.id == kArray) return CastArray(call, arg, to, context);
  if (from == kJson && to.id == kJsonb) return ReadAsText(call, arg, to);
  if (from == kJsonb && to.id == kJson) return arg.array;
  if (from == kJsonb) return FromJsonb(call, arg, to);
  return SqlStatus(fmt::format("cannot cast type {} to {}", TypeName(arg.type), TypeName(to)),
                   {.sqlstate = "42846"});
}

}  // namespace leat
