// Functions that return sets: in FROM, and in the select list.
#include <algorithm>

#include "func/function.h"
#include "sql/bind_select.h"

namespace leat {
namespace {

std::string_view NameOf(const PgQuery__FuncCall& call) {
  return StringOf(call.funcname[call.n_funcname - 1]);
}

}  // namespace

bool IsSetFunction(std::string_view name) {
  const auto overloads = FindFunctions(name);
  return !overloads.empty() && overloads[0]->set;
}

// A set in the select list: a column that the node built last adds.
Result<ExprPtr> Binder::BindSetInSelect(ExprPtr set, const ExprContext& context) {
  const int location = set->location;
  const bool allowed = context.collected != nullptr && !context.in_aggregate &&
                       (context.clause == Clause::kSelect || context.clause == Clause::kOrderBy ||
                        context.clause == Clause::kGroupBy);
  if (!allowed || context.in_window) {
    const std::string_view where = context.in_aggregate ? "aggregate function calls"
                                   : context.in_window  ? "window function calls"
                                                        : leat::NameOf(context.clause);
    return SqlStatus(
        fmt::format("set-returning functions are not allowed in {}", where),
        {.sqlstate = "0A000",
         .location = location,
         .hint = context.in_aggregate
                     ? "You might be able to move the set-returning function into a LATERAL FROM "
                       "item."
                     : ""});
  }
  if (UsesBase(*set, kSetBase)) {
    return NotSupported("a set-returning function of another one is not supported here", location,
                        "Write it in FROM: FROM generate_series(1, 3) AS a(x), unnest(…).");
  }
  const Type element = *set->type.element;
  // Sets stand side by side: one that comes twice is one column.
  auto& sets = context.collected->sets;
  const auto same = std::find_if(sets.begin(), sets.end(),
                                 [&](const ExprPtr& other) { return Equal(*other, *set); });
  const auto at = static_cast<int>(same - sets.begin());
  if (same == sets.end()) sets.push_back(std::move(set));
  return ColumnAt(kSetBase + at, element, location);
}

// The lists that a call in FROM gives side by side, and the names of their columns.
Status Binder::BindSetInFrom(const Node* node, const Scope* outer, std::vector<ExprPtr>* lists,
                             std::vector<std::string>* names) {
  const Scope scope{{}, outer};
  ExprContext context;
  context.clause = Clause::kSelect;
  context.scope = &scope;
  if (!Is(node, PG_QUERY__NODE__NODE_FUNC_CALL)) {
    LEAT_ASSIGN(ExprPtr value, BindValue(node, context));
    lists->push_back(CallOf("array", {std::move(value)}));
    names->push_back(ColumnNameOf(node));
    return Status::OK();
  }
  const PgQuery__FuncCall& call = *node->func_call;
  const std::string name(NameOf(call));
  if (name == "unnest" && call.n_args > 1) {
    for (const Node* arg : Items(call.n_args, call.args)) {
      LEAT_ASSIGN(ExprPtr list, BindExpr(arg, context));
      LEAT_ASSIGN(list, ApplyFunction("unnest", {std::move(list)}, call.location));
      lists->push_back(std::move(list));
      names->push_back(name);
    }
    return Status::OK();
  }
  if (!IsSetFunction(name)) {
    LEAT_ASSIGN(ExprPtr value, BindValue(node, context));
    lists->push_back(CallOf("array", {std::move(value)}));
  } else {
    LEAT_ASSIGN(auto args, BindExprs(Items(call.n_args, call.args), context));
    LEAT_ASSIGN(ExprPtr list, ApplyFunction(name, std::move(args), call.location));
    lists->push_back(std::move(list));
  }
  names->push_back(name);
  return Status::OK();
}

Result<FromItem> Binder::BindRangeFunction(const PgQuery__RangeFunction& range,
                                           const Scope* outer) {
  std::vector<ExprPtr> lists;
  std::vector<std::string> names;
  std::string table;
  if (range.n_coldeflist > 0) {
    return NotSupported("column definitions of a function in FROM are not supported",
                        LocationOf(range.coldeflist[0]));
  }
  for (const Node* item : Items(range.n_functions, range.functions)) {
    const Node* node = Is(item, PG_QUERY__NODE__NODE_LIST) ? item->list->items[0] : item;
    LEAT_RETURN(BindSetInFrom(node, outer, &lists, &names));
    if (table.empty()) table = names.front();
  }
  // A function of one column gives its alias to the column too.
  const bool one = lists.size() == 1;
  if (one && range.alias != nullptr) names[0] = range.alias->aliasname;
  if (range.ordinality != 0) {
    lists.push_back(CallOf("ordinals of", lists));
    names.emplace_back("ordinality");
  }
  return AliasedItem(UnnestOn(ValuesOf({}, {{}}), std::move(lists), names), table, range.alias, -1);
}

}  // namespace leat
