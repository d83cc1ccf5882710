// The memory that all traces of a process share. Each counts what it holds; when the process comes
// near its limit, those that hold most move runs to files (see index.cc), little by little while
// there is time and at once when there is none.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "state/block_cache.h"
#include "state/file.h"

namespace leat {

class StateMemory;

// What one holder of state counts. Written by its owner's thread.
class MemoryAccount {
 public:
  // kTable: state that is not in runs, and becomes runs when it is too much.
  enum class Kind : uint8_t { kRuns, kTable };
  explicit MemoryAccount(StateMemory* memory, Kind kind = Kind::kRuns);
  ~MemoryAccount();
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  void Set(int64_t bytes);
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Whether this holder is to give memory back; asked of whoever holds most.
  bool asked() const { return asked_.load(std::memory_order_relaxed); }
  void Answered() { asked_.store(false, std::memory_order_relaxed); }
  StateMemory* memory() const { return memory_; }

 private:
  friend class StateMemory;
  StateMemory* const memory_;
  const Kind kind_;
  std::atomic<int64_t> bytes_ = 0;
  std::atomic<bool> asked_ = false;
};

// Thread-safe.
class StateMemory {
 public:
  struct Options {
    int64_t limit = INT64_MAX;    // of what `resident` measures
    StateFiles* files = nullptr;  // where to spill; null: nothing can be spilled
    // Bytes that the process takes by now; absent: what the accounts and the cache hold.
    std::function<int64_t()> resident;
    // Makes allocators give back what they hold and nobody uses; tried first when there is too
    // little. May be absent.
    std::function<void()> release;
  };
  explicit StateMemory(Options options);
  ~StateMemory();

  // The memory of the innermost MemoryScope of this thread; without one, a memory without limit.
  static StateMemory* Current();

  // From three quarters of the limit on, holders spill as they go; from nine tenths on, at once.
  enum class Pressure : uint8_t { kNone, kSoft, kHard };
  // Measures; when there is too little, asks the greatest holder to give back.
  Pressure Check();

  // From now on traces may spill there; it outlives them. For whoever limits memory before there is
  // a place for files.
  void UseFiles(StateFiles* files) { files_.store(files); }

  bool limited() const { return options_.limit != INT64_MAX && files() != nullptr; }
  int64_t limit() const { return options_.limit; }
  int64_t held() const { return held_.load(std::memory_order_relaxed); }
  StateFiles* files() const { return files_.load(std::memory_order_relaxed); }
  const std::shared_ptr<BlockCache>& cache() const { return cache_; }
  // What operators collect of one delta before they take it in: a larger one is taken in parts.
  int64_t delta_bytes_max() const { return delta_bytes_max_; }
  // Whether a table, `bytes` of which are in use, takes more than its part of what all tables may
  // take, however many they are: every shard of every aggregate has one.
  bool TableTooLarge(int64_t bytes) const;
  // Holders of less are left alone.
  int64_t spill_bytes_min() const { return spill_bytes_min_; }

 private:
  friend class MemoryAccount;
  const Options options_;
  const int64_t delta_bytes_max_, spill_bytes_min_;
  std::atomic<StateFiles*> files_;
  const std::shared_ptr<BlockCache> cache_;
  std::atomic<int64_t> held_ = 0;
  void AskGreatest();
  int64_t Measure() const;
  int64_t MeasureAfterRelease(int64_t taken);

  std::atomic<int64_t> tables_ = 0;  // of held_: what tables have
  mutable std::mutex mutex_;
  int64_t released_at_ = 0;            // what was taken after the last release; guarded by mutex_
  int64_t unanswered_ = 0;             // checks since somebody was asked; guarded by mutex_
  std::set<MemoryAccount*> accounts_;  // guarded by mutex_
};

// Traces and operators that this thread makes while it lives take part in `memory`, which must
// outlive them. A scope, not a parameter: so that no operator can forget to hand it on.
class MemoryScope {
 public:
  explicit MemoryScope(StateMemory* memory);
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  StateMemory* const outer_;
};

// Bytes of physical memory that this process takes (its resident set, as `ps` and `top` show it).
int64_t ResidentBytes();

}  // namespace leat
