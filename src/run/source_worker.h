// A thread that reads one source ahead of the engine, within a bound.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "connect/source.h"

namespace leat {

// What wakes the engine: any worker that has something new to say.
struct Bell {
  std::mutex mutex;
  std::condition_variable changed;
};

// Polls from its own thread until the source has no more, an error, or Stop. The engine's calls
// come from one other thread.
class SourceWorker {
 public:
  // `queue_bytes_max` bounds what is read ahead; one arrival may exceed it.
  SourceWorker(std::string name, std::unique_ptr<Source> source, Bell* bell,
               int64_t queue_bytes_max);
  ~SourceWorker();
  SourceWorker(const SourceWorker&) = delete;
  SourceWorker& operator=(const SourceWorker&) = delete;

  void Start();
  // The next arrival, if one is there. After the last one comes the error that ended the reading.
  Result<std::optional<Arrival>> TryTake();
  // The source said that there is no more and everything was taken.
  bool drained() const;
  void Stop();

  const std::string& name() const { return name_; }
  // For replay and Acknowledge, while the thread does not run.
  Source& source() { return *source_; }

 private:
  void Loop();

  const std::string name_;
  const std::unique_ptr<Source> source_;
  Bell* const bell_;  // its mutex guards all below
  const int64_t queue_bytes_max_;
  std::deque<Arrival> queue_;
  int64_t queue_bytes_ = 0;
  bool ended_ = false;
  bool stop_ = false;
  Status error_;
  std::condition_variable room_;
  std::thread thread_;
};

}  // namespace leat
