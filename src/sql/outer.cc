#include "sql/outer.h"

#include <algorithm>

namespace leat {
namespace {

using ExprMap = std::function<ExprPtr(const ExprPtr&)>;

void VisitOwn(const Logical& node, const std::function<void(const ExprPtr&)>& visit) {
  const auto all = [&](const std::vector<ExprPtr>& exprs) {
    for (const ExprPtr& expr : exprs) visit(expr);
  };
  all(node.exprs);
  all(node.left_keys);
  all(node.right_keys);
  for (const auto& row : node.rows) all(row);
  if (node.residual) visit(node.residual);
  for (const AggregateCall& call : node.calls) {
    all(call.args);
    if (call.filter) visit(call.filter);
  }
  for (const SortKey& key : node.order) visit(key.expr);
  for (const WindowCall& call : node.windows) {
    all(call.args);
    if (call.filter) visit(call.filter);
  }
}

void MapOwn(const ExprMap& map, Logical* node) {
  const auto all = [&](std::vector<ExprPtr>* exprs) {
    for (ExprPtr& expr : *exprs) expr = map(expr);
  };
  all(&node->exprs);
  all(&node->left_keys);
  all(&node->right_keys);
  for (auto& row : node->rows) all(&row);
  if (node->residual) node->residual = map(node->residual);
  for (AggregateCall& call : node->calls) {
    all(&call.args);
    if (call.filter) call.filter = map(call.filter);
  }
  for (SortKey& key : node->order) key.expr = map(key.expr);
  for (WindowCall& call : node->windows) {
    all(&call.args);
    if (call.filter) call.filter = map(call.filter);
  }
}

}  // namespace

bool UsesOuter(const Expr& expr) {
  if (expr.kind == ExprKind::kColumn) return LevelOf(expr.column) > 0;
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return UsesOuter(*arg); });
}

bool IsDependent(const Logical& plan) {
  bool dependent = false;
  VisitOwn(plan, [&](const ExprPtr& expr) { dependent |= UsesOuter(*expr); });
  return dependent || std::any_of(plan.children.begin(), plan.children.end(),
                                  [](const LogicalPtr& child) { return IsDependent(*child); });
}

std::vector<ExprPtr> OuterColumnsOf(const Logical& plan) {
  std::vector<ExprPtr> columns;
  const auto add = [&](const Expr& part) {
    if (part.kind != ExprKind::kColumn || LevelOf(part.column) == 0) return;
    const bool known = std::any_of(columns.begin(), columns.end(), [&](const ExprPtr& other) {
      return other->column == part.column;
    });
    if (!known) columns.push_back(ColumnAt(part.column, part.type, part.location));
  };
  const std::function<void(const Logical&)> visit = [&](const Logical& node) {
    VisitOwn(node, [&](const ExprPtr& expr) { VisitExprs(*expr, add); });
    for (const LogicalPtr& child : node.children) visit(*child);
  };
  visit(plan);
  return columns;
}

ExprPtr MapOuter(const ExprPtr& expr, const ColumnMap& map) {
  if (!UsesOuter(*expr)) return expr;
  return MapColumns(expr, [&](const Expr& column) {
    return LevelOf(column.column) > 0 ? map(column)
                                      : ColumnAt(column.column, column.type, column.location);
  });
}

LogicalPtr MapOuter(const LogicalPtr& plan, const ColumnMap& map) {
  if (!IsDependent(*plan)) return plan;
  auto copy = std::make_shared<Logical>(*plan);
  MapOwn([&](const ExprPtr& expr) { return MapOuter(expr, map); }, copy.get());
  for (LogicalPtr& child : copy->children) child = MapOuter(child, map);
  return copy;
}

ExprPtr ShiftLevels(const ExprPtr& expr, int by) {
  if (by == 0) return expr;
  return MapOuter(expr, [by](const Expr& column) {
    return ColumnAt(column.column + by * kOuterLevel, column.type, column.location);
  });
}

LogicalPtr ShiftLevels(const LogicalPtr& plan, int by) {
  if (by == 0) return plan;
  return MapOuter(plan, [by](const Expr& column) {
    return ColumnAt(column.column + by * kOuterLevel, column.type, column.location);
  });
}

}  // namespace leat
