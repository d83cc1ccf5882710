// One output column per expression. Linear; `_seq` and weights go along.
#include "flow/operators.h"
#include "flow/row_errors.h"

namespace leat {
namespace {

class Project : public Operator {
 public:
  explicit Project(ProjectSpec spec) : spec_(std::move(spec)) {}

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    stats_.rows_in += batch.rows;
    if (batch.rows == 0) return Status::OK();
    ErrorMask errors(batch.rows);
    Batch projected{.rows = batch.rows, .weights = batch.weights, .seq = batch.seq};
    projected.columns.reserve(spec_.exprs.size());
    for (const ExprPtr& expr : spec_.exprs) {
      LEAT_ASSIGN(auto column, EvaluateColumn(*expr, batch, context, &errors));
      projected.columns.push_back(std::move(column));
    }
    if (errors.any()) {
      LEAT_RETURN(RejectRows(batch, errors, out));
      LEAT_ASSIGN(projected, Take(projected, RowsWithoutErrors(batch.rows, errors)));
      if (projected.rows == 0) return Status::OK();
    }
    stats_.rows_out += projected.rows;
    return out->Emit(std::move(projected));
  }

  Status Finish(const Epoch&, const EvalContext&, Output*) override { return Status::OK(); }
  OperatorStats stats() const override { return stats_; }

 private:
  const ProjectSpec spec_;
  OperatorStats stats_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeProject(ProjectSpec spec) {
  return std::make_unique<Project>(std::move(spec));
}

}  // namespace leat
