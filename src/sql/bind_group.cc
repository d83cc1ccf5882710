// GROUP BY: its keys, grouping sets, and the columns that a primary key determines.
#include <algorithm>

#include "sql/bind_select.h"

namespace leat {

// Where GROUP BY has a table's primary key, its other columns have one value a group: those that
// are used become keys too.
void Binder::AddDetermined(Selection* selection) {
  auto& keys = selection->keys;
  std::vector<ExprPtr> determined;
  const auto has = [&](const Expr& column) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const ExprPtr& key) { return Equal(*key, column); });
  };
  for (const ScopeTable& table : selection->scope.tables) {
    const bool whole =
        !table.key.empty() && std::all_of(table.key.begin(), table.key.end(), [&](int column) {
          return has(*table.columns[static_cast<size_t>(column)].expr);
        });
    if (!whole) continue;
    for (const ScopeColumn& column : table.columns) determined.push_back(column.expr);
  }
  if (determined.empty()) return;
  const auto use = [&](const ExprPtr& expr) {
    if (!expr) return;
    VisitExprs(*expr, [&](const Expr& part) {
      if (part.kind != ExprKind::kColumn || has(part)) return;
      for (const ExprPtr& column : determined) {
        if (Equal(*column, part)) {
          keys.push_back(column);
          return;
        }
      }
    });
  };
  for (const Target& target : selection->targets) use(target.expr);
  use(selection->having);
  for (const WindowUse& window : selection->collected.windows) {
    for (const ExprPtr& expr : window.partition) use(expr);
    for (const SortKey& key : window.order) use(key.expr);
    for (const ExprPtr& expr : window.call.args) use(expr);
    use(window.call.filter);
  }
  for (const Subquery& subquery : selection->collected.subqueries) {
    for (const ExprPtr& arg : subquery.args) use(arg);
  }
}

// The place of a key among the keys; a new one is added.
Result<int> Binder::AddGroupKey(const Node* node, Selection* selection) {
  LEAT_ASSIGN(ExprPtr key, BindGroupKey(node, selection));
  auto& keys = selection->keys;
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const ExprPtr& other) { return Equal(*other, *key); });
  const auto at = static_cast<int>(found - keys.begin());
  if (found == keys.end()) keys.push_back(std::move(key));
  return at;
}

namespace {

using GroupSet = std::vector<int>;
constexpr size_t kGroupSetsMax = 4096;  // as PostgreSQL's

Status TooManySets() {
  return SqlStatus("too many grouping sets present (maximum 4096)", {.sqlstate = "54001"});
}

GroupSet Union(const GroupSet& a, const GroupSet& b) {
  GroupSet all = a;
  for (const int key : b) {
    if (std::find(all.begin(), all.end(), key) == all.end()) all.push_back(key);
  }
  return all;
}

}  // namespace

// The sets that an item of GROUP BY stands for.
Status Binder::BindGroupSets(const Node* node, Selection* selection,
                             std::vector<std::vector<int>>* sets) {
  const auto keys_of = [&](const Node* item) -> Result<GroupSet> {
    GroupSet keys;
    if (!Is(item, PG_QUERY__NODE__NODE_ROW_EXPR)) {
      LEAT_ASSIGN(const int key, AddGroupKey(item, selection));
      return GroupSet{key};
    }
    for (const Node* part : Items(item->row_expr->n_args, item->row_expr->args)) {
      LEAT_ASSIGN(const int key, AddGroupKey(part, selection));
      keys = Union(keys, {key});
    }
    return keys;
  };
  if (!Is(node, PG_QUERY__NODE__NODE_GROUPING_SET)) {
    LEAT_ASSIGN(GroupSet keys, keys_of(node));
    sets->push_back(std::move(keys));
    return Status::OK();
  }
  const PgQuery__GroupingSet& set = *node->grouping_set;
  const Nodes items = Items(set.n_content, set.content);
  if (set.kind == PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_EMPTY) {
    sets->emplace_back();
    return Status::OK();
  }
  if (set.kind == PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_SETS) {
    for (const Node* item : items) LEAT_RETURN(BindGroupSets(item, selection, sets));
    return Status::OK();
  }
  std::vector<GroupSet> parts;
  for (const Node* item : items) {
    LEAT_ASSIGN(GroupSet keys, keys_of(item));
    parts.push_back(std::move(keys));
  }
  const bool rollup = set.kind == PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_ROLLUP;
  if (!rollup && parts.size() > 12) {
    return SqlStatus("CUBE is limited to 12 elements",
                     {.sqlstate = "54011", .location = set.location});
  }
  const size_t all = (size_t{1} << parts.size()) - 1;
  for (size_t mask = all;; mask = rollup ? mask >> 1 : mask - 1) {
    GroupSet keys;
    for (size_t i = 0; i < parts.size(); ++i) {
      const size_t bit = rollup ? i : parts.size() - 1 - i;
      if ((mask >> bit & 1) != 0) keys = Union(keys, parts[i]);
    }
    sets->push_back(std::move(keys));
    if (mask == 0) break;
  }
  return Status::OK();
}

Status Binder::BindGroupBy(Selection* selection) {
  const PgQuery__SelectStmt& select = *selection->select;
  selection->grouped = select.n_group_clause > 0;
  bool plain = true;
  std::vector<GroupSet> sets = {{}};
  for (const Node* node : Items(select.n_group_clause, select.group_clause)) {
    plain &= !Is(node, PG_QUERY__NODE__NODE_GROUPING_SET);
    std::vector<GroupSet> of_item, product;
    LEAT_RETURN(BindGroupSets(node, selection, &of_item));
    if (of_item.size() * sets.size() > kGroupSetsMax) return TooManySets();
    for (const GroupSet& left : sets) {
      for (const GroupSet& right : of_item) product.push_back(Union(left, right));
    }
    sets = std::move(product);
  }
  if (select.group_distinct != 0) {
    std::vector<GroupSet> once;
    for (const GroupSet& set : sets) {
      GroupSet sorted = set;
      std::sort(sorted.begin(), sorted.end());
      if (std::find(once.begin(), once.end(), sorted) == once.end()) once.push_back(sorted);
    }
    sets = std::move(once);
  }
  if (!plain) selection->sets = std::move(sets);
  if (plain) AddDetermined(selection);
  return Status::OK();
}

}  // namespace leat
