#include "connect/read_column.h"

#include "data/time_zone.h"

namespace leat {
namespace {

// The column's own pattern, else the table's.
Result<PatternPtr> PatternOf(const Relation& relation, const ColumnSpec& column) {
  const Type& type = column.column.type;
  const bool date = type.id == TypeId::kDate;
  const bool timestamp = type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz;
  for (const auto& [name, fits] :
       {std::pair("date_format", date), std::pair("timestamp_format", timestamp)}) {
    if (fits || !column.options.contains(name)) continue;
    return InvalidValue(
        name, column.options.at(name),
        fmt::format("Column \"{}\" is of type {}.", column.column.name, TypeName(type)));
  }
  LEAT_ASSIGN(const TimeSpelling own, TimeSpelling::Make(column.options));
  LEAT_ASSIGN(const TimeSpelling common, TimeSpellingOf(relation));
  return own.Of(type) != nullptr ? own.Of(type) : common.Of(type);
}

}  // namespace

Result<TextSettings> TextSettingsOf(const Server& server, const Relation& relation) {
  TextSettings text;
  text.timezone =
      OptionOr(relation.options, "timezone", OptionOr(server.options, "timezone", "UTC"));
  if (!TimeZone::FindSetting(text.timezone).ok()) {
    return InvalidValue("timezone", text.timezone,
                        "Write a name such as \"Europe/Vienna\", or \"UTC\".");
  }
  return text;
}

Result<TimeSpelling> TimeSpellingOf(const Relation& relation) {
  return TimeSpelling::Make(relation.options);
}

Result<ReadColumn> ReadColumnOf(const Relation& relation, const ColumnSpec& column) {
  LEAT_ASSIGN(const OnError on_error, OnErrorOf(relation, column));
  LEAT_ASSIGN(auto pattern, PatternOf(relation, column));
  return ReadColumn{
      .column = column.column,
      .outside_name = column.outside_name.empty() ? column.column.name : column.outside_name,
      .path = column.path,
      .null_on_error = on_error == OnError::kNull,
      .unread = column.unread,
      .pattern = std::move(pattern)};
}

}  // namespace leat
