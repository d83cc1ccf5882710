// A one-shot query: the whole input is one final epoch, so operators take their final forms.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "func/evaluate.h"
#include "plan/dataflow.h"
#include "sql/logical.h"

namespace leat {

// Computes `query` and hands its rows to `visit`, without net retractions: what was taken back is
// gone. A row that cannot be computed fails the query, as PostgreSQL does. `report`: what each
// operator did.
Status RunOnce(const LogicalPtr& query, const RelationScan& scan, const EvalContext& context,
               const BatchVisitor& visit, const Cores& cores = {},
               std::vector<Dataflow::NodeReport>* report = nullptr);

// Sorts rows as ORDER BY does; ties keep their order. Null keys go where `order` says.
Result<Batch> SortBatch(const Batch& batch, const std::vector<SortKey>& order,
                        const EvalContext& context);

}  // namespace leat
