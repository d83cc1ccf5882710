#include "format/time_spelling.h"

#include "data/date.h"
#include "data/time_zone.h"

namespace leat {
namespace {

Result<PatternPtr> PatternOption(const std::map<std::string, std::string>& options,
                                 const std::string& name) {
  const auto found = options.find(name);
  if (found == options.end()) return PatternPtr();
  auto pattern = std::make_shared<const DatePattern>(found->second, /*whole=*/true);
  if (pattern->names_something()) return pattern;
  return SqlStatus(fmt::format("invalid value for option \"{}\": \"{}\"", name, found->second),
                   {.sqlstate = "22023",
                    .hint = "Write a pattern as to_date takes it, such as \"DD.MM.YYYY\" or "
                            "\"MM/DD/YYYY HH24:MI:SS\"."});
}

}  // namespace

Result<TimeSpelling> TimeSpelling::Make(const std::map<std::string, std::string>& options) {
  TimeSpelling spelling;
  LEAT_ASSIGN(spelling.date, PatternOption(options, "date_format"));
  LEAT_ASSIGN(spelling.timestamp, PatternOption(options, "timestamp_format"));
  return spelling;
}

const PatternPtr& TimeSpelling::Of(const Type& type) const {
  static const PatternPtr kNone;
  if (type.id == TypeId::kDate) return date;
  return type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz ? timestamp : kNone;
}

Result<int64_t> ReadTime(const DatePattern& pattern, std::string_view text, const Type& type,
                         const std::string& timezone) {
  if (type.id == TypeId::kDate) return pattern.Date(text);
  LEAT_ASSIGN(const DatePattern::Point at, pattern.Time(text));
  if (type.id == TypeId::kTimestamp) return at.local;
  if (at.offset) return at.local - *at.offset * kMicrosPerSecond;
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::FindSetting(timezone));
  return zone->ToUtc(at.local);
}

}  // namespace leat
