#include "data/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <vector>

#include "base/ascii.h"
#include "data/date.h"

namespace leat {
namespace {

constexpr int64_t kDaySeconds = 86400;

struct Abbreviation {
  std::string_view name;
  int32_t minutes;
};

// The common part of PostgreSQL's "Default" abbreviations.
constexpr std::array kAbbreviations = {
    Abbreviation{"z", 0},       Abbreviation{"zulu", 0},    Abbreviation{"utc", 0},
    Abbreviation{"uct", 0},     Abbreviation{"gmt", 0},     Abbreviation{"wet", 0},
    Abbreviation{"west", 60},   Abbreviation{"bst", 60},    Abbreviation{"cet", 60},
    Abbreviation{"met", 60},    Abbreviation{"cest", 120},  Abbreviation{"cetdst", 120},
    Abbreviation{"mest", 120},  Abbreviation{"eet", 120},   Abbreviation{"ist", 120},
    Abbreviation{"sast", 120},  Abbreviation{"eest", 180},  Abbreviation{"eetdst", 180},
    Abbreviation{"idt", 180},   Abbreviation{"msk", 180},   Abbreviation{"msd", 240},
    Abbreviation{"pkt", 300},   Abbreviation{"hkt", 480},   Abbreviation{"sgt", 480},
    Abbreviation{"awst", 480},  Abbreviation{"jst", 540},   Abbreviation{"kst", 540},
    Abbreviation{"acst", 570},  Abbreviation{"aest", 600},  Abbreviation{"acdt", 630},
    Abbreviation{"aedt", 660},  Abbreviation{"nzst", 720},  Abbreviation{"nzdt", 780},
    Abbreviation{"nst", -210},  Abbreviation{"ndt", -150},  Abbreviation{"ast", -240},
    Abbreviation{"adt", -180},  Abbreviation{"est", -300},  Abbreviation{"edt", -240},
    Abbreviation{"cst", -360},  Abbreviation{"cdt", -300},  Abbreviation{"mst", -420},
    Abbreviation{"mdt", -360},  Abbreviation{"pst", -480},  Abbreviation{"pdt", -420},
    Abbreviation{"akst", -540}, Abbreviation{"akdt", -480}, Abbreviation{"hst", -600},
};

// The wall's time between two transitions: [from, …) has `offset`.
struct Transition {
  int64_t from;    // seconds UTC
  int32_t offset;  // seconds east
};

// --- POSIX rules: "CET-1CEST,M3.5.0,M10.5.0/3" ---------------------------------------------------

// When within a year the clock is changed.
struct RuleDate {
  enum class Kind : uint8_t { kJulianNoLeap, kZeroBased, kMonthWeekDay } kind = Kind::kMonthWeekDay;
  int32_t month = 0, week = 0, day = 0;
  int32_t time = 7200;  // seconds after midnight by the wall's clock before the change

  int64_t DaysIn(int32_t year) const {
    const int64_t first = DaysFromCivil({year, 1, 1});
    if (kind == Kind::kZeroBased) return first + day;
    if (kind == Kind::kJulianNoLeap)
      return first + day - 1 + (IsLeapYear(year) && day >= 60 ? 1 : 0);
    const int64_t month_first = DaysFromCivil({year, month, 1});
    int64_t at = month_first + (day - DayOfWeek(month_first) + 7) % 7 + (week - 1) * 7;
    while (at >= month_first + DaysInMonth(year, month)) at -= 7;
    return at;
  }
};

struct Rule {
  int32_t standard = 0, summer = 0;  // seconds east
  bool has_summer = false;
  RuleDate begin, end;

  // The two changes of a year, in order.
  std::array<Transition, 2> In(int32_t year) const {
    const Transition to_summer{begin.DaysIn(year) * kDaySeconds + begin.time - standard, summer};
    const Transition to_standard{end.DaysIn(year) * kDaySeconds + end.time - summer, standard};
    if (to_summer.from < to_standard.from) return {to_summer, to_standard};
    return {to_standard, to_summer};
  }
};

// Reads a rule from the front of `text`.
class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : text_(text) {}

