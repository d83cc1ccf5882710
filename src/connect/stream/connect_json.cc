#include "connect/stream/connect_json.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/util/base64.h>
#include <arrow/util/decimal.h>

#include <charconv>

#include "data/text.h"
#include "format/json_scan.h"
#include "format/json_write.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr int64_t kMicrosPerMilli = 1000;

bool IsDecimal(const Type& type) { return type.id == TypeId::kNumeric && type.precision >= 0; }

// The type's name in a Connect schema, and what it stands for.
struct ConnectType {
  std::string_view type;
  std::string_view logical;
};

ConnectType ConnectTypeOf(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return {"boolean", ""};
    case TypeId::kInt2:
      return {"int16", ""};
    case TypeId::kInt4:
      return {"int32", ""};
    case TypeId::kInt8:
      return {"int64", ""};
    case TypeId::kFloat4:
      return {"float", ""};
    case TypeId::kFloat8:
      return {"double", ""};
    case TypeId::kDate:
      return {"int32", "org.apache.kafka.connect.data.Date"};
    case TypeId::kTime:
      return {"int32", "org.apache.kafka.connect.data.Time"};
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return {"int64", "org.apache.kafka.connect.data.Timestamp"};
    case TypeId::kBytea:
      return {"bytes", ""};
    default:
      if (IsDecimal(type)) return {"bytes", "org.apache.kafka.connect.data.Decimal"};
      return {"string", ""};
  }
}

// Milliseconds of microseconds, or days as they are.
Result<ArrayPtr> ToMillis(const std::string& sink, const std::string& column,
                          const arrow::Array& micros) {
  LEAT_ASSIGN(const auto numbers, micros.View(arrow::int64()));
  const auto& values = static_cast<const arrow::Int64Array&>(*numbers);
  arrow::Int64Builder out;
  LEAT_RETURN(out.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) {
      out.UnsafeAppendNull();
      continue;
    }
    if (values.Value(i) % kMicrosPerMilli != 0) {
      return SqlStatus(
          fmt::format("sink \"{}\": a value of column \"{}\" is finer than the milliseconds of "
                      "Kafka Connect",
                      sink, column),
          {.sqlstate = "22008",
           .hint = fmt::format("Write date_trunc('milliseconds', {}).", column)});
    }
    out.UnsafeAppend(values.Value(i) / kMicrosPerMilli);
  }
  return out.Finish();
}

// The unscaled number, big-endian in two's complement and no longer than need be, as base64.
std::string UnscaledBase64(const arrow::Decimal128& value) {
  std::string bytes;
  const auto high = static_cast<uint64_t>(value.high_bits());
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(high >> shift);
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(value.low_bits() >> shift);
  size_t begin = 0;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  while (begin + 1 < bytes.size() && ((byte(begin) == 0 && byte(begin + 1) < 0x80) ||
                                      (byte(begin) == 0xff && byte(begin + 1) >= 0x80))) {
    ++begin;
  }
  return arrow::util::base64_encode(std::string_view(bytes).substr(begin));
}

Result<arrow::Decimal128> FromUnscaledBase64(std::string_view base64) {
  LEAT_ASSIGN(const std::string bytes, arrow::util::base64_decode(base64));
  if (bytes.empty() || bytes.size() > 16) return Status::Invalid("not 1 to 16 bytes");
  return arrow::Decimal128::FromBigEndian(reinterpret_cast<const uint8_t*>(bytes.data()),
                                          static_cast<int32_t>(bytes.size()));
}

Result<ArrayPtr> ToBase64(const arrow::Array& column) {
  arrow::StringBuilder out;
  for (int64_t i = 0; i < column.length(); ++i) {
    if (column.IsNull(i)) {
      LEAT_RETURN(out.AppendNull());
    } else if (column.type_id() == arrow::Type::DECIMAL128) {
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(column);
      LEAT_RETURN(out.Append(UnscaledBase64(arrow::Decimal128(decimals.GetValue(i)))));
    } else {
      const auto& bytes = static_cast<const arrow::BinaryArray&>(column);
      LEAT_RETURN(out.Append(arrow::util::base64_encode(bytes.GetView(i))));
    }
  }
  return out.Finish();
}

Result<ArrayPtr> ToConnect(const std::string& sink, const Column& column, const ArrayPtr& values) {
  switch (column.type.id) {
    case TypeId::kDate:
      return values->View(arrow::int32());
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return ToMillis(sink, column.name, *values);
    case TypeId::kBytea:
      return ToBase64(*values);
    case TypeId::kNumeric:
      if (IsDecimal(column.type)) return ToBase64(*values);
      return ToTextColumn(*values, column.type, {});
    case TypeId::kInterval:
    case TypeId::kUuid:
    case TypeId::kEnum:
    case TypeId::kArray:
      return ToTextColumn(*values, column.type, {});
    default:
      return values;
  }
}

// The value as text that the type reads; a whole number also as one.
struct Token {
  std::string text;
  std::optional<int64_t> number;
};

