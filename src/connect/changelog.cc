#include "connect/changelog.h"

#include <arrow/builder.h>

#include <cstdlib>

namespace leat {
namespace {

class ChangelogSink : public Sink {
 public:
  explicit ChangelogSink(std::unique_ptr<Sink> target) : target_(std::move(target)) {}

  Result<std::optional<Mark>> Open() override { return target_->Open(); }
  bool keeps_mark() const override { return target_->keeps_mark(); }
  Status Commit(int64_t epoch) override { return target_->Commit(epoch); }
  int64_t staged_bytes() const override { return target_->staged_bytes(); }
  Status Reset() override { return target_->Reset(); }

  Status Write(const Batch& batch) override {
    std::vector<int32_t> rows;
    arrow::StringBuilder ops;
    for (int64_t row = 0; row < batch.rows; ++row) {
      const int64_t weight = batch.weight(row);
      for (int64_t i = 0; i < std::abs(weight); ++i) {
        rows.push_back(static_cast<int32_t>(row));
        LEAT_RETURN(ops.Append(weight > 0 ? "insert" : "delete"));
      }
    }
    Batch plain = batch;
    plain.weights = nullptr;
    LEAT_ASSIGN(Batch changes, Take(plain, rows));
    LEAT_ASSIGN(auto column, ops.Finish());
    changes.columns.push_back(std::move(column));
    return target_->Write(changes);
  }

 private:
  const std::unique_ptr<Sink> target_;
};

}  // namespace

std::unique_ptr<Sink> WriteChanges(std::unique_ptr<Sink> target) {
  return std::make_unique<ChangelogSink>(std::move(target));
}

}  // namespace leat
