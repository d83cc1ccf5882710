#pragma once

#include <cstddef>
#include <string_view>

namespace leat {

// Levenshtein's distance in bytes, for "Perhaps you meant".
size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace leat
