#include "format/names.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace leat {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Levenshtein's distance.
size_t Edits(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestColumnName(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string wanted_lower = Lower(wanted);
  // As PostgreSQL: at most half of the letters may differ.
  size_t best = wanted.size() / 2 + 1;
  std::string nearest;
  for (const auto& name : names) {
    const size_t edits = Edits(wanted_lower, Lower(name));
    if (edits < best) {
      best = edits;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace leat
