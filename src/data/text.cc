// Columns of any type to text and back; the families' own files know the values.
#include "data/text.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "base/ascii.h"
#include "base/check.h"
#include "data/batch.h"
#include "data/numeric.h"
#include "data/text_internal.h"

namespace leat {
namespace {

using text_internal::DateContext;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using OnError = std::function<void(int64_t row, const Status& status)>;

// --- To text -----------------------------------------------------------------------------------

template <typename ArrayType>
const ArrayType& As(const arrow::Array& array) {
  return static_cast<const ArrayType&>(array);
}

std::string_view BytesAt(const arrow::Array& column, int64_t row) {
  if (column.type_id() != arrow::Type::DICTIONARY)
    return As<arrow::BinaryArray>(column).GetView(row);
  const auto& coded = As<arrow::DictionaryArray>(column);
  return As<arrow::BinaryArray>(*coded.dictionary()).GetView(coded.GetValueIndex(row));
}

template <typename Integer>
void AppendInteger(Integer value, std::string* out) {
  const fmt::format_int text(value);
  out->append(text.data(), text.size());
}

void AppendValue(const arrow::Array& column, int64_t row, const Type& type, const TimeZone* zone,
                 std::string* out);

// As array_out: quotes where reading back would otherwise go wrong.
void AppendArray(const arrow::ListArray& lists, int64_t row, const Type& element,
                 const TimeZone* zone, std::string* out) {
  const arrow::Array& values = *lists.values();
  out->push_back('{');
  std::string text;
  for (int64_t i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) {
    if (i > lists.value_offset(row)) out->push_back(',');
    if (values.IsNull(i)) {
      out->append("NULL");
      continue;
    }
    text.clear();
    AppendValue(values, i, element, zone, &text);
    const bool is_null_word = text.size() == 4 && (text[0] | 0x20) == 'n' &&
                              (text[1] | 0x20) == 'u' && (text[2] | 0x20) == 'l' &&
                              (text[3] | 0x20) == 'l';
    if (!text.empty() && !is_null_word && element.id != TypeId::kArray &&
        text.find_first_of("{}\",\\ \t\n\v\f\r") == text.npos) {
      out->append(text);
      continue;
    }
    if (element.id == TypeId::kArray) {
      out->append(text);
      continue;
    }
    out->push_back('"');
    for (const char c : text) {
      if (c == '"' || c == '\\') out->push_back('\\');
      out->push_back(c);
    }
    out->push_back('"');
  }
  out->push_back('}');
}

// `zone` is absent where the type needs none. REQUIRES: not null.
void AppendValue(const arrow::Array& column, int64_t row, const Type& type, const TimeZone* zone,
                 std::string* out) {
  switch (type.id) {
    case TypeId::kBool:
      out->push_back(As<arrow::BooleanArray>(column).Value(row) ? 't' : 'f');
      return;
    case TypeId::kInt2:
      AppendInteger(As<arrow::Int16Array>(column).Value(row), out);
      return;
    case TypeId::kInt4:
      AppendInteger(As<arrow::Int32Array>(column).Value(row), out);
      return;
    case TypeId::kInt8:
      AppendInteger(As<arrow::Int64Array>(column).Value(row), out);
      return;
    case TypeId::kFloat4:
      AppendFloat4(As<arrow::FloatArray>(column).Value(row), out);
      return;
    case TypeId::kFloat8:
      AppendFloat8(As<arrow::DoubleArray>(column).Value(row), out);
      return;
    case TypeId::kNumeric:
      out->append(NumericAt(column, row).ToString());
      return;
    case TypeId::kBytea:
      text_internal::AppendBytea(BytesAt(column, row), out);
      return;
    case TypeId::kDate:
      text_internal::AppendDate(As<arrow::Date32Array>(column).Value(row), out);
      return;
    case TypeId::kTime:
      text_internal::AppendTime(As<arrow::Time64Array>(column).Value(row), out);
      return;
    case TypeId::kTimestamp:
      text_internal::AppendTimestamp(As<arrow::TimestampArray>(column).Value(row), out);
      return;
    case TypeId::kTimestamptz:
      text_internal::AppendTimestamptz(As<arrow::TimestampArray>(column).Value(row), *zone, out);
      return;
    case TypeId::kInterval:
      text_internal::AppendInterval(As<arrow::MonthDayNanoIntervalArray>(column).GetValue(row),
                                    out);
      return;
    case TypeId::kUuid:
      text_internal::AppendUuid(As<arrow::FixedSizeBinaryArray>(column).GetValue(row), out);
      return;
    case TypeId::kEnum: {
      const auto* label = type.labels->Find(As<arrow::Int32Array>(column).Value(row));
      if (label != nullptr) out->append(label->text);
      return;
    }
    case TypeId::kArray:
      AppendArray(As<arrow::ListArray>(column), row, *type.element, zone, out);
      return;
    case TypeId::kUnknown:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
    case TypeId::kJsonb:
      out->append(BytesAt(column, row));
      return;
  }
}

// Whether values of the type read differently from zone to zone.
bool NeedsZone(const Type& type) {
  if (type.id == TypeId::kArray) return NeedsZone(*type.element);
  return type.id >= TypeId::kDate && type.id <= TypeId::kTimestamptz;
}

Result<const TimeZone*> ZoneFor(const Type& type, const TextSettings& settings) {
  if (!NeedsZone(type)) return nullptr;
  return TimeZone::FindSetting(settings.timezone);
}

// --- From text ---------------------------------------------------------------------------------

// The loop over a column: `append(text)` reads a value and appends it, or says what is wrong.
template <typename Builder, typename Append>
Result<ArrayPtr> FromEach(const arrow::BinaryArray& texts, Builder* builder, const OnError& error,
                          const Append& append) {
  LEAT_RETURN(builder->Reserve(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      LEAT_RETURN(builder->AppendNull());
      continue;
    }
    const Status status = append(texts.GetView(i));
    if (status.ok()) continue;
    error(i, status);
    LEAT_RETURN(builder->AppendNull());
  }
  return builder->Finish();
}

// Values that `parse(text, &value)` reads.
template <typename Builder, typename Value, typename Parse>
Result<ArrayPtr> FromValues(const arrow::BinaryArray& texts, const Type& type, const OnError& error,
                            const Parse& parse) {
  Builder builder(ArrowType(type), arrow::default_memory_pool());
  return FromEach(texts, &builder, error, [&](std::string_view text) {
    Value value{};
    Status status = parse(text, &value);
    if (status.ok()) builder.UnsafeAppend(value);
    return status;
  });
}

template <typename Builder, typename Value>
Result<ArrayPtr> FromIntegers(const arrow::BinaryArray& texts, const Type& type,
                              const OnError& error) {
  return FromValues<Builder, Value>(texts, type, error, [&](std::string_view text, Value* value) {
    int64_t wide;
    Status status = text_internal::ParseInteger(text, type.id, &wide);
    if (status.ok()) *value = static_cast<Value>(wide);
    return status;
  });
}

// NumericBuilder with the words of Arrow's builders.
class NumericColumn {
 public:
  explicit NumericColumn(const Type& type) : builder_(type) {}
  Status Reserve(int64_t) { return Status::OK(); }
  Status AppendNull() {
    builder_.AppendNull();
    return Status::OK();
  }
  void Append(const Numeric& value) { builder_.Append(value); }
  Result<ArrayPtr> Finish() { return builder_.Finish(); }

