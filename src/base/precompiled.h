// The headers that nearly every file needs and that are dear to parse (Arrow's: three seconds).
// Only the build includes this file; sources include what they use, as if it were not there.
#pragma once

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
