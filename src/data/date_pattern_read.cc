// Texts read by a pattern (PostgreSQL's DCH_from_char).
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "data/date.h"
#include "data/date_pattern.h"
#include "data/text_internal.h"
#include "data/utf8.h"

namespace leat {
namespace {

using enum DateField;
using text_internal::IsDigit;
using text_internal::IsSpace;

bool IsSeparator(char c) {
  const bool alnum = IsDigit(c) || (LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z');
  return c > 0x20 && c < 0x7F && !alnum;
}

// What a text said.
struct Said {
  int64_t year = 0, month = 0, day = 0, day_of_year = 0, julian = 0;
  int64_t iso_year = 0, iso_week = 0, iso_day = 0;
  int64_t hour = 0, minute = 0, second = 0, micros = 0, seconds_of_day = -1;
  std::optional<int64_t> offset;  // seconds east
  bool clock12 = false, after_noon = false, has_meridiem = false, before_christ = false;
  bool has_year = false;
};

Status Invalid(std::string message, std::string detail = "") {
  return SqlStatus(std::move(message), {.sqlstate = "22007", .detail = std::move(detail)});
}

class DateReader {
 public:
  DateReader(std::string_view text, const std::vector<DatePart>& parts)
      : text_(text), parts_(parts) {}

  Result<Said> Read() {
    int skipped = 0;  // blanks taken that the pattern may still name
    size_t i = 0;
    for (; i < parts_.size() && at_ < text_.size(); ++i) {
      const DatePart& part = parts_[i];
      const char literal = part.field == kLiteral ? part.text[0] : '\0';
      const bool separator = part.field == kLiteral && (IsSpace(literal) || IsSeparator(literal));
      if (part.field != kLiteral || separator || i == 0) {
        for (; at_ < text_.size() && IsSpace(text_[at_]); ++at_) ++skipped;
      }
      if (separator) {
        --skipped;
        if (at_ < text_.size() && (IsSpace(text_[at_]) || IsSeparator(text_[at_]))) {
          ++at_;
          ++skipped;
        }
      } else if (part.field == kLiteral) {
        if (skipped > 0) {
          --skipped;
        } else if (at_ < text_.size()) {
          at_ += CodePointAt(text_, at_).size();
        }
      } else {
        LEAT_RETURN(Field(part, i));
        skipped = 0;
      }
    }
    while (i < parts_.size() && parts_[i].field == kLiteral) ++i;
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    whole_ = i == parts_.size() && at_ == text_.size();
    return said_;
  }
  // After Read: whether the text had a value for every field, and nothing behind them.
  bool whole() const { return whole_; }

 private:
  // Whether what follows part i in the pattern cannot begin with a digit.
  bool EndsBefore(size_t i) const {
    if (i + 1 == parts_.size() || parts_[i].ordinal != '\0') return true;
    const DatePart& next = parts_[i + 1];
    if (next.field == kLiteral) return !IsDigit(next.text[0]);
    switch (next.field) {
      case kMonthName:
      case kMonthShort:
      case kDayName:
      case kDayShort:
      case kMeridiem:
      case kEra:
      case kRomanMonth:
      case kZoneName:
        return true;
      default:
        return false;
    }
  }

  Status Number(const DatePart& part, size_t i, size_t width, int64_t* value,
                size_t* used = nullptr) {
    for (; at_ < text_.size() && IsSpace(text_[at_]); ++at_) continue;
    const bool open = !part.fill || EndsBefore(i);
    const std::string_view rest = open ? text_.substr(at_) : text_.substr(at_, width);
    if (!open && rest.size() < width) {
      return Invalid(
          fmt::format("source string too short for \"{}\" formatting field", part.text),
          fmt::format("Field requires {} characters, but only {} remain.", width, rest.size()));
    }
    const size_t sign = !rest.empty() && rest[0] == '+' ? 1 : 0;
    const auto [end, error] =
        std::from_chars(rest.data() + sign, rest.data() + rest.size(), *value);
    const auto count = static_cast<size_t>(end - rest.data());
    if (error == std::errc::result_out_of_range || (error == std::errc() && *value > INT32_MAX)) {
      return SqlStatus(fmt::format("value for \"{}\" in source string is out of range", part.text),
                       {.sqlstate = "22008"});
    }
    if (error != std::errc()) {
      return Invalid(
          fmt::format("invalid value \"{}\" for \"{}\"", text_.substr(at_, width), part.text),
          "Value must be an integer.");
    }
    if (!open && count < width) {
      return Invalid(
          fmt::format("invalid value \"{}\" for \"{}\"", rest, part.text),
          fmt::format("Field requires {} characters, but only {} could be parsed.", width, count));
    }
    at_ += count;
    if (used != nullptr) *used = count;
    if (part.ordinal != '\0') at_ = std::min(at_ + 2, text_.size());
    return Status::OK();
  }

  // One of some names, whole or their first three letters; which it was.
  Status Name(const DatePart& part, const char* const* names, int count, bool brief, int* which) {
    for (int i = 0; i < count; ++i) {
      const std::string_view name = std::string_view(names[i]).substr(0, brief ? 3 : 16);
      if (text_.size() - at_ < name.size()) continue;
      const bool same =
          std::equal(name.begin(), name.end(), text_.begin() + static_cast<ptrdiff_t>(at_),
                     [](char a, char b) { return LowerAscii(a) == LowerAscii(b); });
      if (!same) continue;
      *which = i;
      at_ += name.size();
      return Status::OK();
    }
    return Invalid(
        fmt::format("invalid value \"{}\" for \"{}\"", text_.substr(at_, brief ? 3 : 9), part.text),
        "The given value did not match any of the allowed values for this field.");
  }

  Status Fraction(const DatePart& part, size_t i, int digits) {
    size_t used = 0;
    int64_t value = 0;
    LEAT_RETURN(Number(part, i, static_cast<size_t>(digits), &value, &used));
    for (; used < 6; ++used) value *= 10;
    said_.micros += value;
    return Status::OK();
  }

  Status Year(const DatePart& part, size_t i, int64_t* year) {
    size_t used = 0;
    LEAT_RETURN(Number(part, i, static_cast<size_t>(part.digits), year, &used));
    said_.has_year = true;
    if (part.digits == 4 || used >= 4) return Status::OK();
    // The nearest to 2020, as PostgreSQL completes it.
    *year += *year < 70 ? 2000 : *year < 100 ? 1900 : *year < 520 ? 2000 : *year < 1000 ? 1000 : 0;
    return Status::OK();
  }

  Status Field(const DatePart& part, size_t i) {
    int which = 0;
    switch (part.field) {
      case kYear:
        return Year(part, i, &said_.year);
      case kIsoYear:
        return Year(part, i, &said_.iso_year);
      case kMonth:
        return Number(part, i, 2, &said_.month);
      case kMonthName:
      case kMonthShort:
        LEAT_RETURN(Name(part, kMonthNames, 12, part.field == kMonthShort, &which));
        said_.month = which + 1;
        return Status::OK();
      case kDayName:
      case kDayShort:
        return Name(part, kDayNames, 7, part.field == kDayShort, &which);
      case kDay:
        return Number(part, i, 2, &said_.day);
      case kDayOfYear:
        return Number(part, i, 3, &said_.day_of_year);
      case kIsoWeek:
        return Number(part, i, 2, &said_.iso_week);
      case kIsoDayOfWeek:
        return Number(part, i, 1, &said_.iso_day);
      case kJulian:
        return Number(part, i, 7, &said_.julian);
      case kHour12:
        said_.clock12 = true;
        return Number(part, i, 2, &said_.hour);
      case kHour24:
        return Number(part, i, 2, &said_.hour);
      case kMinute:
        return Number(part, i, 2, &said_.minute);
      case kSecond:
        return Number(part, i, 2, &said_.second);
      case kSecondsOfDay:
        return Number(part, i, 5, &said_.seconds_of_day);
      case kMillisecond:
        return Fraction(part, i, 3);
      case kMicrosecond:
        return Fraction(part, i, 6);
      case kFraction:
        return Fraction(part, i, part.digits);
      default:
        return Words(part, i);
    }
  }

  Status Words(const DatePart& part, size_t i) {
    static constexpr const char* kMeridiems[] = {"A.M.", "P.M.", "AM", "PM"};
    static constexpr const char* kEras[] = {"A.D.", "B.C.", "AD", "BC"};
    int which = 0;
    switch (part.field) {
      case kMeridiem:
        LEAT_RETURN(Name(part, kMeridiems, 4, false, &which));
        said_.has_meridiem = said_.clock12 = true;
        said_.after_noon = which % 2 == 1;
        return Status::OK();
      case kEra:
        LEAT_RETURN(Name(part, kEras, 4, false, &which));
        said_.before_christ = which % 2 == 1;
        return Status::OK();
      case kZoneHour: {
        int64_t hours = 0;
        negative_ = at_ < text_.size() && text_[at_] == '-';
        if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
        LEAT_RETURN(Number(part, i, 2, &hours));
        said_.offset = (negative_ ? -1 : 1) * hours * 3600;
        return Status::OK();
      }
      case kZoneMinute: {
        int64_t minutes = 0;
        LEAT_RETURN(Number(part, i, 2, &minutes));
        said_.offset = said_.offset.value_or(0) + (negative_ ? -1 : 1) * minutes * 60;
        return Status::OK();
      }
      default:
        return NotSupported(
            fmt::format("\"{}\" in the pattern of a text to be read is not supported", part.text));
    }
  }

  std::string_view text_;
  const std::vector<DatePart>& parts_;
  size_t at_ = 0;
  bool negative_ = false, whole_ = false;
  Said said_;
};

Status OutOfRange(std::string_view text) {
  return SqlStatus(fmt::format("date/time field value out of range: \"{}\"", text),
                   {.sqlstate = "22008"});
}

Result<int64_t> DaysSaid(const Said& said, std::string_view text) {
  if (said.julian > 0) return said.julian - 2440588;
  if (said.iso_year != 0 || said.iso_week != 0) {
    if (said.iso_week < 1 || said.iso_week > 53) return OutOfRange(text);
    const int64_t fourth = DaysFromCivil({static_cast<int32_t>(said.iso_year), 1, 4});
    const int64_t monday = fourth - IsoDayOfWeek(fourth) + 1;
    return monday + (said.iso_week - 1) * 7 + (said.iso_day > 0 ? said.iso_day - 1 : 0);
  }
  int64_t year = said.year;
  if (said.before_christ) {
    year = 1 - year;
  } else if (!said.has_year) {
    year = 0;
  } else if (year < 0) {
    ++year;
  }
  if (said.day_of_year > 0) {
    if (said.day_of_year > (IsLeapYear(year) ? 366 : 365)) return OutOfRange(text);
    return DaysFromCivil({static_cast<int32_t>(year), 1, 1}) + said.day_of_year - 1;
  }
  const int64_t month = said.month == 0 ? 1 : said.month, day = said.day == 0 ? 1 : said.day;
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, static_cast<int32_t>(month))) {
    return OutOfRange(text);
  }
  return DaysFromCivil(
      {static_cast<int32_t>(year), static_cast<int32_t>(month), static_cast<int32_t>(day)});
}

Result<int64_t> TimeSaid(const Said& said, std::string_view text) {
  int64_t hour = said.hour;
  if (said.clock12) {
    if (hour < 1 || hour > 12) {
      return SqlStatus(fmt::format("hour \"{}\" is invalid for the 12-hour clock", hour),
                       {.sqlstate = "22007",
                        .hint = "Use the 24-hour clock, or give an hour between 1 and 12."});
    }
    if (said.after_noon && hour < 12) hour += 12;
    if (said.has_meridiem && !said.after_noon && hour == 12) hour = 0;
  }
  if (said.seconds_of_day >= 0) {
    if (said.seconds_of_day >= 86400) return OutOfRange(text);
    return said.seconds_of_day * kMicrosPerSecond + said.micros;
  }
  if (hour < 0 || hour > 23 || said.minute < 0 || said.minute > 59 || said.second < 0 ||
      said.second > 59) {
    return OutOfRange(text);
  }
  return hour * kMicrosPerHour + said.minute * kMicrosPerMinute + said.second * kMicrosPerSecond +
         said.micros;
}

// `pattern`: the text must follow all of it; null: as far as it goes.
Result<Said> ReadFields(std::string_view text, const std::vector<DatePart>& parts,
                        const std::string* pattern) {
  DateReader reader(text, parts);
  LEAT_ASSIGN(Said said, reader.Read());
  if (pattern == nullptr || reader.whole()) return said;
  return Invalid(fmt::format("\"{}\" does not follow the pattern \"{}\"", text, *pattern));
}

}  // namespace

DatePattern::DatePattern(std::string pattern, bool whole)
    : text_(std::move(pattern)), parts_(ParseDatePattern(text_)), whole_(whole) {}

bool DatePattern::names_something() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const DatePart& part) { return part.field != kLiteral; });
}

Result<int32_t> DatePattern::Date(std::string_view text) const {
  LEAT_ASSIGN(const Said said, ReadFields(text, parts_, whole_ ? &text_ : nullptr));
  LEAT_ASSIGN(const int64_t days, DaysSaid(said, text));
  if (!IsValidDate(days)) return OutOfRange(text);
  return static_cast<int32_t>(days);
}

Result<DatePattern::Point> DatePattern::Time(std::string_view text) const {
  LEAT_ASSIGN(const Said said, ReadFields(text, parts_, whole_ ? &text_ : nullptr));
  LEAT_ASSIGN(const int64_t days, DaysSaid(said, text));
  LEAT_ASSIGN(const int64_t time, TimeSaid(said, text));
  if (days < kTimestampDaysMin || days >= kTimestampDaysEnd) return OutOfRange(text);
  return Point{days * kMicrosPerDay + time, said.offset};
}

}  // namespace leat
