// The columns and constraints of CREATE TABLE and ALTER TABLE.
#include <algorithm>
#include <array>

#include "func/function.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

constexpr std::array<std::pair<std::string_view, TypeId>, 6> kSerials = {{
    {"serial", TypeId::kInt4},
    {"serial4", TypeId::kInt4},
    {"bigserial", TypeId::kInt8},
    {"serial8", TypeId::kInt8},
    {"smallserial", TypeId::kInt2},
    {"serial2", TypeId::kInt2},
}};

// A table while its columns and constraints are read.
class TableBuilder {
 public:
  TableBuilder(const StatementContext& context, Relation* relation,
               std::vector<SequenceSpec>* sequences)
      : context_(context), binder_(context.catalog), relation_(*relation), sequences_(sequences) {}

  Status AddElements(Nodes elements) {
    for (const Node* node : elements) {
      if (Is(node, PG_QUERY__NODE__NODE_COLUMN_DEF)) {
        LEAT_RETURN(AddColumn(*node->column_def));
      } else if (Is(node, PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)) {
        LEAT_RETURN(AddLike(*node->table_like_clause));
      } else if (Is(node, PG_QUERY__NODE__NODE_CONSTRAINT)) {
        constraints_.push_back({node->constraint, ""});
      }
    }
    // Constraints see all columns, also those that come later.
    for (const auto& [constraint, column] : constraints_) {
      LEAT_RETURN(AddConstraint(*constraint, column));
    }
    return Status::OK();
  }

 private:
  struct Pending {
    const PgQuery__Constraint* constraint;
    std::string column;  // whose it is; "" the table's
  };

  Status AddColumn(const PgQuery__ColumnDef& definition) {
    ColumnSpec spec;
    spec.column.name = definition.colname;
    if (relation_.schema().Find(spec.column.name) >= 0) {
      return SqlStatus(fmt::format("column \"{}\" specified more than once", spec.column.name),
                       {.sqlstate = "42701", .location = definition.location});
    }
    LEAT_RETURN(ReadType(definition, &spec));
    spec.outside_name = spec.column.name;
    LEAT_RETURN(ReadOptions(definition, &spec));
    if (definition.coll_clause != nullptr) LEAT_RETURN(CheckCollation(*definition.coll_clause));
    const Nodes constraints = Items(definition.n_constraints, definition.constraints);
    LEAT_RETURN(ReadColumnConstraints(constraints, &spec));
    relation_.columns.push_back(std::move(spec));
    return Status::OK();
  }

  Status ReadType(const PgQuery__ColumnDef& definition, ColumnSpec* spec) {
    const std::string name = InternalTypeName(*definition.type_name);
    for (const auto& [serial, type] : kSerials) {
      if (name != serial) continue;
      spec->column.type = type;
      return AddSequence({}, definition.type_name->location, spec);
    }
    const Domain* domain = nullptr;
    LEAT_ASSIGN(spec->column.type,
                BindTypeName(*definition.type_name, context_.catalog, nullptr, &domain));
    if (domain == nullptr) return Status::OK();
    spec->domain = domain->name;
    spec->default_value = domain->default_value;
    const int at = relation_.schema().size();
    for (CheckSpec check : domain->checks) {
      check.predicate = ReplaceColumns(check.predicate, {ColumnExpr(at, domain->type)});
      relation_.checks.push_back(std::move(check));
    }
    return Status::OK();
  }

  // serial, and GENERATED … AS IDENTITY.
  Status AddSequence(Nodes options, int location, ColumnSpec* spec) {
    if (sequences_ == nullptr) {
      return NotSupported("a column with a sequence is not supported here", location,
                          "Tables of CREATE TABLE have them.");
    }
    LEAT_ASSIGN(SequenceSpec sequence,
                SequenceFor(relation_.name, spec->column, options, context_.catalog));
    spec->column.nullable = false;
    spec->sequence = sequence.name;
    spec->default_value = NextOf(sequence.name, spec->column.type);
    sequences_->push_back(std::move(sequence));
    return Status::OK();
  }

