// SELECT: the order in which its clauses are bound and built.
#include "sql/bind_select.h"

#include <algorithm>

#include "base/check.h"
#include "func/function.h"
#include "sql/outer.h"

namespace leat {
namespace {

constexpr int kQueryDepthMax = 200;

Status RefuseClauses(const PgQuery__SelectStmt& select) {
  if (select.into_clause != nullptr) return NotSupported("SELECT INTO is not supported");
  if (select.n_locking_clause > 0) {
    return NotSupported("FOR UPDATE and FOR SHARE are not supported: nothing is locked here");
  }
  return Status::OK();
}

// The operands of ANDs, as written.
void FlattenAnd(const Node* node, std::vector<const Node*>* conjuncts) {
  if (Is(node, PG_QUERY__NODE__NODE_BOOL_EXPR) &&
      node->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
    for (const Node* arg : Items(node->bool_expr->n_args, node->bool_expr->args)) {
      FlattenAnd(arg, conjuncts);
    }
    return;
  }
  conjuncts->push_back(node);
}

// The EXISTS or IN that a conjunct is, if it is one; `negated` for NOT.
const PgQuery__SubLink* SemiJoinOf(const Node* node, bool* negated) {
  *negated = false;
  while (Is(node, PG_QUERY__NODE__NODE_BOOL_EXPR) &&
         node->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR) {
    *negated = !*negated;
    node = node->bool_expr->args[0];
  }
  if (!Is(node, PG_QUERY__NODE__NODE_SUB_LINK)) return nullptr;
  const auto type = node->sub_link->sub_link_type;
  const bool semi = type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK ||
                    type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK;
  return semi ? node->sub_link : nullptr;
}

std::vector<SortKey> SortKeysOf(const std::vector<OrderItem>& order, const Schema& schema) {
  std::vector<SortKey> keys;
  for (const OrderItem& item : order) {
    const Type type = schema.columns[static_cast<size_t>(item.target)].type;
    keys.push_back({ColumnExpr(item.target, type), item.descending, item.nulls_first});
  }
  return keys;
}

// A row for each element of the sets, to which the expressions may then refer.
LogicalPtr UnnestSets(LogicalPtr plan, std::vector<ExprPtr> sets, std::vector<ExprPtr>* exprs) {
  const int width = plan->schema.size();
  const std::vector<std::string> names(sets.size(), "element");
  for (ExprPtr& expr : *exprs) {
    expr = MapColumns(expr, [&](const Expr& column) {
      const bool set = BaseOf(column.column) == kSetBase;
      return ColumnAt(set ? width + column.column - kSetBase : column.column, column.type,
                      column.location);
    });
  }
  return UnnestOn(std::move(plan), std::move(sets), names);
}

// FETCH FIRST n ROWS WITH TIES: the rows whose rank is within n, without those that OFFSET leaves
// out.
LogicalPtr TopWithTies(LogicalPtr plan, std::vector<SortKey> order, int64_t offset, int64_t limit) {
  const int width = plan->schema.size();
  const Type int8(TypeId::kInt8);
  WindowParts ranks{.order = order};
  ranks.calls.push_back({.function = WindowFunction::kRank, .result = int8});
  ranks.names.emplace_back("rank");
  plan = WindowOn(std::move(plan), std::move(ranks));
  const auto compared = [&](std::string_view symbol, int column, int64_t with) {
    const Type types[] = {int8, int8};
    const auto resolved = ResolveOperator(symbol, types, -1);
    LEAT_CHECK(resolved.ok());
    return CallExpr(resolved->function, {ColumnExpr(column, int8), Int8Literal(with)},
                    resolved->result);
  };
  std::vector<ExprPtr> kept = {compared("<=", width, limit + offset)};
  if (limit == 0) kept = {BoolLiteral(false)};
  if (offset > 0) {
    WindowParts numbers{.order = std::move(order)};
    numbers.calls.push_back({.function = WindowFunction::kRowNumber, .result = int8});
    numbers.names.emplace_back("row_number");
    plan = WindowOn(std::move(plan), std::move(numbers));
    kept.push_back(compared(">", width + 1, offset));
  }
  return FirstColumns(FilterOn(std::move(plan), Conjunction(std::move(kept))), width);
}

}  // namespace

Binder::Binder(const Catalog& catalog, int view_depth)
    : catalog_(catalog), view_depth_(view_depth) {
  settings_.timezone = catalog.Setting("timezone");
}

Result<Query> Binder::BindQuery(const PgQuery__SelectStmt& select, const SelectOptions& options) {
  if (depth_ >= kQueryDepthMax) {
    return SqlStatus("stack depth limit exceeded", {.sqlstate = "54001"});
  }
  ++depth_;
  const size_t levels = common_tables_.size();
  const auto bind = [&]() -> Result<Query> {
    LEAT_RETURN(RefuseClauses(select));
    if (select.with_clause != nullptr) LEAT_RETURN(BindWith(*select.with_clause, options.outer));
    if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE) return BindSetOperation(select, options);
    if (select.n_values_lists > 0) return BindValuesLists(select, options);
    return BindPlainSelect(select, options);
  };
  Result<Query> query = bind();
  common_tables_.resize(levels);
  --depth_;
  return query;
}

