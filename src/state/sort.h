// The order of many (key, value) pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "data/strings.h"

namespace leat {

// The positions of the pairs in ascending memcmp order of (keys[i], values[i]).
// REQUIRES: equally many of both, fewer than 2^32.
std::vector<uint32_t> SortedOrder(const Strings& keys, const Strings& values);

struct Pairs {
  Strings keys, values;
  std::vector<int64_t> weights;
};

// The pairs in parts of ascending keys, so that each can be sorted within the processor's cache;
// all pairs of a key are in one part. Nothing where they are few, or in order: the whole is as
// good.
std::vector<Pairs> SplitByKey(const Strings& keys, const Strings& values,
                              const std::vector<int64_t>& weights);

}  // namespace leat
