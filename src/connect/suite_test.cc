// One suite that every sink passes: what a sink promises does not depend on the system behind it.
#include <gtest/gtest.h>

#include "connect/connectors.h"
#include "connect/postgres/server_test.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

struct SinkCase {
  std::string name;
  std::string kind;
  std::string url;
  Options options;
  bool upserts = false;
};

void PrintTo(const SinkCase& sink, std::ostream* out) { *out << sink.name; }

class SinkSuite : public ::testing::TestWithParam<SinkCase> {
 protected:
  SinkSuite() : schema_(MakeSchema("id bigint, state char(2), day date, score double precision")) {}

  void SetUp() override {
    server_options_ = {{"url", GetParam().url}, {"base", folder_.path()}};
    if (!GetParam().url.starts_with("postgresql:")) return;
    server_options_ = PostgresServer::NewSchema();
    if (server_options_.empty()) GTEST_SKIP() << "no PostgreSQL server here";
  }
  Server TheServer() const {
    return {.name = "s", .kind = GetParam().kind, .options = server_options_};
  }
  Relation TheRelation(const Schema& schema) const {
    return MakeRelation("facts", schema, GetParam().options);
  }
  std::unique_ptr<Sink> Make(const Schema& schema, const Options& more = {}) {
    Relation relation = TheRelation(schema);
    for (const auto& [name, value] : more) relation.options[name] = value;
    auto spec = MakeSinkSpec(TheServer(), relation, schema);
    EXPECT_TRUE(spec.ok()) << spec.status().message();
    spec->state = std::string(32, 'a');
    spec->statement = "facts:1";
    auto sink = MakeSink(*spec);
    EXPECT_TRUE(sink.ok()) << sink.status().message();
    return std::move(*sink);
  }
  std::unique_ptr<Sink> Opened(const Schema& schema, const Options& more = {}) {
    auto sink = Make(schema, more);
    auto mark = sink->Open();
    EXPECT_TRUE(mark.ok()) << mark.status().message();
    if (mark.ok()) mark_ = *mark;
    return sink;
  }
  std::unique_ptr<Sink> Opened() { return Opened(schema_); }
  std::vector<std::string> Content(const Schema& schema) {
    auto rows = ReadAll(TheServer(), TheRelation(schema));
    EXPECT_TRUE(rows.ok()) << rows.status().message();
    return rows.ok() ? Sorted(Texts(schema, *rows)) : std::vector<std::string>{"error"};
  }
  std::vector<std::string> Content() { return Content(schema_); }
  void Put(Sink* sink, const std::vector<std::string>& rows,
           const std::vector<int64_t>& weights = {}) {
    const Status written = sink->Write(MakeRows(schema_, rows, weights));
    EXPECT_TRUE(written.ok()) << written.message();
  }
  void Commit(Sink* sink, int64_t epoch) {
    const Status committed = sink->Commit(epoch);
    EXPECT_TRUE(committed.ok()) << committed.message();
  }

  TemporaryFolder folder_;
  Options server_options_;
  Schema schema_;
  std::optional<Mark> mark_;
};

using Rows = std::vector<std::string>;

TEST_P(SinkSuite, CreatesAppendsAndRemembers) {
  auto sink = Opened();
  EXPECT_FALSE(mark_.has_value());
  Put(sink.get(), {"1|NM|2007-05-26|693", "2|MA|2007-05-26|\\N"});
  Commit(sink.get(), 1);
  Put(sink.get(), {"3|NM|2007-05-27|0.1"});
  Commit(sink.get(), 2);
  sink.reset();
  EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|693", "2|MA|2007-05-26|\\N", "3|NM|2007-05-27|0.1"}));
  sink = Opened();
  ASSERT_TRUE(mark_.has_value());
  EXPECT_EQ(mark_->epoch, 2);
  EXPECT_EQ(mark_->state, std::string(32, 'a'));
  EXPECT_EQ(mark_->statement, "facts:1");
}

TEST_P(SinkSuite, ForgetsWhatWasNotCommitted) {
  auto sink = Opened();
  Put(sink.get(), {"1|NM|2007-05-26|693"});
  Commit(sink.get(), 1);
  Put(sink.get(), {"2|MA|2007-05-26|1"});
  EXPECT_GT(sink->staged_bytes(), 0);
  sink.reset();
  EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|693"}));
  sink = Opened();
  EXPECT_EQ(mark_->epoch, 1);
  EXPECT_EQ(sink->staged_bytes(), 0);
  Put(sink.get(), {"2|MA|2007-05-26|1"});
  Commit(sink.get(), 2);
  EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|693", "2|MA|2007-05-26|1"}));
}

TEST_P(SinkSuite, ACommitWithoutRowsMovesTheMark) {
  auto sink = Opened();
  Commit(sink.get(), 7);
  sink = Opened();
  ASSERT_TRUE(mark_.has_value());
  EXPECT_EQ(mark_->epoch, 7);
}

