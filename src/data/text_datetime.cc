// Dates and times from text, as ParseDateTime and DecodeDateTime of PostgreSQL's datetime.c read
// them with datestyle 'ISO, MDY': the text is cut into fields by their looks, then each gets a
// meaning.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "data/text_internal.h"

namespace leat::text_internal {
namespace {

enum class Failure : uint8_t {
  kNone,
  kSyntax,
  kField,       // a field out of range
  kMonthOrDay,  // the same, where month and day may have been swapped
  kZone,        // an offset out of range
  kRange,       // all fields fine, the whole beyond the type's range
  kZoneName,
};

// `zone` is the name that was not found.
Status ToStatus(Failure failure, std::string_view type, std::string_view text,
                std::string_view zone) {
  switch (failure) {
    case Failure::kNone:
      return Status::OK();
    case Failure::kSyntax:
      break;
    case Failure::kField:
    case Failure::kMonthOrDay:
      return SqlStatus(fmt::format("date/time field value out of range: \"{}\"", text),
                       {.sqlstate = "22008",
                        .hint = failure == Failure::kField
                                    ? ""
                                    : "Perhaps you need a different \"datestyle\" setting."});
    case Failure::kZone:
      return SqlStatus(fmt::format("time zone displacement out of range: \"{}\"", text),
                       {.sqlstate = "22009"});
    case Failure::kRange:
      return SqlStatus(
          fmt::format("{} out of range: \"{}\"", type == "date" ? "date" : "timestamp", text),
          {.sqlstate = "22008"});
    case Failure::kZoneName:
      return SqlStatus(fmt::format("time zone \"{}\" not recognized", zone), {.sqlstate = "22023"});
  }
  return InvalidSyntax(type, text, "22007");
}

// --- The usual spelling: 2019-06-04 14:05:13.25 --------------------------------------------------

// `digits` digits at `at`; -1 where one is none.
int32_t Digits(const char* at, int digits) {
  int32_t value = 0;
  for (int i = 0; i < digits; ++i) {
    if (!IsDigit(at[i])) return -1;
    value = value * 10 + (at[i] - '0');
  }
  return value;
}

bool ReadIsoDate(std::string_view text, CivilDate* date) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
  *date = {Digits(text.data(), 4), Digits(text.data() + 5, 2), Digits(text.data() + 8, 2)};
  return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
         date->day <= DaysInMonth(date->year, date->month);
}

// HH:MM:SS and up to six more digits; moves `text` behind it.
bool ReadIsoClock(std::string_view* text, TimestampFields* fields) {
  if (text->size() < 8 || (*text)[2] != ':' || (*text)[5] != ':') return false;
  const char* at = text->data();
  fields->hour = Digits(at, 2);
  fields->minute = Digits(at + 3, 2);
  fields->second = Digits(at + 6, 2);
  if (fields->hour < 0 || fields->hour > 23 || fields->minute < 0 || fields->minute > 59 ||
      fields->second < 0 || fields->second > 59) {
    return false;
  }
  text->remove_prefix(8);
  if (!text->starts_with('.')) return true;
  size_t digits = 1;
  int32_t scale = 1000000;
  fields->micros = 0;
  for (; digits < text->size() && IsDigit((*text)[digits]); ++digits) {
    if (digits > 6) return false;  // needs rounding: the long way
    scale /= 10;
    fields->micros += ((*text)[digits] - '0') * scale;
  }
  text->remove_prefix(digits);
  return digits > 1;
}

// --- Fields ------------------------------------------------------------------------------------

enum class FieldKind : uint8_t { kNumber, kDate, kTime, kWord, kZone, kSpecial };

struct Field {
  FieldKind kind;
  std::string text;  // lower case
};

constexpr size_t kFieldsMax = 25;

int32_t MonthOf(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "january", "february", "march",     "april",   "may",      "june",
      "july",    "august",   "september", "october", "november", "december"};
  if (word == "sept") return 9;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (word == kMonths[i] || (word.size() == 3 && kMonths[i].starts_with(word))) {
      return static_cast<int32_t>(i) + 1;
    }
  }
  return 0;
}

