// Window functions: calls with OVER, their frames, and the nodes that compute them.
#include <algorithm>
#include <array>
#include <span>

#include "func/function.h"
#include "sql/bind.h"

namespace leat {
namespace {

// PostgreSQL's FRAMEOPTION_ bits (nodes/parsenodes.h).
constexpr int kNonDefault = 0x1;
constexpr int kRange = 0x2;
constexpr int kGroups = 0x8;
constexpr int kStartUnbounded = 0x20;
constexpr int kEndUnbounded = 0x100;
constexpr int kStartCurrent = 0x200;
constexpr int kEndCurrent = 0x400;
constexpr int kStartPreceding = 0x800;
constexpr int kEndPreceding = 0x1000;
constexpr int kStartFollowing = 0x2000;
constexpr int kEndFollowing = 0x4000;
constexpr int kExcludeCurrentRow = 0x8000;
constexpr int kExcludeGroup = 0x10000;
constexpr int kExcludeTies = 0x20000;

struct NamedFunction {
  std::string_view name;
  WindowFunction function;
  bool framed;  // the frame says which rows count
};
constexpr std::array kFunctions = {
    NamedFunction{"sum", WindowFunction::kSum, true},
    NamedFunction{"avg", WindowFunction::kAvg, true},
    NamedFunction{"count", WindowFunction::kCount, true},
    NamedFunction{"min", WindowFunction::kMin, true},
    NamedFunction{"max", WindowFunction::kMax, true},
    NamedFunction{"ema", WindowFunction::kEma, false},
    NamedFunction{"session", WindowFunction::kSession, false},
    NamedFunction{"row_number", WindowFunction::kRowNumber, false},
    NamedFunction{"rank", WindowFunction::kRank, false},
    NamedFunction{"dense_rank", WindowFunction::kDenseRank, false},
    NamedFunction{"lag", WindowFunction::kLag, false},
    NamedFunction{"lead", WindowFunction::kLead, false},
    NamedFunction{"first_value", WindowFunction::kFirstValue, true},
    NamedFunction{"last_value", WindowFunction::kLastValue, true},
    NamedFunction{"nth_value", WindowFunction::kNthValue, true},
    NamedFunction{"ntile", WindowFunction::kNtile, false},
    NamedFunction{"percent_rank", WindowFunction::kPercentRank, false},
    NamedFunction{"cume_dist", WindowFunction::kCumeDist, false},
};

const NamedFunction* FindFunction(std::string_view name) {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                  [&](const NamedFunction& f) { return f.name == name; });
  return found == kFunctions.end() ? nullptr : &*found;
}

bool IsAggregating(WindowFunction function) {
  return function <= WindowFunction::kMax || function == WindowFunction::kAggregate;
}

Status CheckCall(const std::string& name, const PgQuery__FuncCall& call, bool aggregating) {
  const auto refuse = [&](std::string what) {
    return NotSupported(std::move(what), call.location);
  };
  if (call.agg_distinct != 0) return refuse("DISTINCT is not implemented for window functions");
  if (call.n_agg_order > 0) {
    return refuse("aggregate ORDER BY is not implemented for window functions");
  }
  if (call.agg_filter != nullptr && !aggregating) {
    return refuse("FILTER is not implemented for non-aggregate window functions");
  }
  if (call.agg_star != 0 && name != "count") {
    return SqlStatus(
        fmt::format("{}(*) specified, but {} is not an aggregate function", name, name),
        {.sqlstate = "42809", .location = call.location});
  }
  return Status::OK();
}

bool SameOrder(const std::vector<SortKey>& a, const std::vector<SortKey>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const SortKey& x, const SortKey& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first &&
           Equal(*x.expr, *y.expr);
  });
}

bool SamePlace(const WindowUse& a, const WindowUse& b) {
  const auto bounds = [](const WindowCall& call) {
    return std::span(call.args).last(call.by_value ? 3 : 0);
  };
  const auto same = [](const ExprPtr& x, const ExprPtr& y) { return Equal(*x, *y); };
  return a.frame == b.frame && std::ranges::equal(bounds(a.call), bounds(b.call), same) &&
         std::equal(a.partition.begin(), a.partition.end(), b.partition.begin(), b.partition.end(),
                    [](const ExprPtr& x, const ExprPtr& y) { return Equal(*x, *y); }) &&
         SameOrder(a.order, b.order);
}

