#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "connect/connectors.h"
#include "connect/file/paths.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

using Rows = std::vector<std::string>;

// A source whose steps are made offsets again, as whoever asks for steps does.
class Stepping : public Source {
 public:
  explicit Stepping(std::unique_ptr<Source> source) : source_(std::move(source)) {
    source_->GiveSteps();
  }
  Status Seek(const Offset& offset) override {
    at_ = offset;
    return source_->Seek(offset);
  }
  Result<std::optional<Arrival>> Poll(int64_t bytes_max) override {
    LEAT_ASSIGN(auto arrival, source_->Poll(bytes_max));
    if (!arrival) return arrival;
    steps_ += arrival->step ? 1 : 0;
    LEAT_RETURN(GoOn(*arrival, &at_));
    arrival->end = at_;
    arrival->step.reset();
    return arrival;
  }
  void Follow() override { source_->Follow(); }
  bool Wait(std::chrono::milliseconds at_most) override { return source_->Wait(at_most); }
  Result<Arrival> Reread(const Offset& end) override {
    at_ = end;
    return source_->Reread(end);
  }
  Status Limit(const Offset& end) override { return source_->Limit(end); }
  int steps() const { return steps_; }

 private:
  const std::unique_ptr<Source> source_;
  Offset at_;
  int steps_ = 0;
};

class FileSourceTest : public ::testing::Test {
 protected:
  FileSourceTest() : schema_(MakeSchema("a integer, b text")) {
    relation_ = MakeRelation("t", schema_, {{"path", "*.csv"}});
  }
  Server TheServer() const {
    return {.name = "s", .kind = "file", .options = {{"url", folder_.path()}}};
  }
  std::unique_ptr<Stepping> Make() {
    auto source = MakeSource(TheServer(), relation_);
    EXPECT_TRUE(source.ok()) << source.status().message();
    return std::make_unique<Stepping>(std::move(*source));
  }
  // Everything there is now, in arrivals of about `bytes_max`.
  std::vector<Arrival> Drain(Source* source, int64_t bytes_max = 1 << 20) {
    std::vector<Arrival> arrivals;
    while (true) {
      auto arrival = source->Poll(bytes_max);
      EXPECT_TRUE(arrival.ok()) << arrival.status().message();
      if (!arrival.ok() || !*arrival) return arrivals;
      arrivals.push_back(std::move(**arrival));
    }
  }
  Rows RowsOf(const std::vector<Arrival>& arrivals) const {
    std::vector<Batch> batches;
    for (const Arrival& arrival : arrivals) batches.push_back(arrival.batch);
    return Texts(schema_, batches);
  }

  TemporaryFolder folder_;
  Offset last_;
  Schema schema_;
  Relation relation_;
};

TEST_F(FileSourceTest, ReadsFilesByNameThenLaterOnes) {
  folder_.Write("b.csv", "a,b\n3,three\n");
  folder_.Write("a.csv", "a,b\n1,one\n2,two\n");
  folder_.Write("_hidden.csv", "a,b\n9,nine\n");
  auto source = Make();
  EXPECT_EQ(RowsOf(Drain(source.get())), (Rows{"1|one", "2|two", "3|three"}));
  folder_.Write("aa.csv", "a,b\n4,four");
  EXPECT_EQ(RowsOf(Drain(source.get())), (Rows{"4|four"}));
  EXPECT_TRUE(Drain(source.get()).empty());
}

