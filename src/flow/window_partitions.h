// What a window over rows that only come keeps of each partition: its last rows and the states of
// what runs from its beginning. Those that were used lately are in memory; all are in a trace, as
// bytes, up to the last time they were written there, so that checkpoints write what changed,
// memory has a bound where it is limited, and recovery reads a partition when its next row comes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/strings.h"
#include "flow/window_calls.h"
#include "state/index.h"
#include "state/memory.h"
#include "state/store.h"

namespace leat {

// The last rows of a partition, encoded.
class KeptRows {
 public:
  int64_t size() const { return rows_.size() - begin_; }
  std::string_view operator[](int64_t i) const { return rows_[begin_ + i]; }
  // Beyond `rows_max` the first goes.
  void Append(std::string_view row, int64_t rows_max);
  int64_t memory() const;

 private:
  void Compact();
  Strings rows_;
  int64_t begin_ = 0;
};

struct Partition {
  KeptRows kept;
  std::vector<CallState> states;
};

// Takes part in the memory of the scope in which it was made. Used by one thread.
class WindowPartitions {
 public:
  // `calls` states and at most `rows_max` rows of each.
  WindowPartitions(size_t calls, int64_t rows_max);

  // The numbers of the partitions with these keys, which are in memory then; new ones are made.
  // Numbers and partitions stay until Relieve or EndEpoch.
  Result<std::vector<uint32_t>> Resolve(const Strings& keys);
  Partition& operator[](uint32_t number) { return slots_[number].partition; }
  // Those that Resolve gave have changed, as they are now.
  void Changed(const std::vector<uint32_t>& numbers);
  // Partitions leave memory, where it is short.
  Status Relieve();
  // Writes some of what changed to the trace, so that a checkpoint has little to write.
  Status EndEpoch();

  Status Checkpoint(StateWriter* writer);
  Status Restore(StateReader* reader);
  int64_t rows() const { return rows_; }  // kept, of all partitions
  int64_t bytes() const;

 private:
  struct Slot {
    std::string key;
    Partition partition;
    int64_t bytes = 0;
    int64_t rows = 0;  // of `partition`, when last counted
    bool live = false;
    bool in_trace = false;  // the trace has it, perhaps as it was before
    bool changed = false;   // since it was written there
  };
  uint32_t Add(std::string_view key);
  Status Load(Slot* slot, std::string_view bytes) const;
  // The first `count` of those that changed.
  Status Write(int64_t count);
  Status Cool(int64_t count);
  int64_t BytesMax() const;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };

  const size_t calls_;
  const int64_t rows_max_;
  StateMemory* const memory_;
  MemoryAccount account_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_;
  std::deque<Slot> slots_;
  std::vector<uint32_t> free_;
  std::deque<uint32_t> changed_;  // numbers, the longest waiting first
  std::unique_ptr<Index> trace_;  // key → bytes
  int64_t bytes_ = 0, rows_ = 0;
  int64_t touched_ = 0;  // partitions, this epoch; one may count several times
  uint32_t cool_next_ = 0;
};

}  // namespace leat
