#include "format/names.h"

#include "base/ascii.h"
#include "base/edit_distance.h"

namespace leat {
std::string NearestColumnName(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string wanted_lower = LowerAscii(wanted);
  // As PostgreSQL: at most half of the letters may differ.
  size_t best = wanted.size() / 2 + 1;
  std::string nearest;
  for (const auto& name : names) {
    const size_t edits = EditDistance(wanted_lower, LowerAscii(name));
    if (edits < best) {
      best = edits;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace leat
