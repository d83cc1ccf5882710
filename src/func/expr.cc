#include "func/expr.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include "base/check.h"
#include "data/text.h"
#include "func/function.h"

namespace leat {
namespace {

// A value as an SQL literal: 'text'::type, exact for every type.
std::string LiteralText(const Expr& expr) {
  if (!expr.literal || !expr.literal->is_valid) return "NULL::" + TypeName(expr.type);
  auto array = arrow::MakeArrayFromScalar(*expr.literal, 1);
  LEAT_CHECK(array.ok(), "a literal that is no value: {}", array.status().ToString());
  std::string text;
  AppendText(**array, 0, expr.type, TextSettings{}, &text);
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'::" + TypeName(expr.type);
}

using Names = const std::vector<std::string>*;

std::string Joined(const std::vector<ExprPtr>& args, std::string_view between, Names names) {
  std::string text;
  for (const ExprPtr& arg : args) {
    if (!text.empty()) text += between;
    text += ToString(*arg, names);
  }
  return text;
}

std::string CallText(const Expr& expr, Names names) {
  const std::string& name = expr.function->name;
  const auto arg = [&](size_t i) { return ToString(*expr.args[i], names); };
  const bool infix = expr.function->is_operator() || name.starts_with("is ");
  if (infix && expr.args.size() == 2) return fmt::format("({} {} {})", arg(0), name, arg(1));
  if (infix && expr.args.size() == 1) {
    return name.starts_with("is ") ? fmt::format("({} {})", arg(0), name)
                                   : fmt::format("({} {})", name, arg(0));
  }
  return fmt::format("{}({})", name, Joined(expr.args, ", ", names));
}

std::string CaseText(const Expr& expr, Names names) {
  std::string text = "CASE";
  for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
    text += fmt::format(" WHEN {} THEN {}", ToString(*expr.args[i], names),
                        ToString(*expr.args[i + 1], names));
  }
  return fmt::format("{} ELSE {} END", text, ToString(*expr.args.back(), names));
}

bool SameLiteral(const Expr& a, const Expr& b) {
  const bool a_null = !a.literal || !a.literal->is_valid;
  const bool b_null = !b.literal || !b.literal->is_valid;
  if (a_null || b_null) return a_null == b_null;
  return LiteralText(a) == LiteralText(b);  // the bits: -0 is not 0, 1.0 is not 1.00
}

ExprPtr Make(Expr expr) { return std::make_shared<const Expr>(std::move(expr)); }

}  // namespace

ExprPtr ColumnExpr(int column, Type type) {
  return Make({.kind = ExprKind::kColumn, .type = std::move(type), .column = column});
}

ExprPtr LiteralExpr(std::shared_ptr<arrow::Scalar> value, Type type) {
  return Make({.kind = ExprKind::kLiteral, .type = std::move(type), .literal = std::move(value)});
}

ExprPtr CallExpr(const Function* function, std::vector<ExprPtr> args, Type type) {
  return Make({.kind = ExprKind::kCall,
               .type = std::move(type),
               .function = function,
               .args = std::move(args)});
}

ExprPtr CastExpr(ExprPtr arg, Type type, CastContext context) {
  const int location = arg->location;
  return Make({.kind = ExprKind::kCast,
               .type = std::move(type),
               .cast = context,
               .args = {std::move(arg)},
               .location = location});
}

std::string ToString(const Expr& expr, const std::vector<std::string>* names) {
  switch (expr.kind) {
    case ExprKind::kColumn:
      if (names != nullptr && static_cast<size_t>(expr.column) < names->size()) {
        return (*names)[static_cast<size_t>(expr.column)];
      }
      return fmt::format("#{}", expr.column);
    case ExprKind::kLiteral:
      return LiteralText(expr);
    case ExprKind::kCall:
      return CallText(expr, names);
    case ExprKind::kCast: {
      // An assignment refuses what an explicit cast cuts off: another meaning, another text.
      const char* sign = expr.cast == CastContext::kExplicit ? "::" : ":=";
      return fmt::format("{}{}{}", ToString(*expr.args[0], names), sign, TypeName(expr.type));
    }
    case ExprKind::kAnd:
      return fmt::format("({})", Joined(expr.args, " AND ", names));
    case ExprKind::kOr:
      return fmt::format("({})", Joined(expr.args, " OR ", names));
    case ExprKind::kCase:
      return CaseText(expr, names);
    case ExprKind::kCoalesce:
      return fmt::format("COALESCE({})", Joined(expr.args, ", ", names));
    case ExprKind::kSeq:
      return "_seq";
  }
  return {};
}

bool Equal(const Expr& a, const Expr& b) {
  if (a.kind != b.kind || !(a.type == b.type) || a.args.size() != b.args.size()) return false;
  if (a.kind == ExprKind::kColumn && a.column != b.column) return false;
  if (a.kind == ExprKind::kCall && a.function != b.function) return false;
  if (a.kind == ExprKind::kCast && a.cast != b.cast) return false;
  if (a.kind == ExprKind::kLiteral && !SameLiteral(a, b)) return false;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!Equal(*a.args[i], *b.args[i])) return false;
  }
  return true;
}

void MarkColumns(const Expr& expr, std::vector<bool>* used) {
  if (expr.kind == ExprKind::kColumn) (*used)[static_cast<size_t>(expr.column)] = true;
  for (const ExprPtr& arg : expr.args) MarkColumns(*arg, used);
}

ExprPtr ReplaceColumns(const ExprPtr& expr, const std::vector<ExprPtr>& to) {
  if (expr->kind == ExprKind::kColumn) return to[static_cast<size_t>(expr->column)];
  std::vector<ExprPtr> args;
  bool changed = false;
  for (const ExprPtr& arg : expr->args) {
    args.push_back(ReplaceColumns(arg, to));
    changed |= args.back() != arg;
  }
  if (!changed) return expr;
  Expr copy = *expr;
  copy.args = std::move(args);
  return Make(std::move(copy));
}

bool IsConstant(const Expr& expr) {
  if (expr.kind == ExprKind::kColumn || expr.kind == ExprKind::kSeq) return false;
  if (expr.kind == ExprKind::kCall && expr.function->volatility != Volatility::kImmutable) {
    return false;
  }
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return IsConstant(*arg); });
}

}  // namespace leat
