// A trace: a Z-set of (key, value) byte strings indexed by key. Sorted immutable runs behind a
// memtable, merged a little at every Apply (fuel in proportion to the delta, as in differential
// dataflow's "fueled" spine), so that no single epoch pays for a large merge.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/strings.h"

namespace leat {

class StateWriter;  // state/store.h
class StateReader;

struct IndexStats {
  int64_t entries = 0;  // before merging away what cancels
  int64_t bytes = 0;
  int64_t runs = 0;
};

// Keys order by memcmp (see data/key.h for how typed values become such keys). Not thread-safe.
class Index {
 public:
  virtual ~Index() = default;

  // Adds weights[i] to (keys[i], values[i]); any order, repeats allowed, zeros ignored.
  virtual Status Apply(const Strings& keys, const Strings& values,
                       const std::vector<int64_t>& weights) = 0;

  // Calls `match(i, value, weight)` for every value of keys[i] whose weight is not zero, i in
  // order, values in memcmp order. The views last until the call returns.
  using Match = std::function<Status(int64_t i, std::string_view value, int64_t weight)>;
  virtual Status Probe(const Strings& keys, const Match& match) const = 0;

  // The same, but only the first value of keys[i] whose weight is positive: the least of a key with
  // many values costs no more than that of one with few.
  virtual Status First(const Strings& keys, const Match& match) const = 0;

  // Whether keys[i] has any value whose weight is not zero; a byte per key.
  virtual std::vector<uint8_t> Contains(const Strings& keys) const = 0;

  // Calls `visit` for entries with begin <= key < end (an empty `end`: no end) in key order, or
  // from the greatest down if `backward`, until it returns false.
  using Visit =
      std::function<Result<bool>(std::string_view key, std::string_view value, int64_t weight)>;
  virtual Status Scan(std::string_view begin, std::string_view end, bool backward,
                      const Visit& visit) const = 0;

  virtual IndexStats stats() const = 0;

  // Writes what is new since the last checkpoint and the list of live runs; Restore is its inverse
  // on an empty index.
  virtual Status Checkpoint(StateWriter* writer) = 0;
  virtual Status Restore(StateReader* reader) = 0;
};

std::unique_ptr<Index> MakeIndex();

}  // namespace leat
