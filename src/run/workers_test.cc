// The workers of the machine against sources and sinks that misbehave: with threads, and step by
// step under a schedule.
#include <gtest/gtest.h>

#include <atomic>

#include "base/random.h"
#include "run/rows_test.h"
#include "run/sink_worker.h"
#include "run/source_worker.h"

namespace leat {
namespace {

const ManualClock kClock(1'000'000);

RetryRules Retries(Micros degraded_max) {
  return {.degraded_max = degraded_max, .clock = &kClock, .random = Random(7)};
}

// Time passes only when nothing is due.
class TestSchedule : public Schedule {
 public:
  int64_t Pick(int64_t choices) override {
    return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(choices)));
  }
  void Sleep(Micros until) override { now_ = until == kNever ? now_ + 1 : until; }
  Micros Now() const override { return now_; }

 private:
  Random random_{42};
  Micros now_ = 0;
};

// Gives `arrivals` rows one by one, then ends or fails. Every `failing`th Poll fails.
class CountingSource : public Source {
 public:
  explicit CountingSource(int64_t arrivals, Status end = {}, int64_t failing = 0)
      : arrivals_(arrivals), end_(std::move(end)), failing_(failing) {}
  Status Seek(const Offset& offset) override {
    given_ = offset.empty() ? 0 : std::stoll(offset);
    return Status::OK();
  }
  Status Limit(const Offset&) override { return Status::OK(); }
  Result<Arrival> Reread(const Offset&) override { return Status::NotImplemented("not here"); }
  Result<std::optional<Arrival>> Poll(int64_t) override {
    if (failing_ > 0 && ++polls % failing_ == 0) return Status::IOError("the line is down");
    if (given_ == arrivals_) {
      LEAT_RETURN(end_);
      return std::nullopt;
    }
    Arrival arrival;
    arrival.batch = Rows({{given_, "row", 1}});
    arrival.rows_read = 1;
    arrival.bytes_read = 100;
    arrival.end = std::to_string(++given_);
    ++polled;
    return arrival;
  }
  static inline std::atomic<int64_t> polled = 0, polls = 0;

 private:
  const int64_t arrivals_;
  const Status end_;
  const int64_t failing_;
  int64_t given_ = 0;
};

SourceFactory Counting(int64_t arrivals, Status end = {}, int64_t failing = 0) {
  return [=] { return std::make_unique<CountingSource>(arrivals, end, failing); };
}

// Takes arrivals until the source ends; waits on the crew in between.
Result<int64_t> TakeAll(SourceWorker* worker, Crew* crew) {
  int64_t taken = 0;
  while (true) {
    LEAT_ASSIGN(const auto arrival, worker->TryTake());
    if (arrival) {
      EXPECT_EQ(arrival->end, std::to_string(++taken));
      continue;
    }
    bool drained = false;
    crew->Wait(kNever, [&] { return (drained = worker->drained()) || worker->has_news(); });
    if (drained) return taken;
  }
}

TEST(SourceWorker, GivesAllInOrder) {
  TestSchedule schedule;
  for (Schedule* with : {static_cast<Schedule*>(nullptr), static_cast<Schedule*>(&schedule)}) {
    Crew crew(with, nullptr);
    SourceWorker worker(&crew, {.name = "s", .queue_bytes_max = 1000}, Counting(1000));
    worker.Start();
    EXPECT_EQ(TakeAll(&worker, &crew).ValueOrDie(), 1000);
  }
}

TEST(SourceWorker, AnErrorComesAfterWhatWasRead) {
  Crew crew(nullptr, nullptr);
  SourceWorker worker(&crew, {.name = "s", .retry = Retries(0)},
                      Counting(10, Status::IOError("gone")));
  worker.Start();
  EXPECT_EQ(TakeAll(&worker, &crew).status().message(), "gone");
}

TEST(SourceWorker, GoesOnWhereItWasAfterAFailure) {
  CountingSource::polls = 0;
  TestSchedule schedule;
  Crew crew(&schedule, nullptr);
  SourceWorker worker(&crew, {.name = "s", .retry = Retries(60'000'000)},
                      Counting(50, Status::OK(), 3));
  worker.Start();
  EXPECT_EQ(TakeAll(&worker, &crew).ValueOrDie(), 50);
  EXPECT_EQ(worker.status().retries, 25);
  EXPECT_EQ(worker.status().state, WorkerState::kDrained);
}