  std::optional<Rule> Parse() {
    Rule rule;
    int32_t west;
    Name();  // PostgreSQL takes an offset without a name, too
    if (!Time(&west)) return std::nullopt;
    rule.standard = -west;
    if (text_.empty()) return rule;
    rule.has_summer = true;
    if (!Name()) return std::nullopt;
    rule.summer = rule.standard + 3600;
    if (!text_.empty() && text_[0] != ',') {
      if (!Time(&west)) return std::nullopt;
      rule.summer = -west;
    }
    if (text_.empty()) text_ = ",M3.2.0,M11.1.0";
    if (!Date(&rule.begin) || !Date(&rule.end) || !text_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool Take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool Name() {
    size_t length = 0;
    if (Take('<')) {
      length = text_.find('>');
      if (length == text_.npos) return false;
      text_.remove_prefix(length + 1);
      return true;
    }
    while (length < text_.size() && std::isalpha(static_cast<unsigned char>(text_[length])) != 0) {
      ++length;
    }
    text_.remove_prefix(length);
    return length >= 3;
  }

  bool Number(int32_t max, int32_t* out) {
    size_t digits = 0;
    *out = 0;
    for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
      *out = *out * 10 + (text_[digits] - '0');
      if (*out > max) return false;
    }
    text_.remove_prefix(digits);
    return digits > 0;
  }

  bool Time(int32_t* seconds) {
    const bool negative = Take('-');
    if (!negative) Take('+');
    int32_t hours = 0, minutes = 0, rest = 0;
    if (!Number(167, &hours)) return false;
    if (Take(':') && (!Number(59, &minutes) || (Take(':') && !Number(60, &rest)))) return false;
    *seconds = (hours * 60 + minutes) * 60 + rest;
    if (negative) *seconds = -*seconds;
    return true;
  }

  bool Date(RuleDate* out) {
    if (!Take(',')) return false;
    if (Take('M')) {
      if (!Number(12, &out->month) || !Take('.') || !Number(5, &out->week) || !Take('.') ||
          !Number(6, &out->day)) {
        return false;
      }
    } else {
      out->kind = Take('J') ? RuleDate::Kind::kJulianNoLeap : RuleDate::Kind::kZeroBased;
      if (!Number(366, &out->day)) return false;
    }
    return !Take('/') || Time(&out->time);
  }

  std::string_view text_;
};

// --- Zones ---------------------------------------------------------------------------------------

class RuledZone : public TimeZone {
 public:
  // `transitions` in order, the first from the beginning of time; `rule` holds after the last.
  RuledZone(std::vector<Transition> transitions, std::optional<Rule> rule)
      : transitions_(std::move(transitions)), rule_(rule) {}

  int32_t OffsetAt(Micros utc) const override {
    return At(FloorDivide(utc, kMicrosPerSecond)).offset;
  }

  Micros ToUtc(Micros local) const override {
    const int64_t seconds = FloorDivide(local, kMicrosPerSecond);
    // As DetermineTimeZoneOffset: the first change after a day before decides.
    const int64_t previous = seconds - kDaySeconds;
    const int32_t before = At(previous).offset;
    const std::optional<Transition> change = After(previous);
    const Micros as_before_micros = local - before * kMicrosPerSecond;
    if (!change) return as_before_micros;
    const Micros as_after_micros = local - change->offset * kMicrosPerSecond;
    const int64_t as_before = seconds - before, as_after = seconds - change->offset;
    if (as_before < change->from && as_after < change->from) return as_before_micros;
    if (as_before > change->from && as_after >= change->from) return as_after_micros;
    // Skipped or shown twice.
    return as_before > as_after ? as_before_micros : as_after_micros;
  }

 private:
  bool Ruled(int64_t seconds) const {
    return rule_ && rule_->has_summer && seconds >= transitions_.back().from;
  }

  static int32_t YearOf(int64_t seconds) {
    return CivilFromDays(FloorDivide(seconds, kDaySeconds)).year;
  }

