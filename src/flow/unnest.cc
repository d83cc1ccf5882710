#include <arrow/array.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>

#include "flow/operators.h"
#include "flow/row_errors.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

// Rows put out at once; a row with a longer list goes alone.
constexpr int64_t kOutputRows = 65536;

class Unnest : public Operator {
 public:
  explicit Unnest(UnnestSpec spec) : spec_(std::move(spec)) {}

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    ErrorMask errors(batch.rows);
    std::vector<ArrayPtr> lists;
    for (const ExprPtr& list : spec_.lists) {
      LEAT_ASSIGN(ArrayPtr column, EvaluateColumn(*list, batch, context, &errors));
      lists.push_back(std::move(column));
    }
    LEAT_RETURN(RejectRows(batch, errors, out));
    stats_.rows_in += batch.rows;
    std::vector<int32_t> rows;
    std::vector<int64_t> counts;
    int64_t pending = 0;
    for (const int32_t row : RowsWithoutErrors(batch.rows, errors)) {
      const int64_t count = Longest(lists, row);
      if (count == 0) continue;
      if (pending > 0 && pending + count > kOutputRows) {
        LEAT_RETURN(Emit(batch, lists, rows, counts, out));
        rows.clear();
        counts.clear();
        pending = 0;
      }
      rows.push_back(row);
      counts.push_back(count);
      pending += count;
    }
    return rows.empty() ? Status::OK() : Emit(batch, lists, rows, counts, out);
  }

  Status Finish(const Epoch&, const EvalContext&, Output*) override { return Status::OK(); }
  OperatorStats stats() const override { return stats_; }

 private:
  static int64_t Longest(const std::vector<ArrayPtr>& lists, int32_t row) {
    int64_t longest = 0;
    for (const ArrayPtr& list : lists) {
      if (list->IsNull(row)) continue;
      longest =
          std::max<int64_t>(longest, static_cast<const arrow::ListArray&>(*list).value_length(row));
    }
    return longest;
  }

  Status Emit(const Batch& batch, const std::vector<ArrayPtr>& lists,
              const std::vector<int32_t>& rows, const std::vector<int64_t>& counts, Output* out) {
    std::vector<int32_t> repeated;
    for (size_t i = 0; i < rows.size(); ++i) {
      repeated.insert(repeated.end(), static_cast<size_t>(counts[i]), rows[i]);
    }
    Batch input = batch;
    input.seq = nullptr;
    LEAT_ASSIGN(Batch output, Take(input, repeated));
    for (const ArrayPtr& column : lists) {
      const auto& list = static_cast<const arrow::ListArray&>(*column);
      std::vector<int32_t> elements;
      for (size_t i = 0; i < rows.size(); ++i) {
        const int64_t length = list.IsNull(rows[i]) ? 0 : list.value_length(rows[i]);
        for (int64_t k = 0; k < counts[i]; ++k) {
          elements.push_back(k < length ? static_cast<int32_t>(list.value_offset(rows[i]) + k)
                                        : -1);
        }
      }
      LEAT_ASSIGN(ArrayPtr values, TakeElements(list.values(), elements));
      output.columns.push_back(std::move(values));
    }
    stats_.rows_out += output.rows;
    return out->Emit(std::move(output));
  }

  const UnnestSpec spec_;
  OperatorStats stats_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeUnnest(UnnestSpec spec) {
  return std::unique_ptr<Operator>(std::make_unique<Unnest>(std::move(spec)));
}

}  // namespace leat