TEST(SourceWorker, IsDegradedUntilItsTimeIsOver) {
  TestSchedule schedule;
  Crew crew(&schedule, nullptr);
  SourceWorker worker(&crew, {.name = "s", .retry = Retries(10'000'000)},
                      Counting(0, Status::IOError("gone\nfishing")));
  worker.Start();
  crew.Wait(1'000'000, [] { return false; });
  const SourceStatus status = worker.status();
  EXPECT_EQ(status.state, WorkerState::kDegraded);
  EXPECT_EQ(status.reason, "gone fishing");
  EXPECT_EQ(status.degraded_since, 1'000'000);
  EXPECT_GE(status.retries, 3);
  EXPECT_LE(status.retries, 5);  // the pauses grow
  EXPECT_TRUE(worker.TryTake().ok());
  crew.Wait(60'000'000, [&] { return worker.has_news(); });
  EXPECT_EQ(worker.TryTake().status().message(), "gone\nfishing");
}

TEST(SourceWorker, WhatTheUserDidWrongIsNotTriedAgain) {
  TestSchedule schedule;
  Crew crew(&schedule, nullptr);
  SourceWorker worker(&crew, {.name = "s", .retry = Retries(kNever)},
                      Counting(0, SqlStatus("no such column")));
  worker.Start();
  crew.Wait(kNever, [&] { return worker.has_news(); });
  EXPECT_EQ(worker.TryTake().status().message(), "no such column");
  EXPECT_EQ(worker.status().retries, 0);
}

TEST(SourceWorker, OneThatFollowsIsNotDrainedForGood) {
  TestSchedule schedule;
  Crew crew(&schedule, nullptr);
  SourceWorker worker(&crew, {.name = "s", .follow = true}, Counting(3));
  worker.Start();
  EXPECT_EQ(TakeAll(&worker, &crew).ValueOrDie(), 3);
  EXPECT_EQ(worker.status().state, WorkerState::kRunning);
}

TEST(SourceWorker, ReadsNoFurtherAheadThanItsQueueAndStopsInTheMiddle) {
  CountingSource::polled = 0;
  {
    Crew crew(nullptr, nullptr);
    SourceWorker worker(&crew, {.name = "s", .queue_bytes_max = 500}, Counting(1 << 30));
    worker.Start();
    while (CountingSource::polled < 5) std::this_thread::yield();
  }
  EXPECT_LE(CountingSource::polled, 6);  // five fill the queue; the thread may hold one more
}

// A target that outlives its sinks: rows and mark are what was committed.
struct Target {
  int64_t rows = 0, mark = 0, commits = 0, opens = 0;
  bool away = false;            // it cannot even be opened
  int64_t failing_commits = 0;  // of those to come
  bool answer_lost = false;     // a failing commit was made all the same
};

class TestSink : public Sink {
 public:
  explicit TestSink(Target* target) : target_(target) {}
  Result<std::optional<Mark>> Open() override {
    ++target_->opens;
    if (target_->away) return Status::IOError("no route to host");
    if (target_->mark == 0) return std::nullopt;
    return Mark{.state = "s", .epoch = target_->mark};
  }
  Status Write(const Batch& batch) override {
    staged_ += batch.rows;
    return Status::OK();
  }
  Status Commit(int64_t epoch) override {
    if (target_->away) return Status::IOError("connection reset");
    const bool fails = target_->failing_commits > 0;
    if (fails) --target_->failing_commits;
    if (!fails || target_->answer_lost) {
      target_->rows += std::exchange(staged_, 0);
      target_->mark = epoch;
      ++target_->commits;
    }
    return fails ? Status::IOError("the disk is full") : Status::OK();
  }
  int64_t staged_bytes() const override { return 0; }
  Status Reset() override { return Status::OK(); }

 private:
  Target* const target_;
  int64_t staged_ = 0;
};

class SinkWorkerTest : public testing::Test {
 protected:
  std::unique_ptr<SinkWorker> Make(Crew* crew, SinkWorkerOptions options,
                                   SinkMode mode = SinkMode::kAppend) {
    SinkSpec spec;
    spec.name = "s";
    spec.schema = KeyValueSchema();
    spec.mode = mode;
    spec.key = {0};
    auto worker = std::make_unique<SinkWorker>(
        crew, spec, std::move(options),
        [this](const SinkSpec&) { return std::make_unique<TestSink>(&target_); },
        [](const std::optional<Mark>&, int64_t, int64_t) { return Status::OK(); }, 0, 0);
    EXPECT_TRUE(worker->Open().ok());
    worker->Start();
    return worker;
  }
  // One epoch of `rows` rows, each in a batch of its own.
  static Status Epoch(SinkWorker* worker, int64_t epoch, int64_t rows) {
    for (int64_t i = 0; i < rows; ++i) LEAT_RETURN(worker->Write(Rows({{i, "x", 1}})));
    return worker->End(epoch);
  }

  Target target_;
  TestSchedule schedule_;
};

