#include "sql/decorrelate.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "func/function.h"
#include "sql/outer.h"

namespace leat {
namespace {

std::vector<std::string> NamesOf(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  return names;
}

// Columns [begin, end) of a plan.
std::vector<ExprPtr> ColumnsOf(const Logical& plan, int begin, int end) {
  std::vector<ExprPtr> columns;
  for (int i = begin; i < end; ++i) {
    columns.push_back(ColumnExpr(i, plan.schema.columns[static_cast<size_t>(i)].type));
  }
  return columns;
}

void Append(std::vector<ExprPtr> from, std::vector<ExprPtr>* to) {
  for (ExprPtr& expr : from) to->push_back(std::move(expr));
}

// The plan's columns in another order.
LogicalPtr Reordered(const LogicalPtr& plan, const std::vector<ExprPtr>& columns) {
  std::vector<std::string> names;
  for (const ExprPtr& column : columns) {
    names.push_back(plan->schema.columns[static_cast<size_t>(column->column)].name);
  }
  return ProjectOn(plan, columns, names);
}

// The place of the columns that a node adds, [from, from + count), before its last `last` ones.
LogicalPtr WithKeysLast(const LogicalPtr& plan, int keys_begin, int keys) {
  std::vector<ExprPtr> columns = ColumnsOf(*plan, 0, keys_begin);
  Append(ColumnsOf(*plan, keys_begin + keys, plan->schema.size()), &columns);
  Append(ColumnsOf(*plan, keys_begin, keys_begin + keys), &columns);
  return Reordered(plan, columns);
}

std::vector<std::string> CallNames(const Logical& aggregate) {
  std::vector<std::string> names;
  for (size_t i = aggregate.exprs.size(); i < aggregate.schema.columns.size(); ++i) {
    names.push_back(aggregate.schema.columns[i].name);
  }
  return names;
}

bool DependsOnArrival(const AggregateCall& call) {
  using Pick = Aggregate::Pick;
  return call.aggregate->pick == Pick::kFirst || call.aggregate->pick == Pick::kLast;
}

// --- By equality ---------------------------------------------------------------------------------

// Whether no row can make the expression fail: it may be computed for rows that nobody asks for.
bool NeverFails(const Expr& expr) {
  if (expr.kind == ExprKind::kCast && expr.cast != CastContext::kImplicit) return false;
  if (expr.kind == ExprKind::kCall && !expr.function->total) return false;
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return NeverFails(*arg); });
}

bool NeverFail(const std::vector<ExprPtr>& exprs) {
  return std::all_of(exprs.begin(), exprs.end(), [](const ExprPtr& e) { return NeverFails(*e); });
}

bool UsesInner(const Expr& expr) {
  bool inner = false;
  VisitExprs(expr, [&](const Expr& part) {
    inner |= part.kind == ExprKind::kSeq ||
             (part.kind == ExprKind::kColumn && LevelOf(part.column) == 0);
  });
  return inner;
}

bool AnyUsesOuter(const std::vector<ExprPtr>& exprs) {
  return std::any_of(exprs.begin(), exprs.end(), [](const ExprPtr& e) { return UsesOuter(*e); });
}

// A plan whose rows' keys stand behind its columns; left[i], over outer columns alone, equals key
// i.
struct Keyed {
  LogicalPtr plan;
  std::vector<ExprPtr> left;
};

// Splits outer = inner; false if the conjunct is nothing of the sort.
bool AddKey(const ExprPtr& conjunct, std::vector<ExprPtr>* left, std::vector<ExprPtr>* right) {
  if (conjunct->kind != ExprKind::kCall || conjunct->function->name != "=") return false;
  for (const size_t first : {size_t{0}, size_t{1}}) {
    const ExprPtr& a = conjunct->args[first];
    const ExprPtr& b = conjunct->args[1 - first];
    if (!(a->type == b->type) || !UsesOuter(*a) || UsesInner(*a) || UsesOuter(*b) ||
        !UsesInner(*b)) {
      continue;
    }
    left->push_back(a);
    right->push_back(b);
    return true;
  }
  return false;
}

