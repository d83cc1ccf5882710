// What reads the clock goes into kMoving nodes: every expression of another node that does becomes
// a column that one computes below it.
#include <algorithm>

#include "func/clock_motion.h"
#include "plan/rules.h"
#include "sql/build.h"

namespace leat {
namespace {

using Exprs = std::vector<ExprPtr>;

bool AnyReadsClock(const Exprs& exprs) {
  return std::any_of(exprs.begin(), exprs.end(),
                     [](const ExprPtr& expr) { return expr && ReadsClock(*expr); });
}

std::shared_ptr<Logical> Copied(const Logical& node, std::vector<LogicalPtr> children) {
  auto copy = std::make_shared<Logical>(node);
  copy->children = std::move(children);
  return copy;
}

Exprs ColumnsOf(const Schema& schema) {
  Exprs columns;
  for (int i = 0; i < schema.size(); ++i) {
    columns.push_back(ColumnExpr(i, schema.columns[static_cast<size_t>(i)].type));
  }
  return columns;
}

bool IsBare(const Exprs& exprs) {
  return std::all_of(exprs.begin(), exprs.end(),
                     [](const ExprPtr& expr) { return expr->kind == ExprKind::kColumn; });
}

// What is refused must be refused when planned, not when the operator is made.
Status CheckMoves(const Exprs& exprs) {
  for (const ExprPtr& expr : exprs) {
    if (expr && ReadsClock(*expr)) LEAT_RETURN(ClockMotion::Of(expr).status());
  }
  return Status::OK();
}

// The node over its input's columns that it reads alone: what it keeps is those.
LogicalPtr Narrowed(std::shared_ptr<Logical> moving) {
  const LogicalPtr& child = moving->children[0];
  std::vector<bool> used(child->schema.columns.size(), false);
  for (const ExprPtr& expr : moving->exprs) MarkColumns(*expr, &used);
  if (moving->residual) MarkColumns(*moving->residual, &used);
  const auto count = std::count(used.begin(), used.end(), true);
  if (count == 0 || count == std::ssize(used)) return moving;
  Exprs kept, to(used.size());
  std::vector<std::string> names;
  for (size_t i = 0; i < used.size(); ++i) {
    const Column& column = child->schema.columns[i];
    if (!used[i]) continue;
    to[i] = ColumnExpr(static_cast<int>(kept.size()), column.type);
    kept.push_back(ColumnExpr(static_cast<int>(i), column.type));
    names.push_back(column.name);
  }
  for (ExprPtr& expr : moving->exprs) expr = ReplaceColumns(expr, to);
  if (moving->residual) moving->residual = ReplaceColumns(moving->residual, to);
  moving->children = {ProjectOn(child, std::move(kept), names)};
  return moving;
}

// `exprs` under the columns of `schema` over the rows of `child`. One node where that is one too.
Result<LogicalPtr> Moved(const LogicalPtr& child, Exprs exprs, const Schema& schema) {
  auto moving = std::make_shared<Logical>();
  moving->kind = LogicalKind::kMoving;
  moving->schema = schema;
  moving->exprs = std::move(exprs);
  moving->children = {child};
  if (child->kind == LogicalKind::kMoving) {
    if (!child->exprs.empty()) {
      for (ExprPtr& expr : moving->exprs) expr = ReplaceColumns(expr, child->exprs);
    }
    moving->residual = child->residual;
    moving->children = child->children;
  } else if (child->kind == LogicalKind::kProject && IsBare(child->exprs)) {
    for (ExprPtr& expr : moving->exprs) expr = ReplaceColumns(expr, child->exprs);
    moving->children = child->children;
  }
  LEAT_RETURN(CheckMoves(moving->exprs));
  return Narrowed(std::move(moving));
}

Result<LogicalPtr> Filtered(const LogicalPtr& child, const ExprPtr& predicate) {
  Exprs still, moving;
  for (const ExprPtr& conjunct : ConjunctsOf(predicate)) {
    (ReadsClock(*conjunct) ? moving : still).push_back(conjunct);
  }
  LogicalPtr below = FilterOn(child, Conjunction(std::move(still)));
  if (moving.empty()) return below;
  LEAT_RETURN(CheckMoves(moving));
  auto node = std::make_shared<Logical>();
  node->kind = LogicalKind::kMoving;
  node->schema = child->schema;
  node->residual = Conjunction(std::move(moving));
  node->children = {std::move(below)};
  return node;
}

// Collects expressions over a node's input that are to become columns of it.
class Hoist {
 public:
  explicit Hoist(LogicalPtr input)
      : input_(std::move(input)), exprs_(ColumnsOf(input_->schema)), schema_(input_->schema) {}

