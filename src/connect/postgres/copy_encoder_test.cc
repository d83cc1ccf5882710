#include "connect/postgres/copy_encoder.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>

#include "connect/testing.h"

namespace leat::testing {
namespace {

// The encoding of one row, in hexadecimal digits.
std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

Result<std::string> Encoded(const std::string& columns, const std::vector<Wire>& wires,
                            const std::vector<std::string>& rows, CopyColumn like = {}) {
  const Schema schema = MakeSchema(columns);
  const Batch batch = MakeRows(schema, rows);
  std::vector<CopyColumn> to;
  for (size_t i = 0; i < wires.size(); ++i) {
    CopyColumn column = like;
    column.name = schema.columns[i].name;
    column.from = schema.columns[i].type;
    column.to = wires[i];
    to.push_back(std::move(column));
  }
  std::string out;
  LEAT_RETURN(CopyEncoder("t", std::move(to)).Encode(batch.columns, batch.rows, &out));
  return Hex(out);
}

// The bytes of one value: what follows the number of fields.
std::string Value(const std::string& type, Wire wire, const std::string& text) {
  const auto hex = Encoded("a " + type, {wire}, {text}, {.element_oid = 0x17});
  EXPECT_TRUE(hex.ok()) << hex.status().message();
  return hex.ok() ? hex->substr(4) : "error";
}

TEST(CopyEncoder, HeaderAndTrailer) {
  EXPECT_EQ(Hex(CopyHeader()),
            "5047434f50590aff0d0a00"
            "00000000"
            "00000000");
  EXPECT_EQ(Hex(CopyTrailer()), "ffff");
}

TEST(CopyEncoder, RowsOfSeveralFields) {
  const auto hex =
      Encoded("a integer, b text", {Wire::kInt4, Wire::kText}, {"1|xy", "\\N|", "-1|\\N"});
  ASSERT_TRUE(hex.ok());
  EXPECT_EQ(*hex,
            "0002"
            "00000004"
            "00000001"
            "00000002"
            "7879"
            "0002"
            "ffffffff"
            "00000000"
            "0002"
            "00000004"
            "ffffffff"
            "ffffffff");
}

TEST(CopyEncoder, NumbersAndTheirWiderForms) {
  EXPECT_EQ(Value("boolean", Wire::kBool, "t"), "0000000101");
  EXPECT_EQ(Value("smallint", Wire::kInt2, "-2"), "00000002fffe");
  EXPECT_EQ(Value("smallint", Wire::kInt4, "-2"), "00000004fffffffe");
  EXPECT_EQ(Value("integer", Wire::kInt8, "-2"), "00000008fffffffffffffffe");
  EXPECT_EQ(Value("bigint", Wire::kInt8, "258"), "000000080000000000000102");
  EXPECT_EQ(Value("real", Wire::kFloat4, "1.5"), "000000043fc00000");
  EXPECT_EQ(Value("real", Wire::kFloat8, "1.5"), "000000083ff8000000000000");
  EXPECT_EQ(Value("double precision", Wire::kFloat8, "NaN"), "000000087ff8000000000000");
}

// As numeric_send writes them: groups, weight, sign, scale, and the groups.
TEST(CopyEncoder, Numerics) {
  const auto value = [](const std::string& type, const std::string& text) {
    return Value(type, Wire::kNumeric, text).substr(8);
  };
  EXPECT_EQ(value("numeric(6,2)", "-12.50"),
            "0002"
            "0000"
            "4000"
            "0002"
            "000c"
            "1388");
  EXPECT_EQ(value("numeric(6,2)", "0"),
            "0000"
            "0000"
            "0000"
            "0002");
  EXPECT_EQ(value("numeric", "10000"),
            "0001"
            "0001"
            "0000"
            "0000"
            "0001");
  EXPECT_EQ(value("numeric", "123456.789"),
            "0003"
            "0001"
            "0000"
            "0003"
            "000c"
            "0d80"
            "1ed2");
  EXPECT_EQ(value("numeric", "0.00001"),
            "0001"
            "fffe"
            "0000"
            "0005"
            "03e8");
  EXPECT_EQ(value("numeric", "0.1"),
            "0001"
            "ffff"
            "0000"
            "0001"
            "03e8");
  EXPECT_EQ(value("numeric", "NaN"),
            "0000"
            "0000"
            "c000"
            "0000");
  EXPECT_EQ(value("numeric", "Infinity"),
            "0000"
            "0000"
            "d000"
            "0000");
  EXPECT_EQ(value("numeric", "-Infinity"),
            "0000"
            "0000"
            "f000"
            "0000");
  EXPECT_EQ(value("bigint", "-70000"),
            "0001"
            "0001"
            "4000"
            "0000"
            "0007");
}

TEST(CopyEncoder, DatesAndTimes) {
  EXPECT_EQ(Value("date", Wire::kDate, "2000-01-02"), "0000000400000001");
  EXPECT_EQ(Value("date", Wire::kDate, "1999-12-31"), "00000004ffffffff");
  EXPECT_EQ(Value("date", Wire::kDate, "infinity"), "000000047fffffff");
  EXPECT_EQ(Value("timestamp", Wire::kTimestamp, "2000-01-01 00:00:00.000002"),
            "000000080000000000000002");
  EXPECT_EQ(Value("timestamptz", Wire::kTimestamp, "-infinity"), "000000088000000000000000");
  EXPECT_EQ(Value("time", Wire::kTime, "00:00:01"), "0000000800000000000f4240");
  EXPECT_EQ(Value("interval", Wire::kInterval, "1 mon 2 days 00:00:01"),
            "00000010"
            "00000000000f4240"
            "00000002"
            "00000001");
}

TEST(CopyEncoder, Bytes) {
  EXPECT_EQ(Value("uuid", Wire::kUuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            "00000010a0eebc999c0b4ef8bb6d6bb9bd380a11");
  EXPECT_EQ(Value("bytea", Wire::kBytea, "\\x00ff"), "0000000200ff");
  EXPECT_EQ(Value("jsonb", Wire::kJsonb, "[1]"),
            "00000004"
            "01"
            "5b315d");
  EXPECT_EQ(Value("json", Wire::kText, "[1]"),
            "00000003"
            "5b315d");
}

TEST(CopyEncoder, Arrays) {
  EXPECT_EQ(Value("integer[]", Wire::kInt4, "{1,NULL}"),
            "00000020"
            "00000001"
            "00000001"
            "00000017"
            "00000002"
            "00000001"
            "00000004"
            "00000001"
            "ffffffff");
  EXPECT_EQ(Value("integer[]", Wire::kInt4, "{}"),
            "0000000c"
            "00000000"
            "00000000"
            "00000017");
}

TEST(CopyEncoder, MoreRowsThanABlock) {
  std::vector<std::string> rows;
  for (int i = 0; i < 3000; ++i) rows.push_back(fmt::format("{}|{}.5", i, i));
  const auto hex = Encoded("a integer, n numeric(9,1)", {Wire::kInt4, Wire::kNumeric}, rows);
  ASSERT_TRUE(hex.ok());
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const auto one = Encoded("a integer, n numeric(9,1)", {Wire::kInt4, Wire::kNumeric},
                             {rows[static_cast<size_t>(i)]});
    expected += *one;
  }
  EXPECT_EQ(*hex, expected);
}

TEST(CopyEncoder, NamesTheRowThatIsTooLong) {
  const auto hex = Encoded("a text, b text", {Wire::kText, Wire::kText},
                           {"1|ok", "2|äöü", "3|äöüß"}, {.length_max = 3});
  ASSERT_FALSE(hex.ok());
  EXPECT_EQ(
      hex.status().message(),
      "column \"b\" of table \"t\": a value of 4 characters is too long: there are at most 3");
  ASSERT_NE(SqlErrorOf(hex.status()), nullptr);
  EXPECT_EQ(SqlErrorOf(hex.status())->detail, "Failing row contains (3, äöüß).");
  EXPECT_EQ(SqlErrorOf(hex.status())->sqlstate, "22001");
}

TEST(CopyEncoder, ANulIsNoText) {
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append(std::string_view("a\0b", 3)).ok());
  const CopyEncoder encoder("t", {{.name = "a", .from = TypeId::kText, .to = Wire::kText}});
  std::string out;
  const Status status = encoder.Encode({*builder.Finish()}, 1, &out);
  EXPECT_EQ(status.message(),
            "column \"a\" of table \"t\": a text in PostgreSQL cannot hold a NUL byte");
}

TEST(CopyEncoder, AnOlderServerHasNoInfiniteNumeric) {
  const Schema schema = MakeSchema("n numeric");
  const Batch batch = MakeRows(schema, {"Infinity"});
  std::string out;
  const CopyEncoder encoder("t", {{.name = "n", .from = TypeId::kNumeric, .to = Wire::kNumeric}},
                            false);
  EXPECT_EQ(
      encoder.Encode(batch.columns, 1, &out).message(),
      "column \"n\" of table \"t\": the server's numeric has no infinity before PostgreSQL 14");
}

TEST(CopyEncoder, OnlyWhatDoesNotChangeIsSent) {
  EXPECT_TRUE(CanSend(TypeId::kInt4, Wire::kInt8));
  EXPECT_FALSE(CanSend(TypeId::kInt8, Wire::kInt4));
  EXPECT_TRUE(CanSend(TypeId::kInt8, Wire::kNumeric));
  EXPECT_FALSE(CanSend(TypeId::kFloat8, Wire::kNumeric));
  EXPECT_FALSE(CanSend(TypeId::kInt8, Wire::kFloat8));
  EXPECT_TRUE(CanSend(TypeId::kJson, Wire::kJsonb));
  EXPECT_FALSE(CanSend(TypeId::kUuid, Wire::kText));
}

}  // namespace
}  // namespace leat::testing
