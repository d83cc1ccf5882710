// INSERT, UPDATE, DELETE, TRUNCATE.
#include <algorithm>

#include "sql/bind_statement.h"

namespace leat {
namespace {

NameList InsertNames(const PgQuery__InsertStmt& stmt) {
  NameList names;
  for (const Node* node : Items(stmt.n_cols, stmt.cols)) {
    names.emplace_back(node->res_target->name, node->res_target->location);
  }
  return names;
}

// More values than columns, or fewer where columns were named. `extra` is the first value too many.
Status CheckCount(size_t values, size_t columns, const NameList& names, int extra) {
  if (values > columns) {
    return SqlStatus("INSERT has more expressions than target columns",
                     {.sqlstate = kSyntaxError, .location = extra});
  }
  if (values < names.size()) {
    return SqlStatus("INSERT has more target columns than expressions",
                     {.sqlstate = kSyntaxError, .location = names[values].second});
  }
  return Status::OK();
}

// A standing query is a query alone.
Status RefuseStandingClauses(const PgQuery__InsertStmt& stmt) {
  if (stmt.with_clause != nullptr) {
    return NotSupported("WITH before INSERT into a sink is not supported",
                        stmt.with_clause->location,
                        "Write it behind: INSERT INTO t WITH … SELECT ….");
  }
  if (stmt.on_conflict_clause != nullptr) {
    return NotSupported("ON CONFLICT is not supported for a sink",
                        stmt.on_conflict_clause->location,
                        "A sink with OPTIONS (mode 'upsert', key '…') replaces rows by key.");
  }
  if (stmt.n_returning_list > 0) {
    return NotSupported("RETURNING is not supported for a sink", LocationOf(stmt.returning_list[0]),
                        "It is a standing query: ask for what it keeps with SELECT.");
  }
  return Status::OK();
}

// The rows that UPDATE and DELETE choose by other tables or by subqueries, while they are bound:
// the table's columns, the row's place, then FROM's or USING's columns.
struct Choice {
  LogicalPtr plan;
  Scope scope;
  Collected collected;
  ExprPtr place;
  bool needed = false;
};

Result<Choice> ChoiceOf(Binder* binder, const Relation& relation, const PgQuery__RangeVar& range,
                        Nodes from) {
  Choice choice;
  const bool alias = range.alias != nullptr;
  choice.scope.tables = {TableScope(relation, alias ? range.alias->aliasname : range.relname)};
  if (alias) choice.scope.tables[0].relation = range.relname;
  Schema schema = relation.schema();
  const int width = schema.size();
  schema.columns.push_back({"row", TypeId::kInt8, false});
  choice.place = ColumnExpr(width, Type(TypeId::kInt8));
  choice.plan = ScanOf(RowsRelation(relation.name), std::move(schema), true, range.location);
  if (from.empty()) return choice;
  choice.needed = true;
  LEAT_ASSIGN(FromItem items, binder->BindFrom(from, nullptr));
  for (ScopeTable& table : items.tables) {
    if (table.table_visible && table.name == choice.scope.tables[0].name) {
      return SqlStatus(fmt::format("table name \"{}\" specified more than once", table.name),
                       {.sqlstate = "42712"});
    }
    for (ScopeColumn& column : table.columns) column.expr = ShiftColumns(column.expr, width + 1);
    choice.scope.tables.push_back(std::move(table));
  }
  choice.plan = JoinOf(choice.plan, items.plan, {});
  return choice;
}

// The chosen rows' places and `values`.
Result<LogicalPtr> Chosen(Binder* binder, Choice* choice, const ExprPtr& where,
                          std::vector<ExprPtr> values) {
  std::vector<ExprPtr> conjuncts = ConjunctsOf(where);
  choice->plan = SinkIntoJoins(choice->plan, &conjuncts);
  std::vector<ExprPtr*> places;
  for (ExprPtr& conjunct : conjuncts) places.push_back(&conjunct);
  LEAT_RETURN(binder->AttachSubqueries(choice->collected, places, &choice->plan));
  LogicalPtr plan = FilterOn(choice->plan, Conjunction(std::move(conjuncts)));
  places.clear();
  for (ExprPtr& value : values) places.push_back(&value);
  LEAT_RETURN(binder->AttachSubqueries(choice->collected, places, &plan));
  values.insert(values.begin(), choice->place);
  const std::vector<std::string> names(values.size(), "value");
  return ProjectOn(plan, std::move(values), names);
}

// RETURNING of UPDATE and DELETE: what it reads of other tables goes to `behind`, which comes
// behind the table's `width` columns.
Result<std::optional<Returning>> ReturningOf(Nodes targets, const Choice& choice, int width,
                                             Binder* binder, std::vector<ExprPtr>* behind) {
  if (targets.empty()) return std::optional<Returning>();
  LEAT_ASSIGN(Returning returning, BindReturning(targets, choice.scope, binder));
  const size_t before = behind->size();
  std::map<int, int> places;
  for (ExprPtr& expr : returning.exprs) {
    expr = MapColumns(expr, [&](const Expr& column) {
      const ExprPtr same = ColumnAt(column.column, column.type, column.location);
      if (column.column < width) return same;
      const int next = width + static_cast<int>(behind->size() - before);
      const auto [place, added] = places.try_emplace(column.column, next);
      if (added) behind->push_back(same);
      return ColumnAt(place->second, column.type, column.location);
    });
  }
  return std::optional(std::move(returning));
}

// What is drawn for each row of an INSERT … SELECT: see InsertRows.
using Drawn = std::vector<std::pair<int, ExprPtr>>;

// The list of a SELECT that ends in a projection, or has no FROM; nullptr for any other.
const std::vector<ExprPtr>* ListOf(const Logical& root) {
  if (root.kind == LogicalKind::kProject) return &root.exprs;
  const bool one = root.kind == LogicalKind::kValues && root.rows.size() == 1;
  return one ? &root.rows[0] : nullptr;
}

bool DrawsAlone(const Expr& expr) { return Draws(expr) && UsesOnly(expr, 0, 0); }

// The query with nulls in its list where numbers are drawn: they are drawn later.
LogicalPtr WithoutDraws(const LogicalPtr& root) {
  const auto* list = ListOf(*root);
  const bool any = list != nullptr && std::any_of(list->begin(), list->end(),
                                                  [](const auto& e) { return DrawsAlone(*e); });
  if (!any) return root;
  auto out = std::make_shared<Logical>(*root);
  auto& exprs = out->kind == LogicalKind::kProject ? out->exprs : out->rows[0];
  for (ExprPtr& expr : exprs) {
    if (DrawsAlone(*expr)) expr = NullLiteral(expr->type);
  }
  return out;
}

// INSERT … VALUES: every value is read as its column's type, DEFAULT is the column's.
Result<Query> ValuesFor(Binder* binder, const PgQuery__SelectStmt& select, const Relation& relation,
                        const std::vector<int>& columns, const NameList& names, bool overriding) {
  std::vector<std::vector<ExprPtr>> rows;
  Collected collected;
  const Scope nothing;
  ExprContext context;
  context.clause = Clause::kValues;
  context.scope = &nothing;
  context.collected = &collected;
  for (const Node* node : Items(select.n_values_lists, select.values_lists)) {
    const Nodes values = Items(node->list->n_items, node->list->items);
    if (!rows.empty() && values.size() != select.values_lists[0]->list->n_items) {
      return SqlStatus("VALUES lists must all be the same length",
                       {.sqlstate = kSyntaxError, .location = LocationOf(node)});
    }
    const int extra = values.size() > columns.size() ? LocationOf(values[columns.size()]) : -1;
    LEAT_RETURN(CheckCount(values.size(), columns.size(), names, extra));
    std::vector<ExprPtr> row;
    for (const ColumnSpec& spec : relation.columns) row.push_back(DefaultOf(spec));
    for (size_t i = 0; i < values.size(); ++i) {
      if (Is(values[i], PG_QUERY__NODE__NODE_SET_TO_DEFAULT)) continue;
      const auto column = static_cast<size_t>(columns[i]);
      if (!overriding) LEAT_RETURN(CheckGiven(relation.columns[column]));
      LEAT_ASSIGN(ExprPtr value, binder->BindExpr(values[i], context));
      LEAT_ASSIGN(row[column],
                  CoerceToColumn(value, relation.columns[column].column, binder->settings()));
    }
    rows.push_back(std::move(row));
  }
  Query query;
  query.visible = static_cast<int>(relation.columns.size());
  LEAT_ASSIGN(query.root, binder->BuildRows(relation.schema(), std::move(rows), collected));
  return query;
}

// The SELECT's columns cast to those of the relation, the others filled with their defaults.
Result<Query> ProjectedFor(Binder* binder, const PgQuery__SelectStmt& select,
                           const Relation& relation, const std::vector<int>& columns,
                           const NameList& names, bool overriding, Drawn* drawn) {
  SelectOptions options;
  options.keep_unknown = true;
  LEAT_ASSIGN(Query query, binder->BindQuery(select, options));
  const auto given = static_cast<size_t>(query.visible);
  const auto location_of = [&](size_t i) {
    return i < select.n_target_list ? LocationOf(select.target_list[i]) : -1;
  };
  LEAT_RETURN(
      CheckCount(given, columns.size(), names, location_of(std::min(given, columns.size()))));
  std::vector<ExprPtr> exprs;
  std::vector<std::string> titles;
  for (const ColumnSpec& spec : relation.columns) {
    exprs.push_back(DefaultOf(spec));
    titles.push_back(spec.column.name);
  }
  const auto* list = ListOf(*query.root);
  for (size_t i = 0; i < given; ++i) {
    const auto column = static_cast<size_t>(columns[i]);
    if (!overriding) LEAT_RETURN(CheckGiven(relation.columns[column]));
    const Column& target = relation.columns[column].column;
    const Column& source = query.root->schema.columns[i];
    ExprPtr expr = ColumnAt(static_cast<int>(i), source.type, location_of(i));
    // A literal in the select list is read as the column's type.
    const ExprPtr inner = list != nullptr ? (*list)[i] : nullptr;
    const bool unknown =
        inner && query.root->kind == LogicalKind::kProject && inner->type.id == TypeId::kUnknown;
    if (unknown || (inner && DrawsAlone(*inner))) expr = inner;
    LEAT_ASSIGN(exprs[column], CoerceToColumn(expr, target, binder->settings()));
  }
  Query out;
  out.visible = static_cast<int>(relation.columns.size());
  if (drawn == nullptr) {  // a sink: the query stands
    out.root = ProjectOn(query.root, std::move(exprs), titles);
    return out;
  }
  LogicalPtr source = WithoutDraws(query.root);
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (!Draws(*exprs[i])) continue;
    drawn->emplace_back(static_cast<int>(i), exprs[i]);
    exprs[i] = NullLiteral(relation.columns[i].column.type);
  }
  // The rows come in the order of the query, by whatever it is ordered.
  for (const SortKey& key : query.order) {
    out.order.push_back({ColumnExpr(static_cast<int>(exprs.size()), key.expr->type), key.descending,
                         key.nulls_first});
    exprs.push_back(key.expr);
    titles.emplace_back("order");
  }
  out.root = ProjectOn(std::move(source), std::move(exprs), titles);
  return out;
}

// The query of an INSERT, giving exactly the relation's columns.
Result<Query> InsertQuery(Binder* binder, const PgQuery__InsertStmt& stmt, const Relation& relation,
                          Drawn* drawn) {
  const NameList names = InsertNames(stmt);
  LEAT_ASSIGN(auto columns, NamedColumns(names, relation));
  const bool overriding = stmt.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE;
  if (stmt.select_stmt == nullptr) {  // DEFAULT VALUES
    std::vector<ExprPtr> row;
    for (const ColumnSpec& spec : relation.columns) row.push_back(DefaultOf(spec));
    Query query;
    query.visible = static_cast<int>(row.size());
    query.root = ValuesOf(relation.schema(), {std::move(row)});
    return query;
  }
  const PgQuery__SelectStmt& select = *stmt.select_stmt->select_stmt;
  const bool values = select.n_values_lists > 0 && select.n_sort_clause == 0 &&
                      select.limit_count == nullptr && select.limit_offset == nullptr &&
                      select.with_clause == nullptr;
  if (values) return ValuesFor(binder, select, relation, columns, names, overriding);
  return ProjectedFor(binder, select, relation, columns, names, overriding, drawn);
}

}  // namespace

