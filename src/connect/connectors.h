// The doors: which code serves a server's kind and its url's scheme. To add a system, write
// connect/<system>/ and one line in connectors.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

// A relative path in a url is relative to the server's option `base`, which `run` sets to the
// pipeline's directory; without it, to the working directory.

// What is known of a foreign table as a source, without touching the system.
SourceTraits TraitsOf(const Server& server, const Relation& relation);
// A source for a foreign table; for several tables of one server where they share one.
Result<std::unique_ptr<Source>> MakeSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Source>> MakeSource(const Server& server,
                                           const std::vector<const Relation*>& relations);
Result<std::unique_ptr<Sink>> MakeSink(SinkSpec spec);
// The columns of `()`, read from the system (a file's header, a table's catalog).
Result<Schema> InferColumns(const Server& server, const Relation& relation);
// The tables of a schema there that `wanted` chooses (it is asked for each), with columns, NOT
// NULL, primary keys and comments; for IMPORT FOREIGN SCHEMA.
Result<std::vector<Relation>> ImportRelations(const Server& server, const std::string& schema,
                                              const TableChoice& wanted);
// Reads the whole relation as it is now, for SELECT from a sink or a warehouse table: rows, and the
// rejects among them.
Status ReadEach(const Server& server, const Relation& relation, const ArrivalVisitor& visit);
Result<std::vector<Batch>> ReadAll(const Server& server, const Relation& relation);
// The mark of a sink's target, which another process may be writing to: it is only looked at.
Result<std::optional<Mark>> ReadSinkMark(const SinkSpec& spec);

// Checks what can be checked without touching the system: the kind, the url's scheme, the names of
// all options, the values of those that every connector has. `leat check` calls these.
Status CheckServer(const Server& server);
Status CheckRelation(const Server& server, const Relation& relation);

// What a foreign table is as the sink of a query with `schema`: mode and key from its options
// (`mode`, `key`, else its PRIMARY KEY) with the kind's default mode, its comments. The caller sets
// `state` and `statement`. The relation's columns, if it declares some, are those of `schema`.
Result<SinkSpec> MakeSinkSpec(const Server& server, const Relation& relation, const Schema& schema);

// All options of all connectors as Markdown tables, for docs/connectors.md.
std::string DescribeConnectors();

}  // namespace leat
