#include "base/thread_pool.h"

#include <algorithm>

#include "base/check.h"

namespace leat {

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    LEAT_CHECK(groups_.empty(), "a group of tasks outlives its threads");
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    // The latest group first: its maker waits for it inside an earlier one's task.
    const auto ready = std::find_if(groups_.rbegin(), groups_.rend(), [](const TaskGroup* group) {
      return group->next_ < group->tasks_;
    });
    if (ready == groups_.rend()) {
      if (stop_) return;
      work_.wait(lock);
      continue;
    }
    TaskGroup* const group = *ready;
    const int task = group->next_++;
    ++group->running_;
    lock.unlock();
    group->work_(task);
    lock.lock();
    if (--group->running_ == 0) done_.notify_all();
  }
}

TaskGroup::TaskGroup(ThreadPool* pool, int tasks, const std::function<void(int task)>& work)
    : pool_(pool), tasks_(tasks), work_(work) {
  {
    const std::lock_guard lock(pool_->mutex_);
    pool_->groups_.push_back(this);
    auto& workers = pool_->workers_;
    while (static_cast<int>(workers.size()) + 1 < pool_->threads_) {
      workers.emplace_back([pool] { pool->Work(); });
    }
  }
  const int helpers = std::min(tasks_, pool_->threads()) - 1;
  for (int i = 0; i < helpers; ++i) pool_->work_.notify_one();
}

TaskGroup::~TaskGroup() {
  std::unique_lock lock(pool_->mutex_);
  std::erase(pool_->groups_, this);
  pool_->done_.wait(lock, [this] { return running_ == 0; });
}

bool TaskGroup::Claim(int task) {
  const std::lock_guard lock(pool_->mutex_);
  LEAT_CHECK(task <= next_, "task {} is claimed before task {}", task, next_);
  if (task < next_) return task == 0;
  ++next_;
  return true;
}

}  // namespace leat
