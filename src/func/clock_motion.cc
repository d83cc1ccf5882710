#include "func/clock_motion.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <array>
#include <optional>

#include "data/date.h"
#include "func/clock_term.h"
#include "func/function.h"

namespace leat {
namespace {

constexpr Micros kQuarterHour = 15 * kMicrosPerMinute;
constexpr Micros kZoneSlack = 27 * kMicrosPerHour;  // more than any two zones differ

// As g op x, for a clock term g.
enum class CompareTo : uint8_t { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual };

// A sum of at most one clock term and of expressions that read no clock.
struct Sum {
  struct Part {
    ExprPtr expr;
    int sign;
  };
  std::optional<ClockTerm> term;
  int slope = 0;  // the term's sign
  std::vector<Part> parts;
};

bool IsTimeLike(const Type& type) {
  return type.id == TypeId::kDate || type.id == TypeId::kTimestamp ||
         type.id == TypeId::kTimestamptz || type.id == TypeId::kInterval || type.is_integer();
}

std::optional<Sum> SumOf(const ExprPtr& expr);

std::optional<Sum> Added(const ExprPtr& a, const ExprPtr& b, int sign) {
  auto left = SumOf(a), right = SumOf(b);
  if (!left || !right || (left->term && right->term)) return std::nullopt;
  if (right->term) {
    left->term = right->term;
    left->slope = sign * right->slope;
  }
  for (const Sum::Part& part : right->parts) left->parts.push_back({part.expr, sign * part.sign});
  return left;
}

bool IsInstant(const Type& type) {
  return IsTimeLike(type) && type.id != TypeId::kInterval && !type.is_integer();
}

// Whether a - b (a + b) is their difference (sum) in microseconds, whatever they are: what of an
// interval is months and days counts as such only between intervals and between numbers of days.
bool AddsUp(const Expr& sum) {
  if (sum.args.size() != 2) return false;
  const Type &a = sum.args[0]->type, &b = sum.args[1]->type;
  if (sum.function->name == "-" && IsInstant(a) && a.id == b.id) return true;
  const bool days = (a.is_integer() || a.id == TypeId::kDate) && b.is_integer();
  const bool intervals = a.id == TypeId::kInterval && b.id == TypeId::kInterval;
  return (sum.function->name == "-" || sum.function->name == "+") && (days || intervals);
}

std::optional<Sum> SumOf(const ExprPtr& expr) {
  if (!IsTimeLike(expr->type)) return std::nullopt;
  if (!ReadsClock(*expr)) return Sum{.parts = {{expr, 1}}};
  if (auto term = ClockTermOf(expr)) return Sum{.term = std::move(term), .slope = 1};
  if (expr->kind == ExprKind::kCast && expr->type.is_integer() &&
      expr->args[0]->type.is_integer()) {
    return SumOf(expr->args[0]);
  }
  if (expr->kind != ExprKind::kCall || !AddsUp(*expr)) return std::nullopt;
  return Added(expr->args[0], expr->args[1], expr->function->name == "-" ? -1 : 1);
}

std::optional<CompareTo> ComparisonOf(const Expr& expr) {
  if (expr.kind != ExprKind::kCall || expr.args.size() != 2) return std::nullopt;
  const std::string& name = expr.function->name;
  if (name == "<") return CompareTo::kLess;
  if (name == "<=") return CompareTo::kLessOrEqual;
  if (name == ">") return CompareTo::kGreater;
  if (name == ">=") return CompareTo::kGreaterOrEqual;
  for (const char* equal : {"=", "<>", "is distinct from", "is not distinct from"}) {
    if (name == equal) return CompareTo::kEqual;
  }
  return std::nullopt;
}

CompareTo Turned(CompareTo op) {
  switch (op) {
    case CompareTo::kLess:
      return CompareTo::kGreater;
    case CompareTo::kLessOrEqual:
      return CompareTo::kGreaterOrEqual;
    case CompareTo::kGreater:
      return CompareTo::kLess;
    case CompareTo::kGreaterOrEqual:
      return CompareTo::kLessOrEqual;
    case CompareTo::kEqual:
      break;
  }
  return op;
}

Micros Clamped(__int128 at) {
  constexpr __int128 kFar = __int128{1} << 62;
  return static_cast<Micros>(std::clamp(at, -kFar, kFar));
}

}  // namespace

// Either a comparison of a clock term with what the row says, or a column-free expression's steps.
struct ClockMotion::Rule {
  ExprPtr steps;  // set: these
  Micros step_max = 0;
  ClockTerm term;
  CompareTo op = CompareTo::kEqual;
  std::vector<Sum::Part> parts;  // their sum is what the term is compared with

