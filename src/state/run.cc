#include "state/run.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace leat {
namespace {

// Sections of a run, in the file's order.
constexpr int kKeyOffsets = 0, kFirsts = 1, kValueOffsets = 2, kWeights = 3, kSlots = 4, kKeys = 5,
              kValues = 6;

constexpr char kMagic[8] = {'l', 'e', 'a', 't', 'r', 'u', 'n', '1'};
constexpr uint64_t kAlign = 64;

struct FileHead {
  char magic[8];
  uint32_t shape_size;  // of RunShape: a wrong one is another version's
  uint32_t reserved;
  RunShape shape;
};

uint64_t Padding(uint64_t size) { return (kAlign - size % kAlign) % kAlign; }

void StoreOffset(char* data, bool wide, uint64_t i, uint64_t offset) {
  if (wide) {
    reinterpret_cast<uint64_t*>(data)[i] = offset;
  } else {
    reinterpret_cast<uint32_t*>(data)[i] = static_cast<uint32_t>(offset);
  }
}

bool Wide(uint64_t bytes) { return bytes > UINT32_MAX; }

}  // namespace

uint64_t HashKey(std::string_view key) { return XXH3_64bits(key.data(), key.size()); }

void Run::SectionSizes(const RunShape& shape, uint64_t (&sizes)[kSections]) {
  sizes[kKeyOffsets] = (shape.keys + 1) * (shape.wide_keys != 0 ? 8 : 4);
  sizes[kFirsts] = shape.single != 0 ? 0 : (shape.keys + 1) * 4;
  sizes[kValueOffsets] = (shape.entries + 1) * (shape.wide_values != 0 ? 8 : 4);
  sizes[kWeights] = shape.unit != 0 ? 0 : shape.entries * 8;
  sizes[kSlots] = shape.slots * 4;
  sizes[kKeys] = shape.key_bytes;
  sizes[kValues] = shape.value_bytes;
}

void Run::Point(const char* const (&sections)[kSections]) {
  key_offsets_ = Offsets(sections[kKeyOffsets], shape_.wide_keys != 0);
  firsts_ = shape_.single != 0 ? nullptr : reinterpret_cast<const uint32_t*>(sections[kFirsts]);
  value_offsets_ = Offsets(sections[kValueOffsets], shape_.wide_values != 0);
  weights_ = shape_.unit != 0 ? nullptr : reinterpret_cast<const int64_t*>(sections[kWeights]);
  slots_ = reinterpret_cast<const uint32_t*>(sections[kSlots]);
  keys_ = sections[kKeys];
  values_ = sections[kValues];
}

int64_t Run::bytes() const {
  uint64_t sizes[kSections];
  SectionSizes(shape_, sizes);
  uint64_t sum = sizeof(Run);
  for (const uint64_t size : sizes) sum += size;
  return static_cast<int64_t>(sum);
}