Result<LogicalPtr> Binder::BindTable(const PgQuery__SelectStmt& select,
                                     const SelectOptions& options) {
  LEAT_ASSIGN(Query query, BindQuery(select, options));
  return FirstColumns(query.root, query.visible);
}

Status Binder::BindWith(const PgQuery__WithClause& with, const Scope* outer) {
  common_tables_.emplace_back();
  for (const Node* node : Items(with.n_ctes, with.ctes)) {
    const PgQuery__CommonTableExpr& common = *node->common_table_expr;
    if (!Is(common.ctequery, PG_QUERY__NODE__NODE_SELECT_STMT)) {
      return NotSupported("WITH of a statement that writes is not supported", common.location,
                          "Write first, then ask: two statements between BEGIN and COMMIT.");
    }
    if (common_tables_.back().contains(common.ctename)) {
      return SqlStatus(
          fmt::format("WITH query name \"{}\" specified more than once", common.ctename),
          {.sqlstate = "42712", .location = common.location});
    }
    LogicalPtr plan;
    if (with.recursive != 0 && RefersToItself(common)) {
      LEAT_ASSIGN(plan, BindRecursive(common, outer));
    } else {
      SelectOptions options;
      options.outer = outer;
      LEAT_ASSIGN(plan, BindTable(*common.ctequery->select_stmt, options));
    }
    const auto names = StringsOf(Items(common.n_aliascolnames, common.aliascolnames));
    if (names.size() > plan->schema.columns.size()) {
      return SqlStatus(
          fmt::format("WITH query \"{}\" has {} columns available but {} columns specified",
                      common.ctename, plan->schema.size(), names.size()),
          {.sqlstate = "42P10", .location = common.location});
    }
    if (!names.empty()) {
      auto renamed = std::make_shared<Logical>(*plan);
      for (size_t i = 0; i < names.size(); ++i) renamed->schema.columns[i].name = names[i];
      plan = std::move(renamed);
    }
    common_tables_.back().emplace(common.ctename, CommonTable{std::move(plan), DepthOf(outer)});
  }
  return Status::OK();
}

Result<Query> Binder::BindPlainSelect(const PgQuery__SelectStmt& select,
                                      const SelectOptions& options) {
  Selection selection;
  selection.select = &select;
  selection.options = options;
  selection.scope.outer = options.outer;
  LEAT_ASSIGN(FromItem from,
              BindFrom(Items(select.n_from_clause, select.from_clause), options.outer));
  selection.plan = std::move(from.plan);
  selection.scope.tables = std::move(from.tables);
  LEAT_RETURN(BindTargets(&selection));
  LEAT_RETURN(BuildWhere(&selection));
  if (select.having_clause != nullptr) {
    LEAT_ASSIGN(selection.having,
                BindBool(select.having_clause, selection.Context(Clause::kHaving), "HAVING"));
  }
  LEAT_RETURN(BindOrderBy(&selection));
  LEAT_RETURN(BindGroupBy(&selection));
  LEAT_RETURN(BindDistinctOn(&selection));
  LEAT_RETURN(BuildAggregate(&selection));
  return BuildOutput(&selection);
}

Status Binder::BindTargets(Selection* selection) {
  const PgQuery__SelectStmt& select = *selection->select;
  for (const Node* node : Items(select.n_target_list, select.target_list)) {
    const PgQuery__ResTarget& target = *node->res_target;
    if (Is(target.val, PG_QUERY__NODE__NODE_COLUMN_REF)) {
      const PgQuery__ColumnRef& ref = *target.val->column_ref;
      if (Is(ref.fields[ref.n_fields - 1], PG_QUERY__NODE__NODE_A_STAR)) {
        LEAT_RETURN(BindStar(ref, selection));
        continue;
      }
    }
    LEAT_ASSIGN(ExprPtr expr, BindExpr(target.val, selection->Context(Clause::kSelect)));
    if (!selection->options.keep_unknown) {
      LEAT_ASSIGN(expr, ResolveUnknown(expr, settings_));
    }
    const std::string_view name = target.name;
    selection->targets.push_back(
        {name.empty() ? ColumnNameOf(target.val) : std::string(name), std::move(expr)});
  }
  selection->visible = static_cast<int>(selection->targets.size());
  return Status::OK();
}

