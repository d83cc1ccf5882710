#include "format/json_write.h"

#include <fmt/format.h>

namespace leat {

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      case '\b':
        *out += "\\b";
        break;
      case '\f':
        *out += "\\f";
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          *out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          *out += c;
        }
    }
  }
  *out += '"';
}

namespace {

Status AppendList(const arrow::Array& column, int64_t row, const Type& element, std::string* out);
void AppendOneLine(std::string_view text, std::string* out);
void AppendTimestamp(std::string_view text, bool zone, std::string* out);

Status AppendValue(const TextColumn& texts, int64_t row, const arrow::Array& column,
                   const Type& type, std::string* out) {
  if (texts.IsNull(row)) {
    *out += "null";
    return Status::OK();
  }
  const std::string_view text = texts[row];
  switch (type.id) {
    case TypeId::kBool:
      *out += text == "t" || text == "true" ? "true" : "false";
      break;
    case TypeId::kInt2:
    case TypeId::kInt4:
    case TypeId::kInt8:
      *out += text;
      break;
    case TypeId::kFloat4:
    case TypeId::kFloat8:
    case TypeId::kNumeric: {
      // NaN and Infinity are no JSON numbers.
      const bool bare = text.find_first_of("NI") == text.npos;
      if (bare) {
        *out += text;
      } else {
        AppendJsonString(text, out);
      }
      break;
    }
    case TypeId::kJsonb:
      *out += text;
      break;
    case TypeId::kJson:
      AppendOneLine(text, out);
      break;
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      AppendTimestamp(text, type.id == TypeId::kTimestamptz, out);
      break;
    case TypeId::kArray:
      return AppendList(column, row, *type.element, out);
    default:
      AppendJsonString(text, out);
  }
  return Status::OK();
}

// json keeps its text, which may hold line ends between tokens.
void AppendOneLine(std::string_view text, std::string* out) {
  for (const char c : text) *out += c == '\n' || c == '\r' ? ' ' : c;
}

// As PostgreSQL's JSON functions: ISO 8601, a T between, minutes in the zone.
void AppendTimestamp(std::string_view text, bool zone, std::string* out) {
  std::string iso(text);
  if (const size_t blank = iso.find(' '); blank != iso.npos) iso[blank] = 'T';
  if (zone && iso.size() > 3 && (iso[iso.size() - 3] == '+' || iso[iso.size() - 3] == '-')) {
    iso += ":00";
  }
  AppendJsonString(iso, out);
}

Status AppendList(const arrow::Array& column, int64_t row, const Type& element, std::string* out) {
  const auto& list = static_cast<const arrow::ListArray&>(column);
  const std::shared_ptr<arrow::Array> values = list.value_slice(row);
  LEAT_ASSIGN(const auto texts, TextColumn::Make(values, element));
  *out += '[';
  for (int64_t i = 0; i < values->length(); ++i) {
    if (i > 0) *out += ',';
    LEAT_RETURN(AppendValue(texts, i, *values, element, out));
  }
  *out += ']';
  return Status::OK();
}

}  // namespace

JsonRows::JsonRows(Schema schema) : schema_(std::move(schema)) {
  for (size_t i = 0; i < schema_.columns.size(); ++i) {
    std::string& key = keys_.emplace_back(i == 0 ? "{" : ",");
    AppendJsonString(schema_.columns[i].name, &key);
    key += ':';
  }
}

Status JsonRows::Take(const Batch& batch) {
  columns_ = batch.columns;
  LEAT_ASSIGN(texts_, TextColumns(batch, schema_));
  return Status::OK();
}

Status JsonRows::Append(int64_t row, std::string* out) const {
  if (texts_.empty()) *out += '{';
  for (size_t i = 0; i < texts_.size(); ++i) {
    *out += keys_[i];
    LEAT_RETURN(AppendValue(texts_[i], row, *columns_[i], schema_.columns[i].type, out));
  }
  *out += '}';
  return Status::OK();
}

}  // namespace leat
