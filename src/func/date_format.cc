// to_char of dates, times and intervals (PostgreSQL's manual, 9.8).
#include "func/date_format.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "data/date.h"
#include "data/date_pattern.h"
#include "data/time_zone.h"
#include "data/utf8.h"
#include "func/interval.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;
using enum DateField;

// What is printed: fields of a point in time, or of an interval.
struct Moment {
  TimestampFields fields;
  int64_t days = 0;   // since 1970
  int64_t hours = 0;  // an interval's may be many
  int64_t offset = 0;
  int64_t micros = 0;
  bool interval = false;
  bool zoned = false;
  std::string zone;
};

// A name in the case of its keyword: MONTH, Month or month.
std::string Cased(std::string_view name, std::string_view keyword) {
  std::string out(name);
  const bool lower = keyword[0] >= 'a' && keyword[0] <= 'z';
  const bool upper = keyword.size() > 1 && keyword[1] >= 'A' && keyword[1] <= 'Z';
  for (size_t i = 0; i < out.size(); ++i) {
    if (lower || (i > 0 && !upper)) {
      out[i] = LowerAscii(out[i]);
    } else {
      out[i] = UpperAscii(out[i]);
    }
  }
  return out;
}

std::string Padded(std::string text, bool fill, size_t width) {
  if (fill && text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string Number(int64_t value, int width, const DatePart& part) {
  std::string text = part.fill ? fmt::format("{:0{}}", value, width + (value < 0 ? 1 : 0))
                               : fmt::format("{}", value);
  if (part.ordinal == '\0') return text;
  const int64_t last = std::abs(value) % 10, tens = std::abs(value) / 10 % 10;
  const char* ending = tens == 1 || last == 0 || last > 3 ? "th"
                       : last == 1                        ? "st"
                       : last == 2                        ? "nd"
                                                          : "rd";
  text += Cased(ending, part.ordinal == 'T' ? "TH" : "th");
  return text;
}

std::string Roman(int32_t month) {
  static constexpr const char* kRoman[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                           "VII", "VIII", "IX",  "X",  "XI", "XII"};
  return kRoman[month - 1];
}

int64_t YearOfEra(int64_t year) { return year > 0 ? year : 1 - year; }

std::string YearText(int64_t year, const DatePart& part) {
  const int64_t shown = YearOfEra(year);
  static constexpr int64_t kModulo[] = {0, 10, 100, 1000};
  if (part.digits == 4) return Number(shown, 4, part);
  return Number(shown % kModulo[part.digits], part.digits, part);
}

std::string ZoneOffset(int64_t seconds, bool fill) {
  const int64_t positive = std::abs(seconds);
  std::string text = seconds < 0 ? "-" : "+";
  text += fill ? fmt::format("{:02}", positive / 3600) : fmt::format("{}", positive / 3600);
  if (positive % 3600 != 0) text += fmt::format(":{:02}", positive / 60 % 60);
  return text;
}

// Fields of the time of day; false if the part is none of them.
bool AppendTime(const Moment& at, const DatePart& part, std::string* out) {
  const TimestampFields& f = at.fields;
  static constexpr int32_t kPower[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
  switch (part.field) {
    case kHour12: {
      const int64_t hour = at.hours % 12;
      *out += Number(hour == 0 ? 12 : hour, 2, part);
      return true;
    }
    case kHour24:
      *out += Number(at.hours, 2, part);
      return true;
    case kMinute:
      *out += Number(f.minute, 2, part);
      return true;
    case kSecond:
      *out += Number(f.second, 2, part);
      return true;
    case kMillisecond:
      *out += Number(f.micros / 1000, 3, part);
      return true;
    case kMicrosecond:
      *out += Number(f.micros, 6, part);
      return true;
    case kFraction:
      *out += Number(f.micros / kPower[part.digits], part.digits, part);
      return true;
    case kSecondsOfDay:
      *out += Number(at.hours * 3600 + f.minute * 60 + f.second, 1, part);
      return true;
    case kMeridiem: {
      const bool dots = part.text.size() == 4;
      const bool after = at.hours % 24 >= 12;
      const std::string text = dots ? (after ? "P.M." : "A.M.") : (after ? "PM" : "AM");
      *out += Cased(text, part.text[0] >= 'a' ? "am" : "AM");
      return true;
    }
    case kZoneName:
      *out += Cased(at.zone, part.text[0] >= 'a' ? "tz" : "TZ");
      return true;
    case kZoneHour:
      *out += fmt::format("{}{:02}", at.offset < 0 ? '-' : '+', std::abs(at.offset) / 3600);
      return true;
    case kZoneMinute:
      *out += fmt::format("{:02}", std::abs(at.offset) / 60 % 60);
      return true;
    case kZoneOffset:
      *out += ZoneOffset(at.offset, part.fill);
      return true;
    default:
      return false;
  }
}

void AppendName(const Moment& at, const DatePart& part, std::string* out) {
  const std::string month = at.fields.date.month > 0 ? kMonthNames[at.fields.date.month - 1] : "";
  const std::string day = kDayNames[DayOfWeek(at.days)];
  switch (part.field) {
    case kMonthName:
      *out += Padded(Cased(month, part.text), part.fill, 9);
      break;
    case kMonthShort:
      *out += Cased(month.substr(0, 3), part.text);
      break;
    case kDayName:
      *out += Padded(Cased(day, part.text), part.fill, 9);
      break;
    case kDayShort:
      *out += Cased(day.substr(0, 3), part.text);
      break;
    default:
      break;
  }
}

void AppendDateField(const Moment& at, const DatePart& part, std::string* out) {
  const CivilDate& date = at.fields.date;
  const IsoWeek iso = IsoWeekOf(at.days);
  switch (part.field) {
    case kEra: {
      const bool dots = part.text.size() == 4;
      const std::string text = date.year <= 0 ? (dots ? "B.C." : "BC") : (dots ? "A.D." : "AD");
      *out += Cased(text, part.text[0] >= 'a' ? "ad" : "AD");
      break;
    }
    case kYearComma:
      *out += fmt::format("{},{:03}", YearOfEra(date.year) / 1000, YearOfEra(date.year) % 1000);
      break;
    case kYear:
      *out += at.interval ? Number(date.year, part.digits, part) : YearText(date.year, part);
      break;
    case kIsoYear:
      *out += YearText(iso.year, part);
      break;
    case kMonth:
      *out += Number(date.month, 2, part);
      break;
    case kDayOfYear:
      *out += Number(DayOfYear(at.days), 3, part);
      break;
    case kIsoDayOfYear:
      *out += Number((iso.week - 1) * 7 + IsoDayOfWeek(at.days), 3, part);
      break;
    case kDay:
      *out += Number(date.day, 2, part);
      break;
    case kDayOfWeek:
      *out += Number(DayOfWeek(at.days) + 1, 1, part);
      break;
    case kIsoDayOfWeek:
      *out += Number(IsoDayOfWeek(at.days), 1, part);
      break;
    case kWeekOfMonth:
      *out += Number((date.day - 1) / 7 + 1, 1, part);
      break;
    case kWeek:
      *out += Number((DayOfYear(at.days) - 1) / 7 + 1, 2, part);
      break;
    case kIsoWeek:
      *out += Number(iso.week, 2, part);
      break;
    case kCentury:
      *out +=
          Number(date.year > 0 ? (date.year + 99) / 100 : -((99 - (date.year - 1)) / 100), 2, part);
      break;
    case kJulian:
      *out += Number(at.days + 2440588, 1, part);
      break;
    case kQuarter:
      *out += Number((date.month - 1) / 3 + 1, 1, part);
      break;
    case kRomanMonth:
      *out += Padded(Cased(Roman(date.month), part.text), part.fill, 4);
      break;
    default:
      AppendName(at, part, out);
  }
}

// Whether an interval has the field: it lies on no calendar.
bool IntervalHas(DateField field) {
  switch (field) {
    case kYear:
    case kYearComma:
    case kMonth:
    case kDay:
    case kLiteral:
      return true;
    default:
      return field <= kMeridiem;
  }
}

void Format(const Call& call, int64_t row, const Moment& at, const std::vector<DatePart>& parts,
            std::string* out) {
  for (const DatePart& part : parts) {
    if (part.field == kLiteral) {
      *out += part.text;
      continue;
    }
    if (at.interval && !IntervalHas(part.field)) {
      call.errors->Set(row, "22007", "invalid format specification for an interval value");
      return;
    }
    if (!at.zoned && part.field >= kZoneName) {
      if (part.field == kZoneHour) *out += "+00";
      if (part.field == kZoneMinute) *out += "00";
      if (part.field == kZoneOffset) *out += "+00";
      continue;
    }
    if (!AppendTime(at, part, out)) AppendDateField(at, part, out);
  }
}

Moment MomentOf(Micros local) {
  Moment moment;
  moment.fields = FieldsOf(local);
  moment.days = DaysOf(local);
  moment.hours = moment.fields.hour;
  return moment;
}

Moment MomentOf(const Interval& interval) {
  Moment moment;
  const int64_t micros = MicrosOf(interval);
  moment.interval = true;
  moment.fields.date = {interval.months / 12, interval.months % 12, interval.days};
  moment.hours = micros / kMicrosPerHour;
  moment.fields.minute = static_cast<int32_t>(micros / kMicrosPerMinute % 60);
  moment.fields.second = static_cast<int32_t>(micros / kMicrosPerSecond % 60);
  moment.fields.micros = static_cast<int32_t>(micros % kMicrosPerSecond);
  return moment;
}

template <bool zoned>
Result<ArrayPtr> TimestampToChar(const Call& call, Arguments args) {
  const Values<Micros> times(args[0]);
  const Texts patterns(args[1]);
  LEAT_ASSIGN(const TimeZone* zone, TimeZone::FindSetting(call.context->timezone));
  std::string pattern;
  std::vector<DatePart> parts;
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    // As in PostgreSQL an infinite time has no text, nor has an empty pattern.
    const bool shown = !nulls.Has(row) && call.selection->Has(row) &&
                       !IsInfiniteTimestamp(times[row]) && !patterns[row].empty();
    if (shown) {
      if (parts.empty() || pattern != patterns[row]) {
        pattern = patterns[row];
        parts = ParseDatePattern(pattern);
      }
      Moment at = MomentOf(zoned ? zone->ToLocal(times[row]) : times[row]);
      if (zoned) {
        at.zoned = true;
        at.offset = zone->OffsetAt(times[row]);
        const bool utc = call.context->timezone == "UTC";
        at.zone = utc ? "UTC" : ZoneOffset(at.offset, true);
        const bool names = std::any_of(parts.begin(), parts.end(), [](const DatePart& part) {
          return part.field == kZoneName;
        });
        if (names && !utc) {
          call.errors->Set(row, "0A000", "TZ in a pattern is not supported but for UTC");
        }
      }
      Format(call, row, at, parts, &writer.bytes());
      arrow::bit_util::SetBit(valid->mutable_data(), row);
    }
    writer.End();
  }
  return writer.Finish(kText, {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> IntervalToChar(const Call& call, Arguments args) {
  const Values<Interval> intervals(args[0]);
  const Texts patterns(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string pattern(patterns[row]);
    Format(call, row, MomentOf(intervals[row]), ParseDatePattern(pattern), out);
  });
}

}  // namespace

void AddDateFormatFunctions(std::vector<Function>* out) {
  const char* description = "A time as text, by a pattern";
  out->push_back(Spec(
      "to_char", {kTimestamp, kText}, kText, TimestampToChar<false>,
      {description, "to_char(timestamp '2024-05-07 09:08:07', 'FMDay, DDth Mon YYYY HH12:MI AM')",
       "Tuesday, 07th May 2024 09:08 AM"}));
  out->push_back(Spec(
      "to_char", {kTimestamptz, kText}, kText, TimestampToChar<true>,
      {description, "to_char(timestamptz '2024-05-07 09:08+00', 'IYYY-IW OF')", "2024-19 +00"}));
  out->push_back(Spec("to_char", {kInterval, kText}, kText, IntervalToChar,
                      {description, "to_char(interval '26 hours 5 minutes', 'HH24:MI')", "26:05"}));
}

}  // namespace leat
