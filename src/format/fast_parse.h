// The common spellings of values, without branches where it can be. Each returns false for anything
// unusual, right or wrong: the caller then asks data/text.h, which knows PostgreSQL's rules.
#pragma once

#include <immintrin.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>

namespace leat {

// REQUIRES, of all functions here: 16 bytes at `p` may be read, whatever `size` is.
inline constexpr int64_t kReadAhead = 16;

namespace fast {

// kAlign[size][point] moves the digits of a text of `size` bytes, whose decimal point stands at
// `point` (`size`: it has none), to the right end of 16 bytes.
struct AlignTable {
  std::array<std::array<std::array<uint8_t, 16>, 17>, 17> shuffles{};
  constexpr AlignTable() {
    for (int size = 0; size <= 16; ++size) {
      for (int point = 0; point <= size; ++point) {
        auto& shuffle = shuffles[static_cast<size_t>(size)][static_cast<size_t>(point)];
        int from = size - 1;
        for (int to = 15; to >= 0; --to) {
          if (from == point) --from;
          shuffle[static_cast<size_t>(to)] = from >= 0 ? static_cast<uint8_t>(from) : uint8_t{0x80};
          --from;
        }
      }
    }
  }
};
inline constexpr AlignTable kAlign;

inline constexpr std::array<double, 17> kPowersOf10 = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

// Up to 16 bytes of digits with at most one point: the digits' value, and how many follow the
// point.
inline bool Digits(const char* p, size_t size, uint64_t* value, int* fraction) {
  if (size - 1 >= 16) return false;
  const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const auto is_digit = static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)));
  const uint32_t known = (uint32_t{1} << size) - 1;
  const uint32_t points =
      known & static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.'))));
  if (((is_digit | points) & known) != known || (points & (points - 1)) != 0 || points == known) {
    return false;
  }
  const auto point = static_cast<size_t>(std::countr_zero(points | (known + 1)));
  const __m128i shuffle =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(kAlign.shuffles[size][point].data()));
  const __m128i aligned = _mm_shuffle_epi8(digits, shuffle);
  const __m128i pairs = _mm_maddubs_epi16(aligned, _mm_set1_epi16(0x010a));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  const __m128i packed = _mm_packus_epi32(fours, fours);
  const __m128i eights = _mm_madd_epi16(packed, _mm_set1_epi32(0x00012710));
  const auto both = static_cast<uint64_t>(_mm_cvtsi128_si64(eights));
  *value = (both & 0xffffffff) * 100000000 + (both >> 32);
  *fraction = static_cast<int>(size - point) - (points != 0 ? 1 : 0);
  return true;
}

// Clinger's fast path: both the digits and the power of ten are exact doubles, so one division
// rounds once ("How to Read Floating Point Numbers Accurately", 1990). Else std::from_chars.
inline bool Float8(const char* p, size_t size, double* out) {
  const bool negative = size > 0 && *p == '-';
  uint64_t digits;
  int fraction;
  if (Digits(p + negative, size - negative, &digits, &fraction) && digits <= uint64_t{1} << 53)
      [[likely]] {
    const double value = static_cast<double>(digits) / kPowersOf10[static_cast<size_t>(fraction)];
    *out = negative ? -value : value;
    return true;
  }
  // "nan" and "inf" have PostgreSQL's own spellings.
  for (size_t i = 0; i < size; ++i) {
    const bool usual = (p[i] >= '0' && p[i] <= '9') || p[i] == '.' || p[i] == '-' || p[i] == '+' ||
                       p[i] == 'e' || p[i] == 'E';
    if (!usual) return false;
  }
  const auto [end, error] = std::from_chars(p, p + size, *out);
  return error == std::errc() && end == p + size;
}

template <typename Int>
inline bool Integer(const char* p, size_t size, Int* out) {
  const bool negative = size > 0 && *p == '-';
  uint64_t digits;
  int fraction;
  if (!Digits(p + negative, size - negative, &digits, &fraction)) {
    const auto [end, error] = std::from_chars(p, p + size, *out);
    return error == std::errc() && end == p + size;
  }
  const auto value = negative ? -static_cast<int64_t>(digits) : static_cast<int64_t>(digits);
  if (value < std::numeric_limits<Int>::min() || value > std::numeric_limits<Int>::max()) {
    return false;
  }
  *out = static_cast<Int>(value);
  return fraction == 0 && p[size - 1] != '.';
}

// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level
// Date Algorithms").
inline int32_t DaysFromCivil(int32_t year, int32_t month, int32_t day) {
  year -= month <= 2;
  const int32_t era = (year >= 0 ? year : year - 399) / 400;
  const int32_t year_of_era = year - era * 400;
  const int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

inline bool ValidDate(int32_t year, int32_t month, int32_t day) {
  constexpr std::array<int8_t, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[static_cast<size_t>(month)] + (leap && month == 2 ? 1 : 0);
}

// YYYY-MM-DD at `p`, whatever follows.
inline bool DateAt(const char* p, int32_t* out) {
  const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const int is_digit =
      _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits));
  const int is_dash = _mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('-')));
  constexpr int kDigits = 0b11'0110'1111, kDashes = 0b00'1001'0000;
  if ((is_digit & kDigits) != kDigits || (is_dash & kDashes) != kDashes) return false;
  const __m128i packed = _mm_shuffle_epi8(
      digits, _mm_setr_epi8(0, 1, 2, 3, 5, 6, 8, 9, -1, -1, -1, -1, -1, -1, -1, -1));
  const auto pairs =
      static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_maddubs_epi16(packed, _mm_set1_epi16(0x010a))));
  const auto year = static_cast<int32_t>((pairs & 0xffff) * 100 + (pairs >> 16 & 0xffff));
  const auto month = static_cast<int32_t>(pairs >> 32 & 0xffff);
  const auto day = static_cast<int32_t>(pairs >> 48);
  if (!ValidDate(year, month, day)) return false;
  *out = DaysFromCivil(year, month, day);
  return true;
}

inline bool Date(const char* p, size_t size, int32_t* out) { return size == 10 && DateAt(p, out); }

inline bool TwoDigits(const char* p, int64_t below, int64_t* out) {
  const auto tens = static_cast<uint8_t>(p[0] - '0'), ones = static_cast<uint8_t>(p[1] - '0');
  *out = tens * 10 + ones;
  return tens <= 9 && ones <= 9 && *out < below;
}

// HH:MM:SS[.ffffff], all of it.
inline bool Time(const char* p, size_t size, int64_t* micros) {
  int64_t hour, minute, second;
  if (size < 8 || size > 15 || size == 9 || p[2] != ':' || p[5] != ':') return false;
  if (!TwoDigits(p, 24, &hour) || !TwoDigits(p + 3, 60, &minute) ||
      !TwoDigits(p + 6, 60, &second)) {
    return false;
  }
  int64_t fraction = 0;
  if (size > 8) {
    if (p[8] != '.') return false;
    for (size_t i = 9; i < 15; ++i) {
      const auto digit = i < size ? static_cast<uint8_t>(p[i] - '0') : uint8_t{0};
      if (digit > 9) return false;
      fraction = fraction * 10 + digit;
    }
  }
  *micros = ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
  return true;
}

// YYYY-MM-DD HH:MM:SS[.ffffff] (or a T between); with `zone` also Z, +00, +00:00 at the end.
inline bool Timestamp(const char* p, size_t size, bool zone, int64_t* micros) {
  if (size < 19 || (p[10] != ' ' && p[10] != 'T')) return false;
  if (zone) {
    if (p[size - 1] == 'Z') {
      size -= 1;
    } else if (size >= 22 && std::memcmp(p + size - 3, "+00", 3) == 0) {
      size -= 3;
    } else if (size >= 25 && std::memcmp(p + size - 6, "+00:00", 6) == 0) {
      size -= 6;
    }
  }
  int32_t days;
  int64_t time;
  if (size < 19 || !DateAt(p, &days) || !Time(p + 11, size - 11, &time)) return false;
  *micros = days * int64_t{86400000000} + time;
  return true;
}

inline bool Bool(const char* p, size_t size, uint8_t* out) {
  if (size == 1) {
    *out = *p == 't' || *p == '1';
    return *out != 0 || *p == 'f' || *p == '0';
  }
  if (size == 4 && std::memcmp(p, "true", 4) == 0) {
    *out = 1;
    return true;
  }
  *out = 0;
  return size == 5 && std::memcmp(p, "false", 5) == 0;
}

}  // namespace fast
}  // namespace leat
