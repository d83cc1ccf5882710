// How long each operator works. Operators call each other depth first, so what one spends is its
// time less that of those it called: a thread has one clock, which runs for whoever works now.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace leat {

// From its making to its end the thread's time counts for `to` (nullptr: for nobody), then again
// for whom it did before. Scopes nest, on one thread. `to` may be shared by threads.
class NodeTime {
 public:
  explicit NodeTime(std::atomic<int64_t>* to) : outer_(running_), to_(to) {
    Switch(to_);
    running_ = this;
  }
  ~NodeTime() {
    Switch(outer_ == nullptr ? nullptr : outer_->to_);
    running_ = outer_;
  }
  NodeTime(const NodeTime&) = delete;
  NodeTime& operator=(const NodeTime&) = delete;

 private:
  // What has passed belongs to who worked until now.
  static void Switch(std::atomic<int64_t>* next) {
    const auto now = std::chrono::steady_clock::now();
    if (to_now_ != nullptr) {
      to_now_->fetch_add((now - since_).count(), std::memory_order_relaxed);
    }
    to_now_ = next;
    since_ = now;
  }

  inline static thread_local NodeTime* running_ = nullptr;
  inline static thread_local std::atomic<int64_t>* to_now_ = nullptr;
  inline static thread_local std::chrono::steady_clock::time_point since_;

  NodeTime* const outer_;
  std::atomic<int64_t>* const to_;
};

}  // namespace leat
