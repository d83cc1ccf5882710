// How a file spells dates and points in time, where that is not PostgreSQL's own way.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "data/date_pattern.h"
#include "data/type.h"

namespace leat {

using PatternPtr = std::shared_ptr<const DatePattern>;

// From options `date_format` and `timestamp_format`; null: as PostgreSQL reads them.
struct TimeSpelling {
  PatternPtr date, timestamp;

  static Result<TimeSpelling> Make(const std::map<std::string, std::string>& options);
  // The one for values of a type, or null.
  const PatternPtr& Of(const Type& type) const;
};

// The value as its column holds it: days since 1970, or microseconds (timestamptz: in UTC, read in
// `timezone` where the text has no offset of its own).
Result<int64_t> ReadTime(const DatePattern& pattern, std::string_view text, const Type& type,
                         const std::string& timezone);

}  // namespace leat