  Status AddIdentity(const PgQuery__Constraint& constraint, ColumnSpec* spec) {
    if (!spec->column.type.is_integer()) {
      return SqlStatus("identity column type must be smallint, integer, or bigint",
                       {.sqlstate = "22023", .location = constraint.location});
    }
    LEAT_RETURN(
        AddSequence(Items(constraint.n_options, constraint.options), constraint.location, spec));
    const bool always = std::string_view(constraint.generated_when) == "a";
    spec->identity = always ? Identity::kAlways : Identity::kByDefault;
    return Status::OK();
  }

  static Status CheckCollation(const PgQuery__CollateClause& collate) {
    const auto names = StringsOf(Items(collate.n_collname, collate.collname));
    if (names.back() == "C" || names.back() == "POSIX") return Status::OK();
    return NotSupported(fmt::format("collation \"{}\" is not supported", names.back()),
                        collate.location, "Text orders by its bytes: COLLATE \"C\".");
  }

  Status ReadOptions(const PgQuery__ColumnDef& definition, ColumnSpec* spec) {
    LEAT_ASSIGN(spec->options, BindOptions(Items(definition.n_fdwoptions, definition.fdwoptions)));
    for (const auto& [name, value] : spec->options) {
      if (name == "name") {
        spec->outside_name = value;
      } else if (name == "path") {
        spec->path = value;
      } else if (name == "on_error") {
        LEAT_ASSIGN(spec->on_error, OnErrorOf(value, definition.location));
      }  // which others there are is the connector's affair
    }
    return Status::OK();
  }

  Status ReadColumnConstraints(Nodes nodes, ColumnSpec* spec) {
    for (const Node* node : nodes) {
      const PgQuery__Constraint& constraint = *node->constraint;
      switch (constraint.contype) {
        case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
          break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
          spec->column.nullable = false;
          break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT: {
          ExprContext context;
          context.clause = Clause::kDefault;
          LEAT_ASSIGN(ExprPtr value, binder_.BindExpr(constraint.raw_expr, context));
          LEAT_ASSIGN(spec->default_value, DefaultFor(value, spec->column, binder_.settings()));
          break;
        }
        case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
          LEAT_RETURN(AddIdentity(constraint, spec));
          break;
        default:
          constraints_.push_back({&constraint, spec->column.name});
      }
    }
    return Status::OK();
  }

  Status AddLike(const PgQuery__TableLikeClause& like) {
    LEAT_ASSIGN(const Relation* other, binder_.FindRelation(*like.relation));
    for (ColumnSpec spec : other->columns) {
      const int at = relation_.schema().size();
      if (const Domain* domain = context_.catalog.FindDomain(spec.domain)) {
        for (CheckSpec check : domain->checks) {
          check.predicate = ReplaceColumns(check.predicate, {ColumnExpr(at, domain->type)});
          relation_.checks.push_back(std::move(check));
        }
      }
      spec.default_value = nullptr;
      spec.sequence.clear();
      spec.identity = Identity::kNone;
      relation_.columns.push_back(std::move(spec));
    }
    return Status::OK();
  }

  Result<std::vector<int>> KeyColumns(const PgQuery__Constraint& constraint,
                                      const std::string& column) {
    std::vector<std::string> names = StringsOf(Items(constraint.n_keys, constraint.keys));
    if (!column.empty()) names = {column};
    std::vector<int> columns;
    for (const std::string& name : names) {
      const int found = relation_.schema().Find(name);
      if (found < 0) {
        return SqlStatus(fmt::format("column \"{}\" named in key does not exist", name),
                         {.sqlstate = kUndefinedColumn, .location = constraint.location});
      }
      columns.push_back(found);
    }
    return columns;
  }

