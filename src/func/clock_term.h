// Expressions of the clock alone: now() - interval '30 days', current_date, date_trunc('hour',
// now()). How far they are from the clock, and when they step. Private to func.
#pragma once

#include <optional>

#include "func/clock_motion.h"

namespace leat {

// Whether it reads neither columns nor `_seq`.
bool IsColumnFree(const Expr& expr);

// A date or timestamp as microseconds since 1970 as it reads; an interval, a month counting 30
// days, as PostgreSQL orders them; a number of days. Nothing where the value is null or infinite.
std::optional<__int128> MicrosIn(const arrow::Array& array, const Type& type, int64_t row);

// A column-free date or timestamp g that follows the clock: at a time t its value in microseconds
// lies in t + [low, high]. Between two steps it either stands still or goes with the clock.
struct ClockTerm {
  ExprPtr expr;
  Micros low = 0, high = 0;
  int zones = 0;        // more of either where the session's zone is not UTC, so many times
  bool flows = true;    // between steps it goes with the clock
  bool months = false;  // jumps at midnights
  Micros step_max = 0;  // no step is longer, where it does not flow

  // Exactly at one distance from the clock, for ever.
  bool exact(bool utc) const { return flows && !months && (utc || zones == 0); }
};
std::optional<ClockTerm> ClockTermOf(const ExprPtr& expr);

// The longest that a column-free expression stands still: current_date, date_trunc of a clock, a
// cast of one to date, extract(day from …). Nothing where it is not of these.
std::optional<Micros> StepMaxOf(const Expr& expr);

// The first time after the clock at which such an expression's value is another. A function of the
// step that the clock is in alone.
Result<Micros> NextStep(const Expr& expr, Micros step_max, const EvalContext& context);

}  // namespace leat
