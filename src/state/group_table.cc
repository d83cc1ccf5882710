#include "state/group_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "state/run.h"

namespace leat {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kSlotsFirst = 16;
constexpr int64_t kPrefetchRows = 64;

size_t PartOf(uint64_t hash) { return hash >> 56; }

}  // namespace

GroupTable::GroupTable() {
  for (Part& part : parts_) part.slots.resize(kSlotsFirst);
}

size_t GroupTable::FindSlot(const Part& part, std::string_view wanted, uint64_t hash) const {
  const size_t mask = part.slots.size() - 1;
  const auto tag = static_cast<uint32_t>(hash);
  for (size_t at = tag & mask;; at = (at + 1) & mask) {
    const Slot slot = part.slots[at];
    if (slot.id_plus_one == 0) return at;
    if (slot.hash == tag && key(slot.id_plus_one - 1) == wanted) return at;
  }
}

void GroupTable::FindOrInsert(const Strings& keys, uint32_t* ids) {
  uint64_t hashes[kPrefetchRows];
  for (int64_t begin = 0; begin < keys.size(); begin += kPrefetchRows) {
    const int64_t end = std::min(keys.size(), begin + kPrefetchRows);
    for (int64_t i = begin; i < end; ++i) {
      const uint64_t hash = hashes[i - begin] = HashKey(keys[i]);
      const Part& part = parts_[PartOf(hash)];
      __builtin_prefetch(&part.slots[static_cast<uint32_t>(hash) & (part.slots.size() - 1)]);
    }
    for (int64_t i = begin; i < end; ++i) ids[i] = FindOrInsert(keys[i], hashes[i - begin]);
  }
}

uint32_t GroupTable::FindOrInsert(std::string_view wanted) {
  return FindOrInsert(wanted, HashKey(wanted));
}

uint32_t GroupTable::Find(std::string_view wanted) const {
  const uint64_t hash = HashKey(wanted);
  const Part& part = parts_[PartOf(hash)];
  return part.slots[FindSlot(part, wanted, hash)].id_plus_one - 1;  // 0 gives kNone
}

uint32_t GroupTable::FindOrInsert(std::string_view wanted, uint64_t hash) {
  Part& part = parts_[PartOf(hash)];
  const size_t slot = FindSlot(part, wanted, hash);
  if (part.slots[slot].id_plus_one != 0) return part.slots[slot].id_plus_one - 1;
  uint32_t id;
  if (free_.empty()) {
    LEAT_CHECK(keys_.size() < INT32_MAX, "more than 2^31 groups");
    id = static_cast<uint32_t>(keys_.size());
    keys_.Resize(keys_.size() + 1);
  } else {
    id = free_.back();
    free_.pop_back();
  }
  StoreKey(wanted, &keys_[id]);
  part.slots[slot] = {static_cast<uint32_t>(hash), id + 1};
  ++size_;
  if (++part.used * 4 > part.slots.size() * 3) Grow(&part);
  return id;
}

void GroupTable::Grow(Part* part) {
  std::vector<Slot> old(part->slots.size() * 2);
  old.swap(part->slots);
  const size_t mask = part->slots.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id_plus_one == 0) continue;
    size_t at = slot.hash & mask;
    while (part->slots[at].id_plus_one != 0) at = (at + 1) & mask;
    part->slots[at] = slot;
  }
}

// Linear probing without tombstones: what follows moves up into the gap.
void GroupTable::Erase(uint32_t id) {
  const uint64_t hash = HashKey(key(id));
  Part& part = parts_[PartOf(hash)];
  const size_t mask = part.slots.size() - 1;
  size_t gap = FindSlot(part, key(id), hash);
  LEAT_CHECK(part.slots[gap].id_plus_one == id + 1, "group {} is not there", id);
  for (size_t at = (gap + 1) & mask; part.slots[at].id_plus_one != 0; at = (at + 1) & mask) {
    const size_t home = part.slots[at].hash & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    part.slots[gap] = part.slots[at];
    gap = at;
  }
  part.slots[gap] = {};
  --part.used;
  --size_;
  keys_[id].live = 0;
  free_.push_back(id);
}

void GroupTable::StoreKey(std::string_view bytes, Key* to) {
  if (bytes.size() > to->capacity || to->data == nullptr) {
    // Half as much again than the key before it, so that what is left behind stays in proportion.
    const size_t capacity =
        std::max<size_t>((bytes.size() + 7) / 8 * 8, to->capacity + to->capacity / 2);
    LEAT_CHECK(capacity < INT32_MAX, "a key of {} bytes", bytes.size());
    to->data = Allocate(capacity);
    to->capacity = static_cast<uint32_t>(capacity) & 0x7FFFFFFFu;
  }
  if (!bytes.empty()) std::memcpy(to->data, bytes.data(), bytes.size());
  to->size = static_cast<uint32_t>(bytes.size());
  to->live = 1;
}

char* GroupTable::Allocate(size_t bytes) {
  const bool alone = bytes > kBlockBytes / 4;
  if (alone || bytes > block_left_) {
    const size_t block = alone ? bytes : kBlockBytes;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    block_bytes_ += static_cast<int64_t>(block);
    if (alone) return blocks_.back().get();
    block_at_ = blocks_.back().get();
    block_left_ = block;
  }
  block_left_ -= bytes;
  return std::exchange(block_at_, block_at_ + bytes);
}

int64_t GroupTable::memory() const {
  int64_t bytes = keys_.memory() + block_bytes_;
  for (const Part& part : parts_) bytes += static_cast<int64_t>(part.slots.size() * sizeof(Slot));
  return bytes;
}

}  // namespace leat
