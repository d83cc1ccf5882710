// Rows for which the predicate is true. Linear: a delta's answer is the answer's delta.
#include "flow/operators.h"
#include "flow/row_errors.h"

namespace leat {
namespace {

// The rows of `batch` at `indices`, ascending; shares the buffers where these are neighbours.
Result<Batch> Keep(const Batch& batch, const std::vector<int32_t>& indices) {
  const auto kept = static_cast<int64_t>(indices.size());
  if (kept == batch.rows) return batch;
  if (indices.back() - indices.front() + 1 == kept) return Slice(batch, indices.front(), kept);
  return Take(batch, indices);
}

class Filter : public Operator {
 public:
  explicit Filter(FilterSpec spec) : spec_(std::move(spec)) {}

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    stats_.rows_in += batch.rows;
    ErrorMask errors(batch.rows);
    LEAT_ASSIGN(const std::vector<int32_t> indices,
                EvaluateFilter(*spec_.predicate, batch, context, &errors));
    if (errors.any()) LEAT_RETURN(RejectRows(batch, errors, out));
    if (indices.empty()) return Status::OK();
    LEAT_ASSIGN(Batch kept, Keep(batch, indices));
    stats_.rows_out += kept.rows;
    return out->Emit(std::move(kept));
  }

  Status Finish(const Epoch&, const EvalContext&, Output*) override { return Status::OK(); }
  OperatorStats stats() const override { return stats_; }

 private:
  const FilterSpec spec_;
  OperatorStats stats_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeFilter(FilterSpec spec) {
  return std::make_unique<Filter>(std::move(spec));
}

}  // namespace leat
