#include "plan/expand.h"

#include <algorithm>

namespace leat {
namespace {

// The columns `columns` of a tree, as its own projection.
LogicalPtr SelectColumns(LogicalPtr child, const std::vector<int>& columns) {
  auto project = std::make_shared<Logical>();
  project->kind = LogicalKind::kProject;
  bool identity = columns.size() == child->schema.columns.size();
  for (size_t i = 0; i < columns.size(); ++i) {
    const int column = columns[i];
    identity = identity && column == static_cast<int>(i);
    const Column& from = child->schema.columns[static_cast<size_t>(column)];
    project->exprs.push_back(ColumnExpr(column, from.type));
    project->schema.columns.push_back(from);
  }
  if (identity) return child;
  project->children.push_back(std::move(child));
  return project;
}

void Collect(const Logical& node, std::vector<std::string>* names) {
  if (node.kind == LogicalKind::kScan &&
      std::find(names->begin(), names->end(), node.relation) == names->end()) {
    names->push_back(node.relation);
  }
  for (const auto& child : node.children) Collect(*child, names);
}

}  // namespace

Result<LogicalPtr> ExpandViews(const LogicalPtr& node, const ViewLookup& lookup) {
  if (node->kind == LogicalKind::kScan) {
    LEAT_ASSIGN(LogicalPtr view, lookup(node->relation));
    if (!view) return node;
    LEAT_ASSIGN(view, ExpandViews(view, lookup));
    return SelectColumns(std::move(view), node->columns);
  }
  bool changed = false;
  std::vector<LogicalPtr> children;
  for (const auto& child : node->children) {
    LEAT_ASSIGN(LogicalPtr expanded, ExpandViews(child, lookup));
    changed = changed || expanded != child;
    children.push_back(std::move(expanded));
  }
  if (!changed) return node;
  auto copy = std::make_shared<Logical>(*node);
  copy->children = std::move(children);
  return LogicalPtr(copy);
}

LogicalPtr VisibleColumns(const Query& query) {
  std::vector<int> columns;
  for (int i = 0; i < query.visible; ++i) columns.push_back(i);
  return SelectColumns(query.root, columns);
}

std::vector<std::string> ScannedRelations(const Logical& node) {
  std::vector<std::string> names;
  Collect(node, &names);
  return names;
}

}  // namespace leat
