// to_date and to_timestamp.
#include <optional>

#include "data/date.h"
#include "data/date_pattern.h"
#include "data/time_zone.h"
#include "func/date_format.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// The pattern of the last row, which is mostly that of the next.
class LastPattern {
 public:
  const DatePattern& operator()(std::string_view text) {
    if (!pattern_ || pattern_->text() != text) pattern_.emplace(std::string(text));
    return *pattern_;
  }

 private:
  std::optional<DatePattern> pattern_;
};

Result<ArrayPtr> ToDate(const Call& call, Arguments args) {
  const Texts texts(args[0]), patterns(args[1]);
  LastPattern pattern;
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const Result<int32_t> days = pattern(patterns[row]).Date(texts[row]);
    if (!days.ok()) SetError(call, row, days.status());
    return days.ok() ? *days : 0;
  });
}

Result<ArrayPtr> ToTimestamp(const Call& call, Arguments args) {
  const Texts texts(args[0]), patterns(args[1]);
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::FindSetting(call.context->timezone));
  LastPattern pattern;
  return MapRows<Micros>(call, args, [&](int64_t row) -> Micros {
    const Result<DatePattern::Point> at = pattern(patterns[row]).Time(texts[row]);
    if (!at.ok()) {
      SetError(call, row, at.status());
      return 0;
    }
    return at->offset ? at->local - *at->offset * kMicrosPerSecond : zone->ToUtc(at->local);
  });
}

}  // namespace

void AddDateParseFunctions(std::vector<Function>* out) {
  out->push_back(
      Spec("to_date", {kText, kText}, kDate, ToDate,
           {"A date read by a pattern", "to_date('17.05.2024', 'DD.MM.YYYY')", "2024-05-17"}));
  out->push_back(Spec(
      "to_timestamp", {kText, kText}, kTimestamptz, ToTimestamp,
      {"A time read by a pattern", "to_timestamp('05 Dec 2000 3:04 PM', 'DD Mon YYYY HH12:MI AM')",
       "2000-12-05 15:04:00+00"}));
}

}  // namespace leat
