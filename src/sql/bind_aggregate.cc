// GROUP BY and aggregates: the node, and what the rest of the query may see above it.
#include <algorithm>

#include "sql/bind_select.h"

namespace leat {
namespace {

// Rewrites what stands above an aggregate in terms of its output.
class Regroup {
 public:
  Regroup(const std::vector<ExprPtr>& keys, size_t aggregates, const Scope& scope)
      : keys_(keys), aggregates_(static_cast<int>(aggregates)), scope_(scope) {}

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
      int place = column.column - kAggregateBase + static_cast<int>(keys_.size());
      if (column.column >= kGroupingBase) place += aggregates_ - (kGroupingBase - kAggregateBase);
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
  const int aggregates_;
  const Scope& scope_;
  bool subquery_ = false;
  Status status_;
};

bool NeedsOrder(const AggregateCall& call) {
  using Pick = Aggregate::Pick;
  return call.aggregate->pick == Pick::kFirst || call.aggregate->pick == Pick::kLast;
}

// Bits for GROUPING(a, b, …): 1 where the key is not in the set, the last argument's bit lowest.
Result<ExprPtr> GroupingBits(const std::vector<ExprPtr>& args, const std::vector<ExprPtr>& keys,
                             const std::vector<bool>& has) {
  int32_t bits = 0;
  for (const ExprPtr& arg : args) {
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const ExprPtr& other) { return Equal(*other, *arg); });
    if (key == keys.end()) {
      return SqlStatus(
          "arguments to GROUPING must be grouping expressions of the associated "
          "query level",
          {.sqlstate = "42803", .location = arg->location});
    }
    bits = bits * 2 + (has[static_cast<size_t>(key - keys.begin())] ? 0 : 1);
  }
  return LiteralExpr(std::make_shared<arrow::Int32Scalar>(bits), Type(TypeId::kInt4));
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

// The groups of plain GROUP BY, or of all the grouping sets one after another. Output: all keys
// (null where a set has not the key), the aggregates, the GROUPINGs.
Status Binder::BuildGroups(std::vector<ExprPtr> keys, Selection* selection) {
  const Collected& collected = selection->collected;
  std::vector<std::vector<int>> sets = selection->sets;
  const bool plain = sets.empty();
  if (plain && collected.groupings.empty()) {
    selection->plan = AggregateOn(selection->plan, std::move(keys), collected.aggregates,
                                  collected.aggregate_names);
    return Status::OK();
  }
  if (plain) {
    sets.emplace_back();
    for (size_t i = 0; i < keys.size(); ++i) sets[0].push_back(static_cast<int>(i));
  }
  std::vector<LogicalPtr> parts;
  for (const std::vector<int>& set : sets) {
    std::vector<ExprPtr> of_set, exprs;
    std::vector<std::string> names;
    std::vector<bool> has(keys.size());
    for (const int key : set) {
      of_set.push_back(keys[static_cast<size_t>(key)]);
      has[static_cast<size_t>(key)] = true;
    }
    LogicalPtr part =
        AggregateOn(selection->plan, of_set, collected.aggregates, collected.aggregate_names);
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto at = std::find(set.begin(), set.end(), static_cast<int>(i)) - set.begin();
      exprs.push_back(has[i] ? ColumnExpr(static_cast<int>(at), keys[i]->type)
                             : NullLiteral(keys[i]->type));
      names.push_back(fmt::format("key{}", i + 1));
    }
    for (size_t i = 0; i < collected.aggregates.size(); ++i) {
      exprs.push_back(
          ColumnExpr(static_cast<int>(of_set.size() + i), collected.aggregates[i].result));
      names.push_back(collected.aggregate_names[i]);
    }
    for (const auto& args : collected.groupings) {
      LEAT_ASSIGN(ExprPtr bits, GroupingBits(args, selection->keys, has));
      exprs.push_back(std::move(bits));
      names.emplace_back("grouping");
    }
    parts.push_back(ProjectOn(std::move(part), std::move(exprs), names));
  }
  selection->plan = parts.size() == 1 ? parts[0] : UnionAllOf(std::move(parts));
  return Status::OK();
}

Result<ExprPtr> Binder::BindGrouping(const PgQuery__GroupingFunc& grouping,
                                     const ExprContext& context) {
  const bool allowed = context.collected != nullptr && !context.in_aggregate &&
                       (context.clause == Clause::kSelect || context.clause == Clause::kHaving ||
                        context.clause == Clause::kOrderBy || context.clause == Clause::kWindow ||
                        context.clause == Clause::kDistinctOn);
  if (!allowed) {
    return SqlStatus(
        fmt::format("grouping operations are not allowed in {}", NameOf(context.clause)),
        {.sqlstate = "42803", .location = grouping.location});
  }
  if (grouping.n_args > 31) {
    return SqlStatus("GROUPING must have fewer than 32 arguments",
                     {.sqlstate = "54023", .location = grouping.location});
  }
  LEAT_ASSIGN(auto args, BindExprs(Items(grouping.n_args, grouping.args), context));
  auto& groupings = context.collected->groupings;
  groupings.push_back(std::move(args));
  return ColumnAt(kGroupingBase + static_cast<int>(groupings.size()) - 1, Type(TypeId::kInt4),
                  grouping.location);
}

Status Binder::BuildAggregate(Selection* selection) {
  Collected& collected = selection->collected;
  if (!selection->grouped && collected.aggregates.empty() && collected.groupings.empty() &&
      !selection->having) {
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
  const std::vector<bool> grouped_sets = UnnestKeys(&keys, selection);
  LEAT_RETURN(BuildSessions(&keys, selection));
  LEAT_RETURN(BuildGroups(std::move(keys), selection));
  Regroup regroup(selection->keys, collected.aggregates.size(), selection->scope);
  for (Target& target : selection->targets) LEAT_RETURN(regroup.Apply(&target.expr));
  DropSets(grouped_sets, selection);
  for (ExprPtr& set : collected.sets) LEAT_RETURN(regroup.Apply(&set));
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
