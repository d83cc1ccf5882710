// MERGE: the pairs of rows, and what each WHEN does with them.
#include <algorithm>

#include "sql/bind_statement.h"

namespace leat {
namespace {

using Kind = MergeRows::Kind;

// A MERGE while its actions are bound: over the source's columns, the table's, the row's place.
struct Merge {
  const Relation& relation;
  Binder& binder;
  Scope pair;    // both sides
  Scope source;  // what WHEN NOT MATCHED sees
};

Status BindInsertAction(const PgQuery__MergeWhenClause& when, const Merge& merge,
                        const ExprContext& context, MergeRows::Action* action) {
  NameList names;
  for (const Node* node : Items(when.n_target_list, when.target_list)) {
    names.emplace_back(node->res_target->name, node->res_target->location);
  }
  LEAT_ASSIGN(const auto columns, NamedColumns(names, merge.relation));
  for (const ColumnSpec& spec : merge.relation.columns) action->values.push_back(DefaultOf(spec));
  const Nodes values = Items(when.n_values, when.values);
  if (values.size() > columns.size()) {
    return SqlStatus("INSERT has more expressions than target columns",
                     {.sqlstate = kSyntaxError, .location = LocationOf(values[columns.size()])});
  }
  if (values.size() < names.size()) {
    return SqlStatus("INSERT has more target columns than expressions",
                     {.sqlstate = kSyntaxError, .location = names[values.size()].second});
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (Is(values[i], PG_QUERY__NODE__NODE_SET_TO_DEFAULT)) continue;
    const auto column = static_cast<size_t>(columns[i]);
    const ColumnSpec& spec = merge.relation.columns[column];
    const bool overriding = when.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE;
    if (!overriding) LEAT_RETURN(CheckGiven(spec));
    LEAT_ASSIGN(const ExprPtr value, merge.binder.BindExpr(values[i], context));
    LEAT_ASSIGN(action->values[column],
                CoerceToColumn(value, spec.column, merge.binder.settings()));
  }
  return Status::OK();
}

Result<MergeRows::Action> BindAction(const PgQuery__MergeWhenClause& when, const Merge& merge) {
  MergeRows::Action action;
  action.matched = when.matched != 0;
  ExprContext context;
  context.clause = Clause::kWhere;
  context.scope = action.matched ? &merge.pair : &merge.source;
  if (when.condition != nullptr) {
    LEAT_ASSIGN(action.condition, merge.binder.BindBool(when.condition, context, "WHEN"));
  }
  context.clause = Clause::kUpdate;
  switch (when.command_type) {
    case PG_QUERY__CMD_TYPE__CMD_DELETE:
      action.kind = Kind::kDelete;
      break;
    case PG_QUERY__CMD_TYPE__CMD_UPDATE:
      action.kind = Kind::kUpdate;
      for (const ScopeColumn& column : merge.pair.tables[0].columns) {
        action.values.push_back(column.expr);
      }
      LEAT_RETURN(BindAssignments(Items(when.n_target_list, when.target_list), merge.relation,
                                  context, &merge.binder, &action.values));
      break;
    case PG_QUERY__CMD_TYPE__CMD_INSERT:
      action.kind = Kind::kInsert;
      context.clause = Clause::kValues;
      LEAT_RETURN(BindInsertAction(when, merge, context, &action));
      break;
    default:
      break;
  }
  return action;
}

// An action without a condition hides those of its sort behind it.
Status CheckReachable(const PgQuery__MergeStmt& stmt) {
  bool hidden[2] = {false, false};
  for (const Node* node : Items(stmt.n_merge_when_clauses, stmt.merge_when_clauses)) {
    const PgQuery__MergeWhenClause& when = *node->merge_when_clause;
    bool& behind = hidden[when.matched != 0 ? 1 : 0];
    if (behind) {
      return SqlStatus("unreachable WHEN clause specified after unconditional WHEN clause",
                       {.sqlstate = kSyntaxError});
    }
    behind = when.condition == nullptr;
  }
  return Status::OK();
}

}  // namespace

Result<BoundStatement> BindMerge(const PgQuery__MergeStmt& stmt, const StatementContext& context) {
  LEAT_RETURN(CheckReachable(stmt));
  Binder binder(context.catalog);
  if (stmt.with_clause != nullptr) LEAT_RETURN(binder.BindWith(*stmt.with_clause, nullptr));
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  if (relation->kind != RelationKind::kTable) {
    return SqlStatus(fmt::format("cannot execute MERGE on relation \"{}\"", relation->name),
                     {.sqlstate = "0A000",
                      .location = stmt.relation->location,
                      .detail = "Only tables that leat itself holds can be changed."});
  }
  const PgQuery__Alias* alias = stmt.relation->alias;
  const std::string name = alias == nullptr ? stmt.relation->relname : alias->aliasname;
  Node* from[] = {stmt.source_relation};
  LEAT_ASSIGN(FromItem source, binder.BindFrom(Items(1, from), nullptr));
  Merge merge{*relation, binder, {}, {}};
  const int sources = source.plan->schema.size();
  merge.pair.tables = {TableScope(*relation, name, sources)};
  for (ScopeTable& table : source.tables) {
    if (table.table_visible && table.name == name) {
      return SqlStatus(fmt::format("name \"{}\" specified more than once", name),
                       {.sqlstate = "42712",
                        .detail = "The name is used both as MERGE target table and data source."});
    }
    merge.pair.tables.push_back(table);
    merge.source.tables.push_back(std::move(table));
  }
  ExprContext on;
  on.clause = Clause::kJoin;
  on.scope = &merge.pair;
  LEAT_ASSIGN(const ExprPtr condition, binder.BindBool(stmt.join_condition, on, "ON"));
  Schema schema = relation->schema();
  schema.columns.push_back({"row", TypeId::kInt8, false});
  const LogicalPtr rows =
      ScanOf(RowsRelation(relation->name), std::move(schema), true, stmt.relation->location);
  const int all = sources + rows->schema.size();
  MergeRows out{.table = relation->name};
  out.pairs =
      JoinOf(source.plan, rows, SplitJoin(JoinType::kLeft, ConjunctsOf(condition), sources, all));
  for (const Node* node : Items(stmt.n_merge_when_clauses, stmt.merge_when_clauses)) {
    LEAT_ASSIGN(auto action, BindAction(*node->merge_when_clause, merge));
    out.actions.push_back(std::move(action));
  }
  return out;
}

}  // namespace leat
