#include "func/clock_term.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "data/date.h"
#include "func/function.h"
#include "func/interval.h"

namespace leat {
namespace {

// A day where clocks are put back, or a date is skipped, is longer than 24 hours.
constexpr Micros kLongDay = 50 * kMicrosPerHour;
// Twelve months differ from 365.25 days, and one from 30.4375, by less; a clamped day included.
constexpr Micros kMonth = 2'629'800'000'000;  // 30.4375 days
constexpr Micros kMonthSlack = 7 * kMicrosPerDay;

bool IsName(const Expr& expr, std::initializer_list<std::string_view> names) {
  return expr.kind == ExprKind::kCall &&
         std::find(names.begin(), names.end(), expr.function->name) != names.end();
}

bool IsInstant(const Type& type) {
  return type.id == TypeId::kDate || type.id == TypeId::kTimestamp ||
         type.id == TypeId::kTimestamptz;
}

// The lower-case text of a literal; "" for anything else.
std::string TextOf(const Expr& expr) {
  if (expr.kind == ExprKind::kCast) return TextOf(*expr.args[0]);
  if (expr.kind != ExprKind::kLiteral || !expr.literal || !expr.literal->is_valid) return {};
  if (!arrow::is_base_binary_like(expr.literal->type->id())) return {};
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*expr.literal).view());
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// How long a unit of date_trunc or extract lasts at most; a doubled hour included.
Micros LengthOf(const std::string& unit) {
  static const std::map<std::string, Micros, std::less<>> kLengths = {
      {"second", kMicrosPerSecond},
      {"minute", kMicrosPerMinute},
      {"hour", 3 * kMicrosPerHour},
      {"day", kLongDay},
      {"dow", kLongDay},
      {"isodow", kLongDay},
      {"doy", kLongDay},
      {"julian", kLongDay},
      {"week", 9 * kMicrosPerDay},
      {"month", 33 * kMicrosPerDay},
      {"quarter", 94 * kMicrosPerDay},
      {"year", 368 * kMicrosPerDay},
      {"isoyear", 374 * kMicrosPerDay},
      {"decade", 3655 * kMicrosPerDay},
      {"century", 36527 * kMicrosPerDay},
      {"millennium", 365252 * kMicrosPerDay}};
  std::string singular = unit;
  if (!kLengths.contains(singular) && singular.ends_with("s")) singular.pop_back();
  const auto found = kLengths.find(singular);
  return found == kLengths.end() ? 0 : found->second;
}

// What a column-free argument adds to the length of the steps of what is made of it; nothing where
// it follows the clock in a way that is not known.
std::optional<Micros> ArgumentStep(const ExprPtr& arg) {
  if (const auto step = StepMaxOf(*arg)) return step;
  if (const auto term = ClockTermOf(arg)) return term->step_max;
  return std::nullopt;
}

std::optional<Interval> ConstantInterval(const Expr& expr) {
  if (expr.type.id != TypeId::kInterval || !IsConstant(expr)) return std::nullopt;
  const auto value = EvaluateConstant(expr, {});
  if (!value.ok() || !(*value)->is_valid) return std::nullopt;
  return static_cast<const arrow::MonthDayNanoIntervalScalar&>(**value).value;
}

std::optional<int64_t> ConstantDays(const Expr& expr) {
  if (!expr.type.is_integer() || !IsConstant(expr)) return std::nullopt;
  const auto value = EvaluateConstant(expr, {});
  if (!value.ok() || !(*value)->is_valid) return std::nullopt;
  const auto wide = (*value)->CastTo(arrow::int64());
  if (!wide.ok()) return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(**wide).value;
}

// Beyond this no clock ever comes; sums of a few stay far from the limits of 64 bits.
constexpr int64_t kDaysMax = 10'000'000;

std::optional<ClockTerm> Shifted(ClockTerm term, const Interval& by, int sign) {
  const int64_t days = sign * int64_t{by.days};
  const int64_t months = sign * int64_t{by.months};
  const int64_t micros = sign * MicrosOf(by);
  if (std::abs(days) > kDaysMax || std::abs(months) > kDaysMax / 31 ||
      std::abs(micros) > kDaysMax * kMicrosPerDay) {
    return std::nullopt;
  }
  const Micros shift = months * kMonth + days * kMicrosPerDay + micros;
  term.low += shift;
  term.high += shift;
  if (months != 0) {
    term.months = true;
    term.low -= kMonthSlack;
    term.high += kMonthSlack;
  }
  if (days != 0 || months != 0) ++term.zones;
  return term;
}

std::optional<ClockTerm> SumOf(const Expr& expr) {
  const bool minus = expr.function->name == "-";
  const size_t of = !minus && !IsInstant(expr.args[0]->type) ? 1 : 0;
  auto term = ClockTermOf(expr.args[of]);
  if (!term) return std::nullopt;
  const Expr& by = *expr.args[1 - of];
  if (const auto interval = ConstantInterval(by)) {
    return Shifted(*std::move(term), *interval, minus ? -1 : 1);
  }
  if (const auto days = ConstantDays(by); days && std::abs(*days) <= kDaysMax) {
    return Shifted(*std::move(term), {0, static_cast<int32_t>(*days), 0}, minus ? -1 : 1);
  }
  return std::nullopt;
}

// A term of which only the beginning of each step remains.
std::optional<ClockTerm> Floored(std::optional<ClockTerm> term, Micros length) {
  if (!term || length <= 0) return std::nullopt;
  term->low -= length;
  term->step_max = std::max(term->step_max, length) + length;
  term->flows = false;
  return term;
}

std::optional<ClockTerm> CastTerm(const Expr& expr) {
  const Type& from = expr.args[0]->type;
  auto term = ClockTermOf(expr.args[0]);
  if (!term || !IsInstant(from)) return std::nullopt;
  if (from.id == TypeId::kTimestamptz || expr.type.id == TypeId::kTimestamptz) {
    term->zones += from.id == expr.type.id ? 0 : 1;
  }
  if (expr.type.id != TypeId::kDate || from.id == TypeId::kDate) return term;
  return Floored(std::move(term), kLongDay);
}

std::optional<ClockTerm> BaseTerm(const Expr& expr) {
  if (IsName(expr, {"now", "current_timestamp", "transaction_timestamp", "statement_timestamp"})) {
    return ClockTerm{};
  }
  if (expr.args.empty() && IsName(expr, {"localtimestamp"})) return ClockTerm{.zones = 1};
  if (IsName(expr, {"current_date"})) return Floored(ClockTerm{.zones = 1}, kLongDay);
  if (IsName(expr, {"date_trunc"}) && expr.args.size() == 2) {
    return Floored(ClockTermOf(expr.args[1]), LengthOf(TextOf(*expr.args[0])));
  }
  if (IsName(expr, {"+", "-"}) && expr.args.size() == 2) return SumOf(expr);
  return std::nullopt;
}

}  // namespace