TEST_P(SinkSuite, TakesRowsAsOftenAsTheirWeight) {
  auto sink = Opened(schema_, {{"mode", "append"}});
  Put(sink.get(), {"1|NM|2007-05-26|1", "2|NM|2007-05-26|2"}, {2, 1});
  Commit(sink.get(), 1);
  EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|1", "1|NM|2007-05-26|1", "2|NM|2007-05-26|2"}));
}

TEST_P(SinkSuite, AppendRefusesWhatWasTakenBack) {
  auto sink = Opened(schema_, {{"mode", "append"}});
  const Status status = sink->Write(MakeRows(schema_, {"1|NM|2007-05-26|1"}, {-1}));
  EXPECT_EQ(status.message(), "sink \"facts\" appends, and its query took rows back");
}

TEST_P(SinkSuite, NewColumnsAreAdded) {
  auto sink = Opened();
  Put(sink.get(), {"1|NM|2007-05-26|693"});
  Commit(sink.get(), 1);
  Schema wider = schema_;
  wider.columns.push_back({"note", TypeId::kText});
  sink = Opened(wider);
  EXPECT_EQ(mark_->epoch, 1);
  ASSERT_TRUE(sink->Write(MakeRows(wider, {"2|MA|2007-05-26|1|it's, \"so\""})).ok());
  Commit(sink.get(), 2);
  // A file of Parquet or CSV keeps the columns it was written with, and a reader names what all
  // have.
  const bool keeps_columns = GetParam().name == "ndjson" || GetParam().name.starts_with("delta");
  if (GetParam().kind == "file" && !keeps_columns) {
    EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|693", "2|MA|2007-05-26|1"}));
    return;
  }
  EXPECT_EQ(Content(wider), (Rows{"1|NM|2007-05-26|693|\\N", "2|MA|2007-05-26|1|it's, \"so\""}));
}

TEST_P(SinkSuite, ResetRemovesItsRows) {
  auto sink = Opened();
  Put(sink.get(), {"1|NM|2007-05-26|693"});
  Commit(sink.get(), 1);
  Put(sink.get(), {"9|NM|2007-05-26|9"});
  const Status reset = sink->Reset();
  ASSERT_TRUE(reset.ok()) << reset.message();
  EXPECT_EQ(Content(), Rows{});
  Put(sink.get(), {"2|MA|2007-05-26|1"});
  Commit(sink.get(), 1);
  EXPECT_EQ(Content(), (Rows{"2|MA|2007-05-26|1"}));
  ASSERT_TRUE(sink->Reset().ok());
  sink = Opened();
  EXPECT_FALSE(mark_.has_value());
}

TEST_P(SinkSuite, EveryTypeComesBack) {
  if (GetParam().options.contains("partition_by")) GTEST_SKIP() << "no column \"state\" here";
  const Schema all = MakeSchema(
      "id bigint, b boolean, i2 smallint, i4 integer, f4 real, f8 double precision, n "
      "numeric(6,2), "
      "big numeric(30,5), t text, v varchar(255), d date, ts timestamp, tz timestamptz, "
      "tm time, u uuid, j json, y bytea");
  const Rows rows = {
      "1|t|-3|7|0.1|1e+300|12.50|1234567890123456789012345.12345|a\nb|ü|2007-05-26|2019-06-04 "
      "14:05:13|2019-06-04 14:05:13.000001+00|23:59:59.5|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|"
      "{\"a\": 1.0}|\\x00ff",
      "2|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N",
      "9223372036854775807|f|32767|-2147483648|-0.5|0.3|-9999.99|-0.00001|||0001-01-01|1969-12-31 "
      "23:59:59.999999|1969-12-31 "
      "23:59:59+00|00:00:00|00000000-0000-0000-0000-000000000000|12|\\x"};
  auto sink = Opened(all);
  const Status written = sink->Write(MakeRows(all, rows));
  ASSERT_TRUE(written.ok()) << written.message();
  Commit(sink.get(), 1);
  EXPECT_EQ(Content(all), Sorted(rows));
}

TEST_P(SinkSuite, UpsertsByKey) {
  if (!GetParam().upserts) GTEST_SKIP() << "appends only";
  auto sink = Opened();
  Put(sink.get(), {"1|NM|2007-05-26|1", "2|MA|2007-05-26|2", "3|TX|2007-05-26|3"});
  Commit(sink.get(), 1);
  Put(sink.get(), {"1|NM|2007-05-26|1", "3|TX|2007-05-26|3"}, {-1, -1});
  Put(sink.get(), {"1|NM|2007-05-26|10", "4|NY|2007-05-26|4"});
  Commit(sink.get(), 2);
  EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|10", "2|MA|2007-05-26|2", "4|NY|2007-05-26|4"}));
  // Two epochs in one commit.
  Put(sink.get(), {"5|NY|2007-05-26|5", "2|MA|2007-05-26|20"});
  Put(sink.get(), {"5|NY|2007-05-26|5", "4|NY|2007-05-26|4"}, {-1, -1});
  Put(sink.get(), {"4|NY|2007-05-26|40"});
  Commit(sink.get(), 4);
  EXPECT_EQ(Content(), (Rows{"1|NM|2007-05-26|10", "2|MA|2007-05-26|20", "4|NY|2007-05-26|40"}));
}