 private:
  NumericBuilder builder_;
};

Result<ArrayPtr> FromNumerics(const arrow::BinaryArray& texts, const Type& type,
                              const OnError& error) {
  NumericColumn builder(type);
  return FromEach(texts, &builder, error, [&](std::string_view text) {
    Result<Numeric> value = Numeric::Parse(text);
    if (value.ok() && type.precision >= 0) value = value->Fit(type.precision, type.scale);
    // decimal128 has no NaN.
    if (value.ok() && type.precision >= 0 && type.precision <= 38 &&
        value->kind() != Numeric::Kind::kFinite) {
      value =
          NotSupported(fmt::format("NaN in a column of type {} is not supported", TypeName(type)));
    }
    if (value.ok()) builder.Append(*value);
    return value.status();
  });
}

// Text of some kind; `read(text, &scratch, &result)` checks it and may change it.
template <typename Builder, typename Read>
Result<ArrayPtr> FromStrings(const arrow::BinaryArray& texts, const OnError& error,
                             const Read& read) {
  Builder builder;
  std::string scratch;
  return FromEach(texts, &builder, error, [&](std::string_view text) {
    std::string_view value = text;
    LEAT_RETURN(read(text, &scratch, &value));
    return builder.Append(value.data(), static_cast<int32_t>(value.size()));
  });
}

Result<ArrayPtr> FromTexts(const arrow::BinaryArray& texts, const Type& type,
                           const OnError& error) {
  switch (type.id) {
    case TypeId::kBytea:
      return FromStrings<arrow::BinaryBuilder>(
          texts, error, [](std::string_view text, std::string* scratch, std::string_view* out) {
            Status status = text_internal::ParseBytea(text, scratch);
            *out = *scratch;
            return status;
          });
    case TypeId::kJson:
      return FromStrings<arrow::StringBuilder>(
          texts, error, [](std::string_view text, std::string*, std::string_view*) {
            return text_internal::ParseJson(text, "json", nullptr);
          });
    case TypeId::kJsonb:
      return FromStrings<arrow::StringBuilder>(
          texts, error, [](std::string_view text, std::string* scratch, std::string_view* out) {
            Status status = text_internal::ParseJson(text, "json", scratch);
            *out = *scratch;
            return status;
          });
    default:
      return FromStrings<arrow::StringBuilder>(
          texts, error, [&](std::string_view text, std::string* scratch, std::string_view* out) {
            return text_internal::FitString(text, type, scratch, out);
          });
  }
}

Result<ArrayPtr> FromUuids(const arrow::BinaryArray& texts, const Type& type,
                           const OnError& error) {
  arrow::FixedSizeBinaryBuilder builder(ArrowType(type));
  return FromEach(texts, &builder, error, [&](std::string_view text) {
    std::array<char, 16> bytes;
    LEAT_RETURN(text_internal::ParseUuid(text, bytes.data()));
    return builder.Append(bytes.data());
  });
}

Result<ArrayPtr> FromArrays(const arrow::BinaryArray& texts, const Type& type,
                            const TextSettings& settings, const OnError& error);

Result<ArrayPtr> FromEnums(const arrow::BinaryArray& texts, const Type& type,
                           const OnError& error) {
  std::unordered_map<std::string_view, int32_t> orders;
  for (const EnumType::Label& label : type.labels->labels) orders.emplace(label.text, label.order);
  return FromValues<arrow::Int32Builder, int32_t>(
      texts, type, error, [&](std::string_view text, int32_t* value) -> Status {
        const auto found = orders.find(text);
        if (found == orders.end()) {
          return SqlStatus(
              fmt::format("invalid input value for enum {}: \"{}\"", TypeName(type), text),
              {.sqlstate = kInvalidText});
        }
        *value = found->second;
        return Status::OK();
      });
}

Result<ArrayPtr> FromDates(const arrow::BinaryArray& texts, const Type& type,
                           const TextSettings& settings, const OnError& error) {
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::FindSetting(settings.timezone));
  const DateContext context{zone, settings.now};
  switch (type.id) {
    case TypeId::kDate:
      return FromValues<arrow::Date32Builder, int32_t>(
          texts, type, error, [&](std::string_view text, int32_t* value) {
            return text_internal::ParseDate(text, context, value);
          });
    case TypeId::kTime:
      return FromValues<arrow::Time64Builder, int64_t>(
          texts, type, error, [&](std::string_view text, int64_t* value) {
            return text_internal::ParseTime(text, context, value);
          });
    default:
      return FromValues<arrow::TimestampBuilder, int64_t>(
          texts, type, error, [&](std::string_view text, int64_t* value) {
            return text_internal::ParseTimestamp(text, context, type.id == TypeId::kTimestamptz,
                                                 value);
          });
  }
}

// --- Arrays: {1,2,NULL,"a b"}
// ---------------------------------------------------------------------

Status MalformedArray(std::string_view text, std::string detail) {
  return SqlStatus(fmt::format("malformed array literal: \"{}\"", text),
                   {.sqlstate = kInvalidText, .detail = std::move(detail)});
}

struct ArrayElement {
  std::string text;
  bool null = false;
};

class ArrayReader {
 public:
  explicit ArrayReader(std::string_view text) : text_(text), rest_(text_internal::Trimmed(text)) {}