bool ReadsClock(const Expr& expr) {
  static const std::set<std::string_view> kClock = {"now",
                                                    "current_date",
                                                    "current_time",
                                                    "current_timestamp",
                                                    "localtime",
                                                    "localtimestamp",
                                                    "transaction_timestamp",
                                                    "statement_timestamp",
                                                    "clock_timestamp"};
  if (expr.kind == ExprKind::kCall) {
    const std::string& name = expr.function->name;
    if (kClock.contains(name) || (name == "age" && expr.args.size() == 1)) return true;
  }
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return ReadsClock(*arg); });
}

bool IsColumnFree(const Expr& expr) {
  if (expr.kind == ExprKind::kColumn || expr.kind == ExprKind::kSeq) return false;
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return IsColumnFree(*arg); });
}

std::optional<__int128> MicrosIn(const arrow::Array& array, const Type& type, int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  switch (type.id) {
    case TypeId::kDate: {
      const int32_t days = static_cast<const arrow::Date32Array&>(array).Value(row);
      if (IsInfiniteDate(days)) return std::nullopt;
      return static_cast<__int128>(days) * kMicrosPerDay;
    }
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz: {
      const Micros at = static_cast<const arrow::TimestampArray&>(array).Value(row);
      if (IsInfiniteTimestamp(at)) return std::nullopt;
      return at;
    }
    case TypeId::kInterval:
      return SpanOf(static_cast<const arrow::MonthDayNanoIntervalArray&>(array).GetValue(row));
    case TypeId::kInt2:
      return __int128{static_cast<const arrow::Int16Array&>(array).Value(row)} * kMicrosPerDay;
    case TypeId::kInt4:
      return __int128{static_cast<const arrow::Int32Array&>(array).Value(row)} * kMicrosPerDay;
    case TypeId::kInt8:
      return __int128{static_cast<const arrow::Int64Array&>(array).Value(row)} * kMicrosPerDay;
    default:
      return std::nullopt;
  }
}

std::optional<ClockTerm> ClockTermOf(const ExprPtr& expr) {
  if (!IsInstant(expr->type) || !IsColumnFree(*expr) || !ReadsClock(*expr)) return std::nullopt;
  std::optional<ClockTerm> term;
  if (expr->kind == ExprKind::kCast) term = CastTerm(*expr);
  if (expr->kind == ExprKind::kCall) term = BaseTerm(*expr);
  if (term) term->expr = expr;
  return term;
}

std::optional<Micros> StepMaxOf(const Expr& expr) {
  if (!IsColumnFree(expr) || !ReadsClock(expr)) return std::nullopt;
  if (IsName(expr, {"current_date"})) return kLongDay;
  if (expr.kind == ExprKind::kCast && expr.type.id == TypeId::kDate) {
    const auto of = ArgumentStep(expr.args[0]);
    if (of) return *of + kLongDay;
  }
  if (IsName(expr, {"date_trunc", "extract", "date_part"}) && expr.args.size() == 2) {
    const Micros length = LengthOf(TextOf(*expr.args[0]));
    // Fractions of a second flow.
    if (length == 0 || (length == kMicrosPerSecond && expr.function->name != "date_trunc")) {
      return std::nullopt;
    }
    if (const auto of = ArgumentStep(expr.args[1])) return *of + length;
  }
  return std::nullopt;
}

Result<Micros> NextStep(const Expr& expr, Micros step_max, const EvalContext& context) {
  const auto at = [&](Micros now) {
    return EvaluateConstant(expr, {.now = now, .timezone = context.timezone});
  };
  LEAT_ASSIGN(const auto present, at(context.now));
  Micros same = context.now, other = context.now + step_max;
  LEAT_ASSIGN(const auto later, at(other));
  // It returned to what it was, which no step should: to look again now and then is always right.
  if (later->Equals(*present)) return (context.now / kMicrosPerMinute + 1) * kMicrosPerMinute;
  while (other - same > 1) {
    const Micros middle = same + (other - same) / 2;
    LEAT_ASSIGN(const auto value, at(middle));
    (value->Equals(*present) ? same : other) = middle;
  }
  return other;
}

}  // namespace leat
