// The doors: which code serves a server's kind and its url's scheme. To add a system, write
// connect/<system>/ and one line in connectors.cc.
#pragma once

#include <memory>
#include <string>

#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

// A source for a foreign table (several tables of one server may share a source later).
Result<std::unique_ptr<Source>> MakeSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Sink>> MakeSink(SinkSpec spec);
// The columns of `()`, read from the system (a file's header, a table's catalog).
Result<Schema> InferColumns(const Server& server, const Relation& relation);
// Reads the whole relation as it is now, for SELECT from a sink or a warehouse table.
Result<std::vector<Batch>> ReadAll(const Server& server, const Relation& relation);

}  // namespace leat