  // The step that the clock is in: [begin, end). What a small epoch should not compute again.
  struct Step {
    Micros begin = 0, end = 0;
    std::string timezone;
  } step;

  Result<Micros> EndOfStep(const ExprPtr& expr, Micros longest, const EvalContext& context);
  Result<Micros> EndOfTermStep(const EvalContext& context);
  Status Apply(const Batch& batch, const EvalContext& context, std::vector<Micros>* changes);
};

namespace {

Status Refuse(const Expr& expr) {
  return NotSupported(
      fmt::format("an answer that changes all the time, by {}, cannot be kept up to date",
                  expr.function->name),
      expr.location,
      "Compare it with a sum of columns, as in x > now() - interval '1 day' or now() - x < "
      "interval '1 day'; take it in steps: current_date, date_trunc('hour', now()); or leave it "
      "to who reads.");
}

// Calls `found` with each part of the expression that moves by itself.
Status Analyze(const ExprPtr& expr, const std::function<void(const ExprPtr&, Micros)>& steps,
               const std::function<void(Sum, CompareTo)>& compares) {
  if (!ReadsClock(*expr)) return Status::OK();
  if (const auto longest = StepMaxOf(*expr)) {
    steps(expr, *longest);
    return Status::OK();
  }
  if (const auto op = ComparisonOf(*expr)) {
    auto sum = Added(expr->args[0], expr->args[1], -1);
    if (sum && sum->term) {
      compares(*std::move(sum), *op);
      return Status::OK();
    }
  }
  if (expr->kind == ExprKind::kCall && expr->function->name == "age" && expr->args.size() == 1) {
    const auto today = FindFunctions("current_date");
    steps(CallExpr(today[0], {}, today[0]->result), 50 * kMicrosPerHour);
    return Analyze(expr->args[0], steps, compares);
  }
  const bool leaf = std::none_of(expr->args.begin(), expr->args.end(),
                                 [](const ExprPtr& arg) { return ReadsClock(*arg); });
  if (leaf) return Refuse(*expr);
  for (const ExprPtr& arg : expr->args) LEAT_RETURN(Analyze(arg, steps, compares));
  return Status::OK();
}

}  // namespace

ClockMotion::ClockMotion(std::vector<Rule> rules) : rules_(std::move(rules)) {}
ClockMotion::~ClockMotion() = default;
ClockMotion::ClockMotion(ClockMotion&&) noexcept = default;

Result<ClockMotion> ClockMotion::Of(const ExprPtr& expr) {
  std::vector<Rule> rules;
  const auto steps = [&](const ExprPtr& of, Micros longest) {
    Rule rule;
    rule.steps = of;
    rule.step_max = longest;
    rules.push_back(std::move(rule));
  };
  const auto compares = [&](Sum sum, CompareTo op) {
    Rule rule;
    rule.term = *std::move(sum.term);
    rule.op = sum.slope > 0 ? op : Turned(op);
    rule.parts = std::move(sum.parts);
    for (Sum::Part& part : rule.parts) part.sign *= -sum.slope;
    rules.push_back(std::move(rule));
  };
  LEAT_RETURN(Analyze(expr, steps, compares));
  return ClockMotion(std::move(rules));
}

Result<Micros> ClockMotion::Rule::EndOfStep(const ExprPtr& expr, Micros longest,
                                            const EvalContext& context) {
  if (context.now < step.begin || context.now >= step.end || step.timezone != context.timezone) {
    LEAT_ASSIGN(const Micros end, NextStep(*expr, longest, context));
    step = {.begin = context.now, .end = end, .timezone = context.timezone};
  }
  return step.end;
}

// When the term next does anything but stand still or go with the clock.
Result<Micros> ClockMotion::Rule::EndOfTermStep(const EvalContext& context) {
  if (!term.flows) return EndOfStep(term.expr, term.step_max, context);
  const bool utc = context.timezone == "UTC";
  // Zones change their offsets at such times; months clamp at midnights.
  const Micros grid = utc || term.zones == 0 ? kMicrosPerDay : kQuarterHour;
  return (FloorDivide(context.now, grid) + 1) * grid;
}

Status ClockMotion::Rule::Apply(const Batch& batch, const EvalContext& context,
                                std::vector<Micros>* changes) {
  const Micros now = context.now;
  if (steps != nullptr) {
    LEAT_ASSIGN(const Micros end, EndOfStep(steps, step_max, context));
    for (Micros& change : *changes) change = std::min(change, end);
    return Status::OK();
  }
  // What the term is compared with; rows that have no such value never change.
  std::vector<__int128> other(static_cast<size_t>(batch.rows), 0);
  std::vector<uint8_t> known(static_cast<size_t>(batch.rows), 1);
  for (const Sum::Part& part : parts) {
    ErrorMask errors(batch.rows);
    LEAT_ASSIGN(const auto values, Evaluate(*part.expr, batch, context, {}, &errors));
    for (int64_t row = 0; row < batch.rows; ++row) {
      const auto i = static_cast<size_t>(row);
      const auto value = errors.Has(row) ? std::nullopt : MicrosIn(*values, part.expr->type, row);
      if (value)
        other[i] += part.sign * *value;
      else
        known[i] = 0;
    }
  }
  LEAT_ASSIGN(const auto scalar, EvaluateConstant(*term.expr, context));
  LEAT_ASSIGN(const auto array, arrow::MakeArrayFromScalar(*scalar, 1));
  const auto present = MicrosIn(*array, term.expr->type, 0);
  if (!present) return Status::OK();
  const bool utc = context.timezone == "UTC";
  const bool exact = term.exact(utc);
  const Micros slack = utc ? 0 : term.zones * kZoneSlack;
  const __int128 low = exact ? *present - now : __int128{term.low} - slack;
  const __int128 high = exact ? *present - now : __int128{term.high} + slack;
  std::optional<Micros> end_of_step;
  for (int64_t row = 0; row < batch.rows; ++row) {
    const auto i = static_cast<size_t>(row);
    if (known[i] == 0) continue;
    const __int128 x = other[i];
    Micros& change = (*changes)[i];
    const auto at_least = [&](__int128 at) {
      if (at > now) change = std::min(change, Clamped(at));
    };
    // While now + high < x the term is less, whatever it does; from now + low > x on it is greater.
    const bool on_reaching = op == CompareTo::kLess || op == CompareTo::kGreaterOrEqual;
    const bool on_passing = op == CompareTo::kLessOrEqual || op == CompareTo::kGreater;
    if (exact) {
      if (!on_passing) at_least(x - low);
      if (!on_reaching) at_least(x - low + 1);
      continue;
    }
    if (now + high < x) {
      at_least(x - high);
      continue;
    }
    if (now + low > x) continue;
    if (!end_of_step) {
      LEAT_ASSIGN(end_of_step, EndOfTermStep(context));
    }
    at_least(*end_of_step);
    at_least(x - low + 1);
    if (!term.flows) continue;
    at_least(now + (x - *present));
    at_least(now + (x - *present) + 1);
  }
  return Status::OK();
}

Result<std::vector<Micros>> ClockMotion::NextChanges(const Batch& batch,
                                                     const EvalContext& context) {
  std::vector<Micros> changes(static_cast<size_t>(batch.rows), kNeverChanges);
  for (Rule& rule : rules_) LEAT_RETURN(rule.Apply(batch, context, &changes));
  return changes;
}

}  // namespace leat
