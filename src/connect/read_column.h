// How a table's columns are read from text, whatever the system: files, topics, APIs.
#pragma once

#include <array>

#include "catalog/catalog.h"
#include "connect/options.h"
#include "format/format.h"

namespace leat {

// The options that all of them have.
inline constexpr std::array kTextOptions = {
    OptionSpec{"date_format", OptionPlace::kTable, "as PostgreSQL reads dates",
               "How the text of dates is spelled, as a pattern of `to_date`: `DD.MM.YYYY`."},
    OptionSpec{"timestamp_format", OptionPlace::kTable, "as PostgreSQL reads them",
               "The same of timestamp and timestamptz: `MM/DD/YYYY HH12:MI:SS AM`."},
    OptionSpec{"date_format", OptionPlace::kColumn, "the table's", "Of one column of type date."},
    OptionSpec{"timestamp_format", OptionPlace::kColumn, "the table's",
               "Of one column of type timestamp or timestamptz."},
    OptionSpec{"path", OptionPlace::kColumn, "",
               "Where a nested value is in a JSON object: `$.main.temp`."},
};

// The time zone of the table, else of the server, else UTC: never the machine's.
Result<TextSettings> TextSettingsOf(const Server& server, const Relation& relation);
Result<TimeSpelling> TimeSpellingOf(const Relation& relation);
Result<ReadColumn> ReadColumnOf(const Relation& relation, const ColumnSpec& column);

}  // namespace leat
