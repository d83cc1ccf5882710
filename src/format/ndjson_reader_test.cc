#include "format/ndjson_reader.h"

#include <gtest/gtest.h>

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

TEST(NdjsonReader, JsonColumnsKeepTheirText) {
  const TestFile file("t.ndjson", "{\"j\": \"str\", \"b\": {\"y\": 1, \"x\": [true, null]}}\n");
  ReadOptions options;
  options.columns = {WantColumn("j", TypeId::kJson), WantColumn("b", TypeId::kJson)};
  EXPECT_EQ(Drain(file.path(), options).rows,
            (Rows{{"\"str\"", "{\"y\": 1, \"x\": [true, null]}"}}));
}

}  // namespace
}  // namespace leat
