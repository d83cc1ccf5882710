#include "func/evaluate.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "func/cast.h"
#include "func/function.h"
#include "func/kernel.h"

namespace leat {
namespace {

// A column of the batch's length, or one value for all rows. Text may be dictionary encoded.
struct Value {
  ArrayPtr array;
  bool constant = false;
};

bool IsDictionary(const Value& value) { return value.array->type_id() == arrow::Type::DICTIONARY; }

// Whether evaluating may fail for a row: then rows that do not count must be masked.
bool MayFail(const Expr& expr) {
  if (expr.kind == ExprKind::kCast && !IsRelabel(expr.args[0]->type, expr.type)) return true;
  if (expr.kind == ExprKind::kCall && !expr.function->total) return true;
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return MayFail(*arg); });
}

class Evaluator {
 public:
  Evaluator(const Batch& batch, const EvalContext& context, ErrorMask* errors)
      : batch_(batch), context_(context), errors_(errors) {}

  Result<Value> Evaluate(const Expr& expr, const Selection& selection);

 private:
  Result<Value> EvaluateCall(const Expr& expr, const Selection& selection);
  Result<Value> EvaluateLogic(const Expr& expr, const Selection& selection);
  Result<Value> EvaluateCase(const Expr& expr, const Selection& selection);
  Result<Value> EvaluateCoalesce(const Expr& expr, const Selection& selection);
  // One application of a function or a cast to values.
  Result<ArrayPtr> Apply(const Expr& expr, std::vector<Argument> args, int64_t rows,
                         const Selection& selection, ErrorMask* errors);
  Result<Value> ApplyToConstants(const Expr& expr, std::vector<Argument> args,
                                 const Selection& selection);
  Result<Value> ApplyToDictionary(const Expr& expr, std::vector<Argument> args, size_t at,
                                  const arrow::DictionaryArray& column, const Selection& selection);

  const Batch& batch_;
  const EvalContext& context_;
  ErrorMask* errors_;
};

Result<Value> Evaluator::Evaluate(const Expr& expr, const Selection& selection) {
  switch (expr.kind) {
    case ExprKind::kColumn:
      return Value{batch_.columns[static_cast<size_t>(expr.column)]};
    case ExprKind::kLiteral: {
      if (!expr.literal || !expr.literal->is_valid) return Value{NullColumn(expr.type, 1), true};
      LEAT_ASSIGN(auto array, arrow::MakeArrayFromScalar(*expr.literal, 1));
      return Value{std::move(array), true};
    }
    case ExprKind::kSeq:
      if (batch_.seq == nullptr) return Value{NullColumn(TypeId::kInt8, 1), true};
      return Value{batch_.seq};
    case ExprKind::kCall:
    case ExprKind::kCast:
      return EvaluateCall(expr, selection);
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return EvaluateLogic(expr, selection);
    case ExprKind::kCase:
      return EvaluateCase(expr, selection);
    case ExprKind::kCoalesce:
      return EvaluateCoalesce(expr, selection);
  }
  return Status::Invalid("an expression of no kind");
}

Result<ArrayPtr> Evaluator::Apply(const Expr& expr, std::vector<Argument> args, int64_t rows,
                                  const Selection& selection, ErrorMask* errors) {
  const Call call{.rows = rows,
                  .result = &expr.type,
                  .context = &context_,
                  .selection = &selection,
                  .errors = errors};
  const size_t failed = errors->errors().size();
  ArrayPtr out;
  if (expr.kind == ExprKind::kCast) {
    LEAT_ASSIGN(out, CastColumn(call, args[0], expr.type, expr.cast));
  } else if (expr.function->kernel == nullptr) {
    return NotSupported(fmt::format("function {} is not supported yet", expr.function->name),
                        expr.location);
  } else {
    LEAT_ASSIGN(out, expr.function->kernel(call, args));
  }
  LEAT_CHECK(out->length() == rows, "{} gave {} rows of {}", ToString(expr), out->length(), rows);
  return errors->errors().size() == failed ? out : WithoutRows(out, *errors);
}

// An error of a constant is an error of every row that needs it, and of none if none does.
Result<Value> Evaluator::ApplyToConstants(const Expr& expr, std::vector<Argument> args,
                                          const Selection& selection) {
  ErrorMask errors(1);
  LEAT_ASSIGN(ArrayPtr out, Apply(expr, std::move(args), 1, Selection{}, &errors));
  if (errors.any()) {
    const auto& error = errors.errors()[0];
    for (int64_t row = 0; row < batch_.rows; ++row) {
      if (selection.Has(row)) errors_->Set(row, error.sqlstate, error.message);
    }
  }
  return Value{std::move(out), true};
}

