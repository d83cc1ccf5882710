// What a source needs of the pipeline besides its own definition.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "run/pipeline.h"

namespace leat {

// The server as the source of `relation` needs it: for an API, where it keeps answers, and the rows
// of the relation in its option `for_each`, which is a local table or a foreign one.
Result<Server> ServerForSource(const Pipeline& pipeline, const Server& server,
                               const Relation& relation, const std::string& state_dir);

// The replication slot of a pipeline's state: another state of the same pipeline has another.
std::string SlotNameOf(const std::string& pipeline, const std::string& server,
                       const std::string& state_dir);

}  // namespace leat
