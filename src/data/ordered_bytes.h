// Integers as bytes that memcmp orders: big endian, the sign bit turned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace leat {

inline constexpr size_t kOrderedBytes = sizeof(int64_t);

inline void AppendOrdered(int64_t value, std::string* out) {
  const uint64_t bits = __builtin_bswap64(static_cast<uint64_t>(value) ^ (uint64_t{1} << 63));
  out->append(reinterpret_cast<const char*>(&bits), kOrderedBytes);
}

// REQUIRES: at least kOrderedBytes, the first of which are the value's.
inline int64_t OrderedValue(std::string_view bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), kOrderedBytes);
  return static_cast<int64_t>(__builtin_bswap64(bits) ^ (uint64_t{1} << 63));
}

}  // namespace leat