// The function of the dictionary's values stands for that of the rows.
Result<Value> Evaluator::ApplyToDictionary(const Expr& expr, std::vector<Argument> args, size_t at,
                                           const arrow::DictionaryArray& column,
                                           const Selection& selection) {
  args[at].array = column.dictionary();
  const int64_t entries = column.dictionary()->length();
  ErrorMask errors(entries);
  LEAT_ASSIGN(ArrayPtr out, Apply(expr, std::move(args), entries, Selection{}, &errors));
  const auto& indices = static_cast<const arrow::Int32Array&>(*column.indices());
  if (errors.any()) {
    std::vector<const ErrorMask::Error*> by_entry(static_cast<size_t>(entries));
    for (const auto& error : errors.errors()) by_entry[static_cast<size_t>(error.row)] = &error;
    for (int64_t row = 0; row < batch_.rows; ++row) {
      if (indices.IsNull(row) || !selection.Has(row)) continue;
      const auto* error = by_entry[static_cast<size_t>(indices.Value(row))];
      if (error != nullptr) errors_->Set(row, error->sqlstate, error->message);
    }
  }
  if (out->type_id() == arrow::Type::STRING && out->null_count() == 0) {
    return Value{std::make_shared<arrow::DictionaryArray>(
        arrow::dictionary(arrow::int32(), arrow::utf8()), column.indices(), std::move(out))};
  }
  LEAT_ASSIGN(
      arrow::Datum taken,
      arrow::compute::Take(out, column.indices(), arrow::compute::TakeOptions::NoBoundsCheck()));
  return Value{taken.make_array()};
}

Result<Value> Evaluator::EvaluateCall(const Expr& expr, const Selection& selection) {
  std::vector<Argument> args;
  bool constant = true;
  int columns = 0;
  size_t column_at = 0;
  const bool strict = expr.kind == ExprKind::kCast || expr.function->strict;
  for (const ExprPtr& arg : expr.args) {
    LEAT_ASSIGN(Value value, Evaluate(*arg, selection));
    constant &= value.constant;
    if (!value.constant) {
      ++columns;
      column_at = args.size();
    }
    args.push_back({.array = value.array, .type = arg->type, .constant = value.constant});
    if (strict && value.constant && value.array->IsNull(0)) {
      return Value{NullColumn(expr.type, 1), true};
    }
  }
  if (expr.kind == ExprKind::kCast && IsRelabel(args[0].type, expr.type)) {
    return Value{args[0].array, constant};
  }
  const bool once =
      expr.kind == ExprKind::kCast || expr.function->volatility != Volatility::kVolatile;
  if (constant && once) return ApplyToConstants(expr, std::move(args), selection);
  if (columns == 1 && strict && once &&
      args[column_at].array->type_id() == arrow::Type::DICTIONARY) {
    const ArrayPtr held = args[column_at].array;
    const auto& column = static_cast<const arrow::DictionaryArray&>(*held);
    if (column.dictionary()->length() <= batch_.rows) {
      return ApplyToDictionary(expr, std::move(args), column_at, column, selection);
    }
  }
  for (Argument& arg : args) arg.array = Plain(arg.array);
  LEAT_ASSIGN(ArrayPtr out, Apply(expr, std::move(args), batch_.rows, selection, errors_));
  return Value{std::move(out)};
}

// Truth values as two bit sets: known to be true, known to be false.
struct Truth {
  std::vector<uint8_t> is_true, is_false;
};

Result<Truth> TruthOf(const Value& value, int64_t rows) {
  const auto bytes = static_cast<size_t>(arrow::bit_util::BytesForBits(rows));
  Truth truth{std::vector<uint8_t>(bytes), std::vector<uint8_t>(bytes)};
  const auto& array = static_cast<const arrow::BooleanArray&>(*value.array);
  if (value.constant) {
    if (array.IsNull(0)) return truth;
    std::fill_n((array.Value(0) ? truth.is_true : truth.is_false).begin(), bytes, uint8_t{0xFF});
    return truth;
  }
  const uint8_t* bits = array.values()->data();
  const uint8_t* valid = array.null_bitmap_data();
  if (array.offset() % 8 == 0) {
    bits += array.offset() / 8;
    if (valid != nullptr) valid += array.offset() / 8;
    for (size_t i = 0; i < bytes; ++i) {
      const uint8_t known = valid == nullptr ? 0xFF : valid[i];
      truth.is_true[i] = bits[i] & known;
      truth.is_false[i] = static_cast<uint8_t>(~bits[i] & known);
    }
    return truth;
  }
  for (int64_t row = 0; row < rows; ++row) {
    if (array.IsNull(row)) continue;
    arrow::bit_util::SetBit((array.Value(row) ? truth.is_true : truth.is_false).data(), row);
  }
  return truth;
}

