#include "connect/database/dialect.h"

#include <arrow/array.h>
#include <arrow/buffer_builder.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "base/ascii.h"
#include "connect/options.h"
#include "data/batch.h"
#include "data/text.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

// Digits that a double keeps: SQLite stores a NUMERIC with a fraction as one.
constexpr int32_t kSqliteDigitsMax = 15;
constexpr std::string_view kAsText = "TEXT ";

bool IsDecimal(const Type& type) {
  return type.id == TypeId::kNumeric && type.precision >= 1 && type.precision <= 38 &&
         type.scale >= 0 && type.scale <= type.precision;
}

// Whether the system has the type and its driver takes it as it is in memory.
bool IsNative(System system, const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
    case TypeId::kInt2:
    case TypeId::kInt4:
    case TypeId::kInt8:
    case TypeId::kFloat4:
    case TypeId::kFloat8:
    case TypeId::kUnknown:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
    case TypeId::kJsonb:
    case TypeId::kBytea:
      return true;
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
    case TypeId::kInterval:
      return system == System::kDuckdb;
    case TypeId::kNumeric:
      return system == System::kDuckdb && IsDecimal(type);
    case TypeId::kArray:
      return system == System::kDuckdb && IsNative(system, *type.element);
    case TypeId::kUuid:
    case TypeId::kEnum:
      return false;
  }
  return false;
}

std::string SqliteType(const Type& type) {
  switch (type.id) {
    case TypeId::kNumeric: {
      const bool fits = IsDecimal(type) && type.precision <= kSqliteDigitsMax;
      return (fits ? "" : std::string(kAsText)) + UpperAscii(TypeName(type));
    }
    case TypeId::kTimestamp:
      return "TIMESTAMP";
    case TypeId::kTime:
      return "TIME";
    case TypeId::kVarchar:
      return type.length < 0 ? "VARCHAR" : fmt::format("VARCHAR({})", type.length);
    case TypeId::kBytea:
      return "BLOB";
    case TypeId::kInterval:
    case TypeId::kJson:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return UpperAscii(TypeName(type)) + std::string(kAsText);
    case TypeId::kUnknown:
      return "TEXT";
    default:
      return UpperAscii(TypeName(type));
  }
}

std::string DuckdbType(const Type& type) {
  switch (type.id) {
    case TypeId::kNumeric:
      return IsDecimal(type) ? fmt::format("DECIMAL({},{})", type.precision, type.scale)
                             : "VARCHAR";
    case TypeId::kText:
    case TypeId::kUnknown:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
    case TypeId::kJsonb:
      return "VARCHAR";
    case TypeId::kBytea:
      return "BLOB";
    case TypeId::kTime:
      return "TIME";
    case TypeId::kTimestamp:
      return "TIMESTAMP";
    case TypeId::kArray:
      return IsNative(System::kDuckdb, type) ? DuckdbType(*type.element) + "[]" : "VARCHAR";
    default:
      return UpperAscii(TypeName(type));
  }
}

