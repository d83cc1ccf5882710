#include <gtest/gtest.h>

#include "func/function.h"

namespace leat {
namespace {

std::string Show(const Result<Resolved>& resolved) {
  if (!resolved.ok()) return resolved.status().message();
  std::string text;
  for (const Type& type : resolved->args) text += TypeName(type) + ",";
  return text + TypeName(resolved->result);
}

std::string Op(std::string_view symbol, std::vector<Type> args) {
  return Show(ResolveOperator(symbol, args, -1));
}
using enum TypeId;

TEST(Resolve, Operators) {
  EXPECT_EQ(Op("+", {kInt4, kInt4}), "integer,integer,integer");
  EXPECT_EQ(Op("+", {kInt2, kInt8}), "bigint,bigint,bigint");
  EXPECT_EQ(Op("*", {kInt4, kFloat4}), "double precision,real,double precision");
  EXPECT_EQ(Op("*", {Type::Numeric(10, 2), kInt4}), "numeric(10,2),numeric,numeric");
  EXPECT_EQ(Op("+", {kInt4, kUnknown}), "integer,integer,integer");
  EXPECT_EQ(Op("+", {kUnknown, kUnknown}), "operator is not unique: unknown + unknown");
  EXPECT_EQ(Op("+", {kDate, kDate}), "operator does not exist: date + date");
  EXPECT_EQ(Op("+", {kDate, kUnknown}), "operator is not unique: date + unknown");
  EXPECT_EQ(Op("-", {kTimestamptz, kUnknown}),
            "timestamp with time zone,timestamp with time zone,interval");
  EXPECT_EQ(Op("=", {kChar, kText}), "text,text,boolean");
  EXPECT_EQ(Op("=", {kVarchar, kUnknown}), "text,text,boolean");
  EXPECT_EQ(Op("=", {Type::Char(2), kUnknown}), "character(2),character,boolean");
  EXPECT_EQ(Op("<", {kDate, kTimestamptz}),
            "timestamp with time zone,timestamp with time zone,boolean");
  EXPECT_EQ(Op("=", {kInt4, kText}), "operator does not exist: integer = text");
  EXPECT_EQ(Op("||", {kInt4, kUnknown}), "integer,text,text");
  EXPECT_EQ(Op("||", {kUnknown, kUnknown}), "text,text,text");
  EXPECT_EQ(Op("~~", {kVarchar, kUnknown}), "text,text,boolean");
}

TEST(Resolve, CommonType) {
  const auto common = [](std::vector<Type> types) {
    auto type = CommonType(types, "CASE", -1);
    return type.ok() ? TypeName(*type) : type.status().message();
  };
  EXPECT_EQ(common({kUnknown, kUnknown}), "text");
  EXPECT_EQ(common({kInt4, kFloat8, kNumeric}), "double precision");
  EXPECT_EQ(common({kInt4, kUnknown, kInt8}), "bigint");
  EXPECT_EQ(common({Type::Varchar(3), Type::Varchar(3)}), "character varying(3)");
  EXPECT_EQ(common({Type::Varchar(3), Type::Varchar(4)}), "character varying");
  EXPECT_EQ(common({kInt4, kText}), "CASE types integer and text cannot be matched");
}

}  // namespace
}  // namespace leat
