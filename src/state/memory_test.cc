#include "state/memory.h"

#include <gtest/gtest.h>

#include "state/memory_store.h"

namespace leat {
namespace {

constexpr int64_t kLimit = 1 << 20;

// The resident set is what the test says.
class MemoryTest : public testing::Test {
 protected:
  using Pressure = StateMemory::Pressure;

  MemoryStore store_;
  int64_t resident_ = 0;
  StateMemory memory_{
      {.limit = kLimit, .files = &store_, .resident = [this] { return resident_; }}};
};

TEST_F(MemoryTest, TheGreatestHolderIsAskedFirst) {
  MemoryAccount small(&memory_), great(&memory_);
  small.Set(kLimit / 8);
  great.Set(kLimit / 4);
  EXPECT_EQ(memory_.Check(), Pressure::kNone);
  EXPECT_FALSE(great.asked());
  resident_ = kLimit / 100 * 80;
  EXPECT_EQ(memory_.Check(), Pressure::kSoft);
  EXPECT_TRUE(great.asked());
  EXPECT_FALSE(small.asked());
  resident_ = kLimit / 100 * 95;
  EXPECT_EQ(memory_.Check(), Pressure::kHard);
}

// Where other things take the memory, little state is not written out again and again.
TEST_F(MemoryTest, LittleStateIsNotHurried) {
  MemoryAccount only(&memory_);
  only.Set(kLimit / 32);
  resident_ = 2 * kLimit;
  EXPECT_EQ(memory_.Check(), Pressure::kSoft);
  only.Set(kLimit / 8);
  EXPECT_EQ(memory_.Check(), Pressure::kHard);
}

// An operator that gets no rows is never asked what it was asked: the others are not to wait for
// it.
TEST_F(MemoryTest, OneThatDoesNotAnswerKeepsNobodyFromBeingAsked) {
  MemoryAccount working(&memory_), idle(&memory_);
  working.Set(kLimit / 8);
  idle.Set(kLimit / 4);
  resident_ = kLimit / 100 * 80;
  static_cast<void>(memory_.Check());
  ASSERT_TRUE(idle.asked());
  ASSERT_FALSE(working.asked());
  for (int i = 0; i < 1000 && !working.asked(); ++i) static_cast<void>(memory_.Check());
  EXPECT_TRUE(working.asked());
}

// Two shards of an aggregate do not each take what one of them alone could.
TEST_F(MemoryTest, TablesShareTheirPart) {
  using Kind = MemoryAccount::Kind;
  MemoryAccount one(&memory_, Kind::kTable), other(&memory_, Kind::kTable), runs(&memory_);
  runs.Set(kLimit);
  one.Set(kLimit / 100 * 25);
  EXPECT_FALSE(memory_.TableTooLarge(one.bytes()));
  other.Set(kLimit / 100 * 10);
  EXPECT_TRUE(memory_.TableTooLarge(one.bytes()));
  EXPECT_FALSE(memory_.TableTooLarge(other.bytes()));
  EXPECT_FALSE(memory_.TableTooLarge(one.bytes() / 2));  // it has room for new groups
  one.Set(0);
  other.Set(kLimit / 100 * 25);
  EXPECT_FALSE(memory_.TableTooLarge(other.bytes()));
}

}  // namespace
}  // namespace leat
