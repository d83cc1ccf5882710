// The keys of a final join's rows, as integers where they are one or two integers, and a table that
// finds rows by them. Only flow/join*.cc include this.
#pragma once

#include <cstdint>
#include <vector>

#include "data/strings.h"
#include "flow/join_internal.h"

namespace leat::join_internal {

class JoinKeys {
 public:
  // The keys of both sides of a join are made with the same `words`.
  explicit JoinKeys(int words) : words_(words) {}
  // How many integers the keys of a join are: 1 or 2; 0: they are bytes.
  static int WordsOf(const JoinSpec& spec);

  // Appends the keys of rows of side `port`. A row with a null in its key has any.
  Status Append(const JoinSpec& spec, int port, const KeyedColumns& keyed);
  int64_t size() const;
  uint64_t Hash(int64_t row) const;
  // REQUIRES: their hashes are the same.
  bool Same(int64_t row, const JoinKeys& others, int64_t other) const;

 private:
  const int words_;
  std::vector<uint64_t> first_, second_;
  Strings bytes_;
};

// Rows by key: a table of the first row of each key, rows of one key in a chain. Those of
// `left_out` (empty: none) are not in it.
class KeyTable {
 public:
  KeyTable(const JoinKeys& keys, const std::vector<uint8_t>& left_out);
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]); }
  // The first row of the key that is row `row` of `keys`, or -1.
  int32_t Find(const JoinKeys& keys, int64_t row, uint64_t hash) const {
    return slots_[FindSlot(keys, row, hash)].first;
  }
  // The next row with the same key, or -1. In the order of the rows.
  int32_t Next(int32_t row) const { return next_[static_cast<size_t>(row)]; }

 private:
  struct Slot {
    uint64_t hash = 0;
    int32_t first = -1;
  };
  size_t FindSlot(const JoinKeys& keys, int64_t row, uint64_t hash) const {
    for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.first < 0 || (slot.hash == hash && keys_.Same(slot.first, keys, row))) return at;
    }
  }

  const JoinKeys& keys_;
  std::vector<Slot> slots_;
  std::vector<int32_t> next_;
};

}  // namespace leat::join_internal
