#include <algorithm>

#include "plan/rules.h"

namespace leat {
namespace {

std::vector<bool> ColumnsReadBy(const Logical& aggregate, int width) {
  std::vector<bool> used(static_cast<size_t>(width), false);
  for (const ExprPtr& key : aggregate.exprs) MarkColumns(*key, &used);
  for (const AggregateCall& call : aggregate.calls) {
    for (const ExprPtr& arg : call.args) MarkColumns(*arg, &used);
    if (call.filter) MarkColumns(*call.filter, &used);
  }
  return used;
}

// The aggregate over its input's columns in `used` alone.
LogicalPtr Narrowed(const Logical& aggregate, const std::vector<bool>& used) {
  const LogicalPtr& input = aggregate.children[0];
  auto project = std::make_shared<Logical>();
  project->kind = LogicalKind::kProject;
  project->children = {input};
  project->location = aggregate.location;
  std::vector<ExprPtr> moved(used.size());
  for (size_t i = 0; i < used.size(); ++i) {
    const Column& column = input->schema.columns[i];
    if (!used[i]) continue;
    moved[i] = ColumnExpr(project->schema.size(), column.type);
    project->exprs.push_back(ColumnExpr(static_cast<int>(i), column.type));
    project->schema.columns.push_back(column);
  }
  auto narrowed = std::make_shared<Logical>(aggregate);
  narrowed->children = {project};
  for (ExprPtr& key : narrowed->exprs) key = ReplaceColumns(key, moved);
  for (AggregateCall& call : narrowed->calls) {
    for (ExprPtr& arg : call.args) arg = ReplaceColumns(arg, moved);
    if (call.filter) call.filter = ReplaceColumns(call.filter, moved);
  }
  return narrowed;
}

}  // namespace

LogicalPtr NarrowAggregates(const LogicalPtr& node) {
  std::vector<LogicalPtr> children;
  for (const auto& child : node->children) children.push_back(NarrowAggregates(child));
  LogicalPtr out = node;
  if (children != node->children) {
    auto copy = std::make_shared<Logical>(*node);
    copy->children = std::move(children);
    out = copy;
  }
  if (out->kind != LogicalKind::kAggregate) return out;
  const std::vector<bool> used = ColumnsReadBy(*out, out->children[0]->schema.size());
  const auto count = std::count(used.begin(), used.end(), true);
  // Rows without any column would do for count(*), but nothing moves them then.
  if (count == 0 || count == static_cast<ptrdiff_t>(used.size())) return out;
  return Narrowed(*out, used);
}

}  // namespace leat
