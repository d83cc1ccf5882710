// A bound scalar expression: names resolved, types known, casts explicit. Immutable and shared.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "data/type.h"

namespace leat {

struct Function;  // func/function.h
struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

enum class ExprKind : uint8_t {
  kColumn,    // the input's column `column`
  kLiteral,   // `literal`; null is a null scalar of the type
  kCall,      // `function` of `args`
  kCast,      // `args[0]` to `type`, `cast` says how it was asked for
  kAnd,       // `args`, two or more; an error in one is masked where another is false before it
  kOr,        // `args`, two or more
  kCase,      // `args`: condition, value, condition, value, …, else (always there)
  kCoalesce,  // `args`, evaluated until one is not null
  kSeq,       // `_seq`, an int8; null where the batch has none
};

enum class CastContext : uint8_t { kImplicit, kAssignment, kExplicit };

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  Type type;
  int column = -1;
  std::shared_ptr<arrow::Scalar> literal;
  const Function* function = nullptr;
  CastContext cast = CastContext::kExplicit;
  std::vector<ExprPtr> args;
  int location = -1;  // byte offset in the statement, for errors while binding
};

ExprPtr ColumnExpr(int column, Type type);
ExprPtr LiteralExpr(std::shared_ptr<arrow::Scalar> value, Type type);
ExprPtr CallExpr(const Function* function, std::vector<ExprPtr> args, Type type);
ExprPtr CastExpr(ExprPtr arg, Type type, CastContext context = CastContext::kExplicit);

// A canonical text: equal texts, equal meaning. Columns print as #0, #1 (or by `names`). It is what
// plan hashes are made of, so it changes only with a migration of states.
std::string ToString(const Expr& expr, const std::vector<std::string>* names = nullptr);
bool Equal(const Expr& a, const Expr& b);
// Marks in `used` (resized by the caller) the columns that the expression reads.
void MarkColumns(const Expr& expr, std::vector<bool>* used);
// The expression with column i replaced by `to[i]`.
ExprPtr ReplaceColumns(const ExprPtr& expr, const std::vector<ExprPtr>& to);
// No column, no seq, no volatile or clock function inside: one value for ever.
bool IsConstant(const Expr& expr);

}  // namespace leat
