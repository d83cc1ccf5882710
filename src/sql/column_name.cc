// Names of columns without AS: PostgreSQL's FigureColname.
#include "sql/bind.h"

namespace leat {
namespace {

struct Figured {
  std::string name;
  int strength = 0;  // 0: none, 1: a type's or CASE's, 2: a column's or function's
};

Figured Figure(const Node* node);

std::string ClockName(int op) {
  switch (op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
      return "current_date";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
      return "current_time";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
      return "current_timestamp";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
      return "localtime";
    default:
      return "localtimestamp";
  }
}

// The last name in a list of names and stars.
Figured LastName(Nodes nodes) {
  Figured figured;
  for (const Node* node : nodes) {
    if (const auto name = StringOf(node); !name.empty()) figured = {std::string(name), 2};
  }
  return figured;
}

Figured FigureSubLink(const PgQuery__SubLink& link) {
  if (link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK) return {"exists", 2};
  if (link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK) return {"array", 2};
  if (link.sub_link_type != PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK) return {};
  const PgQuery__SelectStmt* select = link.subselect->select_stmt;
  while (select->larg != nullptr) select = select->larg;
  if (select->n_target_list == 0) return {};
  const PgQuery__ResTarget& target = *select->target_list[0]->res_target;
  if (target.name != nullptr && target.name[0] != '\0') return {target.name, 2};
  return Figure(target.val);
}

Figured Figure(const Node* node) {
  if (node == nullptr) return {};
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return LastName(Items(node->column_ref->n_fields, node->column_ref->fields));
    case PG_QUERY__NODE__NODE_A_INDIRECTION: {
      const PgQuery__AIndirection& ind = *node->a_indirection;
      const Figured last = LastName(Items(ind.n_indirection, ind.indirection));
      return last.strength > 0 ? last : Figure(ind.arg);
    }
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return LastName(Items(node->func_call->n_funcname, node->func_call->funcname));
    case PG_QUERY__NODE__NODE_A_EXPR:
      if (node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF) return {"nullif", 2};
      return {};
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      const Figured arg = Figure(node->type_cast->arg);
      if (arg.strength > 1) return arg;
      return {InternalTypeName(*node->type_cast->type_name), 1};
    }
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return Figure(node->collate_clause->arg);
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return FigureSubLink(*node->sub_link);
    case PG_QUERY__NODE__NODE_CASE_EXPR: {
      const Figured otherwise = Figure(node->case_expr->defresult);
      return otherwise.strength > 1 ? otherwise : Figured{"case", 1};
    }
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return {"array", 2};
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return {"row", 2};
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return {"coalesce", 2};
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return {node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? "greatest" : "least",
              2};
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return {ClockName(node->sqlvalue_function->op), 2};
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return {"grouping", 2};
    default:
      return {};
  }
}

}  // namespace

std::string ColumnNameOf(const Node* node) {
  Figured figured = Figure(node);
  return figured.name.empty() ? "?column?" : std::move(figured.name);
}

}  // namespace leat
