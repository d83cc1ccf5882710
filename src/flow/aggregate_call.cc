#include "flow/aggregate_call.h"

#include <arrow/array.h>

#include "data/key.h"
#include "data/ordered_bytes.h"

namespace leat::aggregate_internal {
namespace {

class PlainStates : public CallStates {
 public:
  explicit PlainStates(std::unique_ptr<Accumulators> accumulators)
      : accumulators_(std::move(accumulators)) {}

  Status Resize(int64_t groups) override { return accumulators_->Resize(groups); }
  Status Update(const CallInput& in) override {
    ErrorMask errors(in.batch->rows);
    LEAT_RETURN(
        accumulators_->Update(in.args, in.groups, in.weights, in.mask, in.batch->rows, &errors));
    // Other calls have counted the row already: an aggregate must fail in its answer instead.
    return errors.status();
  }
  Result<std::shared_ptr<arrow::Array>> Answers(std::span<const uint32_t> groups,
                                                ErrorMask* errors) const override {
    return accumulators_->Finish(groups, errors);
  }
  void Clear(uint32_t group) override { accumulators_->Clear(group); }
  void Save(uint32_t group, std::string* out) const override { accumulators_->Save(group, out); }
  Status Load(uint32_t group, std::string_view bytes) override {
    return accumulators_->Load(group, bytes);
  }
  int64_t memory() const override { return accumulators_->memory(); }

 private:
  std::unique_ptr<Accumulators> accumulators_;
};

std::vector<Type> TypesOf(const std::vector<ExprPtr>& exprs) {
  std::vector<Type> types;
  for (const ExprPtr& expr : exprs) types.push_back(expr->type);
  return types;
}

}  // namespace

bool IsExact(const Type& type) {
  switch (type.id) {
    case TypeId::kFloat4:
    case TypeId::kFloat8:
    case TypeId::kInterval:
    case TypeId::kJsonb:
      return false;
    case TypeId::kNumeric:
      return ArrowType(type)->id() == arrow::Type::DECIMAL128;
    case TypeId::kChar:
      return type.length >= 0;
    case TypeId::kArray:
      return IsExact(*type.element);
    default:
      return true;
  }
}

void AppendSeq(const Batch& batch, int64_t row, std::string* out) {
  static_assert(kSeqBytes == kOrderedBytes);
  AppendOrdered(batch.seq ? batch.seq->Value(row) : 0, out);
}

std::unique_ptr<CallStates> MakePlainStates(std::unique_ptr<Accumulators> accumulators) {
  return std::make_unique<PlainStates>(std::move(accumulators));
}

Result<std::unique_ptr<CallStates>> MakeCallStates(const AggregateCall& call,
                                                   const Properties& properties,
                                                   const GroupTable& groups) {
  const Aggregate& aggregate = *call.aggregate;
  const std::vector<Type> types = TypesOf(call.args);
  if (aggregate.fold != nullptr) return MakeFoldStates(call, groups);
  const auto make = [&] { return aggregate.make == nullptr ? nullptr : aggregate.make(types); };
  if (aggregate.pick == Aggregate::Pick::kNone) {
    auto accumulators = make();
    if (!accumulators || !aggregate.invertible) {
      return NotSupported(fmt::format("aggregate {} of these arguments", aggregate.name));
    }
    if (!call.distinct) return MakePlainStates(std::move(accumulators));
    return MakeDistinctStates(std::move(accumulators), types, groups);
  }
  // To pick a row out of distinct ones is to pick it out of all. Accumulators know no `_seq`: they
  // serve where equal values are identical, or come in its order.
  if (!properties.append_only) return MakeOrderedRowStates(call, groups);
  const bool accumulators_do = properties.in_order || (aggregate.pick_by == 0 && IsExact(types[0]));
  if (accumulators_do) {
    if (auto accumulators = make()) return MakePlainStates(std::move(accumulators));
  }
  return MakeBestRowStates(call);
}

}  // namespace leat::aggregate_internal
