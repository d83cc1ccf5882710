// From a logical node to the operator that computes it.
#pragma once

#include <memory>

#include "flow/operators.h"
#include "plan/properties.h"
#include "sql/logical.h"

namespace leat {

// The operator of a node with children (scans and values have none of their own).
Result<std::unique_ptr<Operator>> LowerNode(const Logical& node, const SourceProperties& sources);

// A kWindow node over an input with these properties.
WindowSpec WindowSpecOf(const Logical& node, const Properties& input);

// The batch of a kValues node.
Result<Batch> ValuesBatch(const Logical& node, const EvalContext& context);

}  // namespace leat