bool IsDayOfWeek(std::string_view word) {
  static constexpr std::array<std::string_view, 20> kDays = {
      "sun", "sunday", "mon",       "monday",   "tue",  "tues",  "tuesday",
      "wed", "weds",   "wednesday", "thu",      "thur", "thurs", "thursday",
      "fri", "friday", "sat",       "saturday", "day",  "days"};
  return std::find(kDays.begin(), kDays.end() - 2, word) != kDays.end() - 2;
}

// Words that a number may follow without a blank; other such words are names of zones.
bool IsKnownWord(std::string_view word) {
  static constexpr std::array<std::string_view, 10> kWords = {"t",  "am", "pm", "bc", "ad",
                                                              "at", "on", "j",  "jd", "now"};
  return MonthOf(word) != 0 || IsDayOfWeek(word) ||
         std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// Cuts a text into fields; false where a character has no place in one.
class FieldCutter {
 public:
  explicit FieldCutter(std::string_view text) : text_(text) {}

  bool Cut(std::vector<Field>* fields) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (IsSpace(c)) {
        ++at_;
      } else if (IsDigit(c)) {
        fields->push_back(NumberField());
      } else if (IsAlpha(c)) {
        fields->push_back(WordField());
      } else if (c == '.' && IsDigit(Peek(1))) {
        fields->push_back(Take(FieldKind::kNumber, [](char d) { return IsDigit(d) || d == '.'; }));
      } else if (c == '+' || c == '-') {
        if (!SignedField(fields)) return false;
      } else if (std::string_view(",;./\\'\"!?()[]{}<>=*&%$#@~`^_|:").find(c) !=
                 std::string_view::npos) {
        ++at_;
      } else {
        return false;
      }
      if (fields->size() > kFieldsMax) return false;
    }
    return true;
  }

 private:
  char Peek(size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  template <typename Belongs>
  Field Take(FieldKind kind, const Belongs& belongs) {
    Field field{kind, {}};
    while (at_ < text_.size() && belongs(text_[at_])) field.text += LowerAscii(text_[at_++]);
    return field;
  }

  Field NumberField() {
    Field field = Take(FieldKind::kNumber, IsDigit);
    const char delimiter = Peek(0);
    if (delimiter == ':') {
      field.kind = FieldKind::kTime;
      field.text +=
          Take(FieldKind::kTime, [](char c) { return IsDigit(c) || c == ':' || c == '.'; }).text;
      return field;
    }
    if (delimiter != '-' && delimiter != '/' && delimiter != '.') return field;
    field.text += delimiter;
    ++at_;
    if (!IsDigit(Peek(0))) {
      // 05-Jan-2024
      field.kind = FieldKind::kDate;
      field.text += Take(FieldKind::kDate, [&](char c) {
                      return IsDigit(c) || IsAlpha(c) || c == delimiter;
                    }).text;
      return field;
    }
    field.kind = delimiter == '.' ? FieldKind::kNumber : FieldKind::kDate;
    field.text += Take(FieldKind::kNumber, IsDigit).text;
    if (Peek(0) == delimiter) {
      field.kind = FieldKind::kDate;
      field.text +=
          Take(FieldKind::kDate, [&](char c) { return IsDigit(c) || c == delimiter; }).text;
    }
    return field;
  }

  Field WordField() {
    Field field = Take(FieldKind::kWord, IsAlpha);
    const char next = Peek(0);
    if ((IsDigit(next) || next == '+') && !IsKnownWord(field.text)) {
      // EST5EDT
      field.text += Take(FieldKind::kWord, [](char c) {
                      return IsDigit(c) || IsAlpha(c) || c == '-' || c == '+' || c == ':';
                    }).text;
      return field;
    }
    if (next != '-' && next != '/' && next != '.' && next != '_') return field;
    // Jan-05-2024, America/New_York
    field.kind = FieldKind::kDate;
    field.text += Take(FieldKind::kDate, [](char c) {
                    return IsDigit(c) || IsAlpha(c) || c == '-' || c == '/' || c == '.' ||
                           c == '_' || c == '+';
                  }).text;
    return field;
  }

  bool SignedField(std::vector<Field>* fields) {
    std::string sign(1, text_[at_++]);
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    Field field;
    if (IsDigit(Peek(0))) {
      field = Take(FieldKind::kZone,
                   [](char c) { return IsDigit(c) || c == ':' || c == '.' || c == '-'; });
    } else if (IsAlpha(Peek(0))) {
      field = Take(FieldKind::kSpecial, IsAlpha);
    } else {
      return false;
    }
    field.text = sign + field.text;
    fields->push_back(std::move(field));
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// What the fields said so far.
class Decoder {
 public:
  Decoder(const DateContext& context, bool time_only) : context_(context), time_only_(time_only) {}

  Failure Decode(const std::vector<Field>& fields) {
    for (size_t i = 0; i < fields.size(); ++i) {
      const Failure failure = Decode(fields, i);
      if (failure != Failure::kNone) return failure;
    }
    return Finish();
  }

  std::optional<Micros> whole;  // 'now', 'epoch', 'infinity': the answer, as UTC
  bool whole_local = false;     // `whole` is a wall's time: 'today'
  bool has_date = false, has_time = false;
  CivilDate date;
  TimestampFields clock;
  std::optional<int32_t> offset;   // seconds east
  const TimeZone* zone = nullptr;  // a full name
  std::string unknown_zone;

 private:
  Failure Decode(const std::vector<Field>& fields, size_t i) {
    const std::string& text = fields[i].text;
    switch (fields[i].kind) {
      case FieldKind::kTime:
        return DecodeClock(text);
      case FieldKind::kZone:
        // '20240105-0800'? No: a sign after a date that has no time yet is no zone.
        return DecodeOffset(text);
      case FieldKind::kNumber:
        return DecodeNumber(text);
      case FieldKind::kDate:
        return DecodeJoined(text);
      case FieldKind::kSpecial:
        return DecodeSpecial(text);
      case FieldKind::kWord:
        return DecodeWord(text);
    }
    return Failure::kSyntax;
  }

  // Fields with punctuation inside: a date, the name of a zone, a time joined to its offset.
  Failure DecodeJoined(const std::string& text) {
    if (IsAlpha(text[0])) {
      const bool month = MonthOf(text.substr(0, text.find_first_of("-/._"))) != 0;
      return month && !has_time && !HasDateParts() ? DecodeDate(text) : DecodeZoneName(text);
    }
    if (!has_time && !HasDateParts()) return DecodeDate(text);
    const size_t sign = text.find('-');
    if (has_time || sign == text.npos) return Failure::kSyntax;
    const Failure failure = DecodeNumber(text.substr(0, sign));
    if (failure != Failure::kNone || !has_time) return Failure::kSyntax;
    return DecodeOffset(text.substr(sign));
  }

  Failure DecodeSpecial(const std::string& text) {
    if (text == "+infinity" || text == "-infinity") {
      return SetWhole(text[0] == '+' ? kTimestampInfinity : kTimestampNegativeInfinity, false);
    }
    return Failure::kSyntax;
  }

  Failure SetWhole(Micros at, bool local) {
    if (whole || has_date) return Failure::kSyntax;
    whole = at;
    whole_local = local;
    return Failure::kNone;
  }

  Failure SetDay(int64_t days) {
    if (has_date) return Failure::kSyntax;
    has_date = true;
    relative_ = true;
    date = CivilFromDays(days);
    return Failure::kNone;
  }

  Failure DecodeWord(const std::string& word) {
    const int64_t today = DaysOf(context_.zone->ToLocal(context_.now));
    if (const int32_t month = MonthOf(word); month != 0) {
      // 'Jan 5 2024': a number that was taken for the month was the day.
      if (month_) {
        if (text_month_ || day_) return Failure::kSyntax;
        day_ = month_;
      }
      month_ = month;
      text_month_ = true;
      return Failure::kNone;
    }
    if (word == "infinity" || word == "inf") return SetWhole(kTimestampInfinity, false);
    if (word == "epoch") return SetWhole(0, false);
    if (word == "now") return SetWhole(context_.now, false);
    if (word == "today") return SetDay(today);
    if (word == "tomorrow") return SetDay(today + 1);
    if (word == "yesterday") return SetDay(today - 1);
    if (word == "allballs") {
      has_time = true;
      offset = 0;
      return Failure::kNone;
    }
    if (word == "am" || word == "pm") {
      half_ = word[0];
      return Failure::kNone;
    }
    if (word == "bc" || word == "ad") {
      before_christ_ = word == "bc";
      return Failure::kNone;
    }
    if (word == "t") {
      return HasDateParts() ? Failure::kNone : Failure::kSyntax;
    }
    if (word == "at" || word == "on") return Failure::kNone;
    if (IsDayOfWeek(word)) return Failure::kNone;
    int32_t seconds;
    if (FindZoneAbbreviation(word, &seconds)) return SetOffset(seconds);
    return DecodeZoneName(word);
  }

  Failure SetOffset(int32_t seconds) {
    if (offset || zone != nullptr) return Failure::kSyntax;
    offset = seconds;
    return Failure::kNone;
  }

  Failure DecodeZoneName(const std::string& name) {
    const auto found = TimeZone::Find(name);
    if (offset || zone != nullptr) return Failure::kSyntax;
    if (!found.ok()) {
      unknown_zone = name;
      return name.find('/') != name.npos ? Failure::kZoneName : Failure::kSyntax;
    }
    zone = *found;
    return Failure::kNone;
  }

  // +hh, +hhmm, +hh:mm, +hh:mm:ss
  Failure DecodeOffset(const std::string& text) {
    std::array<int32_t, 3> parts = {0, 0, 0};
    size_t at = 1, part = 0;
    const size_t digits = text.size() - 1;
    if (digits > 2 && std::all_of(text.begin() + 1, text.end(), IsDigit)) {
      if (digits > 6) return Failure::kZone;
      const bool seconds = digits > 4;
      const size_t hours = digits - (seconds ? 4 : 2);
      parts[0] = Digits(text.data() + 1, static_cast<int>(hours));
      parts[1] = Digits(text.data() + 1 + hours, 2);
      if (seconds) parts[2] = Digits(text.data() + 3 + hours, 2);
      at = text.size();
    }
    for (; at < text.size(); ++part) {
      if (part == 3 || !IsDigit(text[at])) return Failure::kSyntax;
      for (; at < text.size() && IsDigit(text[at]); ++at) {
        parts[part] = parts[part] * 10 + (text[at] - '0');
        if (parts[part] > 100000) return Failure::kZone;
      }
      if (at < text.size() && text[at++] != ':') {
        return parts[0] > 15 ? Failure::kZone : Failure::kSyntax;
      }
    }
    if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59) return Failure::kZone;
    if (!has_time && !(has_date || HasDateParts())) return Failure::kSyntax;
    const int32_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    return SetOffset(text[0] == '-' ? -seconds : seconds);
  }

  // hh:mm, hh:mm:ss, hh:mm:ss.fraction
  Failure DecodeClock(const std::string& text) {
    if (has_time) return Failure::kSyntax;
    std::array<int64_t, 3> parts = {0, 0, 0};
    size_t at = 0, part = 0;
    for (; part < 3 && at < text.size() && text[at] != '.'; ++part) {
      if (!IsDigit(text[at])) return Failure::kSyntax;
      for (; at < text.size() && IsDigit(text[at]); ++at) {
        parts[part] = std::min<int64_t>(parts[part] * 10 + (text[at] - '0'), 1000000);
      }
      if (at < text.size() && text[at] == ':') {
        if (++at == text.size() || part == 2) return Failure::kSyntax;
      }
    }
    if (part < 2) return Failure::kSyntax;
    int64_t micros = 0;
    if (at < text.size() && (part < 3 || !Fraction(text.substr(at), &micros)))
      return Failure::kSyntax;
    has_time = true;
    return SetClock(parts[0], parts[1], parts[2], micros);
  }

  static bool Fraction(std::string_view text, int64_t* micros) {
    if (text[0] != '.' || !std::all_of(text.begin() + 1, text.end(), IsDigit)) return false;
    if (text.size() == 1) return true;
    double fraction = 0;
    if (!ParseFloat8(text, &fraction).ok()) return false;
    *micros = static_cast<int64_t>(__builtin_rint(fraction * 1e6));
    return true;
  }

  Failure SetClock(int64_t hour, int64_t minute, int64_t second, int64_t micros) {
    if (minute > 59 || second > 60 || hour > 24 ||
        (hour == 24 && (minute > 0 || second > 0 || micros > 0))) {
      return Failure::kField;
    }
    clock.hour = static_cast<int32_t>(hour);
    clock.minute = static_cast<int32_t>(minute);
    clock.second = static_cast<int32_t>(second);
    clock.micros = static_cast<int32_t>(micros);
    return Failure::kNone;
  }

  bool HasDateParts() const { return has_date || (year_ && month_ && day_); }

  // A number alone: yyyymmdd, yymmdd, hhmmss, hhmm after a T, or the next part of a date.
  Failure DecodeNumber(const std::string& text) {
    const size_t point = text.find('.');
    const std::string whole_digits = text.substr(0, point);
    const size_t digits = whole_digits.size();
    if ((HasDateParts() || time_only_) && !has_time && (digits == 6 || digits == 4)) {
      const char* at = text.data();
      int64_t micros = 0;
      if (point != text.npos && !Fraction(text.substr(point), &micros)) return Failure::kSyntax;
      has_time = true;
      return SetClock(Digits(at, 2), Digits(at + 2, 2), digits == 6 ? Digits(at + 4, 2) : 0,
                      micros);
    }
    const bool fresh = !has_date && !year_ && !month_ && !day_;
    if (fresh && digits == 4 && point == 4 && text.size() == 8) {
      // 2024.005: the year and its day
      const Failure failure = DecodePart(whole_digits);
      return failure == Failure::kNone ? DecodePart(text.substr(5)) : failure;
    }
    if (point != text.npos) return Failure::kSyntax;
    if (fresh && (digits == 8 || digits == 6)) {
      const char* at = text.data();
      const auto year_digits = static_cast<int>(digits) - 4;
      two_digit_year_ = digits == 6;
      year_ = Digits(at, year_digits);
      month_ = Digits(at + year_digits, 2);
      day_ = Digits(at + year_digits + 2, 2);
      return Failure::kNone;
    }
    if (digits > 7) return Failure::kSyntax;
    return DecodePart(text);
  }

  // One number of a date in parts, as DecodeNumber with the order month, day, year.
  Failure DecodePart(std::string_view text) {
    if (has_date || text.size() > 7 || text.empty()) return Failure::kSyntax;
    const int32_t value = Digits(text.data(), static_cast<int>(text.size()));
    if (value < 0) return Failure::kSyntax;
    const bool long_number = text.size() >= 3;
    // A number of three digits with a year there already is the day of the year.
    if (year_ && !month_ && !day_ && text.size() == 3) {
      if (value < 1 || value > 366) return Failure::kField;
      const CivilDate civil = CivilFromDays(DaysFromCivil({*year_, 1, 1}) + value - 1);
      month_ = civil.month;
      day_ = civil.day;
      return Failure::kNone;
    }
    if (!year_ && long_number && (!day_ || month_)) return SetYear(text, value);
    if (!month_ && !text_month_) {
      month_ = value;
    } else if (!day_) {
      day_ = value;
    } else if (!year_) {
      return SetYear(text, value);
    } else {
      return Failure::kSyntax;
    }
    return Failure::kNone;
  }

  Failure SetYear(std::string_view text, int32_t value) {
    if (text_month_ && !day_ && text.size() < 3) {
      day_ = value;
      return Failure::kNone;
    }
    year_ = value;
    two_digit_year_ = text.size() <= 2;
    return Failure::kNone;
  }

  // 2024-01-05, 1/5/2024, 05-Jan-2024, Jan-05-2024
  Failure DecodeDate(const std::string& text) {
    if (has_date || month_ || day_) return Failure::kSyntax;
    std::vector<std::string> parts;
    for (size_t at = 0; at < text.size();) {
      if (!IsDigit(text[at]) && !IsAlpha(text[at])) {
        ++at;
        continue;
      }
      const bool digits = IsDigit(text[at]);
      std::string part;
      while (at < text.size() && (digits ? IsDigit(text[at]) : IsAlpha(text[at])))
        part += text[at++];
      parts.push_back(std::move(part));
    }
    if (parts.size() > 3) return Failure::kSyntax;
    for (const std::string& part : parts) {
      if (!IsAlpha(part[0])) continue;
      const int32_t month = MonthOf(part);
      if (month == 0 || month_) return Failure::kSyntax;
      month_ = month;
      text_month_ = true;
    }
    for (const std::string& part : parts) {
      if (IsAlpha(part[0])) continue;
      const Failure failure = DecodePart(part);
      if (failure != Failure::kNone) return failure;
    }
    return Failure::kNone;
  }

  Failure Finish() {
    if (whole) return year_ || month_ || day_ || has_time ? Failure::kSyntax : Failure::kNone;
    if (!relative_ && (year_ || month_ || day_)) {
      if (!year_ || !month_ || !day_) return Failure::kSyntax;
      const Failure failure = FinishDate();
      if (failure != Failure::kNone) return failure;
    }
    if (half_ == 0) return Failure::kNone;
    if (!has_time || clock.hour > 12) return Failure::kField;
    if (half_ == 'a' && clock.hour == 12) clock.hour = 0;
    if (half_ == 'p' && clock.hour != 12) clock.hour += 12;
    return Failure::kNone;
  }

  // ValidateDate.
  Failure FinishDate() {
    int32_t year = *year_;
    if (before_christ_) {
      if (year <= 0) return Failure::kField;
      year = 1 - year;
    } else if (two_digit_year_) {
      year += year < 70 ? 2000 : 1900;
    } else if (year <= 0) {
      return Failure::kField;
    }
    if (*month_ < 1 || *month_ > 12) return Failure::kMonthOrDay;
    if (*day_ < 1 || *day_ > 31) return Failure::kMonthOrDay;
    if (*day_ > DaysInMonth(year, *month_)) return Failure::kField;
    has_date = true;
    date = {year, *month_, *day_};
    return Failure::kNone;
  }

  const DateContext& context_;
  const bool time_only_;
  std::optional<int32_t> year_, month_, day_;
  bool text_month_ = false, two_digit_year_ = false, before_christ_ = false, relative_ = false;
  char half_ = 0;  // 'a' or 'p'
};

Failure DecodeText(std::string_view text, Decoder* decoder) {
  std::vector<Field> fields;
  if (!FieldCutter(text).Cut(&fields) || fields.empty()) return Failure::kSyntax;
  return decoder->Decode(fields);
}

// The wall's time of what was decoded; REQUIRES: no `whole`.
Failure Local(const Decoder& decoder, Micros* local) {
  TimestampFields fields = decoder.clock;
  fields.date = decoder.date;
  return MicrosOf(fields, local) ? Failure::kNone : Failure::kRange;
}

Failure DecodeTimestamp(std::string_view text, const DateContext& context, bool with_zone,
                        Micros* out, std::string* unknown_zone) {
  Decoder decoder(context, false);
  const Failure failure = DecodeText(text, &decoder);
  *unknown_zone = std::move(decoder.unknown_zone);
  if (failure != Failure::kNone) return failure;
  if (decoder.whole) {
    *out = *decoder.whole;
    if (!with_zone && !IsInfiniteTimestamp(*out) && *out != 0) *out = context.zone->ToLocal(*out);
    return Failure::kNone;
  }
  if (!decoder.has_date) return Failure::kSyntax;
  Micros local;
  if (const Failure bad = Local(decoder, &local); bad != Failure::kNone) return bad;
  *out = local;
  if (!with_zone) return Failure::kNone;
  if (decoder.offset) {
    *out = local - *decoder.offset * kMicrosPerSecond;
  } else {
    *out = (decoder.zone != nullptr ? decoder.zone : context.zone)->ToUtc(local);
  }
  return IsValidTimestamp(*out) ? Failure::kNone : Failure::kRange;
}

Failure DecodeDay(std::string_view text, const DateContext& context, int32_t* days,
                  std::string* unknown_zone) {
  Decoder decoder(context, false);
  const Failure failure = DecodeText(text, &decoder);
  *unknown_zone = std::move(decoder.unknown_zone);
  if (failure != Failure::kNone) return failure;
  if (decoder.whole && IsInfiniteTimestamp(*decoder.whole)) {
    *days = *decoder.whole > 0 ? kDateInfinity : kDateNegativeInfinity;
    return Failure::kNone;
  }
  int64_t day;
  if (decoder.whole) {
    day = DaysOf(*decoder.whole == 0 ? 0 : context.zone->ToLocal(*decoder.whole));
  } else if (decoder.has_date) {
    day = DaysFromCivil(decoder.date);
  } else {
    return Failure::kSyntax;
  }
  if (!IsValidDate(day)) return Failure::kRange;
  *days = static_cast<int32_t>(day);
  return Failure::kNone;
}

Failure DecodeTimeOfDay(std::string_view text, const DateContext& context, int64_t* micros,
                        std::string* unknown_zone) {
  Decoder decoder(context, true);
  const Failure failure = DecodeText(text, &decoder);
  *unknown_zone = std::move(decoder.unknown_zone);
  if (failure != Failure::kNone) return failure;
  if (decoder.whole) {
    if (*decoder.whole != context.now) return Failure::kSyntax;
    *micros = TimeOfDay(context.zone->ToLocal(context.now));
    return Failure::kNone;
  }
  if (!decoder.has_time) return Failure::kSyntax;
  const TimestampFields& clock = decoder.clock;
  *micros = clock.hour * kMicrosPerHour + clock.minute * kMicrosPerMinute +
            clock.second * kMicrosPerSecond + clock.micros;
  return *micros > kMicrosPerDay ? Failure::kField : Failure::kNone;
}

}  // namespace

