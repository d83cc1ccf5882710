#include "serve/health.h"

#include <gtest/gtest.h>

#include <set>

#include "serve/live_json.h"

namespace leat {
namespace {

constexpr Micros kSecond = 1'000'000, kNow = 1'700'000'000 * kSecond;

LiveStatus Well() {
  LiveStatus status{.state = "s", .started = kNow - 100 * kSecond, .now = kNow - kSecond};
  status.epoch = status.committed_epoch = 7;
  status.sources.push_back({.name = "orders", .state = WorkerState::kRunning});
  status.sinks.push_back({.name = "daily", .state = WorkerState::kRunning, .epoch = 7});
  return status;
}

std::vector<std::string> CodesOf(const LiveStatus& status, Micros now = kNow) {
  std::vector<std::string> codes;
  for (const HealthReason& reason : Diagnose(status, now)) {
    codes.push_back(std::string(reason.code) + (reason.of.empty() ? "" : " " + reason.of));
  }
  return codes;
}

using Codes = std::vector<std::string>;

TEST(Health, WellWhenAllGoesOn) {
  EXPECT_EQ(CodesOf(Well()), Codes());
  LiveStatus drained = Well();
  drained.sources[0].state = drained.sinks[0].state = WorkerState::kDrained;
  EXPECT_EQ(CodesOf(drained), Codes());
}

TEST(Health, NothingIsKnownBeforeTheFirstWord) {
  EXPECT_EQ(CodesOf(LiveStatus()), Codes({"starting"}));
  LiveStatus opening = Well();
  opening.sinks[0].state = WorkerState::kStarting;
  EXPECT_EQ(CodesOf(opening), Codes({"starting daily"}));
}

TEST(Health, WhatIsRetriedIsNotRunning) {
  LiveStatus status = Well();
  status.sources[0].state = status.sinks[0].state = WorkerState::kDegraded;
  status.sinks[0].reason = "database is locked";
  status.sinks[0].degraded_since = kNow - 5 * kSecond;
  EXPECT_EQ(CodesOf(status), Codes({"source_degraded orders", "sink_degraded daily"}));
  const std::string json = HealthJson(status, Diagnose(status, kNow));
  EXPECT_NE(json.find(R"("healthy":false)"), json.npos);
  EXPECT_NE(json.find(R"("since":"2023-11-14T22:13:15Z","text":"database is locked")"), json.npos)
      << json;
}

TEST(Health, AnEngineThatSaysNothingIsNotWell) {
  EXPECT_EQ(CodesOf(Well(), kNow + 29 * kSecond), Codes());
  EXPECT_EQ(CodesOf(Well(), kNow + 30 * kSecond), Codes({"engine_silent"}));
}

TEST(Health, ACommitThatIsLateIsNotWell) {
  LiveStatus status = Well();
  status.sinks[0].outbox_bytes = 100;
  status.sinks[0].committed_at = kNow - 3600 * kSecond;
  status.sinks[0].commit_due = kNow + 60 * kSecond;  // its rules let it wait
  EXPECT_EQ(CodesOf(status), Codes());
  status.sinks[0].commit_due = kNow - 30 * kSecond;
  EXPECT_EQ(CodesOf(status), Codes());
  status.sinks[0].commit_due = kNow - 31 * kSecond;
  EXPECT_EQ(CodesOf(status), Codes({"commit_stalled daily"}));
}

TEST(Health, ASourceThatDoesNotReadIsNotWell) {
  LiveStatus status = Well();
  status.sources[0].lag_bytes = 17;
  status.sources[0].last_row = kNow - 60 * kSecond;
  EXPECT_EQ(CodesOf(status), Codes());
  status.sources[0].last_row = kNow - 61 * kSecond;
  EXPECT_EQ(CodesOf(status), Codes({"source_stalled orders"}));
}

TEST(Health, EveryCodeIsDocumented) {
  std::set<std::string_view> documented;
  for (const HealthCode& code : HealthCodes()) {
    EXPECT_TRUE(documented.insert(code.code).second) << code.code;
    EXPECT_FALSE(code.meaning.empty() || code.remedy.empty());
  }
  LiveStatus ill = Well();
  ill.now = kNow - 100 * kSecond;
  ill.reason = "disk full";
  ill.sources = {{.name = "a"},
                 {.name = "b", .state = WorkerState::kStopped},
                 {.name = "c", .state = WorkerState::kDegraded},
                 {.name = "d", .state = WorkerState::kRunning, .lag_bytes = 1}};
  ill.sinks = {{.name = "e", .state = WorkerState::kDegraded},
               {.name = "f", .state = WorkerState::kRunning, .commit_due = 1}};
  std::set<std::string_view> said;
  for (const HealthReason& reason : Diagnose(ill, kNow)) said.insert(reason.code);
  EXPECT_EQ(said, documented);
}

TEST(LiveJson, RoundTrip) {
  LiveStatus status = Well();
  status.following = true;
  status.sources[0].reason = "a \"quoted\"\nreason";
  status.sinks[0].commit_due = 5;
  status.operators.push_back({.name = "n", .label = "Aggregate by #0", .nanoseconds = 12});
  LiveStatus back;
  ASSERT_TRUE(FromJson(ToJson(status), &back));
  EXPECT_EQ(ToJson(back), ToJson(status));
  EXPECT_EQ(back.sources[0].reason, status.sources[0].reason);
  EXPECT_EQ(back.operators[0].label, "Aggregate by #0");
  EXPECT_TRUE(back.following);
}

TEST(LiveJson, WhatALaterLeatAddsIsPassedOver) {
  LiveStatus status;
  EXPECT_TRUE(
      FromJson(R"({"epoch":3,"moons":[{"a":1}],"sinks":[{"name":"s","colour":null}]})", &status));
  EXPECT_EQ(status.epoch, 3);
  EXPECT_EQ(status.sinks[0].name, "s");
  EXPECT_FALSE(FromJson(R"({"epoch":"three"})", &status));
  EXPECT_FALSE(FromJson(R"({"epoch":3)", &status));
}

}  // namespace
}  // namespace leat
