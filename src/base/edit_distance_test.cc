#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(EditDistance, CountsTheFewestEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("temp_mx", "temp_max"), 1u);
  EXPECT_EQ(EditDistance("ab", "ba"), 2u);  // a transposition is two
}

}  // namespace
}  // namespace leat
