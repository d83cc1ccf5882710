// What every operator does with rows that an expression could not compute: they go to the rejects,
// with their weight, and take no further part.
#pragma once

#include <memory>
#include <vector>

#include "flow/operator.h"

namespace leat {

// Hands the failed rows of `batch`, an operator's input, to `out`.
Status RejectRows(const Batch& batch, const ErrorMask& errors, Output* out);

// The rows of [0, rows) that did not fail, in order.
std::vector<int32_t> RowsWithoutErrors(int64_t rows, const ErrorMask& errors);

// The values of `expr` for each row of `batch`. A bare column shares its buffers (and stays
// dictionary encoded); anything else is evaluated for the rows that did not fail before.
Result<std::shared_ptr<arrow::Array>> EvaluateColumn(const Expr& expr, const Batch& batch,
                                                     const EvalContext& context, ErrorMask* errors);

// The elements of `array` at `indices`; a negative index gives null.
Result<std::shared_ptr<arrow::Array>> TakeElements(const std::shared_ptr<arrow::Array>& array,
                                                   const std::vector<int32_t>& indices);

}  // namespace leat
