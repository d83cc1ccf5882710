// The `database` kind: tables of any database with an ADBC driver. SQLite and DuckDB today.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

inline constexpr std::array kDatabaseOptions = {
    OptionSpec{"table", OptionPlace::kTable, "the foreign table's name", "The table's name there."},
};

// Refused: a database is not followed yet. ReadTable reads it once.
Result<std::unique_ptr<Source>> MakeDatabaseSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Sink>> MakeDatabaseSink(SinkSpec spec);
Result<Schema> InferTableColumns(const Server& server, const Relation& relation);
Status ReadTable(const Server& server, const Relation& relation, const ArrivalVisitor& visit);
Result<std::optional<Mark>> ReadTableMark(const SinkSpec& spec);

}  // namespace leat
