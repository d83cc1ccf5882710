#include "connect/options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"

namespace leat {
namespace {

constexpr const char* kInvalidOption = "HV00D";     // fdw_invalid_option_name
constexpr const char* kInvalidParameter = "22023";  // invalid_parameter_value
constexpr int64_t kShareRowsMin = 1000;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The number that `text` begins with; the rest stays in `text`.
template <typename Number>
bool TakeNumber(std::string_view* text, Number* out) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

Result<OnError> ParseOnError(std::string_view value) {
  if (value == "reject") return OnError::kReject;
  if (value == "fail") return OnError::kFail;
  if (value == "null") return OnError::kNull;
  return InvalidValue("on_error", value, "Valid values are \"reject\", \"fail\" and \"null\".");
}

std::string Hint(const std::string& name, const std::vector<std::string>& names) {
  if (const auto nearest = NearestName(name, names)) {
    return fmt::format("Perhaps you meant \"{}\".", *nearest);
  }
  if (names.empty()) return "There are no valid options in this context.";
  return fmt::format("Valid options in this context are: {}.", fmt::join(names, ", "));
}

}  // namespace

Status CheckOptions(const Options& options, OptionPlace place,
                    std::span<const OptionSpec* const> specs, int location) {
  std::vector<std::string> names;
  for (const OptionSpec* spec : specs) {
    if (spec->place == place) names.emplace_back(spec->name);
  }
  for (const auto& [name, value] : options) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return SqlStatus(fmt::format("invalid option \"{}\"", name),
                     {.sqlstate = kInvalidOption, .location = location, .hint = Hint(name, names)});
  }
  return Status::OK();
}

Status InvalidValue(std::string_view name, std::string_view value, std::string hint) {
  return SqlStatus(fmt::format("invalid value for option \"{}\": \"{}\"", name, value),
                   {.sqlstate = kInvalidParameter, .hint = std::move(hint)});
}

std::string OptionOr(const Options& options, std::string_view name, std::string_view fallback) {
  const auto found = options.find(std::string(name));
  return found == options.end() ? std::string(fallback) : found->second;
}

Result<bool> BoolOption(const Options& options, std::string_view name, bool fallback) {
  const auto found = options.find(std::string(name));
  if (found == options.end()) return fallback;
  const std::string value = LowerAscii(Trim(found->second));
  for (const char* yes : {"true", "t", "yes", "y", "on", "1"}) {
    if (value == yes) return true;
  }
  for (const char* no : {"false", "f", "no", "n", "off", "0"}) {
    if (value == no) return false;
  }
  return InvalidValue(name, found->second, "Write \"true\" or \"false\".");
}

Result<int64_t> CountOption(const Options& options, std::string_view name, int64_t fallback,
                            int64_t min) {
  const auto found = options.find(std::string(name));
  if (found == options.end()) return fallback;
  std::string_view rest = Trim(found->second);
  int64_t count = 0;
  if (!TakeNumber(&rest, &count) || !rest.empty() || count < min) {
    return InvalidValue(name, found->second, fmt::format("Write a whole number from {} on.", min));
  }
  return count;
}

Result<int64_t> BytesOption(const Options& options, std::string_view name, int64_t fallback) {
  const auto found = options.find(std::string(name));
  if (found == options.end()) return fallback;
  std::string_view rest = Trim(found->second);
  int64_t bytes = 0;
  if (TakeNumber(&rest, &bytes) && bytes > 0 && bytes < (int64_t{1} << 40)) {
    rest = Trim(rest);
    constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
    if (rest.empty()) return bytes;
    for (const std::string_view unit : kUnits) {
      if (rest == unit) return bytes;
      if (bytes > INT64_MAX / 1024) break;
      bytes *= 1024;
    }
  }
  return InvalidValue(name, found->second,
                      "Write a number with a unit: \"B\", \"kB\", \"MB\", \"GB\" or \"TB\".");
}

