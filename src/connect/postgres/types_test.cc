#include "connect/postgres/types.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

// As the catalog has the modifier of numeric(precision,scale).
int32_t NumericModifier(int32_t precision, int32_t scale) {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

TEST(PostgresTypes, ModifiersAreRead) {
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1700, NumericModifier(12, 2)}).type), "numeric(12,2)");
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1700, NumericModifier(5, -3)}).type), "numeric(5,-3)");
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1700, -1}).type), "numeric");
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1043, 24}).type), "character varying(20)");
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1042, 6}).type), "character(2)");
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1231, NumericModifier(9, 3)}).type), "numeric(9,3)[]");
  EXPECT_EQ(TypeName(MeaningOfBuiltIn({1184, 0}).type), "timestamp with time zone");
}

TEST(PostgresTypes, WhatIsNoneOfOursIsText) {
  constexpr uint32_t kInt4Range = 3904, kMoney = 790;
  for (const uint32_t oid : {kInt4Range, kMoney}) {
    EXPECT_EQ(TypeName(MeaningOfBuiltIn({oid}).type), "text");
    EXPECT_FALSE(MeaningOfBuiltIn({oid}).binary);
  }
}

TEST(PostgresTypes, OursAreDeclaredAndFoundAgain) {
  for (const char* name : {"boolean",
                           "smallint",
                           "integer",
                           "bigint",
                           "real",
                           "double precision",
                           "numeric",
                           "text",
                           "character varying",
                           "character",
                           "bytea",
                           "date",
                           "time without time zone",
                           "timestamp without time zone",
                           "timestamp with time zone",
                           "interval",
                           "uuid",
                           "json",
                           "jsonb",
                           "text[]",
                           "numeric[]"}) {
    const Type type = TypeFromName(name).ValueOrDie();
    EXPECT_EQ(MeaningOfBuiltIn({OidOf(type)}).type, type) << name;
    EXPECT_EQ(PostgresTypeName(type), name);
  }
  EXPECT_EQ(PostgresTypeName(TypeId::kUnknown), "text");
}

TEST(PostgresTypes, WideningHoldsAndNarrowingDoesNot) {
  const auto holds = [](const char* here, const char* there) {
    return CanHold(TypeFromName(here).ValueOrDie(), TypeFromName(there).ValueOrDie());
  };
  EXPECT_TRUE(holds("bigint", "integer"));
  EXPECT_FALSE(holds("integer", "bigint"));
  EXPECT_TRUE(holds("numeric(12,2)", "numeric(10,2)"));
  EXPECT_FALSE(holds("numeric(12,2)", "numeric(12,3)"));
  EXPECT_FALSE(holds("numeric(12,2)", "numeric"));
  EXPECT_TRUE(holds("numeric", "numeric(50,20)"));
  EXPECT_TRUE(holds("numeric(12,2)", "integer"));
  EXPECT_FALSE(holds("numeric(11,2)", "integer"));
  EXPECT_TRUE(holds("double precision", "integer"));
  EXPECT_FALSE(holds("double precision", "bigint")) << "beyond 2^53 it rounds";
  EXPECT_TRUE(holds("character varying(20)", "character varying(10)"));
  EXPECT_FALSE(holds("character varying(20)", "text"));
  EXPECT_TRUE(holds("text", "jsonb"));
  EXPECT_FALSE(holds("timestamp", "timestamptz"));
  EXPECT_TRUE(holds("bigint[]", "integer[]"));
}

}  // namespace
}  // namespace leat
