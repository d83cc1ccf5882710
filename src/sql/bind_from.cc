// FROM: tables, views, subqueries, VALUES.
#include <algorithm>

#include "sql/bind.h"
#include "sql/outer.h"
#include "sql/statement.h"

namespace leat {
namespace {

constexpr int kViewDepthMax = 64;

Status DuplicateAlias(std::string_view name) {
  return SqlStatus(fmt::format("table name \"{}\" specified more than once", name),
                   {.sqlstate = "42712"});
}

}  // namespace

Result<FromItem> AliasedItem(LogicalPtr plan, std::string_view name, const PgQuery__Alias* alias,
                             int location) {
  ScopeTable table;
  table.name = alias == nullptr ? name : alias->aliasname;
  if (alias != nullptr && table.name != name) table.relation = name;
  const size_t named = alias == nullptr ? 0 : alias->n_colnames;
  if (named > plan->schema.columns.size()) {
    return SqlStatus(fmt::format("table \"{}\" has {} columns available but {} columns specified",
                                 table.name, plan->schema.size(), named),
                     {.sqlstate = "42P10", .location = location});
  }
  for (int i = 0; i < plan->schema.size(); ++i) {
    const Column& column = plan->schema.columns[static_cast<size_t>(i)];
    const bool renamed = static_cast<size_t>(i) < named;
    const std::string column_name =
        renamed ? std::string(StringOf(alias->colnames[i])) : column.name;
    table.columns.push_back({column_name, ColumnExpr(i, column.type), column.nullable});
  }
  return FromItem{std::move(plan), {std::move(table)}};
}

const Binder::CommonTable* Binder::FindCommonTable(std::string_view name) const {
  for (auto level = common_tables_.rbegin(); level != common_tables_.rend(); ++level) {
    const auto found = level->find(name);
    if (found != level->end()) return &found->second;
  }
  return nullptr;
}

Result<const Relation*> Binder::FindRelation(const PgQuery__RangeVar& range) {
  std::string name = range.relname;
  const std::string_view schema = range.schemaname;
  const bool known = schema.empty() || schema == "public" || schema == "pg_catalog";
  if (!known) name = fmt::format("{}.{}", schema, name);
  if (const Relation* relation = catalog_.FindRelation(name)) return relation;
  std::vector<std::string> names;
  for (const auto& [other, relation] : catalog_.relations()) names.push_back(other);
  const auto nearest = NearestName(name, names);
  return SqlStatus(
      fmt::format("relation \"{}\" does not exist", name),
      {.sqlstate = kUndefinedTable,
       .location = range.location,
       .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest) : std::string()});
}

Result<LogicalPtr> Binder::BindRelation(const Relation& relation, int location) {
  if (relation.kind == RelationKind::kView) {
    if (view_depth_ >= kViewDepthMax) {
      return SqlStatus(
          fmt::format("infinite recursion detected in rules for relation \"{}\"", relation.name),
          {.sqlstate = "42P17", .location = location});
    }
    Result<Query> query = BindViewQuery(relation, catalog_);
    if (!query.ok()) {
      const SqlError* error = SqlErrorOf(query.status());
      SqlError copy = error == nullptr ? SqlError{} : *error;
      copy.location = location;  // the place in the view's text is not in this one
      return SqlStatus(fmt::format("view \"{}\": {}", relation.name, query.status().message()),
                       std::move(copy));
    }
    return FirstColumns(query->root, query->visible);
  }
  if (relation.columns.empty() && relation.infer_columns) {
    return SqlStatus(
        fmt::format("the columns of \"{}\" are not known yet", relation.name),
        {.sqlstate = "55000",
         .location = location,
         .hint = "Declare them, or let INSERT INTO … SELECT or the data say what they are first."});
  }
  return ScanOf(relation.name, relation.schema(), relation.has_seq, location);
}

Result<FromItem> Binder::BindRangeVar(const PgQuery__RangeVar& range, const Scope* outer) {
  const std::string_view schema = range.schemaname;
  if (schema.empty()) {
    if (const CommonTable* common = FindCommonTable(range.relname)) {
      LogicalPtr plan = ShiftLevels(common->plan, DepthOf(outer) - common->level);
      return AliasedItem(std::move(plan), range.relname, range.alias, range.location);
    }
  }
  LEAT_ASSIGN(const Relation* relation, FindRelation(range));
  LEAT_ASSIGN(LogicalPtr plan, BindRelation(*relation, range.location));
  LEAT_ASSIGN(FromItem item,
              AliasedItem(std::move(plan), range.relname, range.alias, range.location));
  if (relation->kind == RelationKind::kTable) item.tables[0].key = relation->primary_key;
  return item;
}

Result<FromItem> Binder::BindRangeSubselect(const PgQuery__RangeSubselect& range,
                                            const Scope* outer) {
  SelectOptions options;
  options.outer = outer;
  LEAT_ASSIGN(LogicalPtr plan, BindTable(*range.subquery->select_stmt, options));
  return AliasedItem(std::move(plan), range.alias->aliasname, range.alias, -1);
}

Result<FromItem> Binder::BindFromItem(const Node* node, const Scope* outer, const Scope* beside) {
  const int levels = beside == nullptr ? 0 : DepthOf(beside) - DepthOf(outer);
  const Scope* around = beside == nullptr ? outer : beside;
  const auto shifted = [&](Result<FromItem> item) {
    if (item.ok()) item->plan = ShiftLevels(item->plan, levels);
    return item;
  };
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      return shifted(BindRangeVar(*node->range_var, outer));
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      if (node->range_subselect->lateral != 0) {
        return BindRangeSubselect(*node->range_subselect, around);
      }
      return shifted(BindRangeSubselect(*node->range_subselect, outer));
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      return BindJoin(*node->join_expr, outer, beside);
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      return BindRangeFunction(*node->range_function, around);
    default:
      return NotSupported("TABLESAMPLE and XMLTABLE are not supported", LocationOf(node));
  }
}

Result<FromItem> Binder::BindFrom(Nodes nodes, const Scope* outer) {
  FromItem all;
  for (const Node* node : nodes) {
    const Scope beside{all.tables, outer};
    LEAT_ASSIGN(FromItem item, BindFromItem(node, outer, all.plan ? &beside : nullptr));
    for (const ScopeTable& table : item.tables) {
      const bool twice =
          std::any_of(all.tables.begin(), all.tables.end(), [&](const ScopeTable& other) {
            return !table.name.empty() && other.table_visible && other.name == table.name;
          });
      if (twice && table.table_visible) return DuplicateAlias(table.name);
    }
    if (!all.plan) {
      all = std::move(item);
      continue;
    }
    const int width = all.plan->schema.size();
    for (ScopeTable& table : item.tables) {
      for (ScopeColumn& column : table.columns) column.expr = ShiftColumns(column.expr, width);
      all.tables.push_back(std::move(table));
    }
    LEAT_ASSIGN(all.plan, JoinLateral(all.plan, item.plan, JoinType::kInner, {}));
  }
  // Without FROM there is one row, of no columns.
  if (!all.plan) all.plan = ValuesOf({}, {{}});
  return all;
}

}  // namespace leat