Result<std::chrono::microseconds> TimeOption(const Options& options, std::string_view name,
                                             std::chrono::microseconds fallback) {
  const auto found = options.find(std::string(name));
  if (found == options.end()) return fallback;
  struct Unit {
    std::string_view name;
    int64_t micros;
  };
  constexpr std::array<Unit, 15> kUnits = {{{"", 1'000'000},
                                            {"us", 1},
                                            {"ms", 1'000},
                                            {"s", 1'000'000},
                                            {"min", 60'000'000},
                                            {"h", 3'600'000'000},
                                            {"d", 86'400'000'000},
                                            {"second", 1'000'000},
                                            {"seconds", 1'000'000},
                                            {"minute", 60'000'000},
                                            {"minutes", 60'000'000},
                                            {"hour", 3'600'000'000},
                                            {"hours", 3'600'000'000},
                                            {"day", 86'400'000'000},
                                            {"days", 86'400'000'000}}};
  std::string_view rest = Trim(found->second);
  int64_t number = 0;
  if (TakeNumber(&rest, &number) && number >= 0 && number < 1'000'000'000) {
    rest = Trim(rest);
    for (const Unit& unit : kUnits) {
      if (rest == unit.name && number <= INT64_MAX / 4 / unit.micros) {
        return std::chrono::microseconds(number * unit.micros);
      }
    }
  }
  return InvalidValue(
      name, found->second,
      "Write a number with a unit: \"us\", \"ms\", \"s\", \"min\", \"h\", \"d\" or \"day\".");
}

Result<std::string> ChoiceOption(const Options& options, std::string_view name,
                                 std::span<const std::string_view> choices) {
  const auto found = options.find(std::string(name));
  if (found == options.end()) return std::string(choices[0]);
  for (const std::string_view choice : choices) {
    if (found->second == choice) return found->second;
  }
  return InvalidValue(name, found->second,
                      fmt::format("Valid values are \"{}\".", fmt::join(choices, "\", \"")));
}

Result<std::vector<std::string>> NameList(std::string_view option, std::string_view text) {
  std::vector<std::string> names;
  std::string_view rest = Trim(text);
  while (!rest.empty()) {
    std::string name;
    if (rest.front() == '"') {
      size_t at = 1;
      for (; at < rest.size(); ++at) {
        if (rest[at] == '"' && (at + 1 >= rest.size() || rest[at + 1] != '"')) break;
        if (rest[at] == '"') ++at;
        name += rest[at];
      }
      if (at >= rest.size()) return InvalidValue(option, text, "A quoted name has no end.");
      rest = Trim(rest.substr(at + 1));
      if (!rest.empty() && rest.front() != ',') {
        return InvalidValue(option, text, "Write names with commas between them.");
      }
    } else {
      name = LowerAscii(Trim(rest.substr(0, rest.find(','))));
      rest.remove_prefix(std::min(rest.size(), rest.find(',')));
    }
    if (name.empty()) return InvalidValue(option, text, "Write names with commas between them.");
    names.push_back(std::move(name));
    if (!rest.empty()) {
      rest = Trim(rest.substr(1));
      if (rest.empty()) return InvalidValue(option, text, "A name is missing after the comma.");
    }
  }
  return names;
}

Result<std::vector<int>> ColumnList(const Options& options, std::string_view option,
                                    const Schema& schema) {
  LEAT_ASSIGN(const auto names, NameList(option, OptionOr(options, option, "")));
  std::vector<int> columns;
  for (const std::string& name : names) {
    const int column = schema.Find(name);
    if (column < 0) {
      std::vector<std::string> known;
      for (const Column& each : schema.columns) known.push_back(each.name);
      const auto nearest = NearestName(name, known);
      return SqlStatus(
          fmt::format("column \"{}\" named in option \"{}\" does not exist", name, option),
          {.sqlstate = kUndefinedColumn,
           .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest) : ""});
    }
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return InvalidValue(option, OptionOr(options, option, ""),
                          fmt::format("Column \"{}\" appears twice.", name));
    }
    columns.push_back(column);
  }
  return columns;
}

Result<OnError> OnErrorOf(const Relation& relation) {
  return ParseOnError(OptionOr(relation.options, "on_error", "reject"));
}

Result<OnError> OnErrorOf(const Relation& relation, const ColumnSpec& column) {
  const auto own = column.options.find("on_error");
  if (own != column.options.end()) return ParseOnError(own->second);
  if (column.on_error != OnError::kReject) return column.on_error;
  return OnErrorOf(relation);
}

bool RejectLimit::Exceeded(int64_t rows_rejected, int64_t rows_read) const {
  if (rows >= 0) return rows_rejected > rows;
  if (share < 0 || rows_read < kShareRowsMin) return false;
  return static_cast<double>(rows_rejected) > share * static_cast<double>(rows_read);
}

Result<std::optional<RejectLimit>> RejectLimitOf(const Relation& relation) {
  const auto found = relation.options.find("max_rejects");
  if (found == relation.options.end()) return std::nullopt;
  std::string_view rest = Trim(found->second);
  RejectLimit limit;
  if (rest.ends_with('%')) {
    double percent = 0;
    rest.remove_suffix(1);
    if (TakeNumber(&rest, &percent) && Trim(rest).empty() && percent >= 0 && percent <= 100) {
      limit.share = percent / 100;
      return limit;
    }
  } else if (TakeNumber(&rest, &limit.rows) && rest.empty() && limit.rows >= 0) {
    return limit;
  }
  return InvalidValue("max_rejects", found->second,
                      "Write a count of rows, or a share such as \"1%\".");
}

Result<FlushRules> FlushRulesOf(const Server& server, const Options& options) {
  constexpr int64_t kBytes = 512 << 20;
  // A commit of files makes files: not many small ones.
  const std::chrono::seconds interval(server.kind == "file" ? 60 : 0);
  FlushRules rules;
  LEAT_ASSIGN(rules.bytes, BytesOption(options, "flush_bytes", kBytes));
  LEAT_ASSIGN(rules.rows, CountOption(options, "flush_rows", 0));
  LEAT_ASSIGN(rules.interval, TimeOption(options, "flush_interval", interval));
  return rules;
}

}  // namespace leat