// The rows of a bound: constant, not negative.
Result<int64_t> FrameOffset(const Node* node, const TextSettings& settings, const ExprPtr& bound,
                            std::string_view which) {
  if (!IsConstant(*bound)) {
    return NotSupported("a frame offset that is not a constant is not supported", LocationOf(node));
  }
  LEAT_ASSIGN(ExprPtr number, Coerce(bound, Type(TypeId::kInt8), CastContext::kImplicit, settings));
  LEAT_ASSIGN(auto scalar, EvaluateConstant(*number, {}));
  if (!scalar->is_valid) {
    return SqlStatus(fmt::format("frame {} offset must not be null", which),
                     {.sqlstate = "22004", .location = LocationOf(node)});
  }
  const int64_t rows = static_cast<const arrow::Int64Scalar&>(*scalar).value;
  if (rows < 0) {
    return SqlStatus(fmt::format("frame {} offset must not be negative", which),
                     {.sqlstate = "22013", .location = LocationOf(node)});
  }
  return rows;
}

// Whether the function takes these arguments, as far as their number and kind go.
bool TakesArgs(WindowFunction function, const std::vector<ExprPtr>& args) {
  const auto is = [&](size_t at, TypeId type) {
    return CanCast(args[at]->type, Type(type), CastContext::kImplicit);
  };
  switch (function) {
    case WindowFunction::kRowNumber:
    case WindowFunction::kRank:
    case WindowFunction::kDenseRank:
    case WindowFunction::kPercentRank:
    case WindowFunction::kCumeDist:
      return args.empty();
    case WindowFunction::kNtile:
      return args.size() == 1 && is(0, TypeId::kInt4);
    case WindowFunction::kNthValue:
      return args.size() == 2 && is(1, TypeId::kInt4);
    case WindowFunction::kFirstValue:
    case WindowFunction::kLastValue:
      return args.size() == 1;
    case WindowFunction::kEma:
      return args.size() == 2 && is(0, TypeId::kFloat8) && is(1, TypeId::kInt8);
    case WindowFunction::kSession:
      return args.size() == 2 && is(1, TypeId::kInterval) &&
             (args[0]->type.id == TypeId::kTimestamp || args[0]->type.id == TypeId::kTimestamptz);
    default:  // lag, lead
      return !args.empty() && args.size() <= 3 && (args.size() < 2 || is(1, TypeId::kInt4));
  }
}

const PgQuery__WindowDef* FindWindow(const PgQuery__SelectStmt* select, std::string_view name) {
  if (select == nullptr) return nullptr;
  for (const Node* node : Items(select->n_window_clause, select->window_clause)) {
    if (node->window_def->name == name) return node->window_def;
  }
  return nullptr;
}

// Whether an aggregate without a window function of its own can be asked over frames.
Status CheckAggregate(const std::string& name, const Aggregate& aggregate, int location) {
  if (aggregate.within_group) {
    return NotSupported(fmt::format("OVER is not supported for ordered-set aggregate {}", name),
                        location);
  }
  using Pick = Aggregate::Pick;
  if (aggregate.pick == Pick::kFirst || aggregate.pick == Pick::kLast) {
    return NotSupported(fmt::format("{} over a window is not supported", name), location,
                        fmt::format("Write {}_value(x) OVER (…).", name));
  }
  return Status::OK();
}

Status UnknownWindow(std::string_view name, int location) {
  return SqlStatus(fmt::format("window \"{}\" does not exist", name),
                   {.sqlstate = "42704", .location = location});
}

Status CannotOverride(std::string_view what, std::string_view name, int location) {
  return SqlStatus(fmt::format("cannot override {} clause of window \"{}\"", what, name),
                   {.sqlstate = "42P20", .location = location});
}

}  // namespace

