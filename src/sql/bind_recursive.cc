// WITH RECURSIVE: a first query, and one over the rows that were found last.
#include <algorithm>

#include "func/function.h"
#include "sql/bind.h"
#include "sql/outer.h"

namespace leat {
namespace {

using Message = ProtobufCMessage;

template <typename T>
const T& As(const Message* message) {
  return *reinterpret_cast<const T*>(message);
}

// Where a query names `name` in a FROM, and how many of those places are in subqueries of
// expressions.
struct Uses {
  int all = 0;
  int in_expressions = 0;
  int location = -1;
};

void Count(Message* message, std::string_view name, bool in_expression, Uses* uses) {
  VisitMessages(message, [&](Message* part) {
    if (part->descriptor == &pg_query__sub_link__descriptor && !in_expression) {
      Uses inside;
      Count(part, name, true, &inside);
      uses->in_expressions += inside.all;
    }
    if (part->descriptor != &pg_query__range_var__descriptor) return;
    const auto& range = As<PgQuery__RangeVar>(part);
    const bool plain = std::string_view(range.schemaname).empty();
    if (!plain || range.relname != name) return;
    ++uses->all;
    uses->location = range.location;
  });
}

Uses UsesOf(PgQuery__SelectStmt* select, std::string_view name) {
  Uses uses;
  Count(&select->base, name, false, &uses);
  return uses;
}

// Whether the rows of `name` may be extended with nulls, or are the right side of EXCEPT.
bool OnNullableSide(const Node* node, std::string_view name, bool nullable) {
  if (Is(node, PG_QUERY__NODE__NODE_RANGE_VAR)) {
    return nullable && node->range_var->relname == name;
  }
  if (!Is(node, PG_QUERY__NODE__NODE_JOIN_EXPR)) return false;
  const PgQuery__JoinExpr& join = *node->join_expr;
  const bool full = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL;
  const bool left = full || join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT;
  const bool right = full || join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT;
  return OnNullableSide(join.larg, name, nullable || left) ||
         OnNullableSide(join.rarg, name, nullable || right);
}

Status Wrong(std::string message, int location) {
  return SqlStatus(std::move(message), {.sqlstate = "42P19", .location = location});
}

// What PostgreSQL asks of the recursive term, so that the rows found last are enough.
Status CheckTerm(PgQuery__SelectStmt* select, std::string_view name) {
  const PgQuery__SelectStmt& term = *select;
  const Uses uses = UsesOf(select, name);
  const auto refused = [&](std::string_view why) {
    return Wrong(fmt::format("recursive reference to query \"{}\" must not appear {}", name, why),
                 uses.location);
  };
  if (uses.all > 1) return refused("more than once");
  if (uses.in_expressions > 0) return refused("within a subquery");
  if (term.op != PG_QUERY__SET_OPERATION__SETOP_NONE) {
    return NotSupported("a set operation as the recursive term is not supported", uses.location,
                        "Put it into a subquery in FROM.");
  }
  for (const Node* item : Items(term.n_from_clause, term.from_clause)) {
    if (OnNullableSide(item, name, false)) return refused("within an outer join");
  }
  return Status::OK();
}

bool Aggregates(const Logical& plan, std::string_view working) {
  const auto reads = [&](const LogicalPtr& child) {
    const std::function<bool(const Logical&)> below = [&](const Logical& node) {
      return node.relation == working ||
             std::any_of(node.children.begin(), node.children.end(),
                         [&](const LogicalPtr& next) { return below(*next); });
    };
    return below(*child);
  };
  const bool over = std::any_of(plan.children.begin(), plan.children.end(), reads);
  if (over && plan.kind == LogicalKind::kAggregate) return true;
  return std::any_of(plan.children.begin(), plan.children.end(),
                     [&](const LogicalPtr& child) { return Aggregates(*child, working); });
}

// The recursive term under the columns of the first one, which say the types.
Result<LogicalPtr> TypedAs(const Schema& schema, const LogicalPtr& term,
                           const PgQuery__CommonTableExpr& common) {
  if (term->schema.size() != schema.size()) {
    return SqlStatus("each UNION query must have the same number of columns",
                     {.sqlstate = kSyntaxError, .location = common.location});
  }
  std::vector<ExprPtr> exprs;
  std::vector<std::string> titles;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    const Type types[] = {column.type, term->schema.columns[i].type};
    LEAT_ASSIGN(const Type common_type, CommonType(types, "UNION", common.location));
    if (!(common_type == column.type)) {
      return SqlStatus(
          fmt::format("recursive query \"{}\" column {} has type {} in non-recursive term but type "
                      "{} overall",
                      common.ctename, i + 1, TypeName(column.type), TypeName(common_type)),
          {.sqlstate = kDatatypeMismatch,
           .location = common.location,
           .hint = "Cast the output of the non-recursive term to the correct type."});
    }
    ExprPtr expr = ColumnExpr(static_cast<int>(i), types[1]);
    if (!(types[1] == column.type)) expr = CastExpr(expr, column.type, CastContext::kImplicit);
    exprs.push_back(std::move(expr));
    titles.push_back(column.name);
  }
  return ProjectOn(term, std::move(exprs), titles);
}

}  // namespace