TEST_F(SinkWorkerTest, WritesAndCommitsInOrder) {
  for (Schedule* with : {static_cast<Schedule*>(nullptr), static_cast<Schedule*>(&schedule_)}) {
    target_ = {};
    Crew crew(with, nullptr);
    const auto worker = Make(&crew, {.queue_bytes_max = 1000});
    for (int64_t epoch = 1; epoch <= 50; ++epoch) {
      ASSERT_TRUE(Epoch(worker.get(), epoch, 20).ok());
      ASSERT_TRUE(worker->Commit(epoch).ok());
      if (epoch % 10 == 0) {
        ASSERT_TRUE(worker->WaitCommitted(epoch).ok());
      }
    }
    EXPECT_EQ(target_.rows, 1000);
    EXPECT_EQ(target_.mark, 50);
    EXPECT_GE(target_.commits, 5);
    EXPECT_EQ(worker->counters().rows_added, 1000);
    EXPECT_EQ(worker->counters().epoch, 50);
    EXPECT_EQ(worker->outbox_bytes(), 0);
  }
}

TEST_F(SinkWorkerTest, AnUpsertSinkSeesOnlyNetChanges) {
  Crew crew(nullptr, nullptr);
  const auto worker = Make(&crew, {}, SinkMode::kUpsert);
  for (int64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(worker->Write(Rows({{1, std::to_string(i), 1}})).ok());
    if (i == 99) break;
    ASSERT_TRUE(worker->Write(Rows({{1, std::to_string(i), -1}})).ok());
  }
  ASSERT_TRUE(worker->End(1).ok());
  ASSERT_TRUE(worker->Commit(1).ok());
  ASSERT_TRUE(worker->WaitCommitted(1).ok());
  EXPECT_EQ(target_.rows, 1);
}

TEST_F(SinkWorkerTest, AFailureStopsTheEngineInsteadOfHangingIt) {
  Crew crew(nullptr, nullptr);
  target_.failing_commits = 1;
  const auto worker = Make(&crew, {.queue_bytes_max = 100, .retry = Retries(0)});
  Status status;
  for (int64_t epoch = 1; epoch <= 1000 && status.ok(); ++epoch) {
    status = Epoch(worker.get(), epoch, 1);
    if (status.ok()) status = worker->Commit(epoch);
  }
  if (status.ok()) status = worker->WaitCommitted(1000);
  EXPECT_EQ(status.message(), "the disk is full");
  EXPECT_EQ(target_.commits, 0);
}

// Whatever fails however often, and whether or not the answer to a commit is lost: each row once.
TEST_F(SinkWorkerTest, AFailedCommitIsMadeAgainFromTheOutbox) {
  for (const bool answer_lost : {false, true}) {
    for (const auto mode : {SinkMode::kAppend, SinkMode::kUpsert}) {
      target_ = {.failing_commits = 5, .answer_lost = answer_lost};
      Crew crew(&schedule_, nullptr);
      const auto worker = Make(&crew, {.timed = true, .retry = Retries(kNever)}, mode);
      for (int64_t epoch = 1; epoch <= 30; ++epoch) {
        for (int64_t i = 0; i < 10; ++i) {
          ASSERT_TRUE(worker->Write(Rows({{epoch * 10 + i, "x", 1}})).ok());
        }
        ASSERT_TRUE(worker->End(epoch).ok());
      }
      ASSERT_TRUE(worker->Commit(30).ok());
      ASSERT_TRUE(worker->WaitCommitted(30).ok());
      EXPECT_EQ(target_.rows, 300);
      EXPECT_GT(target_.opens, 1);
      EXPECT_EQ(worker->status().retries, target_.opens - 1);
      EXPECT_EQ(worker->status().state, WorkerState::kRunning);
    }
  }
}

// Twenty minutes without its target, while epochs come: it says so all the time, asks again every
// half minute at most, and then has every row once.
TEST_F(SinkWorkerTest, ASinkThatIsGoneForMinutesLosesNothing) {
  constexpr Micros kSecond = 1'000'000;
  for (const auto mode : {SinkMode::kAppend, SinkMode::kUpsert}) {
    target_ = {};
    Crew crew(&schedule_, nullptr);
    const auto worker = Make(&crew, {.timed = true, .retry = Retries(kNever)}, mode);
    const Micros begin = crew.Now();
    const auto at = [&](Micros seconds) {
      crew.Wait(begin + seconds * kSecond, [] { return false; });
    };
    int64_t epoch = 0;
    const auto come = [&]() -> Status {
      ++epoch;
      for (int64_t i = 0; i < 10; ++i) {
        LEAT_RETURN(worker->Write(Rows({{epoch * 10 + i, "x", 1}})));
      }
      return worker->End(epoch);
    };
    ASSERT_TRUE(come().ok());
    at(5);
    ASSERT_EQ(target_.rows, 10);
    target_.away = true;
    for (Micros second = 10; second <= 1200; second += 10) {
      ASSERT_TRUE(come().ok());
      at(second);
      ASSERT_EQ(worker->status().state, WorkerState::kDegraded) << second;
    }
    EXPECT_EQ(target_.rows, 10);
    EXPECT_GT(worker->status().retries, 30);
    EXPECT_LT(worker->status().retries, 120);
    target_.away = false;
    at(1300);
    EXPECT_EQ(target_.rows, epoch * 10);
    EXPECT_EQ(target_.mark, epoch);
    EXPECT_EQ(worker->status().state, WorkerState::kRunning);
    EXPECT_EQ(worker->outbox_bytes(), 0);
  }
}