  Transition At(int64_t seconds) const {
    if (Ruled(seconds)) {
      Transition last = transitions_.back();
      for (int32_t year = YearOf(seconds) - 1; year <= YearOf(seconds) + 1; ++year) {
        for (const Transition& change : rule_->In(year)) {
          if (change.from <= seconds && change.from >= last.from) last = change;
        }
      }
      return last;
    }
    const auto after =
        std::upper_bound(transitions_.begin(), transitions_.end(), seconds,
                         [](int64_t at, const Transition& change) { return at < change.from; });
    return after == transitions_.begin() ? transitions_.front() : *(after - 1);
  }

  std::optional<Transition> After(int64_t seconds) const {
    const auto after =
        std::upper_bound(transitions_.begin(), transitions_.end(), seconds,
                         [](int64_t at, const Transition& change) { return at < change.from; });
    if (after != transitions_.end()) return *after;
    if (!rule_ || !rule_->has_summer) return std::nullopt;
    for (int32_t year = YearOf(seconds) - 1; year <= YearOf(seconds) + 1; ++year) {
      for (const Transition& change : rule_->In(year)) {
        if (change.from > seconds) return change;
      }
    }
    return std::nullopt;
  }

  std::vector<Transition> transitions_;
  std::optional<Rule> rule_;
};

std::unique_ptr<TimeZone> FixedZone(int32_t offset) {
  return std::make_unique<RuledZone>(std::vector<Transition>{{INT64_MIN, offset}}, std::nullopt);
}

std::unique_ptr<TimeZone> ZoneOfRule(const Rule& rule) {
  return std::make_unique<RuledZone>(std::vector<Transition>{{INT64_MIN, rule.standard}}, rule);
}

// Big-endian integers from the front of a TZif file (RFC 8536); reading past its end gives zeros
// and is noticed by `ok`.
class TzifReader {
 public:
  explicit TzifReader(std::string_view bytes) : bytes_(bytes) {}

  int64_t Integer(size_t size) {
    if (!Need(size)) return 0;
    uint64_t value = (static_cast<uint8_t>(bytes_[0]) & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = 0; i < size; ++i) value = (value << 8) | static_cast<uint8_t>(bytes_[i]);
    bytes_.remove_prefix(size);
    return static_cast<int64_t>(value);
  }

  void Skip(size_t size) {
    if (Need(size)) bytes_.remove_prefix(size);
  }

  std::string_view rest() const { return bytes_; }
  bool ok() const { return ok_; }

