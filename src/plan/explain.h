// A plan as a person reads it: EXPLAIN.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/dataflow.h"
#include "plan/properties.h"
#include "sql/logical.h"

namespace leat {

// What an operator keeps while its query stands, what bounds that, and if nothing does, which
// column would. Empty for one that keeps nothing. `output`: the node's; `sources` picks its form.
struct StateText {
  std::string keeps;
  std::string bound;
};
StateText StateOf(const Logical& node, const SourceProperties& sources);

// What each operator did, in the order of Dataflow::Report for a plan that shares nothing.
using Reports = std::vector<Dataflow::NodeReport>;

struct ExplainOptions {
  bool state = true;                  // with StateOf; COSTS OFF leaves it out
  const Reports* measured = nullptr;  // ANALYZE
};
// A line a node, children indented, and under it what it keeps and what it did.
std::vector<std::string> ExplainAsText(const LogicalPtr& query, const SourceProperties& sources,
                                       const ExplainOptions& options);
// The same as a drawing: a flowchart of Mermaid's, a digraph of Graphviz's.
std::vector<std::string> ExplainAsMermaid(const LogicalPtr& query, const ExplainOptions& options);
std::vector<std::string> ExplainAsDot(const LogicalPtr& query, const ExplainOptions& options);

}  // namespace leat