std::optional<Keyed> KeyedFilter(const Logical& filter) {
  std::vector<ExprPtr> rest;
  std::vector<ExprPtr> right;
  Keyed out;
  for (const ExprPtr& conjunct : ConjunctsOf(filter.exprs[0])) {
    if (!UsesOuter(*conjunct)) {
      rest.push_back(conjunct);
    } else if (!AddKey(conjunct, &out.left, &right)) {
      return std::nullopt;
    }
  }
  if (!NeverFail(right) || !NeverFail(rest)) return std::nullopt;
  const LogicalPtr& child = filter.children[0];
  out.plan = FilterOn(child, Conjunction(std::move(rest)));
  std::vector<ExprPtr> exprs = ColumnsOf(*child, 0, child->schema.size());
  std::vector<std::string> names = NamesOf(child->schema);
  for (const ExprPtr& key : right) {
    exprs.push_back(key);
    names.push_back(fmt::format("key{}", exprs.size()));
  }
  out.plan = ProjectOn(out.plan, std::move(exprs), names);
  return out;
}

bool MayBeKeyed(const Logical& node) {
  if (!NeverFail(node.exprs) || AnyUsesOuter(node.exprs)) return false;
  for (const SortKey& key : node.order) {
    if (!NeverFails(*key.expr) || UsesOuter(*key.expr)) return false;
  }
  for (const AggregateCall& call : node.calls) {
    if (!NeverFail(call.args) || AnyUsesOuter(call.args)) return false;
    if (call.filter && (!NeverFails(*call.filter) || UsesOuter(*call.filter))) return false;
  }
  return true;
}

std::optional<Keyed> KeyedPlan(const Logical& node) {
  if (node.children.size() != 1) return std::nullopt;
  const LogicalPtr& child = node.children[0];
  if (node.kind == LogicalKind::kFilter && !IsDependent(*child)) return KeyedFilter(node);
  const bool grouped = node.kind == LogicalKind::kAggregate && !node.exprs.empty();
  const bool known = grouped || node.kind == LogicalKind::kFilter ||
                     node.kind == LogicalKind::kProject || node.kind == LogicalKind::kDistinct ||
                     node.kind == LogicalKind::kTop;
  if (!known || !MayBeKeyed(node)) return std::nullopt;
  std::optional<Keyed> out = KeyedPlan(*child);
  if (!out) return std::nullopt;
  const int width = child->schema.size();
  const int keys = static_cast<int>(out->left.size());
  std::vector<ExprPtr> exprs = node.exprs;
  Append(ColumnsOf(*out->plan, width, width + keys), &exprs);
  switch (node.kind) {
    case LogicalKind::kFilter:
      out->plan = FilterOn(out->plan, node.exprs[0]);
      break;
    case LogicalKind::kDistinct:
      out->plan = DistinctOf(out->plan);
      break;
    case LogicalKind::kTop:
      out->plan = TopOf(out->plan, {exprs, node.order, node.offset, node.limit});
      break;
    case LogicalKind::kProject: {
      std::vector<std::string> names = NamesOf(node.schema);
      for (int i = 0; i < keys; ++i) names.push_back(fmt::format("key{}", names.size() + 1));
      out->plan = ProjectOn(out->plan, std::move(exprs), names);
      break;
    }
    default: {
      const int groups = static_cast<int>(node.exprs.size());
      LogicalPtr grouped_plan = AggregateOn(out->plan, exprs, node.calls, CallNames(node));
      out->plan = WithKeysLast(grouped_plan, groups, keys);
    }
  }
  return out;
}

// --- For every distinct row of arguments ---------------------------------------------------------

// Rewrites a plan so that its rows carry the row of the domain for which they are meant.
class Spread {
 public:
  explicit Spread(LogicalPtr domain) : domain_(std::move(domain)), keys_(domain_->schema.size()) {}

  // The node's columns, then the domain's.
  Result<LogicalPtr> Apply(const LogicalPtr& node) {
    if (!IsDependent(*node)) return Crossed(node);
    switch (node->kind) {
      case LogicalKind::kValues:
        return Rows(*node);
      case LogicalKind::kFilter:
        return Filter(*node);
      case LogicalKind::kUnionAll:
        return UnionAll(*node);
      case LogicalKind::kJoin:
        return Join(*node);
      default:
        return OverOne(*node);
    }
  }

 private:
  LogicalPtr Crossed(const LogicalPtr& node) const { return JoinOf(node, domain_, {}); }

