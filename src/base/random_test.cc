#include "base/random.h"

#include <gtest/gtest.h>

#include <array>

namespace leat {
namespace {

TEST(RandomTest, IsTheSameEverywhere) {
  // The first numbers of Vigna's splitmix64.c from seed 1234567.
  Random random(1234567);
  EXPECT_EQ(random(), 6457827717110365317U);
  EXPECT_EQ(random(), 3203168211198807973U);
  EXPECT_EQ(random(), 9817491932198370423U);
}

TEST(RandomTest, FillsItsRange) {
  Random random(1);
  std::array<int, 10> counts{};
  for (int i = 0; i < 10000; ++i) ++counts[random.Below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
  for (int i = 0; i < 1000; ++i) {
    const double unit = random.Unit();
    EXPECT_TRUE(unit >= 0 && unit < 1);
  }
  EXPECT_NE(random.Fork()(), random.Fork()());
}

}  // namespace
}  // namespace leat