TEST_F(FileSourceTest, GoesOnFromAnyOffsetHoweverCut) {
  std::string text = "a,b\n";
  Rows expected;
  for (int i = 0; i < 500; ++i) {
    const std::string pad(3000, 'p');  // readers take some hundred KiB at once
    text += i % 7 == 3 ? fmt::format("x{},{}\n", i, pad) : fmt::format("{},\"r\n{}\"\n", i, pad);
    if (i % 7 != 3) expected.push_back(fmt::format("{}|r\n{}", i, pad));
  }
  folder_.Write("a.csv", text);
  folder_.Write("b.csv", "a,b\n1000,last");
  expected.emplace_back("1000|last");
  for (const int64_t bytes_max : {1, 100 << 10, 1 << 20}) {
    auto source = Make();
    const auto arrivals = Drain(source.get(), bytes_max);
    EXPECT_EQ(RowsOf(arrivals), expected) << bytes_max;
    // Everything after arrival i, by another source, and arrival i itself again.
    Offset before;
    const size_t step = std::max<size_t>(1, arrivals.size() / 10);
    for (size_t i = 0; i < arrivals.size(); i += step) {
      auto other = Make();
      ASSERT_TRUE(other->Seek(before).ok());
      auto again = other->Reread(arrivals[i].end);
      ASSERT_TRUE(again.ok()) << again.status().message();
      if (step == 1) {
        EXPECT_EQ(again->checksum, arrivals[i].checksum);
        EXPECT_EQ(Texts(schema_, {again->batch}), Texts(schema_, {arrivals[i].batch}));
        EXPECT_EQ(again->rejects.size(), arrivals[i].rejects.size());
      }
      EXPECT_EQ(again->end, arrivals[i].end);
      before = arrivals[i].end;
      Rows rest;
      for (const Arrival& arrival : Drain(other.get(), 100)) {
        for (auto& row : Texts(schema_, {arrival.batch})) rest.push_back(std::move(row));
      }
      Rows expected_rest;
      for (size_t j = i + 1; j < arrivals.size(); ++j) {
        for (auto& row : Texts(schema_, {arrivals[j].batch})) expected_rest.push_back(row);
      }
      EXPECT_EQ(rest, expected_rest) << bytes_max << " " << i;
    }
  }
}

TEST_F(FileSourceTest, RowsReadAreRowsGoodAndRejected) {
  folder_.Write("a.csv", "a,b\n1,one\nx,two\n3,\n");
  relation_.columns[1].column.nullable = false;
  relation_.primary_key = {0};
  auto source = Make();
  const auto arrivals = Drain(source.get());
  ASSERT_EQ(arrivals.size(), 1u);
  const Arrival& arrival = arrivals[0];
  EXPECT_EQ(arrival.rows_read, 3);
  EXPECT_EQ(RowsOf(arrivals), (Rows{"1|one"}));
  ASSERT_EQ(arrival.rejects.size(), 2u);
  EXPECT_EQ(arrival.place, "a.csv");
  EXPECT_EQ(arrival.rejects[0].reason, "invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(arrival.rejects[0].line, 3);
  EXPECT_EQ(arrival.rejects[1].reason,
            "null value in column \"b\" of relation \"t\" violates not-null constraint");
  EXPECT_EQ(arrival.rejects[1].line, 4);
  EXPECT_EQ(arrival.rejects[1].raw, "3,");
}

TEST_F(FileSourceTest, LinesGoOnAfterASeek) {
  std::string text = "a,b\n";
  constexpr int kRows = 200'000;
  for (int i = 0; i < kRows; ++i) text += "1,one\n";
  folder_.Write("a.csv", text + "x,three\n");
  auto source = Make();
  const auto first = source->Poll(1).ValueOrDie();
  ASSERT_LT(first->rows_read, kRows);
  auto other = Make();
  ASSERT_TRUE(other->Seek(first->end).ok());
  std::vector<Reject> rejects;
  for (const Arrival& arrival : Drain(other.get())) {
    EXPECT_GT(arrival.rows_read, 0);
    rejects.insert(rejects.end(), arrival.rejects.begin(), arrival.rejects.end());
  }
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].line, kRows + 2);
  EXPECT_EQ(rejects[0].row, kRows);
}

TEST_F(FileSourceTest, OnErrorFailStops) {
  folder_.Write("a.csv", "a,b\nx,two\n");
  relation_.options["on_error"] = "fail";
  const auto arrival = Make()->Poll(1 << 20);
  EXPECT_EQ(arrival.status().message(), "invalid input syntax for type integer: \"x\"");
  EXPECT_NE(FormatError(arrival.status(), "").find("\"a.csv\", line 2"), std::string::npos);
}

