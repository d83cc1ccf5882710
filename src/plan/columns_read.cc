#include "plan/columns_read.h"

namespace leat {
namespace {

// `wanted`: the columns of the node's rows that somebody above asks for.
void Visit(const Logical& node, std::string_view relation, const std::vector<bool>& wanted,
           std::vector<bool>* read) {
  if (node.kind == LogicalKind::kScan) {
    for (size_t i = 0; i < node.columns.size() && node.relation == relation; ++i) {
      if (wanted[i]) (*read)[static_cast<size_t>(node.columns[i])] = true;
    }
    return;
  }
  for (const LogicalPtr& child : node.children) {
    std::vector<bool> below(child->schema.columns.size(), true);
    if (node.kind == LogicalKind::kFilter) below = wanted;
    if (node.kind == LogicalKind::kProject) below.assign(below.size(), false);
    if (node.kind == LogicalKind::kFilter || node.kind == LogicalKind::kProject) {
      for (const ExprPtr& expr : node.exprs) MarkColumns(*expr, &below);
    }
    Visit(*child, relation, below, read);
  }
}

}  // namespace

void MarkColumnsRead(const Logical& plan, std::string_view relation, std::vector<bool>* read) {
  Visit(plan, relation, std::vector<bool>(plan.schema.columns.size(), true), read);
}

}  // namespace leat
