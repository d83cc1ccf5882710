// What INSERT, UPDATE and DELETE share: the columns they name, SET, RETURNING, ON CONFLICT.
#include <algorithm>

#include "sql/bind_statement.h"

namespace leat {
namespace {

// The value that SET gives a column: (b, c) = ROW (…) and (b, c) = (SELECT …) have several.
Result<ExprPtr> AssignedValue(const PgQuery__ResTarget& target, const ExprContext& context,
                              Binder* binder) {
  if (!Is(target.val, PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF)) {
    return binder->BindExpr(target.val, context);
  }
  const PgQuery__MultiAssignRef& multi = *target.val->multi_assign_ref;
  if (Is(multi.source, PG_QUERY__NODE__NODE_SUB_LINK)) {
    return binder->BindSubqueryColumn(*multi.source->sub_link, multi.colno - 1, multi.ncolumns,
                                      context);
  }
  if (!Is(multi.source, PG_QUERY__NODE__NODE_ROW_EXPR)) {
    return SqlStatus(
        "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
        {.sqlstate = "0A000", .location = LocationOf(multi.source)});
  }
  const PgQuery__RowExpr& row = *multi.source->row_expr;
  if (static_cast<int>(row.n_args) != multi.ncolumns) {
    return SqlStatus("number of columns does not match number of values",
                     {.sqlstate = kSyntaxError, .location = row.location});
  }
  return binder->BindExpr(row.args[multi.colno - 1], context);
}

// The unique constraints of a table: their names and columns.
std::vector<std::pair<std::string, std::vector<int>>> UniqueKeysOf(const Relation& relation) {
  std::vector<std::pair<std::string, std::vector<int>>> keys;
  if (!relation.primary_key.empty())
    keys.emplace_back(relation.name + "_pkey", relation.primary_key);
  for (const auto& columns : relation.unique_keys)
    keys.emplace_back(UniqueName(relation, columns), columns);
  for (const IndexSpec& index : relation.indexes) {
    if (index.unique) keys.emplace_back(index.name, index.columns);
  }
  return keys;
}

// The constraints by which ON CONFLICT (a, b) or ON CONFLICT ON CONSTRAINT finds rows.
Result<std::vector<std::vector<int>>> ArbitersOf(const PgQuery__InferClause& infer,
                                                 const Relation& relation) {
  const auto keys = UniqueKeysOf(relation);
  const std::string_view name = infer.conname;
  if (!name.empty()) {
    for (const auto& [constraint, columns] : keys) {
      if (constraint == name) return std::vector<std::vector<int>>{columns};
    }
    return SqlStatus(
        fmt::format("constraint \"{}\" for table \"{}\" does not exist", name, relation.name),
        {.sqlstate = "42704"});
  }
  if (infer.where_clause != nullptr) {
    return NotSupported("ON CONFLICT (…) WHERE is not supported", LocationOf(infer.where_clause),
                        "There are no partial unique indexes.");
  }
  NameList names;
  for (const Node* node : Items(infer.n_index_elems, infer.index_elems)) {
    const PgQuery__IndexElem& element = *node->index_elem;
    if (element.expr != nullptr) {
      return NotSupported("an expression in ON CONFLICT is not supported",
                          LocationOf(element.expr));
    }
    names.emplace_back(element.name, -1);
  }
  std::vector<int> wanted;
  for (const auto& [column, location] : names) {
    const int found = relation.schema().Find(column);
    if (found < 0) {
      return SqlStatus(fmt::format("column \"{}\" does not exist", column),
                       {.sqlstate = kUndefinedColumn, .location = infer.location});
    }
    wanted.push_back(found);
  }
  const auto sorted = [](std::vector<int> columns) {
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    return columns;
  };
  std::vector<std::vector<int>> arbiters;
  for (const auto& [constraint, columns] : keys) {
    if (sorted(columns) == sorted(wanted)) arbiters.push_back(columns);
  }
  if (!arbiters.empty()) return arbiters;
  return SqlStatus(
      "there is no unique or exclusion constraint matching the ON CONFLICT specification",
      {.sqlstate = "42P10"});
}

// The columns that a star of RETURNING stands for.
Status AddStar(const PgQuery__ColumnRef& ref, const Scope& scope, Returning* out) {
  const auto add = [&](const ScopeTable& table) {
    for (const ScopeColumn& column : table.columns) {
      out->exprs.push_back(column.expr);
      out->schema.columns.push_back({column.name, column.expr->type});
    }
  };
  if (ref.n_fields > 1) {
    LEAT_ASSIGN(const ScopeTable* table,
                ResolveTable(scope, StringOf(ref.fields[ref.n_fields - 2]), ref.location));
    add(*table);
    return Status::OK();
  }
  for (const ScopeTable& table : scope.tables) {
    if (table.columns_visible) add(table);
  }
  return Status::OK();
}

}  // namespace

Status UndefinedColumn(std::string_view column, const Relation& relation, int location) {
  std::vector<std::string> names;
  for (const ColumnSpec& spec : relation.columns) names.push_back(spec.column.name);
  const auto nearest = NearestName(column, names);
  return SqlStatus(
      fmt::format("column \"{}\" of relation \"{}\" does not exist", column, relation.name),
      {.sqlstate = kUndefinedColumn,
       .location = location,
       .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest) : std::string()});
}

Result<std::vector<int>> NamedColumns(const NameList& names, const Relation& relation) {
  std::vector<int> columns;
  for (const auto& [name, location] : names) {
    const int column = relation.schema().Find(name);
    if (column < 0) return UndefinedColumn(name, relation, location);
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return SqlStatus(fmt::format("column \"{}\" specified more than once", name),
                       {.sqlstate = "42701", .location = location});
    }
    columns.push_back(column);
  }
  if (names.empty()) {
    for (int i = 0; i < relation.schema().size(); ++i) columns.push_back(i);
  }
  return columns;
}

