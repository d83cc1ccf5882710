// How far an API was asked: an http source's offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace leat {

// A row that was read, as far as it must be known again.
struct SeenRow {
  uint64_t hash = 0;
  int64_t cursor = 0;  // 0 without one
};

struct HttpPosition {
  int64_t answers = 0;  // taken so far: the number of the next one
  int64_t round = 0;    // finished rounds
  Micros round_began = 0;
  int64_t each = 0;   // the row of `for_each` whose turn it is
  int64_t page = 0;   // the answers of its turn so far
  std::string next;   // the link to its next one, without secrets
  std::string since;  // the round's {cursor}
  bool has_high = false;
  int64_t high = 0;  // the greatest value of the cursor column
  std::vector<SeenRow> seen;
};

// Canonical JSON, and back. "" is the beginning.
std::string EncodeHttpPosition(const HttpPosition& position);
Result<HttpPosition> DecodeHttpPosition(std::string_view text);

}  // namespace leat