  // An expression over a child of `width` columns: outer columns are behind them now.
  ExprPtr Bound(const ExprPtr& expr, int width) const {
    return MapOuter(expr, [width](const Expr& column) {
      return ColumnAt(column.column - kOuterBase + width, column.type, column.location);
    });
  }
  std::vector<ExprPtr> Bound(std::vector<ExprPtr> exprs, int width) const {
    for (ExprPtr& expr : exprs) expr = Bound(expr, width);
    return exprs;
  }
  std::vector<ExprPtr> Keys(const Logical& plan, int width) const {
    return ColumnsOf(plan, width, width + keys_);
  }

  Result<LogicalPtr> Rows(const Logical& values) {
    std::vector<LogicalPtr> rows;
    std::vector<std::string> names = NamesOf(values.schema);
    for (const std::string& name : NamesOf(domain_->schema)) names.push_back(name);
    for (const auto& row : values.rows) {
      std::vector<ExprPtr> exprs = Bound(row, 0);
      Append(Keys(*domain_, 0), &exprs);
      rows.push_back(ProjectOn(domain_, std::move(exprs), names));
    }
    return rows.size() == 1 ? rows[0] : UnionAllOf(std::move(rows));
  }

  Result<LogicalPtr> Filter(const Logical& filter) {
    const LogicalPtr& child = filter.children[0];
    const int width = child->schema.size();
    const ExprPtr predicate = Bound(filter.exprs[0], width);
    if (!IsDependent(*child)) {
      return JoinOf(child, domain_,
                    SplitJoin(JoinType::kInner, ConjunctsOf(predicate), width, width + keys_));
    }
    LEAT_ASSIGN(LogicalPtr below, Apply(child));
    return FilterOn(std::move(below), predicate);
  }

  Result<LogicalPtr> UnionAll(const Logical& node) {
    std::vector<LogicalPtr> children;
    for (const LogicalPtr& child : node.children) {
      LEAT_ASSIGN(LogicalPtr spread, Apply(child));
      children.push_back(std::move(spread));
    }
    return UnionAllOf(std::move(children));
  }

  Result<LogicalPtr> OverOne(const Logical& node) {
    const int width = node.children[0]->schema.size();
    LEAT_ASSIGN(LogicalPtr below, Apply(node.children[0]));
    std::vector<ExprPtr> exprs = Bound(node.exprs, width);
    std::vector<SortKey> order = node.order;
    for (SortKey& key : order) key.expr = Bound(key.expr, width);
    if (node.kind == LogicalKind::kDistinct) return DistinctOf(std::move(below));
    if (node.kind == LogicalKind::kAggregate) return Aggregate(node, below, std::move(exprs));
    if (node.kind == LogicalKind::kWindow) return Window(node, below, std::move(exprs), order);
    if (node.kind == LogicalKind::kUnnest) {
      std::vector<std::string> elements;
      for (size_t i = static_cast<size_t>(width); i < node.schema.columns.size(); ++i) {
        elements.push_back(node.schema.columns[i].name);
      }
      return WithKeysLast(UnnestOn(std::move(below), std::move(exprs), elements), width, keys_);
    }
    Append(Keys(*below, width), &exprs);
    if (node.kind == LogicalKind::kTop) {
      return TopOf(std::move(below), {std::move(exprs), std::move(order), node.offset, node.limit});
    }
    std::vector<std::string> names = NamesOf(node.schema);
    for (const std::string& name : NamesOf(domain_->schema)) names.push_back(name);
    return ProjectOn(std::move(below), std::move(exprs), names);
  }

  Result<LogicalPtr> Aggregate(const Logical& node, const LogicalPtr& below,
                               std::vector<ExprPtr> groups) {
    const int width = node.children[0]->schema.size();
    const int count = static_cast<int>(groups.size());
    std::vector<AggregateCall> calls = node.calls;
    for (AggregateCall& call : calls) {
      call.args = Bound(call.args, width);
      if (call.filter) call.filter = Bound(call.filter, width);
      if (!DependsOnArrival(call)) continue;
      return NotSupported(fmt::format("{} in a subquery that depends on the rows around it is not "
                                      "supported",
                                      call.aggregate->name),
                          node.location, "Use arg_min(x, y) or arg_max(x, y).");
    }
    Append(Keys(*below, width), &groups);
    LogicalPtr out =
        WithKeysLast(AggregateOn(below, std::move(groups), calls, CallNames(node)), count, keys_);
    if (count > 0) return out;
    // Without GROUP BY there is a row for no rows too.
    JoinParts on{JoinType::kLeft, Keys(*domain_, 0), Keys(*out, node.schema.size()), nullptr,
                 std::vector<bool>(static_cast<size_t>(keys_), true)};
    LogicalPtr all = JoinOf(domain_, out, std::move(on));
    std::vector<ExprPtr> exprs;
    for (size_t i = 0; i < calls.size(); ++i) {
      const auto place = static_cast<int>(i) + keys_;
      LEAT_ASSIGN(ExprPtr answer, OrEmptyAnswer(calls[i], ColumnExpr(place, calls[i].result)));
      exprs.push_back(std::move(answer));
    }
    Append(Keys(*domain_, 0), &exprs);
    return ProjectOn(all, std::move(exprs), NamesOf(out->schema));
  }