  // The expression itself if it does not read the clock, else the column that has its value.
  ExprPtr Out(const ExprPtr& expr) {
    if (!expr || !ReadsClock(*expr)) return expr;
    for (size_t i = 0; i < exprs_.size(); ++i) {
      if (Equal(*exprs_[i], *expr)) return ColumnExpr(static_cast<int>(i), expr->type);
    }
    exprs_.push_back(expr);
    schema_.columns.push_back({fmt::format("moving{}", more()), expr->type, true});
    return ColumnExpr(static_cast<int>(exprs_.size()) - 1, expr->type);
  }
  int more() const { return static_cast<int>(exprs_.size()) - input_->schema.size(); }
  Result<LogicalPtr> Finish() const {
    if (more() == 0) return input_;
    return Moved(input_, exprs_, schema_);
  }

 private:
  const LogicalPtr input_;
  Exprs exprs_;
  Schema schema_;
};

// A row of constants that move, and as many such rows as there are.
Result<LogicalPtr> MoveValues(const LogicalPtr& node) {
  if (std::none_of(node->rows.begin(), node->rows.end(), AnyReadsClock)) return node;
  std::vector<LogicalPtr> rows;
  for (const Exprs& row : node->rows) {
    LEAT_ASSIGN(auto moved, Moved(ValuesOf({}, {{}}), row, node->schema));
    rows.push_back(std::move(moved));
  }
  return rows.size() == 1 ? rows[0] : UnionAllOf(std::move(rows));
}

Result<LogicalPtr> MoveProject(const Logical& node, const LogicalPtr& child) {
  const bool moving = AnyReadsClock(node.exprs);
  // What is kept of a row is what is shown of it.
  const bool filter = child->kind == LogicalKind::kMoving && child->exprs.empty();
  if (!moving && !filter) return Copied(node, {child});
  return Moved(child, node.exprs, node.schema);
}

Result<LogicalPtr> MoveAggregate(const Logical& node, const LogicalPtr& child) {
  Hoist hoist(child);
  auto copy = Copied(node, {});
  for (ExprPtr& key : copy->exprs) key = hoist.Out(key);
  for (AggregateCall& call : copy->calls) {
    for (ExprPtr& arg : call.args) arg = hoist.Out(arg);
    call.filter = hoist.Out(call.filter);
  }
  LEAT_ASSIGN(auto input, hoist.Finish());
  if (input->kind == LogicalKind::kMoving && hoist.more() == 0 && input->exprs.empty()) {
    // count(*) reads no column: of the rows of a filter none is kept.
    std::vector<bool> used(input->schema.columns.size(), false);
    for (const ExprPtr& key : copy->exprs) MarkColumns(*key, &used);
    for (const AggregateCall& call : copy->calls) {
      for (const ExprPtr& arg : call.args) MarkColumns(*arg, &used);
      if (call.filter) MarkColumns(*call.filter, &used);
    }
    if (std::none_of(used.begin(), used.end(), [](bool one) { return one; })) {
      LEAT_ASSIGN(input, Moved(input, {BoolLiteral(true)}, {{{"row", TypeId::kBool, false}}}));
    }
  }
  if (hoist.more() == 0) {
    copy->children = {input};
    return copy;
  }
  copy->children = {input};
  return NarrowAggregates(copy);
}

// The node's own columns out of those of a node over an input that has `more` columns behind its
// `width`.
LogicalPtr WithoutMore(LogicalPtr node, int width, int more) {
  if (more == 0) return node;
  Exprs exprs;
  std::vector<std::string> names;
  for (int i = 0; i < node->schema.size(); ++i) {
    if (i >= width && i < width + more) continue;
    const Column& column = node->schema.columns[static_cast<size_t>(i)];
    exprs.push_back(ColumnExpr(i, column.type));
    names.push_back(column.name);
  }
  return ProjectOn(std::move(node), std::move(exprs), names);
}

// kTop, kWindow, kUnnest: their input's columns, then their own.
Result<LogicalPtr> MoveBeside(const Logical& node, const LogicalPtr& child) {
  Hoist hoist(child);
  auto copy = Copied(node, {});
  for (ExprPtr& expr : copy->exprs) expr = hoist.Out(expr);
  for (SortKey& key : copy->order) key.expr = hoist.Out(key.expr);
  for (WindowCall& call : copy->windows) {
    for (ExprPtr& arg : call.args) arg = hoist.Out(arg);
    call.filter = hoist.Out(call.filter);
  }
  LEAT_ASSIGN(auto input, hoist.Finish());
  const int width = child->schema.size();
  for (int i = width; i < input->schema.size(); ++i) {
    copy->schema.columns.insert(copy->schema.columns.begin() + i,
                                input->schema.columns[static_cast<size_t>(i)]);
  }
  copy->children = {std::move(input)};
  return WithoutMore(std::move(copy), width, hoist.more());
}

class MoveJoin {
 public:
  MoveJoin(const Logical& node, std::vector<LogicalPtr> children)
      : node_(node),
        children_(std::move(children)),
        width_(children_[0]->schema.size()),
        left_(children_[0]),
        right_(children_[1]) {}