Status Binder::BindStar(const PgQuery__ColumnRef& ref, Selection* selection) {
  const auto add = [&](const ScopeTable& table) {
    for (const ScopeColumn& column : table.columns) {
      selection->targets.push_back({column.name, WithLocation(column.expr, ref.location)});
    }
  };
  if (ref.n_fields > 1) {
    const std::string_view name = StringOf(ref.fields[ref.n_fields - 2]);
    LEAT_ASSIGN(const ScopeTable* table, ResolveTable(selection->scope, name, ref.location));
    add(*table);
    return Status::OK();
  }
  if (selection->scope.tables.empty()) {
    return SqlStatus("SELECT * with no tables specified is not valid",
                     {.sqlstate = kSyntaxError, .location = ref.location});
  }
  for (const ScopeTable& table : selection->scope.tables) {
    if (table.columns_visible) add(table);
  }
  return Status::OK();
}

Status Binder::BuildWhere(Selection* selection) {
  const Node* where = selection->select->where_clause;
  if (where == nullptr) return Status::OK();
  std::vector<const Node*> nodes;
  FlattenAnd(where, &nodes);
  ExprContext context = selection->Context(Clause::kWhere);
  std::vector<ExprPtr> conjuncts;
  std::vector<ExprPtr> outer_conjuncts;  // last: on top, where a semi join can take them
  std::vector<std::pair<const PgQuery__SubLink*, bool>> semi_joins;
  for (const Node* node : nodes) {
    bool negated = false;
    if (const PgQuery__SubLink* link = SemiJoinOf(node, &negated)) {
      semi_joins.emplace_back(link, negated);
      continue;
    }
    LEAT_ASSIGN(ExprPtr condition, BindBool(node, context, nodes.size() > 1 ? "AND" : "WHERE"));
    for (ExprPtr& conjunct : ConjunctsOf(condition)) {
      const bool outer = UsesOuter(*conjunct) && !UsesBase(*conjunct, kSubqueryBase);
      (outer ? outer_conjuncts : conjuncts).push_back(std::move(conjunct));
    }
  }
  selection->plan = SinkIntoJoins(selection->plan, &conjuncts);
  std::vector<ExprPtr*> places;
  for (ExprPtr& conjunct : conjuncts) places.push_back(&conjunct);
  LEAT_RETURN(AttachSubqueries(selection->collected, places, &selection->plan));
  selection->plan = FilterOrTop(std::move(selection->plan), std::move(conjuncts));
  for (const auto& [link, negated] : semi_joins) {
    LEAT_ASSIGN(selection->plan, ApplySemiJoin(selection->plan, *link, context, negated));
  }
  selection->plan = FilterOn(selection->plan, Conjunction(std::move(outer_conjuncts)));
  return Status::OK();
}

Result<Query> Binder::BuildOutput(Selection* selection) {
  LogicalPtr plan = selection->plan;
  std::vector<ExprPtr*> windowed;
  for (WindowUse& use : selection->collected.windows) {
    for (ExprPtr& expr : use.partition) windowed.push_back(&expr);
    for (SortKey& key : use.order) windowed.push_back(&key.expr);
    for (ExprPtr& expr : use.call.args) windowed.push_back(&expr);
    if (use.call.filter) windowed.push_back(&use.call.filter);
  }
  LEAT_RETURN(AttachSubqueries(selection->collected, windowed, &plan));
  std::vector<int> places;
  LEAT_ASSIGN(plan, BuildWindows(plan, selection->collected.windows, &places));
  const auto over_windows = [&](const ExprPtr& expr) {
    return MapColumns(expr, [&](const Expr& column) {
      if (BaseOf(column.column) != kWindowBase) {
        return ColumnAt(column.column, column.type, column.location);
      }
      const int place = places[static_cast<size_t>(column.column - kWindowBase)];
      return ColumnAt(place, column.type, column.location);
    });
  };
  std::vector<ExprPtr> exprs, sets;
  std::vector<std::string> names;
  for (Target& target : selection->targets) {
    exprs.push_back(over_windows(target.expr));
    names.push_back(target.name);
  }
  for (const ExprPtr& set : selection->collected.sets) sets.push_back(over_windows(set));
  std::vector<ExprPtr*> outputs;
  for (auto* list : {&exprs, &sets}) {
    for (ExprPtr& expr : *list) outputs.push_back(&expr);
  }
  LEAT_RETURN(AttachSubqueries(selection->collected, outputs, &plan));
  if (!sets.empty()) plan = UnnestSets(std::move(plan), std::move(sets), &exprs);
  const bool one_row = plan->kind == LogicalKind::kValues && plan->schema.size() == 0;
  LogicalPtr output = ProjectOn(plan, exprs, names);
  if (one_row) output = ValuesOf(output->schema, {exprs});
  Query query;
  query.visible = selection->visible;
  if (selection->distinct) output = DistinctOf(std::move(output));
  query.order = SortKeysOf(selection->order, output->schema);
  if (!selection->distinct_on.empty()) {
    TopParts first{.order = query.order, .limit = 1};
    for (const int target : selection->distinct_on) {
      first.partition.push_back(
          ColumnExpr(target, output->schema.columns[static_cast<size_t>(target)].type));
    }
    output = TopOf(std::move(output), std::move(first));
  }
  LEAT_ASSIGN(query.root, BuildLimit(*selection->select, std::move(output), query.order));
  return query;
}

