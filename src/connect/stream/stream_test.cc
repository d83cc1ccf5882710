// Topics in folders: what a reader sees, where it begins, what it says of a record.
#include <gtest/gtest.h>

#include <filesystem>

#include "connect/connectors.h"
#include "connect/stream/stream.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

using Rows = std::vector<std::string>;

class Topics : public ::testing::Test {
 protected:
  Server TheServer() const {
    return {
        .name = "s", .kind = "stream", .options = {{"url", "file:."}, {"base", folder_.path()}}};
  }
  std::unique_ptr<Sink> Writer(const Schema& schema, const Options& options = {},
                               const std::string& name = "t") {
    auto spec = MakeSinkSpec(TheServer(), MakeRelation(name, schema, options), schema);
    EXPECT_TRUE(spec.ok()) << spec.status().message();
    spec->state = std::string(32, 'a');
    spec->statement = name + " 1";
    auto sink = MakeSink(*spec);
    EXPECT_TRUE(sink.ok()) << sink.status().message();
    const auto opened = (*sink)->Open();
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return std::move(*sink);
  }
  void Write(Sink* sink, const Schema& schema, const Rows& rows, int64_t epoch,
             const std::vector<int64_t>& weights = {}) {
    const Status written = sink->Write(MakeRows(schema, rows, weights));
    ASSERT_TRUE(written.ok()) << written.message();
    const Status committed = sink->Commit(epoch);
    ASSERT_TRUE(committed.ok()) << committed.message();
  }
  Relation Reading(const Schema& schema, Options options = {},
                   const std::map<std::string, std::string>& metadata = {}) {
    options.emplace("topic", "t");
    Relation relation = MakeRelation("r", schema, options);
    for (ColumnSpec& column : relation.columns) {
      const auto found = metadata.find(column.column.name);
      if (found != metadata.end()) column.options["metadata"] = found->second;
    }
    return relation;
  }
  std::unique_ptr<Source> Reader(const Relation& relation) {
    auto source = MakeSource(TheServer(), relation);
    EXPECT_TRUE(source.ok()) << source.status().message();
    EXPECT_TRUE((*source)->Seek(last_).ok());
    return std::move(*source);
  }
  // The rows of the next arrival; its rejects are kept.
  Rows Next(Source* source, const Schema& schema, int64_t bytes_max = 1 << 20) {
    auto arrival = source->Poll(bytes_max);
    EXPECT_TRUE(arrival.ok()) << arrival.status().message();
    if (!arrival.ok() || !*arrival) return {"nothing"};
    rejects_ = (*arrival)->rejects;
    last_ = (*arrival)->end;
    EXPECT_EQ((*arrival)->rows_read,
              (*arrival)->batch.rows + static_cast<int64_t>(rejects_.size()));
    return Texts(schema, {(*arrival)->batch});
  }

  TemporaryFolder folder_;
  std::vector<Reject> rejects_;
  Offset last_;
};

TEST_F(Topics, ReadersSeeCommittedRecordsAlone) {
  const Schema schema = MakeSchema("id bigint, name text");
  auto reader = Reader(Reading(schema));
  EXPECT_EQ(Next(reader.get(), schema), Rows{"nothing"});  // no topic yet
  auto sink = Writer(schema);
  EXPECT_EQ(Next(reader.get(), schema), Rows{});  // it is there, and where it begins is told
  ASSERT_TRUE(sink->Write(MakeRows(schema, {"1|a"})).ok());
  EXPECT_EQ(Next(reader.get(), schema), Rows{"nothing"});
  // What a writer that died left behind the end is nobody's.
  folder_.Write("t/segment-000000000001.ndjson",
                "{\"partition\":0,\"timestamp\":1,\"value\":{\"id\":9");
  EXPECT_EQ(Next(reader.get(), schema), Rows{"nothing"});
  ASSERT_TRUE(sink->Commit(1).ok());
  EXPECT_EQ(Next(reader.get(), schema), Rows{"1|a"});
  EXPECT_EQ(Next(reader.get(), schema), Rows{"nothing"});
}

