// What a sink remembers against what a state expects: each misfit is refused with its way out.
#include "run/marks.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

const MarkExpected kExpected{.sink = "daily", .state = "me", .low = 5, .high = 9};

std::string Told(const std::optional<Mark>& mark, const MarkExpected& expected = kExpected) {
  const Status status = CheckMark(expected, mark);
  return status.ok() ? "" : status.message();
}
std::string HintOf(const std::optional<Mark>& mark) {
  const Status status = CheckMark(kExpected, mark);
  const SqlError* error = SqlErrorOf(status);
  return error == nullptr ? "" : error->hint;
}
Mark At(int64_t epoch, const char* state = "me") { return {.state = state, .epoch = epoch}; }

TEST(Marks, OneBetweenTheCheckpointAndTheLogsEndFits) {
  EXPECT_EQ(Told(At(5)), "");
  EXPECT_EQ(Told(At(9)), "");
}

TEST(Marks, ANewStateNeedsNone) {
  EXPECT_EQ(Told(std::nullopt, {.sink = "daily", .state = "me"}), "");
}

TEST(Marks, EachMisfitIsNamedWithItsWayOut) {
  EXPECT_EQ(Told(std::nullopt), "the target of sink \"daily\" has lost its mark");
  EXPECT_EQ(Told(At(4)), "the target of sink \"daily\" was put back to an earlier time");
  EXPECT_EQ(Told(At(10)), "the target of sink \"daily\" is ahead of the state");
  EXPECT_EQ(Told(At(7, "you")), "the target of sink \"daily\" belongs to another state");
  EXPECT_NE(HintOf(std::nullopt).find("--rebuild daily"), std::string::npos);
  EXPECT_NE(HintOf(At(4)).find("--rebuild daily"), std::string::npos);
  EXPECT_NE(HintOf(At(10)).find("--rebuild daily"), std::string::npos);
  EXPECT_NE(HintOf(At(7, "you")).find("--adopt"), std::string::npos);
}

}  // namespace
}  // namespace leat