  Status AddConstraint(const PgQuery__Constraint& constraint, const std::string& column) {
    switch (constraint.contype) {
      case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        return AddCheck(constraint, column);
      case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY: {
        if (!relation_.primary_key.empty()) {
          return SqlStatus(
              fmt::format("multiple primary keys for table \"{}\" are not allowed", relation_.name),
              {.sqlstate = "42P16", .location = constraint.location});
        }
        LEAT_ASSIGN(relation_.primary_key, KeyColumns(constraint, column));
        for (const int key : relation_.primary_key) {
          relation_.columns[static_cast<size_t>(key)].column.nullable = false;
        }
        return Status::OK();
      }
      case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: {
        LEAT_ASSIGN(auto key, KeyColumns(constraint, column));
        relation_.unique_keys.push_back(std::move(key));
        return Status::OK();
      }
      case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
        return NotSupported("a generated column is not supported", constraint.location,
                            "Compute it in a view.");
      case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        return NotSupported("a foreign key is not supported", constraint.location,
                            "Find what has no partner with NOT EXISTS, in a view with (expect = "
                            "'empty').");
      case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
        return NotSupported("EXCLUDE is not supported", constraint.location);
      default:
        return Status::OK();  // DEFERRABLE and the like
    }
  }

  // As PostgreSQL's ChooseConstraintName: t_col_check, t_check, t_check1.
  std::string CheckName(const std::vector<std::string>& columns) const {
    std::string base = relation_.name;
    if (columns.size() == 1) base += "_" + columns[0];
    base += "_check";
    for (int number = 0;; ++number) {
      const std::string name = number == 0 ? base : fmt::format("{}{}", base, number);
      const bool taken = std::any_of(relation_.checks.begin(), relation_.checks.end(),
                                     [&](const CheckSpec& check) { return check.name == name; });
      if (!taken) return name;
    }
  }

  Status AddCheck(const PgQuery__Constraint& constraint, const std::string& column) {
    Scope scope;
    ScopeTable& table = scope.tables.emplace_back();
    table.name = relation_.name;
    for (const ColumnSpec& spec : relation_.columns) {
      table.columns.push_back({spec.column.name,
                               ColumnExpr(static_cast<int>(table.columns.size()), spec.column.type),
                               spec.column.nullable});
    }
    ExprContext context;
    context.clause = Clause::kCheck;
    context.scope = &scope;
    CheckSpec check;
    LEAT_ASSIGN(check.predicate, binder_.BindBool(constraint.raw_expr, context, "CHECK"));
    std::vector<bool> used(relation_.columns.size());
    MarkColumns(*check.predicate, &used);
    std::vector<std::string> names;
    for (size_t i = 0; i < used.size(); ++i) {
      if (used[i]) names.push_back(relation_.columns[i].column.name);
    }
    if (!column.empty()) names = {column};
    const std::string_view given = constraint.conname;
    check.name = given.empty() ? CheckName(names) : std::string(given);
    relation_.checks.push_back(std::move(check));
    return Status::OK();
  }

  const StatementContext& context_;
  Binder binder_;
  Relation& relation_;
  std::vector<SequenceSpec>* sequences_;
  std::vector<Pending> constraints_;
};

}  // namespace

Result<OnError> OnErrorOf(const std::string& value, int location) {
  if (value == "reject") return OnError::kReject;
  if (value == "fail") return OnError::kFail;
  if (value == "null") return OnError::kNull;
  return SqlStatus(fmt::format("invalid value for option \"on_error\": \"{}\"", value),
                   {.sqlstate = "22023",
                    .location = location,
                    .hint = "It is 'reject', 'fail' or, for a column, 'null'."});
}

Status AddTableElements(const StatementContext& context, Nodes elements, Relation* relation,
                        std::vector<SequenceSpec>* sequences) {
  return TableBuilder(context, relation, sequences).AddElements(elements);
}

Result<ExprPtr> DefaultFor(const ExprPtr& value, const Column& column,
                           const TextSettings& settings) {
  if (CanCast(value->type, column.type, CastContext::kAssignment)) {
    return CoerceToColumn(value, column, settings);
  }
  return SqlStatus(fmt::format("column \"{}\" is of type {} but default expression is of type {}",
                               column.name, PlainName(column.type), PlainName(value->type)),
                   {.sqlstate = kDatatypeMismatch,
                    .location = value->location,
                    .hint = "You will need to rewrite or cast the expression."});
}

}  // namespace leat