 private:
  bool Need(size_t size) {
    ok_ = ok_ && bytes_.size() >= size;
    return ok_;
  }
  std::string_view bytes_;
  bool ok_ = true;
};

struct TzifCounts {
  size_t is_ut, is_standard, leaps, times, types, characters;
  size_t BlockSize(size_t time_size) const {
    return times * (time_size + 1) + types * 6 + characters + leaps * (time_size + 4) +
           is_standard + is_ut;
  }
};

TzifCounts ReadCounts(TzifReader* reader) {
  reader->Skip(20);
  TzifCounts counts{};
  for (size_t* count : {&counts.is_ut, &counts.is_standard, &counts.leaps, &counts.times,
                        &counts.types, &counts.characters}) {
    *count = static_cast<size_t>(std::max<int64_t>(reader->Integer(4), 0));
  }
  return counts;
}

// Null where the bytes are no TZif of version 2 or later.
std::unique_ptr<TimeZone> ZoneOfTzif(std::string_view bytes) {
  if (!bytes.starts_with("TZif") || bytes.size() < 44 || bytes[4] < '2') return nullptr;
  TzifReader reader(bytes);
  reader.Skip(ReadCounts(&reader).BlockSize(4));
  const TzifCounts counts = ReadCounts(&reader);
  if (!reader.ok() || counts.types == 0 || counts.BlockSize(8) > reader.rest().size())
    return nullptr;
  std::vector<int64_t> times(counts.times), types(counts.times);
  for (int64_t& time : times) time = reader.Integer(8);
  for (int64_t& type : types) type = reader.Integer(1) & 0xFF;
  std::vector<int32_t> offsets(counts.types);
  for (int32_t& offset : offsets) {
    offset = static_cast<int32_t>(reader.Integer(4));
    reader.Skip(2);
  }
  reader.Skip(counts.characters + counts.leaps * 12 + counts.is_standard + counts.is_ut + 1);
  std::vector<Transition> transitions = {{INT64_MIN, offsets[0]}};
  for (size_t i = 0; i < times.size(); ++i) {
    if (static_cast<size_t>(types[i]) >= offsets.size()) return nullptr;
    const int32_t offset = offsets[static_cast<size_t>(types[i])];
    transitions.push_back({times[i], offset});
  }
  const std::string_view footer = reader.rest().substr(0, reader.rest().find('\n'));
  const std::optional<Rule> rule = RuleParser(footer).Parse();
  if (!reader.ok()) return nullptr;
  return std::make_unique<RuledZone>(std::move(transitions), rule);
}

constexpr const char* kZoneDirectory = "/usr/share/zoneinfo";

// The file of a zone, whatever the case in which its name is written; empty: none.
std::string FileOf(std::string_view name) {
  namespace fs = std::filesystem;
  if (name.empty() || name.size() > 100 || name.find("..") != name.npos || name[0] == '/')
    return "";
  std::string path = kZoneDirectory;
  std::stringstream parts{LowerAscii(name)};
  for (std::string part; std::getline(parts, part, '/');) {
    std::error_code error;
    std::string found;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (LowerAscii(entry.path().filename().native()) == part) found = entry.path().native();
    }
    if (found.empty()) return "";
    path = found;
  }
  std::error_code error;
  return fs::is_regular_file(path, error) ? path : "";
}

std::unique_ptr<TimeZone> Load(std::string_view name) {
  int32_t offset;
  const std::string lower = LowerAscii(name);
  if (lower == "utc" || lower == "gmt" || lower == "etc/utc") return FixedZone(0);
  if (const std::string path = FileOf(name); !path.empty()) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    if (auto zone = ZoneOfTzif(bytes)) return zone;
  }
  if (FindZoneAbbreviation(lower, &offset)) return FixedZone(offset);
  if (const std::optional<Rule> rule = RuleParser(name).Parse()) return ZoneOfRule(*rule);
  return nullptr;
}

}  // namespace

bool FindZoneAbbreviation(std::string_view lower, int32_t* offset) {
  for (const Abbreviation& entry : kAbbreviations) {
    if (entry.name != lower) continue;
    *offset = entry.minutes * 60;
    return true;
  }
  return false;
}

Result<const TimeZone*> TimeZone::FindSetting(std::string_view setting) {
  double hours = 0;
  const char* begin = setting.data() + (setting.starts_with('+') ? 1 : 0);
  const char* end = setting.data() + setting.size();
  const auto parsed = std::from_chars(begin, end, hours);
  if (parsed.ec != std::errc() || parsed.ptr != end || !(std::fabs(hours) < 168)) {
    return Find(setting);
  }
  // POSIX counts west.
  const auto seconds = static_cast<int32_t>(std::rint(-hours * 3600));
  const int32_t magnitude = std::abs(seconds);
  return Find(fmt::format("<x>{}{:02}:{:02}:{:02}", seconds < 0 ? "-" : "", magnitude / 3600,
                          magnitude / 60 % 60, magnitude % 60));
}

Result<const TimeZone*> TimeZone::Find(std::string_view name) {
  static std::mutex mutex;
  // Only zones that exist are kept, under names as users write them: bounded in practice and by
  // kNamesMax; what is beyond is loaded again and kept by nobody else, so it is refused.
  constexpr size_t kNamesMax = 100000;
  static std::map<std::string, std::unique_ptr<TimeZone>, std::less<>> zones;
  const std::scoped_lock lock(mutex);
  if (const auto known = zones.find(name); known != zones.end()) return known->second.get();
  auto zone = zones.size() < kNamesMax ? Load(name) : nullptr;
  if (!zone) {
    return SqlStatus(fmt::format("time zone \"{}\" not recognized", name), {.sqlstate = "22023"});
  }
  return zones.emplace(name, std::move(zone)).first->second.get();
}

}  // namespace leat
