// CREATE TYPE … AS ENUM, CREATE DOMAIN, ALTER TYPE, DROP of both, and casts to domains.
#include <arrow/scalar.h>

#include <algorithm>

#include "func/function.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

constexpr size_t kLabelBytesMax = 63;  // NAMEDATALEN - 1

Result<std::string> OwnName(Nodes nodes, int location) {
  const std::vector<std::string> names = StringsOf(nodes);
  if (names.size() == 1 || names[0] == "public") return names.back();
  return SqlStatus(fmt::format("schema \"{}\" does not exist", names[0]),
                   {.sqlstate = "3F000", .location = location});
}

Status NoSuchType(std::string_view name) {
  return SqlStatus(fmt::format("type \"{}\" does not exist", name), {.sqlstate = "42704"});
}

Status CheckLabel(std::string_view label) {
  if (!label.empty() && label.size() <= kLabelBytesMax) return Status::OK();
  return SqlStatus(fmt::format("invalid enum label \"{}\"", label),
                   {.sqlstate = "42602", .detail = "Labels must be 63 bytes or less."});
}

// A name for a constraint of a domain that has none: d_check, d_check1.
std::string DomainCheckName(const Domain& domain) {
  for (int number = 0;; ++number) {
    std::string name =
        number == 0 ? domain.name + "_check" : fmt::format("{}_check{}", domain.name, number);
    const bool taken = std::any_of(domain.checks.begin(), domain.checks.end(),
                                   [&](const CheckSpec& check) { return check.name == name; });
    if (!taken) return name;
  }
}

// The constraints of a domain, whose VALUE is column 0.
class DomainBuilder {
 public:
  DomainBuilder(Binder* binder, Domain* domain) : binder_(*binder), domain_(*domain) {
    ScopeTable& table = scope_.tables.emplace_back();
    table.columns.push_back({"value", ColumnExpr(0, domain->type), true});
  }

  Status Add(const PgQuery__Constraint& constraint) {
    switch (constraint.contype) {
      case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
        return Status::OK();
      case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        domain_.checks.push_back({.name = "",
                                  .predicate = CallOf("is not null", {ColumnExpr(0, domain_.type)}),
                                  .domain = domain_.name,
                                  .is_not_null = true});
        return Status::OK();
      case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT: {
        ExprContext context;
        context.clause = Clause::kDefault;
        LEAT_ASSIGN(const ExprPtr value, binder_.BindExpr(constraint.raw_expr, context));
        LEAT_ASSIGN(domain_.default_value,
                    DefaultFor(value, {domain_.name, domain_.type}, binder_.settings()));
        return Status::OK();
      }
      case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK: {
        ExprContext context;
        context.clause = Clause::kCheck;
        context.scope = &scope_;
        CheckSpec check;
        LEAT_ASSIGN(check.predicate, binder_.BindBool(constraint.raw_expr, context, "CHECK"));
        const std::string_view given = constraint.conname;
        check.name = given.empty() ? DomainCheckName(domain_) : std::string(given);
        check.domain = domain_.name;
        domain_.checks.push_back(std::move(check));
        return Status::OK();
      }
      default:
        return SqlStatus("this kind of constraint is not possible for domains",
                         {.sqlstate = kSyntaxError, .location = constraint.location});
    }
  }

 private:
  Binder& binder_;
  Domain& domain_;
  Scope scope_;
};

// What of the catalog would no longer be understood, were the type not there.
Status CheckUnused(const std::string& name, const Catalog& catalog) {
  const auto depends = [&](std::string detail) {
    return SqlStatus(
        fmt::format("cannot drop type {} because other objects depend on it", name),
        {.sqlstate = "2BP01",
         .detail = std::move(detail),
         .hint = "Drop what depends on it first: DROP … CASCADE of a type is not supported."});
  };
  const auto is_it = [&](const Type& type) {
    const Type& element = type.element ? *type.element : type;
    return element.labels && element.labels->name == name;
  };
  Catalog after = catalog;
  after.DropType(name);
  for (const auto& [relation_name, relation] : catalog.relations()) {
    for (const ColumnSpec& spec : relation.columns) {
      if (spec.domain != name && !is_it(spec.column.type)) continue;
      return depends(fmt::format("column {} of {} {} depends on type {}", spec.column.name,
                                 KindName(relation.kind), relation_name, name));
    }
    const bool view =
        relation.kind == RelationKind::kView || relation.kind == RelationKind::kMaterializedView;
    if (!view || BindViewQuery(relation, after).ok()) continue;
    return depends(fmt::format("view {} depends on type {}", relation_name, name));
  }
  return Status::OK();
}

std::shared_ptr<arrow::Scalar> TextScalar(std::string text) {
  return std::make_shared<arrow::StringScalar>(std::move(text));
}

}  // namespace