TEST_P(SinkSuite, TwoRowsForAKeyAreRefused) {
  if (!GetParam().upserts) GTEST_SKIP() << "appends only";
  auto sink = Opened();
  Put(sink.get(), {"1|NM|2007-05-26|1", "1|NM|2007-05-27|2"});
  const Status status = sink->Commit(1);
  EXPECT_EQ(status.message(), "two rows for one key of sink \"facts\"");
  ASSERT_NE(SqlErrorOf(status), nullptr);
  EXPECT_EQ(SqlErrorOf(status)->detail, "Key (\"id\")=(1) came twice.");
}

TEST_P(SinkSuite, ANullInTheKeyIsRefused) {
  if (!GetParam().upserts) GTEST_SKIP() << "appends only";
  auto sink = Opened();
  const Status status = sink->Write(MakeRows(schema_, {"\\N|NM|2007-05-26|1"}));
  EXPECT_EQ(status.message(),
            "null value in column \"id\" of relation \"facts\" violates not-null constraint");
}

TEST_P(SinkSuite, ManyBatchesAreOneCommit) {
  auto sink = Opened();
  Rows expected;
  for (int i = 0; i < 300; ++i) {
    const std::string row = fmt::format("{}|NM|2007-05-{:02d}|{}", i, 1 + i % 28, i);
    expected.push_back(row);
    Put(sink.get(), {row});
  }
  Commit(sink.get(), 1);
  EXPECT_EQ(Content(), Sorted(expected));
}

TEST_P(SinkSuite, AChangelogTellsOfEveryChange) {
  if (GetParam().options.contains("partition_by")) GTEST_SKIP() << "the same as without folders";
  Schema told = schema_;
  told.columns.push_back({"_op", TypeId::kText});
  auto sink = Opened(schema_, {{"mode", "changelog"}});
  Put(sink.get(), {"1|NM|2007-05-26|1", "2|MA|2007-05-26|2"}, {1, 2});
  Commit(sink.get(), 1);
  Put(sink.get(), {"1|NM|2007-05-26|1", "1|NM|2007-05-26|10"}, {-1, 1});
  Commit(sink.get(), 2);
  EXPECT_EQ(Content(told), (Rows{"1|NM|2007-05-26|10|insert", "1|NM|2007-05-26|1|delete",
                                 "1|NM|2007-05-26|1|insert", "2|MA|2007-05-26|2|insert",
                                 "2|MA|2007-05-26|2|insert"}));
  Relation taken = TheRelation(told);
  taken.options["mode"] = "changelog";
  EXPECT_EQ(MakeSinkSpec(TheServer(), taken, told).status().message(),
            "column \"_op\" of sink \"facts\" is written by its mode");
}

std::string NameOf(const ::testing::TestParamInfo<SinkCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Sinks, SinkSuite,
    ::testing::Values(
        SinkCase{"parquet", "file", "lake", {{"path", "facts/"}, {"format", "parquet"}}},
        SinkCase{"parquet_by_state",
                 "file",
                 "lake",
                 {{"path", "facts/"}, {"format", "parquet"}, {"partition_by", "state"}}},
        SinkCase{"csv", "file", "lake", {{"path", "facts/"}, {"format", "csv"}}},
        SinkCase{"ndjson", "file", "file:lake", {{"path", "facts/"}, {"format", "ndjson"}}},
        SinkCase{"delta", "file", "lake", {{"path", "facts/"}, {"format", "delta"}}},
        SinkCase{"delta_upsert",
                 "file",
                 "lake",
                 {{"path", "facts/"}, {"format", "delta"}, {"mode", "upsert"}, {"key", "id"}},
                 true},
        SinkCase{"delta_by_state",
                 "file",
                 "lake",
                 {{"path", "facts/"}, {"format", "delta"}, {"partition_by", "state"}}},
        SinkCase{"topic", "stream", "file:topics", {{"key", "id"}, {"partitions", "3"}}},
        SinkCase{"sqlite", "database", "sqlite:w.db", {}},
        SinkCase{"sqlite_upsert", "database", "sqlite:w.db", {{"key", "id"}}, true},
        SinkCase{"duckdb", "database", "duckdb:w.duckdb", {}},
        SinkCase{"duckdb_upsert", "database", "duckdb:w.duckdb", {{"key", "id"}}, true},
        SinkCase{"postgres", "database", "postgresql:", {}},
        SinkCase{"postgres_upsert", "database", "postgresql:", {{"key", "id"}}, true}),
    NameOf);

}  // namespace
}  // namespace leat::testing
