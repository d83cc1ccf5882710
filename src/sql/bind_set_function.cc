// Functions that return sets: in FROM, and in the select list.
#include <arrow/scalar.h>

#include <algorithm>
#include <array>

#include "func/function.h"
#include "sql/bind_select.h"

namespace leat {
namespace {

std::string_view NameOf(const PgQuery__FuncCall& call) {
  return StringOf(call.funcname[call.n_funcname - 1]);
}

// json_each and its kin give two columns: the names of what gives each of them.
struct PairOfSets {
  std::string_view name;
  std::string_view keys;
  std::string_view values;
};
constexpr std::array kPairs = {
    PairOfSets{"json_each", "json_each key", "json_each value"},
    PairOfSets{"jsonb_each", "jsonb_each key", "jsonb_each value"},
    PairOfSets{"json_each_text", "json_each key", "json_each_text value"},
    PairOfSets{"jsonb_each_text", "jsonb_each key", "jsonb_each_text value"},
};

const PairOfSets* FindPair(std::string_view name) {
  const auto* found = std::find_if(kPairs.begin(), kPairs.end(),
                                   [&](const PairOfSets& pair) { return pair.name == name; });
  return found == kPairs.end() ? nullptr : found;
}

// json_to_record and its kin, whose columns the call's alias defines.
bool IsRecordFunction(std::string_view name) {
  return name == "json_to_record" || name == "jsonb_to_record" || name == "json_to_recordset" ||
         name == "jsonb_to_recordset";
}

}  // namespace

bool GivesRecords(std::string_view name) {
  return FindPair(name) != nullptr || IsRecordFunction(name);
}

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
  if (const PairOfSets* pair = FindPair(name)) {
    LEAT_ASSIGN(auto args, BindExprs(Items(call.n_args, call.args), context));
    for (const std::string_view part : {pair->keys, pair->values}) {
      LEAT_ASSIGN(ExprPtr list, ApplyFunction(part, args, call.location));
      lists->push_back(std::move(list));
    }
    names->insert(names->end(), {"key", "value"});
    return Status::OK();
  }
  if (IsRecordFunction(name)) {
    return SqlStatus("a column definition list is required for functions returning \"record\"",
                     {.sqlstate = kSyntaxError, .location = call.location});
  }
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

// json_to_recordset(…) AS t (a integer, b text): a list for each column.
Status Binder::BindRecord(const PgQuery__RangeFunction& range, const Node* node, const Scope* outer,
                          std::vector<ExprPtr>* lists, std::vector<std::string>* names) {
  const Nodes definitions = Items(range.n_coldeflist, range.coldeflist);
  if (!Is(node, PG_QUERY__NODE__NODE_FUNC_CALL) || !IsRecordFunction(NameOf(*node->func_call))) {
    return SqlStatus("a column definition list is only allowed for functions returning \"record\"",
                     {.sqlstate = kSyntaxError, .location = LocationOf(definitions[0])});
  }
  const PgQuery__FuncCall& call = *node->func_call;
  const std::string name(NameOf(call));
  const Scope scope{{}, outer};
  ExprContext context;
  context.scope = &scope;
  LEAT_ASSIGN(auto args, BindExprs(Items(call.n_args, call.args), context));
  for (const Node* definition : definitions) {
    const PgQuery__ColumnDef& column = *definition->column_def;
    LEAT_ASSIGN(const Type type, BindTypeName(*column.type_name, catalog_));
    if (type.id == TypeId::kArray) {
      return NotSupported(
          fmt::format("a column of type {} is not supported in {}", TypeName(type), name),
          column.location, "Declare it jsonb, and take it apart from there.");
    }
    const bool raw = type.id == TypeId::kJson || type.id == TypeId::kJsonb;
    auto args_here = args;
    args_here.push_back(
        LiteralExpr(std::make_shared<arrow::StringScalar>(column.colname), Type(TypeId::kText)));
    LEAT_ASSIGN(ExprPtr list, ApplyFunction(name + (raw ? " value" : " text"), std::move(args_here),
                                            call.location));
    const Type wanted = Type::Array(type);
    if (!(list->type == wanted)) list = CastExpr(list, wanted, CastContext::kAssignment);
    lists->push_back(std::move(list));
    names->emplace_back(column.colname);
  }
  return Status::OK();
}

Result<FromItem> Binder::BindRangeFunction(const PgQuery__RangeFunction& range,
                                           const Scope* outer) {
  std::vector<ExprPtr> lists;
  std::vector<std::string> names;
  std::string table;
  for (const Node* item : Items(range.n_functions, range.functions)) {
    const Node* node = Is(item, PG_QUERY__NODE__NODE_LIST) ? item->list->items[0] : item;
    const bool call = Is(node, PG_QUERY__NODE__NODE_FUNC_CALL);
    if (range.n_coldeflist > 0) {
      LEAT_RETURN(BindRecord(range, node, outer, &lists, &names));
    } else {
      LEAT_RETURN(BindSetInFrom(node, outer, &lists, &names));
    }
    if (table.empty()) table = call ? std::string(NameOf(*node->func_call)) : names.front();
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
