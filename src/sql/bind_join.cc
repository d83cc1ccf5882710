// JOIN: conditions into keys and residuals, USING and NATURAL.
#include <algorithm>

#include "func/function.h"
#include "sql/bind.h"

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
    return JoinOf(std::move(left), std::move(right),
                  {JoinType::kInner, plan->left_keys, plan->right_keys, plan->residual});
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

Result<FromItem> Binder::BindJoin(const PgQuery__JoinExpr& join, const Scope* outer) {
  LEAT_ASSIGN(JoinType type, TypeOf(join));
  LEAT_ASSIGN(FromItem left, BindFromItem(join.larg, outer));
  LEAT_ASSIGN(FromItem right, BindFromItem(join.rarg, outer));
  const int left_width = left.plan->schema.size();
  const int width = left_width + right.plan->schema.size();
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
  if (join.quals != nullptr) {
    const Scope scope{out.tables, outer};
    ExprContext context;
    context.clause = Clause::kJoin;
    context.scope = &scope;
    LEAT_ASSIGN(ExprPtr condition, BindBool(join.quals, context, "JOIN/ON"));
    conjuncts = ConjunctsOf(condition);
    const bool always = conjuncts.size() == 1 && conjuncts[0]->kind == ExprKind::kLiteral &&
                        conjuncts[0]->literal->Equals(arrow::BooleanScalar(true));
    if (always) conjuncts.clear();
  }
  out.plan = JoinOf(left.plan, right.plan, SplitJoin(type, conjuncts, left_width, width));
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
