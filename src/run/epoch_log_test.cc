#include "run/epoch_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace leat {
namespace {

class EpochLogTest : public testing::Test {
 protected:
  EpochLogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-log-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/log";
  }
  ~EpochLogTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<EpochLog> Open() { return EpochLog::Open(PosixFileSystem(), path_).ValueOrDie(); }
  int64_t size() const { return static_cast<int64_t>(std::filesystem::file_size(path_)); }

  static LogRecord Record(int64_t number) {
    LogRecord record{.epoch = {.number = number, .clock = 1000 * number}};
    for (int64_t i = 0; i < number; ++i) {
      record.ranges.push_back({.source = static_cast<int32_t>(i),
                               .end = std::string(static_cast<size_t>(i), 'x'),
                               .rows_read = 10 * i,
                               .rows_used = 9 * i,
                               .first_seq = 7 * i,
                               .checksum = 0xFEDCBA9876543210u});
    }
    return record;
  }

  std::string directory_, path_;
};

TEST_F(EpochLogTest, GivesBackWhatWasAppended) {
  {
    auto log = Open();
    for (int64_t n = 1; n <= 4; ++n) ASSERT_TRUE(log->Append(Record(n)).ok());
    ASSERT_TRUE(log->Sync().ok());
  }
  const auto log = Open();
  ASSERT_EQ(log->records().size(), 4u);
  EXPECT_EQ(log->records()[3].epoch.number, 4);
  EXPECT_EQ(log->records()[3].epoch.clock, 4000);
  ASSERT_EQ(log->records()[3].ranges.size(), 4u);
  const LogRange& range = log->records()[3].ranges[3];
  EXPECT_EQ(range.end, "xxx");
  EXPECT_EQ(range.rows_used, 27);
  EXPECT_EQ(range.checksum, 0xFEDCBA9876543210u);
}

// A crash may cut the file anywhere: the whole records before the cut survive, and new ones follow.
TEST_F(EpochLogTest, ATornTailIsDroppedWhereverItIsTorn) {
  ASSERT_TRUE(Open()->Append(Record(1)).ok());
  const int64_t one = size();
  ASSERT_TRUE(Open()->Append(Record(2)).ok());
  const int64_t two = size();
  for (int64_t cut = two - 1; cut >= one; --cut) {
    ASSERT_TRUE(PosixFileSystem()->Truncate(path_, cut).ok());
    EXPECT_EQ(Open()->records().size(), 1u) << "cut at " << cut;
    EXPECT_EQ(size(), one);
    ASSERT_TRUE(Open()->Append(Record(2)).ok());
    EXPECT_EQ(Open()->records().size(), 2u);
  }
}

TEST_F(EpochLogTest, ADamagedRecordEndsTheLog) {
  ASSERT_TRUE(Open()->Append(Record(1)).ok());
  const int64_t one = size();
  ASSERT_TRUE(Open()->Append(Record(2)).ok());
  std::filesystem::resize_file(path_, static_cast<size_t>(one + 20));
  ASSERT_TRUE(
      PosixFileSystem()->OpenAppend(path_).ValueOrDie()->Append(std::string(200, 'z')).ok());
  EXPECT_EQ(Open()->records().size(), 1u);
}

TEST_F(EpochLogTest, ClearStartsOver) {
  auto log = Open();
  ASSERT_TRUE(log->Append(Record(1)).ok());
  ASSERT_TRUE(log->Clear().ok());
  ASSERT_TRUE(log->Append(Record(2)).ok());
  const auto again = Open();
  ASSERT_EQ(again->records().size(), 1u);
  EXPECT_EQ(again->records()[0].epoch.number, 2);
}

}  // namespace
}  // namespace leat