// What a frame by value computes with: the key in the type that its bounds have.
Result<ExprPtr> Binder::RangeKey(const ExprPtr& key, int location) const {
  switch (key->type.id) {
    case TypeId::kInt2:
    case TypeId::kInt4:
      return Coerce(key, Type(TypeId::kInt8), CastContext::kImplicit, settings_);
    case TypeId::kInt8:  // whose bounds may lie outside
    case TypeId::kNumeric:
      return Coerce(key, Type(TypeId::kNumeric), CastContext::kImplicit, settings_);
    case TypeId::kFloat4:
      return Coerce(key, Type(TypeId::kFloat8), CastContext::kImplicit, settings_);
    case TypeId::kDate:
      return Coerce(key, Type(TypeId::kTimestamp), CastContext::kImplicit, settings_);
    case TypeId::kTime:
      return Coerce(key, Type(TypeId::kInterval), CastContext::kImplicit, settings_);
    case TypeId::kFloat8:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
    case TypeId::kInterval:
      return key;
    default:
      return SqlStatus(fmt::format("RANGE with offset PRECEDING/FOLLOWING is not supported for "
                                   "column type {}",
                                   PlainName(key->type)),
                       {.sqlstate = "0A000", .location = location});
  }
}

// By how much a frame's bound lies off the key: constant, not negative.
Result<ExprPtr> Binder::RangeOffset(const Node* node, const Type& key, std::string_view which) {
  ExprContext context;
  context.clause = Clause::kWindow;
  LEAT_ASSIGN(ExprPtr offset, BindExpr(node, context));
  const int location = LocationOf(node);
  if (!IsConstant(*offset)) {
    return NotSupported("a frame offset that is not a constant is not supported", location);
  }
  const bool time =
      key.id == TypeId::kTimestamp || key.id == TypeId::kTimestamptz || key.id == TypeId::kInterval;
  const Type wanted = time ? Type(TypeId::kInterval) : key;
  if (!CanCast(offset->type, wanted, CastContext::kImplicit)) {
    return SqlStatus(fmt::format("RANGE with offset PRECEDING/FOLLOWING is not supported for "
                                 "column type {} and offset type {}",
                                 PlainName(key), PlainName(offset->type)),
                     {.sqlstate = "0A000",
                      .location = location,
                      .hint = "Cast the offset value to an appropriate type."});
  }
  LEAT_ASSIGN(offset, Coerce(offset, wanted, CastContext::kImplicit, settings_));
  LEAT_ASSIGN(auto value, EvaluateConstant(*offset, {}));
  if (!value->is_valid) {
    return SqlStatus(fmt::format("frame {} offset must not be null", which),
                     {.sqlstate = "22004", .location = location});
  }
  LEAT_ASSIGN(ExprPtr zero, Coerce(LiteralExpr(std::make_shared<arrow::StringScalar>("0"),
                                               Type(TypeId::kUnknown)),
                                   wanted, CastContext::kImplicit, settings_));
  LEAT_ASSIGN(ExprPtr negative, ApplyOperator("<", {offset, std::move(zero)}, location));
  LEAT_ASSIGN(auto is_negative, EvaluateConstant(*negative, {}));
  if (static_cast<const arrow::BooleanScalar&>(*is_negative).value) {
    return SqlStatus("invalid preceding or following size in window function",
                     {.sqlstate = "22013", .location = location});
  }
  return offset;
}

// The bounds of a frame by value, for WindowCall::by_value.
Status Binder::BindValueBounds(const PgQuery__WindowDef& definition, WindowUse* use) {
  const int options = definition.frame_options;
  if (use->order.size() != 1) {
    return SqlStatus("RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
                     {.sqlstate = "42P20", .location = definition.location});
  }
  LEAT_ASSIGN(const ExprPtr key, RangeKey(use->order[0].expr, definition.location));
  std::array<ExprPtr, 3> bounds = {key, key, key};
  const auto bound = [&](const Node* node, bool following, std::string_view which,
                         ExprPtr* out) -> Status {
    LEAT_ASSIGN(ExprPtr offset, RangeOffset(node, key->type, which));
    // What precedes in a descending order is greater.
    const bool plus = following != use->order[0].descending;
    LEAT_ASSIGN(*out, ApplyOperator(plus ? "+" : "-", {key, std::move(offset)}, LocationOf(node)));
    return Status::OK();
  };
  if ((options & (kStartPreceding | kStartFollowing)) != 0) {
    LEAT_RETURN(
        bound(definition.start_offset, (options & kStartFollowing) != 0, "starting", &bounds[1]));
    use->frame.preceding = 1;
  }
  if ((options & (kEndPreceding | kEndFollowing)) != 0) {
    LEAT_RETURN(bound(definition.end_offset, (options & kEndFollowing) != 0, "ending", &bounds[2]));
    use->frame.following = 1;
  }
  use->bounds.assign(bounds.begin(), bounds.end());
  return Status::OK();
}

