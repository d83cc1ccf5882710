#include "data/numeric.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "data/fixture_test.h"

namespace leat {
namespace {

Numeric Parse(const std::string& text) {
  auto value = Numeric::Parse(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status().ToString();
  return value.ValueOr(Numeric());
}

std::string Show(const Result<Numeric>& value) {
  return value.ok() ? "=" + value->ToString() : AnswerOf(value.status());
}

std::string Compute(const std::vector<std::string>& fields) {
  const std::string& name = fields[0];
  const Numeric a = Parse(fields[1]);
  if (fields.size() == 3) {
    if (name == "-") return Show(-a);
    if (name == "ceil") return Show(a.Ceil());
    if (name == "floor") return Show(a.Floor());
    if (name == "abs") return Show(a.Abs());
    if (name == "sqrt") return Show(a.Sqrt());
    if (name == "ln") return Show(a.Ln());
    if (name == "exp") return Show(a.Exp());
    return "unknown operation";
  }
  if (name == "round") return Show(a.Round(std::stoi(fields[2])));
  if (name == "trunc") return Show(a.Truncate(std::stoi(fields[2])));
  const Numeric b = Parse(fields[2]);
  if (name == "+") return Show(a + b);
  if (name == "-") return Show(a - b);
  if (name == "*") return Show(a * b);
  if (name == "/") return Show(a.Divide(b));
  if (name == "%") return Show(a.Modulo(b));
  if (name == "=") return a == b ? "=true" : "=false";
  if (name == "<") return a < b ? "=true" : "=false";
  if (name == "div") return Show(a.DivideTruncated(b));
  if (name == "log") return Show(b.Log(a));
  if (name == "power") return Show(a.Power(b));
  return "unknown operation";
}

TEST(NumericTest, AnswersAsPostgres) {
  const auto lines = ReadFixture("numeric.tsv");
  EXPECT_GT(lines.size(), 1000U);
  for (const auto& fields : lines) {
    EXPECT_EQ(Compute(fields), fields.back())
        << fields[0] << "(" << fields[1] << (fields.size() == 4 ? ", " + fields[2] : "") << ")";
  }
}

// Numbers of all lengths, around the edge of 128 bits too.
Numeric RandomNumeric(std::mt19937_64* random) {
  const auto pick = (*random)() % 40;
  if (pick == 0) return Numeric::NaN();
  if (pick == 1) return Numeric::Infinity((*random)() % 2 == 0);
  const size_t digits = 1 + (*random)() % (pick < 10 ? 60 : pick < 25 ? 40 : 4);
  std::string text = (*random)() % 2 == 0 ? "-" : "";
  for (size_t i = 0; i < digits; ++i) text += static_cast<char>('0' + (*random)() % 10);
  if ((*random)() % 2 == 0) text += ".";
  for (size_t i = 0; text.find('.') != text.npos && i < (*random)() % 20; ++i) {
    text += static_cast<char>('0' + (*random)() % (i % 2 == 0 ? 10 : 2));
  }
  return Parse(text);
}

TEST(NumericTest, EncodesAndPrintsExactly) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5000; ++i) {
    const Numeric value = RandomNumeric(&random);
    std::string bytes;
    value.Encode(&bytes);
    const Numeric back = Numeric::Decode(bytes);
    EXPECT_EQ(back.ToString(), value.ToString());
    EXPECT_EQ(back.scale(), value.scale());
    EXPECT_EQ(Parse(value.ToString()).ToString(), value.ToString());
    std::string again;
    Parse(value.ToString()).Encode(&again);
    EXPECT_EQ(again, bytes);
  }
}

TEST(NumericTest, ArithmeticIsARing) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 5000; ++i) {
    const Numeric a = RandomNumeric(&random), b = RandomNumeric(&random),
                  c = RandomNumeric(&random);
    EXPECT_EQ((a + b).ToString(), (b + a).ToString());
    EXPECT_EQ((a * b).ToString(), (b * a).ToString());
    if (a.kind() != Numeric::Kind::kFinite || b.kind() != Numeric::Kind::kFinite ||
        c.kind() != Numeric::Kind::kFinite) {
      continue;
    }
    EXPECT_EQ(a * (b + c), a * b + a * c);
    EXPECT_EQ((a + b) - b, a);
    EXPECT_EQ((a <=> b) == 0, (a - b).is_zero());
    EXPECT_EQ(a < b, (a - b).sign() < 0);
    if (!b.is_zero()) {
      EXPECT_EQ(*a.DivideTruncated(b) * b + *a.Modulo(b), a);
    }
    EXPECT_LE(a.Floor(), a);
    EXPECT_GE(a.Ceil(), a);
    EXPECT_LE((a - a.Round(1)).Abs(), Parse("0.05"));
  }
}

TEST(NumericTest, ConvertsToIntegersAndDoubles) {
  EXPECT_EQ(*Parse("2.5").ToInt64(), 3);
  EXPECT_EQ(*Parse("-2.5").ToInt64(), -3);
  EXPECT_EQ(*Parse("9223372036854775807.4").ToInt64(), INT64_MAX);
  EXPECT_EQ(AnswerOf(Parse("9223372036854775807.5").ToInt64().status()),
            "!22003 bigint out of range|");
  EXPECT_EQ(AnswerOf(Parse("NaN").ToInt64().status()), "!0A000 cannot convert NaN to bigint|");
  EXPECT_EQ(Parse("0.1").ToDouble(), 0.1);
  EXPECT_EQ(Parse("123456789012345678901234567890").ToDouble(), 123456789012345678901234567890.0);
  EXPECT_EQ(Parse("1e400").ToDouble(), HUGE_VAL);
  EXPECT_EQ(Parse("-1e-400").ToDouble(), 0.0);
  EXPECT_EQ(Numeric::FromDouble(0.1)->ToString(), "0.1");
  EXPECT_EQ(Numeric::FromDouble(1e20)->ToString(), "100000000000000000000");
  EXPECT_EQ(Numeric::FromDouble(1.0 / 3)->ToString(), "0.333333333333333");
  EXPECT_EQ(Numeric::FromFloat(1.0F / 3)->ToString(), "0.333333");
  EXPECT_EQ(Numeric::FromDouble(-1e-7)->ToString(), "-0.0000001");
}

TEST(NumericTest, SaysWhenItOverflows) {
  EXPECT_FALSE((Parse("1e131071") + Parse("1e131071")).overflows());
  EXPECT_TRUE((Parse("1e131071") * Parse("10")).overflows());
  EXPECT_TRUE((Parse("9e131071") + Parse("1e131071")).overflows());
  EXPECT_FALSE(Parse("9e131071").overflows());
}

TEST(NumericTest, BuildsBothFormsOfColumns) {
  for (const Type& type : {Type::Numeric(38, 5), Type(TypeId::kNumeric), Type::Numeric(50, 5)}) {
    NumericBuilder builder(type);
    builder.Append(Parse("-123.45000"));
    builder.AppendNull();
    builder.Append(Parse("123456789012345678901234567890.12345"));
    const auto column = *builder.Finish();
    EXPECT_TRUE(column->type()->Equals(*ArrowType(type)));
    EXPECT_TRUE(column->IsNull(1));
    EXPECT_EQ(NumericAt(*column, 0).ToString(), "-123.45000");
    EXPECT_EQ(NumericAt(*column, 2).ToString(), "123456789012345678901234567890.12345");
  }
}

}  // namespace
}  // namespace leat
