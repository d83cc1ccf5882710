#include "sql/build.h"

#include <arrow/scalar.h>

#include <algorithm>

#include "base/check.h"
#include "func/function.h"

namespace leat {
namespace {

std::shared_ptr<Logical> Node1(LogicalKind kind, LogicalPtr child) {
  auto node = std::make_shared<Logical>();
  node->kind = kind;
  node->schema = child->schema;
  node->location = child->location;
  node->children.push_back(std::move(child));
  return node;
}

ExprPtr Literal(std::shared_ptr<arrow::Scalar> value, TypeId type) {
  return LiteralExpr(std::move(value), Type(type));
}

// nullptr for none, the one, or all of them under AND or OR.
ExprPtr Combined(ExprKind kind, std::vector<ExprPtr> args) {
  if (args.empty()) return nullptr;
  if (args.size() == 1) return std::move(args[0]);
  Expr expr;
  expr.kind = kind;
  expr.type = Type(TypeId::kBool);
  expr.location = args[0]->location;
  expr.args = std::move(args);
  return std::make_shared<const Expr>(std::move(expr));
}

bool IsNumber(const Type& type) { return type.id >= TypeId::kInt2 && type.id <= TypeId::kNumeric; }

// left and right of `left = right`, if the sides of the join do: {over left, over right} or nulls.
std::pair<ExprPtr, ExprPtr> KeysOf(const Expr& expr, int left_width, int width) {
  if (expr.kind != ExprKind::kCall || expr.function->name != "=") return {};
  const auto pair = AsKeys(expr.args[0], expr.args[1]);
  if (!pair) return {};
  const auto& [a, b] = *pair;
  const auto left = [&](const ExprPtr& e) { return UsesOnly(*e, 0, left_width); };
  const auto right = [&](const ExprPtr& e) { return UsesOnly(*e, left_width, width); };
  const auto constant = [](const ExprPtr& e) { return UsesOnly(*e, 0, 0); };
  if (constant(a) || constant(b)) return {};
  if (left(a) && right(b)) return {a, ShiftColumns(b, -left_width)};
  if (left(b) && right(a)) return {b, ShiftColumns(a, -left_width)};
  return {};
}

// Whether a projection would give its input's columns, all of them in order, under their names.
bool IsIdentity(const Logical& child, const std::vector<ExprPtr>& exprs,
                const std::vector<std::string>& names) {
  if (exprs.size() != child.schema.columns.size()) return false;
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (exprs[i]->kind != ExprKind::kColumn || exprs[i]->column != static_cast<int>(i))
      return false;
    if (names[i] != child.schema.columns[i].name) return false;
  }
  return true;
}

}  // namespace

ExprPtr ColumnAt(int column, Type type, int location) {
  return WithLocation(ColumnExpr(column, std::move(type)), location);
}

ExprPtr WithLocation(ExprPtr expr, int location) {
  if (expr->location == location) return expr;
  Expr copy = *expr;
  copy.location = location;
  return std::make_shared<const Expr>(std::move(copy));
}

ExprPtr MapColumns(const ExprPtr& expr, const ColumnMap& map) {
  if (expr->kind == ExprKind::kColumn) return map(*expr);
  if (expr->args.empty()) return expr;
  std::vector<ExprPtr> args;
  bool changed = false;
  for (const ExprPtr& arg : expr->args) {
    args.push_back(MapColumns(arg, map));
    changed |= args.back() != arg;
  }
  if (!changed) return expr;
  Expr copy = *expr;
  copy.args = std::move(args);
  return std::make_shared<const Expr>(std::move(copy));
}

ExprPtr ShiftColumns(const ExprPtr& expr, int by) {
  if (by == 0) return expr;
  return MapColumns(expr, [by](const Expr& column) {
    return ColumnAt(column.column + by, column.type, column.location);
  });
}

void VisitExprs(const Expr& expr, const std::function<void(const Expr&)>& visit) {
  visit(expr);
  for (const ExprPtr& arg : expr.args) VisitExprs(*arg, visit);
}

bool UsesBase(const Expr& expr, int base) {
  bool uses = false;
  VisitExprs(expr, [&](const Expr& part) {
    uses |= part.kind == ExprKind::kColumn && BaseOf(part.column) == base;
  });
  return uses;
}

bool UsesOnly(const Expr& expr, int begin, int end) {
  bool only = true;
  VisitExprs(expr, [&](const Expr& part) {
    if (part.kind == ExprKind::kSeq) only = false;
    if (part.kind == ExprKind::kColumn) only &= part.column >= begin && part.column < end;
  });
  return only;
}