TEST_F(Topics, MetadataAreColumns) {
  const Schema written = MakeSchema("id bigint, at timestamptz");
  auto sink = Writer(written, {{"key", "id"}, {"timestamp", "at"}, {"partitions", "2"}});
  Write(sink.get(), written, {"7|2024-05-01 10:00:00+00", "21|2024-05-01 11:00:00+00"}, 1);
  Write(sink.get(), written, {"7|2024-05-01 12:00:00+00"}, 2);
  const Schema schema =
      MakeSchema("id bigint, k integer, p integer, o bigint, ts timestamptz, h jsonb");
  const std::map<std::string, std::string> metadata = {
      {"k", "key"}, {"p", "partition"}, {"o", "offset"}, {"ts", "timestamp"}, {"h", "headers"}};
  const Relation relation = Reading(schema, {}, metadata);
  auto reader = Reader(relation);
  // The partitions are those that Kafka's clients choose.
  EXPECT_EQ(Next(reader.get(), schema),
            (Rows{"7|7|1|0|2024-05-01 10:00:00+00|\\N", "21|21|0|0|2024-05-01 11:00:00+00|\\N",
                  "7|7|1|1|2024-05-01 12:00:00+00|\\N"}));
}

TEST_F(Topics, KeysHaveThePartitionsOfKafkasClients) {
  const Schema schema = MakeSchema("k text, p integer");
  const Schema written = MakeSchema("k text");
  auto sink = Writer(written, {{"key", "k"}, {"partitions", "1000"}});
  // From the tests of Kafka's murmur2: -973932308, -790332482, -985981536, -1486304829, -58897971.
  Write(sink.get(), written,
        {"21", "foobar", "a-little-bit-long-string", "a-little-bit-longer-string",
         "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"},
        1);
  auto reader = Reader(Reading(schema, {}, {{"p", "partition"}}));
  EXPECT_EQ(Next(reader.get(), schema),
            (Rows{"21|340", "foobar|166", "a-little-bit-long-string|112",
                  "a-little-bit-longer-string|819",
                  "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8|677"}));
}

TEST_F(Topics, RejectsNameTheirRecord) {
  const Schema text = MakeSchema("id text, n text");
  auto sink = Writer(text, {{"key", "id"}});
  Write(sink.get(), text, {"1|10", "2|ten", "x|30", "4|40"}, 1);
  const Schema schema = MakeSchema("n integer, k integer");
  Relation relation = Reading(schema, {}, {{"k", "key"}});
  auto reader = Reader(relation);
  EXPECT_EQ(Next(reader.get(), schema), (Rows{"10|1", "40|4"}));
  ASSERT_EQ(rejects_.size(), 2u);
  EXPECT_EQ(rejects_[0].offset, 1);
  EXPECT_EQ(rejects_[0].column, "n");
  EXPECT_EQ(rejects_[0].raw, "{\"id\":\"2\",\"n\":\"ten\"}");
  EXPECT_EQ(rejects_[0].reason, "invalid input syntax for type integer: \"ten\"");
  EXPECT_EQ(rejects_[1].offset, 2);
  EXPECT_EQ(rejects_[1].column, "k");
}