std::string RowsRelation(std::string_view table) { return fmt::format("rows of {}", table); }

std::string_view TableOfRows(std::string_view relation) {
  constexpr std::string_view kPrefix = "rows of ";
  return relation.starts_with(kPrefix) ? relation.substr(kPrefix.size()) : std::string_view();
}

Result<Query> BindInsertSource(const PgQuery__InsertStmt& stmt, const Relation& sink,
                               const Catalog& catalog) {
  LEAT_RETURN(RefuseStandingClauses(stmt));
  Binder binder(catalog);
  if (!sink.columns.empty() && !sink.infer_columns) {
    return InsertQuery(&binder, stmt, sink, nullptr);
  }
  if (stmt.n_cols > 0) {
    return NotSupported("a column list for a sink without declared columns is not supported",
                        stmt.cols[0]->res_target->location,
                        "Name the columns in the SELECT with AS.");
  }
  if (stmt.select_stmt == nullptr) return NotSupported("DEFAULT VALUES is not supported here");
  return binder.BindQuery(*stmt.select_stmt->select_stmt);
}

Result<BoundStatement> BindInsert(const PgQuery__InsertStmt& stmt,
                                  const StatementContext& context) {
  Binder binder(context.catalog);
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  if (relation->kind == RelationKind::kForeign) {
    CreateInsert create;
    LEAT_ASSIGN(create.query, BindInsertSource(stmt, *relation, context.catalog));
    create.insert.sink = relation->name;
    for (const auto& [name, location] : InsertNames(stmt)) create.insert.columns.push_back(name);
    create.insert.sql = QueryTextOf(context.statement, stmt.select_stmt);
    create.insert.definition = context.statement.shared_from_this();
    create.insert.location = context.statement.location;
    return create;
  }
  LEAT_RETURN(RefuseReadOnly(*relation, "insert into", stmt.relation->location));
  if (stmt.with_clause != nullptr) LEAT_RETURN(binder.BindWith(*stmt.with_clause, nullptr));
  InsertRows insert;
  insert.table = relation->name;
  LEAT_ASSIGN(insert.query, InsertQuery(&binder, stmt, *relation, &insert.drawn));
  const PgQuery__RangeVar& range = *stmt.relation;
  const char* name = range.alias == nullptr ? range.relname : range.alias->aliasname;
  if (stmt.on_conflict_clause != nullptr) {
    LEAT_ASSIGN(insert.conflict,
                BindOnConflict(*stmt.on_conflict_clause, *relation, name, &binder));
  }
  if (stmt.n_returning_list > 0) {
    const Scope scope{{TableScope(*relation, name)}, nullptr};
    LEAT_ASSIGN(insert.returning,
                BindReturning(Items(stmt.n_returning_list, stmt.returning_list), scope, &binder));
  }
  return insert;
}