bool IsNullable(const Expr& expr, const Schema& input) {
  const auto nullable = [&](const ExprPtr& arg) { return IsNullable(*arg, input); };
  switch (expr.kind) {
    case ExprKind::kColumn:
      return expr.column >= input.size() ||
             input.columns[static_cast<size_t>(expr.column)].nullable;
    case ExprKind::kLiteral:
      return !expr.literal || !expr.literal->is_valid;
    case ExprKind::kCall:
      return !expr.function->name.starts_with("is ");
    case ExprKind::kCoalesce:
      return std::all_of(expr.args.begin(), expr.args.end(), nullable);
    case ExprKind::kCase:
      for (size_t i = 1; i < expr.args.size(); i += 2) {
        if (nullable(expr.args[i])) return true;
      }
      return nullable(expr.args.back());
    case ExprKind::kCast:
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return std::any_of(expr.args.begin(), expr.args.end(), nullable);
    case ExprKind::kSeq:
      return false;
  }
  return true;
}

ExprPtr BoolLiteral(bool value) {
  return Literal(std::make_shared<arrow::BooleanScalar>(value), TypeId::kBool);
}

ExprPtr Int8Literal(int64_t value) {
  return Literal(std::make_shared<arrow::Int64Scalar>(value), TypeId::kInt8);
}

ExprPtr NullLiteral(const Type& type) {
  return LiteralExpr(arrow::MakeNullScalar(ArrowType(type)), type);
}

ExprPtr Conjunction(std::vector<ExprPtr> conjuncts) {
  return Combined(ExprKind::kAnd, std::move(conjuncts));
}

std::vector<ExprPtr> ConjunctsOf(const ExprPtr& expr) {
  if (!expr) return {};
  if (expr->kind != ExprKind::kAnd) return {expr};
  std::vector<ExprPtr> conjuncts;
  for (const ExprPtr& arg : expr->args) {
    for (ExprPtr& part : ConjunctsOf(arg)) conjuncts.push_back(std::move(part));
  }
  return conjuncts;
}

ExprPtr CallOf(std::string_view function, std::vector<ExprPtr> args) {
  std::vector<Type> types;
  for (const ExprPtr& arg : args) types.push_back(arg->type);
  auto resolved = ResolveFunction(function, types, -1);
  LEAT_CHECK(resolved.ok(), "{}", resolved.status().message());
  return CallExpr(resolved->function, std::move(args), resolved->result);
}

ExprPtr EqualityOf(ExprPtr a, ExprPtr b) {
  const Type types[] = {a->type, b->type};
  auto resolved = ResolveOperator("=", types, -1);
  LEAT_CHECK(resolved.ok(), "{}", resolved.status().message());
  return CallExpr(resolved->function, {std::move(a), std::move(b)}, resolved->result);
}

ExprPtr CoalesceOf(std::vector<ExprPtr> args) {
  Expr expr;
  expr.kind = ExprKind::kCoalesce;
  expr.type = args[0]->type;
  expr.args = std::move(args);
  return std::make_shared<const Expr>(std::move(expr));
}

ExprPtr Disjunction(std::vector<ExprPtr> disjuncts) {
  return Combined(ExprKind::kOr, std::move(disjuncts));
}

LogicalPtr ScanOf(std::string relation, Schema schema, bool has_seq, int location) {
  auto node = std::make_shared<Logical>();
  node->kind = LogicalKind::kScan;
  node->relation = std::move(relation);
  node->schema = std::move(schema);
  node->has_seq = has_seq;
  node->location = location;
  for (int i = 0; i < node->schema.size(); ++i) node->columns.push_back(i);
  return node;
}

LogicalPtr ValuesOf(Schema schema, std::vector<std::vector<ExprPtr>> rows) {
  auto node = std::make_shared<Logical>();
  node->kind = LogicalKind::kValues;
  node->schema = std::move(schema);
  node->rows = std::move(rows);
  return node;
}

LogicalPtr FilterOn(LogicalPtr child, ExprPtr predicate) {
  if (!predicate) return child;
  auto node = Node1(LogicalKind::kFilter, std::move(child));
  node->exprs.push_back(std::move(predicate));
  return node;
}

LogicalPtr ProjectOn(LogicalPtr child, std::vector<ExprPtr> exprs,
                     const std::vector<std::string>& names) {
  if (IsIdentity(*child, exprs, names)) return child;
  auto node = Node1(LogicalKind::kProject, child);
  node->schema.columns.clear();
  for (size_t i = 0; i < exprs.size(); ++i) {
    node->schema.columns.push_back(
        {names[i], exprs[i]->type, IsNullable(*exprs[i], child->schema)});
  }
  node->exprs = std::move(exprs);
  return node;
}

LogicalPtr UnnestOn(LogicalPtr child, std::vector<ExprPtr> lists,
                    const std::vector<std::string>& names) {
  auto node = Node1(LogicalKind::kUnnest, std::move(child));
  for (size_t i = 0; i < lists.size(); ++i) {
    node->schema.columns.push_back({names[i], *lists[i]->type.element, true});
  }
  node->exprs = std::move(lists);
  return node;
}

LogicalPtr FirstColumns(LogicalPtr child, int count) {
  if (child->schema.size() == count) return child;
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    const Column& column = child->schema.columns[static_cast<size_t>(i)];
    exprs.push_back(ColumnExpr(i, column.type));
    names.push_back(column.name);
  }
  return ProjectOn(std::move(child), std::move(exprs), names);
}