Result<LogicalPtr> Binder::BuildLimit(const PgQuery__SelectStmt& select, LogicalPtr plan,
                                      std::vector<SortKey> order) {
  LEAT_ASSIGN(const auto limit, BindLimitValue(select.limit_count, "LIMIT"));
  LEAT_ASSIGN(const auto offset, BindLimitValue(select.limit_offset, "OFFSET"));
  if (!limit && offset.value_or(0) == 0) return plan;
  if (limit && select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES) {
    return TopWithTies(std::move(plan), std::move(order), offset.value_or(0), *limit);
  }
  return TopOf(
      std::move(plan),
      {.order = std::move(order), .offset = offset.value_or(0), .limit = limit.value_or(-1)});
}

Result<std::optional<int64_t>> Binder::BindLimitValue(const Node* node, std::string_view clause) {
  if (node == nullptr) return std::optional<int64_t>();
  const int location = LocationOf(node);
  ExprContext context;
  context.clause = Clause::kLimit;
  LEAT_ASSIGN(ExprPtr expr, BindExpr(node, context));
  if (!CanCast(expr->type, Type(TypeId::kInt8), CastContext::kAssignment)) {
    return SqlStatus(fmt::format("argument of {} must be type bigint, not type {}", clause,
                                 PlainName(expr->type)),
                     {.sqlstate = kDatatypeMismatch, .location = location});
  }
  LEAT_ASSIGN(expr, Coerce(expr, Type(TypeId::kInt8), CastContext::kAssignment, settings_));
  LEAT_ASSIGN(auto scalar, EvaluateConstant(*expr, {}));
  if (!scalar->is_valid) return std::optional<int64_t>();
  const int64_t value = static_cast<const arrow::Int64Scalar&>(*scalar).value;
  if (value < 0) {
    return SqlStatus(fmt::format("{} must not be negative", clause),
                     {.sqlstate = clause == "LIMIT" ? "2201W" : "2201X", .location = location});
  }
  return std::optional<int64_t>(value);
}

Result<Query> Binder::BindValuesLists(const PgQuery__SelectStmt& select,
                                      const SelectOptions& options) {
  std::vector<std::vector<ExprPtr>> rows;
  Collected collected;
  const Scope scope{{}, options.outer};
  ExprContext context;
  context.clause = Clause::kValues;
  context.scope = &scope;
  context.collected = &collected;
  for (const Node* node : Items(select.n_values_lists, select.values_lists)) {
    LEAT_ASSIGN(auto row, BindExprs(Items(node->list->n_items, node->list->items), context));
    if (!rows.empty() && row.size() != rows[0].size()) {
      return SqlStatus("VALUES lists must all be the same length",
                       {.sqlstate = kSyntaxError, .location = LocationOf(node)});
    }
    rows.push_back(std::move(row));
  }
  Schema schema;
  for (size_t i = 0; i < rows[0].size(); ++i) {
    std::vector<ExprPtr> column;
    for (const auto& row : rows) column.push_back(row[i]);
    LEAT_ASSIGN(column, CoerceAll(std::move(column), "VALUES", -1));
    bool nullable = false;
    for (size_t r = 0; r < rows.size(); ++r) {
      rows[r][i] = column[r];
      nullable |= IsNullable(*column[r], {});
    }
    schema.columns.push_back({fmt::format("column{}", i + 1), column[0]->type, nullable});
  }
  LEAT_ASSIGN(LogicalPtr plan, BuildRows(std::move(schema), std::move(rows), collected));
  return FinishSetOperation(select, std::move(plan));
}

Result<LogicalPtr> Binder::BuildRows(Schema schema, std::vector<std::vector<ExprPtr>> rows,
                                     const Collected& collected) {
  if (collected.subqueries.empty()) return ValuesOf(std::move(schema), std::move(rows));
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  std::vector<LogicalPtr> plans;
  for (auto& row : rows) {
    LogicalPtr plan = ValuesOf({}, {{}});
    std::vector<ExprPtr*> places;
    for (ExprPtr& expr : row) places.push_back(&expr);
    LEAT_RETURN(AttachSubqueries(collected, places, &plan));
    plans.push_back(ProjectOn(std::move(plan), std::move(row), names));
  }
  return plans.size() == 1 ? plans[0] : UnionAllOf(std::move(plans));
}

}  // namespace leat
