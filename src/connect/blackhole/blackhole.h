// The scheme `blackhole:` of every kind of server: what is written there is gone. A pipeline is
// tried and measured without its targets by another url alone; tables keep the options they have.
#pragma once

#include <memory>
#include <optional>

#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

Result<std::unique_ptr<Source>> RefuseBlackholeSource(const Server&, const Relation& relation);
Result<std::unique_ptr<Sink>> MakeBlackholeSink(SinkSpec spec);
Result<Schema> InferBlackholeColumns(const Server&, const Relation& relation);
// No rows.
Status ReadBlackhole(const Server&, const Relation&, const ArrivalVisitor&);
// Refused: it has none.
Result<std::optional<Mark>> NoBlackholeMark(const SinkSpec& spec);

}  // namespace leat