Result<BoundStatement> BindUpdate(const PgQuery__UpdateStmt& stmt,
                                  const StatementContext& context) {
  Binder binder(context.catalog);
  if (stmt.with_clause != nullptr) LEAT_RETURN(binder.BindWith(*stmt.with_clause, nullptr));
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  LEAT_RETURN(RefuseReadOnly(*relation, "update", stmt.relation->location));
  LEAT_ASSIGN(Choice choice, ChoiceOf(&binder, *relation, *stmt.relation,
                                      Items(stmt.n_from_clause, stmt.from_clause)));
  ExprContext expressions;
  expressions.clause = Clause::kUpdate;
  expressions.scope = &choice.scope;
  expressions.collected = &choice.collected;
  UpdateRows update;
  update.table = relation->name;
  for (const ScopeColumn& column : choice.scope.tables[0].columns) {
    update.values.push_back(column.expr);
  }
  LEAT_RETURN(BindAssignments(Items(stmt.n_target_list, stmt.target_list), *relation, expressions,
                              &binder, &update.values));
  if (stmt.where_clause != nullptr) {
    expressions.clause = Clause::kWhere;
    LEAT_ASSIGN(update.where, binder.BindBool(stmt.where_clause, expressions, "WHERE"));
  }
  std::vector<ExprPtr> values = update.values;
  const int width = static_cast<int>(values.size());
  LEAT_ASSIGN(update.returning, ReturningOf(Items(stmt.n_returning_list, stmt.returning_list),
                                            choice, width, &binder, &values));
  if (!choice.needed && choice.collected.subqueries.empty()) return update;
  LEAT_ASSIGN(update.rows, Chosen(&binder, &choice, update.where, std::move(values)));
  return update;
}