Status Binder::BindRange(const PgQuery__WindowDef& definition, WindowUse* use) {
  const int options = definition.frame_options;
  RowFrame& frame = use->frame;
  frame.range = true;
  frame.preceding = (options & kStartUnbounded) != 0 ? RowFrame::kUnbounded : 0;
  frame.following = (options & kEndUnbounded) != 0 ? RowFrame::kUnbounded : 0;
  if ((options & (kStartPreceding | kEndPreceding | kStartFollowing | kEndFollowing)) != 0) {
    return BindValueBounds(definition, use);
  }
  // Without ORDER BY all rows of the partition are peers: the frame is the partition.
  if (use->order.empty()) {
    frame.preceding = frame.following = RowFrame::kUnbounded;
    frame.range = false;
  }
  if (frame.preceding == RowFrame::kUnbounded && frame.following == RowFrame::kUnbounded) {
    frame.range = false;
  }
  return Status::OK();
}

Status Binder::BindFrame(const PgQuery__WindowDef& definition, WindowUse* use) {
  const int options = definition.frame_options;
  RowFrame& frame = use->frame;
  frame = RowFrame{};
  using Exclude = RowFrame::Exclude;
  frame.exclude = (options & kExcludeCurrentRow) != 0 ? Exclude::kCurrentRow
                  : (options & kExcludeGroup) != 0    ? Exclude::kGroup
                  : (options & kExcludeTies) != 0     ? Exclude::kTies
                                                      : Exclude::kNothing;
  if ((options & kRange) != 0) return BindRange(definition, use);
  frame.groups = (options & kGroups) != 0;
  if (frame.groups && use->order.empty()) {
    return SqlStatus("GROUPS mode requires an ORDER BY clause",
                     {.sqlstate = "42P20", .location = definition.location});
  }
  const auto bound = [&](const Node* node, std::string_view which) -> Result<int64_t> {
    ExprContext context;
    context.clause = Clause::kWindow;
    LEAT_ASSIGN(ExprPtr expr, BindExpr(node, context));
    return FrameOffset(node, settings_, expr, which);
  };
  if ((options & kStartUnbounded) == 0) {
    frame.preceding = 0;
    if ((options & (kStartPreceding | kStartFollowing)) != 0) {
      LEAT_ASSIGN(frame.preceding, bound(definition.start_offset, "starting"));
      if ((options & kStartFollowing) != 0) frame.preceding = -frame.preceding;
    }
  }
  frame.following = (options & kEndUnbounded) != 0 ? RowFrame::kUnbounded : 0;
  if ((options & (kEndPreceding | kEndFollowing)) != 0) {
    LEAT_ASSIGN(frame.following, bound(definition.end_offset, "ending"));
    if ((options & kEndPreceding) != 0) frame.following = -frame.following;
  }
  return Status::OK();
}

// Fills in partition, order and frame; a named window is looked up and completed.
Status Binder::BindWindowPlace(const PgQuery__WindowDef& definition, const ExprContext& inside,
                               WindowUse* use) {
  const std::string_view name = definition.name;     // OVER w
  const std::string_view base = definition.refname;  // OVER (w …)
  if (!name.empty() && definition.n_partition_clause == 0 && definition.n_order_clause == 0 &&
      base.empty() && (definition.frame_options & kNonDefault) == 0) {
    const PgQuery__WindowDef* found = FindWindow(inside.select, name);
    if (found != nullptr && found != &definition) return BindWindowPlace(*found, inside, use);
    if (found == nullptr) return UnknownWindow(name, definition.location);
  }
  if (!base.empty()) {
    const PgQuery__WindowDef* found = FindWindow(inside.select, base);
    if (found == nullptr || found == &definition) return UnknownWindow(base, definition.location);
    if (definition.n_partition_clause > 0) {
      return CannotOverride("PARTITION BY", base, definition.location);
    }
    LEAT_RETURN(BindWindowPlace(*found, inside, use));
    if (definition.n_order_clause > 0 && !use->order.empty()) {
      return CannotOverride("ORDER BY", base, definition.location);
    }
    if ((found->frame_options & kNonDefault) != 0) {
      return SqlStatus(fmt::format("cannot copy window \"{}\" because it has a frame clause", base),
                       {.sqlstate = "42P20", .location = definition.location});
    }
  }
  for (const Node* node : Items(definition.n_partition_clause, definition.partition_clause)) {
    LEAT_ASSIGN(ExprPtr expr, BindValue(node, inside));
    use->partition.push_back(std::move(expr));
  }
  for (const Node* node : Items(definition.n_order_clause, definition.order_clause)) {
    const PgQuery__SortBy& sort = *node->sort_by;
    SortKey key;
    LEAT_ASSIGN(key.expr, BindValue(sort.node, inside));
    key.descending = sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    key.nulls_first = sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT
                          ? key.descending
                          : sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
    use->order.push_back(std::move(key));
  }
  use->bounds.clear();
  return BindFrame(definition, use);
}

