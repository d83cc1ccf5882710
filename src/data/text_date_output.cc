// Dates, times and intervals as text: datestyle ISO, intervalstyle postgres.
#include <fmt/format.h>

#include <array>

#include "data/text_internal.h"

namespace leat::text_internal {
namespace {

void AppendTwoDigits(int32_t value, std::string* out) {
  out->push_back(static_cast<char>('0' + value / 10));
  out->push_back(static_cast<char>('0' + value % 10));
}

// ".5", with as few digits as it takes.
void AppendFraction(int32_t micros, std::string* out) {
  if (micros == 0) return;
  std::array<char, 7> digits = {'.'};
  for (size_t i = 6; i > 0; --i, micros /= 10) digits[i] = static_cast<char>('0' + micros % 10);
  size_t length = digits.size();
  while (digits[length - 1] == '0') --length;
  out->append(digits.data(), length);
}

// Without the era, which follows the time.
void AppendCivil(const CivilDate& date, std::string* out) {
  const int32_t year = date.year > 0 ? date.year : 1 - date.year;
  if (year < 10000) {
    AppendTwoDigits(year / 100, out);
    AppendTwoDigits(year % 100, out);
  } else {
    fmt::format_to(std::back_inserter(*out), "{}", year);
  }
  out->push_back('-');
  AppendTwoDigits(date.month, out);
  out->push_back('-');
  AppendTwoDigits(date.day, out);
}

void AppendEra(const CivilDate& date, std::string* out) {
  if (date.year <= 0) out->append(" BC");
}

void AppendClock(const TimestampFields& fields, std::string* out) {
  AppendTwoDigits(fields.hour, out);
  out->push_back(':');
  AppendTwoDigits(fields.minute, out);
  out->push_back(':');
  AppendTwoDigits(fields.second, out);
  AppendFraction(fields.micros, out);
}

bool AppendInfinity(bool infinite, bool negative, std::string* out) {
  if (infinite) out->append(negative ? "-infinity" : "infinity");
  return infinite;
}

void AppendOffset(int32_t seconds, std::string* out) {
  out->push_back(seconds < 0 ? '-' : '+');
  const int32_t magnitude = seconds < 0 ? -seconds : seconds;
  AppendTwoDigits(magnitude / 3600, out);
  if (magnitude % 3600 != 0) {
    out->push_back(':');
    AppendTwoDigits(magnitude / 60 % 60, out);
  }
  if (magnitude % 60 != 0) {
    out->push_back(':');
    AppendTwoDigits(magnitude % 60, out);
  }
}

}  // namespace

void AppendDate(int32_t days, std::string* out) {
  if (AppendInfinity(IsInfiniteDate(days), days < 0, out)) return;
  const CivilDate date = CivilFromDays(days);
  AppendCivil(date, out);
  AppendEra(date, out);
}

void AppendTime(int64_t micros, std::string* out) {
  // 24:00:00 is a time.
  TimestampFields fields = FieldsOf(micros % kMicrosPerDay);
  fields.hour = static_cast<int32_t>(micros / kMicrosPerHour);
  AppendClock(fields, out);
}

void AppendTimestamp(Micros at, std::string* out) {
  if (AppendInfinity(IsInfiniteTimestamp(at), at < 0, out)) return;
  const TimestampFields fields = FieldsOf(at);
  AppendCivil(fields.date, out);
  out->push_back(' ');
  AppendClock(fields, out);
  AppendEra(fields.date, out);
}

void AppendTimestamptz(Micros at, const TimeZone& zone, std::string* out) {
  if (AppendInfinity(IsInfiniteTimestamp(at), at < 0, out)) return;
  const int32_t offset = zone.OffsetAt(at);
  const TimestampFields fields = FieldsOf(at + offset * kMicrosPerSecond);
  AppendCivil(fields.date, out);
  out->push_back(' ');
  AppendClock(fields, out);
  AppendOffset(offset, out);
  AppendEra(fields.date, out);
}

// As EncodeInterval: a field behind a negative one shows its plus.
void AppendInterval(const Interval& interval, std::string* out) {
  bool first = true, after_negative = false;
  const auto part = [&](int64_t value, std::string_view unit) {
    if (value == 0) return;
    fmt::format_to(std::back_inserter(*out), "{}{}{} {}{}", first ? "" : " ",
                   after_negative && value > 0 ? "+" : "", value, unit, value == 1 ? "" : "s");
    after_negative = value < 0;
    first = false;
  };
  part(interval.months / 12, "year");
  part(interval.months % 12, "mon");
  part(interval.days, "day");
  const int64_t time = interval.nanoseconds / 1000;
  if (time == 0 && !first) return;
  const uint64_t micros = time < 0 ? -static_cast<uint64_t>(time) : static_cast<uint64_t>(time);
  fmt::format_to(std::back_inserter(*out), "{}{}{:02}:{:02}:{:02}", first ? "" : " ",
                 time < 0 ? "-" : (after_negative ? "+" : ""), micros / kMicrosPerHour,
                 micros / kMicrosPerMinute % 60, micros / kMicrosPerSecond % 60);
  AppendFraction(static_cast<int32_t>(micros % kMicrosPerSecond), out);
}

}  // namespace leat::text_internal
