// When the value of an expression that reads the epoch's clock changes though its row does not.
#pragma once

#include <memory>
#include <vector>

#include "func/evaluate.h"

namespace leat {

inline constexpr Micros kNeverChanges = INT64_MAX;

// Whether the expression reads the clock: now(), current_date, age(x) …
bool ReadsClock(const Expr& expr);

// Knows of rows until when an expression's value stays what it is. Used by one thread at a time.
class ClockMotion {
 public:
  // What follows the clock in steps (current_date and coarser, date_trunc, extract) may stand
  // anywhere in `expr`. What flows (now()) must stand in a comparison in which everything else is a
  // sum of what does not: `x > now() - interval '1 day'`, `now() - x < ttl`. Other expressions
  // would change all the time, for every row, and are refused.
  static Result<ClockMotion> Of(const ExprPtr& expr);
  ~ClockMotion();
  ClockMotion(ClockMotion&&) noexcept;

  // For each row a time after context.now (kNeverChanges: none) before which the value does not
  // change. It is the same for all clocks from now up to that time, so that a row can be found
  // again by it. The clock never goes back.
  Result<std::vector<Micros>> NextChanges(const Batch& batch, const EvalContext& context);

 private:
  struct Rule;
  explicit ClockMotion(std::vector<Rule> rules);
  std::vector<Rule> rules_;
};

}  // namespace leat
