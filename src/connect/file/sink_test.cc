#include <gtest/gtest.h>

#include <filesystem>

#include "connect/connectors.h"
#include "connect/file/commit.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

using Names = std::vector<std::string>;

class FileSinkTest : public ::testing::Test {
 protected:
  FileSinkTest() : schema_(MakeSchema("a bigint, state text")) {}

  Result<std::unique_ptr<Sink>> Make(Options options) {
    options.try_emplace("path", "out/");
    options.try_emplace("format", "parquet");
    const Server server{.name = "s", .kind = "file", .options = {{"url", folder_.path()}}};
    LEAT_ASSIGN(SinkSpec spec, MakeSinkSpec(server, MakeRelation("t", schema_, options), schema_));
    spec.state = "0123456789abcdef0123456789abcdef";
    spec.statement = "t:1";
    return MakeSink(std::move(spec));
  }
  std::unique_ptr<Sink> Opened(Options options = {}) {
    auto sink = Make(std::move(options)).ValueOrDie();
    EXPECT_TRUE(sink->Open().ok());
    return sink;
  }
  std::string Refused(Options options) { return Make(std::move(options)).status().message(); }

  TemporaryFolder folder_;
  Schema schema_;
};

TEST_F(FileSinkTest, FoldersAreNamedAsHiveNamesThem) {
  auto sink = Opened({{"partition_by", "state"}});
  ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|NM", "2|a/b", "3|\\N", "4|NM"})).ok());
  ASSERT_TRUE(sink->Commit(12).ok());
  EXPECT_EQ(folder_.Files(),
            (Names{"out/state=NM/leat-0123456789ab-000000000012-00000.parquet",
                   "out/state=__HIVE_DEFAULT_PARTITION__/"
                   "leat-0123456789ab-000000000012-00001.parquet",
                   "out/state=a%2Fb/leat-0123456789ab-000000000012-00002.parquet"}));
}

TEST_F(FileSinkTest, ACommitThatACrashCutShortIsFinished) {
  const std::string target = folder_ / "out";
  ASSERT_TRUE(MakeFolders(target).ok());
  folder_.Write("out/_leat/tmp/000000.parquet", "one");
  folder_.Write("out/_leat/tmp/000001.parquet", "two");
  folder_.Write("out/_leat/tmp/000009.parquet", "never committed");
  const CommitManifest manifest{
      .mark = {.state = "s", .statement = "t:\"1\"\n", .epoch = 5},
      .files = {{.staged = "000000.parquet", .name = "d=1/x.parquet", .rows = 1, .bytes = 3},
                {.staged = "000001.parquet", .name = "d=2/y.parquet", .rows = 1, .bytes = 3}}};
  ASSERT_TRUE(WriteManifest(target, manifest).ok());
  // The first file was moved before the crash.
  std::filesystem::create_directories(target + "/d=1");
  std::filesystem::rename(target + "/_leat/tmp/000000.parquet", target + "/d=1/x.parquet");
  auto sink = Make({}).ValueOrDie();
  const auto mark = sink->Open().ValueOrDie();
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->epoch, 5);
  EXPECT_EQ(mark->statement, "t:\"1\"\n");
  EXPECT_EQ(folder_.Files(), (Names{"out/d=1/x.parquet", "out/d=2/y.parquet"}));
  EXPECT_EQ(folder_.Read("out/d=2/y.parquet"), "two");
  EXPECT_TRUE(std::filesystem::is_empty(target + "/_leat/tmp"));
}

// The manifest of a commit stays; what a later life stages must never be taken for its files.
TEST_F(FileSinkTest, WhatWasStagedAndNotCommittedIsNeverPublished) {
  const Names committed = {"out/leat-0123456789ab-000000000001-00000.parquet",
                           "out/leat-0123456789ab-000000000002-00000.parquet"};
  for (int64_t epoch = 1; epoch <= 2; ++epoch) {
    auto sink = Opened();
    ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|NM"})).ok());
    ASSERT_TRUE(sink->Commit(epoch).ok());
  }
  const std::string before = folder_.Read(committed[1]);
  {
    auto sink = Opened({{"writers_max", "1"}, {"partition_by", "state"}});
    // The writer of NM is finished for that of MA: its file is whole, as at a crash.
    ASSERT_TRUE(sink->Write(MakeRows(schema_, std::vector<std::string>(20000, "2|NM"))).ok());
    ASSERT_TRUE(sink->Write(MakeRows(schema_, std::vector<std::string>(20000, "3|MA"))).ok());
    ASSERT_FALSE(std::filesystem::is_empty(folder_ / "out/_leat/tmp"));
  }
  Opened();
  EXPECT_EQ(folder_.Files(), committed);
  EXPECT_TRUE(folder_.Read(committed[1]) == before);
}

