// Evaluates bound expressions over batches, column at a time, under a selection mask, giving values
// and an error mask: a row that divides by zero is an error of that row, not of the batch.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "data/batch.h"
#include "func/expr.h"

namespace leat {

// Which rows count: a byte per row, or no bytes at all: every row does.
struct Selection {
  std::vector<uint8_t> active;  // empty, or one byte (0 or 1) per row
  bool Has(int64_t row) const { return active.empty() || active[static_cast<size_t>(row)] != 0; }
};

// The rows that failed, with the first error of each. Cheap while there is none.
class ErrorMask {
 public:
  explicit ErrorMask(int64_t rows) : rows_(rows) {}
  // Records that `row` failed, unless it did before. `sqlstate` is a literal such as kOutOfRange.
  void Set(int64_t row, const char* sqlstate, std::string message);
  bool any() const { return !errors_.empty(); }
  bool Has(int64_t row) const { return any() && failed_[static_cast<size_t>(row)] != 0; }

  struct Error {
    int64_t row;
    const char* sqlstate;
    std::string message;
  };
  const std::vector<Error>& errors() const { return errors_; }
  // OK, or what was recorded first, for where one wrong row fails the whole.
  Status status(int location = -1) const;

 private:
  int64_t rows_;
  std::vector<uint8_t> failed_;  // sized at the first error
  std::vector<Error> errors_;
};

// The sequences that nextval and its kin draw from; their errors are PostgreSQL's.
class Sequences {
 public:
  virtual ~Sequences() = default;
  virtual Result<int64_t> Next(std::string_view name) = 0;
  virtual Result<int64_t> Current(std::string_view name) const = 0;
  virtual Result<int64_t> Last() const = 0;
  virtual Status Set(std::string_view name, int64_t value, bool called) = 0;
};

// What an expression may know besides its row. The clock is the epoch's.
struct EvalContext {
  Micros now = 0;
  std::string timezone = "UTC";
  Sequences* sequences = nullptr;  // borrowed; a query that stands or is kept has none
};

// The value for each row of `batch` (null where not selected or failed). The array has `batch.rows`
// elements of ArrowType(expr.type); text may be dictionary encoded when `expr` is a bare column.
Result<std::shared_ptr<arrow::Array>> Evaluate(const Expr& expr, const Batch& batch,
                                               const EvalContext& context,
                                               const Selection& selection, ErrorMask* errors);

// The rows where a boolean expression is true; null is not.
Result<std::vector<int32_t>> EvaluateFilter(const Expr& expr, const Batch& batch,
                                            const EvalContext& context, ErrorMask* errors);

// A constant expression's value; the error of its only row is returned as SqlStatus.
Result<std::shared_ptr<arrow::Scalar>> EvaluateConstant(const Expr& expr,
                                                        const EvalContext& context);

}  // namespace leat
