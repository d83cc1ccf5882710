#include "flow/group_keys.h"

#include <arrow/array.h>

#include <algorithm>

#include "flow/aggregate_call.h"
#include "flow/row_errors.h"

namespace leat::aggregate_internal {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr size_t kCacheFirst = 1 << 12;
constexpr size_t kCacheMax = 1 << 18;
constexpr uint32_t kMissed = uint32_t{1} << 31;

size_t CacheSlot(const PackedKey& key, size_t mask) {
  uint64_t hash = key.words[0] * 0x9E3779B97F4A7C15u;
  hash = (hash ^ (hash >> 32) ^ key.words[1]) * 0xC2B2AE3D27D4EB4Fu;
  hash = (hash ^ (hash >> 29) ^ key.words[2]) * 0x165667B19E3779F9u;
  return (hash >> 40) & mask;
}

}  // namespace

GroupKeys::GroupKeys(std::vector<Type> types, bool append_only)
    : types_(std::move(types)),
      append_only_(append_only),
      exact_(std::all_of(types_.begin(), types_.end(), IsExact)),
      packer_(types_),
      cache_(kCacheFirst) {
  if (!exact_ && !append_only_) all_values_ = MakeIndex();
}

Status GroupKeys::Encode(const std::vector<ArrayPtr>& keys, int64_t rows, Strings* out) const {
  if (exact_) return EncodeRows(keys, types_, rows, out);
  std::vector<KeyColumn> columns;
  for (const Type& type : types_) columns.push_back({.type = type});
  return KeyEncoder(std::move(columns)).Encode(keys, rows, out);
}

Status GroupKeys::Resolve(const std::vector<ArrayPtr>& keys, int64_t rows, uint32_t* groups) {
  if (keys.empty()) {
    std::fill(groups, groups + rows, table_.FindOrInsert(""));
    return Status::OK();
  }
  Strings encoded;
  if (!packer_.Pack(keys, rows, &packed_)) {
    LEAT_RETURN(Encode(keys, rows, &encoded));
    table_.FindOrInsert(encoded, groups);
    return Status::OK();
  }
  std::vector<int32_t> misses;
  LookUp(packed_, groups, &misses);
  if (misses.empty()) return Status::OK();

  std::vector<ArrayPtr> missed;
  for (const ArrayPtr& key : keys) {
    LEAT_ASSIGN(auto taken, TakeElements(key, misses));
    missed.push_back(std::move(taken));
  }
  LEAT_RETURN(Encode(missed, static_cast<int64_t>(misses.size()), &encoded));
  std::vector<uint32_t> found(misses.size());
  table_.FindOrInsert(encoded, found.data());
  for (int64_t row = 0; row < rows; ++row) {
    if ((groups[row] & kMissed) != 0) groups[row] = found[groups[row] & ~kMissed];
  }
  const size_t mask = cache_.size() - 1;
  for (size_t i = 0; i < misses.size(); ++i) {
    const PackedKey& key = packed_[static_cast<size_t>(misses[i])];
    cache_[CacheSlot(key, mask)] = {key, found[i], generation_};
  }
  GrowCache(misses.size());
  return Status::OK();
}

void GroupKeys::LookUp(const std::vector<PackedKey>& packed, uint32_t* groups,
                       std::vector<int32_t>* misses) {
  const size_t mask = cache_.size() - 1;
  for (size_t row = 0; row < packed.size(); ++row) {
    CacheEntry& entry = cache_[CacheSlot(packed[row], mask)];
    if (entry.generation != generation_ || entry.key != packed[row]) {
      entry = {packed[row], kMissed | static_cast<uint32_t>(misses->size()), generation_};
      misses->push_back(static_cast<int32_t>(row));
    }
    groups[row] = entry.group;
  }
}

void GroupKeys::GrowCache(size_t misses) {
  if (misses < cache_.size() / 4 || cache_.size() >= kCacheMax) return;
  std::vector<CacheEntry> old(std::min(cache_.size() * 4, kCacheMax));
  old.swap(cache_);
  for (const CacheEntry& entry : old) {
    if (entry.generation == generation_) cache_[CacheSlot(entry.key, cache_.size() - 1)] = entry;
  }
}

Status GroupKeys::NoteValues(const std::vector<ArrayPtr>& keys, const Batch& batch,
                             const uint32_t* groups) {
  if (exact_) return Status::OK();
  Strings encoded;
  LEAT_RETURN(EncodeRows(keys, types_, batch.rows, &encoded));
  std::string value;
  values_.Resize(append_only_ ? table_.capacity() : 0);
  for (int64_t row = 0; row < batch.rows; ++row) {
    value.clear();
    AppendSeq(batch, row, &value);
    value += encoded[row];
    if (append_only_) {
      std::string& least = values_[groups[row]];
      if (least.empty() || value < least) least = value;
    } else {
      noted_keys_.Append(table_.key(groups[row]));
      noted_values_.Append(value);
      noted_weights_.push_back(batch.weight(row));
    }
  }
  return Status::OK();
}

Result<std::vector<ArrayPtr>> GroupKeys::Values(const std::vector<uint32_t>& groups) {
  RowDecoder decoder(types_);
  if (exact_) {
    for (const uint32_t group : groups) LEAT_RETURN(decoder.Append(table_.key(group)));
    return decoder.Finish();
  }
  size_t found = 0;
  const auto append = [&](std::string_view value) -> Status {
    if (value.size() < kSeqBytes) return Status::Invalid("a group without any row's key");
    ++found;
    return decoder.Append(value.substr(kSeqBytes));
  };
  if (append_only_) {
    for (const uint32_t group : groups) LEAT_RETURN(append(values_[group]));
  } else {
    Strings keys;
    for (const uint32_t group : groups) keys.Append(table_.key(group));
    LEAT_RETURN(all_values_->First(
        keys, [&](int64_t, std::string_view value, int64_t) { return append(value); }));
  }
  if (found < groups.size()) return Status::Invalid("a group without any row's key");
  return decoder.Finish();
}

Status GroupKeys::Commit() {
  if (!all_values_) return Status::OK();
  LEAT_RETURN(all_values_->Apply(noted_keys_, noted_values_, noted_weights_));
  noted_keys_.Clear();
  noted_values_.Clear();
  noted_weights_.clear();
  return Status::OK();
}

void GroupKeys::Erase(uint32_t group) {
  table_.Erase(group);
  if (group < values_.size()) values_[group].clear();
  ++generation_;
}

void GroupKeys::Save(uint32_t group, std::string* out) const {
  if (!exact_ && append_only_) *out += values_[group];
}

void GroupKeys::Load(uint32_t group, std::string_view bytes) {
  if (exact_ || !append_only_) return;
  values_.Resize(table_.capacity());
  values_[group] = bytes;
}

Status GroupKeys::Checkpoint(StateWriter* writer) {
  return all_values_ ? all_values_->Checkpoint(writer) : Status::OK();
}

Status GroupKeys::Restore(StateReader* reader) {
  return all_values_ ? all_values_->Restore(reader) : Status::OK();
}

void GroupKeys::ForgetAll() {
  table_ = GroupTable();
  values_ = {};
  cache_ = std::vector<CacheEntry>(kCacheFirst);
  ++generation_;
}

int64_t GroupKeys::table_memory() const {
  return table_.memory() + values_.memory() +
         static_cast<int64_t>(cache_.size() * sizeof(CacheEntry));
}

int64_t GroupKeys::memory() const {
  return table_memory() + (all_values_ ? all_values_->stats().bytes : 0);
}

}  // namespace leat::aggregate_internal