TEST_F(FileSinkTest, ResetLeavesFilesOfOthers) {
  auto sink = Opened({{"partition_by", "state"}});
  folder_.Write("out/state=NM/theirs.parquet", "x");
  ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|NM", "2|MA"})).ok());
  ASSERT_TRUE(sink->Commit(1).ok());
  ASSERT_TRUE(sink->Reset().ok());
  EXPECT_EQ(folder_.Files(), (Names{"out/state=NM/theirs.parquet"}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/state=MA"));
}

TEST_F(FileSinkTest, FilesEndAtTheirSizeAndWritersAreFew) {
  auto sink = Opened({{"file_bytes_max", "1B"}});
  std::vector<std::string> rows;
  for (int i = 0; i < 40'000; ++i) rows.push_back(fmt::format("{}|x", i));
  ASSERT_TRUE(sink->Write(MakeRows(schema_, rows)).ok());
  ASSERT_TRUE(sink->Write(MakeRows(schema_, rows)).ok());
  ASSERT_TRUE(sink->Commit(1).ok());
  EXPECT_EQ(folder_.Files().size(), 2u);

  sink = Opened({{"path", "few/"}, {"partition_by", "state"}, {"writers_max", "1"}});
  rows.clear();
  for (int i = 0; i < 60'000; ++i) rows.push_back(fmt::format("{}|{}", i, i % 3));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(sink->Write(MakeRows(schema_, rows)).ok());
  ASSERT_TRUE(sink->Commit(1).ok());
  EXPECT_EQ(folder_.Files().size(), 2u + 6u);
}

TEST_F(FileSinkTest, ReplaceLeavesOnlyTheLastCommit) {
  const Options options = {{"mode", "replace"}, {"partition_by", "state"}};
  auto sink = Opened(options);
  folder_.Write("out/state=NM/theirs.parquet", "x");
  ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|NM", "2|MA"})).ok());
  ASSERT_TRUE(sink->Commit(1).ok());
  ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|NM", "3|TX"})).ok());
  ASSERT_TRUE(sink->Commit(2).ok());
  const Names after = {"out/state=NM/leat-0123456789ab-000000000002-00000.parquet",
                       "out/state=NM/theirs.parquet",
                       "out/state=TX/leat-0123456789ab-000000000002-00001.parquet"};
  EXPECT_EQ(folder_.Files(), after);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/state=MA"));
  // As if a crash had come before the old files were removed.
  sink.reset();
  folder_.Write("out/state=MA/leat-0123456789ab-000000000001-00000.parquet", "old");
  sink = Opened(options);
  EXPECT_EQ(folder_.Files(), after);
  ASSERT_TRUE(sink->Commit(3).ok());
  EXPECT_EQ(folder_.Files(), Names{"out/state=NM/theirs.parquet"});
}

TEST_F(FileSinkTest, ASnapshotReplacesItsPeriodAlone) {
  const Options options = {{"mode", "snapshot"}, {"partition_by", "dt"}};
  const Schema told = MakeSchema("a bigint, state text, dt date");
  auto sink = Opened(options);
  const auto write = [&](int64_t epoch, const std::string& day, const Names& rows) {
    ASSERT_TRUE(sink->Write(MakeRows(told, {"\\N|\\N|" + day}, {-1})).ok());
    ASSERT_TRUE(sink->Write(MakeRows(told, rows)).ok());
    ASSERT_TRUE(sink->Commit(epoch).ok());
  };
  write(1, "2024-05-01", {"1|NM|2024-05-01"});
  write(2, "2024-05-01", {"2|NM|2024-05-01", "3|MA|2024-05-01"});
  write(3, "2024-05-02", {"4|NM|2024-05-02"});
  const std::string first = "out/dt=2024-05-01/leat-0123456789ab-000000000002-00000.parquet";
  EXPECT_EQ(folder_.Files(),
            (Names{first, "out/dt=2024-05-02/leat-0123456789ab-000000000003-00000.parquet"}));
  // As if a crash had come before the old file was removed.
  write(4, "2024-05-02", {"5|NM|2024-05-02"});
  sink.reset();
  folder_.Write("out/dt=2024-05-02/leat-0123456789ab-000000000003-00000.parquet", "old");
  sink = Opened(options);
  EXPECT_EQ(folder_.Files(),
            (Names{first, "out/dt=2024-05-02/leat-0123456789ab-000000000004-00000.parquet"}));
  write(5, "2024-05-02", {});
  EXPECT_EQ(folder_.Files(), Names{first});
}

TEST_F(FileSinkTest, WhatItCannotDoIsRefused) {
  EXPECT_EQ(Refused({{"path", "out.csv"}}), "invalid value for option \"path\": \"out.csv\"");
  EXPECT_EQ(Refused({{"mode", "upsert"}, {"key", "a"}}),
            "sink \"t\": a file sink has the modes \"append\", \"replace\", \"changelog\" and "
            "\"snapshot\"");
  EXPECT_EQ(Refused({{"format", "avro"}}), "invalid value for option \"format\": \"avro\"");
  EXPECT_EQ(Refused({{"partition_by", "a, state"}}),
            "invalid value for option \"partition_by\": \"a, state\"");
}

}  // namespace
}  // namespace leat::testing
