// A system outside that is read: partitions of rows that were drawn from the seed and come to light
// as time passes. The rows are its own; what a source reads of it depends on luck, and can be read
// again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "catalog/catalog.h"
#include "connect/source.h"
#include "test/sim/world.h"

namespace leat::sim {

// The columns of every simulated source, as SQL declares them. A row breaks a constraint when its
// id is null or its v is 90 or more; and some cannot be read at all.
inline constexpr const char* kUpstreamColumns =
    "id bigint NOT NULL, k integer, v integer CHECK (v < 90), w double precision, name text";

struct UpstreamRow {
  std::optional<int64_t> id;
  std::optional<int32_t> k, v;
  std::optional<double> w;
  std::optional<std::string> name;
  bool broken = false;
};

// How many rows of each partition lie before a place.
using Place = std::vector<int64_t>;
Offset EncodePlace(const Place& place);
Result<Place> DecodePlace(const Offset& offset, size_t partitions);

class Upstream {
 public:
  Upstream(std::string name, int64_t rows_max, Random random);

  const std::string& name() const { return name_; }
  int64_t rows() const;
  int64_t rows_rejected() const;
  // Whether all rows have come to light.
  bool released() const { return visible() == rows(); }
  void Release(Random* random);
  void ReleaseAll();
  int64_t visible() const;

  size_t partitions() const { return partitions_.size(); }
  int64_t visible(size_t partition) const { return visible_[partition]; }
  // The rows between two places, partition by partition, as a source gives them.
  Result<Arrival> Read(const Relation& relation, const Place& from, const Place& to) const;

 private:
  const std::string name_;
  std::vector<std::vector<UpstreamRow>> partitions_;
  std::vector<int64_t> visible_;
};

// What a canary's source does wrong.
struct SourceLies {
  bool rereads_other_rows = false;  // Reread gives other values, with the checksum of the first
};

// `world` and `upstream` must outlive it.
std::unique_ptr<Source> MakeSimSource(World* world, const Upstream* upstream,
                                      const Relation& relation, int64_t rows_max,
                                      const SourceLies& lies);

}  // namespace leat::sim