Status ParseDate(std::string_view text, const DateContext& context, int32_t* days) {
  CivilDate date;
  if (text.size() == 10 && ReadIsoDate(text, &date)) {
    *days = static_cast<int32_t>(DaysFromCivil(date));
    return Status::OK();
  }
  std::string unknown_zone;
  const Failure failure = DecodeDay(text, context, days, &unknown_zone);
  return ToStatus(failure, "date", text, unknown_zone);
}

Status ParseTime(std::string_view text, const DateContext& context, int64_t* micros) {
  TimestampFields fields;
  std::string_view rest = text;
  if (ReadIsoClock(&rest, &fields) && rest.empty()) {
    *micros = fields.hour * kMicrosPerHour + fields.minute * kMicrosPerMinute +
              fields.second * kMicrosPerSecond + fields.micros;
    return Status::OK();
  }
  std::string unknown_zone;
  const Failure failure = DecodeTimeOfDay(text, context, micros, &unknown_zone);
  return ToStatus(failure, "time", text, unknown_zone);
}

Status ParseTimestamp(std::string_view text, const DateContext& context, bool with_zone,
                      Micros* out) {
  TimestampFields fields;
  if (ReadIsoDate(text, &fields.date)) {
    std::string_view rest = text.substr(10);
    bool usual = rest.empty();
    if (rest.starts_with(' ') || rest.starts_with('T')) {
      rest.remove_prefix(1);
      usual = ReadIsoClock(&rest, &fields);
    }
    const bool utc = usual && (rest == "Z" || rest == "+00");
    if (usual && (rest.empty() || utc) && MicrosOf(fields, out)) {
      if (with_zone && !utc) *out = context.zone->ToUtc(*out);
      return Status::OK();
    }
  }
  std::string unknown_zone;
  const Failure failure = DecodeTimestamp(text, context, with_zone, out, &unknown_zone);
  return ToStatus(failure, with_zone ? "timestamp with time zone" : "timestamp", text,
                  unknown_zone);
}

}  // namespace leat::text_internal
