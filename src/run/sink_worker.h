// Writes to one sink behind the engine, within a bound.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connect/options.h"
#include "connect/sink.h"
#include "run/crew.h"
#include "run/health.h"
#include "run/net_changes.h"

namespace leat {

using SinkFactory = std::function<Result<std::unique_ptr<Sink>>(SinkSpec)>;
// Whether the mark that a sink was found with fits: an epoch in [low, high] of this state.
using MarkCheck = std::function<Status(const std::optional<Mark>& mark, int64_t low, int64_t high)>;

struct SinkWorkerOptions {
  int64_t queue_bytes_max = 32 << 20;    // not yet taken by the sink, while it works
  int64_t outbox_bytes_max = 128 << 20;  // the same while it does not; kept until a commit
  FlushRules flush;
  bool timed = false;  // flush.interval counts; else only what is asked for, and the other rules
  RetryRules retry;
  bool reset = false;  // remove what leat wrote before the first Open
};

struct SinkCounters {
  int64_t rows_added = 0;  // rows committed: written, or inserted or updated
  int64_t rows_deleted = 0;
  int64_t commits = 0;
  int64_t epoch = 0;  // of the last commit: the mark
};

// Takes the deltas of epochs from the engine, in order, and commits them: at the end of an epoch
// and of several at once when they come faster than the sink commits. What is not committed is
// kept, as far as `outbox_bytes_max` goes, and given again to a sink that failed and came back; its
// mark says what it has. A failure that is not tried again, or that lost what was not kept, is the
// end: what comes after is dropped, and the engine learns of it at its next call.
class SinkWorker : public Worker {
 public:
  // The sink's mark is at `low` or later, says the checkpoint, and not after `high`, says the log.
  SinkWorker(Crew* crew, SinkSpec spec, SinkWorkerOptions options, SinkFactory make,
             MarkCheck check, int64_t low, int64_t high);
  ~SinkWorker() override;

  // Opens the sink on the caller's thread, before Start. A failure of the world that may be tried
  // again is left to the worker.
  Status Open();
  // The mark is known: the sink was open once.
  bool was_open() const;
  // Nothing of this state is in the target: it had no mark, and no commit was begun, whatever came
  // of it.
  bool untouched() const;
  // The epoch up to which the sink is known to hold everything.
  int64_t has_up_to() const;

  // A part of the delta of the epoch that the next End names. Waits while there is no room; when
  // there will be none because the sink is degraded and the run is to stop: Cancelled.
  Status Write(Batch batch);
  // The epoch is complete, and in the log for good: the sink may commit it.
  Status End(int64_t epoch);
  // Asks for a commit that holds `epoch`. REQUIRES: End(epoch) was called, or will be.
  Status Commit(int64_t epoch);
  // Asks that the mark reach `epoch` as soon as that needs no commit of rows before its time.
  void AdvanceMark(int64_t epoch);
  // Waits until it has committed `epoch`.
  Status WaitCommitted(int64_t epoch);

  // Waits until the mark is known.
  Status WaitOpened();
  // Waits until nothing waits to be committed.
  Status WaitAtRest();
  // With the crew's mutex: the epoch of its last commit; whether it ended with an error; whether
  // one is being tried again.
  int64_t committed() const { return counters_.epoch; }
  bool failed() const { return !error_.ok(); }
  bool degraded() const { return health_.degraded(); }
  // Nothing waits to be committed, and it works.
  bool at_rest() const;
  // Bytes written and not yet committed: an estimate.
  int64_t outbox_bytes() const;
  SinkCounters counters() const;
  SinkStatus status() const;
  // The error that ended it.
  Status error() const;
  const std::string& name() const { return spec_.name; }

 private:
  Status WaitUntil(const std::function<bool()>& done, const std::string& what);
  bool IsAtRest() const { return open_ && outbox_.empty() && staged_rows_ == 0; }

  // A part of a delta, or the end of an epoch.
  struct Entry {
    int64_t epoch = 0;  // of an end
    Batch batch;
    int64_t bytes = 0;
    bool is_end = false;
  };
  enum class Act { kNothing, kOpen, kStage, kPass, kCommit };
  struct Plan {
    Act act = Act::kNothing;
    Micros due = kNever;
  };

  Micros Due() const override { return Next().due; }
  void Work() override;
  Plan Next() const;
  bool FlushDue(int64_t epoch) const;
  Micros FlushAt() const;
  Status Reopen();
  Status Stage(const Batch& batch);
  Status CommitStaged(int64_t epoch);
  void AfterOpen(const std::optional<Mark>& mark);
  void AfterStage();
  void Pass();
  void AfterCommit(int64_t epoch);
  void Fail(const Status& status);
  void PopFront();

  const SinkSpec spec_;
  const SinkWorkerOptions options_;
  const SinkFactory make_;
  const MarkCheck check_;
  StateMemory* const memory_;   // of the maker's scope
  std::unique_ptr<Sink> sink_;  // the worker's own once it started, like the next
  std::unique_ptr<NetChanges> net_;
  SinkCounters staged_counts_;  // of what was handed to the sink and is not committed

  // Guarded by the crew's mutex.
  std::deque<Entry> outbox_;  // not committed, in order; of these
  size_t staged_ = 0;         // … were handed to the sink,
  bool kept_all_ = true;      // … and none that was is missing
  int64_t unstaged_bytes_ = 0;
  int64_t outbox_bytes_ = 0;
  int64_t staged_bytes_ = 0, staged_rows_ = 0;
  Micros staged_since_ = kNever;  // the first staged row
  int64_t ends_waiting_ = 0;      // ends in outbox_ after staged_
  bool at_end_ = true;            // what is staged ends with an epoch, ended_
  int64_t ended_ = 0;
  int64_t asked_ = 0, mark_wanted_ = 0;
  int64_t low_, high_;  // the mark when it is next seen
  bool open_ = false, was_open_ = false;
  bool began_commit_ = false;  // one that failed may have been done all the same
  bool reset_;
  Status error_;
  Health health_;
  SinkCounters counters_;
  Micros committed_at_ = 0;
};

}  // namespace leat
