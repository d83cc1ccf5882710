// What a running machine says of itself: published by the engine after each epoch and each commit,
// and at least every few seconds when there is none (30 s of silence are shown as an illness), read
// by whoever asks (`leat status`, /health, /metrics, the progress line) on any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace leat {

// `kDegraded`: an error that is being retried; it is never shown as running.
enum class WorkerState : uint8_t { kStarting, kRunning, kDrained, kDegraded, kStopped };

struct SourceStatus {
  std::string name;
  WorkerState state = WorkerState::kStarting;
  std::string reason;  // of kDegraded: the last error, in one line
  Micros degraded_since = 0;
  int64_t retries = 0;
  int64_t rows_read = 0, rows_used = 0, rows_rejected = 0, bytes = 0;  // of this run
  int64_t lag_bytes = -1;  // known to lie outside and not yet read; -1: the source cannot say
  Micros lag_time = -1;    // how much older the last row read is than what lies
                           // outside; -1 unknown
  Micros last_row = 0;     // the epoch's clock when rows last came; 0: none yet
};

struct SinkStatus {
  std::string name;
  WorkerState state = WorkerState::kStarting;
  std::string reason;
  Micros degraded_since = 0;
  int64_t retries = 0;
  int64_t rows_added = 0, rows_deleted = 0, commits = 0;  // of this run
  int64_t epoch = 0;                                      // the last that it committed
  Micros committed_at = 0;                                // when; 0: not yet in this run
  Micros commit_due = 0;     // by when its flush rules ask for a commit; 0: nothing waits
  int64_t outbox_bytes = 0;  // computed and not yet committed
};

struct OperatorStatus {
  std::string name, label;  // state name; "Aggregate by #0"
  int64_t rows_in = 0, rows_out = 0, state_rows = 0, state_bytes = 0;
  int64_t nanoseconds = 0;  // spent in it, this run
};

struct LiveStatus {
  std::string state;  // the state's id
  int64_t pid = 0;
  Micros started = 0, now = 0;  // wall clock; `now` is when this was published
  int64_t epoch = 0;            // the last computed
  Micros epoch_clock = 0;
  int64_t committed_epoch = 0;   // the last that every sink holds
  int64_t checkpoint_epoch = 0;  // the last that a checkpoint holds
  Micros checkpointed_at = 0;
  int64_t row_errors = 0, rejects = 0;
  int64_t log_bytes = 0, state_bytes = 0, memory_bytes = 0, memory_limit = 0;
  bool following = false;
  // The engine itself failed (its disk, its log) and is tried again: nothing progresses meanwhile.
  std::string reason;  // empty: it runs
  Micros degraded_since = 0;
  int64_t restarts = 0;  // of this run
  std::vector<SourceStatus> sources;
  std::vector<SinkStatus> sinks;
  std::vector<OperatorStatus> operators;
};

// The last published status. Any thread.
class StatusBoard {
 public:
  void Publish(LiveStatus status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  LiveStatus Read() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  LiveStatus status_;
};

}  // namespace leat
