#include "data/type.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <array>

namespace leat {
namespace {

struct TypeName_ {
  std::string_view name;  // lower case
  TypeId id;
};

// The first name of an id is PostgreSQL's format_type.
constexpr std::array kNames = {
    TypeName_{"unknown", TypeId::kUnknown},
    TypeName_{"boolean", TypeId::kBool},
    TypeName_{"bool", TypeId::kBool},
    TypeName_{"smallint", TypeId::kInt2},
    TypeName_{"int2", TypeId::kInt2},
    TypeName_{"integer", TypeId::kInt4},
    TypeName_{"int4", TypeId::kInt4},
    TypeName_{"int", TypeId::kInt4},
    TypeName_{"bigint", TypeId::kInt8},
    TypeName_{"int8", TypeId::kInt8},
    TypeName_{"real", TypeId::kFloat4},
    TypeName_{"float4", TypeId::kFloat4},
    TypeName_{"double precision", TypeId::kFloat8},
    TypeName_{"float8", TypeId::kFloat8},
    TypeName_{"numeric", TypeId::kNumeric},
    TypeName_{"decimal", TypeId::kNumeric},
    TypeName_{"text", TypeId::kText},
    TypeName_{"name", TypeId::kText},
    TypeName_{"character varying", TypeId::kVarchar},
    TypeName_{"varchar", TypeId::kVarchar},
    TypeName_{"character", TypeId::kChar},
    TypeName_{"bpchar", TypeId::kChar},
    TypeName_{"char", TypeId::kChar},
    TypeName_{"bytea", TypeId::kBytea},
    TypeName_{"date", TypeId::kDate},
    TypeName_{"time without time zone", TypeId::kTime},
    TypeName_{"time", TypeId::kTime},
    TypeName_{"timestamp without time zone", TypeId::kTimestamp},
    TypeName_{"timestamp", TypeId::kTimestamp},
    TypeName_{"timestamp with time zone", TypeId::kTimestamptz},
    TypeName_{"timestamptz", TypeId::kTimestamptz},
    TypeName_{"interval", TypeId::kInterval},
    TypeName_{"uuid", TypeId::kUuid},
    TypeName_{"json", TypeId::kJson},
    TypeName_{"jsonb", TypeId::kJsonb},
};

std::string_view NameOf(TypeId id) {
  for (const auto& entry : kNames) {
    if (entry.id == id) return entry.name;
  }
  return id == TypeId::kEnum ? "anyenum" : "array";
}

// As an identifier is written: in quotes where it would not be read back without.
std::string QuotedName(const std::string& name) {
  const bool plain = !name.empty() && (name[0] < '0' || name[0] > '9') &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == name.npos;
  if (plain) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

constexpr int32_t kOrderStep = 1 << 16;  // between labels: room for those that come between

Result<Type> WithModifiers(TypeId id, std::string_view name,
                           const std::vector<int32_t>& modifiers) {
  if (modifiers.empty()) return Type(id);
  const int32_t first = modifiers[0];
  switch (id) {
    case TypeId::kNumeric: {
      const int32_t scale = modifiers.size() > 1 ? modifiers[1] : 0;
      if (first < 1 || first > 1000) {
        return SqlStatus(fmt::format("NUMERIC precision {} must be between 1 and 1000", first),
                         {.sqlstate = "22023"});
      }
      return Type::Numeric(first, scale);
    }
    case TypeId::kVarchar:
    case TypeId::kChar:
      if (first < 1) {
        return SqlStatus(fmt::format("length for type {} must be at least 1",
                                     id == TypeId::kChar ? "char" : "varchar"),
                         {.sqlstate = "22023"});
      }
      return id == TypeId::kChar ? Type::Char(first) : Type::Varchar(first);
    default:
      // timestamp(6), time(6), interval(6): microseconds are what we keep.
      if (id >= TypeId::kDate && id <= TypeId::kInterval && first == 6) return Type(id);
      return NotSupported(fmt::format("type modifier of \"{}\" is not supported", name));
  }
}

}  // namespace

Type Type::Numeric(int32_t p, int32_t s) {
  Type type(TypeId::kNumeric);
  type.precision = p;
  type.scale = s;
  return type;
}

Type Type::Varchar(int32_t n) {
  Type type(TypeId::kVarchar);
  type.length = n;
  return type;
}

Type Type::Char(int32_t n) {
  Type type(TypeId::kChar);
  type.length = n;
  return type;
}

Type Type::Array(Type of) {
  Type type(TypeId::kArray);
  type.element = std::make_shared<const Type>(std::move(of));
  return type;
}

Type Type::Enum(std::shared_ptr<EnumType> of) {
  Type type(TypeId::kEnum);
  type.labels = std::move(of);
  return type;
}

Type Type::Bare() const {
  Type bare(id);
  bare.labels = labels;
  if (element) bare.element = std::make_shared<const Type>(element->Bare());
  return bare;
}

const EnumType::Label* EnumType::Find(std::string_view text) const {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [&](const Label& label) { return label.text == text; });
  return found == labels.end() ? nullptr : &*found;
}

const EnumType::Label* EnumType::Find(int32_t order) const {
  const auto found =
      std::lower_bound(labels.begin(), labels.end(), order,
                       [](const Label& label, int32_t wanted) { return label.order < wanted; });
  return found == labels.end() || found->order != order ? nullptr : &*found;
}

Status EnumType::Add(std::string text, size_t place) {
  const int64_t before = place == 0
                             ? -int64_t{kOrderStep} * 2 + (labels.empty() ? 0 : labels[0].order)
                             : labels[place - 1].order;
  const int64_t after =
      place == labels.size() ? before + 2 * int64_t{kOrderStep} : labels[place].order;
  const int64_t order = before + (after - before) / 2;
  if (order == before || order < INT32_MIN || order > INT32_MAX) {
    return NotSupported(
        fmt::format("so many labels at one place of enum {} are not supported", name), -1,
        "Create the type again, with its labels in their order.");
  }
  labels.insert(labels.begin() + static_cast<ptrdiff_t>(place),
                {static_cast<int32_t>(order), std::move(text)});
  return Status::OK();
}

bool Type::operator==(const Type& other) const {
  if (id != other.id || length != other.length || precision != other.precision ||
      scale != other.scale) {
    return false;
  }
  if (id == TypeId::kEnum && labels && other.labels) return labels->name == other.labels->name;
  if (!element || !other.element) return element == other.element;
  return *element == *other.element;
}

std::string TypeName(const Type& type) {
  if (type.id == TypeId::kArray) return TypeName(*type.element) + "[]";
  if (type.labels) return QuotedName(type.labels->name);
  std::string name(NameOf(type.id));
  if (type.precision >= 0) return fmt::format("{}({},{})", name, type.precision, type.scale);
  if (type.length >= 0) return fmt::format("{}({})", name, type.length);
  return name;
}

Result<Type> TypeFromName(std::string_view name, const std::vector<int32_t>& modifiers) {
  if (name.ends_with("[]")) {
    LEAT_ASSIGN(Type element, TypeFromName(name.substr(0, name.size() - 2), modifiers));
    return Type::Array(std::move(element));
  }
  // "numeric(10,2)", as TypeName prints it.
  if (const size_t open = name.find('('); open != name.npos && name.ends_with(')')) {
    std::vector<int32_t> inside;
    for (size_t at = open; at < name.size() && name[at] != ')';) {
      inside.push_back(std::atoi(name.data() + at + 1));
      at = name.find_first_of(",)", at + 1);
    }
    return TypeFromName(name.substr(0, open), inside);
  }
  for (const auto& entry : kNames) {
    if (entry.name == name) return WithModifiers(entry.id, name, modifiers);
  }
  return SqlStatus(fmt::format("type \"{}\" does not exist", name), {.sqlstate = "42704"});
}

std::shared_ptr<arrow::DataType> ArrowType(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return arrow::boolean();
    case TypeId::kInt2:
      return arrow::int16();
    case TypeId::kInt4:
    case TypeId::kEnum:
      return arrow::int32();
    case TypeId::kInt8:
      return arrow::int64();
    case TypeId::kFloat4:
      return arrow::float32();
    case TypeId::kFloat8:
      return arrow::float64();
    case TypeId::kNumeric:
      if (type.precision < 1 || type.precision > 38) return arrow::binary();
      return arrow::decimal128(type.precision, type.scale);
    case TypeId::kBytea:
      return arrow::binary();
    case TypeId::kDate:
      return arrow::date32();
    case TypeId::kTime:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case TypeId::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case TypeId::kTimestamptz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeId::kInterval:
      return arrow::month_day_nano_interval();
    case TypeId::kUuid:
      return arrow::fixed_size_binary(16);
    case TypeId::kArray:
      return arrow::list(ArrowType(*type.element));
    case TypeId::kUnknown:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
    case TypeId::kJsonb:
      return arrow::utf8();
  }
  return arrow::utf8();
}

