#include "connect/file/offset.h"

#include <gtest/gtest.h>

#include <random>

namespace leat {
namespace {

FileState RandomFile(std::mt19937* random) {
  const auto number = static_cast<int64_t>((*random)());
  return {.name = std::string((*random)() % 5, 'n') + "\"\n.csv",
          .size = number,
          .modified = number >> ((*random)() % 30),
          .fingerprint = (*random)(),
          .done = number % 1000,
          .rows = number % 17,
          .lines = 1 + number % 18,
          .complete = number % 2 == 0,
          .earlier = number % 3 == 0 ? 2 : 0};
}

TEST(Offset, IsWhatItSays) {
  std::mt19937 random(1);
  std::vector<FileState> files;
  for (int count = 0; count < 5; ++count) {
    const auto decoded = DecodeOffset(EncodeOffset(files));
    ASSERT_TRUE(decoded.ok()) << decoded.status().message();
    EXPECT_EQ(*decoded, files);
    files.push_back(RandomFile(&random));
  }
  EXPECT_FALSE(DecodeOffset(EncodeOffset(files) + "x").ok());
}

// Whatever changes, the steps lead from each text to the next one, and the rest of an offset is
// where it differs.
TEST(OffsetText, StepsLeadToTheTextOfTheFiles) {
  std::mt19937 random(2);
  std::vector<FileState> files;
  OffsetText text;
  Offset at;
  for (int round = 0; round < 3000; ++round) {
    const Offset before = at;
    for (size_t changes = random() % 4; changes > 0; --changes) {
      const size_t place = random() % (files.size() + 1);
      if (place == files.size()) {
        files.push_back(RandomFile(&random));
      } else if (random() % 20 == 0) {
        files.resize(place);
      } else {
        files[place] = RandomFile(&random);
      }
      text.Changed(place);
    }
    ASSERT_TRUE(GoOn(text.Step(files), &at).ok());
    ASSERT_EQ(at, EncodeOffset(files)) << "round " << round;
    ASSERT_EQ(at, text.text());

    size_t place = 0;
    const auto rest = text.DecodeRest(before, &place);
    const auto all = DecodeOffset(before);
    ASSERT_TRUE(rest.ok() && all.ok());
    ASSERT_EQ(place + rest->size(), all->size());
    for (size_t i = 0; i < all->size(); ++i) {
      ASSERT_EQ((*all)[i], i < place ? files[i] : (*rest)[i - place]) << "round " << round;
    }
    OffsetStep step = StepTo(at, before);
    Offset again = before;
    ASSERT_TRUE(GoOn(step, &again).ok());
    EXPECT_EQ(again, at);
  }
  EXPECT_FALSE(GoOn(OffsetStep{.front = 3, .back = at.size()}, &at).ok());
}

// An arrival from the last of many files costs what it changed, not all that was ever read.
TEST(OffsetText, AStepIsAsLongAsWhatChanged) {
  std::mt19937 random(3);
  std::vector<FileState> files;
  for (int i = 0; i < 1000; ++i) files.push_back(RandomFile(&random));
  OffsetText text;
  text.Reset(files);
  files.back().done += 1;
  text.Changed(files.size() - 1);
  EXPECT_LT(text.Step(files).between.size(), 300u);
  files.push_back(RandomFile(&random));
  text.Changed(files.size() - 1);
  EXPECT_LT(text.Step(files).between.size(), 300u);
}

}  // namespace
}  // namespace leat