Status Binder::BindWindowFunction(const std::string& name, const PgQuery__FuncCall& call,
                                  const ExprContext& inside, WindowUse* use) {
  WindowCall& out = use->call;
  LEAT_ASSIGN(auto args, BindExprs(Items(call.n_args, call.args), inside));
  if (!TakesArgs(out.function, args)) {
    std::string types;
    for (const ExprPtr& arg : args) types += (types.empty() ? "" : ", ") + PlainName(arg->type);
    return SqlStatus(fmt::format("function {}({}) does not exist", name, types),
                     {.sqlstate = kUndefinedFunction,
                      .location = call.location,
                      .hint = "No function matches the given name and argument types. You might "
                              "need to add explicit type casts."});
  }
  if (args.empty()) {
    const bool share =
        out.function == WindowFunction::kPercentRank || out.function == WindowFunction::kCumeDist;
    out.result = Type(share ? TypeId::kFloat8 : TypeId::kInt8);
    return Status::OK();
  }
  if (out.function == WindowFunction::kNtile) {
    LEAT_ASSIGN(args[0], Coerce(args[0], Type(TypeId::kInt4), CastContext::kImplicit, settings_));
    out.result = Type(TypeId::kInt4);
    out.args = std::move(args);
    return Status::OK();
  }
  if (out.function == WindowFunction::kSession) {
    LEAT_ASSIGN(args[1],
                Coerce(args[1], Type(TypeId::kInterval), CastContext::kImplicit, settings_));
    out.result = args[0]->type;
    out.args = std::move(args);
    return Status::OK();
  }
  const bool ema = out.function == WindowFunction::kEma;
  if (ema && !IsConstant(*args[1])) {
    return NotSupported("the length of ema must be a constant", args[1]->location);
  }
  LEAT_ASSIGN(args[0],
              ema ? Coerce(args[0], Type(TypeId::kFloat8), CastContext::kImplicit, settings_)
                  : ResolveUnknown(args[0], settings_));
  if (args.size() > 1) {
    const Type number(ema ? TypeId::kInt8 : TypeId::kInt4);
    LEAT_ASSIGN(args[1], Coerce(args[1], number, CastContext::kImplicit, settings_));
  }
  if (args.size() > 2) {
    // lag(anycompatible, integer, anycompatible): the value and its default agree on a type.
    LEAT_ASSIGN(auto pair, CoerceAll({args[0], args[2]}, name, call.location));
    args[0] = pair[0];
    args[2] = pair[1];
  }
  out.result = args[0]->type;
  out.args = std::move(args);
  return Status::OK();
}

namespace {

// Sessions are of rows in the order of their time, said or not.
Status OrderSession(WindowUse* use) {
  if (use->order.empty()) use->order.push_back({.expr = use->call.args[0]});
  const SortKey& key = use->order[0];
  if (Equal(*key.expr, *use->call.args[0]) && !key.descending && !key.nulls_first) {
    return Status::OK();
  }
  return NotSupported("a session in another order than that of its time", use->location,
                      "Leave the ORDER BY out.");
}

}  // namespace

