#include "flow/row_errors.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

namespace leat {

Status RejectRows(const Batch& batch, const ErrorMask& errors, Output* out) {
  for (const ErrorMask::Error& error : errors.errors()) {
    // A copy: a slice would keep the whole batch alive for as long as the reject is.
    LEAT_ASSIGN(Batch row, Take(batch, {static_cast<int32_t>(error.row)}));
    row.weights = nullptr;
    LEAT_RETURN(out->Reject({.row = std::move(row),
                             .weight = batch.weight(error.row),
                             .sqlstate = error.sqlstate,
                             .reason = error.message}));
  }
  return Status::OK();
}

std::vector<int32_t> RowsWithoutErrors(int64_t rows, const ErrorMask& errors) {
  std::vector<int32_t> good;
  good.reserve(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    if (!errors.Has(row)) good.push_back(static_cast<int32_t>(row));
  }
  return good;
}

Result<std::shared_ptr<arrow::Array>> EvaluateColumn(const Expr& expr, const Batch& batch,
                                                     const EvalContext& context,
                                                     ErrorMask* errors) {
  if (expr.kind == ExprKind::kColumn) return batch.columns[static_cast<size_t>(expr.column)];
  Selection selection;
  if (errors->any()) {
    selection.active.assign(static_cast<size_t>(batch.rows), 1);
    for (const auto& error : errors->errors()) selection.active[static_cast<size_t>(error.row)] = 0;
  }
  return Evaluate(expr, batch, context, selection, errors);
}

Result<std::shared_ptr<arrow::Array>> TakeElements(const std::shared_ptr<arrow::Array>& array,
                                                   const std::vector<int32_t>& indices) {
  arrow::Int32Builder builder;
  LEAT_RETURN(builder.Reserve(static_cast<int64_t>(indices.size())));
  for (const int32_t index : indices) {
    if (index < 0) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(index);
    }
  }
  LEAT_ASSIGN(auto positions, builder.Finish());
  LEAT_ASSIGN(arrow::Datum taken,
              arrow::compute::Take(array, positions, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.make_array();
}

}  // namespace leat
