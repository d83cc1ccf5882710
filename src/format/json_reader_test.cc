#include "format/json_reader.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "format/files_test.h"
#include "format/json_split.h"

namespace leat {
namespace {

using Rows = std::vector<std::vector<std::string>>;

ReadOptions WantAB(const std::string& root = "") {
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kInt8), WantColumn("b", TypeId::kText)};
  if (!root.empty()) options.options["root"] = root;
  return options;
}

// The same rows, rejects and places however the file is cut.
Drained DrainInAllCuts(const std::string& text, ReadOptions options) {
  const TestFile file("t.json", text);
  options.chunk_bytes_max = 1 << 20;
  Drained whole = Drain(file.path(), options);
  for (const int64_t bytes : {1, 7, 30}) {
    options.chunk_bytes_max = bytes;
    const Drained cut = Drain(file.path(), options);
    EXPECT_EQ(cut.rows, whole.rows) << bytes;
    EXPECT_EQ(cut.offsets, whole.offsets) << bytes;
    EXPECT_EQ(cut.rows_read, whole.rows_read) << bytes;
    EXPECT_EQ(cut.rejects.size(), whole.rejects.size()) << bytes;
    for (size_t i = 0; i < std::min(cut.rejects.size(), whole.rejects.size()); ++i) {
      EXPECT_EQ(cut.rejects[i].offset, whole.rejects[i].offset);
      EXPECT_EQ(cut.rejects[i].line, whole.rejects[i].line);
      EXPECT_EQ(cut.rejects[i].raw, whole.rejects[i].raw);
      EXPECT_EQ(cut.rejects[i].reason, whole.rejects[i].reason);
    }
    for (const ReadChunk& chunk : cut.chunks) {
      const Drained again = Drain(file.path(), options, {.begin = chunk.begin, .end = chunk.end});
      EXPECT_EQ(again.rows_read, chunk.rows_read);
      EXPECT_EQ(again.chunks.size(), 1U);
    }
  }
  EXPECT_TRUE(whole.status.ok()) << whole.status.ToString();
  return whole;
}

TEST(JsonReader, ObjectsHoweverTheyAreWrapped) {
  const Rows expected = {{"1", "x"}, {"2", "}{]["}, {"3", "NULL"}};
  for (const std::string& text : std::initializer_list<std::string>{
           R"([{"a":1,"b":"x"},{"a":2,"b":"}{]["},{"a":3}])",
           R"({"a":1,"b":"x"}{"a":2,"b":"}{]["} {"a":3})",
           "[\n{\"a\":1,\"b\":\"x\"},\n{\"a\":2,\"b\":\"}{][\"},\n{\"a\":3},\n",
           "{\"a\":1,\"b\":\"x\"},\r\n{\"a\":2,\"b\":\"}{][\"},\r\n{\"a\":3},\r\n",
           "\xef\xbb\xbf[\n  {\n    \"a\": 1,\n    \"b\": \"x\"\n  },\n  {\n    \"a\": 2,\n"
           "    \"b\": \"}{][\"\n  },\n  {\n    \"a\": 3\n  }\n]\n",
           "[{\"a\":1,\"b\":\"x\"}]\n[{\"a\":2,\"b\":\"}{][\"}]\n[[{\"a\":3}]]",
       }) {
    const Drained got = DrainInAllCuts(text, WantAB());
    EXPECT_EQ(got.rows, expected) << text;
    EXPECT_TRUE(got.rejects.empty()) << text;
  }
}

TEST(JsonReader, TheArrayUnderARootKey) {
  const std::string text =
      "{\"meta\": {\"rows\": [{\"a\": 9}], \"n\": [1, {\"a\": 8}]}, \"rows\": [\n"
      "  {\"a\": 1, \"b\": \"x\"},\n  {\"a\": 2, \"b\": {\"rows\": [{\"a\": 7}]}}\n"
      "], \"more\": [{\"a\": 6}], \"text\": \"]}\"}\n"
      "{\"rows\": []}\n{\"rows\": [{\"a\": 3}]}";
  const Drained got = DrainInAllCuts(text, WantAB("rows"));
  EXPECT_EQ(got.rows, (Rows{{"1", "x"}, {"2", "{\"rows\": [{\"a\": 7}]}"}, {"3", "NULL"}}));
  EXPECT_TRUE(got.rejects.empty());
  EXPECT_EQ(DrainInAllCuts(text, WantAB("$.meta.rows")).rows, (Rows{{"9", "NULL"}}));
}

TEST(JsonReader, ADocumentWithoutTheRootIsAReject) {
  const Drained got = DrainInAllCuts(
      "{\"rows\": [{\"a\": 1}]}\n{\"other\": [{\"a\": 2}]}\n[5]\n"
      "{\"rows\": [{\"a\": 3}]}\n",
      WantAB("rows"));
  EXPECT_EQ(got.rows, (Rows{{"1", "NULL"}, {"3", "NULL"}}));
  ASSERT_EQ(got.rejects.size(), 2U);
  EXPECT_EQ(got.rejects[0].raw, "{\"other\": [{\"a\": 2}]}");
  EXPECT_EQ(got.rejects[0].line, 2);
  EXPECT_EQ(got.rejects[1].raw, "5");
}

