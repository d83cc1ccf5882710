// Calls: scalar functions, aggregates, the clock's words.
#include <algorithm>

#include "func/function.h"
#include "sql/bind.h"
#include "sql/outer.h"

namespace leat {
namespace {

bool IsWindowOnly(std::string_view name) {
  return name == "row_number" || name == "rank" || name == "dense_rank" || name == "lag" ||
         name == "lead" || name == "first_value" || name == "last_value" || name == "ema" ||
         name == "ntile" || name == "percent_rank" || name == "cume_dist" || name == "nth_value" ||
         name == "session";
}

Result<std::string> FunctionName(const PgQuery__FuncCall& call) {
  const auto names = StringsOf(Items(call.n_funcname, call.funcname));
  if (names.size() > 1 && names[0] != "pg_catalog" && names[0] != "public") {
    return SqlStatus(fmt::format("schema \"{}\" does not exist", names[0]),
                     {.sqlstate = "3F000", .location = call.location});
  }
  return names.back();
}

Status NotAnAggregate(std::string_view what, std::string_view name, int location) {
  return SqlStatus(fmt::format("{} specified, but {} is not an aggregate function", what, name),
                   {.sqlstate = "42809", .location = location});
}

// What only an aggregate takes is not in the call of a scalar function.
Status CheckPlain(std::string_view name, const PgQuery__FuncCall& call) {
  if (call.agg_star != 0) {
    LEAT_RETURN(ResolveFunction(name, {}, call.location).status());
    return NotAnAggregate(fmt::format("{}(*)", name), name, call.location);
  }
  if (call.agg_distinct != 0) return NotAnAggregate("DISTINCT", name, call.location);
  if (call.n_agg_order > 0) return NotAnAggregate("ORDER BY", name, call.location);
  if (call.agg_filter != nullptr) return NotAnAggregate("FILTER", name, call.location);
  if (call.agg_within_group != 0) return NotAnAggregate("WITHIN GROUP", name, call.location);
  if (call.func_variadic != 0) return NotSupported("VARIADIC is not supported", call.location);
  return Status::OK();
}

// Whether a call asks for an order of its rows that its answer cannot follow.
bool IgnoresOrder(const Aggregate& aggregate) {
  using Pick = Aggregate::Pick;
  return aggregate.pick == Pick::kFirst || aggregate.pick == Pick::kLast;
}

// WITHIN GROUP belongs to ordered-set aggregates, and they to it.
Status CheckWithinGroup(const std::string& name, const PgQuery__FuncCall& call) {
  const auto all = AllAggregates();
  const bool ordered_set = std::any_of(all.begin(), all.end(), [&](const Aggregate& aggregate) {
    return aggregate.name == name && aggregate.within_group;
  });
  const auto wrong = [&](std::string message) {
    return SqlStatus(std::move(message), {.sqlstate = "42809", .location = call.location});
  };
  if (ordered_set && call.agg_within_group == 0) {
    return wrong(fmt::format("WITHIN GROUP is required for ordered-set aggregate {}", name));
  }
  if (ordered_set && call.agg_distinct != 0) return wrong("cannot use DISTINCT with WITHIN GROUP");
  if (!ordered_set && call.agg_within_group != 0) {
    // PostgreSQL looks for an aggregate with the columns of ORDER BY as arguments, and finds none.
    return SqlStatus(
        fmt::format("{} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name),
        {.sqlstate = "42883", .location = call.location});
  }
  return Status::OK();
}

Status WrongPlace(std::string_view what, const ExprContext& context, std::string_view sqlstate,
                  int location) {
  if (context.in_aggregate) {
    const bool window = what == "window functions";
    return SqlStatus(window ? "aggregate function calls cannot contain window function calls"
                            : "aggregate function calls cannot be nested",
                     {.sqlstate = "42803", .location = location});
  }
  return SqlStatus(fmt::format("{} are not allowed in {}", what, NameOf(context.clause)),
                   {.sqlstate = std::string(sqlstate), .location = location});
}

bool AllowsAggregates(Clause clause) {
  return clause == Clause::kSelect || clause == Clause::kHaving || clause == Clause::kOrderBy ||
         clause == Clause::kDistinctOn || clause == Clause::kWindow;
}

bool AllowsWindows(Clause clause) {
  return clause == Clause::kSelect || clause == Clause::kOrderBy || clause == Clause::kDistinctOn;
}

}  // namespace

Result<ExprPtr> Binder::BindCall(const PgQuery__FuncCall& call, const ExprContext& context) {
  LEAT_ASSIGN(std::string name, FunctionName(call));
  if (call.over != nullptr) {
    if (context.in_window) {
      return SqlStatus("window function calls cannot be nested",
                       {.sqlstate = "42P20", .location = call.location});
    }
    if (context.in_aggregate || !AllowsWindows(context.clause) || context.collected == nullptr) {
      return WrongPlace("window functions", context, "42P20", call.location);
    }
    if (!IsWindowOnly(name) && !IsAggregate(name)) {
      LEAT_RETURN(BindPlainCall(name, call, context).status());
      return SqlStatus(fmt::format("OVER specified, but {} is not a window function nor an "
                                   "aggregate function",
                                   name),
                       {.sqlstate = "42809", .location = call.location});
    }
    return BindWindowCall(name, call, context);
  }
  if (IsWindowOnly(name) && FindFunctions(name).empty()) {
    return SqlStatus(fmt::format("window function {} requires an OVER clause", name),
                     {.sqlstate = "42809", .location = call.location});
  }
  if (IsAggregate(name)) return BindAggregate(name, call, context);
  LEAT_RETURN(CheckPlain(name, call));
  return BindPlainCall(name, call, context);
}

Result<ExprPtr> Binder::BindPlainCall(const std::string& name, const PgQuery__FuncCall& call,
                                      const ExprContext& context) {
  if (name == "row_to_json" || name == "to_json" || name == "to_jsonb") {
    if (call.n_args == 1) {
      LEAT_ASSIGN(auto row, BindRowToJson(name, call.args[0], context));
      if (row) return *row;
    }
  }
  if (name == "pg_get_serial_sequence") return BindSerialName(call);
  if (GivesRecords(name)) {
    return NotSupported(fmt::format("{} gives rows and is not supported here", name), call.location,
                        fmt::format("Write it in FROM: FROM t, {}(t.x) AS e.", name));
  }
  const bool draws = name == "nextval" || name == "currval" || name == "setval";
  LEAT_ASSIGN(auto args, draws ? BindSequenceArgs(call, context) : BindArgs(name, call, context));
  LEAT_ASSIGN(const SqlFunction* own, FindSqlFunction(name, args));
  if (own != nullptr) return BindSqlCall(*own, std::move(args), call.location, context);
  if (name == "pg_typeof" && args.size() == 1) {
    return LiteralExpr(std::make_shared<arrow::StringScalar>(PlainName(args[0]->type)),
                       Type(TypeId::kText));
  }
  if (IsSetFunction(name)) {
    LEAT_ASSIGN(ExprPtr set, ApplyFunction(name, std::move(args), call.location));
    return BindSetInSelect(std::move(set), context);
  }
  // date(x), text(x): a cast in the form of a call.
  if (args.size() == 1 && FindFunctions(name).empty()) {
    if (const auto type = TypeFromName(name);
        type.ok() && type->id != TypeId::kUnknown &&
        CanCast(args[0]->type, *type, CastContext::kExplicit)) {
      return Coerce(args[0], *type, CastContext::kExplicit, settings_);
    }
  }
  return ApplyFunction(name, std::move(args), call.location);
}

// ORDER BY inside the call: by arguments of it, or by more of them.
Status Binder::BindAggregateOrder(const PgQuery__FuncCall& call, const ExprContext& inside,
                                  AggregateCall* out) {
  size_t at = out->args.size() - (call.agg_within_group != 0 ? call.n_agg_order : 0);
  for (const Node* node : Items(call.n_agg_order, call.agg_order)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    if (call.agg_within_group == 0) {
      LEAT_ASSIGN(ExprPtr expr, BindValue(sort.node, inside));
      const auto same = std::find_if(out->args.begin(), out->args.end(),
                                     [&](const ExprPtr& arg) { return Equal(*arg, *expr); });
      at = static_cast<size_t>(same - out->args.begin());
      if (same == out->args.end()) {
        if (call.agg_distinct != 0) {
          return SqlStatus(
              "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
              {.sqlstate = "42P10", .location = LocationOf(sort.node)});
        }
        out->args.push_back(std::move(expr));
      }
    }
    const bool descending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    const bool nulls_first = sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT
                                 ? descending
                                 : sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
    out->order.push_back({static_cast<int>(at++), descending, nulls_first});
  }
  return Status::OK();
}

// What depends on the session's time zone becomes JSON, a key text, before it is collected.
Status Binder::PrepareJson(std::vector<ExprPtr>* args) {
  for (size_t i = 0; i < args->size(); ++i) {
    ExprPtr& arg = (*args)[i];
    if (arg->type.id == TypeId::kArray && arg->type.element->id == TypeId::kTimestamptz) {
      return NotSupported("JSON of an array of timestamptz is not supported in an aggregate",
                          arg->location);
    }
    if (arg->type.id != TypeId::kTimestamptz) continue;
    if (args->size() == 2 && i == 0) {
      LEAT_ASSIGN(arg, Coerce(arg, Type(TypeId::kText), CastContext::kExplicit, settings_));
    } else {
      LEAT_ASSIGN(arg, ApplyFunction("to_json", {arg}, arg->location));
    }
  }
  return Status::OK();
}

Result<AggregateCall> Binder::BindAggregateCall(const std::string& name,
                                                const PgQuery__FuncCall& call,
                                                const ExprContext& inside) {
  LEAT_RETURN(CheckWithinGroup(name, call));
  if (call.n_args == 0 && call.agg_star == 0 && call.agg_within_group == 0) {
    return SqlStatus(
        fmt::format("{}(*) must be used to call a parameterless aggregate function", name),
        {.sqlstate = "42809", .location = call.location});
  }
  AggregateCall out;
  LEAT_ASSIGN(out.args, BindExprs(Items(call.n_args, call.args), inside));
  for (const ExprPtr& direct : out.args) {
    if (call.agg_within_group == 0 || IsConstant(*direct)) continue;
    return NotSupported(fmt::format("{} of a fraction that varies is not supported", name),
                        direct->location);
  }
  for (const Node* node :
       Items(call.agg_within_group != 0 ? call.n_agg_order : 0, call.agg_order)) {
    LEAT_ASSIGN(ExprPtr expr, BindExpr(node->sort_by->node, inside));
    out.args.push_back(std::move(expr));
  }
  if (name.starts_with("json")) LEAT_RETURN(PrepareJson(&out.args));
  std::vector<Type> types;
  for (const ExprPtr& arg : out.args) types.push_back(arg->type);
  LEAT_ASSIGN(ResolvedAggregate resolved, ResolveAggregate(name, types, call.location));
  for (size_t i = 0; i < out.args.size(); ++i) {
    const Type& wanted = resolved.args[i];
    LEAT_ASSIGN(out.args[i], wanted.id == TypeId::kUnknown
                                 ? ResolveUnknown(out.args[i], settings_)
                                 : Coerce(out.args[i], wanted, CastContext::kImplicit, settings_));
  }
  out.aggregate = resolved.aggregate;
  out.result = resolved.result;
  out.distinct = call.agg_distinct != 0 && name != "min" && name != "max";
  if (call.n_agg_order > 0 && IgnoresOrder(*out.aggregate)) {
    return NotSupported(fmt::format("ORDER BY inside {} is not supported", name), call.location,
                        "first and last follow the order of arrival; arg_min(x, y) and "
                        "arg_max(x, y) give the x of the least and the greatest y.");
  }
  // An aggregate of nothing but columns of the query around belongs to that query.
  bool own = out.args.empty();
  bool outer = false;
  for (const ExprPtr& arg : out.args) {
    VisitExprs(*arg, [&](const Expr& part) {
      if (part.kind != ExprKind::kColumn) return;
      (LevelOf(part.column) > 0 ? outer : own) = true;
    });
  }
  if (outer && !own) {
    return NotSupported("an aggregate of the query around is not supported in a subquery",
                        call.location, "Name it in a subquery in FROM, and use that name here.");
  }
  if (out.aggregate->fold != nullptr) LEAT_RETURN(BindAggregateOrder(call, inside, &out));
  if (call.agg_filter != nullptr) {
    ExprContext filter = inside;
    filter.clause = Clause::kFilter;
    filter.in_aggregate = false;
    LEAT_ASSIGN(out.filter, BindBool(call.agg_filter, filter, "FILTER"));
  }
  return out;
}

Result<ExprPtr> Binder::BindAggregate(const std::string& name, const PgQuery__FuncCall& call,
                                      const ExprContext& context) {
  if (context.in_aggregate || context.collected == nullptr || !AllowsAggregates(context.clause)) {
    return WrongPlace("aggregate functions", context, "42803", call.location);
  }
  ExprContext inside = context;
  inside.in_aggregate = true;
  LEAT_ASSIGN(AggregateCall bound, BindAggregateCall(name, call, inside));
  Collected& collected = *context.collected;
  const Type result = bound.result;
  const auto same = [&](const AggregateCall& other) {
    return other.aggregate == bound.aggregate && other.distinct == bound.distinct &&
           other.order == bound.order &&
           std::equal(other.args.begin(), other.args.end(), bound.args.begin(), bound.args.end(),
                      [](const ExprPtr& a, const ExprPtr& b) { return Equal(*a, *b); }) &&
           !other.filter == !bound.filter && (!bound.filter || Equal(*other.filter, *bound.filter));
  };
  auto& calls = collected.aggregates;
  const auto found = std::find_if(calls.begin(), calls.end(), same);
  const int at = static_cast<int>(found - calls.begin());
  if (found == calls.end()) {
    calls.push_back(std::move(bound));
    collected.aggregate_names.push_back(name);
    collected.aggregate_locations.push_back(call.location);
  }
  return ColumnAt(kAggregateBase + at, result, call.location);
}

Result<ExprPtr> Binder::BindClock(const PgQuery__SQLValueFunction& function) {
  switch (function.op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
      return ApplyFunction("current_date", {}, function.location);
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
      return ApplyFunction("current_timestamp", {}, function.location);
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
      return ApplyFunction("localtimestamp", {}, function.location);
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
      return ApplyFunction("current_time", {}, function.location);
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
      return ApplyFunction("localtime", {}, function.location);
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
      return NotSupported("a precision of the current time is not supported", function.location,
                          "Use date_trunc('second', now()).");
    default:
      return NotSupported("there are no users and databases here", function.location);
  }
}

}  // namespace leat
