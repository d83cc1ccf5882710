// The units of extract, date_part and date_trunc; private to func.
#pragma once

#include <optional>
#include <string_view>

#include "func/kernel.h"

namespace leat {

enum class DateUnit : uint8_t {
  kMicroseconds,
  kMilliseconds,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kDow,
  kIsoDow,
  kDoy,
  kIsoYear,
  kEpoch,
  kJulian,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
  kUnknown,
};

// By PostgreSQL's names and abbreviations, in any case.
DateUnit DateUnitOf(std::string_view name);

// The units that an argument names, looked up once if it is a constant.
class DateUnits {
 public:
  explicit DateUnits(const Argument& arg) : names_(arg) {
    if (arg.constant && arg.array->IsValid(0)) constant_ = DateUnitOf(names_[0]);
  }
  DateUnit operator[](int64_t row) const {
    return constant_ ? *constant_ : DateUnitOf(names_[row]);
  }
  std::string_view name(int64_t row) const { return names_[row]; }

 private:
  Texts names_;
  std::optional<DateUnit> constant_;
};

// `unit "x" not recognized for type date` (22023), or "… not supported …" (0A000).
void SetUnitError(const Call& call, int64_t row, const DateUnits& units, const Type& type,
                  bool supported_elsewhere = true);

}  // namespace leat
