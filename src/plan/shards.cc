#include "plan/shards.h"

#include <condition_variable>
#include <deque>
#include <mutex>

namespace leat {
namespace {

int64_t BytesOf(const Emission& emission) {
  int64_t bytes = MemoryOf(emission.batch);
  for (const auto& parts : emission.parts) {
    for (const Batch& part : parts) bytes += MemoryOf(part);
  }
  for (const RowError& error : emission.errors) bytes += MemoryOf(error.row);
  return bytes;
}

// Holds what one shard puts out until its turn comes. A worker's thread fills it, the caller's
// empties it.
class Ahead {
 public:
  explicit Ahead(int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Waits while the buffer is full.
  Status Put(Emission emission) {
    const int64_t bytes = BytesOf(emission);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return abandoned_ || bytes_ < bytes_max_; });
    if (abandoned_) return Status::Cancelled("another shard has failed");
    bytes_ += bytes;
    emissions_.push_back(std::move(emission));
    changed_.notify_all();
    return Status::OK();
  }
  void End(Status status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
    ended_ = true;
    changed_.notify_all();
  }
  void Abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }
  // Hands on everything up to the end, and gives the status of the end.
  Status Drain(const Deliver& deliver) {
    std::deque<Emission> taken;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_ || !emissions_.empty(); });
        if (emissions_.empty()) return status_;
        taken.swap(emissions_);
        bytes_ = 0;
        changed_.notify_all();
      }
      for (Emission& emission : taken) LEAT_RETURN(deliver(std::move(emission)));
      taken.clear();
    }
  }

 private:
  const int64_t bytes_max_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Emission> emissions_;
  int64_t bytes_ = 0;
  bool abandoned_ = false;
  bool ended_ = false;
  Status status_;
};

}  // namespace

Status RunShards(ThreadPool* pool, int shards, int64_t ahead_bytes_max, const ShardWork& work,
                 const Deliver& deliver) {
  if (pool == nullptr || pool->threads() == 1 || shards == 1) {
    for (int shard = 0; shard < shards; ++shard) LEAT_RETURN(work(shard, deliver));
    return Status::OK();
  }
  std::deque<Ahead> ahead;
  for (int shard = 0; shard < shards; ++shard) ahead.emplace_back(ahead_bytes_max);
  const std::function<void(int)> task = [&](int shard) {
    Ahead& mine = ahead[static_cast<size_t>(shard)];
    mine.End(
        work(shard, [&](Emission emission) -> Status { return mine.Put(std::move(emission)); }));
  };
  TaskGroup group(pool, shards, task);
  for (int shard = 0; shard < shards; ++shard) {
    const Status status = group.Claim(shard) ? work(shard, deliver)
                                             : ahead[static_cast<size_t>(shard)].Drain(deliver);
    if (status.ok()) continue;
    for (Ahead& other : ahead) other.Abandon();  // the group waits for those that run
    return status;
  }
  return Status::OK();
}

}  // namespace leat