int64_t Run::Find(std::string_view wanted, uint64_t hash) const {
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

int64_t Run::LowerBound(std::string_view wanted) const {
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

std::vector<std::string_view> Run::Pieces(std::string* head) const {
  FileHead start = {};
  std::memcpy(start.magic, kMagic, sizeof(kMagic));
  start.shape_size = sizeof(RunShape);
  start.shape = shape_;
  head->assign(reinterpret_cast<const char*>(&start), sizeof(start));
  head->append(Padding(head->size()), '\0');
  static constexpr char kZeros[kAlign] = {};

  uint64_t sizes[kSections];
  SectionSizes(shape_, sizes);
  std::vector<std::string_view> pieces = {*head};
  const auto add = [&](const void* data, uint64_t size) {
    pieces.emplace_back(static_cast<const char*>(data), size);
    pieces.emplace_back(kZeros, Padding(size));
  };
  // Where each section starts: in our own memory, or in the file that we came from.
  const char* at = file_ ? file_->data() + head->size() : nullptr;
  for (int i = 0; i < kSections; ++i) {
    add(file_ ? at : pages_[i].data(), sizes[i]);
    if (file_) at += sizes[i] + Padding(sizes[i]);
  }
  return pieces;
}

Result<std::unique_ptr<Run>> Run::FromFile(std::shared_ptr<const std::string_view> file) {
  const std::string_view bytes = *file;
  FileHead head;
  if (bytes.size() < sizeof(head)) return Status::IOError("a run of the state is truncated");
  std::memcpy(&head, bytes.data(), sizeof(head));
  if (std::memcmp(head.magic, kMagic, sizeof(kMagic)) != 0 || head.shape_size != sizeof(RunShape)) {
    return Status::IOError("a run of the state has a format that this version does not know");
  }
  auto run = std::make_unique<Run>();
  run->shape_ = head.shape;
  uint64_t sizes[kSections];
  SectionSizes(head.shape, sizes);
  uint64_t at = sizeof(head) + Padding(sizeof(head));
  const char* sections[kSections];
  for (int i = 0; i < kSections; ++i) {
    if (at > bytes.size() || sizes[i] > bytes.size() - at) {
      return Status::IOError("a run of the state is truncated");
    }
    sections[i] = bytes.data() + at;
    at += sizes[i] + Padding(sizes[i]);
  }
  run->Point(sections);
  run->file_ = std::move(file);
  return run;
}

size_t Run::Release(size_t bytes) {
  size_t released = 0;
  for (Pages& pages : pages_) {
    while (released < bytes && pages.capacity() > 0) released += pages.Release(bytes - released);
  }
  return released;
}

RunBuilder::RunBuilder(const Bounds& bounds) : bounds_(bounds), run_(std::make_unique<Run>()) {
  LEAT_CHECK(bounds.entries < UINT32_MAX, "a run of {} entries", bounds.entries);
  RunShape& shape = run_->shape_;
  shape.wide_keys = Wide(bounds.key_bytes) ? 1 : 0;
  shape.wide_values = Wide(bounds.value_bytes) ? 1 : 0;
  shape.slots = bounds.keys + bounds.keys / 2 + 2;
  shape.index_bits = static_cast<uint32_t>(std::bit_width(bounds.keys));
  Pages(&pages)[Run::kSections] = run_->pages_;
  pages[kKeyOffsets] = Pages((bounds.keys + 1) * (shape.wide_keys != 0 ? 8 : 4));
  pages[kFirsts] = Pages((bounds.keys + 1) * 4);
  pages[kValueOffsets] = Pages((bounds.entries + 1) * (shape.wide_values != 0 ? 8 : 4));
  pages[kSlots] = Pages(shape.slots * 4);
  pages[kKeys] = Pages(bounds.key_bytes);
  pages[kValues] = Pages(bounds.value_bytes);
}

void RunBuilder::AppendKey(std::string_view key, uint64_t hash) {
  RunShape& shape = run_->shape_;
  if (!key.empty()) {
    std::memcpy(run_->pages_[kKeys].data() + shape.key_bytes, key.data(), key.size());
  }
  auto* firsts = reinterpret_cast<uint32_t*>(run_->pages_[kFirsts].data());
  firsts[shape.keys] = static_cast<uint32_t>(shape.entries);
  shape.key_bytes += key.size();
  shape.keys += 1;
  StoreOffset(run_->pages_[kKeyOffsets].data(), shape.wide_keys != 0, shape.keys, shape.key_bytes);

  const uint64_t number = shape.keys - 1;
  if (number >= kDelay) InsertSlot(number - kDelay);
  delayed_[number % kDelay] = hash;
  __builtin_prefetch(run_->pages_[kSlots].data() + run_->Home(hash) * sizeof(uint32_t), 1);
}

void RunBuilder::InsertSlot(uint64_t key) {
  const RunShape& shape = run_->shape_;
  const uint64_t hash = delayed_[key % kDelay];
  const uint32_t mask = static_cast<uint32_t>((uint64_t{1} << shape.index_bits) - 1);
  auto* slots = reinterpret_cast<uint32_t*>(run_->pages_[kSlots].data());
  uint64_t slot = run_->Home(hash);
  while (slots[slot] != 0) {
    if (++slot == shape.slots) slot = 0;
  }
  slots[slot] = (static_cast<uint32_t>(hash) & ~mask) | static_cast<uint32_t>(key + 1);
}

void RunBuilder::AppendValue(std::string_view value, int64_t weight) {
  RunShape& shape = run_->shape_;
  if (!value.empty()) {
    std::memcpy(run_->pages_[kValues].data() + shape.value_bytes, value.data(), value.size());
  }
  if (weight != 1) {
    if (!weighted_) run_->pages_[kWeights] = Pages(bounds_.entries * 8);
    weighted_ = true;
    reinterpret_cast<int64_t*>(run_->pages_[kWeights].data())[shape.entries] = weight - 1;
  }
  shape.value_bytes += value.size();
  shape.entries += 1;
  StoreOffset(run_->pages_[kValueOffsets].data(), shape.wide_values != 0, shape.entries,
              shape.value_bytes);
}

std::unique_ptr<Run> RunBuilder::Finish() {
  RunShape& shape = run_->shape_;
  for (uint64_t key = shape.keys - std::min(shape.keys, kDelay); key < shape.keys; ++key) {
    InsertSlot(key);
  }
  reinterpret_cast<uint32_t*>(run_->pages_[kFirsts].data())[shape.keys] =
      static_cast<uint32_t>(shape.entries);
  shape.single = shape.keys == shape.entries ? 1 : 0;
  shape.unit = weighted_ ? 0 : 1;
  if (shape.single != 0) run_->pages_[kFirsts] = Pages();
  const char* sections[Run::kSections];
  for (int i = 0; i < Run::kSections; ++i) sections[i] = run_->pages_[i].data();
  run_->Point(sections);
  return std::move(run_);
}

}  // namespace leat
