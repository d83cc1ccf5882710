// Rows to groups: the GROUP BY of an aggregate. A cache from packed small keys (dates, integers,
// short text) to group numbers spares most rows the encoding of their key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/batch.h"
#include "data/key.h"
#include "state/chunked.h"
#include "state/group_table.h"
#include "state/index.h"

namespace leat::aggregate_internal {

// Up to 23 bytes of key values side by side and a byte of nulls.
struct PackedKey {
  uint64_t words[3] = {0, 0, 0};
  bool operator==(const PackedKey&) const = default;
};

// Packs rows of columns whose types and values allow it. Equal packed keys are keys of one group.
class KeyPacker {
 public:
  explicit KeyPacker(const std::vector<Type>& types);
  // False: these columns cannot be packed; `out` is then of no meaning.
  bool Pack(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t rows,
            std::vector<PackedKey>* out);

 private:
  std::vector<size_t> offsets_;  // of each column in the key; empty: not packable
  std::vector<Type> types_;
};

class GroupKeys {
 public:
  GroupKeys(std::vector<Type> types, bool append_only);

  // The groups of the rows; new ones get a number.
  Status Resolve(const std::vector<std::shared_ptr<arrow::Array>>& keys, int64_t rows,
                 uint32_t* groups);
  // Remembers which rows' key values stand for their groups: those of least `_seq`, then of least
  // bytes. REQUIRES: Resolve gave `groups` for the same rows.
  Status NoteValues(const std::vector<std::shared_ptr<arrow::Array>>& keys, const Batch& batch,
                    const uint32_t* groups);
  // The key columns of groups: as before the epoch for groups that NoteValues has not seen in it,
  // after Commit as they are.
  Result<std::vector<std::shared_ptr<arrow::Array>>> Values(const std::vector<uint32_t>& groups);
  Status Commit();
  // REQUIRES: no row of the group is left.
  void Erase(uint32_t group);

  GroupTable& table() { return table_; }
  const GroupTable& table() const { return table_; }
  // A group's part of the state besides its key in the table and the trace.
  void Save(uint32_t group, std::string* out) const;
  void Load(uint32_t group, std::string_view bytes);
  Status Checkpoint(StateWriter* writer);
  Status Restore(StateReader* reader);
  // Forgets all groups and gives their memory back; what is in the trace stays.
  void ForgetAll();
  int64_t memory() const;
  int64_t table_memory() const;  // of what is not in the trace

 private:
  struct CacheEntry {
    PackedKey key;
    uint32_t group = 0;
    uint32_t generation = 0;  // entries of an earlier one are void
  };
  Status Encode(const std::vector<std::shared_ptr<arrow::Array>>& keys, int64_t rows,
                Strings* out) const;
  // Looks rows up in the cache; those that miss, one row per key, go to `misses` and the numbers of
  // all that miss to `groups` with kMissed set.
  void LookUp(const std::vector<PackedKey>& packed, uint32_t* groups, std::vector<int32_t>* misses);
  void GrowCache(size_t misses);

  const std::vector<Type> types_;
  const bool append_only_;
  const bool exact_;  // then a group's key in the table is its values' own bytes
  GroupTable table_;
  KeyPacker packer_;
  std::vector<PackedKey> packed_;
  std::vector<CacheEntry> cache_;
  uint32_t generation_ = 1;
  // For keys that are not exact: `_seq` and the values' bytes, the least one of each group where
  // rows only come, else all of them.
  Chunked<std::string> values_;
  std::unique_ptr<Index> all_values_;
  Strings noted_keys_, noted_values_;
  std::vector<int64_t> noted_weights_;
};

}  // namespace leat::aggregate_internal
