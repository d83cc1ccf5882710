// How many rounds a random test plays.
#pragma once

namespace leat {

// All, or a tenth of them where a sanitizer makes each about ten times as dear.
constexpr int Rounds(int rounds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return (rounds + 9) / 10;
#else
  return rounds;
#endif
}

}  // namespace leat
