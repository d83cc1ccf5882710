// PostgreSQL's types and what they are in memory.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace leat {

enum class TypeId : uint8_t {
  kUnknown,      // an untyped literal or NULL: utf8
  kBool,         // bool
  kInt2,         // int16
  kInt4,         // int32
  kInt8,         // int64
  kFloat4,       // float
  kFloat8,       // double
  kNumeric,      // numeric(p,s), p <= 38: decimal128(p,s); any other: binary, see data/numeric.h
  kText,         // utf8 (or dictionary<int32, utf8>, see data/batch.h)
  kVarchar,      // utf8; `length` in code points
  kChar,         // char(n), bpchar: utf8, padded to `length`; trailing blanks do not compare
  kBytea,        // binary
  kDate,         // date32
  kTime,         // time64[us]
  kTimestamp,    // timestamp[us]
  kTimestamptz,  // timestamp[us, UTC]
  kInterval,     // month_day_nano_interval: months, days, microseconds * 1000
  kUuid,         // fixed_size_binary[16]
  kJson,         // utf8, as written
  kJsonb,        // utf8, in PostgreSQL's normal form (keys by length then bytes, no doubles)
  kEnum,         // int32: the label's place in the order, see EnumType
  kArray,        // list<element>
};

// CREATE TYPE … AS ENUM. All Types of it share one, so that a label that ALTER TYPE adds is known
// wherever the type is. Only ALTER TYPE changes it, between statements, when nobody else reads.
struct EnumType {
  struct Label {
    int32_t order;  // what a value is in memory; never given again
    std::string text;
  };
  std::string name;
  std::vector<Label> labels;  // by their order

  const Label* Find(std::string_view text) const;
  const Label* Find(int32_t order) const;
  // Puts a label before the one at `place`, behind all for labels.size().
  Status Add(std::string text, size_t place);
};

// A value type with PostgreSQL's type modifier. Equality includes the modifier.
struct Type {
  TypeId id = TypeId::kUnknown;
  int32_t length = -1;                  // varchar(n), char(n): n; -1 none
  int32_t precision = -1;               // numeric(p,s): p; -1 unconstrained
  int32_t scale = 0;                    // numeric(p,s): s
  std::shared_ptr<const Type> element;  // arrays only
  std::shared_ptr<EnumType> labels;     // enums only; a parameter without takes any enum

  Type() = default;
  Type(TypeId type_id) : id(type_id) {}  // NOLINT: a bare TypeId is the type without modifier
  static Type Numeric(int32_t p, int32_t s);
  static Type Varchar(int32_t n);
  static Type Char(int32_t n);
  static Type Array(Type element);
  static Type Enum(std::shared_ptr<EnumType> labels);
  // The same type without its modifiers.
  Type Bare() const;

  bool operator==(const Type& other) const;
  bool is_integer() const { return id >= TypeId::kInt2 && id <= TypeId::kInt8; }
  bool is_float() const { return id == TypeId::kFloat4 || id == TypeId::kFloat8; }
  bool is_numeric() const { return id >= TypeId::kInt2 && id <= TypeId::kNumeric; }
  // text, varchar, char: all utf8 in memory and castable to each other.
  bool is_string() const { return id >= TypeId::kText && id <= TypeId::kChar; }
};

// As PostgreSQL's format_type: "double precision", "numeric(10,2)", "timestamp with time zone".
std::string TypeName(const Type& type);
// The type of a name as PostgreSQL's grammar gives it ("int4", "float8", "pg_catalog.bpchar"
// without the schema) or as people write it ("integer", "string" is not one). Modifiers in
// `modifiers`.
Result<Type> TypeFromName(std::string_view name, const std::vector<int32_t>& modifiers = {});

std::shared_ptr<arrow::DataType> ArrowType(const Type& type);
// The type that an inferred or foreign Arrow column gets; int8 and unsigned ones widen.
Result<Type> TypeFromArrow(const arrow::DataType& type);

struct Column {
  std::string name;
  Type type;
  bool nullable = true;
};

// The named, typed columns of a relation. Names may repeat in a query's result.
struct Schema {
  std::vector<Column> columns;

  int size() const { return static_cast<int>(columns.size()); }
  // The index of the only column of this name; -1 none.
  int Find(std::string_view name) const;
};

// Fields carry PostgreSQL's type name as metadata "leat.type".
std::shared_ptr<arrow::Schema> ArrowSchema(const Schema& schema);

}  // namespace leat