TEST_F(Topics, ReadingBeginsWhereStartSays) {
  const Schema schema = MakeSchema("id bigint, at timestamp");
  auto sink = Writer(schema, {{"timestamp", "at"}});
  Write(sink.get(), schema, {"0|2024-01-01 00:00:00", "1|2024-01-02 00:00:00"}, 1);
  Write(sink.get(), schema, {"2|2024-01-03 00:00:00", "3|2024-01-04 00:00:00"}, 2);
  const auto first = [&](const std::string& start) {
    last_.clear();
    return Next(Reader(Reading(schema, {{"start", start}})).get(), schema);
  };
  EXPECT_EQ(first("earliest").size(), 4u);
  EXPECT_EQ(first("1"),
            (Rows{"1|2024-01-02 00:00:00", "2|2024-01-03 00:00:00", "3|2024-01-04 00:00:00"}));
  EXPECT_EQ(first("2024-01-03"), (Rows{"2|2024-01-03 00:00:00", "3|2024-01-04 00:00:00"}));
  EXPECT_EQ(first("2024-01-03 12:00:00+00"), (Rows{"3|2024-01-04 00:00:00"}));
  EXPECT_EQ(first("latest"), Rows{});
  Write(sink.get(), schema, {"4|2024-01-05 00:00:00"}, 3);
  const Relation latest = Reading(schema, {{"start", "latest"}});
  EXPECT_EQ(Next(Reader(latest).get(), schema), Rows{"4|2024-01-05 00:00:00"});
  // A query as of the last commit sees what was read, and not what lies before the start.
  auto limited = MakeSource(TheServer(), latest);
  ASSERT_TRUE((*limited)->Seek("").ok());
  ASSERT_TRUE((*limited)->Limit(last_).ok());
  EXPECT_EQ(Next(limited->get(), schema), Rows{"4|2024-01-05 00:00:00"});
  EXPECT_EQ(Next(limited->get(), schema), Rows{"nothing"});
}

TEST_F(Topics, WhatWasReadIsReadAgainAlike) {
  const Schema schema = MakeSchema("id bigint, k text");
  auto sink = Writer(schema, {{"key", "k"}, {"partitions", "3"}});
  Rows rows;
  for (int i = 0; i < 500; ++i) rows.push_back(fmt::format("{}|{}", i, i % 17));
  Write(sink.get(), schema, rows, 1);
  const Relation relation = Reading(schema);
  auto reader = Reader(relation);
  std::vector<Arrival> arrivals;
  while (true) {
    auto arrival = reader->Poll(1000);
    ASSERT_TRUE(arrival.ok()) << arrival.status().message();
    if (!*arrival) break;
    arrivals.push_back(std::move(**arrival));
  }
  EXPECT_GT(arrivals.size(), 5u);
  auto again = MakeSource(TheServer(), relation);
  ASSERT_TRUE((*again)->Seek("").ok());
  for (const Arrival& arrival : arrivals) {
    auto reread = (*again)->Reread(arrival.end);
    ASSERT_TRUE(reread.ok()) << reread.status().message();
    EXPECT_EQ(reread->checksum, arrival.checksum);
    EXPECT_EQ(reread->rows_read, arrival.rows_read);
    EXPECT_EQ(Texts(schema, {reread->batch}), Texts(schema, {arrival.batch}));
  }
}

TEST_F(Topics, DeletedRecordsAreMissed) {
  const Schema schema = MakeSchema("id bigint");
  auto sink = Writer(schema);
  Write(sink.get(), schema, {"1"}, 1);
  const Relation relation = Reading(schema);
  EXPECT_EQ(Next(Reader(relation).get(), schema), Rows{"1"});
  Write(sink.get(), schema, {"2"}, 2);
  ASSERT_TRUE(sink->Reset().ok());
  Write(sink.get(), schema, {"3"}, 1);
  const auto lost = Reader(relation)->Poll(1 << 20);
  EXPECT_TRUE(lost.status().message().ends_with("were deleted before they were read"))
      << lost.status().message();
  EXPECT_EQ(Next(Reader(Reading(schema, {{"on_delete", "ignore"}})).get(), schema), Rows{"3"});
}

TEST_F(Topics, ATopicMadeAnewIsNoticed) {
  const Schema schema = MakeSchema("id bigint");
  Write(Writer(schema).get(), schema, {"1"}, 1);
  EXPECT_EQ(Next(Reader(Reading(schema)).get(), schema), Rows{"1"});
  std::filesystem::remove_all(folder_ / "t");
  Write(Writer(schema).get(), schema, {"2"}, 1);
  const auto other = Reader(Reading(schema))->Poll(1 << 20);
  EXPECT_TRUE(other.status().message().ends_with("is not the one that was read before"));
}

