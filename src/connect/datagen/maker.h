// What makes the rows of a generated table.
#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "catalog/catalog.h"
#include "data/batch.h"

namespace leat {

// Makes rows by their numbers: any range, in any order, gives the same. Immutable.
class RowMaker {
 public:
  virtual ~RowMaker() = default;
  // All columns of the rows [first, first + rows).
  virtual Result<Batch> Make(int64_t first, int64_t rows) const = 0;
  // How many rows there are among the first `events` things that happen.
  virtual int64_t RowsIn(int64_t events) const { return events; }
};

// The randomness of one row, or of one column of it: a generator of its own.
inline Random RandomOf(uint64_t seed, uint64_t stream, int64_t row) {
  Random mixed(seed ^ (stream * 0xD6E8FEB86659FD93ull));
  return Random(mixed() ^ static_cast<uint64_t>(row) * 0x9E3779B97F4A7C15ull);
}

struct LateRows {
  double share = 0;
  int64_t by = 0;  // microseconds, at most
};

Result<std::unique_ptr<RowMaker>> MakeColumnMaker(const Relation& relation, uint64_t seed,
                                                  const LateRows& late);

// The events of Nexmark (Tucker, Tufte, Papadimos, Maier: "NEXMark, a benchmark for queries over
// data streams"), in the distributions of the generator that Apache Beam and Flink use: of 50
// events one is a person, three are auctions, 46 bids.
struct NexmarkSpec {
  std::string entity;  // person, auction, bid
  uint64_t seed = 1;
  int64_t start = 0;  // microseconds
  int64_t events_per_second = 10'000;
  LateRows late;
};
Result<std::unique_ptr<RowMaker>> MakeNexmarkMaker(const NexmarkSpec& spec);
Result<Schema> NexmarkColumns(const std::string& entity);

}  // namespace leat