TEST(JsonReader, AHalfWrittenFileGivesItsWholeRowsAndOneReject) {
  const Drained got =
      DrainInAllCuts("{\"rows\": [{\"a\": 1}, {\"a\": 2, \"b\": \"ab", WantAB("rows"));
  EXPECT_EQ(got.rows, (Rows{{"1", "NULL"}}));
  ASSERT_EQ(got.rejects.size(), 1U);
  EXPECT_EQ(got.rejects[0].raw, "{\"a\": 2, \"b\": \"ab");
}

// Each broken line costs itself and nothing else.
TEST(JsonReader, NeighboursOfABrokenObjectSurvive) {
  for (const std::string broken :
       {"{\"a\": 2, \"b\": \"no end}", "{\"a\": 2, \"b\": {\"c\": 1}", "{\"a\": 2, \"b\": [1, 2}",
        "{\"a\": 2]", "{\"a\": }", "{\"a\" 2}", "nonsense", "2", "\"a\"", "{a: 2}",
        "{\"a\": \"\\x\"}", "{\"a\": 2, \"b\": \"\xff\"}", "{\"a\": 2 {\"b\": 1}}", "{\"a\": x}",
        "}", "{\"a\": 2,}", "{"}) {
    const std::string text = "[\n{\"a\": 1},\n" + broken + ",\n{\"a\": 3},\n{\"a\": 4}\n]\n";
    const Drained got = DrainInAllCuts(text, WantAB());
    EXPECT_EQ(got.rows, (Rows{{"1", "NULL"}, {"3", "NULL"}, {"4", "NULL"}})) << broken;
    EXPECT_GE(got.rejects.size(), 1U) << broken;
    EXPECT_LE(got.rejects.size(), 2U) << broken;
    ASSERT_FALSE(got.rejects.empty());
    EXPECT_EQ(got.rejects[0].line, 3) << broken;
  }
}

TEST(JsonReader, WhatStandsBehindAWholeObjectIsARejectOfItsOwn) {
  const Drained got = DrainInAllCuts("[{\"a\": 2}}, {\"a\": 3}x]", WantAB());
  EXPECT_EQ(got.rows, (Rows{{"2", "NULL"}, {"3", "NULL"}}));
  ASSERT_EQ(got.rejects.size(), 2U);
  EXPECT_EQ(got.rejects[0].raw, "}");
  EXPECT_EQ(got.rejects[1].raw, "x");
}

TEST(JsonReader, ABrokenObjectOverManyLinesIsOneReject) {
  const Drained got = DrainInAllCuts(
      "[\n  {\n    \"a\": 1,\n    \"b\": \"open\n    \"c\": {\n      \"d\": 1\n    }\n  },\n"
      "  {\n    \"a\": 2\n  }\n]\n",
      WantAB());
  EXPECT_EQ(got.rows, (Rows{{"2", "NULL"}}));
  ASSERT_EQ(got.rejects.size(), 1U);
  EXPECT_EQ(got.rejects[0].line, 2);
}

// Random objects, nested and with hostile strings, in random wrappings: their number and order.
TEST(JsonReader, RandomDocuments) {
  Random random(20261121);
  for (int round = 0; round < 200; ++round) {
    const bool root = random.Below(2) == 0;
    const std::string_view gap = std::array<std::string_view, 4>{
        ",", ",\n", "\n", " , \r\n\t"}[static_cast<size_t>(random.Below(4))];
    std::string text = root                   ? "{\"x\": [[{}], \"]}\"],\"rows\":["
                       : random.Below(2) == 0 ? "["
                                              : " ";
    Rows expected;
    for (int64_t i = random.Below(6); i > 0; --i) {
      const std::string number = std::to_string(random.Below(1000));
      std::string hostile;
      for (int64_t k = random.Below(80); k > 0; --k) hostile += "{}[],: x"[random.Below(8)];
      std::string nested = "[]";
      for (int64_t k = random.Below(4); k > 0; --k) {
        nested = random.Below(2) == 0 ? "[" + nested + ", {\"b\": \"\\\"}\"}]"
                                      : "{\"a\":" + nested + "}";
      }
      text += fmt::format("{{\"n\": {},\"b\":\"{}\", \"a\" :{}}}", nested, hostile, number);
      text += gap;
      expected.push_back({number, hostile});
    }
    if (root) text += "]}";
    EXPECT_EQ(DrainInAllCuts(text, WantAB(root ? "rows" : "")).rows, expected) << text;
  }
}

TEST(JsonReader, InfersFromDocuments) {
  const TestFile file("t.json",
                      "{\"rows\": [{\"id\": 1, \"at\": \"2024-01-01\", \"p\": {\"x\": 1.5}}]}");
  const auto schema = InferSchema(file.path(), "", {{"root", "rows"}});
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  ASSERT_EQ(schema->columns.size(), 3U);
  EXPECT_EQ(schema->columns[1].type.id, TypeId::kDate);
  EXPECT_EQ(schema->columns[2].name, "p.x");
}

}  // namespace
}  // namespace leat
