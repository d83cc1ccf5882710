// GROUP BY and aggregates: the node, and what the rest of the query may see above it.
#include <algorithm>

#include "sql/bind_select.h"

namespace leat {
namespace {

// Rewrites what stands above an aggregate in terms of its output.
class Regroup {
 public:
  Regroup(const std::vector<ExprPtr>& keys, const Scope& scope) : keys_(keys), scope_(scope) {}

  Status Apply(ExprPtr* expr) {
    *expr = Rewritten(*expr);
    return status_;
  }
  // What a subquery takes from this query.
  Status ApplyToArgs(Subquery* subquery) {
    subquery_ = true;
    for (ExprPtr& arg : subquery->args) arg = Rewritten(arg);
    subquery_ = false;
    return status_;
  }

 private:
  ExprPtr Rewritten(const ExprPtr& expr) {
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (Equal(*keys_[i], *expr)) {
        return ColumnAt(static_cast<int>(i), expr->type, expr->location);
      }
    }
    if (expr->kind == ExprKind::kColumn) return Column(*expr);
    if (expr->args.empty()) return expr;
    Expr copy = *expr;
    for (ExprPtr& arg : copy.args) arg = Rewritten(arg);
    return std::make_shared<const Expr>(std::move(copy));
  }

  ExprPtr Column(const Expr& column) {
    const int base = BaseOf(column.column);
    if (base == kAggregateBase) {
      const int place = column.column - kAggregateBase + static_cast<int>(keys_.size());
      return ColumnAt(place, column.type, column.location);
    }
    if (base == 0 && status_.ok()) {
      const std::string name = NameOfColumn(scope_, column.column);
      status_ = SqlStatus(
          subquery_ ? fmt::format("subquery uses ungrouped column \"{}\" from outer query", name)
                    : fmt::format("column \"{}\" must appear in the GROUP BY clause or be used "
                                  "in an aggregate function",
                                  name),
          {.sqlstate = "42803", .location = column.location});
    }
    return ColumnAt(column.column, column.type, column.location);
  }

  const std::vector<ExprPtr>& keys_;
  const Scope& scope_;
  bool subquery_ = false;
  Status status_;
};

bool NeedsOrder(const AggregateCall& call) {
  using Pick = Aggregate::Pick;
  return call.aggregate->pick == Pick::kFirst || call.aggregate->pick == Pick::kLast;
}

void MarkSubqueries(const ExprPtr& expr, std::vector<bool>* used) {
  if (!expr) return;
  VisitExprs(*expr, [&](const Expr& part) {
    if (part.kind == ExprKind::kColumn && BaseOf(part.column) == kSubqueryBase) {
      (*used)[static_cast<size_t>(part.column - kSubqueryBase)] = true;
    }
  });
}

}  // namespace

Status Binder::BuildAggregate(Selection* selection) {
  Collected& collected = selection->collected;
  if (!selection->grouped && collected.aggregates.empty() && !selection->having) {
    return Status::OK();
  }
  std::vector<ExprPtr> keys = selection->keys;
  std::vector<bool> below(collected.subqueries.size());
  std::vector<ExprPtr*> inputs;
  for (ExprPtr& key : keys) inputs.push_back(&key);
  for (AggregateCall& call : collected.aggregates) {
    for (ExprPtr& arg : call.args) inputs.push_back(&arg);
    if (call.filter) inputs.push_back(&call.filter);
  }
  for (const ExprPtr* input : inputs) MarkSubqueries(*input, &below);
  LEAT_RETURN(AttachSubqueries(collected, inputs, &selection->plan));
  for (size_t i = 0; i < collected.aggregates.size(); ++i) {
    if (!NeedsOrder(collected.aggregates[i]) || HasSeq(*selection->plan)) continue;
    return NotSupported(
        fmt::format("{} needs rows in their order of arrival", collected.aggregate_names[i]),
        collected.aggregate_locations[i],
        "Above a join, an aggregate or DISTINCT rows have no order: use arg_min(x, y) or "
        "arg_max(x, y).");
  }
  selection->plan =
      AggregateOn(selection->plan, keys, collected.aggregates, collected.aggregate_names);
  Regroup regroup(selection->keys, selection->scope);
  for (Target& target : selection->targets) LEAT_RETURN(regroup.Apply(&target.expr));
  for (WindowUse& use : collected.windows) {
    for (ExprPtr& expr : use.partition) LEAT_RETURN(regroup.Apply(&expr));
    for (SortKey& key : use.order) LEAT_RETURN(regroup.Apply(&key.expr));
    for (ExprPtr& expr : use.call.args) LEAT_RETURN(regroup.Apply(&expr));
    if (use.call.filter) LEAT_RETURN(regroup.Apply(&use.call.filter));
  }
  std::vector<bool> above(collected.subqueries.size());
  for (const Target& target : selection->targets) MarkSubqueries(target.expr, &above);
  MarkSubqueries(selection->having, &above);
  // From the last: what a subquery takes may be the value of an earlier one.
  for (size_t i = collected.subqueries.size(); i-- > 0;) {
    if (below[i] || !above[i]) continue;
    for (const ExprPtr& arg : collected.subqueries[i].args) MarkSubqueries(arg, &above);
    LEAT_RETURN(regroup.ApplyToArgs(&collected.subqueries[i]));
  }
  if (!selection->having) return Status::OK();
  LEAT_RETURN(regroup.Apply(&selection->having));
  std::vector<ExprPtr> conjuncts = ConjunctsOf(selection->having);
  std::vector<ExprPtr*> places;
  for (ExprPtr& conjunct : conjuncts) places.push_back(&conjunct);
  LEAT_RETURN(AttachSubqueries(collected, places, &selection->plan));
  selection->plan = FilterOn(selection->plan, Conjunction(std::move(conjuncts)));
  return Status::OK();
}

}  // namespace leat