TEST_F(FileSourceTest, AGrowingFileIsReadFromWhereItEnded) {
  folder_.Write("a.csv", "a,b\n1,one\n");
  auto source = Make();
  Drain(source.get());
  folder_.Append("a.csv", "2,two");
  EXPECT_EQ(RowsOf(Drain(source.get())), (Rows{"2|two"}));
  folder_.Append("a.csv", "\n3,three\n");
  const auto arrivals = Drain(source.get());
  EXPECT_EQ(RowsOf(arrivals), (Rows{"3|three"}));
  EXPECT_TRUE(arrivals[0].rejects.empty());
}

TEST_F(FileSourceTest, ALastRowThatGrewIsAnError) {
  folder_.Write("a.csv", "a,b\n1,on");
  auto source = Make();
  Drain(source.get());
  folder_.Append("a.csv", "e\n");
  const auto arrival = source->Poll(1 << 20);
  EXPECT_NE(arrival.status().message().find("grew after it was read"), std::string::npos)
      << arrival.status().message();
}

TEST_F(FileSourceTest, AChangedFileStops) {
  folder_.Write("a.csv", "a,b\n1,one\n");
  auto source = Make();
  const Offset end = Drain(source.get()).back().end;
  folder_.Write("a.csv", "a,b\n1,uno, and more\n");
  const auto arrival = source->Poll(1 << 20);
  EXPECT_TRUE(arrival.status().IsIOError());
  EXPECT_EQ(arrival.status().message(),
            fmt::format("file \"{}/a.csv\" changed after it was read", folder_.path()));
  EXPECT_NE(SqlErrorOf(arrival.status())->hint.find("on_change"), std::string::npos);
  EXPECT_FALSE(Make()->Seek(end).ok());
  EXPECT_FALSE(Make()->Reread(end).ok());
  relation_.options["on_change"] = "ignore";
  auto ignoring = Make();
  ASSERT_TRUE(ignoring->Seek(end).ok());
  EXPECT_TRUE(Drain(ignoring.get()).empty());
}

