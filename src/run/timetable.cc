#include "run/timetable.h"

#include <charconv>
#include <chrono>

#include "base/ascii.h"
#include "connect/options.h"
#include "run/crew.h"

namespace leat {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr Micros kMinute = 60'000'000;
constexpr Micros kDay = 1440 * kMinute;
// A day of the week and a date meet again at the latest after so many days.
constexpr int64_t kDaysMax = 366 * 29;

struct Field {
  std::string_view name;
  int low, high;
  std::string_view names;  // of three letters each, from `low` on
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, ""},
                                           {"hour", 0, 23, ""},
                                           {"day", 1, 31, ""},
                                           {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                           {"weekday", 0, 7, "sunmontuewedthufrisat"}}};

Status Wrong(std::string_view text, const Field& field) {
  return SqlStatus(
      fmt::format("invalid {} in the schedule: \"{}\"", field.name, text),
      {.sqlstate = "22023",
       .hint = "Write five fields, minute hour day month weekday: '30 4 * * mon-fri'."});
}

// The number or name that `text` is; -1 for neither.
int ValueOf(std::string_view text, const Field& field) {
  const std::string lower = LowerAscii(text);
  const size_t at = lower.size() == 3 ? field.names.find(lower) : field.names.npos;
  if (at != field.names.npos && at % 3 == 0) return field.low + static_cast<int>(at / 3);
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= field.low && value <= field.high ? value : -1;
}

// One item of a list: 'a', 'a-b', '*', each also with '/step'.
Status AddItem(std::string_view item, const Field& field, std::bitset<60>* set) {
  int step = 1;
  std::string_view range = item;
  if (const size_t slash = item.find('/'); slash != item.npos) {
    range = item.substr(0, slash);
    const auto text = item.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc() || end != text.data() + text.size() || step < 1) {
      return Wrong(item, field);
    }
  }
  int from = field.low, to = field.high;
  if (range != "*") {
    const size_t dash = range.find('-');
    from = ValueOf(range.substr(0, dash), field);
    to = dash == range.npos ? (range.size() == item.size() ? from : field.high)
                            : ValueOf(range.substr(dash + 1), field);
  }
  if (from < 0 || to < from) return Wrong(item, field);
  for (int value = from; value <= to; value += step) {
    const bool sunday = field.high == 7 && value == 7;
    set->set(sunday ? 0 : static_cast<size_t>(value));
  }
  return Status::OK();
}

}  // namespace

Result<Timetable> Timetable::Every(std::string_view text) {
  Timetable table;
  LEAT_ASSIGN(const auto every, TimeOption({{"every", std::string(text)}}, "every", {}));
  if (every < std::chrono::seconds(1)) {
    return InvalidValue("every", text, "The shortest is a second; `--follow` never waits.");
  }
  table.every_ = every.count();
  return table;
}

Result<Timetable> Timetable::Cron(std::string_view text) {
  Timetable table;
  for (size_t i = 0; i < kFields.size(); ++i) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::string_view field = text.substr(0, text.find(' '));
    text.remove_prefix(field.size());
    if (field.empty()) return Wrong(field, kFields[i]);
    if (i == 2) table.any_day_ = field == "*";
    if (i == 4) table.any_weekday_ = field == "*";
    while (true) {
      const size_t comma = field.find(',');
      LEAT_RETURN(AddItem(field.substr(0, comma), kFields[i], &table.fields_[i]));
      if (comma == field.npos) break;
      field.remove_prefix(comma + 1);
    }
  }
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text.empty() ? Result<Timetable>(table) : Wrong(text, kFields[4]);
}

Micros Timetable::Next(Micros now) const {
  if (every_ > 0) return (now / every_ + 1) * every_;
  const Micros first = (now / kMinute + 1) * kMinute;
  for (int64_t day = first / kDay; day <= first / kDay + kDaysMax; ++day) {
    const sys_days date{days(day)};
    const std::chrono::year_month_day parts(date);
    const bool on_day = fields_[2].test(static_cast<unsigned>(parts.day()));
    const bool on_weekday = fields_[4].test(std::chrono::weekday(date).c_encoding());
    const bool either = any_day_ || any_weekday_ ? on_day && on_weekday : on_day || on_weekday;
    if (!either || !fields_[3].test(static_cast<unsigned>(parts.month()))) continue;
    for (Micros at = std::max(first, day * kDay); at < (day + 1) * kDay; at += kMinute) {
      const auto minute = static_cast<size_t>(at % kDay / kMinute);
      if (fields_[1].test(minute / 60) && fields_[0].test(minute % 60)) return at;
    }
  }
  return kNever;
}

}  // namespace leat
