// The `database` kind on postgresql: urls: tables that are written, and read as they are now.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

inline constexpr std::array kPostgresTableOptions = {
    OptionSpec{"schema", OptionPlace::kServer, "public", "The schema of the server's tables."},
    OptionSpec{"schema", OptionPlace::kTable, "the server's", "The table's schema there."},
    OptionSpec{"table", OptionPlace::kTable, "the foreign table's name",
               "The table's name there; `schema.name` where no `schema` is given."},
    OptionSpec{"partition_by", OptionPlace::kTable, "",
               "The column that a `snapshot` sink writes the period into."},
    OptionSpec{"slot", OptionPlace::kServer, "leat_ and the pipeline's name",
               "The replication slot of its sources: made by leat, dropped by `leat drop`."},
    OptionSpec{"publication", OptionPlace::kServer, "made by leat",
               "A publication that has the sources' tables, where leat may not make one."},
    OptionSpec{"spool", OptionPlace::kServer, "in the state's folder",
               "The folder where rows of a source's first reading are kept until a checkpoint has "
               "them."},
    OptionSpec{"changes", OptionPlace::kTable, "all",
               "`insert` for a source without a PRIMARY KEY whose rows are only ever inserted: "
               "whatever else happens to them there is not heard of. Without it such a table needs "
               "REPLICA IDENTITY FULL."},
};

Result<std::unique_ptr<Sink>> MakePostgresSink(SinkSpec spec);
Result<Schema> InferPostgresColumns(const Server& server, const Relation& relation);
// One COPY of the table: what one snapshot of the database shows.
Status ReadPostgresTable(const Server& server, const Relation& relation,
                         const ArrivalVisitor& visit);
// The tables of a schema, for IMPORT FOREIGN SCHEMA.
Result<std::vector<Relation>> ImportPostgresTables(const Server& server, const std::string& schema,
                                                   const TableChoice& wanted);
Result<std::optional<Mark>> ReadPostgresMark(const SinkSpec& spec);

}  // namespace leat
