#include "data/date_pattern.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace leat {

const char* const kMonthNames[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
const char* const kDayNames[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};

namespace {

using enum DateField;

struct Keyword {
  std::string_view text;  // upper case; names are told apart by their case afterwards
  DateField field;
  int digits = 0;
};

// A longer keyword before those that it begins with.
constexpr std::array kKeywords = {
    Keyword{"SSSSS", kSecondsOfDay},
    Keyword{"Y,YYY", kYearComma},
    Keyword{"MONTH", kMonthName},
    Keyword{"A.D.", kEra},
    Keyword{"B.C.", kEra},
    Keyword{"A.M.", kMeridiem},
    Keyword{"P.M.", kMeridiem},
    Keyword{"HH12", kHour12},
    Keyword{"HH24", kHour24},
    Keyword{"SSSS", kSecondsOfDay},
    Keyword{"IYYY", kIsoYear, 4},
    Keyword{"YYYY", kYear, 4},
    Keyword{"IDDD", kIsoDayOfYear},
    Keyword{"DDD", kDayOfYear},
    Keyword{"IYY", kIsoYear, 3},
    Keyword{"YYY", kYear, 3},
    Keyword{"MON", kMonthShort},
    Keyword{"DAY", kDayName},
    Keyword{"TZH", kZoneHour},
    Keyword{"TZM", kZoneMinute},
    Keyword{"FF1", kFraction, 1},
    Keyword{"FF2", kFraction, 2},
    Keyword{"FF3", kFraction, 3},
    Keyword{"FF4", kFraction, 4},
    Keyword{"FF5", kFraction, 5},
    Keyword{"FF6", kFraction, 6},
    Keyword{"AD", kEra},
    Keyword{"BC", kEra},
    Keyword{"AM", kMeridiem},
    Keyword{"PM", kMeridiem},
    Keyword{"HH", kHour12},
    Keyword{"MI", kMinute},
    Keyword{"SS", kSecond},
    Keyword{"MS", kMillisecond},
    Keyword{"US", kMicrosecond},
    Keyword{"IY", kIsoYear, 2},
    Keyword{"YY", kYear, 2},
    Keyword{"MM", kMonth},
    Keyword{"DY", kDayShort},
    Keyword{"DD", kDay},
    Keyword{"ID", kIsoDayOfWeek},
    Keyword{"WW", kWeek},
    Keyword{"IW", kIsoWeek},
    Keyword{"CC", kCentury},
    Keyword{"RM", kRomanMonth},
    Keyword{"TZ", kZoneName},
    Keyword{"OF", kZoneOffset},
    Keyword{"I", kIsoYear, 1},
    Keyword{"Y", kYear, 1},
    Keyword{"D", kDayOfWeek},
    Keyword{"W", kWeekOfMonth},
    Keyword{"J", kJulian},
    Keyword{"Q", kQuarter},
};

bool StartsWith(std::string_view text, std::string_view upper) {
  if (text.size() < upper.size()) return false;
  for (size_t i = 0; i < upper.size(); ++i) {
    if (UpperAscii(text[i]) != upper[i]) return false;
  }
  return true;
}

const Keyword* KeywordAt(std::string_view text) {
  const auto found = std::find_if(kKeywords.begin(), kKeywords.end(),
                                  [&](const Keyword& k) { return StartsWith(text, k.text); });
  return found == kKeywords.end() ? nullptr : &*found;
}

}  // namespace

std::vector<DatePart> ParseDatePattern(std::string_view pattern) {
  std::vector<DatePart> parts;
  const auto literal = [&](size_t at, size_t size) {
    parts.push_back({.field = kLiteral, .text = pattern.substr(at, size)});
  };
  bool fill = true;
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view rest = pattern.substr(at);
    if (StartsWith(rest, "FM") || StartsWith(rest, "FX") || StartsWith(rest, "TM")) {
      if (StartsWith(rest, "FM")) fill = false;
      at += 2;
    } else if (const Keyword* keyword = KeywordAt(rest)) {
      DatePart part{keyword->field, rest.substr(0, keyword->text.size()), keyword->digits, fill};
      at += keyword->text.size();
      if (StartsWith(pattern.substr(at), "TH")) {
        part.ordinal = pattern[at];
        at += 2;
      }
      parts.push_back(part);
      fill = true;
    } else if (rest[0] == '"') {
      for (++at; at < pattern.size() && pattern[at] != '"'; ++at) {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
        literal(at, 1);
      }
      ++at;
    } else {
      if (rest[0] == '\\' && rest.size() > 1 && rest[1] == '"') ++at;
      literal(at++, 1);
    }
  }
  return parts;
}

}  // namespace leat
