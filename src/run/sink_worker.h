// A thread that writes to one sink behind the engine, within a bound.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "connect/sink.h"
#include "run/net_changes.h"

namespace leat {

struct SinkCounters {
  int64_t rows_added = 0;  // rows written, or inserted or updated
  int64_t rows_deleted = 0;
  int64_t epoch = 0;  // of the last commit
};

// Takes deltas from the engine's thread and applies them on its own. The first error ends it: what
// comes after is dropped, and the engine learns of it at its next call.
class SinkWorker {
 public:
  SinkWorker(std::unique_ptr<Sink> sink, const SinkSpec& spec, int64_t queue_bytes_max);
  ~SinkWorker();
  SinkWorker(const SinkWorker&) = delete;
  SinkWorker& operator=(const SinkWorker&) = delete;

  void Start();
  // Waits while the queue is full.
  Status Write(Batch batch);
  // Asks for a commit; WaitCommitted returns when it is done.
  Status Commit(int64_t epoch);
  Status WaitCommitted();
  // Bytes written since the last commit, the queue included: an estimate.
  int64_t staged_bytes() const;
  SinkCounters counters() const;
  const std::string& name() const { return name_; }
  void Stop();

 private:
  using Command = std::variant<Batch, int64_t>;  // a delta, or the epoch to commit
  void Loop();
  Status Apply(Command* command);
  Status ApplyCommit(int64_t epoch);

  const std::string name_;
  const SinkMode mode_;
  const std::unique_ptr<Sink> sink_;
  NetChanges net_;  // the thread's own
  const int64_t queue_bytes_max_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable work_, room_;
  std::deque<Command> queue_;
  int64_t queue_bytes_ = 0;
  int64_t staged_bytes_ = 0;
  bool stop_ = false;
  bool busy_ = false;
  Status error_;
  SinkCounters counters_;
  std::thread thread_;
};

}  // namespace leat
