// Reads one source ahead of the engine, within a bound.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connect/source.h"
#include "run/crew.h"
#include "run/health.h"

namespace leat {

using SourceFactory = std::function<Result<std::unique_ptr<Source>>()>;

struct SourceWorkerOptions {
  std::string name;
  int64_t queue_bytes_max = 32 << 20;  // what is read ahead; one arrival may exceed it
  bool follow = false;                 // when there is no more now, wait for more
  RetryRules retry;
};

// Polls until the source has no more (unless it follows), an error that is not tried again, or
// Stop. After an error it makes the source anew and goes on where it was. The engine's calls come
// from one thread.
class SourceWorker : public Worker {
 public:
  SourceWorker(Crew* crew, SourceWorkerOptions options, SourceFactory make);
  ~SourceWorker() override;

  // Makes the source, so that what is wrong with its definition is said before anything is done.
  Status Open();
  // For a replay, before Start: the source, standing at `offset` if it was not moved since Open.
  Result<Source*> SourceAt(const Offset& offset);
  // Where reading begins. Before Start.
  void GoOnFrom(const Offset& offset);

  // The next arrival, if one is there. After the last one comes the error that ended the reading.
  Result<std::optional<Arrival>> TryTake();
  // Everything before `end` is in a durable checkpoint: passed on to the source on its thread.
  void Acknowledge(const Offset& end);

  // With the crew's mutex: something to take, or the error.
  bool has_news() const { return !queue_.empty() || !error_.ok(); }
  // With the mutex: nothing to take, and nothing more is known to be there now.
  bool at_rest() const { return queue_.empty() && (ended_ || idle_ || health_.degraded()); }
  // With the mutex: the source said that there is no more, if only for now, and everything that was
  // read is taken.
  bool drained() const { return queue_.empty() && (ended_ || idle_); }
  // Its health and what waits: name, state, reason, since when, retries, lag.
  SourceStatus status() const;
  const std::string& name() const { return options_.name; }

 private:
  Micros Due() const override;
  void Work() override;
  Status Prepare();
  bool WaitForMore();
  void Take(Arrival arrival);
  void Fail(const Status& status);

  const SourceWorkerOptions options_;
  const SourceFactory make_;
  std::unique_ptr<Source> source_;  // the worker's own once it started, like the next two
  Offset at_;                       // after what was read
  bool positioned_ = false;         // source_ stands at at_

  // Guarded by the crew's mutex.
  std::deque<Arrival> queue_;
  int64_t queue_bytes_ = 0;
  int64_t lag_bytes_ = -1;  // outside, as of the last Poll
  Micros lag_time_ = -1;
  bool ended_ = false;
  bool idle_ = false;  // the last Poll found nothing
  Micros look_at_ = 0;
  std::optional<Offset> acknowledge_;
  Status error_;
  Health health_;
};

}  // namespace leat