  Result<LogicalPtr> Move() {
    Exprs left_keys, right_keys;
    for (const ExprPtr& key : node_.left_keys) left_keys.push_back(left_.Out(key));
    for (const ExprPtr& key : node_.right_keys) right_keys.push_back(right_.Out(key));
    for (const ExprPtr& conjunct : ConjunctsOf(node_.residual)) LEAT_RETURN(Place(conjunct));
    LEAT_ASSIGN(auto left, left_.Finish());
    LEAT_ASSIGN(auto right, right_.Finish());
    for (ExprPtr& conjunct : residual_) {
      conjunct = MapColumns(conjunct, [&](const Expr& column) {
        return ColumnExpr(PlaceOf(column.column), column.type);
      });
    }
    const bool one_sided = node_.join == JoinType::kSemi || node_.join == JoinType::kAnti;
    LogicalPtr out = JoinOf(left, right,
                            {.type = node_.join,
                             .left_keys = std::move(left_keys),
                             .right_keys = std::move(right_keys),
                             .residual = Conjunction(std::move(residual_)),
                             .null_safe = node_.null_safe});
    if (!one_sided)
      out = WithoutMore(std::move(out), width_ + left_.more() + right_width(), right_.more());
    out = WithoutMore(std::move(out), width_, left_.more());
    return above_.empty() ? out : Filtered(out, Conjunction(std::move(above_)));
  }

 private:
  // Columns of the new sides, until it is known how many the left one has.
  static constexpr int kFromLeft = 1 << 20;
  static constexpr int kFromRight = 2 << 20;

  int right_width() const { return children_[1]->schema.size(); }
  int PlaceOf(int column) const {
    if (column >= kFromRight) return width_ + left_.more() + column - kFromRight;
    if (column >= kFromLeft) return column - kFromLeft;
    return column < width_ ? column : column + left_.more();
  }

  Status Place(const ExprPtr& conjunct) {
    const int all = width_ + right_width();
    if (!ReadsClock(*conjunct)) {
      residual_.push_back(conjunct);
    } else if (UsesOnly(*conjunct, 0, width_)) {
      const ExprPtr column = left_.Out(conjunct);
      residual_.push_back(ColumnExpr(column->column + kFromLeft, column->type));
    } else if (UsesOnly(*conjunct, width_, all)) {
      const ExprPtr column = right_.Out(ShiftColumns(conjunct, -width_));
      residual_.push_back(ColumnExpr(column->column + kFromRight, column->type));
    } else if (node_.join == JoinType::kInner) {
      above_.push_back(conjunct);
    } else {
      return NotSupported("a clock in a condition over both sides of an outer join",
                          conjunct->location,
                          "Compare the clock with the columns of one side, or filter above the "
                          "join.");
    }
    return Status::OK();
  }

  const Logical& node_;
  const std::vector<LogicalPtr> children_;
  const int width_;
  Hoist left_, right_;
  Exprs residual_, above_;
};

// Whether the node itself, not what is below it, reads the clock.
bool Moves(const Logical& node) {
  Exprs all = node.exprs;
  for (const auto* keys : {&node.left_keys, &node.right_keys})
    all.insert(all.end(), keys->begin(), keys->end());
  all.push_back(node.residual);
  for (const SortKey& key : node.order) all.push_back(key.expr);
  for (const WindowCall& call : node.windows) {
    all.insert(all.end(), call.args.begin(), call.args.end());
    all.push_back(call.filter);
  }
  return AnyReadsClock(all);
}

}  // namespace

Result<LogicalPtr> MoveWithClock(const LogicalPtr& node) {
  std::vector<LogicalPtr> children;
  for (const LogicalPtr& child : node->children) {
    LEAT_ASSIGN(auto moved, MoveWithClock(child));
    children.push_back(std::move(moved));
  }
  switch (node->kind) {
    case LogicalKind::kValues:
      return MoveValues(node);
    case LogicalKind::kFilter:
      if (ReadsClock(*node->exprs[0])) return Filtered(children[0], node->exprs[0]);
      break;
    case LogicalKind::kProject:
      return children == node->children && !AnyReadsClock(node->exprs)
                 ? Result<LogicalPtr>(node)
                 : MoveProject(*node, children[0]);
    case LogicalKind::kAggregate:
      return MoveAggregate(*node, children[0]);
    case LogicalKind::kTop:
    case LogicalKind::kWindow:
    case LogicalKind::kUnnest:
      if (Moves(*node)) return MoveBeside(*node, children[0]);
      break;
    case LogicalKind::kJoin:
      if (Moves(*node)) return MoveJoin(*node, std::move(children)).Move();
      break;
    case LogicalKind::kRecursive:
      return NotSupported("WITH RECURSIVE is not supported in a standing query", node->location,
                          "Ask it with SELECT: what it reads may be a materialized view.");
    case LogicalKind::kScan:
    case LogicalKind::kUnionAll:
    case LogicalKind::kDistinct:
    case LogicalKind::kMoving:
      break;
  }
  if (children == node->children) return node;
  return Copied(*node, std::move(children));
}

}  // namespace leat
