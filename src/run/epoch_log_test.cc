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
  }
  ~EpochLogTest() override { std::filesystem::remove_all(directory_); }

  Result<std::unique_ptr<EpochLog>> TryOpen(int64_t after = 0, const char* state = "s") {
    return EpochLog::Open(PosixFileSystem(), directory_, state, after);
  }
  std::unique_ptr<EpochLog> Open(int64_t after = 0, const char* state = "s") {
    return TryOpen(after, state).ValueOrDie();
  }
  std::string Segment(int64_t number) const {
    return directory_ + "/log-" + std::to_string(number);
  }
  int64_t SizeOf(int64_t segment) const {
    return static_cast<int64_t>(std::filesystem::file_size(Segment(segment)));
  }
  std::vector<int64_t> Numbers(int64_t after = 0) {
    std::vector<int64_t> numbers;
    const auto log = Open(after);
    for (const LogRecord& record : log->records()) numbers.push_back(record.epoch.number);
    return numbers;
  }

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

  std::string directory_;
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

TEST_F(EpochLogTest, AnOffsetThatChangesLittleTakesLittleRoom) {
  const auto offset = [](int64_t n) {
    return std::string(100'000, 'a') + std::to_string(n) + std::string(n % 3, 'a') + "b";
  };
  {
    auto log = Open();
    for (int64_t n = 1; n <= 100; ++n) {
      if (n == 50) {
        ASSERT_TRUE(log->Roll().ok());
      }
      LogRecord record{.epoch = {.number = n}};
      record.ranges = {{.source = 1, .end = offset(n)}, {.source = 0, .end = ""}};
      record.ranges.push_back({.source = 1, .end = offset(n + 1000)});
      ASSERT_TRUE(log->Append(record).ok());
    }
  }
  EXPECT_LT(SizeOf(1) + SizeOf(2), 250'000);
  const auto log = Open();
  ASSERT_EQ(log->records().size(), 100u);
  std::map<int32_t, Offset> ends;
  for (const LogRecord& record : log->records()) {
    for (const LogRange& range : record.ranges) {
      ASSERT_TRUE(GoOn(range, &ends[range.source]).ok());
      if (&range == &record.ranges[0]) {
        EXPECT_EQ(ends[1], offset(record.epoch.number));
      }
    }
    EXPECT_EQ(ends[0], "");
    EXPECT_EQ(ends[1], offset(record.epoch.number + 1000));
  }
}

// Steps are kept as steps: a log of a folder of many files is not read into as many whole offsets.
// After a checkpoint, and in a new file, the first one is whole.
TEST_F(EpochLogTest, StepsLeadToTheSameOffsets) {
  const auto offset = [](int64_t n) { return std::string(1000, 'a') + std::to_string(n) + "]"; };
  {
    auto log = Open();
    Offset at;
    int64_t file = 0;
    for (int64_t n = 1; n <= 30; ++n) {
      if (n % 10 == 0) {
        ASSERT_TRUE(log->Roll().ok());
        // Files are named anew when all are gone: what a name had says nothing.
        if (n == 10) {
          ASSERT_TRUE(log->DropRolled().ok());
        }
      }
      LogRecord record{.epoch = {.number = n}};
      LogRange range{.source = 2};
      if (file == log->generation()) {
        range.step = StepTo(offset(n), at);
      } else {
        range.end = offset(n);
      }
      file = log->generation();
      at = offset(n);
      record.ranges.push_back(std::move(range));
      ASSERT_TRUE(log->Append(record).ok());
      EXPECT_EQ(log->generation(), file);
    }
    ASSERT_TRUE(log->Sync().ok());
  }
  for (const int64_t after : {9, 14}) {
    for (int time = 0; time < 2; ++time) {
      const auto log = Open(after);
      ASSERT_EQ(log->records().size(), static_cast<size_t>(30 - after));
      Offset at = "elsewhere";
      size_t whole = 0;
      for (const LogRecord& record : log->records()) {
        whole += record.ranges[0].step ? 0 : 1;
        ASSERT_TRUE(GoOn(record.ranges[0], &at).ok());
        EXPECT_EQ(at, offset(record.epoch.number));
      }
      EXPECT_LE(whole, 4u);
      ASSERT_TRUE(log->WriteAnew().ok());  // … and once more, as written anew
    }
  }
}

// A crash may cut the file anywhere: the whole records before the cut survive, and new ones follow.
TEST_F(EpochLogTest, ATornTailIsPassedOverWhereverItIsTorn) {
  int64_t one = 0, two = 0;
  {
    auto log = Open();
    ASSERT_TRUE(log->Append(Record(1)).ok());
    one = SizeOf(1);
    ASSERT_TRUE(log->Append(Record(2)).ok());
    two = SizeOf(1);
  }
  for (int64_t cut = two - 1; cut >= one; --cut) {
    ASSERT_TRUE(PosixFileSystem()->Truncate(Segment(1), cut).ok());
    EXPECT_EQ(Numbers(), (std::vector<int64_t>{1})) << "cut at " << cut;
    ASSERT_TRUE(Open()->Append(Record(2)).ok());
    EXPECT_EQ(Numbers(), (std::vector<int64_t>{1, 2}));
    std::filesystem::remove(Segment(2));
  }
}

TEST_F(EpochLogTest, ADamagedRecordEndsItsFile) {
  int64_t one = 0;
  {
    auto log = Open();
    ASSERT_TRUE(log->Append(Record(1)).ok());
    one = SizeOf(1);
    ASSERT_TRUE(log->Append(Record(2)).ok());
  }
  std::filesystem::resize_file(Segment(1), static_cast<size_t>(one + 20));
  ASSERT_TRUE(
      PosixFileSystem()->OpenAppend(Segment(1)).ValueOrDie()->Append(std::string(200, 'z')).ok());
  EXPECT_EQ(Numbers(), (std::vector<int64_t>{1}));
}

TEST_F(EpochLogTest, ACheckpointDropsTheFilesBeforeIt) {
  auto log = Open();
  ASSERT_TRUE(log->Append(Record(1)).ok());
  ASSERT_TRUE(log->Append(Record(2)).ok());
  ASSERT_TRUE(log->Roll().ok());
  ASSERT_TRUE(log->Append(Record(3)).ok());
  EXPECT_EQ(Numbers(), (std::vector<int64_t>{1, 2, 3}));  // the checkpoint is not yet made
  ASSERT_TRUE(log->DropRolled().ok());
  EXPECT_FALSE(std::filesystem::exists(Segment(1)));
  EXPECT_EQ(log->bytes(), SizeOf(2));
  EXPECT_EQ(Numbers(2), (std::vector<int64_t>{3}));
}

TEST_F(EpochLogTest, WhatWasReadAnewVoidsWhatWasReadBefore) {
  for (const int64_t first : {1, 2}) {
    auto log = Open();
    for (int64_t n = first; n <= 3; ++n) {
      LogRecord record = Record(n);
      record.epoch.clock += first;
      ASSERT_TRUE(log->Append(record).ok());
    }
  }
  const auto log = Open();
  ASSERT_EQ(log->records().size(), 3u);
  EXPECT_EQ(log->records()[0].epoch.clock, 1001);
  EXPECT_EQ(log->records()[1].epoch.clock, 2002);
}

TEST_F(EpochLogTest, AHoleIsRefusedButNotBeforeTheCheckpoint) {
  ASSERT_TRUE(Open()->Append(Record(3)).ok());  // came back after a power cut
  {
    auto log = Open(6);
    ASSERT_TRUE(log->Append(Record(7)).ok());
    ASSERT_TRUE(log->Append(Record(9)).ok());
  }
  EXPECT_EQ(TryOpen(6).status().message(),
            "the log in \"" + directory_ + "\" is damaged: epoch 7 is followed by epoch 9");
  EXPECT_EQ(Numbers(8), (std::vector<int64_t>{9}));
}

TEST_F(EpochLogTest, ARecordOfAnotherStateSaysNothing) {
  ASSERT_TRUE(Open(0, "another")->Append(Record(1)).ok());
  EXPECT_TRUE(Numbers().empty());
  ASSERT_TRUE(EpochLog::Remove(PosixFileSystem(), directory_).ok());
  EXPECT_FALSE(std::filesystem::exists(Segment(1)));
}

}  // namespace
}  // namespace leat