Result<Type> TypeFromArrow(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Type(TypeId::kBool);
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
    case arrow::Type::INT16:
      return Type(TypeId::kInt2);
    case arrow::Type::UINT16:
    case arrow::Type::INT32:
      return Type(TypeId::kInt4);
    case arrow::Type::UINT32:
    case arrow::Type::INT64:
      return Type(TypeId::kInt8);
    case arrow::Type::UINT64:
      return Type::Numeric(20, 0);
    case arrow::Type::FLOAT:
      return Type(TypeId::kFloat4);
    case arrow::Type::DOUBLE:
      return Type(TypeId::kFloat8);
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return Type::Numeric(decimal.precision(), decimal.scale());
    }
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return Type(TypeId::kText);
    case arrow::Type::DICTIONARY:
      return TypeFromArrow(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
      return Type(TypeId::kBytea);
    case arrow::Type::FIXED_SIZE_BINARY:
      return Type(TypeId::kBytea);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return Type(TypeId::kDate);
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return Type(TypeId::kTime);
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      return Type(timestamp.timezone().empty() ? TypeId::kTimestamp : TypeId::kTimestamptz);
    }
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return Type(TypeId::kInterval);
    case arrow::Type::LIST: {
      LEAT_ASSIGN(Type element, TypeFromArrow(*type.field(0)->type()));
      return Type::Array(std::move(element));
    }
    default:
      return NotSupported(fmt::format("Arrow type {} has no PostgreSQL type", type.ToString()));
  }
}

int Schema::Find(std::string_view name) const {
  int found = -1;
  for (int i = 0; i < size(); ++i) {
    if (columns[static_cast<size_t>(i)].name != name) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

std::shared_ptr<arrow::Schema> ArrowSchema(const Schema& schema) {
  arrow::FieldVector fields;
  for (const Column& column : schema.columns) {
    auto metadata = arrow::key_value_metadata({"leat.type"}, {TypeName(column.type)});
    fields.push_back(
        arrow::field(column.name, ArrowType(column.type), column.nullable, std::move(metadata)));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace leat