Result<ArrayPtr> BoolArray(const Truth& truth, int64_t rows) {
  const auto bytes = static_cast<int64_t>(truth.is_true.size());
  LEAT_ASSIGN(auto values, AllocateValues(bytes, 1));
  LEAT_ASSIGN(auto valid, AllocateValues(bytes, 1));
  for (int64_t i = 0; i < bytes; ++i) {
    const auto at = static_cast<size_t>(i);
    values->mutable_data()[i] = truth.is_true[at];
    valid->mutable_data()[i] = truth.is_true[at] | truth.is_false[at];
  }
  return FixedColumn(TypeId::kBool, rows, std::move(values),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

// The rows of `selection` that have not failed and whose bit in `without` is not set.
Selection Rest(const Selection& selection, const uint8_t* without, const ErrorMask& errors,
               int64_t rows) {
  Selection rest;
  rest.active.resize(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    rest.active[static_cast<size_t>(row)] =
        selection.Has(row) && !arrow::bit_util::GetBit(without, row) ? 1 : 0;
  }
  for (const auto& error : errors.errors()) rest.active[static_cast<size_t>(error.row)] = 0;
  return rest;
}

Result<Value> Evaluator::EvaluateLogic(const Expr& expr, const Selection& selection) {
  const bool is_and = expr.kind == ExprKind::kAnd;
  LEAT_ASSIGN(Value first, Evaluate(*expr.args[0], selection));
  LEAT_ASSIGN(Truth truth, TruthOf(first, batch_.rows));
  for (size_t i = 1; i < expr.args.size(); ++i) {
    const auto& decided = is_and ? truth.is_false : truth.is_true;
    Value next;
    if (MayFail(*expr.args[i])) {
      const Selection rest = Rest(selection, decided.data(), *errors_, batch_.rows);
      LEAT_ASSIGN(next, Evaluate(*expr.args[i], rest));
    } else {
      LEAT_ASSIGN(next, Evaluate(*expr.args[i], selection));
    }
    LEAT_ASSIGN(const Truth other, TruthOf(next, batch_.rows));
    for (size_t at = 0; at < truth.is_true.size(); ++at) {
      if (is_and) {
        truth.is_true[at] &= other.is_true[at];
        truth.is_false[at] |= other.is_false[at];
      } else {
        truth.is_true[at] |= other.is_true[at];
        truth.is_false[at] &= other.is_false[at];
      }
    }
  }
  LEAT_ASSIGN(ArrayPtr out, BoolArray(truth, batch_.rows));
  return Value{std::move(out)};
}

// Puts a column together from the rows of several: `from[row]` is a value's number, -1 null.
Result<ArrayPtr> Interleave(const std::vector<Value>& values, const std::vector<int32_t>& from,
                            const Type& type) {
  std::vector<Argument> columns;
  for (const Value& value : values) {
    columns.push_back({.array = Plain(value.array), .type = type, .constant = value.constant});
  }
  return ChooseRows(columns, from, type);
}

bool AnyActive(const Selection& selection) {
  return std::any_of(selection.active.begin(), selection.active.end(),
                     [](uint8_t active) { return active != 0; });
}

Result<Value> Evaluator::EvaluateCase(const Expr& expr, const Selection& selection) {
  const int64_t rows = batch_.rows;
  Selection rest = selection;
  if (rest.active.empty()) rest.active.assign(static_cast<size_t>(rows), 1);
  std::vector<Value> values;
  std::vector<int32_t> from(static_cast<size_t>(rows), -1);
  for (size_t i = 0; i < expr.args.size() && AnyActive(rest); i += 2) {
    const bool is_else = i + 1 == expr.args.size();
    Selection chosen = rest;
    if (!is_else) {
      LEAT_ASSIGN(Value condition, Evaluate(*expr.args[i], rest));
      LEAT_ASSIGN(const Truth truth, TruthOf(condition, rows));
      for (size_t row = 0; row < chosen.active.size(); ++row) {
        const bool holds = arrow::bit_util::GetBit(truth.is_true.data(), static_cast<int64_t>(row));
        chosen.active[row] &= holds ? 1 : 0;
        rest.active[row] &= holds ? 0 : 1;
      }
      for (const auto& error : errors_->errors()) {
        chosen.active[static_cast<size_t>(error.row)] = 0;
        rest.active[static_cast<size_t>(error.row)] = 0;
      }
      if (!AnyActive(chosen)) continue;
    }
    LEAT_ASSIGN(Value value, Evaluate(*expr.args[is_else ? i : i + 1], chosen));
    for (size_t row = 0; row < chosen.active.size(); ++row) {
      if (chosen.active[row] != 0) from[row] = static_cast<int32_t>(values.size());
    }
    values.push_back(std::move(value));
  }
  LEAT_ASSIGN(ArrayPtr out, Interleave(values, from, expr.type));
  return Value{std::move(out)};
}

Result<Value> Evaluator::EvaluateCoalesce(const Expr& expr, const Selection& selection) {
  const int64_t rows = batch_.rows;
  Selection rest = selection;
  if (rest.active.empty()) rest.active.assign(static_cast<size_t>(rows), 1);
  std::vector<Value> values;
  std::vector<int32_t> from(static_cast<size_t>(rows), -1);
  for (size_t i = 0; i < expr.args.size() && AnyActive(rest); ++i) {
    LEAT_ASSIGN(Value value, Evaluate(*expr.args[i], rest));
    if (i == 0 && !value.constant && value.array->null_count() == 0) return value;
    for (const auto& error : errors_->errors()) rest.active[static_cast<size_t>(error.row)] = 0;
    for (size_t row = 0; row < rest.active.size(); ++row) {
      const auto at = value.constant ? 0 : static_cast<int64_t>(row);
      if (rest.active[row] == 0 || value.array->IsNull(at)) continue;
      from[row] = static_cast<int32_t>(values.size());
      rest.active[row] = 0;
    }
    values.push_back(std::move(value));
  }
  LEAT_ASSIGN(ArrayPtr out, Interleave(values, from, expr.type));
  return Value{std::move(out)};
}

// The constant for all rows.
Result<ArrayPtr> Repeat(const ArrayPtr& one, int64_t rows) {
  LEAT_ASSIGN(auto scalar, one->GetScalar(0));
  if (!scalar->is_valid) return arrow::MakeArrayOfNull(one->type(), rows);
  return arrow::MakeArrayFromScalar(*scalar, rows);
}

Result<ArrayPtr> OnlySelected(const ArrayPtr& array, const Selection& selection) {
  ErrorMask hidden(array->length());
  for (int64_t row = 0; row < array->length(); ++row) {
    if (!selection.Has(row)) hidden.Set(row, "", "");
  }
  return hidden.any() ? WithoutRows(array, hidden) : array;
}

}  // namespace

void ErrorMask::Set(int64_t row, const char* sqlstate, std::string message) {
  if (failed_.empty()) failed_.assign(static_cast<size_t>(rows_), 0);
  if (failed_[static_cast<size_t>(row)] != 0) return;
  failed_[static_cast<size_t>(row)] = 1;
  errors_.push_back({row, sqlstate, std::move(message)});
}

Status ErrorMask::status(int location) const {
  if (!any()) return Status::OK();
  return SqlStatus(errors_[0].message, {.sqlstate = errors_[0].sqlstate, .location = location});
}

Result<std::shared_ptr<arrow::Array>> Evaluate(const Expr& expr, const Batch& batch,
                                               const EvalContext& context,
                                               const Selection& selection, ErrorMask* errors) {
  Evaluator evaluator(batch, context, errors);
  LEAT_ASSIGN(Value value, evaluator.Evaluate(expr, selection));
  if (expr.kind == ExprKind::kColumn && selection.active.empty()) return value.array;
  if (IsDictionary(value)) value.array = Plain(value.array);
  if (value.constant) {
    LEAT_ASSIGN(value.array, Repeat(value.array, batch.rows));
  }
  if (errors->any()) {
    LEAT_ASSIGN(value.array, WithoutRows(value.array, *errors));
  }
  return selection.active.empty() ? value.array : OnlySelected(value.array, selection);
}

Result<std::vector<int32_t>> EvaluateFilter(const Expr& expr, const Batch& batch,
                                            const EvalContext& context, ErrorMask* errors) {
  Evaluator evaluator(batch, context, errors);
  LEAT_ASSIGN(Value value, evaluator.Evaluate(expr, Selection{}));
  LEAT_ASSIGN(Truth truth, TruthOf(value, batch.rows));
  for (const auto& error : errors->errors()) {
    arrow::bit_util::ClearBit(truth.is_true.data(), error.row);
  }
  std::vector<int32_t> rows;
  for (size_t at = 0; at < truth.is_true.size(); ++at) {
    for (unsigned bits = truth.is_true[at]; bits != 0; bits &= bits - 1) {
      const auto row = static_cast<int64_t>(at) * 8 + std::countr_zero(bits);
      if (row < batch.rows) rows.push_back(static_cast<int32_t>(row));
    }
  }
  return rows;
}

Result<std::shared_ptr<arrow::Scalar>> EvaluateConstant(const Expr& expr,
                                                        const EvalContext& context) {
  Batch batch;
  batch.rows = 1;
  ErrorMask errors(1);
  LEAT_ASSIGN(ArrayPtr value, Evaluate(expr, batch, context, Selection{}, &errors));
  LEAT_RETURN(errors.status(expr.location));
  return value->GetScalar(0);
}

}  // namespace leat
