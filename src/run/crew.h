// The machine's workers: each on a thread of its own, or, for a simulator, all of them step by step
// on the caller's thread, in an order and with a time that the simulator chooses.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace leat {

inline constexpr Micros kNever = std::numeric_limits<Micros>::max();

// Takes the place of threads, of passing time and of chance in the order of things. Used by the one
// thread that runs the machine.
class Schedule {
 public:
  virtual ~Schedule() = default;
  // Which of `choices` (at least one) things that could go on goes on. When the machine itself
  // could go on, that is the last of them.
  virtual int64_t Pick(int64_t choices) = 0;
  // Nothing can go on before `until` of Now (kNever: before something outside changes): time
  // passes, by a microsecond at least.
  virtual void Sleep(Micros until) = 0;
  // Never goes back; what retries, flushes and checkpoints are timed by.
  virtual Micros Now() const = 0;
};

class Crew;

// Something that works beside the engine. A class made from it calls Stop in its own destructor,
// before its members go.
class Worker {
 public:
  virtual ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Begins to work, beside the caller if the crew has threads.
  void Start();
  // Ends after the piece of work at hand. May be called again.
  void Stop();

 protected:
  explicit Worker(Crew* crew) : crew_(*crew) {}
  // From when on there is something to do: now or earlier, later, or kNever. Holds the crew's
  // mutex.
  virtual Micros Due() const = 0;
  // Does one piece of it. Without the mutex; takes it to read and change what is shared.
  virtual void Work() = 0;
  // What Due depends on has changed. Call with or without the mutex.
  void Wake() { wake_.notify_all(); }

  Crew& crew_;
  bool stop_ = false;  // guarded by the crew's mutex

 private:
  friend class Crew;
  void Loop();

  std::condition_variable wake_;
  std::thread thread_;
  bool started_ = false;
};

// Outlives its workers. With a schedule no thread is ever started.
class Crew {
 public:
  // `stop` (or nullptr) is set from outside when the run is to end.
  Crew(Schedule* schedule, const std::atomic<bool>* stop) : schedule_(schedule), stop_(stop) {}
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  bool threaded() const { return schedule_ == nullptr; }
  bool stopping() const { return stop_ != nullptr && stop_->load(); }
  // Steady time: see Schedule::Now.
  Micros Now() const;
  // The engine waits until `ready`, which is called with the mutex (and now and then besides, so
  // that it may look at stopping()), or until `until`; returns what `ready` said last. Workers
  // never call it.
  bool Wait(Micros until, const std::function<bool()>& ready);
  // Without threads: workers may go on here, if the schedule says so.
  void Yield();
  // Something that the engine may wait for has changed. Call with or without the mutex.
  void Ring() { changed_.notify_all(); }

  // Guards what engine and workers share.
  std::mutex mutex;

 private:
  friend class Worker;
  bool StepOne(bool engine_could);

  Schedule* const schedule_;
  const std::atomic<bool>* const stop_;
  std::condition_variable changed_;
  std::vector<Worker*> workers_;  // without threads: those that were started
};

}  // namespace leat
