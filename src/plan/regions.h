// Which operators of a dataflow run shard by shard together, with nothing exchanged in between.
#pragma once

#include <vector>

#include "sql/logical.h"

namespace leat {

// The expressions by which a node's rows may be split into shards that know nothing of each other,
// for each of its inputs; empty: the node needs all rows in one place, or has no state at all.
std::vector<std::vector<ExprPtr>> ShardKeysOf(const Logical& node);

// Filter, project, UNION ALL: a row's answer depends on nothing but the row.
bool IsLinear(const Logical& node);

struct Region {
  enum class Kind : uint8_t {
    kArrival,  // scans and the linear nodes above them: any stretch of the arrivals by itself
    kKeyed,    // shards by the key of its first node, which an exchange feeds
    kSerial,   // one node, on the caller's thread, as its inputs come
  };
  Kind kind = Kind::kSerial;
  std::vector<int> nodes;  // children before parents
};

// A node as the planner of regions sees it.
struct RegionNode {
  const Logical* logical = nullptr;
  std::vector<int> children;  // earlier nodes
  bool in_order = false;      // its rows leave in the order of `_seq`
  bool sharded = true;        // false: its state was made without shards
};

// The regions, each after those that feed it. Linear nodes stay with what they follow; a keyed node
// joins the region of its only input if that is split by the same key. Where the order of arrival
// is promised across several regions (a UNION ALL), they stay serial.
std::vector<Region> PlanRegions(const std::vector<RegionNode>& nodes);

}  // namespace leat
