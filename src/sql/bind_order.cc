// What ORDER BY, GROUP BY and DISTINCT ON name: a place in the select list, an output column, or an
// expression (PostgreSQL's findTargetlistEntrySQL92 and SQL99).
#include <algorithm>

#include "sql/bind_select.h"

namespace leat {
namespace {

bool NullsFirst(const PgQuery__SortBy& sort, bool descending) {
  if (sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT) return descending;
  return sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
}

// The name of a column reference without table, "" for anything else.
std::string_view BareName(const Node* node) {
  if (!Is(node, PG_QUERY__NODE__NODE_COLUMN_REF) || node->column_ref->n_fields != 1) return {};
  return StringOf(node->column_ref->fields[0]);
}

// The place that an integer constant names, from 0; -1 if the node is no constant.
Result<int> PlaceOf(const Node* node, std::string_view clause, int visible) {
  if (!Is(node, PG_QUERY__NODE__NODE_A_CONST)) return -1;
  const PgQuery__AConst& constant = *node->a_const;
  if (constant.isnull != 0 || constant.val_case != PG_QUERY__A__CONST__VAL_IVAL) {
    return SqlStatus(fmt::format("non-integer constant in {}", clause),
                     {.sqlstate = kSyntaxError, .location = constant.location});
  }
  const int place = constant.ival->ival;
  if (place < 1 || place > visible) {
    return SqlStatus(fmt::format("{} position {} is not in select list", clause, place),
                     {.sqlstate = "42P10", .location = constant.location});
  }
  return place - 1;
}

// The output column of this name, -1 if there is none.
Result<int> OutputOf(std::string_view name, std::string_view clause,
                     const std::vector<Target>& targets, int visible, int location) {
  int found = -1;
  for (int i = 0; i < visible; ++i) {
    const Target& target = targets[static_cast<size_t>(i)];
    if (target.name != name) continue;
    if (found >= 0 && !Equal(*targets[static_cast<size_t>(found)].expr, *target.expr)) {
      return SqlStatus(fmt::format("{} \"{}\" is ambiguous", clause, name),
                       {.sqlstate = "42702", .location = location});
    }
    if (found < 0) found = i;
  }
  return found;
}

}  // namespace

// The target that an item of ORDER BY or DISTINCT ON means; appended if it is not in the list.
Result<int> Binder::BindSortTarget(const Node* node, std::string_view clause,
                                   Selection* selection) {
  auto& targets = selection->targets;
  LEAT_ASSIGN(int place, PlaceOf(node, clause, selection->visible));
  if (place >= 0) return place;
  if (const std::string_view name = BareName(node); !name.empty()) {
    LEAT_ASSIGN(int found, OutputOf(name, clause, targets, selection->visible, LocationOf(node)));
    if (found >= 0) return found;
  }
  const Clause where = clause == "ORDER BY" ? Clause::kOrderBy : Clause::kDistinctOn;
  LEAT_ASSIGN(ExprPtr expr, BindValue(node, selection->Context(where)));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (Equal(*targets[i].expr, *expr)) return static_cast<int>(i);
  }
  targets.push_back({ColumnNameOf(node), std::move(expr)});
  return static_cast<int>(targets.size()) - 1;
}

Status Binder::BindOrderBy(Selection* selection) {
  const PgQuery__SelectStmt& select = *selection->select;
  const bool distinct = select.n_distinct_clause > 0;
  const bool on = distinct && select.distinct_clause[0]->node_case != PG_QUERY__NODE__NODE__NOT_SET;
  selection->distinct = distinct && !on;
  for (const Node* node : Items(select.n_sort_clause, select.sort_clause)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    if (sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
      return NotSupported("ORDER BY … USING is not supported", LocationOf(sort.node));
    }
    OrderItem item;
    LEAT_ASSIGN(item.target, BindSortTarget(sort.node, "ORDER BY", selection));
    item.descending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    item.nulls_first = NullsFirst(sort, item.descending);
    if (selection->distinct && item.target >= selection->visible) {
      return SqlStatus("for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                       {.sqlstate = "42P10", .location = LocationOf(sort.node)});
    }
    selection->order.push_back(item);
  }
  return Status::OK();
}

Status Binder::BindDistinctOn(Selection* selection) {
  const PgQuery__SelectStmt& select = *selection->select;
  if (select.n_distinct_clause == 0 || selection->distinct) return Status::OK();
  auto& on = selection->distinct_on;
  for (const Node* node : Items(select.n_distinct_clause, select.distinct_clause)) {
    LEAT_ASSIGN(int target, BindSortTarget(node, "DISTINCT ON", selection));
    if (std::find(on.begin(), on.end(), target) == on.end()) on.push_back(target);
  }
  // The first ORDER BY items must be those of DISTINCT ON, in any order.
  size_t matched = 0;
  for (const OrderItem& item : selection->order) {
    if (matched == on.size()) break;
    if (std::find(on.begin(), on.end(), item.target) == on.end()) {
      return SqlStatus("SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                       {.sqlstate = "42P10", .location = LocationOf(select.distinct_clause[0])});
    }
    ++matched;
  }
  return Status::OK();
}

// GROUP BY prefers the FROM's columns to the names of the select list.
Result<ExprPtr> Binder::BindGroupKey(const Node* node, Selection* selection) {
  LEAT_ASSIGN(int place, PlaceOf(node, "GROUP BY", selection->visible));
  if (const std::string_view name = BareName(node); place < 0 && !name.empty()) {
    auto column = ResolveColumn(selection->scope, "", name, LocationOf(node));
    const SqlError* error = SqlErrorOf(column.status());
    if (!column.ok() && error != nullptr && error->sqlstate == kUndefinedColumn) {
      LEAT_ASSIGN(place, OutputOf(name, "GROUP BY", selection->targets, selection->visible,
                                  LocationOf(node)));
    }
  }
  if (place < 0) return BindValue(node, selection->Context(Clause::kGroupBy));
  const ExprPtr& expr = selection->targets[static_cast<size_t>(place)].expr;
  const bool aggregate = UsesBase(*expr, kAggregateBase);
  if (aggregate || UsesBase(*expr, kWindowBase)) {
    return SqlStatus(
        fmt::format("{} functions are not allowed in GROUP BY", aggregate ? "aggregate" : "window"),
        {.sqlstate = aggregate ? "42803" : "42P20", .location = expr->location});
  }
  return expr;
}

}  // namespace leat
