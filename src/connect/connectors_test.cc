#include "connect/connectors.h"

#include <gtest/gtest.h>

#include "connect/file/hive.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

Server FileServer() { return {.name = "s", .kind = "file", .options = {{"url", "."}}}; }

std::string Told(const Status& status) { return FormatError(status, ""); }

TEST(Connectors, UnknownOptionsNameTheNearest) {
  const Schema schema = MakeSchema("a integer");
  EXPECT_EQ(Told(CheckRelation(FileServer(), MakeRelation("t", schema, {{"pth", "x"}}))),
            "ERROR:  invalid option \"pth\"\nHINT:  Perhaps you meant \"path\".\n");
  Server server = FileServer();
  server.options["bas"] = "x";
  EXPECT_EQ(Told(CheckServer(server)),
            "ERROR:  invalid option \"bas\"\nHINT:  Perhaps you meant \"base\".\n");
  Relation relation = MakeRelation("t", schema, {});
  relation.columns[0].options["nmae"] = "A";
  EXPECT_EQ(Told(CheckRelation(FileServer(), relation)),
            "ERROR:  invalid option \"nmae\"\nHINT:  Perhaps you meant \"name\".\n");
}

TEST(Connectors, UnknownKindsAndSchemes) {
  Server server{.name = "s", .kind = "fiel", .options = {{"url", "x"}}};
  EXPECT_EQ(Told(CheckServer(server)),
            "ERROR:  foreign-data wrapper \"fiel\" does not exist\nHINT:  Perhaps you meant "
            "\"file\".\n");
  server = {.name = "s", .kind = "stream", .options = {{"url", "kafka://x"}}};
  EXPECT_EQ(Told(CheckServer(server)),
            "ERROR:  scheme \"kafka\" of server \"s\" is not supported for foreign-data wrapper "
            "\"stream\"\nHINT:  There are: file:, datagen:, blackhole:.\n");
  server = {.name = "s", .kind = "database", .options = {{"url", "sqlit:x"}}};
  EXPECT_EQ(Told(CheckServer(server)),
            "ERROR:  scheme \"sqlit\" of server \"s\" is not supported for foreign-data wrapper "
            "\"database\"\nHINT:  Perhaps you meant \"sqlite:\".\n");
  server = {.name = "s", .kind = "file", .options = {{"url", "s3://bucket/x"}}};
  EXPECT_EQ(SqlErrorOf(CheckServer(server))->sqlstate, "0A000");
  server = {.name = "s", .kind = "database"};
  EXPECT_EQ(CheckServer(server).message(), "option \"url\" is missing for server \"s\"");
}

TEST(Connectors, ValuesAreChecked) {
  const Schema schema = MakeSchema("a integer");
  const auto told = [&](Options options) {
    return CheckRelation(FileServer(), MakeRelation("t", schema, std::move(options))).message();
  };
  EXPECT_EQ(told({{"on_error", "ignore"}}), "invalid value for option \"on_error\": \"ignore\"");
  EXPECT_EQ(told({{"max_rejects", "much"}}), "invalid value for option \"max_rejects\": \"much\"");
  EXPECT_EQ(told({{"flush_bytes", "4 parsecs"}}),
            "invalid value for option \"flush_bytes\": \"4 parsecs\"");
  EXPECT_EQ(told({{"max_rejects", "1%"}, {"flush_bytes", "64MB"}}), "");
}

TEST(Connectors, RejectLimits) {
  const Schema schema = MakeSchema("a integer");
  const auto limit = [&](const char* text) {
    return **RejectLimitOf(MakeRelation("t", schema, {{"max_rejects", text}}));
  };
  EXPECT_FALSE(limit("10").Exceeded(10, 10));
  EXPECT_TRUE(limit("10").Exceeded(11, 11));
  EXPECT_FALSE(limit("1%").Exceeded(999, 999));
  EXPECT_FALSE(limit("1%").Exceeded(10, 1000));
  EXPECT_TRUE(limit("1%").Exceeded(11, 1000));
}

TEST(Connectors, SinkSpecsFindTheirModeAndKey) {
  const Schema schema = MakeSchema("a integer, b text");
  const Server server{.name = "s", .kind = "database", .options = {{"url", "sqlite:x.db"}}};
  auto spec = MakeSinkSpec(server, MakeRelation("t", schema, {{"key", "b, a"}}), schema);
  EXPECT_EQ(spec->mode, SinkMode::kUpsert);
  EXPECT_EQ(spec->key, (std::vector<int>{1, 0}));
  EXPECT_EQ(MakeSinkSpec(server, MakeRelation("t", schema, {}), schema)->mode, SinkMode::kAppend);
  spec = MakeSinkSpec(server, MakeRelation("t", schema, {{"key", "c"}}), schema);
  EXPECT_EQ(spec.status().message(), "column \"c\" named in option \"key\" does not exist");
  spec = MakeSinkSpec(server, MakeRelation("t", schema, {{"mode", "upsert"}}), schema);
  EXPECT_EQ(spec.status().message(), "sink \"t\" of mode \"upsert\" has no key");
}

TEST(Connectors, NamesInLists) {
  EXPECT_EQ(*NameList("key", " A , \"B, \"\"c\" "), (std::vector<std::string>{"a", "B, \"c"}));
  EXPECT_FALSE(NameList("key", "a,,b").ok());
  EXPECT_FALSE(NameList("key", "a,").ok());
  EXPECT_FALSE(NameList("key", "\"a").ok());
}

TEST(Connectors, EveryOptionIsDescribed) {
  const std::string text = DescribeConnectors();
  EXPECT_NE(text.find("| `partition_by` | table |"), std::string::npos);
  EXPECT_NE(text.find("## database"), std::string::npos);
}

TEST(Hive, EscapesAsSpark) {
  EXPECT_EQ(HiveEscape("a/b=c d%\"\xC3\xBC"), "a%2Fb%3Dc d%25%22\xC3\xBC");
  EXPECT_EQ(HiveUnescape(HiveEscape("a/b=c:\n?*")), "a/b=c:\n?*");
  EXPECT_EQ(HiveUnescape("100%"), "100%");
}

TEST(Hive, SplitsRowsByFolder) {
  const Schema schema = MakeSchema("a integer, d date, s char(2)");
  const Batch batch = MakeRows(
      schema, {"1|2024-05-01|NM", "2|2024-05-02|NM", "3|2024-05-01|NM", "4|\\N|", "5|\\N|MA"});
  const auto parts = SplitByFolder(batch, schema, {1, 2}).ValueOrDie();
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].folder, "d=2024-05-01/s=NM");
  EXPECT_EQ(parts[0].rows, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(parts[1].rows, (std::vector<int32_t>{1}));
  EXPECT_EQ(parts[3].folder, "d=__HIVE_DEFAULT_PARTITION__/s=MA");
}

}  // namespace
}  // namespace leat::testing