  Result<LogicalPtr> Window(const Logical& node, const LogicalPtr& below,
                            std::vector<ExprPtr> partition, const std::vector<SortKey>& order) {
    const int width = node.children[0]->schema.size();
    const bool whole = node.frame.preceding == RowFrame::kUnbounded &&
                       node.frame.following == RowFrame::kUnbounded;
    if (order.empty() && !whole) {
      return NotSupported(
          "a window without ORDER BY in a subquery that depends on the rows around "
          "it is not supported",
          node.location);
    }
    Append(Keys(*below, width), &partition);
    WindowParts parts{std::move(partition), order, node.frame, node.windows, {}};
    for (WindowCall& call : parts.calls) {
      call.args = Bound(call.args, width);
      if (call.filter) call.filter = Bound(call.filter, width);
    }
    for (size_t i = 0; i < parts.calls.size(); ++i) {
      parts.names.push_back(node.schema.columns[static_cast<size_t>(width) + i].name);
    }
    return WithKeysLast(WindowOn(below, std::move(parts)), width, keys_);
  }

  Result<LogicalPtr> Join(const Logical& join);

  const LogicalPtr domain_;
  const int keys_;
};

// A join's condition as conjuncts over left's columns followed by right's; null-safe keys too.
std::vector<ExprPtr> ConditionsOf(const Logical& join, int left_width) {
  std::vector<ExprPtr> conjuncts;
  for (size_t i = 0; i < join.left_keys.size(); ++i) {
    const ExprPtr right = MapColumns(join.right_keys[i], [&](const Expr& column) {
      const int by = LevelOf(column.column) > 0 ? 0 : left_width;
      return ColumnAt(column.column + by, column.type, column.location);
    });
    const bool null_safe = i < join.null_safe.size() && join.null_safe[i];
    conjuncts.push_back(null_safe ? CallOf("is not distinct from", {join.left_keys[i], right})
                                  : EqualityOf(join.left_keys[i], right));
  }
  for (ExprPtr& conjunct : ConjunctsOf(join.residual)) conjuncts.push_back(std::move(conjunct));
  return conjuncts;
}

// Which sides carry the domain: those that depend on it, and the one whose rows stay without match.
Result<LogicalPtr> Spread::Join(const Logical& join) {
  const int left_width = join.children[0]->schema.size();
  const int right_width = join.children[1]->schema.size();
  const JoinType type = join.join;
  std::vector<ExprPtr> conjuncts = ConditionsOf(join, left_width);
  const bool left_only = type == JoinType::kSemi || type == JoinType::kAnti;
  bool of_left = IsDependent(*join.children[0]) || type == JoinType::kLeft ||
                 type == JoinType::kFull || left_only;
  const bool of_right =
      IsDependent(*join.children[1]) || type == JoinType::kRight || type == JoinType::kFull;
  of_left |= !of_right;  // the condition alone depends
  LogicalPtr left = join.children[0];
  LogicalPtr right = join.children[1];
  if (of_left) {
    LEAT_ASSIGN(left, Apply(left));
  }
  if (of_right) {
    LEAT_ASSIGN(right, Apply(right));
  }
  const int right_begin = left->schema.size();
  const int keys_begin = of_left ? left_width : right_begin + right_width;
  for (ExprPtr& conjunct : conjuncts) {
    conjunct = MapColumns(conjunct, [&](const Expr& column) {
      int place = column.column;
      if (LevelOf(place) > 0) {
        place = place - kOuterBase + keys_begin;
      } else if (place >= left_width) {
        place = place - left_width + right_begin;
      }
      return ColumnAt(place, column.type, column.location);
    });
  }
  const int both = right_begin + right->schema.size();
  JoinParts parts = SplitJoin(type, conjuncts, right_begin, both);
  if (of_left && of_right) {
    Append(Keys(*left, left_width), &parts.left_keys);
    Append(Keys(*right, right_width), &parts.right_keys);
    parts.null_safe.resize(parts.left_keys.size() - static_cast<size_t>(keys_), false);
    parts.null_safe.resize(parts.left_keys.size(), true);
  }
  LogicalPtr out = JoinOf(left, right, std::move(parts));
  if (left_only) return out;
  std::vector<ExprPtr> columns = ColumnsOf(*out, 0, left_width);
  Append(ColumnsOf(*out, right_begin, right_begin + right_width), &columns);
  std::vector<std::string> names = NamesOf(join.schema);
  for (int i = 0; i < keys_; ++i) {
    ExprPtr key = ColumnsOf(*out, keys_begin + i, keys_begin + i + 1)[0];
    if (of_left && (type == JoinType::kRight || type == JoinType::kFull)) {
      const int other = right_begin + right_width + i;
      key = CoalesceOf({key, ColumnExpr(other, key->type)});
    }
    columns.push_back(std::move(key));
    names.push_back(domain_->schema.columns[static_cast<size_t>(i)].name);
  }
  return ProjectOn(out, std::move(columns), names);
}