  Status Read(std::vector<ArrayElement>* elements) {
    if (!rest_.starts_with('{')) {
      if (rest_.starts_with('[')) {
        return NotSupported("arrays with lower bounds other than 1 are not supported");
      }
      return MalformedArray(text_, "Array value must start with \"{\" or dimension information.");
    }
    rest_.remove_prefix(1);
    SkipSpace();
    if (!TakeIf('}')) {
      for (;;) {
        LEAT_RETURN(Element(elements));
        if (TakeIf('}')) break;
        if (!TakeIf(',')) return Unexpected();
      }
    }
    if (!rest_.empty()) return MalformedArray(text_, "Junk after closing right brace.");
    return Status::OK();
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && text_internal::IsSpace(rest_[0])) rest_.remove_prefix(1);
  }

  bool TakeIf(char c) {
    SkipSpace();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Status Unexpected() const {
    if (rest_.empty()) return MalformedArray(text_, "Unexpected end of input.");
    if (rest_[0] == '"') return MalformedArray(text_, "Unexpected array element.");
    return MalformedArray(text_, fmt::format("Unexpected \"{}\" character.", rest_[0]));
  }

  Status Element(std::vector<ArrayElement>* elements) {
    SkipSpace();
    if (rest_.starts_with('{')) {
      return NotSupported("arrays of more than one dimension are not supported");
    }
    ArrayElement element;
    const bool quoted = TakeIf('"');
    size_t significant = 0;  // blanks at the end do not count, unless escaped
    for (;; rest_.remove_prefix(1)) {
      if (rest_.empty()) return Unexpected();
      const char c = rest_[0];
      if (quoted ? c == '"' : c == ',' || c == '}') break;
      if (!quoted && (c == '{' || c == '"')) return Unexpected();
      if (c == '\\') {
        rest_.remove_prefix(1);
        if (rest_.empty()) return Unexpected();
        escaped_ = true;
      }
      element.text += rest_[0];
      if (quoted || c == '\\' || !text_internal::IsSpace(c)) significant = element.text.size();
    }
    element.text.resize(significant);
    if (quoted) {
      rest_.remove_prefix(1);
      SkipSpace();
      if (!rest_.empty() && rest_[0] != ',' && rest_[0] != '}') {
        return MalformedArray(text_, "Unexpected array element.");
      }
    } else if (element.text.empty()) {
      return Unexpected();
    } else if (!std::exchange(escaped_, false)) {
      element.null = LowerAscii(element.text) == "null";
    }
    elements->push_back(std::move(element));
    return Status::OK();
  }

  std::string_view text_, rest_;
  bool escaped_ = false;
};

// Reads each text into elements, all of them as one column, and lays lists over it. A wrong element
// makes its array wrong.
Result<ArrayPtr> FromArrays(const arrow::BinaryArray& texts, const Type& type,
                            const TextSettings& settings, const OnError& error) {
  arrow::StringBuilder elements;
  std::vector<int64_t> row_of;  // of an element
  std::vector<int32_t> offsets = {0};
  std::vector<Status> wrong(static_cast<size_t>(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    std::vector<ArrayElement> read;
    if (texts.IsValid(i)) wrong[static_cast<size_t>(i)] = ArrayReader(texts.GetView(i)).Read(&read);
    if (!wrong[static_cast<size_t>(i)].ok()) read.clear();
    for (const ArrayElement& element : read) {
      LEAT_RETURN(element.null ? elements.AppendNull() : elements.Append(element.text));
      row_of.push_back(i);
    }
    offsets.push_back(static_cast<int32_t>(row_of.size()));
  }
  LEAT_ASSIGN(ArrayPtr element_texts, elements.Finish());
  LEAT_ASSIGN(ArrayPtr values,
              FromTextColumn(
                  *element_texts, *type.element, settings, [&](int64_t at, const Status& status) {
                    Status& of_row = wrong[static_cast<size_t>(row_of[static_cast<size_t>(at)])];
                    if (of_row.ok()) of_row = status;
                  }));
  arrow::TypedBufferBuilder<bool> valid;
  for (int64_t i = 0; i < texts.length(); ++i) {
    const Status& status = wrong[static_cast<size_t>(i)];
    if (!status.ok()) error(i, status);
    LEAT_RETURN(valid.Append(texts.IsValid(i) && status.ok()));
  }
  LEAT_ASSIGN(auto validity, valid.Finish());
  return std::make_shared<arrow::ListArray>(ArrowType(type), texts.length(),
                                            arrow::Buffer::FromVector(std::move(offsets)),
                                            std::move(values), std::move(validity));
}

}  // namespace

void AppendText(const arrow::Array& column, int64_t row, const Type& type,
                const TextSettings& settings, std::string* out) {
  if (column.IsNull(row)) return;
  const auto zone = ZoneFor(type, settings);
  // A zone that does not exist was refused by whoever set it.
  LEAT_CHECK(zone.ok(), "{}", zone.status().message());
  AppendValue(column, row, type, *zone, out);
}

Result<ArrayPtr> ToTextColumn(const arrow::Array& column, const Type& type,
                              const TextSettings& settings) {
  LEAT_ASSIGN(const TimeZone* zone, ZoneFor(type, settings));
  arrow::StringBuilder builder;
  LEAT_RETURN(builder.Reserve(column.length()));
  std::string text;
  for (int64_t i = 0; i < column.length(); ++i) {
    if (column.IsNull(i)) {
      LEAT_RETURN(builder.AppendNull());
      continue;
    }
    text.clear();
    AppendValue(column, i, type, zone, &text);
    LEAT_RETURN(builder.Append(text));
  }
  return builder.Finish();
}

Result<ArrayPtr> FromTextColumn(const arrow::Array& column, const Type& type,
                                const TextSettings& settings, const OnError& error) {
  if (column.type_id() != arrow::Type::STRING) {
    return Status::TypeError("text to read as ", TypeName(type), " came as ",
                             column.type()->ToString());
  }
  const auto& texts = As<arrow::BinaryArray>(column);
  switch (type.id) {
    case TypeId::kBool:
      return FromValues<arrow::BooleanBuilder, bool>(texts, type, error, text_internal::ParseBool);
    case TypeId::kInt2:
      return FromIntegers<arrow::Int16Builder, int16_t>(texts, type, error);
    case TypeId::kInt4:
      return FromIntegers<arrow::Int32Builder, int32_t>(texts, type, error);
    case TypeId::kInt8:
      return FromIntegers<arrow::Int64Builder, int64_t>(texts, type, error);
    case TypeId::kFloat4:
      return FromValues<arrow::FloatBuilder, float>(texts, type, error, text_internal::ParseFloat4);
    case TypeId::kFloat8:
      return FromValues<arrow::DoubleBuilder, double>(texts, type, error,
                                                      text_internal::ParseFloat8);
    case TypeId::kNumeric:
      return FromNumerics(texts, type, error);
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return FromDates(texts, type, settings, error);
    case TypeId::kInterval:
      return FromValues<arrow::MonthDayNanoIntervalBuilder, Interval>(texts, type, error,
                                                                      text_internal::ParseInterval);
    case TypeId::kUuid:
      return FromUuids(texts, type, error);
    case TypeId::kEnum:
      return FromEnums(texts, type, error);
    case TypeId::kArray:
      return FromArrays(texts, type, settings, error);
    default:
      return FromTexts(texts, type, error);
  }
}

Result<std::shared_ptr<arrow::Scalar>> ParseValue(std::string_view text, const Type& type,
                                                  const TextSettings& settings) {
  arrow::StringBuilder builder;
  LEAT_RETURN(builder.Append(text));
  LEAT_ASSIGN(ArrayPtr texts, builder.Finish());
  Status wrong;
  LEAT_ASSIGN(ArrayPtr column,
              FromTextColumn(*texts, type, settings,
                             [&](int64_t, const Status& status) { wrong = status; }));
  LEAT_RETURN(wrong);
  return column->GetScalar(0);
}

}  // namespace leat
