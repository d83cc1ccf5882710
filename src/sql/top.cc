// row_number() … <= n in a WHERE above it: kTop, which keeps n rows a group instead of numbering
// all.
#include <algorithm>

#include "sql/bind.h"

namespace leat {
namespace {

// rn <= n, as n; rn = n, as first = last = n.
struct Bounds {
  int64_t first = 1;
  int64_t last = RowFrame::kUnbounded;
};

std::optional<int64_t> IntegerOf(const Expr& expr) {
  if (expr.kind == ExprKind::kCast) return IntegerOf(*expr.args[0]);
  if (expr.kind != ExprKind::kLiteral || !expr.literal || !expr.literal->is_valid) {
    return std::nullopt;
  }
  if (expr.type.id == TypeId::kInt4) {
    return static_cast<const arrow::Int32Scalar&>(*expr.literal).value;
  }
  if (expr.type.id == TypeId::kInt8) {
    return static_cast<const arrow::Int64Scalar&>(*expr.literal).value;
  }
  return std::nullopt;
}

// What a conjunct says of the column, if that is all it says.
std::optional<Bounds> BoundsOf(const Expr& conjunct, int column) {
  if (conjunct.kind != ExprKind::kCall || conjunct.args.size() != 2) return std::nullopt;
  std::string symbol = conjunct.function->name;
  const Expr* left = conjunct.args[0].get();
  const Expr* right = conjunct.args[1].get();
  if (!(left->kind == ExprKind::kColumn && left->column == column)) {
    std::swap(left, right);
    symbol = symbol == "<"    ? ">"
             : symbol == "<=" ? ">="
             : symbol == ">"  ? "<"
             : symbol == ">=" ? "<="
                              : symbol;
  }
  if (!(left->kind == ExprKind::kColumn && left->column == column)) return std::nullopt;
  const std::optional<int64_t> n = IntegerOf(*right);
  if (!n || *n < 1) return std::nullopt;
  if (symbol == "=") return Bounds{*n, *n};
  if (symbol == "<=") return Bounds{1, *n};
  if (symbol == "<" && *n > 1) return Bounds{1, *n - 1};
  return std::nullopt;
}

// The column of `project` that is the window's `column`, -1 if there is none.
int ProjectedAs(const Logical& project, int column) {
  for (size_t i = 0; i < project.exprs.size(); ++i) {
    const Expr& expr = *project.exprs[i];
    if (expr.kind == ExprKind::kColumn && expr.column == column) return static_cast<int>(i);
  }
  return -1;
}

// The first rows of each group, numbered as before.
LogicalPtr NumberedTop(const Logical& project, const Logical& window, const Bounds& bounds) {
  TopParts top{window.exprs, window.order, bounds.first - 1, bounds.last - bounds.first + 1};
  const LogicalPtr& below = window.children[0];
  const int number = below->schema.size();
  LogicalPtr kept = TopOf(below, std::move(top));
  std::vector<std::string> names;
  for (const Column& column : project.schema.columns) names.push_back(column.name);
  if (bounds.first != bounds.last) {
    kept = WindowOn(kept, {window.exprs,
                           window.order,
                           window.frame,
                           window.windows,
                           {window.schema.columns.back().name}});
    return ProjectOn(kept, project.exprs, names);
  }
  std::vector<ExprPtr> exprs;
  for (const ExprPtr& expr : project.exprs) {
    exprs.push_back(MapColumns(expr, [&](const Expr& column) {
      if (column.column == number) return Int8Literal(bounds.first);
      return ColumnAt(column.column, column.type, column.location);
    }));
  }
  return ProjectOn(kept, std::move(exprs), names);
}

}  // namespace

LogicalPtr FilterOrTop(LogicalPtr plan, std::vector<ExprPtr> conjuncts) {
  if (plan->kind == LogicalKind::kProject && plan->children[0]->kind == LogicalKind::kWindow) {
    const Logical& window = *plan->children[0];
    const bool numbers =
        window.windows.size() == 1 && window.windows[0].function == WindowFunction::kRowNumber;
    const int column = numbers ? ProjectedAs(*plan, window.schema.size() - 1) : -1;
    for (size_t i = 0; column >= 0 && i < conjuncts.size(); ++i) {
      const auto bounds = BoundsOf(*conjuncts[i], column);
      if (!bounds) continue;
      plan = NumberedTop(*plan, window, *bounds);
      conjuncts.erase(conjuncts.begin() + static_cast<ptrdiff_t>(i));
      break;
    }
  }
  return FilterOn(std::move(plan), Conjunction(std::move(conjuncts)));
}

}  // namespace leat
