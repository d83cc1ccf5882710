// What a file source gave is given again, byte for byte, by any later one: the law that replay
// after a crash stands on.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "connect/connectors.h"
#include "connect/testing.h"
#include "format/format.h"

namespace leat::testing {
namespace {

using Rows = std::vector<std::string>;

class ReplayTest : public ::testing::TestWithParam<std::string> {
 protected:
  ReplayTest() : written_(MakeSchema("a text, b text")), read_(MakeSchema("a integer, b text")) {
    if (Extension() == "parquet") written_ = MakeSchema("a integer, b text");
    relation_ = MakeRelation("t", read_, {{"path", "*." + Extension()}});
    relation_.columns[1].column.nullable = false;
  }
  static std::string Extension() { return GetParam(); }

  // Some rows of which a seventh is refused, in one file.
  void WriteFile(const std::string& name, int rows) {
    const bool packed = Extension().ends_with(".gz");
    std::map<std::string, std::string> options;
    if (Extension() == "parquet") options["row_group_rows"] = "700";
    if (packed) options["compression"] = "gzip";
    const std::string format = Extension().substr(0, Extension().find('.'));
    auto writer = CreateFile(folder_ / (name + "." + Extension()), format, written_, options);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    Rows lines;
    for (int i = 0; i < rows; ++i) {
      const bool wrong = random_() % 21 == 0 && Extension() != "parquet";
      const bool null = random_() % 21 == 0;
      const std::string text = null ? "\\N" : std::string(random_() % 90, 'p');
      lines.push_back(fmt::format("{}{}|{}", wrong ? "x" : "", random_() % 100'000, text));
    }
    ASSERT_TRUE((*writer)->Write(MakeRows(written_, lines)).ok());
    ASSERT_TRUE((*writer)->Close().ok());
  }
  std::unique_ptr<Source> Make() {
    auto source =
        MakeSource({.name = "s", .kind = "file", .options = {{"url", folder_.path()}}}, relation_);
    EXPECT_TRUE(source.ok()) << source.status().message();
    return std::move(*source);
  }
  int64_t RandomBytes() {
    return 1 + static_cast<int64_t>(random_() % (random_() % 2 ? 900 : 90'000));
  }

  void DrainInto(Source* source, std::vector<Arrival>* arrivals) {
    while (true) {
      auto arrival = source->Poll(RandomBytes());
      ASSERT_TRUE(arrival.ok()) << arrival.status().message();
      if (!*arrival) return;
      arrivals->push_back(std::move(**arrival));
    }
  }
  // Files found at once, and later ones with smaller names.
  void ReadEverything() {
    source_ = Make();
    WriteFile("m", 1500);
    WriteFile("n", 0);
    WriteFile("o", 3);
    DrainInto(source_.get(), &arrivals_);
    WriteFile("a", 400);
    WriteFile("p", 1);
    DrainInto(source_.get(), &arrivals_);
    ASSERT_GT(arrivals_.size(), 2u);
  }
  Rows RowsOf(size_t begin, size_t end) const {
    Rows rows;
    for (size_t i = begin; i < end; ++i) {
      for (auto& row : Texts(read_, {arrivals_[i].batch})) rows.push_back(std::move(row));
    }
    return rows;
  }
  Rows Rest(Source* source) {
    std::vector<Arrival> rest;
    DrainInto(source, &rest);
    Rows rows;
    for (const Arrival& arrival : rest) {
      for (auto& row : Texts(read_, {arrival.batch})) rows.push_back(std::move(row));
    }
    return rows;
  }

  std::mt19937 random_{20260};
  TemporaryFolder folder_;
  Schema written_, read_;
  Relation relation_;
  std::unique_ptr<Source> source_;
  std::vector<Arrival> arrivals_;
};

TEST_P(ReplayTest, ARereadIsThePoll) {
  ReadEverything();
  int64_t rows_read = 0;
  for (const Arrival& arrival : arrivals_) {
    rows_read += arrival.rows_read;
    ASSERT_EQ(arrival.rows_read, arrival.batch.rows + static_cast<int64_t>(arrival.rejects.size()));
  }
  EXPECT_EQ(rows_read, 1904);
  for (int round = 0; round < 12; ++round) {
    size_t at = round == 0 ? 0 : random_() % arrivals_.size();
    const size_t stop = round == 0 ? arrivals_.size() : at + random_() % (arrivals_.size() - at);
    auto source = Make();
    ASSERT_TRUE(source->Seek(at == 0 ? "" : arrivals_[at - 1].end).ok());
    for (; at < stop; ++at) {
      const Arrival& then = arrivals_[at];
      auto now = source->Reread(then.end);
      ASSERT_TRUE(now.ok()) << now.status().message();
      ASSERT_EQ(now->checksum, then.checksum) << at;
      ASSERT_EQ(now->rows_read, then.rows_read);
      ASSERT_EQ(Texts(read_, {now->batch}), Texts(read_, {then.batch}));
      ASSERT_EQ(now->end, then.end);
      ASSERT_EQ(now->rejects.size(), then.rejects.size());
      if (!then.rejects.empty()) {
        ASSERT_EQ(now->place, then.place);
        ASSERT_EQ(now->rejects.back().line, then.rejects.back().line);
        ASSERT_EQ(now->rejects.back().row, then.rejects.back().row);
      }
    }
    // Then on as if nothing had happened.
    if (round % 3 == 0) {
      EXPECT_EQ(Rest(source.get()), RowsOf(at, arrivals_.size()));
    }
  }
}

TEST_P(ReplayTest, ALimitIsTheEndOfTheWorld) {
  ReadEverything();
  WriteFile("z", 50);
  for (size_t at = 0; at < arrivals_.size(); at += 1 + arrivals_.size() / 6) {
    auto source = Make();
    ASSERT_TRUE(source->Seek("").ok());
    const Status limited = source->Limit(arrivals_[at].end);
    ASSERT_TRUE(limited.ok()) << limited.message();
    EXPECT_EQ(Rest(source.get()), RowsOf(0, at + 1)) << at;
  }
  auto source = Make();
  ASSERT_TRUE(source->Seek("").ok());
  ASSERT_TRUE(source->Limit("").ok());
  EXPECT_EQ(Rest(source.get()), Rows{});
}

std::string FormatName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Formats, ReplayTest,
                         ::testing::Values("csv", "csv.gz", "ndjson", "ndjson.gz", "parquet"),
                         FormatName);

}  // namespace
}  // namespace leat::testing
