// Single values as PostgreSQL's binary formats have them.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"
#include "connect/postgres/copy_encoder.h"
#include "data/date.h"

namespace leat {

inline constexpr char kJsonbVersion = 1;
inline constexpr size_t kIntervalBytes = 16;

// In network byte order at `to`; the place behind it.
template <typename Integer>
char* StoreNetwork(Integer value, char* to) {
  auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  if constexpr (sizeof(bits) == 2) bits = __builtin_bswap16(bits);
  if constexpr (sizeof(bits) == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof(bits) == 8) bits = __builtin_bswap64(bits);
  std::memcpy(to, &bits, sizeof(bits));
  return to + sizeof(bits);
}

template <typename Integer>
void AppendNetwork(Integer value, std::string* out) {
  char bytes[sizeof(value)];
  StoreNetwork(value, bytes);
  out->append(bytes, sizeof(bytes));
}

// PostgreSQL counts from 2000-01-01; infinities are the same numbers there.
inline constexpr int32_t kEpochDays = 10957;
inline constexpr int64_t kEpochMicros = kEpochDays * kMicrosPerDay;
constexpr int32_t DateThere(int32_t days) {
  return IsInfiniteDate(days) ? days : days - kEpochDays;
}
constexpr int64_t TimestampThere(Micros at) {
  return IsInfiniteTimestamp(at) ? at : at - kEpochMicros;
}

// Writes kIntervalBytes.
void PutInterval(const Interval& interval, char* to);
// Whether the server takes it as a text of at most `length_max` code points (-1: any number).
Status CheckText(std::string_view value, int32_t length_max);
// Appends the value at `row`, without its length. REQUIRES: not null; CanSend.
Status AppendCopyValue(const arrow::Array& array, int64_t row, const CopyColumn& column,
                       bool infinite_numerics, std::string* out);

}  // namespace leat
