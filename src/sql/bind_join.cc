// JOIN: conditions into keys and residuals, USING and NATURAL.
#include <algorithm>

#include "func/function.h"
#include "sql/bind.h"
#include "sql/decorrelate.h"
#include "sql/outer.h"

namespace leat {
namespace {

Result<JoinType> TypeOf(const PgQuery__JoinExpr& join) {
  switch (join.jointype) {
    case PG_QUERY__JOIN_TYPE__JOIN_INNER:
      return JoinType::kInner;
    case PG_QUERY__JOIN_TYPE__JOIN_LEFT:
      return JoinType::kLeft;
    case PG_QUERY__JOIN_TYPE__JOIN_RIGHT:
      return JoinType::kRight;
    case PG_QUERY__JOIN_TYPE__JOIN_FULL:
      return JoinType::kFull;
    default:
      return NotSupported("this kind of join is not supported");
  }
}

// The visible columns of an item, as `SELECT *` would list them.
std::vector<ScopeColumn> VisibleColumns(const FromItem& item) {
  std::vector<ScopeColumn> columns;
  for (const ScopeTable& table : item.tables) {
    if (!table.columns_visible) continue;
    columns.insert(columns.end(), table.columns.begin(), table.columns.end());
  }
  return columns;
}

std::vector<std::string> NaturalNames(const FromItem& left, const FromItem& right) {
  std::vector<std::string> names;
  const auto others = VisibleColumns(right);
  for (const ScopeColumn& column : VisibleColumns(left)) {
    const bool both = std::any_of(others.begin(), others.end(), [&](const ScopeColumn& other) {
      return other.name == column.name;
    });
    if (both) names.push_back(column.name);
  }
  return names;
}

Result<ScopeColumn> FindUsing(const FromItem& item, std::string_view name, std::string_view side) {
  const ScopeColumn* found = nullptr;
  const auto columns = VisibleColumns(item);
  for (const ScopeColumn& column : columns) {
    if (column.name != name) continue;
    if (found != nullptr) {
      return SqlStatus(
          fmt::format("common column name \"{}\" appears more than once in {} table", name, side),
          {.sqlstate = "42702"});
    }
    found = &column;
  }
  if (found == nullptr) {
    return SqlStatus(
        fmt::format("column \"{}\" specified in USING clause does not exist in {} table", name,
                    side),
        {.sqlstate = kUndefinedColumn});
  }
  return *found;
}

void HideColumns(FromItem* item) {
  for (ScopeTable& table : item->tables) table.columns_visible = false;
}

ExprPtr Coalesced(const ExprPtr& a, const ExprPtr& b) {
  Expr expr;
  expr.kind = ExprKind::kCoalesce;
  expr.type = a->type;
  expr.args = {a, b};
  return std::make_shared<const Expr>(std::move(expr));
}

// A conjunct goes into the deepest inner join whose two sides it needs.
LogicalPtr SinkOne(const LogicalPtr& plan, const ExprPtr& conjunct) {
  if (plan->kind != LogicalKind::kJoin || plan->join != JoinType::kInner) return nullptr;
  const int left_width = plan->children[0]->schema.size();
  const int width = plan->schema.size();
  const auto rebuilt = [&](LogicalPtr left, LogicalPtr right) {
    return JoinOf(
        std::move(left), std::move(right),
        {JoinType::kInner, plan->left_keys, plan->right_keys, plan->residual, plan->null_safe});
  };
  if (UsesOnly(*conjunct, 0, left_width)) {
    LogicalPtr left = SinkOne(plan->children[0], conjunct);
    return left ? rebuilt(std::move(left), plan->children[1]) : nullptr;
  }
  if (UsesOnly(*conjunct, left_width, width)) {
    LogicalPtr right = SinkOne(plan->children[1], ShiftColumns(conjunct, -left_width));
    return right ? rebuilt(plan->children[0], std::move(right)) : nullptr;
  }
  if (!UsesOnly(*conjunct, 0, width)) return nullptr;
  JoinParts parts = SplitJoin(JoinType::kInner, {conjunct}, left_width, width);
  parts.left_keys.insert(parts.left_keys.begin(), plan->left_keys.begin(), plan->left_keys.end());
  parts.right_keys.insert(parts.right_keys.begin(), plan->right_keys.begin(),
                          plan->right_keys.end());
  std::vector<ExprPtr> residual = ConjunctsOf(plan->residual);
  for (ExprPtr& part : ConjunctsOf(parts.residual)) residual.push_back(std::move(part));
  parts.residual = Conjunction(std::move(residual));
  parts.null_safe = plan->null_safe;
  return JoinOf(plan->children[0], plan->children[1], std::move(parts));
}

}  // namespace

LogicalPtr SinkIntoJoins(LogicalPtr plan, std::vector<ExprPtr>* conjuncts) {
  std::vector<ExprPtr> rest;
  for (ExprPtr& conjunct : *conjuncts) {
    if (LogicalPtr sunk = UsesOnly(*conjunct, 0, 0) ? nullptr : SinkOne(plan, conjunct)) {
      plan = std::move(sunk);
    } else {
      rest.push_back(std::move(conjunct));
    }
  }
  *conjuncts = std::move(rest);
  return plan;
}

// The conditions of USING, and the table of the merged columns. `right`'s columns are shifted.
Result<std::vector<ExprPtr>> Binder::BindUsing(const std::vector<std::string>& names, JoinType type,
                                               FromItem* left, FromItem* right,
                                               ScopeTable* merged) {
  std::vector<ExprPtr> conjuncts;
  for (const std::string& name : names) {
    LEAT_ASSIGN(ScopeColumn a, FindUsing(*left, name, "left"));
    LEAT_ASSIGN(ScopeColumn b, FindUsing(*right, name, "right"));
    LEAT_ASSIGN(ExprPtr equal, ApplyOperator("=", {a.expr, b.expr}, -1));
    conjuncts.push_back(std::move(equal));
    LEAT_ASSIGN(auto both, CoerceAll({a.expr, b.expr}, "JOIN/USING", -1));
    const bool full = type == JoinType::kFull;
    const bool from_right = type == JoinType::kRight;
    ExprPtr value = full ? Coalesced(both[0], both[1]) : from_right ? both[1] : both[0];
    merged->columns.push_back({name, std::move(value), full || a.nullable || b.nullable});
  }
  const auto is_merged = [&](const ScopeColumn& column) {
    return std::find(names.begin(), names.end(), column.name) != names.end();
  };
  for (const FromItem* side : {left, right}) {
    for (ScopeColumn& column : VisibleColumns(*side)) {
      if (!is_merged(column)) merged->columns.push_back(std::move(column));
    }
  }
  HideColumns(left);
  HideColumns(right);
  return conjuncts;
}

Result<LogicalPtr> Binder::JoinLateral(const LogicalPtr& left, const LogicalPtr& item,
                                       JoinType type, const std::vector<ExprPtr>& conjuncts) {
  const int left_width = left->schema.size();
  const int width = left_width + item->schema.size();
  JoinParts parts = SplitJoin(type, conjuncts, left_width, width);
  const std::vector<ExprPtr> used = OuterColumnsOf(*item);
  const bool lateral = std::any_of(
      used.begin(), used.end(), [](const ExprPtr& column) { return LevelOf(column->column) == 1; });
  if (!lateral) return JoinOf(left, ShiftLevels(item, -1), std::move(parts));
  const Logical& below = item->children.empty() ? *item : *item->children[0];
  const bool lists = item->kind == LogicalKind::kUnnest && below.kind == LogicalKind::kValues &&
                     below.schema.size() == 0 && below.rows.size() == 1;
  if (lists && type == JoinType::kInner && conjuncts.empty()) {
    // Functions of the row alone: nothing to join.
    std::vector<ExprPtr> values;
    for (const ExprPtr& list : item->exprs) {
      values.push_back(MapOuter(list, [](const Expr& column) {
        const int by = LevelOf(column.column) == 1 ? kOuterBase : kOuterLevel;
        return ColumnAt(column.column - by, column.type, column.location);
      }));
    }
    std::vector<std::string> names;
    for (const Column& column : item->schema.columns) names.push_back(column.name);
    return UnnestOn(left, std::move(values), names);
  }
  if (type != JoinType::kInner && type != JoinType::kLeft) {
    return SqlStatus("invalid reference to FROM-clause entry from a LATERAL item",
                     {.sqlstate = "42P10",
                      .location = used[0]->location,
                      .detail = "The combining JOIN type must be INNER or LEFT for a LATERAL "
                                "reference."});
  }
  Subquery subquery;
  subquery.plan = item;
  NumberOuterColumns(&subquery);
  LEAT_ASSIGN(Freed freed, FreeOf(subquery.plan, subquery.args, left));
  parts.null_safe.resize(parts.left_keys.size(), false);
  for (size_t i = 0; i < freed.on.left_keys.size(); ++i) {
    parts.left_keys.push_back(freed.on.left_keys[i]);
    parts.right_keys.push_back(freed.on.right_keys[i]);
    parts.null_safe.push_back(i < freed.on.null_safe.size() && freed.on.null_safe[i]);
  }
  return FirstColumns(JoinOf(left, freed.plan, std::move(parts)), width);
}

Result<LogicalPtr> Binder::JoinAsking(JoinType type, const FromItem& left, const FromItem& right,
                                      std::vector<ExprPtr> conjuncts, Collected collected) {
  const int left_width = left.plan->schema.size();
  const int width = left_width + right.plan->schema.size();
  LogicalPtr plans[] = {left.plan, right.plan};
  // What stands for each subquery: over its side's columns.
  std::vector<std::pair<int, ExprPtr>> values;
  for (size_t i = 0; i < collected.subqueries.size(); ++i) {
    Subquery& subquery = collected.subqueries[i];
    const auto within = [&](int begin, int end) {
      return std::all_of(subquery.args.begin(), subquery.args.end(),
                         [&](const ExprPtr& arg) { return UsesOnly(*arg, begin, end); });
    };
    const bool on_right = within(left_width, width);
    if ((!on_right && !within(0, left_width)) || IsDependent(*right.plan)) {
      return NotSupported(
          "a subquery over both sides of an outer join is not supported in its condition",
          subquery.location, "Put it into a subquery in FROM on one side of the join.");
    }
    if (on_right) {
      for (ExprPtr& arg : subquery.args) arg = ShiftColumns(arg, -left_width);
    }
    const int place = kSubqueryBase + static_cast<int>(i);
    const bool scalar = subquery.kind == Subquery::Kind::kScalar;
    ExprPtr value = ColumnExpr(place, scalar ? subquery.value->type : Type(TypeId::kBool));
    LEAT_RETURN(AttachSubqueries(collected, {&value}, &plans[on_right ? 1 : 0]));
    values.emplace_back(on_right ? 1 : 0, std::move(value));
  }
  const int left_now = plans[0]->schema.size();
  const int by = left_now - left_width;
  for (ExprPtr& conjunct : conjuncts) {
    conjunct = MapColumns(conjunct, [&](const Expr& column) {
      if (BaseOf(column.column) == kSubqueryBase) {
        const auto& [side, value] = values[static_cast<size_t>(column.column - kSubqueryBase)];
        return side == 1 ? ShiftColumns(value, left_now) : value;
      }
      const bool shift = column.column >= left_width && column.column < width;
      return ColumnAt(column.column + (shift ? by : 0), column.type, column.location);
    });
  }
  const int width_now = left_now + plans[1]->schema.size();
  LogicalPtr plan = JoinOf(plans[0], plans[1], SplitJoin(type, conjuncts, left_now, width_now));
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (int i = 0; i < width; ++i) {
    const int at = i < left_width ? i : i + by;
    const Column& column = plan->schema.columns[static_cast<size_t>(at)];
    exprs.push_back(ColumnExpr(at, column.type));
    names.push_back(column.name);
  }
  return ProjectOn(std::move(plan), std::move(exprs), names);
}

// The join under its condition, in which subqueries may stand.
Result<LogicalPtr> Binder::JoinOn(const PgQuery__JoinExpr& join, JoinType type,
                                  const FromItem& left, const FromItem& right, const Scope& scope,
                                  std::vector<ExprPtr> conjuncts, int levels) {
  Collected collected;
  if (join.quals != nullptr) {
    ExprContext context;
    context.clause = Clause::kJoin;
    context.scope = &scope;
    context.collected = &collected;
    LEAT_ASSIGN(ExprPtr condition, BindBool(join.quals, context, "JOIN/ON"));
    conjuncts = ConjunctsOf(condition);
    const bool always = conjuncts.size() == 1 && conjuncts[0]->kind == ExprKind::kLiteral &&
                        conjuncts[0]->literal->Equals(arrow::BooleanScalar(true));
    if (always) conjuncts.clear();
  }
  for (ExprPtr& conjunct : conjuncts) conjunct = ShiftLevels(conjunct, levels);
  for (Subquery& subquery : collected.subqueries) {
    for (ExprPtr& arg : subquery.args) arg = ShiftLevels(arg, levels);
  }
  const auto mid = std::stable_partition(
      conjuncts.begin(), conjuncts.end(),
      [](const ExprPtr& conjunct) { return !UsesBase(*conjunct, kSubqueryBase); });
  std::vector<ExprPtr> asking(mid, conjuncts.end());
  conjuncts.erase(mid, conjuncts.end());
  if (!asking.empty() && type != JoinType::kInner) {
    conjuncts.insert(conjuncts.end(), asking.begin(), asking.end());
    return JoinAsking(type, left, right, std::move(conjuncts), std::move(collected));
  }
  LEAT_ASSIGN(LogicalPtr plan, JoinLateral(left.plan, right.plan, type, conjuncts));
  if (asking.empty()) return plan;
  const int width = plan->schema.size();
  std::vector<ExprPtr*> places;
  for (ExprPtr& conjunct : asking) places.push_back(&conjunct);
  LEAT_RETURN(AttachSubqueries(collected, places, &plan));
  return FirstColumns(FilterOn(std::move(plan), Conjunction(std::move(asking))), width);
}

Result<FromItem> Binder::BindJoin(const PgQuery__JoinExpr& join, const Scope* outer,
                                  const Scope* beside) {
  LEAT_ASSIGN(JoinType type, TypeOf(join));
  LEAT_ASSIGN(FromItem left, BindFromItem(join.larg, outer, beside));
  const Scope lateral{left.tables, beside == nullptr ? outer : beside};
  LEAT_ASSIGN(FromItem right, BindFromItem(join.rarg, outer, &lateral));
  const int left_width = left.plan->schema.size();
  for (ScopeTable& table : right.tables) {
    for (const ScopeTable& other : left.tables) {
      if (table.name.empty() || !table.table_visible || !other.table_visible) continue;
      if (table.name == other.name) {
        return SqlStatus(fmt::format("table name \"{}\" specified more than once", table.name),
                         {.sqlstate = "42712"});
      }
    }
    for (ScopeColumn& column : table.columns) column.expr = ShiftColumns(column.expr, left_width);
  }
  std::vector<std::string> names = StringsOf(Items(join.n_using_clause, join.using_clause));
  if (join.is_natural != 0) names = NaturalNames(left, right);
  ScopeTable merged;
  std::vector<ExprPtr> conjuncts;
  if (!names.empty()) {
    LEAT_ASSIGN(conjuncts, BindUsing(names, type, &left, &right, &merged));
  }
  FromItem out;
  out.tables = std::move(left.tables);
  for (ScopeTable& table : right.tables) out.tables.push_back(std::move(table));
  const Scope scope{out.tables, outer};
  const int levels = beside == nullptr ? 0 : DepthOf(beside) - DepthOf(outer);
  LEAT_ASSIGN(out.plan, JoinOn(join, type, left, right, scope, std::move(conjuncts), levels));
  for (ScopeTable& table : out.tables) {
    for (ScopeColumn& column : table.columns) {
      column.nullable = IsNullable(*column.expr, out.plan->schema);
    }
  }
  if (!names.empty()) out.tables.push_back(std::move(merged));
  if (join.join_using_alias != nullptr) {
    return NotSupported("an alias after USING is not supported");
  }
  if (join.alias == nullptr) return out;
  // A join with an alias is a table of its own: its parts cannot be named any more.
  ScopeTable named;
  named.name = join.alias->aliasname;
  named.columns = VisibleColumns(out);
  if (join.alias->n_colnames > named.columns.size()) {
    return SqlStatus(
        fmt::format("join expression \"{}\" has {} columns available but {} columns specified",
                    named.name, named.columns.size(), join.alias->n_colnames),
        {.sqlstate = "42P10"});
  }
  for (size_t i = 0; i < join.alias->n_colnames; ++i) {
    named.columns[i].name = StringOf(join.alias->colnames[i]);
  }
  for (ScopeTable& table : out.tables) table.columns_visible = table.table_visible = false;
  out.tables.push_back(std::move(named));
  return out;
}

}  // namespace leat
