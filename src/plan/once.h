// A one-shot query: the whole input is one final epoch, so operators take their final forms and a
// join reads its right side before its left.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "func/evaluate.h"
#include "sql/logical.h"

namespace leat {

using BatchVisitor = std::function<Status(const Batch& batch)>;
// Gives the present rows of a relation (all its columns), with `_seq` in order.
using RelationScan = std::function<Status(const std::string& relation, const BatchVisitor& visit)>;

// Computes `node` and hands its rows to `visit`, without net retractions: what was taken back is
// gone. A row that cannot be computed fails the query, as PostgreSQL does.
Status RunOnce(const Logical& node, const RelationScan& scan, const EvalContext& context,
               const BatchVisitor& visit);

// Sorts rows as ORDER BY does; ties keep their order. Null keys go where `order` says.
Result<Batch> SortBatch(const Batch& batch, const std::vector<SortKey>& order,
                        const EvalContext& context);

}  // namespace leat
