// What a trace held at one moment: immutable, so that any thread may read it while the trace goes
// on. Costs nothing but the memory of the runs that have been replaced since.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/strings.h"
#include "state/cursor.h"

namespace leat {

// Keys order by memcmp (see data/key.h for how typed values become such keys).
class IndexView {
 public:
  IndexView() = default;
  explicit IndexView(std::vector<AnyRun> runs) : runs_(std::move(runs)) {}

  // Calls `match(i, value, weight)` for every value of keys[i] whose weight is not zero, i in
  // order, values in memcmp order. The views last until the call returns.
  using Match = std::function<Status(int64_t i, std::string_view value, int64_t weight)>;
  Status Probe(const Strings& keys, const Match& match) const {
    return MatchAll<false>(keys, match);
  }
  // The same, but only the first value of keys[i] whose weight is positive: the least of a key with
  // many values costs no more than that of one with few.
  Status First(const Strings& keys, const Match& match) const {
    return MatchAll<true>(keys, match);
  }

  // Whether keys[i] has any value whose weight is not zero; a byte per key.
  Result<std::vector<uint8_t>> Contains(const Strings& keys) const;

  // Calls `visit` for entries with begin <= key < end (an empty `end`: no end) in key order, or
  // from the greatest down if `backward`, until it returns false. The views last until it returns.
  using Visit =
      std::function<Result<bool>(std::string_view key, std::string_view value, int64_t weight)>;
  Status Scan(std::string_view begin, std::string_view end, bool backward,
              const Visit& visit) const;

  const std::vector<AnyRun>& runs() const { return runs_; }

 private:
  // A run that has the key, and where.
  struct Hit {
    const AnyRun* any;
    const RunView* run;  // the run, or the block
    RunPlace place;
    bool goes_on;  // the key's entries, in the next block
    int32_t next;  // the next hit of the same probed key; -1 none
  };
  // The hits of a part of the probed keys.
  struct Hits {
    std::vector<int32_t> first;  // of each key; -1 none
    std::vector<Hit> hits;
    std::vector<std::shared_ptr<const Block>> blocks;  // in which the hits lie
  };
  Status FindHits(const Strings& keys, int64_t begin, int64_t end, Hits* hits) const;
  static Status FindInFile(const AnyRun& any, std::string_view key, uint64_t hash, int32_t* first,
                           Hits* hits);
  static SumCursor SumOf(const Hits& hits, int32_t first);
  // `first_only`: the first value whose weight is positive, not all of them.
  template <bool first_only>
  static Status MatchOne(const Hits& hits, int32_t first, int64_t i, const Match& match);
  template <bool first_only>
  Status MatchAll(const Strings& keys, const Match& match) const;

  std::vector<AnyRun> runs_;
};

}  // namespace leat
