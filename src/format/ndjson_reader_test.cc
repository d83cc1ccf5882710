#include "format/ndjson_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "format/files_test.h"

namespace leat {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(NdjsonReader, KeysWithDotsFirstThenNestedValues) {
  const TestFile file(
      "t.json",
      "[\n{\"a.b\": 1, \"a\": {\"b\": 2}, \"s\": \"x\"},\n"
      "{\"a\": {\"b\": 3, \"list\": [10, {\"c\": \"deep\"}]}, \"s\": {\"k\": [1, 2]}},\n"
      "\n{\"s\": null, \"unknown\": [1, {\"z\": \"\\n\"}]}]\n");
  ReadOptions options;
  options.columns = {WantColumn("a.b", TypeId::kInt8), WantColumn("s", TypeId::kText),
                     WantColumn("deep", TypeId::kText), WantColumn("first", TypeId::kInt4)};
  options.columns[2].path = "$.a.list[1].c";
  options.columns[3].path = "$.a.list[0]";
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_TRUE(got.rejects.empty()) << got.rejects[0].reason;
  EXPECT_EQ(got.rows, (Rows{{"1", "x", "NULL", "NULL"},
                            {"3", "{\"k\": [1, 2]}", "deep", "10"},
                            {"NULL", "NULL", "NULL", "NULL"}}));
}

TEST(NdjsonReader, NumbersKeepEveryDigit) {
  const TestFile file(
      "t.ndjson",
      "{\"n\": 0.1000000000000000055511151231257827, \"d\": \"2.5\", \"i\": \"7\"}\n"
      "{\"n\": 123456789012345678901234567890, \"d\": 1e3, \"i\": 8}\n");
  ReadOptions options;
  options.columns = {WantColumn("n", TypeId::kNumeric), WantColumn("d", TypeId::kFloat8),
                     WantColumn("i", TypeId::kInt4)};
  EXPECT_EQ(Drain(file.path(), options).rows,
            (Rows{{"0.1000000000000000055511151231257827", "2.5", "7"},
                  {"123456789012345678901234567890", "1000", "8"}}));
}

TEST(NdjsonReader, BadLinesAreRejectsAndTheirNeighboursStay) {
  const TestFile file(
      "t.ndjson",
      "{\"a\": 1}\n{\"a\": }\n{\"a\": 2} {\"a\": 3}\n{\"a\": tru}\n[1]\n5\n{\"a\": 01}\n"
      "{\"a\": \"x\"}\n{\"b\": \"\xff\"}\n{\"a\": 9, \"b\": \"\\u0000\"}\n"
      "{\"a\": 4, \"b\": \"tab\\there \\u00e9\"}");
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kInt8), WantColumn("b", TypeId::kText)};
  for (const int64_t chunk : {int64_t{7}, int64_t{1} << 20}) {
    options.chunk_bytes_max = chunk;
    const Drained got = Drain(file.path(), options);
    ASSERT_TRUE(got.status.ok()) << got.status.ToString();
    EXPECT_EQ(got.rows, (Rows{{"1", "NULL"}, {"4", "tab\there é"}}));
    ASSERT_EQ(got.rejects.size(), 9U);
    EXPECT_EQ(got.rows_read, 11);
    for (size_t i = 0; i < 9; ++i) {
      EXPECT_EQ(got.rejects[i].row, static_cast<int64_t>(i) + 1);
      EXPECT_EQ(got.rejects[i].line, static_cast<int64_t>(i) + 2);
    }
    EXPECT_EQ(got.rejects[0].raw, "{\"a\": }");
    EXPECT_TRUE(got.rejects[0].reason.starts_with("invalid input syntax for type json"));
    EXPECT_EQ(got.rejects[6].reason, "invalid input syntax for type bigint: \"x\"");
    EXPECT_EQ(got.rejects[7].reason, "invalid byte sequence for encoding \"UTF8\": 0xff");
  }
}

TEST(NdjsonReader, KeysInAnyOrderTwiceOrNotAtAll) {
  std::mt19937 random(7);
  std::string text;
  Rows expected;
  for (int row = 0; row < 500; ++row) {
    std::vector<std::string> values(6, "NULL");
    std::string object;
    for (int i = static_cast<int>(random() % 12); i > 0; --i) {
      const auto column = random() % 8;  // two of them nobody asked for
      const auto value = std::to_string(random() % 100);
      const char letter = static_cast<char>('a' + column);
      // As one writes it, with blanks, or with an escape.
      const std::array<std::string, 3> keys = {fmt::format("\"k{}\": ", letter),
                                               fmt::format(" \"k{}\" :", letter),
                                               fmt::format("\"\\u006b{}\":", letter)};
      object += (object.empty() ? "" : ", ") + keys[random() % 4 == 0 ? random() % 3 : 0] + value;
      if (column < 6) values[column] = value;  // the last one counts, as in jsonb
    }
    text += "{" + object + "}\n";
    expected.push_back(std::move(values));
  }
  const TestFile file("t.ndjson", text);
  ReadOptions options;
  for (const char* name : {"ka", "kb", "kc", "kd", "ke", "kf"}) {
    options.columns.push_back(WantColumn(name, TypeId::kInt4));
  }
  const Drained got = Drain(file.path(), options);
  EXPECT_TRUE(got.rejects.empty());
  EXPECT_EQ(got.rows, expected);
}

TEST(NdjsonReader, JsonColumnsKeepTheirText) {
  const TestFile file("t.ndjson", "{\"j\": \"str\", \"b\": {\"y\": 1, \"x\": [true, null]}}\n");
  ReadOptions options;
  options.columns = {WantColumn("j", TypeId::kJson), WantColumn("b", TypeId::kJson)};
  EXPECT_EQ(Drain(file.path(), options).rows,
            (Rows{{"\"str\"", "{\"y\": 1, \"x\": [true, null]}"}}));
}

}  // namespace
}  // namespace leat