Result<BoundStatement> BindDelete(const PgQuery__DeleteStmt& stmt,
                                  const StatementContext& context) {
  Binder binder(context.catalog);
  if (stmt.with_clause != nullptr) LEAT_RETURN(binder.BindWith(*stmt.with_clause, nullptr));
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  LEAT_RETURN(RefuseReadOnly(*relation, "delete from", stmt.relation->location));
  LEAT_ASSIGN(Choice choice, ChoiceOf(&binder, *relation, *stmt.relation,
                                      Items(stmt.n_using_clause, stmt.using_clause)));
  DeleteRows rows;
  rows.table = relation->name;
  if (stmt.where_clause != nullptr) {
    ExprContext expressions;
    expressions.clause = Clause::kWhere;
    expressions.scope = &choice.scope;
    expressions.collected = &choice.collected;
    LEAT_ASSIGN(rows.where, binder.BindBool(stmt.where_clause, expressions, "WHERE"));
  }
  std::vector<ExprPtr> behind;
  LEAT_ASSIGN(rows.returning, ReturningOf(Items(stmt.n_returning_list, stmt.returning_list), choice,
                                          relation->schema().size(), &binder, &behind));
  if (!choice.needed && choice.collected.subqueries.empty()) return rows;
  LEAT_ASSIGN(rows.rows, Chosen(&binder, &choice, rows.where, std::move(behind)));
  return rows;
}

Result<BoundStatement> BindTruncate(const PgQuery__TruncateStmt& stmt,
                                    const StatementContext& context) {
  TruncateTable truncate;
  Binder binder(context.catalog);
  for (const Node* node : Items(stmt.n_relations, stmt.relations)) {
    LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*node->range_var));
    LEAT_RETURN(RefuseReadOnly(*relation, "truncate", node->range_var->location));
    truncate.tables.push_back(relation->name);
  }
  truncate.restart = stmt.restart_seqs != 0;
  return truncate;
}

}  // namespace leat
