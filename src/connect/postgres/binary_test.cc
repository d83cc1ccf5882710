#include "connect/postgres/binary.h"

#include <arrow/array.h>
#include <gtest/gtest.h>

#include "connect/testing.h"
#include "data/text.h"

namespace leat {
namespace {

std::string Bytes(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size();) {
    if (hex[i] == ' ') {
      ++i;
      continue;
    }
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    i += 2;
  }
  return bytes;
}

// The value of a type as text, from its bytes; or why it is none.
std::string Value(const char* type_name, std::string_view hex) {
  const Type type = TypeFromName(type_name).ValueOrDie();
  const auto column = BinaryColumn::Make(type);
  if (!column->Append(Bytes(hex))) return "malformed";
  const auto rejects = column->rejects();
  const auto values = column->Finish().ValueOrDie();
  if (!rejects.empty()) return rejects[0].reason;
  std::string text;
  AppendText(*values, 0, type, {}, &text);
  return text;
}

// Bytes as the types' send functions make them; a real server's are read in test/e2e.
TEST(PostgresBinary, NumbersAndTimes) {
  EXPECT_EQ(Value("boolean", "01"), "t");
  EXPECT_EQ(Value("smallint", "fffe"), "-2");
  EXPECT_EQ(Value("integer", "7fffffff"), "2147483647");
  EXPECT_EQ(Value("bigint", "8000000000000000"), "-9223372036854775808");
  EXPECT_EQ(Value("double precision", "3fb999999999999a"), "0.1");
  EXPECT_EQ(Value("real", "7fc00000"), "NaN");
  EXPECT_EQ(Value("date", "00000000"), "2000-01-01");
  EXPECT_EQ(Value("date", "7fffffff"), "infinity");
  EXPECT_EQ(Value("date", "ffffd4f4"), "1969-10-30");
  EXPECT_EQ(Value("timestamp", "0000000000000001"), "2000-01-01 00:00:00.000001");
  EXPECT_EQ(Value("timestamp", "8000000000000000"), "-infinity");
  EXPECT_EQ(Value("timestamp", "7ffffffffffffffe"),
            "timestamp out of range: years beyond 294246 are not held");
  EXPECT_EQ(Value("interval", "0000000000000001 00000002 0000000e"),
            "1 year 2 mons 2 days 00:00:00.000001");
  EXPECT_EQ(Value("uuid", "00112233445566778899aabbccddeeff"),
            "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(Value("integer", "7fffff"), "malformed");
}

TEST(PostgresBinary, NumericsOfAnySize) {
  EXPECT_EQ(Value("numeric", "0000 0000 0000 0000"), "0");
  EXPECT_EQ(Value("numeric", "0000 0000 0000 0002"), "0.00");
  EXPECT_EQ(Value("numeric", "0002 0000 4000 0003 000c 1388"), "-12.500");
  EXPECT_EQ(Value("numeric", "0001 0001 0000 0000 0001"), "10000");
  EXPECT_EQ(Value("numeric", "0001 fffe 0000 0008 0001"), "0.00000001");
  EXPECT_EQ(Value("numeric", "0002 000a 0000 0002 0001 0002"),
            "10002000000000000000000000000000000000000.00");
  EXPECT_EQ(Value("numeric", "0000 0000 c000 0000"), "NaN");
  EXPECT_EQ(Value("numeric", "0000 0000 f000 0000"), "-Infinity");
  EXPECT_EQ(Value("numeric(6,2)", "0002 0000 0000 0002 000c 1388"), "12.50");
  EXPECT_EQ(Value("numeric(6,2)", "0000 0000 c000 0000"), "NaN cannot be held by numeric(6,2)");
  EXPECT_EQ(Value("numeric(38,30)", "0003 fff9 0000 001e 0001 0002 0300"),
            "0.000000000000000000000000000100");
  EXPECT_EQ(Value("numeric", "0002 0000 0000 0003 000c"), "malformed");
}

TEST(PostgresBinary, TextsAndArrays) {
  EXPECT_EQ(Value("text", "c3a4"), "ä");
  EXPECT_EQ(Value("text", "c3"), "invalid byte sequence for encoding \"UTF8\"");
  EXPECT_EQ(Value("jsonb", "01 7b2261223a20317d"), "{\"a\": 1}");
  EXPECT_EQ(Value("jsonb", "02 7b7d"), "malformed");
  EXPECT_EQ(Value("integer[]", "00000000 00000000 00000017"), "{}");
  EXPECT_EQ(
      Value("integer[]", "00000001 00000001 00000017 00000002 00000001 00000004 00000007 ffffffff"),
      "{7,NULL}");
  EXPECT_EQ(Value("integer[]", "00000002 00000000 00000017"),
            "an array of several dimensions cannot be held");
  EXPECT_EQ(Value("integer[]", "00000001 00000000 00000017 00000001 00000000 00000004 00000007"),
            "an array whose first element is not number 1 cannot be held");
}

TEST(PostgresBinary, RowsOfCopy) {
  const std::string header = Bytes("5047434f50590aff0d0a00 00000000 00000000");
  const std::string row = Bytes("0002 00000004 00000007 ffffffff");
  std::string seen;
  BinaryRows rows(2);
  const auto field = [&](int, const std::string_view* value) {
    seen += value == nullptr ? "null" : std::to_string(value->size());
    seen += ' ';
  };
  const auto end = [&] { seen += "| "; };
  EXPECT_TRUE(rows.Read(header + row, field, end));
  EXPECT_TRUE(rows.Read(row, field, end));
  EXPECT_FALSE(rows.ended());
  EXPECT_TRUE(rows.Read(Bytes("ffff"), field, end));
  EXPECT_TRUE(rows.ended());
  EXPECT_EQ(seen, "4 null | 4 null | ");
  EXPECT_FALSE(BinaryRows(3).Read(header + row, field, end)) << "another number of fields";
}

}  // namespace
}  // namespace leat