Result<ExprPtr> Binder::BindWindowCall(const std::string& name, const PgQuery__FuncCall& call,
                                       const ExprContext& context) {
  constexpr NamedFunction kAny{"", WindowFunction::kAggregate, true};
  const NamedFunction* found = FindFunction(name);
  const NamedFunction* known = found == nullptr ? &kAny : found;
  LEAT_RETURN(CheckCall(name, call, IsAggregating(known->function)));
  WindowUse use;
  use.name = name;
  use.location = call.location;
  use.call.function = known->function;
  ExprContext inside = context;
  inside.in_window = true;
  if (IsAggregating(known->function)) {
    LEAT_ASSIGN(AggregateCall bound, BindAggregateCall(name, call, inside));
    const bool summed =
        known->function == WindowFunction::kSum || known->function == WindowFunction::kAvg;
    const bool other = found == nullptr || (summed && !bound.args[0]->type.is_numeric());
    if (other) {
      LEAT_RETURN(CheckAggregate(name, *bound.aggregate, call.location));
      use.call.function = WindowFunction::kAggregate;
      use.call.aggregate = bound.aggregate;
    }
    use.call.args = std::move(bound.args);
    use.call.filter = std::move(bound.filter);
    use.call.result = bound.result;
  } else {
    LEAT_RETURN(BindWindowFunction(name, call, inside, &use));
  }
  inside.clause = Clause::kWindow;
  LEAT_RETURN(BindWindowPlace(*call.over, inside, &use));
  if (use.call.function == WindowFunction::kSession) LEAT_RETURN(OrderSession(&use));
  if (!known->framed) {
    use.frame = RowFrame{};
    use.bounds.clear();
  }
  use.call.by_value = !use.bounds.empty();
  use.call.args.insert(use.call.args.end(), use.bounds.begin(), use.bounds.end());
  use.bounds.clear();
  const bool ranks =
      use.call.function == WindowFunction::kRank || use.call.function == WindowFunction::kDenseRank;
  if (ranks && use.order.empty()) return WithLocation(Int8Literal(1), call.location);
  const bool share = use.call.function == WindowFunction::kPercentRank ||
                     use.call.function == WindowFunction::kCumeDist;
  if (share && use.order.empty()) {  // all rows are peers
    return WithLocation(LiteralExpr(std::make_shared<arrow::DoubleScalar>(
                                        use.call.function == WindowFunction::kCumeDist ? 1 : 0),
                                    Type(TypeId::kFloat8)),
                        call.location);
  }
  const bool whole =
      use.frame.preceding == RowFrame::kUnbounded && use.frame.following == RowFrame::kUnbounded;
  use.needs_order = use.order.empty() && (!IsAggregating(known->function) || !whole);
  auto& windows = context.collected->windows;
  const Type result = use.call.result;
  windows.push_back(std::move(use));
  return ColumnAt(kWindowBase + static_cast<int>(windows.size()) - 1, result, call.location);
}

// Stacks a node for every different place; places[i] is the column of windows[i]. row_number alone
// comes last, on top, where a filter over it becomes kTop.
Result<LogicalPtr> Binder::BuildWindows(LogicalPtr plan, const std::vector<WindowUse>& windows,
                                        std::vector<int>* places) {
  for (const WindowUse& use : windows) {
    if (!use.needs_order || HasSeq(*plan)) continue;
    return NotSupported(
        fmt::format("{} OVER without ORDER BY needs rows in their order of arrival", use.name),
        use.location,
        "Above a join, an aggregate or DISTINCT rows have no order: write OVER (ORDER BY …).");
  }
  places->assign(windows.size(), -1);
  for (const bool numbers : {false, true}) {
    for (size_t i = 0; i < windows.size(); ++i) {
      const auto is_number = [](const WindowUse& use) {
        return use.call.function == WindowFunction::kRowNumber;
      };
      if ((*places)[i] >= 0 || is_number(windows[i]) != numbers) continue;
      WindowParts parts{windows[i].partition, windows[i].order, windows[i].frame, {}, {}};
      for (size_t j = i; j < windows.size(); ++j) {
        if (is_number(windows[j]) != numbers || !SamePlace(windows[i], windows[j])) continue;
        (*places)[j] = plan->schema.size() + static_cast<int>(parts.calls.size());
        parts.calls.push_back(windows[j].call);
        parts.names.push_back(windows[j].name);
      }
      plan = WindowOn(std::move(plan), std::move(parts));
    }
  }
  return plan;
}

}  // namespace leat
