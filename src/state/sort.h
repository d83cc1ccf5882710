// The order of many (key, value) pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "data/strings.h"

namespace leat {

// The positions of the pairs in ascending memcmp order of (keys[i], values[i]).
// REQUIRES: equally many of both, fewer than 2^32.
std::vector<uint32_t> SortedOrder(const Strings& keys, const Strings& values);

}  // namespace leat
