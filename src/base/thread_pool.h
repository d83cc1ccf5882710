// Threads that work on parts of what one thread is doing. A part is done once, by whichever thread
// comes to it first: what comes out must not depend on which.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace leat {

class TaskGroup;

// Any thread may make groups of tasks; the pool must outlive them.
class ThreadPool {
 public:
  // `threads` that work at once, that of whoever makes a group included: one fewer are started,
  // when the first group is made.
  explicit ThreadPool(int threads) : threads_(threads) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

 private:
  friend class TaskGroup;
  void Work();

  const int threads_;
  std::mutex mutex_;              // guards all below and the groups' own state
  std::condition_variable work_;  // a group has come, or the end
  std::condition_variable done_;  // a task has ended
  std::vector<TaskGroup*> groups_;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

// Tasks 0 … tasks - 1. Task 0 is the maker's own; workers begin with the others, in their order,
// while the group lives. A task may wait for the maker's thread, never for another task: it may not
// have begun, and may never begin.
class TaskGroup {
 public:
  // `work` must outlive the group.
  TaskGroup(ThreadPool* pool, int tasks, const std::function<void(int task)>& work);
  // Tasks that have not begun never will; waits for those that have.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // True: no worker has begun with the task nor will, and the caller does it itself. REQUIRES: the
  // tasks before it were claimed or begun.
  bool Claim(int task);

 private:
  friend class ThreadPool;
  ThreadPool* const pool_;
  const int tasks_;
  const std::function<void(int task)>& work_;
  // Guarded by the pool's mutex.
  int next_ = 1;  // tasks before it have begun or are claimed
  int running_ = 0;
};

}  // namespace leat
