// Says of a key that a run cannot have it, without a look at the run: a Bloom filter in which each
// key stays within one cache line (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient
// Bloom Filters", 2007). Eight bits a key; about three of a hundred absent keys pass.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

class KeyFilter {
 public:
  KeyFilter() = default;
  // For up to `keys` keys.
  explicit KeyFilter(uint64_t keys) : bytes_((keys / kLineBytes + 1) * kLineBytes, '\0') {}
  // What bytes() gave. REQUIRES: a multiple of 64 bytes, not none.
  explicit KeyFilter(std::string bytes) : bytes_(std::move(bytes)) {}

  void Add(uint64_t hash) {
    char* line = bytes_.data() + Line(hash);
    ForBits(hash, [&](uint32_t bit) {
      line[bit >> 3] = static_cast<char>(line[bit >> 3] | (1 << (bit & 7)));
      return true;
    });
  }
  bool MayHave(uint64_t hash) const {
    const char* line = bytes_.data() + Line(hash);
    return ForBits(hash, [&](uint32_t bit) { return ((line[bit >> 3] >> (bit & 7)) & 1) != 0; });
  }
  void Prefetch(uint64_t hash) const { __builtin_prefetch(bytes_.data() + Line(hash)); }
  std::string_view bytes() const { return bytes_; }

 private:
  static constexpr uint64_t kLineBytes = 64;
  static constexpr int kBits = 5;  // of a key

  uint64_t Line(uint64_t hash) const {
    const uint64_t lines = bytes_.size() / kLineBytes;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(hash) * lines) >> 64) * kLineBytes;
  }
  // The line is chosen by the hash's high bits, the bits by nine of the mixed ones each.
  template <typename F>
  static bool ForBits(uint64_t hash, F f) {
    uint64_t bits = hash * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < kBits; ++i, bits >>= 9) {
      if (!f(static_cast<uint32_t>(bits & 511))) return false;
    }
    return true;
  }

  std::string bytes_;
};

}  // namespace leat