bool RefersToItself(const PgQuery__CommonTableExpr& common) {
  return UsesOf(common.ctequery->select_stmt, common.ctename).all > 0;
}

Result<LogicalPtr> Binder::BindRecursive(const PgQuery__CommonTableExpr& common,
                                         const Scope* outer) {
  const PgQuery__SelectStmt& select = *common.ctequery->select_stmt;
  const std::string name = common.ctename;
  if (common.search_clause != nullptr || common.cycle_clause != nullptr) {
    return NotSupported("SEARCH and CYCLE are not supported", common.location,
                        "Carry the path in an array and stop where a row is in it.");
  }
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_UNION || UsesOf(select.larg, name).all > 0) {
    return Wrong(fmt::format("recursive query \"{}\" does not have the form non-recursive-term "
                             "UNION [ALL] recursive-term",
                             name),
                 common.location);
  }
  if (select.n_sort_clause > 0 || select.limit_count != nullptr || select.limit_offset != nullptr ||
      select.with_clause != nullptr) {
    return NotSupported("ORDER BY, LIMIT and WITH around a recursive UNION are not supported",
                        common.location, "Write them in the query that reads it.");
  }
  LEAT_RETURN(CheckTerm(select.rarg, name));
  SelectOptions options;
  options.outer = outer;
  LEAT_ASSIGN(LogicalPtr base, BindTable(*select.larg, options));
  auto node = std::make_shared<Logical>();
  node->kind = LogicalKind::kRecursive;
  node->location = common.location;
  node->distinct = select.all == 0;
  node->relation = fmt::format("rows of {} found last, {}", name, ++recursions_);
  node->schema = base->schema;
  const auto names = StringsOf(Items(common.n_aliascolnames, common.aliascolnames));
  for (size_t i = 0; i < node->schema.columns.size(); ++i) {
    node->schema.columns[i].nullable = true;
    if (i < names.size()) node->schema.columns[i].name = names[i];
  }
  common_tables_.emplace_back();
  common_tables_.back().emplace(
      name,
      CommonTable{ScanOf(node->relation, node->schema, false, common.location), DepthOf(outer)});
  Result<LogicalPtr> term = BindTable(*select.rarg, options);
  common_tables_.pop_back();
  if (!term.ok()) return term.status();
  LEAT_ASSIGN(LogicalPtr typed, TypedAs(node->schema, *term, common));
  node->children = {std::move(base), std::move(typed)};
  if (Aggregates(*node->children[1], node->relation)) {
    return Wrong("aggregate functions are not allowed in a recursive query's recursive term",
                 common.location);
  }
  if (IsDependent(*node)) {
    return NotSupported("a recursive query that refers to the query around it is not supported",
                        common.location, "Let it give the column, and join it.");
  }
  return LogicalPtr(std::move(node));
}

}  // namespace leat
