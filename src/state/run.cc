#include "state/run.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace leat {
namespace {

void StoreOffset(char* data, int width, uint64_t i, uint64_t offset) {
  if (width == 8) {
    reinterpret_cast<uint64_t*>(data)[i] = offset;
  } else {
    reinterpret_cast<uint32_t*>(data)[i] = static_cast<uint32_t>(offset);
  }
}

int Width(uint64_t bytes) { return bytes > UINT32_MAX ? 8 : 4; }

}  // namespace

uint64_t HashKey(std::string_view key) { return XXH3_64bits(key.data(), key.size()); }

void RunView::SectionSizes(const RunShape& shape, uint64_t (&sizes)[kSections]) {
  sizes[kWeights] = shape.unit ? 0 : shape.entries * 8;
  sizes[kKeyOffsets] = (shape.keys + 1) * static_cast<uint64_t>(shape.key_width);
  sizes[kFirsts] = shape.single ? 0 : (shape.keys + 1) * static_cast<uint64_t>(shape.first_width);
  sizes[kValueOffsets] = (shape.entries + 1) * static_cast<uint64_t>(shape.value_width);
  sizes[kSlots] = shape.slots * 4;
  sizes[kKeys] = shape.key_bytes;
  sizes[kValues] = shape.value_bytes;
}

RunView::RunView(const RunShape& shape, const char* const (&sections)[kSections])
    : shape_(shape),
      key_offsets_(sections[kKeyOffsets], shape.key_width),
      value_offsets_(sections[kValueOffsets], shape.value_width),
      firsts_(sections[kFirsts], shape.first_width),
      weights_(shape.unit ? nullptr : reinterpret_cast<const int64_t*>(sections[kWeights])),
      slots_(reinterpret_cast<const uint32_t*>(sections[kSlots])),
      keys_(sections[kKeys]),
      values_(sections[kValues]) {}

int64_t RunView::bytes() const {
  uint64_t sizes[kSections];
  SectionSizes(shape_, sizes);
  uint64_t sum = sizeof(SortedRun);
  for (const uint64_t size : sizes) sum += size;
  return static_cast<int64_t>(sum);
}

int64_t RunView::Find(std::string_view wanted, uint64_t hash) const {
  if (shape_.slots == 0) {
    const int64_t k = LowerBound(wanted);
    return k < keys() && key(k) == wanted ? k : -1;
  }
  const uint32_t mask = static_cast<uint32_t>((uint64_t{1} << shape_.index_bits) - 1);
  const uint32_t tag = static_cast<uint32_t>(hash) & ~mask;
  for (uint64_t slot = Home(hash);;) {
    const uint32_t found = slots_[slot];
    if (found == 0) return -1;
    if ((found & ~mask) == tag) {
      const int64_t k = static_cast<int64_t>(found & mask) - 1;
      if (key(k) == wanted) return k;
    }
    if (++slot == shape_.slots) slot = 0;
  }
}

