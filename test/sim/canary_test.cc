// Whoever breaks the engine's rules is caught: each canary is a way to lose or double rows that the
// simulator must see within a few hundred seeds. The same seeds pass where nothing is broken.
#include <gtest/gtest.h>

#include "test/sim/play.h"

namespace leat::sim {
namespace {

constexpr uint64_t kSeeds = 400;

// The first complaint of any seed; "" none.
std::string Caught(const Canary& canary) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = Play(seed, {.canary = canary});
    if (!outcome.complaint.empty()) return outcome.complaint;
  }
  return "";
}

TEST(Canary, NothingIsCaughtWhereNothingIsBroken) { EXPECT_EQ(Caught({}), ""); }

TEST(Canary, TheLogIsNotSynced) { EXPECT_NE(Caught({.disk = {.unsynced = "/log"}}), ""); }

TEST(Canary, TheManifestIsRenamedBeforeTheFilesAreSynced) {
  EXPECT_NE(Caught({.disk = {.unsynced = ".state"}}), "");
}

TEST(Canary, TheManifestIsRenamedBeforeItIsSynced) {
  EXPECT_NE(Caught({.disk = {.unsynced = "manifest"}}), "");
}

TEST(Canary, DirectoriesAreNotSynced) {
  EXPECT_NE(Caught({.disk = {.directories_unsynced = true}}), "");
}

TEST(Canary, TheMarkIsWrittenOutsideTheTransaction) {
  EXPECT_NE(Caught({.sink = {.mark_apart = true}}), "");
}

TEST(Canary, ASinkIgnoresItsMark) { EXPECT_NE(Caught({.sink = {.mark_ignored = true}}), ""); }

TEST(Canary, ASourceGivesOtherRowsAgain) {
  EXPECT_NE(Caught({.source = {.rereads_other_rows = true}}), "");
}

TEST(Canary, AReplayComputesWithAnotherClock) {
  EXPECT_NE(Caught({.replays_by_another_clock = true}), "");
}

TEST(Simulator, TheSameSeedIsTheSamePlay) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome a = Play(seed, {.trace = true}), b = Play(seed, {.trace = true});
    EXPECT_FALSE(a.trace.empty());
    EXPECT_EQ(a.trace, b.trace) << "seed " << seed;
  }
}

}  // namespace
}  // namespace leat::sim