LogicalPtr UnionAllOf(std::vector<LogicalPtr> children) {
  auto node = std::make_shared<Logical>();
  node->kind = LogicalKind::kUnionAll;
  node->schema = children[0]->schema;
  for (const LogicalPtr& child : children) {
    for (size_t i = 0; i < node->schema.columns.size(); ++i) {
      node->schema.columns[i].nullable |= child->schema.columns[i].nullable;
    }
  }
  node->children = std::move(children);
  return node;
}

LogicalPtr DistinctOf(LogicalPtr child) { return Node1(LogicalKind::kDistinct, std::move(child)); }

LogicalPtr AggregateOn(LogicalPtr child, std::vector<ExprPtr> keys,
                       std::vector<AggregateCall> calls, const std::vector<std::string>& names) {
  auto node = Node1(LogicalKind::kAggregate, child);
  node->schema.columns.clear();
  for (const ExprPtr& key : keys) {
    const bool column = key->kind == ExprKind::kColumn && key->column < child->schema.size();
    const std::string name = column ? child->schema.columns[static_cast<size_t>(key->column)].name
                                    : fmt::format("key{}", node->schema.size() + 1);
    node->schema.columns.push_back({name, key->type, IsNullable(*key, child->schema)});
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    const bool count = calls[i].aggregate->name == "count";
    node->schema.columns.push_back({names[i], calls[i].result, !count});
  }
  node->exprs = std::move(keys);
  node->calls = std::move(calls);
  return node;
}

LogicalPtr JoinOf(LogicalPtr left, LogicalPtr right, JoinParts parts) {
  auto node = Node1(LogicalKind::kJoin, left);
  const JoinType type = parts.type;
  const bool left_null = type == JoinType::kRight || type == JoinType::kFull;
  const bool right_null = type == JoinType::kLeft || type == JoinType::kFull;
  for (Column& column : node->schema.columns) column.nullable |= left_null;
  if (type != JoinType::kSemi && type != JoinType::kAnti) {
    for (Column column : right->schema.columns) {
      column.nullable |= right_null;
      node->schema.columns.push_back(std::move(column));
    }
  }
  node->children.push_back(std::move(right));
  node->join = type;
  node->left_keys = std::move(parts.left_keys);
  node->right_keys = std::move(parts.right_keys);
  node->residual = std::move(parts.residual);
  node->null_safe = std::move(parts.null_safe);
  return node;
}

std::optional<std::pair<ExprPtr, ExprPtr>> AsKeys(ExprPtr a, ExprPtr b) {
  if (a->type == b->type) return std::make_pair(std::move(a), std::move(b));
  // The same type but for the modifier is compared without one, numbers as the wider of the two.
  Type common(a->type.id);
  if (a->type.id != b->type.id) {
    if (!IsNumber(a->type) || !IsNumber(b->type)) return std::nullopt;
    const Type types[] = {a->type, b->type};
    auto wider = CommonType(types, "=", -1);
    if (!wider.ok()) return std::nullopt;
    common = Type(wider->id);
  } else if (common.id == TypeId::kArray) {
    return std::nullopt;
  }
  for (ExprPtr* side : {&a, &b}) {
    if (!((*side)->type == common)) *side = CastExpr(*side, common, CastContext::kImplicit);
  }
  return std::make_pair(std::move(a), std::move(b));
}

JoinParts SplitJoin(JoinType type, const std::vector<ExprPtr>& conjuncts, int left_width,
                    int width) {
  JoinParts parts{.type = type};
  std::vector<ExprPtr> residual;
  for (const ExprPtr& conjunct : conjuncts) {
    auto [left, right] = KeysOf(*conjunct, left_width, width);
    if (!left) {
      residual.push_back(conjunct);
      continue;
    }
    parts.left_keys.push_back(std::move(left));
    parts.right_keys.push_back(std::move(right));
  }
  parts.residual = Conjunction(std::move(residual));
  return parts;
}

LogicalPtr TopOf(LogicalPtr child, TopParts parts) {
  auto node = Node1(LogicalKind::kTop, std::move(child));
  node->exprs = std::move(parts.partition);
  node->order = std::move(parts.order);
  node->offset = parts.offset;
  node->limit = parts.limit;
  return node;
}

LogicalPtr WindowOn(LogicalPtr child, WindowParts parts) {
  auto node = Node1(LogicalKind::kWindow, std::move(child));
  for (size_t i = 0; i < parts.calls.size(); ++i) {
    const WindowFunction function = parts.calls[i].function;
    const bool counts =
        function == WindowFunction::kCount || function == WindowFunction::kRowNumber ||
        function == WindowFunction::kRank || function == WindowFunction::kDenseRank ||
        function == WindowFunction::kPercentRank || function == WindowFunction::kCumeDist;
    node->schema.columns.push_back({parts.names[i], parts.calls[i].result, !counts});
  }
  node->exprs = std::move(parts.partition);
  node->order = std::move(parts.order);
  node->frame = parts.frame;
  node->windows = std::move(parts.calls);
  return node;
}

}  // namespace leat