Status RefuseReadOnly(const Relation& relation, std::string_view verb, int location) {
  if (relation.kind == RelationKind::kTable) return Status::OK();
  const bool view = relation.kind == RelationKind::kView;
  const bool materialized = relation.kind == RelationKind::kMaterializedView;
  if (materialized) {
    return SqlStatus(fmt::format("cannot change materialized view \"{}\"", relation.name),
                     {.sqlstate = "42809", .location = location});
  }
  if (view) {
    return SqlStatus(fmt::format("cannot {} view \"{}\"", verb, relation.name),
                     {.sqlstate = "55000", .location = location});
  }
  return SqlStatus(fmt::format("cannot {} foreign table \"{}\"", verb, relation.name),
                   {.sqlstate = "55000",
                    .location = location,
                    .hint = "Only tables that leat itself holds (CREATE TABLE) can be changed."});
}

Status CheckGiven(const ColumnSpec& spec) {
  if (spec.identity != Identity::kAlways) return Status::OK();
  return SqlStatus(
      fmt::format("cannot insert a non-DEFAULT value into column \"{}\"", spec.column.name),
      {.sqlstate = "428C9",
       .detail = fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                             spec.column.name),
       .hint = "Use OVERRIDING SYSTEM VALUE to override."});
}

ExprPtr DefaultOf(const ColumnSpec& spec) {
  return spec.default_value ? spec.default_value : NullLiteral(spec.column.type);
}

ScopeTable TableScope(const Relation& relation, std::string_view name, int first) {
  ScopeTable table;
  table.name = name;
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const Column& column = relation.columns[i].column;
    table.columns.push_back(
        {column.name, ColumnExpr(first + static_cast<int>(i), column.type), column.nullable});
  }
  return table;
}

Status BindAssignments(Nodes targets, const Relation& relation, const ExprContext& context,
                       Binder* binder, std::vector<ExprPtr>* values) {
  std::vector<bool> assigned(values->size());
  for (const Node* node : targets) {
    const PgQuery__ResTarget& target = *node->res_target;
    const int found = relation.schema().Find(target.name);
    if (found < 0) return UndefinedColumn(target.name, relation, target.location);
    const auto column = static_cast<size_t>(found);
    if (assigned[column]) {
      return SqlStatus(fmt::format("multiple assignments to same column \"{}\"", target.name),
                       {.sqlstate = kSyntaxError, .location = -1});
    }
    assigned[column] = true;
    if (Is(target.val, PG_QUERY__NODE__NODE_SET_TO_DEFAULT)) {
      (*values)[column] = DefaultOf(relation.columns[column]);
      continue;
    }
    if (relation.columns[column].identity == Identity::kAlways) {
      return SqlStatus(
          fmt::format("column \"{}\" can only be updated to DEFAULT", target.name),
          {.sqlstate = "428C9",
           .detail = fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                                 target.name)});
    }
    LEAT_ASSIGN(ExprPtr expr, AssignedValue(target, context, binder));
    LEAT_ASSIGN((*values)[column],
                CoerceToColumn(expr, relation.columns[column].column, binder->settings()));
  }
  return Status::OK();
}

Result<Returning> BindReturning(Nodes targets, const Scope& scope, Binder* binder) {
  Returning out;
  ExprContext context;
  context.clause = Clause::kReturning;
  context.scope = &scope;
  for (const Node* node : targets) {
    const PgQuery__ResTarget& target = *node->res_target;
    if (Is(target.val, PG_QUERY__NODE__NODE_COLUMN_REF)) {
      const PgQuery__ColumnRef& ref = *target.val->column_ref;
      if (Is(ref.fields[ref.n_fields - 1], PG_QUERY__NODE__NODE_A_STAR)) {
        LEAT_RETURN(AddStar(ref, scope, &out));
        continue;
      }
    }
    LEAT_ASSIGN(ExprPtr expr, binder->BindValue(target.val, context));
    const std::string_view name = target.name;
    out.schema.columns.push_back(
        {name.empty() ? ColumnNameOf(target.val) : std::string(name), expr->type});
    out.exprs.push_back(std::move(expr));
  }
  return out;
}

Result<OnConflict> BindOnConflict(const PgQuery__OnConflictClause& clause, const Relation& relation,
                                  std::string_view alias, Binder* binder) {
  OnConflict out;
  out.update = clause.action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
  if (clause.infer != nullptr) {
    LEAT_ASSIGN(out.keys, ArbitersOf(*clause.infer, relation));
  } else if (out.update) {
    return SqlStatus("ON CONFLICT DO UPDATE requires inference specification or constraint name",
                     {.sqlstate = kSyntaxError,
                      .location = clause.location,
                      .hint = "For example, ON CONFLICT (column_name)."});
  } else {
    for (const auto& [name, columns] : UniqueKeysOf(relation)) out.keys.push_back(columns);
  }
  if (!out.update) return out;
  const int width = relation.schema().size();
  const Scope scope{{TableScope(relation, alias), TableScope(relation, "excluded", width)},
                    nullptr};
  ExprContext context;
  context.clause = Clause::kUpdate;
  context.scope = &scope;
  for (const ScopeColumn& column : scope.tables[0].columns) out.values.push_back(column.expr);
  LEAT_RETURN(BindAssignments(Items(clause.n_target_list, clause.target_list), relation, context,
                              binder, &out.values));
  if (clause.where_clause != nullptr) {
    context.clause = Clause::kWhere;
    LEAT_ASSIGN(out.where, binder->BindBool(clause.where_clause, context, "WHERE"));
  }
  return out;
}

}  // namespace leat
