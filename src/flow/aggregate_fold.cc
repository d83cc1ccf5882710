// string_agg, array_agg, percentile_cont, …: all rows of a group, in the order that the call asks
// for. What a group's change costs is the group.
#include <arrow/array.h>

#include <cstring>

#include "data/key.h"
#include "flow/aggregate_call.h"
#include "state/index.h"

namespace leat::aggregate_internal {
namespace {

// A row is what it is ordered by, `_seq`, the arguments, and the size of the first.
class FoldStates : public RowStates {
 public:
  FoldStates(const AggregateCall& call, const GroupTable& groups) : call_(call), groups_(groups) {
    const size_t count = call.aggregate->args.size();
    for (size_t i = 0; i < count; ++i) types_.push_back(call.args[i]->type);
    for (const AggregateOrder& order : call.order) {
      columns_.push_back(static_cast<size_t>(order.arg));
      order_.push_back({.type = call.args[static_cast<size_t>(order.arg)]->type,
                        .descending = order.descending,
                        .nulls_first = order.nulls_first});
    }
    // Equal rows lie side by side: what they are ordered by first is among the arguments.
    for (size_t i = 0; call.distinct && i < count; ++i) {
      columns_.push_back(i);
      order_.push_back({.type = types_[i]});
    }
  }

  Status Update(const CallInput& input) override {
    const int64_t rows = input.batch->rows;
    std::vector<std::shared_ptr<arrow::Array>> args, ordering;
    for (size_t i = 0; i < types_.size(); ++i) args.push_back(input.args[i].array);
    for (const size_t column : columns_) ordering.push_back(input.args[column].array);
    Strings order, bytes;
    if (!columns_.empty()) LEAT_RETURN(KeyEncoder(order_).Encode(ordering, rows, &order));
    LEAT_RETURN(EncodeRows(args, types_, rows, &bytes));
    std::string value;
    for (int64_t row = 0; row < rows; ++row) {
      if (!input.Counts(row)) continue;
      const std::string_view by = columns_.empty() ? std::string_view() : order[row];
      value = by;
      AppendSeq(*input.batch, row, &value);
      value += bytes[row];
      const auto size = static_cast<uint32_t>(by.size());
      value.append(reinterpret_cast<const char*>(&size), sizeof(size));
      keys_.Append(groups_.key(input.groups[row]));
      values_.Append(value);
      weights_.push_back(input.weight(row));
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Answers(std::span<const uint32_t> groups,
                                                ErrorMask* errors) const override {
    Strings keys;
    for (const uint32_t group : groups) keys.Append(groups_.key(group));
    RowDecoder decoder(types_);
    std::vector<int64_t> offsets = {0};
    std::string last;
    const auto end_groups = [&](int64_t count) {
      while (static_cast<int64_t>(offsets.size()) <= count) offsets.push_back(decoder.rows());
    };
    LEAT_RETURN(rows_->Probe(keys, [&](int64_t i, std::string_view row, int64_t weight) {
      end_groups(i);
      uint32_t order_size = 0;
      const size_t size = row.size() - sizeof(order_size);
      std::memcpy(&order_size, row.data() + size, sizeof(order_size));
      if (call_.distinct) {
        const std::string_view order = row.substr(0, order_size);
        if (decoder.rows() > offsets.back() && order == last) return Status::OK();
        last = order;
        weight = weight > 0 ? 1 : 0;
      }
      for (; weight > 0; --weight) {
        LEAT_RETURN(decoder.Append(row.substr(0, size).substr(order_size + kSeqBytes)));
      }
      return Status::OK();
    }));
    end_groups(keys.size());
    LEAT_ASSIGN(auto columns, decoder.Finish());
    std::vector<Argument> args;
    for (size_t i = 0; i < columns.size(); ++i) {
      args.push_back({.array = std::move(columns[i]), .type = types_[i]});
    }
    const FoldCall fold{
        .result = &call_.result, .offsets = offsets, .args = args, .errors = errors};
    return call_.aggregate->fold(fold);
  }

 private:
  const AggregateCall call_;
  const GroupTable& groups_;
  std::vector<Type> types_;      // of the arguments
  std::vector<size_t> columns_;  // what the rows are ordered by before `_seq`
  std::vector<KeyColumn> order_;
};

}  // namespace

std::unique_ptr<CallStates> MakeFoldStates(const AggregateCall& call, const GroupTable& groups) {
  return std::make_unique<FoldStates>(call, groups);
}

}  // namespace leat::aggregate_internal
