// The `database` kind on PostgreSQL: tables whose every change is read from the write-ahead log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/source.h"

namespace leat {

SourceTraits PostgresTraits(const Relation& relation);
// One source of all these tables of one server.
Result<std::unique_ptr<Source>> MakePostgresSource(const Server& server,
                                                   const std::vector<const Relation*>& relations);

// Drops the slot and the publications of a pipeline, if they are there: a line for each.
Result<std::vector<std::string>> DropPostgresSlot(const Server& server);

}  // namespace leat
