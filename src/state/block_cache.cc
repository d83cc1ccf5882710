#include "state/block_cache.h"

namespace leat {
namespace {

// Of a block beside its bytes: the objects here and in the list and the table.
constexpr int64_t kOverhead = 300;

}  // namespace

std::shared_ptr<const Block> BlockCache::Get(uint64_t key) {
  Part& part = PartOf(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.places.find(key);
  if (found == part.places.end()) return nullptr;
  part.items.splice(part.items.begin(), part.items, found->second);
  return found->second->block;
}

void BlockCache::Put(uint64_t key, std::shared_ptr<const Block> block) {
  Part& part = PartOf(key);
  const int64_t size = block->size + kOverhead;
  if (size > part_bytes_max_) return;
  const std::lock_guard lock(part.mutex);
  if (part.places.contains(key)) return;
  part.items.push_front({key, std::move(block)});
  part.places.emplace(key, part.items.begin());
  part.bytes += size;
  while (part.bytes > part_bytes_max_) {
    part.bytes -= part.items.back().block->size + kOverhead;
    part.places.erase(part.items.back().key);
    part.items.pop_back();
  }
}

int64_t BlockCache::bytes() const {
  int64_t bytes = 0;
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    bytes += part.bytes;
  }
  return bytes;
}

}  // namespace leat
