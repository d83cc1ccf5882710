// PostgreSQL's types and ours.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "connect/postgres/connection.h"
#include "data/type.h"

namespace leat {

// A type there, by its OID and modifier, as a row description or the catalog says it.
struct PostgresType {
  uint32_t oid = 0;
  int32_t modifier = -1;
  bool operator==(const PostgresType&) const = default;
  auto operator<=>(const PostgresType&) const = default;
};

// What a value of a type there is for us.
struct PostgresMeaning {
  Type type;  // text where it is none of ours: composites, ranges, money, bits, time with zone …
  // Its binary form is one that we read (connect/postgres/binary.h); else it is asked for as text.
  bool binary = false;
  PostgresType base;  // of a domain, what it is made of; else the type itself
  std::string name;   // as format_type prints it; empty where nobody had to ask
};

// Of a type that every server has; text (not binary) where it is none of ours.
PostgresMeaning MeaningOfBuiltIn(const PostgresType& type);

// The meanings of any types, domains, enums and their arrays included: asks the catalog once for
// each that is not built in. Used by one thread at a time.
class PostgresTypes {
 public:
  explicit PostgresTypes(PostgresConnection* connection) : connection_(connection) {}
  Result<PostgresMeaning> MeaningOf(const PostgresType& type);

 private:
  Result<PostgresMeaning> Ask(const PostgresType& type);

  PostgresConnection* connection_;
  std::map<PostgresType, PostgresMeaning> known_;
};

// The type to declare a column with: "timestamp with time zone", "numeric(10,2)", "text[]".
std::string PostgresTypeName(const Type& type);

// Whether every value of `there` is one of `here`, and the same one: widening keeps them, text and
// an unbounded numeric hold whatever prints as such. What does not fit without loss is not held,
// however few its values: each of those would be a reject.
bool CanHold(const Type& here, const Type& there);

// The OIDs of built-in types that others need (src/include/catalog/pg_type.dat).
namespace postgres_oid {
inline constexpr uint32_t kBool = 16, kBytea = 17, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                          kText = 25, kOid = 26, kJson = 114, kFloat4 = 700, kFloat8 = 701,
                          kUnknown = 705, kBpchar = 1042, kVarchar = 1043, kDate = 1082,
                          kTime = 1083, kTimestamp = 1114, kTimestamptz = 1184, kInterval = 1186,
                          kNumeric = 1700, kUuid = 2950, kJsonb = 3802;
}  // namespace postgres_oid
// The built-in type that a type of ours is there; arrays are their element's array type.
uint32_t OidOf(const Type& type);

}  // namespace leat
