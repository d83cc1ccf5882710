// Random numbers from a seed, the same on every machine and with every standard library. Nothing
// else draws any: a failure is replayed from its seed.
#pragma once

#include <cstdint>

namespace leat {

// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, any seed is good. Not for secrets. Works
// as a URBG of <random>, whose distributions however differ between libraries: prefer Below and
// Unit.
class Random {
 public:
  using result_type = uint64_t;
  explicit Random(uint64_t seed) : state_(seed) {}

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }
  uint64_t operator()() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  // In [0, end), without bias that any test could see. REQUIRES: end > 0.
  uint64_t Below(uint64_t end) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>((*this)()) * end >> 64);
  }
  // In [0, 1), all 53 bits.
  double Unit() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  // True once in `times`. REQUIRES: times > 0.
  bool OneIn(uint64_t times) { return Below(times) == 0; }
  // A generator of its own for a part of the work, which then does not disturb the others.
  Random Fork() { return Random((*this)()); }

 private:
  uint64_t state_;
};

}  // namespace leat
