// IMPORT FOREIGN SCHEMA: the tables of a schema there as foreign tables here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/sql.h"

namespace leat {

// Columns by what they are of, as the state keeps them (PipelineOptions::pinned).
using PinnedColumns = std::map<std::string, std::vector<Column>>;

// The tables that the statement chooses, read from there. One that it names and that is not there
// is an error.
Result<std::vector<Relation>> ImportTables(const ImportSchema& import, const Server& server);

// The same as an earlier run kept them; nothing if none did, or by another statement.
std::optional<std::vector<Relation>> PinnedImport(const ImportSchema& import,
                                                  const PinnedColumns& pinned);
void PinImport(const ImportSchema& import, const std::vector<Relation>& relations,
               PinnedColumns* pinned);

}  // namespace leat
