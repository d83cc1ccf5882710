// When a pipeline is run again: every so often, or at times as cron writes them, in UTC.
#pragma once

#include <array>
#include <bitset>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace leat {

class Timetable {
 public:
  // '5 min', '1 day': counted from 1970, so that restarts do not move it.
  static Result<Timetable> Every(std::string_view text);
  // 'minute hour day month weekday', each '*', a number, a name (jan, mon), 'a-b', '*/n', or a
  // list. Where day and weekday are both restricted, either is enough.
  static Result<Timetable> Cron(std::string_view text);

  // The first time after `now`; kNever if there is none (February 30th).
  Micros Next(Micros now) const;

 private:
  Micros every_ = 0;
  std::array<std::bitset<60>, 5> fields_;
  bool any_day_ = true, any_weekday_ = true;
};

}  // namespace leat