TEST_F(FileSourceTest, ATouchedFileIsTheSame) {
  folder_.Write("a.csv", "a,b\n1,one\n");
  auto source = Make();
  Drain(source.get());
  std::filesystem::last_write_time(
      folder_ / "a.csv", std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(Drain(source.get()).empty());
}

TEST_F(FileSourceTest, ADeletedFileStopsUnlessIgnored) {
  folder_.Write("a.csv", "a,b\n1,one\n");
  auto source = Make();
  const Offset end = Drain(source.get()).back().end;
  std::filesystem::remove(folder_ / "a.csv");
  EXPECT_EQ(source->Poll(1 << 20).status().message(),
            fmt::format("file \"{}/a.csv\" is gone", folder_.path()));
  relation_.options["on_delete"] = "ignore";
  auto ignoring = Make();
  ASSERT_TRUE(ignoring->Seek(end).ok());
  EXPECT_TRUE(Drain(ignoring.get()).empty());
}

TEST_F(FileSourceTest, ManySmallFilesAreFewArrivals) {
  for (int i = 0; i < 200; ++i) {
    folder_.Write(fmt::format("f{:03d}.csv", i), fmt::format("a,b\n{},x\n", i));
  }
  auto source = Make();
  const auto arrivals = Drain(source.get());
  EXPECT_LE(arrivals.size(), 2u);
  EXPECT_EQ(RowsOf(arrivals).size(), 200u);
  auto other = Make();
  const auto again = other->Reread(arrivals[0].end).ValueOrDie();
  EXPECT_EQ(again.checksum, arrivals[0].checksum);
  EXPECT_EQ(again.rows_read, 200);
}

TEST_F(FileSourceTest, RejectsOfTwoFilesAreTwoArrivals) {
  folder_.Write("a.csv", "a,b\nx,1\n");
  folder_.Write("b.csv", "a,b\ny,1\n");
  auto source = Make();
  std::vector<std::string> places;
  for (const Arrival& arrival : Drain(source.get())) {
    for (size_t i = 0; i < arrival.rejects.size(); ++i) places.push_back(arrival.place);
  }
  EXPECT_EQ(places, (Rows{"a.csv", "b.csv"}));
}

TEST_F(FileSourceTest, FoldersAreColumns) {
  folder_.Write("state=NM/dt=2024-05-01/x.csv", "a\n1\n");
  folder_.Write("state=__HIVE_DEFAULT_PARTITION__/dt=2024-05-02/x.csv", "a\n2\n");
  folder_.Write("state=a%2Fb/dt=2024-05-03/x.csv", "a\n3\n");
  schema_ = MakeSchema("dt date, a integer, state text");
  relation_ = MakeRelation("t", schema_, {{"path", "**/*.csv"}, {"partition_by", "state, dt"}});
  auto source = Make();
  EXPECT_EQ(Sorted(RowsOf(Drain(source.get()))),
            (Rows{"2024-05-01|1|NM", "2024-05-02|2|\\N", "2024-05-03|3|a/b"}));
}

// By its steps, by an offset gone to, and read again: the same place in the same words.
TEST_F(FileSourceTest, EveryWayToAPlaceSaysTheSame) {
  auto source = Make();
  for (int i = 0; i < 20; ++i) {
    folder_.Write(fmt::format("{:02}.csv", i), fmt::format("a,b\n{},x\n", i));
    if (i % 5 == 4) std::ofstream(folder_ / "02.csv", std::ios::app) << i << ",more\n";
    const Offset before = i == 0 ? "" : last_;
    for (const Arrival& arrival : Drain(source.get())) last_ = arrival.end;
    auto plain = MakeSource(TheServer(), relation_).ValueOrDie();
    ASSERT_TRUE(plain->Seek(before).ok());
    const auto arrivals = Drain(plain.get());
    ASSERT_FALSE(arrivals.empty());
    EXPECT_EQ(arrivals.back().end, last_) << i;
    ASSERT_TRUE(plain->Seek(before).ok());
    ASSERT_TRUE(plain->Reread(last_).ok());
    const auto end = plain->Reread(before);  // back, where it has nothing to read
    EXPECT_TRUE(!end.ok() || end->end == before);
  }
  EXPECT_GE(source->steps(), 20);
}

TEST(FindFiles, Globs) {
  const TemporaryFolder folder;
  const auto all = {"a.csv",       "b.csv.gz",         "2024/05/x.json",   "2024/06/y.json",
                    "2024/z.json", "_leat/tmp/q.json", "2024/.hidden.json"};
  for (const char* name : all) folder.Write(name, "x");
  const auto names = [&](const std::string& pattern) {
    Rows found;
    auto files = FindFiles(folder.path(), pattern);
    if (!files.ok()) return Rows{files.status().message()};
    for (const FoundFile& file : *files) found.push_back(file.name);
    for (const char* name : all) {  // one name is matched as all are
      EXPECT_EQ(NamesFile(folder.path(), pattern, name),
                std::count(found.begin(), found.end(), name))
          << pattern << " " << name;
    }
    return found;
  };
  EXPECT_EQ(names("*.csv"), (Rows{"a.csv"}));
  EXPECT_EQ(names("[ab].csv*"), (Rows{"a.csv", "b.csv.gz"}));
  EXPECT_EQ(names("_leat/**"), (Rows{"_leat/tmp/q.json"}));
  EXPECT_EQ(names("**/tmp/*"), Rows{});
  EXPECT_EQ(names("**/0?/**"), (Rows{"2024/05/x.json", "2024/06/y.json"}));
  EXPECT_EQ(names("2024/*/?.json"), (Rows{"2024/05/x.json", "2024/06/y.json"}));
  EXPECT_EQ(names("**/*.json"), (Rows{"2024/05/x.json", "2024/06/y.json", "2024/z.json"}));
  EXPECT_EQ(names("2024/"), (Rows{"2024/05/x.json", "2024/06/y.json", "2024/z.json"}));
  EXPECT_EQ(names("2024"), names("2024/"));
  EXPECT_EQ(names("a.csv"), (Rows{"a.csv"}));
  EXPECT_EQ(names("*.nothing"), Rows{});
  EXPECT_EQ(names("c.csv"),
            (Rows{fmt::format("could not open file \"{}/c.csv\" for reading: No such file or "
                              "directory",
                              folder.path())}));
}

class FileFollowTest : public FileSourceTest {
 protected:
  std::unique_ptr<Stepping> MakeFollowing() {
    auto source = Make();
    source->Follow();
    return source;
  }
  // What comes, until there are so many rows; or what came within some seconds.
  Rows Await(Source* source, size_t rows) {
    Rows all;
    for (int i = 0; i < 100; ++i) {
      for (std::string& row : RowsOf(Drain(source))) all.push_back(std::move(row));
      if (all.size() >= rows) break;
      source->Wait(std::chrono::milliseconds(100));
    }
    return all;
  }
};

TEST_F(FileFollowTest, AFileIsReadWhenItIsWholeWhateverItIsCalled) {
  folder_.Write("a.csv", "a,b\n1,one\n");
  auto source = MakeFollowing();
  EXPECT_EQ(Await(source.get(), 1), (Rows{"1|one"}));
  {
    std::ofstream writer(folder_ / "b.csv");
    writer << "a,b\n2,two\n3,th" << std::flush;
    EXPECT_FALSE(source->Wait(std::chrono::milliseconds(0)) && !Drain(source.get()).empty());
    EXPECT_TRUE(Drain(source.get()).empty());
    folder_.Write("d.part", "a,b\n4,four\n");
    std::filesystem::rename(folder_ / "d.part", folder_ / "d.csv");
    EXPECT_EQ(Await(source.get(), 1), (Rows{"4|four"}));
    EXPECT_TRUE(Drain(source.get()).empty());
    writer << "ree\n";
  }
  EXPECT_EQ(Await(source.get(), 2), (Rows{"2|two", "3|three"}));
}

TEST_F(FileFollowTest, FoldersThatAreMadeLaterAreWatchedToo) {
  relation_.options["path"] = "**/*.csv";
  auto source = MakeFollowing();
  EXPECT_TRUE(Drain(source.get()).empty());
  folder_.Write("2024/05/a.csv", "a,b\n1,one\n");
  EXPECT_EQ(Await(source.get(), 1), (Rows{"1|one"}));
  folder_.Write("2024/05/b.csv", "a,b\n2,two\n");
  EXPECT_EQ(Await(source.get(), 1), (Rows{"2|two"}));
}

TEST_F(FileFollowTest, ALogIsReadRowByRowAndNeverHalfARow) {
  relation_.options["tail"] = "true";
  std::ofstream writer(folder_ / "a.csv");
  writer << "a,b" << std::flush;
  auto source = MakeFollowing();
  Rows expected, got;
  std::string text = "\n";
  for (int i = 0; i < 50; ++i) {
    text += i % 3 == 0 ? fmt::format("{0},\"r\n\"\"{0}\"\n", i) : fmt::format("{0},r{0}\n", i);
    expected.push_back(i % 3 == 0 ? fmt::format("{0}|r\n\"{0}", i) : fmt::format("{0}|r{0}", i));
  }
  std::vector<Offset> ends;
  for (const char c : text) {
    writer << c << std::flush;
    for (const Arrival& arrival : Drain(source.get())) {
      for (std::string& row : Texts(schema_, {arrival.batch})) got.push_back(std::move(row));
      EXPECT_TRUE(arrival.rejects.empty());
      if (arrival.batch.rows > 0) ends.push_back(arrival.end);
    }
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(ends.size(), 50u);
  // After a crash, in the middle.
  auto other = MakeFollowing();
  ASSERT_TRUE(other->Seek(ends[24]).ok());
  EXPECT_EQ(RowsOf(Drain(other.get())), Rows(expected.begin() + 25, expected.end()));
}

TEST_F(FileFollowTest, ALogOfJsonToo) {
  relation_.options["tail"] = "true";
  relation_.options["path"] = "*.ndjson";
  std::ofstream writer(folder_ / "a.ndjson");
  auto source = MakeFollowing();
  writer << "{\"a\": 1, \"b\": \"one\"}\n{\"a\": 2, \"b" << std::flush;
  EXPECT_EQ(Await(source.get(), 1), (Rows{"1|one"}));
  EXPECT_TRUE(Drain(source.get()).empty());
  writer << "\": \"two\"}\n" << std::flush;
  EXPECT_EQ(Await(source.get(), 1), (Rows{"2|two"}));
}

}  // namespace
}  // namespace leat::testing
