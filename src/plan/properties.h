// What can be known of a relation's changes before any row comes: it picks operators' forms, and
// decides what a sink may promise.
#pragma once

#include <functional>
#include <string>

#include "flow/operator.h"
#include "sql/logical.h"

namespace leat {

// The properties of a source relation by name; of "": those of rows that stand in the query.
using SourceProperties = std::function<Properties(const std::string& relation)>;

// The properties of a node's output, from its inputs' up.
Properties PropertiesOf(const Logical& node, const SourceProperties& sources);

// Whether the rows of a node have distinct values in `columns`, provably.
bool IsUnique(const Properties& properties, const std::vector<int>& columns);

}  // namespace leat
