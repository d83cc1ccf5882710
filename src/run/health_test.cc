// How long trouble lasts: until something came of the work, not until it was taken up again.
#include "run/health.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

const ManualClock kClock(7);

Health HealthFor(Micros degraded_max) {
  return Health({.degraded_max = degraded_max, .clock = &kClock, .random = [] { return 0; }});
}

// A database that opens but whose every commit fails: each pause is longer, and there is an end.
TEST(Health, WorkThatIsTakenUpIsStillInTrouble) {
  Health health = HealthFor(1'000'000);
  ASSERT_TRUE(health.Fail(Status::IOError("locked"), 0));
  const Micros first = health.retry_at();
  health.Resume();
  EXPECT_FALSE(health.degraded());
  EXPECT_TRUE(health.troubled());
  EXPECT_EQ(health.reason(), "locked");
  EXPECT_EQ(health.degraded_since(), 7);
  ASSERT_TRUE(health.Fail(Status::IOError("locked"), 500'000));
  EXPECT_GT(health.retry_at() - 500'000, first);
  health.Resume();
  EXPECT_FALSE(health.Fail(Status::IOError("locked"), 1'000'000));
}

TEST(Health, RecoveringEndsTheTrouble) {
  Health health = HealthFor(1'000'000);
  ASSERT_TRUE(health.Fail(Status::IOError("locked"), 0));
  health.Resume();
  health.Recover();
  EXPECT_FALSE(health.troubled());
  EXPECT_EQ(health.reason(), "");
  EXPECT_TRUE(health.Fail(Status::IOError("locked"), 2'000'000));
}

}  // namespace
}  // namespace leat
