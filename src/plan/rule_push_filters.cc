#include <algorithm>

#include "func/function.h"
#include "plan/rules.h"

namespace leat {
namespace {

using Conjuncts = std::vector<ExprPtr>;

void Split(const ExprPtr& expr, Conjuncts* out) {
  if (expr->kind != ExprKind::kAnd) {
    out->push_back(expr);
    return;
  }
  for (const auto& arg : expr->args) Split(arg, out);
}

ExprPtr Join(const Conjuncts& conjuncts) {
  if (conjuncts.size() == 1) return conjuncts[0];
  auto both = std::make_shared<Expr>();
  both->kind = ExprKind::kAnd;
  both->type = TypeId::kBool;
  both->args = conjuncts;
  return both;
}

LogicalPtr WithFilter(const LogicalPtr& child, const Conjuncts& conjuncts) {
  if (conjuncts.empty()) return child;
  auto filter = std::make_shared<Logical>();
  filter->kind = LogicalKind::kFilter;
  filter->schema = child->schema;
  filter->children = {child};
  filter->exprs = {Join(conjuncts)};
  return filter;
}

LogicalPtr WithChildren(const LogicalPtr& node, std::vector<LogicalPtr> children) {
  if (children == node->children) return node;
  auto copy = std::make_shared<Logical>(*node);
  copy->children = std::move(children);
  return copy;
}

// Where an expression's columns lie, of a join whose left side has `width` columns.
struct Sides {
  bool left = false, right = false;
};
Sides SidesOf(const Expr& expr, int width, int total) {
  std::vector<bool> used(static_cast<size_t>(total), false);
  MarkColumns(expr, &used);
  Sides sides;
  for (int i = 0; i < total; ++i) {
    if (!used[static_cast<size_t>(i)]) continue;
    (i < width ? sides.left : sides.right) = true;
  }
  return sides;
}

ExprPtr Shifted(const ExprPtr& expr, const Schema& schema, int by) {
  std::vector<ExprPtr> to;
  for (int i = 0; i < schema.size(); ++i) {
    to.push_back(ColumnExpr(i - by, schema.columns[static_cast<size_t>(i)].type));
  }
  return ReplaceColumns(expr, to);
}

// The whole schema that a join's conditions speak about, whatever it gives.
Schema JoinedSchema(const Logical& join) {
  Schema schema = join.children[0]->schema;
  const auto& right = join.children[1]->schema.columns;
  schema.columns.insert(schema.columns.end(), right.begin(), right.end());
  return schema;
}

// An equality of one side with the other, of the same type, becomes a key of the join.
bool AddKey(const ExprPtr& conjunct, const Schema& both, int width, Logical* join) {
  if (conjunct->kind != ExprKind::kCall || conjunct->function == nullptr ||
      conjunct->function->name != "=" || conjunct->args.size() != 2 ||
      !(conjunct->args[0]->type.id == conjunct->args[1]->type.id)) {
    return false;
  }
  for (size_t first : {size_t{0}, size_t{1}}) {
    const ExprPtr& a = conjunct->args[first];
    const ExprPtr& b = conjunct->args[1 - first];
    const Sides of_a = SidesOf(*a, width, both.size());
    const Sides of_b = SidesOf(*b, width, both.size());
    if (!of_a.left || of_a.right || !of_b.right || of_b.left) continue;
    join->left_keys.push_back(a);
    join->right_keys.push_back(Shifted(b, both, width));
    return true;
  }
  return false;
}

// Puts conjuncts on top of a join as deep as its type allows: a condition on a side that may be
// extended with nulls stays above.
LogicalPtr PushIntoJoin(const LogicalPtr& node, const Conjuncts& conjuncts) {
  const int width = node->children[0]->schema.size();
  const Schema both = JoinedSchema(*node);
  const bool left_free = node->join != JoinType::kRight && node->join != JoinType::kFull;
  const bool right_free = node->join == JoinType::kInner || node->join == JoinType::kRight;
  auto join = std::make_shared<Logical>(*node);
  Conjuncts left, right, residual, above;
  for (const ExprPtr& conjunct : conjuncts) {
    const Sides sides = SidesOf(*conjunct, width, both.size());
    if (left_free && !sides.right)
      left.push_back(conjunct);
    else if (right_free && sides.right && !sides.left)
      right.push_back(Shifted(conjunct, both, width));
    else if (node->join != JoinType::kInner)
      above.push_back(conjunct);
    else if (!AddKey(conjunct, both, width, join.get()))
      residual.push_back(conjunct);
  }
  if (join->residual) residual.insert(residual.begin(), join->residual);
  join->residual = residual.empty() ? nullptr : Join(residual);
  join->children = {PushFilters(WithFilter(node->children[0], left)),
                    PushFilters(WithFilter(node->children[1], right))};
  return WithFilter(join, above);
}

LogicalPtr PushInto(const LogicalPtr& child, const Conjuncts& conjuncts) {
  switch (child->kind) {
    case LogicalKind::kFilter: {
      Conjuncts all;
      Split(child->exprs[0], &all);
      all.insert(all.end(), conjuncts.begin(), conjuncts.end());
      return PushInto(child->children[0], all);
    }
    case LogicalKind::kProject: {
      // Only past columns that are passed on: a computed one may fail for rows that another
      // condition leaves out.
      Conjuncts below, above;
      for (const ExprPtr& conjunct : conjuncts) {
        std::vector<bool> used(child->exprs.size(), false);
        MarkColumns(*conjunct, &used);
        bool plain = true;
        for (size_t i = 0; i < used.size(); ++i) {
          plain = plain && (!used[i] || child->exprs[i]->kind == ExprKind::kColumn);
        }
        if (plain)
          below.push_back(ReplaceColumns(conjunct, child->exprs));
        else
          above.push_back(conjunct);
      }
      auto pushed = PushFilters(WithFilter(child->children[0], below));
      return WithFilter(WithChildren(child, {std::move(pushed)}), above);
    }
    case LogicalKind::kUnionAll: {
      std::vector<LogicalPtr> children;
      for (const auto& grandchild : child->children) {
        children.push_back(PushFilters(WithFilter(grandchild, conjuncts)));
      }
      return WithChildren(child, std::move(children));
    }
    case LogicalKind::kJoin:
      return PushIntoJoin(child, conjuncts);
    default:
      return WithFilter(PushFilters(child), conjuncts);
  }
}

}  // namespace

LogicalPtr PushFilters(const LogicalPtr& node) {
  if (node->kind == LogicalKind::kFilter) {
    Conjuncts conjuncts;
    Split(node->exprs[0], &conjuncts);
    return PushInto(node->children[0], conjuncts);
  }
  std::vector<LogicalPtr> children;
  for (const auto& child : node->children) children.push_back(PushFilters(child));
  return WithChildren(node, std::move(children));
}

}  // namespace leat
