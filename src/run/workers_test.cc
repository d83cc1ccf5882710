// The threads of the machine against sources and sinks that misbehave.
#include <gtest/gtest.h>

#include <atomic>

#include "run/rows_test.h"
#include "run/sink_worker.h"
#include "run/source_worker.h"

namespace leat {
namespace {

// Gives `arrivals` rows one by one, then ends or fails.
class CountingSource : public Source {
 public:
  CountingSource(int64_t arrivals, Status end) : arrivals_(arrivals), end_(std::move(end)) {}
  Status Seek(const Offset&) override { return Status::OK(); }
  Status Limit(const Offset&) override { return Status::OK(); }
  Result<Arrival> Reread(const Offset&) override { return Status::NotImplemented("not here"); }
  Result<std::optional<Arrival>> Poll(int64_t) override {
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
  static inline std::atomic<int64_t> polled = 0;

 private:
  const int64_t arrivals_;
  const Status end_;
  int64_t given_ = 0;
};

// Takes arrivals until the source ends; waits on the bell in between.
Result<int64_t> TakeAll(SourceWorker* worker, Bell* bell) {
  int64_t taken = 0;
  while (true) {
    LEAT_ASSIGN(const auto arrival, worker->TryTake());
    if (arrival) {
      EXPECT_EQ(arrival->end, std::to_string(++taken));
      continue;
    }
    if (worker->drained()) return taken;
    std::unique_lock lock(bell->mutex);
    bell->changed.wait_for(lock, std::chrono::milliseconds(1));
  }
}

TEST(SourceWorker, GivesAllInOrder) {
  Bell bell;
  SourceWorker worker("s", std::make_unique<CountingSource>(1000, Status::OK()), &bell, 1000);
  worker.Start();
  EXPECT_EQ(TakeAll(&worker, &bell).ValueOrDie(), 1000);
}

TEST(SourceWorker, AnErrorComesAfterWhatWasRead) {
  Bell bell;
  SourceWorker worker("s", std::make_unique<CountingSource>(10, Status::IOError("gone")), &bell,
                      1 << 20);
  worker.Start();
  const auto taken = TakeAll(&worker, &bell);
  EXPECT_EQ(taken.status().message(), "gone");
}

TEST(SourceWorker, ReadsNoFurtherAheadThanItsQueueAndStopsInTheMiddle) {
  CountingSource::polled = 0;
  Bell bell;
  {
    SourceWorker worker("s", std::make_unique<CountingSource>(1 << 30, Status::OK()), &bell, 500);
    worker.Start();
    while (CountingSource::polled < 5) std::this_thread::yield();
  }
  EXPECT_LE(CountingSource::polled, 6);  // five fill the queue; the thread may hold one more
}

// Counts what it is told; fails a commit if asked to.
class CountingSink : public Sink {
 public:
  struct Told {
    std::atomic<int64_t> rows = 0, commits = 0;
  };
  CountingSink(Told* told, int64_t failing_epoch) : told_(told), failing_epoch_(failing_epoch) {}
  Result<std::optional<Mark>> Open() override { return std::nullopt; }
  Status Write(const Batch& batch) override {
    told_->rows += batch.rows;
    return Status::OK();
  }
  Status Commit(int64_t epoch) override {
    if (epoch == failing_epoch_) return Status::IOError("the disk is full");
    ++told_->commits;
    return Status::OK();
  }
  int64_t staged_bytes() const override { return 0; }
  Status Reset() override { return Status::OK(); }

 private:
  Told* const told_;
  const int64_t failing_epoch_;
};

SinkSpec Spec(SinkMode mode) {
  SinkSpec spec;
  spec.name = "s";
  spec.schema = KeyValueSchema();
  spec.mode = mode;
  spec.key = {0};
  return spec;
}

TEST(SinkWorker, WritesAndCommitsInOrder) {
  CountingSink::Told told;
  SinkWorker worker(std::make_unique<CountingSink>(&told, -1), Spec(SinkMode::kAppend), 1000);
  worker.Start();
  for (int64_t epoch = 1; epoch <= 50; ++epoch) {
    for (int64_t i = 0; i < 20; ++i) ASSERT_TRUE(worker.Write(Rows({{i, "x", 1}})).ok());
    ASSERT_TRUE(worker.Commit(epoch).ok());
  }
  ASSERT_TRUE(worker.WaitCommitted().ok());
  EXPECT_EQ(told.rows, 1000);
  EXPECT_EQ(told.commits, 50);
  EXPECT_EQ(worker.counters().rows_added, 1000);
  EXPECT_EQ(worker.counters().epoch, 50);
}

TEST(SinkWorker, AnUpsertSinkSeesOnlyNetChanges) {
  CountingSink::Told told;
  SinkWorker worker(std::make_unique<CountingSink>(&told, -1), Spec(SinkMode::kUpsert), 1 << 20);
  worker.Start();
  for (int64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(worker.Write(Rows({{1, std::to_string(i), 1}})).ok());
    if (i == 99) break;
    ASSERT_TRUE(worker.Write(Rows({{1, std::to_string(i), -1}})).ok());
  }
  ASSERT_TRUE(worker.Commit(1).ok());
  ASSERT_TRUE(worker.WaitCommitted().ok());
  EXPECT_EQ(told.rows, 1);
}

TEST(SinkWorker, AFailureStopsTheEngineInsteadOfHangingIt) {
  CountingSink::Told told;
  SinkWorker worker(std::make_unique<CountingSink>(&told, 2), Spec(SinkMode::kAppend), 100);
  worker.Start();
  Status status;
  for (int64_t epoch = 1; epoch <= 1000 && status.ok(); ++epoch) {
    status = worker.Write(Rows({{epoch, "x", 1}}));
    if (status.ok()) status = worker.Commit(epoch);
  }
  if (status.ok()) status = worker.WaitCommitted();
  EXPECT_EQ(status.message(), "the disk is full");
  EXPECT_EQ(told.commits, 1);
}

}  // namespace
}  // namespace leat
