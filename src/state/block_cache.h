// Blocks of run files that were read lately, within a bound.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "state/run.h"

namespace leat {

// A block of a run file: a small run, and the bytes that it lies in.
struct Block {
  std::unique_ptr<char[]> bytes;
  int64_t size = 0;
  RunView run;
};

// Forgets what was used longest ago. Thread-safe.
class BlockCache {
 public:
  explicit BlockCache(int64_t bytes_max) : part_bytes_max_(bytes_max / kParts) {}

  // `key` names a block of a file for ever.
  std::shared_ptr<const Block> Get(uint64_t key);
  void Put(uint64_t key, std::shared_ptr<const Block> block);
  int64_t bytes() const;

 private:
  static constexpr size_t kParts = 16;
  struct Item {
    uint64_t key;
    std::shared_ptr<const Block> block;
  };
  struct Part {
    mutable std::mutex mutex;  // guards the rest
    std::list<Item> items;     // the latest used first
    std::unordered_map<uint64_t, std::list<Item>::iterator> places;
    int64_t bytes = 0;
  };
  Part& PartOf(uint64_t key) { return parts_[(key * 0x9E3779B97F4A7C15u) >> 60]; }

  const int64_t part_bytes_max_;
  std::array<Part, kParts> parts_;
};

}  // namespace leat
