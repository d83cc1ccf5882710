// ALTER TABLE of tables that leat itself holds: what the table becomes.
#include <algorithm>

#include "func/function.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

// A table while it is altered.
class Alteration {
 public:
  Alteration(const StatementContext& context, const Relation& table)
      : context_(context), binder_(context.catalog) {
    alter_.table = table.name;
    alter_.relation = table;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      alter_.columns.push_back(ColumnExpr(static_cast<int>(i), table.columns[i].column.type));
    }
  }

  Status Apply(const PgQuery__AlterTableCmd& command);
  Status RenameColumn(const std::string& name, const std::string& to);
  Status RenameTable(const std::string& to);
  Status RenameConstraint(const std::string& name, const std::string& to);
  AlterTable Take() { return std::move(alter_); }

 private:
  Relation& table() { return alter_.relation; }
  Result<ColumnSpec*> Find(const std::string& name);
  Status AddColumn(const PgQuery__AlterTableCmd& command);
  Status DropColumn(const PgQuery__AlterTableCmd& command);
  Status SetDefault(const PgQuery__AlterTableCmd& command);
  Status SetType(const PgQuery__AlterTableCmd& command);
  Status AddConstraint(const PgQuery__AlterTableCmd& command);
  Status DropConstraint(const PgQuery__AlterTableCmd& command);
  // Unique constraints are named by their columns: indexes keep those names when these change.
  void KeepNames();
  // Scopes and expressions speak of the table as it was before the statement, a changed column's
  // USING too, as PostgreSQL's do.
  ExprPtr OverOldRow(const ExprPtr& expr) const;

  const StatementContext& context_;
  Binder binder_;
  AlterTable alter_;
};

Result<ColumnSpec*> Alteration::Find(const std::string& name) {
  const int column = table().schema().Find(name);
  if (column >= 0) return &table().columns[static_cast<size_t>(column)];
  return UndefinedColumn(name, table(), -1);
}

ExprPtr Alteration::OverOldRow(const ExprPtr& expr) const {
  return MapColumns(
      expr, [&](const Expr& column) { return alter_.columns[static_cast<size_t>(column.column)]; });
}