Result<BoundStatement> BindCreateEnum(const PgQuery__CreateEnumStmt& stmt,
                                      const StatementContext& context) {
  CreateEnum create{std::make_shared<EnumType>()};
  LEAT_ASSIGN(create.labels->name,
              OwnName(Items(stmt.n_type_name, stmt.type_name), context.statement.location));
  for (const Node* node : Items(stmt.n_vals, stmt.vals)) {
    const std::string text(StringOf(node));
    LEAT_RETURN(CheckLabel(text));
    if (create.labels->Find(text) != nullptr) {
      return SqlStatus(
          fmt::format("duplicate key value violates unique constraint "
                      "\"pg_enum_typid_label_index\""),
          {.sqlstate = "23505", .detail = fmt::format("The label \"{}\" comes twice.", text)});
    }
    LEAT_RETURN(create.labels->Add(text, create.labels->labels.size()));
  }
  return create;
}

Result<BoundStatement> BindAlterEnum(const PgQuery__AlterEnumStmt& stmt,
                                     const StatementContext& context) {
  LEAT_ASSIGN(const std::string name,
              OwnName(Items(stmt.n_type_name, stmt.type_name), context.statement.location));
  const auto* found = context.catalog.FindEnum(name);
  if (found == nullptr) return NoSuchType(name);
  AlterEnum alter{.labels = *found, .text = stmt.new_val};
  const auto& labels = alter.labels->labels;
  const auto place_of = [&](std::string_view text) -> Result<size_t> {
    const auto* label = alter.labels->Find(text);
    if (label != nullptr) return static_cast<size_t>(label - labels.data());
    return SqlStatus(fmt::format("\"{}\" is not an existing enum label", text),
                     {.sqlstate = "22023"});
  };
  LEAT_RETURN(CheckLabel(alter.text));
  const bool there = alter.labels->Find(alter.text) != nullptr;
  if (const std::string_view old = stmt.old_val; !old.empty()) {
    LEAT_RETURN(place_of(old).status());
    alter.renamed = old;
  } else if (const std::string_view neighbor = stmt.new_val_neighbor; !neighbor.empty()) {
    LEAT_ASSIGN(const size_t place, place_of(neighbor));
    alter.place = place + (stmt.new_val_is_after != 0 ? 1 : 0);
  } else {
    alter.place = labels.size();
  }
  alter.exists = there && stmt.skip_if_new_val_exists != 0;
  if (there && !alter.exists) {
    return SqlStatus(fmt::format("enum label \"{}\" already exists", alter.text),
                     {.sqlstate = kDuplicateObject});
  }
  return alter;
}

Result<BoundStatement> BindCreateDomain(const PgQuery__CreateDomainStmt& stmt,
                                        const StatementContext& context) {
  CreateDomain create;
  Domain& domain = create.domain;
  LEAT_ASSIGN(domain.name,
              OwnName(Items(stmt.n_domainname, stmt.domainname), context.statement.location));
  const Domain* base = nullptr;
  LEAT_ASSIGN(domain.type, BindTypeName(*stmt.type_name, context.catalog, nullptr, &base));
  if (base != nullptr) {
    domain.checks = base->checks;
    for (CheckSpec& check : domain.checks) check.domain = domain.name;
    domain.default_value = base->default_value;
  }
  Binder binder(context.catalog);
  DomainBuilder builder(&binder, &domain);
  for (const Node* node : Items(stmt.n_constraints, stmt.constraints)) {
    LEAT_RETURN(builder.Add(*node->constraint));
  }
  return create;
}

Result<BoundStatement> BindDropType(const PgQuery__DropStmt& stmt,
                                    const StatementContext& context) {
  const bool domain = stmt.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN;
  DropType drop{.tag = domain ? "DROP DOMAIN" : "DROP TYPE"};
  for (const Node* node : Items(stmt.n_objects, stmt.objects)) {
    const PgQuery__TypeName& type = *node->type_name;
    LEAT_ASSIGN(const std::string name, OwnName(Items(type.n_names, type.names), type.location));
    const bool is_domain = context.catalog.FindDomain(name) != nullptr;
    if (!is_domain && context.catalog.FindEnum(name) == nullptr) {
      if (stmt.missing_ok != 0) continue;
      return NoSuchType(name);
    }
    if (domain && !is_domain) {
      return SqlStatus(fmt::format("\"{}\" is not a domain", name), {.sqlstate = "42809"});
    }
    LEAT_RETURN(CheckUnused(name, context.catalog));
    drop.names.push_back(name);
  }
  return drop;
}

ExprPtr AsDomain(ExprPtr value, const Domain& domain) {
  for (const CheckSpec& check : domain.checks) {
    const ExprPtr holds = ReplaceColumns(check.predicate, {value});
    const ExprPtr message = LiteralExpr(TextScalar(check.Broken("")), Type(TypeId::kText));
    const Function* function =
        FindFunctions(check.is_not_null ? "domain not null" : "domain check")[0];
    const Type type = value->type;
    value = CallExpr(function, {value, holds, message}, type);
  }
  return value;
}

}  // namespace leat