// Equal values that do not look the same (1.0 and 1.00) are rows of their own in the domain.
bool LooksAsItCompares(const Type& type) {
  switch (type.id) {
    case TypeId::kNumeric:
    case TypeId::kFloat4:
    case TypeId::kFloat8:
    case TypeId::kInterval:
    case TypeId::kChar:
    case TypeId::kArray:
      return false;
    default:
      return type.id != TypeId::kJsonb;
  }
}

LogicalPtr DomainOf(const LogicalPtr& around, std::vector<ExprPtr>* args) {
  const size_t count = args->size();
  for (size_t i = 0; i < count; ++i) {
    const ExprPtr arg = (*args)[i];
    if (LooksAsItCompares(arg->type)) continue;
    if (!CanCast(arg->type, Type(TypeId::kText), CastContext::kExplicit)) continue;
    args->push_back(CastExpr(arg, Type(TypeId::kText)));
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < args->size(); ++i) names.push_back(fmt::format("outer{}", i + 1));
  return DistinctOf(ProjectOn(around, *args, names));
}

}  // namespace

Result<Freed> FreeOf(const LogicalPtr& plan, const std::vector<ExprPtr>& args,
                     const LogicalPtr& around) {
  const int width = plan->schema.size();
  Freed freed{plan, width, {.type = JoinType::kLeft}};
  if (!IsDependent(*plan)) return freed;
  if (const auto keyed = KeyedPlan(*plan)) {
    freed.plan = keyed->plan;
    for (const ExprPtr& left : keyed->left) {
      freed.on.left_keys.push_back(MapOuter(left, [&](const Expr& column) {
        return args[static_cast<size_t>(column.column - kOuterBase)];
      }));
    }
  } else {
    std::vector<ExprPtr> all = args;
    Spread spread(DomainOf(around, &all));
    LEAT_ASSIGN(freed.plan, spread.Apply(plan));
    freed.on.left_keys = std::move(all);
    freed.on.null_safe.assign(freed.on.left_keys.size(), true);
  }
  freed.on.right_keys = ColumnsOf(*freed.plan, width, freed.plan->schema.size());
  return freed;
}

Result<ExprPtr> EmptyAnswer(const AggregateCall& call) {
  if (call.aggregate->make == nullptr) return NullLiteral(call.result);
  std::vector<Type> types;
  for (const ExprPtr& arg : call.args) types.push_back(arg->type);
  const auto states = call.aggregate->make(types);
  LEAT_RETURN(states->Resize(1));
  const uint32_t group = 0;
  ErrorMask errors(1);
  LEAT_ASSIGN(auto array, states->Finish({&group, 1}, &errors));
  LEAT_ASSIGN(auto scalar, array->GetScalar(0));
  return LiteralExpr(std::move(scalar), call.result);
}

Result<ExprPtr> OrEmptyAnswer(const AggregateCall& call, ExprPtr column) {
  LEAT_ASSIGN(ExprPtr empty, EmptyAnswer(call));
  if (!empty->literal->is_valid) return column;
  return CoalesceOf({std::move(column), std::move(empty)});
}

}  // namespace leat