int64_t RunView::LowerBound(std::string_view wanted) const {
  int64_t low = 0, high = keys();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (key(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

size_t SortedRun::Release(size_t bytes) {
  size_t released = 0;
  for (Pages& pages : pages_) {
    while (released < bytes && pages.capacity() > 0) released += pages.Release(bytes - released);
  }
  return released;
}

RunBuilder::RunBuilder(const Bounds& bounds)
    : bounds_(bounds), run_(std::make_unique<SortedRun>()) {
  LEAT_CHECK(bounds.entries < UINT32_MAX, "a run of {} entries", bounds.entries);
  RunShape& shape = run_->shape_;
  shape.key_width = Width(bounds.key_bytes);
  shape.value_width = Width(bounds.value_bytes);
  shape.slots = bounds.keys + bounds.keys / 2 + 2;
  shape.index_bits = static_cast<uint32_t>(std::bit_width(bounds.keys));
  Pages(&pages)[SortedRun::kSections] = run_->pages_;
  pages[SortedRun::kKeyOffsets] = Pages((bounds.keys + 1) * static_cast<uint64_t>(shape.key_width));
  pages[SortedRun::kFirsts] = Pages((bounds.keys + 1) * 4);
  pages[SortedRun::kValueOffsets] =
      Pages((bounds.entries + 1) * static_cast<uint64_t>(shape.value_width));
  pages[SortedRun::kSlots] = Pages(shape.slots * 4);
  pages[SortedRun::kKeys] = Pages(bounds.key_bytes);
  pages[SortedRun::kValues] = Pages(bounds.value_bytes);
}

void RunBuilder::AppendKey(std::string_view key, uint64_t hash) {
  RunShape& shape = run_->shape_;
  if (!key.empty()) {
    std::memcpy(run_->pages_[SortedRun::kKeys].data() + shape.key_bytes, key.data(), key.size());
  }
  auto* firsts = reinterpret_cast<uint32_t*>(run_->pages_[SortedRun::kFirsts].data());
  firsts[shape.keys] = static_cast<uint32_t>(shape.entries);
  shape.key_bytes += key.size();
  shape.keys += 1;
  StoreOffset(run_->pages_[SortedRun::kKeyOffsets].data(), shape.key_width, shape.keys,
              shape.key_bytes);

  const uint64_t number = shape.keys - 1;
  if (number >= kDelay) InsertSlot(number - kDelay);
  delayed_[number % kDelay] = hash;
  __builtin_prefetch(run_->pages_[SortedRun::kSlots].data() + run_->Home(hash) * sizeof(uint32_t),
                     1);
}

void RunBuilder::InsertSlot(uint64_t key) {
  const RunShape& shape = run_->shape_;
  const uint64_t hash = delayed_[key % kDelay];
  const uint32_t mask = static_cast<uint32_t>((uint64_t{1} << shape.index_bits) - 1);
  auto* slots = reinterpret_cast<uint32_t*>(run_->pages_[SortedRun::kSlots].data());
  uint64_t slot = run_->Home(hash);
  while (slots[slot] != 0) {
    if (++slot == shape.slots) slot = 0;
  }
  slots[slot] = (static_cast<uint32_t>(hash) & ~mask) | static_cast<uint32_t>(key + 1);
}

void RunBuilder::AppendValue(std::string_view value, int64_t weight) {
  RunShape& shape = run_->shape_;
  if (!value.empty()) {
    std::memcpy(run_->pages_[SortedRun::kValues].data() + shape.value_bytes, value.data(),
                value.size());
  }
  if (weight != 1) {
    if (!weighted_) run_->pages_[SortedRun::kWeights] = Pages(bounds_.entries * 8);
    weighted_ = true;
    reinterpret_cast<int64_t*>(run_->pages_[SortedRun::kWeights].data())[shape.entries] =
        weight - 1;
  }
  shape.value_bytes += value.size();
  shape.entries += 1;
  StoreOffset(run_->pages_[SortedRun::kValueOffsets].data(), shape.value_width, shape.entries,
              shape.value_bytes);
}

std::unique_ptr<SortedRun> RunBuilder::Finish() {
  RunShape& shape = run_->shape_;
  for (uint64_t key = shape.keys - std::min(shape.keys, kDelay); key < shape.keys; ++key) {
    InsertSlot(key);
  }
  reinterpret_cast<uint32_t*>(run_->pages_[SortedRun::kFirsts].data())[shape.keys] =
      static_cast<uint32_t>(shape.entries);
  shape.single = shape.keys == shape.entries;
  shape.unit = !weighted_;
  if (shape.single) run_->pages_[SortedRun::kFirsts] = Pages();
  const char* sections[SortedRun::kSections];
  for (int i = 0; i < SortedRun::kSections; ++i) sections[i] = run_->pages_[i].data();
  static_cast<RunView&>(*run_) = RunView(shape, sections);
  return std::move(run_);
}

}  // namespace leat