Status RefuseNaN(const arrow::Array& column, std::string_view table, std::string_view name) {
  const auto& values = static_cast<const arrow::DoubleArray&>(column);
  for (int64_t row = 0; row < values.length(); ++row) {
    if (!std::isnan(values.Value(row)) || values.IsNull(row)) continue;
    return SqlStatus(
        fmt::format("column \"{}\" of table \"{}\" cannot hold NaN: SQLite has none", name, table),
        {.sqlstate = kOutOfRange,
         .hint = fmt::format("Write nullif({}, 'NaN') in the query.", name)});
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::Array>> CastTo(const arrow::Array& values, const Type& type) {
  LEAT_ASSIGN(const arrow::Datum cast,
              arrow::compute::Cast(arrow::Datum(arrow::MakeArray(values.data())), ArrowType(type)));
  return cast.make_array();
}

// The same values, null where `is_null` is 1.
Result<std::shared_ptr<arrow::Array>> WithNulls(const arrow::Array& values,
                                                const arrow::Array& is_null) {
  const auto& flags = static_cast<const arrow::Int64Array&>(is_null);
  arrow::TypedBufferBuilder<bool> valid;
  LEAT_RETURN(valid.Append(values.offset(), true));
  for (int64_t row = 0; row < values.length(); ++row) {
    LEAT_RETURN(valid.Append(flags.Value(row) == 0));
  }
  auto data = values.data()->Copy();
  LEAT_ASSIGN(data->buffers[0], valid.Finish());
  data->null_count = arrow::kUnknownNullCount;
  return arrow::MakeArray(data);
}

Result<std::shared_ptr<arrow::Array>> ParseTexts(const arrow::Array& texts, const Type& type) {
  LEAT_ASSIGN(const auto plain, CastTo(texts, TypeId::kText));
  Status first;
  auto parsed = FromTextColumn(*plain, type, TextSettings{}, [&](int64_t, const Status& status) {
    if (first.ok()) first = status;
  });
  LEAT_RETURN(first);
  return parsed;
}

// As data travels from a column of this type.
enum class Form : uint8_t { kInteger, kReal, kBlob, kText };

Form SqliteForm(const Type& type) {
  if (type.is_integer() || type.id == TypeId::kBool) return Form::kInteger;
  if (type.is_float()) return Form::kReal;
  return type.id == TypeId::kBytea ? Form::kBlob : Form::kText;
}

// Position in the order in which integers widen; 0 for other types.
int IntegerWidth(const Type& type) {
  return type.is_integer() ? static_cast<int>(type.id) - static_cast<int>(TypeId::kInt2) + 1 : 0;
}

}  // namespace

Result<DatabaseUrl> UrlOf(const Server& server) {
  const std::string text = OptionOr(server.options, "url", "");
  const size_t colon = text.find(':');
  DatabaseUrl url;
  url.system = text.substr(0, colon) == "duckdb" ? System::kDuckdb : System::kSqlite;
  url.path = text.substr(colon + 1);
  if (url.path.starts_with("//")) url.path.erase(0, 2);
  if (url.path.empty() || url.path == ":memory:") {
    return InvalidValue("url", text, "Name a file, such as 'sqlite:warehouse.db'.");
  }
  if (!url.path.starts_with('/')) {
    const std::string base = OptionOr(server.options, "base", "");
    std::error_code error;
    const fs::path absolute = fs::absolute(base.empty() ? url.path : base + "/" + url.path, error);
    url.path = absolute.lexically_normal().string();
  }
  url.text = fmt::format("{}:{}", text.substr(0, colon), url.path);
  return url;
}

std::string TableName(const Options& options, const std::string& name) {
  return OptionOr(options, "table", name);
}

std::string QuoteName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

std::string DeclaredType(System system, const Type& type) {
  return system == System::kSqlite ? SqliteType(type) : DuckdbType(type);
}

Type TypeOfDeclared(System system, std::string_view declared) {
  std::string name = LowerAscii(declared);
  if (name.starts_with("text ")) name.erase(0, kAsText.size());
  if (name == "blob") return TypeId::kBytea;
  if (system == System::kDuckdb && name == "varchar") return TypeId::kText;
  if (name == "double") return TypeId::kFloat8;
  if (name == "float") return system == System::kSqlite ? TypeId::kFloat8 : TypeId::kFloat4;
  if (name == "hugeint" || name == "uhugeint") return TypeId::kNumeric;
  if (name == "tinyint" || name == "utinyint") return TypeId::kInt2;
  if (name == "usmallint") return TypeId::kInt4;
  if (name == "uinteger") return TypeId::kInt8;
  if (name == "ubigint") return Type::Numeric(20, 0);
  // Any integer of SQLite may have 64 bits.
  if (system == System::kSqlite && (name == "integer" || name == "int")) return TypeId::kInt8;
  const auto type = TypeFromName(name);
  return type.ok() ? *type : Type(TypeId::kText);
}

bool CanHold(System system, std::string_view declared, const Type& type) {
  const Type there = TypeOfDeclared(system, declared);
  if (there == type || UpperAscii(declared) == DeclaredType(system, type)) return true;
  if (there.is_string()) {
    return type.is_string() || system == System::kSqlite || DuckdbType(type) == "VARCHAR";
  }
  if (type.is_integer()) {
    return IntegerWidth(there) >= IntegerWidth(type) ||
           (system == System::kSqlite && IntegerWidth(there) > 0) ||
           (there.id == TypeId::kNumeric && there.precision < 0);
  }
  if (type.is_float()) return there.id == TypeId::kFloat8;
  return IsDecimal(type) && IsDecimal(there) && there.scale >= type.scale &&
         there.precision - there.scale >= type.precision - type.scale;
}

Result<std::shared_ptr<arrow::Array>> Lower(System system,
                                            const std::shared_ptr<arrow::Array>& column,
                                            const Type& type, std::string_view table,
                                            std::string_view name) {
  const auto plain = Plain(column);
  if (!IsNative(system, type)) return ToTextColumn(*plain, type, TextSettings{});
  if (system != System::kSqlite) return plain;
  if (type.id == TypeId::kBool) return CastTo(*plain, TypeId::kInt8);
  if (!type.is_float()) return plain;
  LEAT_ASSIGN(auto doubles, CastTo(*plain, TypeId::kFloat8));
  LEAT_RETURN(RefuseNaN(*doubles, table, name));
  return doubles;
}

std::string StagedType(System system, const Type& type) {
  if (system == System::kSqlite) return SqliteType(type);
  return IsNative(system, type) ? DuckdbType(type) : "VARCHAR";
}

std::string RaiseExpression(System system, const Type& type, const std::string& quoted_name) {
  if (system == System::kSqlite || IsNative(system, type)) return quoted_name;
  return fmt::format("CAST({} AS {})", quoted_name, DuckdbType(type));
}

std::string ReadExpression(System system, const Type& type, const std::string& quoted_name) {
  if (system == System::kDuckdb) {
    return fmt::format("CAST({} AS {})", quoted_name,
                       IsNative(system, type) ? DuckdbType(type) : "VARCHAR");
  }
  switch (SqliteForm(type)) {
    case Form::kInteger:
      return fmt::format("coalesce(CAST({} AS INTEGER), 0)", quoted_name);
    case Form::kReal:
      return fmt::format("coalesce(CAST({} AS REAL), 0.0)", quoted_name);
    case Form::kBlob:
      return fmt::format("coalesce(CAST({} AS BLOB), x'')", quoted_name);
    case Form::kText:
      break;
  }
  return fmt::format("coalesce(CAST({} AS TEXT), '')", quoted_name);
}

Result<std::shared_ptr<arrow::Array>> Raise(System system, const arrow::Array& values,
                                            const arrow::Array& is_null, const Type& type) {
  auto column = arrow::MakeArray(values.data());
  if (system == System::kSqlite) {
    LEAT_ASSIGN(column, WithNulls(values, is_null));
  }
  const bool parse = system == System::kSqlite
                         ? SqliteForm(type) == Form::kText && type != TypeId::kText
                         : !IsNative(system, type);
  if (parse) return ParseTexts(*column, type);
  if (column->type()->Equals(*ArrowType(type))) return column;
  return CastTo(*column, type);
}

}  // namespace leat