Status Alteration::Apply(const PgQuery__AlterTableCmd& command) {
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
      return AddColumn(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
      return DropColumn(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
      return SetDefault(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
      return SetType(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
      return AddConstraint(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      return DropConstraint(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull: {
      const bool nullable = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull;
      LEAT_ASSIGN(ColumnSpec * spec, Find(command.name));
      const int at = table().schema().Find(command.name);
      const auto& key = table().primary_key;
      if (nullable && std::find(key.begin(), key.end(), at) != key.end()) {
        return SqlStatus(fmt::format("column \"{}\" is in a primary key", command.name),
                         {.sqlstate = "42P16"});
      }
      spec->column.nullable = nullable;
      return Status::OK();
    }
    default:
      return NotSupported("this form of ALTER TABLE is not supported", context_.statement.location,
                          "There are ADD, DROP, ALTER and RENAME of columns and constraints.");
  }
}

Status Alteration::AddColumn(const PgQuery__AlterTableCmd& command) {
  const std::string name = command.def->column_def->colname;
  if (table().schema().Find(name) >= 0) {
    if (command.missing_ok != 0) return Status::OK();
    return SqlStatus(
        fmt::format("column \"{}\" of relation \"{}\" already exists", name, table().name),
        {.sqlstate = "42701"});
  }
  Node* elements[] = {command.def};
  LEAT_RETURN(AddTableElements(context_, Items(1, elements), &table()));
  alter_.columns.push_back(DefaultOf(table().columns.back()));
  return Status::OK();
}

Status Alteration::DropColumn(const PgQuery__AlterTableCmd& command) {
  const int at = table().schema().Find(command.name);
  if (at < 0 && command.missing_ok != 0) return Status::OK();
  LEAT_RETURN(Find(command.name).status());
  const auto uses = [&](const std::vector<int>& columns) {
    return std::find(columns.begin(), columns.end(), at) != columns.end();
  };
  // What speaks of the column goes with it; what is behind it moves up.
  const auto width = table().columns.size();
  std::erase_if(table().checks, [&](const CheckSpec& check) -> bool {
    std::vector<bool> used(width);
    MarkColumns(*check.predicate, &used);
    return used[static_cast<size_t>(at)];
  });
  std::erase_if(table().unique_keys, uses);
  std::erase_if(table().indexes, [&](const IndexSpec& index) { return uses(index.columns); });
  if (uses(table().primary_key)) table().primary_key.clear();
  const auto moved = [&](std::vector<int>* columns) {
    for (int& column : *columns) column -= column > at ? 1 : 0;
  };
  moved(&table().primary_key);
  for (auto& key : table().unique_keys) moved(&key);
  for (IndexSpec& index : table().indexes) moved(&index.columns);
  for (CheckSpec& check : table().checks) {
    check.predicate = MapColumns(check.predicate, [&](const Expr& column) {
      return ColumnAt(column.column - (column.column > at ? 1 : 0), column.type, column.location);
    });
  }
  table().columns.erase(table().columns.begin() + at);
  alter_.columns.erase(alter_.columns.begin() + at);
  return Status::OK();
}

Status Alteration::SetDefault(const PgQuery__AlterTableCmd& command) {
  LEAT_ASSIGN(ColumnSpec * spec, Find(command.name));
  spec->default_value = nullptr;
  if (command.def == nullptr) return Status::OK();
  ExprContext context;
  context.clause = Clause::kDefault;
  LEAT_ASSIGN(const ExprPtr value, binder_.BindExpr(command.def, context));
  LEAT_ASSIGN(spec->default_value, DefaultFor(value, spec->column, binder_.settings()));
  return Status::OK();
}

Status Alteration::SetType(const PgQuery__AlterTableCmd& command) {
  LEAT_RETURN(Find(command.name).status());
  const auto at = static_cast<size_t>(table().schema().Find(command.name));
  const PgQuery__ColumnDef& definition = *command.def->column_def;
  LEAT_ASSIGN(const Type type, BindTypeName(*definition.type_name, context_.catalog));
  ExprPtr value = ColumnExpr(static_cast<int>(at), table().columns[at].column.type);
  if (definition.raw_default != nullptr) {  // USING
    const Scope scope{{TableScope(table(), table().name)}, nullptr};
    ExprContext context;
    context.clause = Clause::kDefault;
    context.scope = &scope;
    LEAT_ASSIGN(value, binder_.BindExpr(definition.raw_default, context));
  }
  Column& column = table().columns[at].column;
  if (!CanCast(value->type, type, CastContext::kAssignment)) {
    return SqlStatus(fmt::format("column \"{}\" cannot be cast automatically to type {}",
                                 column.name, PlainName(type)),
                     {.sqlstate = kDatatypeMismatch,
                      .hint = fmt::format("You might need to specify \"USING {}::{}\".",
                                          column.name, PlainName(type))});
  }
  LEAT_ASSIGN(value, Coerce(value, type, CastContext::kAssignment, binder_.settings()));
  for (const CheckSpec& check : table().checks) {
    std::vector<bool> used(table().columns.size());
    MarkColumns(*check.predicate, &used);
    if (!used[at]) continue;
    return NotSupported(
        fmt::format("changing the type of a column that constraint \"{}\" reads is not supported",
                    check.name),
        context_.statement.location, "Drop the constraint first, and add it again.");
  }
  alter_.columns[at] = OverOldRow(value);
  column.type = type;
  ExprPtr& otherwise = table().columns[at].default_value;
  if (otherwise) {
    LEAT_ASSIGN(otherwise, DefaultFor(otherwise, column, binder_.settings()));
  }
  return Status::OK();
}

Status Alteration::AddConstraint(const PgQuery__AlterTableCmd& command) {
  const PgQuery__Constraint& constraint = *command.def->constraint;
  const std::string name = constraint.conname;
  const size_t keys = table().unique_keys.size();
  Node* elements[] = {command.def};
  LEAT_RETURN(AddTableElements(context_, Items(1, elements), &table()));
  if (name.empty() || table().unique_keys.size() == keys) return Status::OK();
  // A unique constraint with a name of its own is kept as an index, which has one.
  table().indexes.push_back({name, table().unique_keys.back(), true});
  table().unique_keys.pop_back();
  return Status::OK();
}

Status Alteration::DropConstraint(const PgQuery__AlterTableCmd& command) {
  const std::string name = command.name;
  if (std::erase_if(table().checks, [&](const CheckSpec& c) { return c.name == name; }) > 0 ||
      std::erase_if(table().indexes,
                    [&](const IndexSpec& i) { return i.unique && i.name == name; }) > 0 ||
      std::erase_if(table().unique_keys, [&](const std::vector<int>& columns) {
        return UniqueName(table(), columns) == name;
      }) > 0) {
    return Status::OK();
  }
  if (name == table().name + "_pkey" && !table().primary_key.empty()) {
    table().primary_key.clear();  // its columns stay NOT NULL
    return Status::OK();
  }
  if (command.missing_ok != 0) return Status::OK();
  return SqlStatus(
      fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, table().name),
      {.sqlstate = "42704"});
}

Status Alteration::RenameColumn(const std::string& name, const std::string& to) {
  LEAT_ASSIGN(ColumnSpec * spec, Find(name));
  if (table().schema().Find(to) >= 0) {
    return SqlStatus(
        fmt::format("column \"{}\" of relation \"{}\" already exists", to, table().name),
        {.sqlstate = "42701"});
  }
  KeepNames();
  spec->column.name = to;
  spec->outside_name = to;
  return Status::OK();
}

Status Alteration::RenameTable(const std::string& to) {
  if (context_.catalog.FindRelation(to) != nullptr) {
    return SqlStatus(fmt::format("relation \"{}\" already exists", to), {.sqlstate = "42P07"});
  }
  KeepNames();
  table().name = to;
  return Status::OK();
}

Status Alteration::RenameConstraint(const std::string& name, const std::string& to) {
  KeepNames();
  for (CheckSpec& check : table().checks) {
    if (check.name != name) continue;
    check.name = to;
    return Status::OK();
  }
  for (IndexSpec& index : table().indexes) {
    if (!index.unique || index.name != name) continue;
    index.name = to;
    return Status::OK();
  }
  return SqlStatus(
      fmt::format("constraint \"{}\" for table \"{}\" does not exist", name, table().name),
      {.sqlstate = "42704"});
}

void Alteration::KeepNames() {
  for (const auto& columns : table().unique_keys) {
    table().indexes.push_back({UniqueName(table(), columns), columns, true});
  }
  table().unique_keys.clear();
}

// The table that a statement names, or nullptr where IF EXISTS forgives.
Result<const Relation*> AlteredTable(const PgQuery__RangeVar& range, bool missing_ok,
                                     const StatementContext& context) {
  Binder binder(context.catalog);
  auto found = binder.FindRelation(range);
  if (!found.ok() && missing_ok) return nullptr;
  LEAT_RETURN(found.status());
  if ((*found)->kind == RelationKind::kTable) return *found;
  return NotSupported(
      fmt::format("ALTER of {} \"{}\" is not supported", KindName((*found)->kind), (*found)->name),
      range.location,
      "Change the declaration itself: leat compares what is declared with what it holds.");
}

}  // namespace

Result<BoundStatement> BindAlterTable(const PgQuery__AlterTableStmt& stmt,
                                      const StatementContext& context) {
  LEAT_ASSIGN(const Relation* table, AlteredTable(*stmt.relation, stmt.missing_ok != 0, context));
  if (table == nullptr) return Maintenance{"ALTER TABLE"};
  Alteration alteration(context, *table);
  for (const Node* node : Items(stmt.n_cmds, stmt.cmds)) {
    LEAT_RETURN(alteration.Apply(*node->alter_table_cmd));
  }
  return alteration.Take();
}

Result<BoundStatement> BindRename(const PgQuery__RenameStmt& stmt,
                                  const StatementContext& context) {
  const bool column = stmt.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN;
  const bool constraint = stmt.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT;
  const bool whole = stmt.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE;
  if (stmt.relation == nullptr || (!column && !whole && !constraint)) {
    return NotSupported("this form of ALTER … RENAME is not supported", context.statement.location,
                        "Tables, their columns and constraints can be renamed.");
  }
  LEAT_ASSIGN(const Relation* table, AlteredTable(*stmt.relation, stmt.missing_ok != 0, context));
  if (table == nullptr) return Maintenance{"ALTER TABLE"};
  Alteration alteration(context, *table);
  LEAT_RETURN(whole    ? alteration.RenameTable(stmt.newname)
              : column ? alteration.RenameColumn(stmt.subname, stmt.newname)
                       : alteration.RenameConstraint(stmt.subname, stmt.newname));
  return alteration.Take();
}

}  // namespace leat
