#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat {

// The name most like `wanted`, by edits, ignoring case; empty if none is at all alike.
std::string NearestColumnName(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace leat
