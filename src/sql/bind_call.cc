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
         name == "ntile" || name == "percent_rank" || name == "cume_dist" || name == "nth_value";
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

// Whether the order of rows within a group changes the aggregate's answer.
bool DependsOnOrder(const Aggregate& aggregate) {
  static constexpr std::string_view kFree[] = {"count",  "sum",      "avg",     "min",
                                               "max",    "bool_and", "bool_or", "every",
                                               "stddev", "variance", "arg_min", "arg_max"};
  return std::find(std::begin(kFree), std::end(kFree), aggregate.name) == std::end(kFree);
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
  if (IsWindowOnly(name)) {
    return SqlStatus(fmt::format("window function {} requires an OVER clause", name),
                     {.sqlstate = "42809", .location = call.location});
  }
  if (IsAggregate(name)) return BindAggregate(name, call, context);
  LEAT_RETURN(CheckPlain(name, call));
  return BindPlainCall(name, call, context);
}

Result<ExprPtr> Binder::BindPlainCall(const std::string& name, const PgQuery__FuncCall& call,
                                      const ExprContext& context) {
  for (const Node* arg : Items(call.n_args, call.args)) {
    if (!Is(arg, PG_QUERY__NODE__NODE_NAMED_ARG_EXPR)) continue;
    return NotSupported("named arguments are not supported", LocationOf(arg));
  }
  LEAT_ASSIGN(auto args, BindExprs(Items(call.n_args, call.args), context));
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

Result<AggregateCall> Binder::BindAggregateCall(const std::string& name,
                                                const PgQuery__FuncCall& call,
                                                const ExprContext& inside) {
  if (call.agg_within_group != 0) {
    return NotSupported("WITHIN GROUP is not supported", call.location);
  }
  if (call.n_args == 0 && call.agg_star == 0) {
    return SqlStatus(
        fmt::format("{}(*) must be used to call a parameterless aggregate function", name),
        {.sqlstate = "42809", .location = call.location});
  }
  AggregateCall out;
  LEAT_ASSIGN(out.args, BindExprs(Items(call.n_args, call.args), inside));
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
  if (call.n_agg_order > 0 && DependsOnOrder(*out.aggregate)) {
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