TEST_F(SinkWorkerTest, WithoutRulesItCommitsEachEpochAndSeveralWhenItIsBehind) {
  Crew crew(&schedule_, nullptr);
  const auto worker = Make(&crew, {.timed = true});
  ASSERT_TRUE(Epoch(worker.get(), 1, 1).ok());
  crew.Wait(kNever, [&] { return worker->committed() == 1; });
  for (int64_t epoch = 2; epoch <= 9; ++epoch) ASSERT_TRUE(worker->End(epoch).ok());
  ASSERT_TRUE(worker->End(10).ok());
  crew.Wait(1'000'000, [] { return false; });
  EXPECT_EQ(target_.commits, 1);  // nothing changed: no commit
  EXPECT_EQ(worker->has_up_to(), 10);
  worker->AdvanceMark(10);
  crew.Wait(kNever, [&] { return worker->committed() == 10; });
  EXPECT_EQ(target_.commits, 2);
}

TEST_F(SinkWorkerTest, CommitsByRowsAndByTime) {
  Crew crew(&schedule_, nullptr);
  const auto worker =
      Make(&crew, {.flush = {.rows = 10, .interval = std::chrono::seconds(5)}, .timed = true});
  ASSERT_TRUE(Epoch(worker.get(), 1, 9).ok());
  crew.Wait(4'000'000, [] { return false; });
  EXPECT_EQ(target_.commits, 0);
  worker->AdvanceMark(1);  // not before its time
  ASSERT_TRUE(Epoch(worker.get(), 2, 1).ok());
  crew.Wait(4'500'000, [] { return false; });
  EXPECT_EQ(target_.commits, 1);
  EXPECT_EQ(target_.mark, 2);
  ASSERT_TRUE(Epoch(worker.get(), 3, 1).ok());
  crew.Wait(8'000'000, [] { return false; });
  EXPECT_EQ(target_.commits, 1);
  crew.Wait(10'000'000, [] { return false; });
  EXPECT_EQ(target_.commits, 2);
  EXPECT_EQ(target_.rows, 11);
}

// Beyond its outbox nothing is kept: what was handed to a sink that then fails must come from the
// log, so the failure is the end.
TEST_F(SinkWorkerTest, AFailureBeyondTheOutboxIsTheEnd) {
  Crew crew(&schedule_, nullptr);
  const auto worker = Make(&crew, {.outbox_bytes_max = 100, .retry = Retries(kNever)});
  ASSERT_TRUE(Epoch(worker.get(), 1, 20).ok());
  target_.failing_commits = 1;
  ASSERT_TRUE(worker->Commit(1).ok());
  EXPECT_EQ(worker->WaitCommitted(1).message(), "the disk is full");
}

// While a sink is away the engine goes on until the outbox is full, and a stop ends the wait.
TEST_F(SinkWorkerTest, ADegradedSinkTakesItsOutboxAndNoMore) {
  std::atomic<bool> stop = false;
  Crew crew(&schedule_, &stop);
  const auto worker = Make(&crew, {.queue_bytes_max = 100,
                                   .outbox_bytes_max = 10'000,
                                   .timed = true,
                                   .retry = Retries(kNever)});
  target_.failing_commits = 1'000'000;
  ASSERT_TRUE(Epoch(worker.get(), 1, 1).ok());
  crew.Wait(kNever, [&] { return target_.failing_commits < 1'000'000; });
  const int64_t before = worker->outbox_bytes();
  EXPECT_GT(before, 0);
  int64_t taken = 1;
  while (worker->outbox_bytes() < 10'000) {
    ASSERT_TRUE(Epoch(worker.get(), ++taken, 1).ok());
  }
  stop = true;
  EXPECT_TRUE(worker->Write(Rows({{1, "x", 1}})).IsCancelled());
  stop = false;
  target_.failing_commits = 0;
  ASSERT_TRUE(worker->Commit(taken).ok());
  ASSERT_TRUE(worker->WaitCommitted(taken).ok());
  EXPECT_EQ(target_.rows, taken);
}

}  // namespace
}  // namespace leat
