#include "base/md5.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace leat {
namespace {

constexpr std::array<std::array<int, 4>, 4> kShifts = {
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

// The integer part of 2^32 * |sin(i + 1)|: exact in a double.
const std::array<uint32_t, 64>& Sines() {
  static const auto sines = [] {
    std::array<uint32_t, 64> table{};
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<uint32_t>(std::floor(std::fabs(std::sin(i + 1.0)) * 4294967296.0));
    }
    return table;
  }();
  return sines;
}

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void AddBlock(std::string_view block, std::array<uint32_t, 4>* state) {
  auto [a, b, c, d] = *state;
  for (size_t i = 0; i < 64; ++i) {
    uint32_t mixed = 0;
    size_t word = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d), word = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c), word = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d, word = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d), word = 7 * i % 16;
        break;
    }
    const uint32_t sum = a + mixed + Sines()[i] + LittleEndian(block.substr(word * 4, 4));
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[i / 16][i % 4]);
  }
  *state = {(*state)[0] + a, (*state)[1] + b, (*state)[2] + c, (*state)[3] + d};
}

}  // namespace

std::string Md5(std::string_view bytes) {
  std::array<uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const size_t whole = bytes.size() / 64 * 64;
  for (size_t at = 0; at < whole; at += 64) AddBlock(bytes.substr(at, 64), &state);
  std::string tail(bytes.substr(whole));
  tail += '\x80';
  while (tail.size() % 64 != 56) tail += '\0';
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  for (int shift = 0; shift < 64; shift += 8) tail += static_cast<char>(bits >> shift & 0xFF);
  for (size_t at = 0; at < tail.size(); at += 64) {
    AddBlock(std::string_view(tail).substr(at, 64), &state);
  }
  std::string hex;
  for (const uint32_t word : state) {
    for (int shift = 0; shift < 32; shift += 8) hex += fmt::format("{:02x}", word >> shift & 0xFF);
  }
  return hex;
}

}  // namespace leat