TEST_F(Topics, WritersShareATopicEachWithItsMark) {
  const Schema schema = MakeSchema("id bigint");
  auto one = Writer(schema, {{"topic", "t"}}, "one");
  auto two = Writer(schema, {{"topic", "t"}}, "two");
  ASSERT_TRUE(one->Write(MakeRows(schema, {"1"})).ok());
  Write(two.get(), schema, {"2"}, 7);
  ASSERT_TRUE(one->Commit(3).ok());
  EXPECT_EQ(Next(Reader(Reading(schema)).get(), schema), (Rows{"2", "1"}));
  EXPECT_EQ((*one->Open())->epoch, 3);
  EXPECT_EQ((*two->Open())->epoch, 7);
  EXPECT_TRUE(one->Reset().message().ends_with("also holds records of \"two\""));
}

TEST_F(Topics, UpsertsLeaveTombstones) {
  const Schema schema = MakeSchema("id bigint, n bigint");
  auto sink = Writer(schema, {{"mode", "upsert"}, {"key", "id"}});
  Write(sink.get(), schema, {"1|1", "2|2"}, 1);
  ASSERT_TRUE(sink->Write(MakeRows(schema, {"1|1", "2|2"}, {-1, -1})).ok());
  Write(sink.get(), schema, {"2|20"}, 2);
  EXPECT_EQ(Next(Reader(Reading(schema)).get(), schema), (Rows{"1|1", "2|2", "2|20"}));
  ASSERT_EQ(rejects_.size(), 1u);
  EXPECT_EQ(rejects_[0].reason, "the record has no value");
}

TEST_F(Topics, TheSchemaEnvelopeIsKafkaConnects) {
  const Schema schema = MakeSchema(
      "id bigint, d date, ts timestamp, tz timestamptz, tm time, n numeric(6,2), y bytea, "
      "u numeric, j jsonb");
  const Rows rows = {
      "1|2007-05-26|2007-05-26 01:02:03.004|2007-05-26 "
      "01:02:03+00|00:00:01|-12.50|\\x00ff|1.5|{\"a\": 1}",
      "2|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N"};
  auto sink = Writer(schema, {{"envelope", "schema"}});
  Write(sink.get(), schema, rows, 1);
  const std::string text = folder_.Read("t/segment-000000000001.ndjson");
  EXPECT_NE(
      text.find(
          "\"payload\":{\"id\":1,\"d\":13659,\"ts\":1180141323004,\"tz\":1180141323000,"
          "\"tm\":1000,\"n\":\"+x4=\",\"y\":\"AP8=\",\"u\":\"1.5\",\"j\":\"{\\\"a\\\": 1}\"}}"),
      text.npos)
      << text;
  EXPECT_NE(text.find("{\"type\":\"int32\",\"optional\":true,\"name\":\"org.apache.kafka.connect."
                      "data.Date\",\"version\":1,\"field\":\"d\"}"),
            text.npos);
  EXPECT_EQ(Next(Reader(Reading(schema, {{"envelope", "schema"}})).get(), schema), rows);
  const Status fine = sink->Write(
      MakeRows(schema, {"1|2007-05-26|2007-05-26 01:02:03.000004|\\N|\\N|\\N|\\N|\\N|\\N"}));
  EXPECT_EQ(fine.message(),
            "sink \"t\": a value of column \"ts\" is finer than the milliseconds of Kafka Connect");
}

TEST_F(Topics, ColumnsAreInferred) {
  const Schema schema = MakeSchema("id bigint, d date, name text");
  Relation relation = Reading({});
  EXPECT_EQ(InferColumns(TheServer(), relation).status().message(),
            "could not infer the columns of \"r\": its topic has no records");
  Write(Writer(schema, {{"envelope", "schema"}}).get(), MakeSchema("id bigint, d date, name text"),
        {"1|2007-05-26|a"}, 1);
  relation.options["envelope"] = "schema";
  const auto inferred = InferColumns(TheServer(), relation);
  ASSERT_TRUE(inferred.ok()) << inferred.status().message();
  EXPECT_EQ(inferred->columns[2].name, "name");
}

}  // namespace
}  // namespace leat::testing
