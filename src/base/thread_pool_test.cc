#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

namespace leat {
namespace {

// Runs a group as RunShards does: the caller takes what nobody has begun, in order.
void RunAll(ThreadPool* pool, int tasks, const std::function<void(int)>& work) {
  TaskGroup group(pool, tasks, work);
  for (int task = 0; task < tasks; ++task) {
    if (group.Claim(task)) work(task);
  }
}

TEST(ThreadPool, EveryTaskIsDoneOnce) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 50; ++round) {
      std::array<std::atomic<int>, 9> done = {};
      RunAll(&pool, 9, [&](int task) { ++done[static_cast<size_t>(task)]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(ThreadPool, GroupsMayBeMadeInsideOthers) {
  ThreadPool pool(3);
  std::atomic<int> done = 0;
  const std::function<void(int)> inner = [&](int) { ++done; };
  for (int round = 0; round < 50; ++round) {
    RunAll(&pool, 4, [&](int) { RunAll(&pool, 5, inner); });
  }
  EXPECT_EQ(done, 50 * 4 * 5);
}

TEST(ThreadPool, WhatHasNotBegunIsForgottenWithItsGroup) {
  ThreadPool pool(2);
  std::atomic<int> done = 0;
  const std::function<void(int)> work = [&](int) { ++done; };
  for (int round = 0; round < 100; ++round) {
    const TaskGroup group(&pool, 1000, work);
  }
  const int after = done;
  EXPECT_LT(after, 100 * 1000);
  EXPECT_EQ(done, after);
}

}  // namespace
}  // namespace leat
