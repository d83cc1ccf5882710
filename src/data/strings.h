// Many byte strings in one allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// Byte strings laid end to end; string i is [offsets[i], offsets[i + 1]).
struct Strings {
  std::string bytes;
  std::vector<uint64_t> offsets = {0};
  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  std::string_view operator[](int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return {bytes.data() + offsets[at], offsets[at + 1] - offsets[at]};
  }
  void Append(std::string_view s) {
    bytes.append(s);
    offsets.push_back(bytes.size());
  }
  void Clear() {
    bytes.clear();
    offsets.assign(1, 0);
  }
};

}  // namespace leat
