// Key bytes to small numbers: the groups of an aggregate. In 256 parts that grow one at a time, so
// that no single insertion pays for moving ten million keys.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "data/strings.h"
#include "state/chunked.h"

namespace leat {

// Numbers are dense: those of erased keys are used again, the latest first. Not thread-safe.
class GroupTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  GroupTable();
  // The numbers of keys[i]; a key that is new gets one.
  void FindOrInsert(const Strings& keys, uint32_t* ids);
  uint32_t FindOrInsert(std::string_view key);
  uint32_t Find(std::string_view key) const;  // kNone if it is not there
  // REQUIRES: `id` is live, here and below.
  std::string_view key(uint32_t id) const {
    const Key& stored = keys_[id];
    return {stored.data, stored.size};
  }
  void Erase(uint32_t id);
  bool live(uint32_t id) const { return keys_[id].live; }

  int64_t size() const { return size_; }             // of live keys
  int64_t capacity() const { return keys_.size(); }  // all numbers are below
  int64_t memory() const;

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t id_plus_one = 0;
  };
  struct Part {
    std::vector<Slot> slots;
    uint32_t used = 0;
  };
  struct Key {
    char* data = nullptr;
    uint32_t size = 0;
    uint32_t capacity : 31 = 0;  // of the bytes, kept for the next key of this number
    uint32_t live : 1 = 0;
  };
  static constexpr size_t kParts = 256;

  uint32_t FindOrInsert(std::string_view key, uint64_t hash);
  // The slot of the key, or the empty one where it would go.
  size_t FindSlot(const Part& part, std::string_view key, uint64_t hash) const;
  void Grow(Part* part);
  void StoreKey(std::string_view key, Key* to);
  char* Allocate(size_t bytes);

  std::array<Part, kParts> parts_;
  Chunked<Key> keys_;
  std::vector<uint32_t> free_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* block_at_ = nullptr;  // where the next key goes
  size_t block_left_ = 0;
  int64_t block_bytes_ = 0;
  int64_t size_ = 0;
};

}  // namespace leat
