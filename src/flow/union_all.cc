// The inputs' rows one after another. Linear, and nothing to compute.
#include "base/check.h"
#include "flow/operators.h"

namespace leat {
namespace {

class UnionAll : public Operator {
 public:
  explicit UnionAll(int ports) : ports_(ports) {}

  Status Push(int port, const Batch& batch, const EvalContext&, Output* out) override {
    LEAT_CHECK(port >= 0 && port < ports_, "port {} of {}", port, ports_);
    rows_ += batch.rows;
    return batch.rows == 0 ? Status::OK() : out->Emit(batch);
  }

  Status Finish(const Epoch&, const EvalContext&, Output*) override { return Status::OK(); }
  OperatorStats stats() const override { return {.rows_in = rows_, .rows_out = rows_}; }

 private:
  const int ports_;
  int64_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeUnionAll(int ports) {
  return std::make_unique<UnionAll>(ports);
}

}  // namespace leat