Result<Token> ReadToken(std::string_view json) {
  Token token;
  JsonScanner scanner(json);
  std::string_view inside;
  if (scanner.Peek() == JsonKind::kString) {
    if (!scanner.String(&inside) || !UnescapeJson(inside, &token.text)) {
      return Status::Invalid("not a string");
    }
    return token;
  }
  token.text = json;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
  if (error == std::errc() && end == json.data() + json.size()) token.number = number;
  return token;
}

Result<std::shared_ptr<arrow::Scalar>> FromToken(std::string_view json, const Type& type,
                                                 const TextSettings& settings) {
  LEAT_ASSIGN(const Token token, ReadToken(json));
  const bool quoted = json.starts_with('"');
  const auto arrow_type = ArrowType(type);
  if (token.number && type.id == TypeId::kDate &&
      *token.number == static_cast<int32_t>(*token.number)) {
    return std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(*token.number));
  }
  if (token.number && (type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz)) {
    int64_t micros = 0;
    if (__builtin_mul_overflow(*token.number, kMicrosPerMilli, &micros)) {
      return SqlStatus("timestamp out of range", {.sqlstate = "22008"});
    }
    return std::make_shared<arrow::TimestampScalar>(micros, arrow_type);
  }
  if (token.number && type.id == TypeId::kTime && *token.number >= 0 &&
      *token.number < 86'400'000) {
    return std::make_shared<arrow::Time64Scalar>(*token.number * kMicrosPerMilli, arrow_type);
  }
  const auto wrong = [&] {
    return SqlStatus(
        fmt::format("invalid input syntax for type {}: \"{}\"", TypeName(type), token.text),
        {.sqlstate = kInvalidText});
  };
  if (quoted && IsDecimal(type)) {
    const auto decimal = FromUnscaledBase64(token.text);
    if (!decimal.ok() || !decimal->FitsInPrecision(type.precision)) return wrong();
    return std::make_shared<arrow::Decimal128Scalar>(*decimal, arrow_type);
  }
  if (quoted && type.id == TypeId::kBytea) {
    auto bytes = arrow::util::base64_decode(token.text);
    if (!bytes.ok()) return wrong();
    return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(*std::move(bytes)));
  }
  return ParseValue(token.text, type, settings);
}

}  // namespace

std::string ConnectSchema(const std::string& name, const Schema& schema) {
  std::string text = "{\"type\":\"struct\",\"fields\":[";
  for (const Column& column : schema.columns) {
    const auto [type, logical] = ConnectTypeOf(column.type);
    text +=
        fmt::format("{}{{\"type\":\"{}\",\"optional\":true,", text.ends_with('[') ? "" : ",", type);
    if (!logical.empty()) text += fmt::format("\"name\":\"{}\",\"version\":1,", logical);
    if (IsDecimal(column.type)) {
      text +=
          fmt::format("\"parameters\":{{\"scale\":\"{}\",\"connect.decimal.precision\":\"{}\"}},",
                      column.type.scale, column.type.precision);
    }
    text += "\"field\":";
    AppendJsonString(column.name, &text);
    text += '}';
  }
  text += "],\"optional\":false,\"name\":";
  AppendJsonString(name, &text);
  return text + "}";
}

Schema ConnectPayload(const Schema& schema) {
  Schema payload;
  for (const Column& column : schema.columns) {
    TypeId id = column.type.id;
    const ConnectType connect = ConnectTypeOf(column.type);
    if (id == TypeId::kDate) id = TypeId::kInt4;
    if (id == TypeId::kTime || id == TypeId::kTimestamp || id == TypeId::kTimestamptz) {
      id = TypeId::kInt8;
    }
    if (connect.type == "string" || connect.type == "bytes") id = TypeId::kText;
    payload.columns.push_back({column.name, Type(id)});
  }
  return payload;
}

Result<Batch> ToConnect(const std::string& sink, const Schema& schema, const Batch& batch) {
  Batch out = batch;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    LEAT_ASSIGN(out.columns[i], ToConnect(sink, schema.columns[i], batch.columns[i]));
  }
  return out;
}

bool IsConnectType(const Type& type) {
  return !ConnectTypeOf(type).logical.empty() || type.id == TypeId::kBytea ||
         type.id == TypeId::kJson || type.id == TypeId::kJsonb;
}

Result<ArrayPtr> FromConnect(const arrow::Array& tokens, const Type& type, const TextSettings& text,
                             const std::function<void(int64_t row, std::string reason)>& bad) {
  const auto& json = static_cast<const arrow::StringArray&>(tokens);
  LEAT_ASSIGN(const auto out, arrow::MakeBuilder(ArrowType(type)));
  for (int64_t i = 0; i < json.length(); ++i) {
    if (json.IsNull(i) || json.GetView(i) == "null") {
      LEAT_RETURN(out->AppendNull());
      continue;
    }
    const auto value = FromToken(json.GetView(i), type, text);
    if (value.ok()) {
      LEAT_RETURN(out->AppendScalar(**value));
      continue;
    }
    bad(i, value.status().message());
    LEAT_RETURN(out->AppendNull());
  }
  return out->Finish();
}

}  // namespace leat
