// count(DISTINCT x), sum(DISTINCT x): a trace counts each value of a group, and the accumulators
// see one of the equal ones, that of least bytes, as long as there is any.
#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>

#include "data/key.h"
#include "flow/aggregate_call.h"
#include "state/index.h"

namespace leat::aggregate_internal {
namespace {

class DistinctStates : public CallStates {
 public:
  DistinctStates(std::unique_ptr<Accumulators> accumulators, std::vector<Type> types,
                 const GroupTable& groups)
      : accumulators_(std::move(accumulators)),
        types_(std::move(types)),
        groups_(groups),
        exact_(std::all_of(types_.begin(), types_.end(), IsExact)),
        values_(MakeIndex()) {}

  Status Resize(int64_t groups) override { return accumulators_->Resize(groups); }
  Status Update(const CallInput& input) override;
  Result<std::shared_ptr<arrow::Array>> Answers(std::span<const uint32_t> groups,
                                                ErrorMask* errors) const override {
    return accumulators_->Finish(groups, errors);
  }
  void Clear(uint32_t group) override { accumulators_->Clear(group); }
  void Save(uint32_t group, std::string* out) const override { accumulators_->Save(group, out); }
  Status Load(uint32_t group, std::string_view bytes) override {
    return accumulators_->Load(group, bytes);
  }
  Status Checkpoint(StateWriter* writer) override { return values_->Checkpoint(writer); }
  Status Restore(StateReader* reader) override { return values_->Restore(reader); }
  int64_t memory() const override { return accumulators_->memory() + values_->stats().bytes; }
  int64_t table_memory() const override { return accumulators_->memory(); }
  bool ForgetTable(CallStates* fresh) override {
    accumulators_ = std::move(static_cast<DistinctStates*>(fresh)->accumulators_);
    return true;
  }

 private:
  // Which value of each key the accumulators are to have seen; empty: none.
  Result<std::vector<std::string>> Seen(const Strings& keys) const;
  Status Feed(const std::vector<uint32_t>& groups, const std::vector<std::string_view>& values,
              const std::vector<int64_t>& weights);

  std::unique_ptr<Accumulators> accumulators_;
  const std::vector<Type> types_;
  const GroupTable& groups_;
  const bool exact_;               // equal values are identical: their `_seq` does not matter
  std::unique_ptr<Index> values_;  // by group and value as a key, of `_seq` and the value's bytes
};

Result<std::vector<std::string>> DistinctStates::Seen(const Strings& keys) const {
  std::vector<std::string> seen(static_cast<size_t>(keys.size()));
  LEAT_RETURN(values_->Probe(keys, [&](int64_t i, std::string_view value, int64_t weight) {
    std::string& first = seen[static_cast<size_t>(i)];
    if (weight > 0 && first.empty()) first = value;
    return Status::OK();
  }));
  return seen;
}

Status DistinctStates::Update(const CallInput& input) {
  const int64_t rows = input.batch->rows;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<KeyColumn> key_columns;
  for (size_t i = 0; i < types_.size(); ++i) {
    columns.push_back(input.args[i].array);
    key_columns.push_back({.type = types_[i]});
  }
  Strings args, rows_bytes, keys, values, distinct;
  LEAT_RETURN(KeyEncoder(std::move(key_columns)).Encode(columns, rows, &args));
  LEAT_RETURN(EncodeRows(columns, types_, rows, &rows_bytes));
  std::string value;
  std::vector<int64_t> weights;
  std::vector<std::pair<std::string, uint32_t>> touched;
  for (int64_t row = 0; row < rows; ++row) {
    if (!input.Counts(row) || columns[0]->IsNull(row)) continue;
    std::string key(groups_.key(input.groups[row]));
    key += args[row];
    keys.Append(key);
    value.assign(exact_ ? kSeqBytes : 0, '\0');
    if (!exact_) AppendSeq(*input.batch, row, &value);
    value += rows_bytes[row];
    values.Append(value);
    weights.push_back(input.weight(row));
    touched.emplace_back(std::move(key), input.groups[row]);
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const auto& [key, group] : touched) distinct.Append(key);

  LEAT_ASSIGN(const auto before, Seen(distinct));
  LEAT_RETURN(values_->Apply(keys, values, weights));
  LEAT_ASSIGN(const auto after, Seen(distinct));
  std::vector<uint32_t> groups;
  std::vector<std::string_view> fed;
  std::vector<int64_t> signs;
  for (size_t i = 0; i < touched.size(); ++i) {
    if (before[i] == after[i]) continue;
    for (const auto* side : {&before[i], &after[i]}) {
      if (side->empty()) continue;
      groups.push_back(touched[i].second);
      fed.push_back(*side);
      signs.push_back(side == &before[i] ? -1 : 1);
    }
  }
  return Feed(groups, fed, signs);
}

Status DistinctStates::Feed(const std::vector<uint32_t>& groups,
                            const std::vector<std::string_view>& values,
                            const std::vector<int64_t>& weights) {
  if (groups.empty()) return Status::OK();
  RowDecoder decoder(types_);
  for (const std::string_view value : values) LEAT_RETURN(decoder.Append(value.substr(kSeqBytes)));
  LEAT_ASSIGN(auto columns, decoder.Finish());
  std::vector<Argument> args;
  for (size_t i = 0; i < columns.size(); ++i) {
    args.push_back({.array = columns[i], .type = types_[i]});
  }
  const auto rows = static_cast<int64_t>(groups.size());
  ErrorMask errors(rows);
  LEAT_RETURN(accumulators_->Update(args, groups.data(), weights.data(), nullptr, rows, &errors));
  return errors.status();
}

}  // namespace

std::unique_ptr<CallStates> MakeDistinctStates(std::unique_ptr<Accumulators> accumulators,
                                               std::vector<Type> args, const GroupTable& groups) {
  return std::make_unique<DistinctStates>(std::move(accumulators), std::move(args), groups);
}

}  // namespace leat::aggregate_internal
