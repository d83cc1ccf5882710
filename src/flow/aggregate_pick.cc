// min, max, arg_min, arg_max, first, last: the value of the row that is first in some order.
#include <arrow/array.h>
#include <arrow/builder.h>

#include "data/key.h"
#include "flow/aggregate_call.h"
#include "flow/row_errors.h"
#include "state/chunked.h"
#include "state/index.h"

namespace leat::aggregate_internal {
namespace {

using Pick = Aggregate::Pick;

// The bytes by which the rows compare before `_seq`.
Status EncodeOrder(const Aggregate& aggregate, const CallInput& input, Strings* order) {
  const int64_t rows = input.batch->rows;
  if (aggregate.pick == Pick::kFirst) {
    order->offsets.assign(static_cast<size_t>(rows) + 1, 0);
    return Status::OK();
  }
  if (aggregate.pick == Pick::kLast) {
    const Type seq_type(TypeId::kInt8);
    std::shared_ptr<arrow::Array> seq = input.batch->seq;
    if (!seq) {
      LEAT_ASSIGN(seq, arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), rows));
    }
    return KeyEncoder({{.type = seq_type, .descending = true}}).Encode({seq}, rows, order);
  }
  const Argument& by = input.args[static_cast<size_t>(aggregate.pick_by)];
  return KeyEncoder({{.type = by.type, .descending = aggregate.pick == Pick::kGreatest}})
      .Encode({by.array}, rows, order);
}

Result<std::shared_ptr<arrow::Array>> DecodeValues(const Type& type,
                                                   const std::vector<std::string>& rows) {
  RowDecoder decoder({type});
  for (const std::string& row : rows) {
    if (row.empty()) {
      decoder.AppendNull();
    } else {
      LEAT_RETURN(decoder.Append(std::string_view(row).substr(kSeqBytes)));
    }
  }
  LEAT_ASSIGN(auto columns, decoder.Finish());
  return columns[0];
}

class BestRowStates : public CallStates {
 public:
  explicit BestRowStates(const AggregateCall& call)
      : aggregate_(*call.aggregate), type_(call.args[0]->type) {}

  Status Resize(int64_t groups) override {
    best_.Resize(groups);
    return Status::OK();
  }

  Status Update(const CallInput& input) override {
    LEAT_ASSIGN(const PickedRows picked, PickRows(aggregate_, input));
    for (size_t i = 0; i < picked.rows.size(); ++i) {
      Best& best = best_[input.groups[picked.rows[i]]];
      const auto at = static_cast<int64_t>(i);
      const int order = best.set ? picked.order[at].compare(best.order) : -1;
      if (order > 0 || (order == 0 && picked.values[at] >= best.value)) continue;
      heap_ -= best.heap();
      best.order = picked.order[at];
      best.value = picked.values[at];
      best.set = true;
      heap_ += best.heap();
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Answers(std::span<const uint32_t> groups,
                                                ErrorMask*) const override {
    std::vector<std::string> rows;
    for (const uint32_t group : groups) rows.push_back(best_[group].value);
    return DecodeValues(type_, rows);
  }

  void Clear(uint32_t group) override {
    heap_ -= best_[group].heap();
    best_[group] = {};
  }

  void Save(uint32_t group, std::string* out) const override {
    const Best& best = best_[group];
    if (!best.set) return;
    const auto size = static_cast<uint32_t>(best.order.size());
    out->append(reinterpret_cast<const char*>(&size), sizeof(size));
    *out += best.order;
    *out += best.value;
  }

  Status Load(uint32_t group, std::string_view bytes) override {
    if (bytes.empty()) return Status::OK();
    uint32_t size = 0;
    if (bytes.size() < sizeof(size)) return Status::Invalid("an aggregate's state is cut off");
    std::memcpy(&size, bytes.data(), sizeof(size));
    bytes.remove_prefix(sizeof(size));
    if (bytes.size() < size) return Status::Invalid("an aggregate's state is cut off");
    best_[group] = {std::string(bytes.substr(0, size)), std::string(bytes.substr(size)), true};
    heap_ += best_[group].heap();
    return Status::OK();
  }

  int64_t memory() const override { return best_.memory() + heap_; }

 private:
  struct Best {
    std::string order, value;
    bool set = false;
    int64_t heap() const { return static_cast<int64_t>(order.size() + value.size()); }
  };
  const Aggregate& aggregate_;
  const Type type_;
  Chunked<Best> best_;
  int64_t heap_ = 0;
};

class OrderedRowStates : public RowStates {
 public:
  OrderedRowStates(const AggregateCall& call, const GroupTable& groups)
      : aggregate_(*call.aggregate), type_(call.args[0]->type), groups_(groups) {}

  Status Update(const CallInput& input) override {
    LEAT_ASSIGN(const PickedRows picked, PickRows(aggregate_, input));
    std::string value;
    for (size_t i = 0; i < picked.rows.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      keys_.Append(groups_.key(input.groups[picked.rows[i]]));
      const std::string_view order = picked.order[at];
      const auto order_size = static_cast<uint32_t>(order.size());
      value = order;
      value += picked.values[at];
      value.append(reinterpret_cast<const char*>(&order_size), sizeof(order_size));
      values_.Append(value);
      weights_.push_back(input.weight(picked.rows[i]));
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Answers(std::span<const uint32_t> groups,
                                                ErrorMask*) const override {
    Strings keys;
    for (const uint32_t group : groups) keys.Append(groups_.key(group));
    RowDecoder decoder({type_});
    int64_t done = 0;
    const auto fill = [&](int64_t end) {
      for (; done < end; ++done) decoder.AppendNull();
    };
    LEAT_RETURN(rows_->First(keys, [&](int64_t i, std::string_view row, int64_t) -> Status {
      fill(i);
      ++done;
      uint32_t order_size = 0;
      const size_t size = row.size() - sizeof(order_size);
      std::memcpy(&order_size, row.data() + size, sizeof(order_size));
      return decoder.Append(row.substr(0, size).substr(order_size + kSeqBytes));
    }));
    fill(keys.size());
    LEAT_ASSIGN(auto columns, decoder.Finish());
    return columns[0];
  }

 private:
  const Aggregate& aggregate_;
  const Type type_;
  const GroupTable& groups_;
  // By group: what the row is picked by, `_seq`, the value, and the size of the first. The first
  // of a group's rows is the answer.
};

}  // namespace

Result<PickedRows> PickRows(const Aggregate& aggregate, const CallInput& input) {
  const int64_t rows = input.batch->rows;
  const bool by_value = aggregate.pick == Pick::kLeast || aggregate.pick == Pick::kGreatest;
  const Argument& by = input.args[static_cast<size_t>(by_value ? aggregate.pick_by : 0)];
  Strings order, values;
  LEAT_RETURN(EncodeOrder(aggregate, input, &order));
  LEAT_RETURN(EncodeRows({input.args[0].array}, {input.args[0].type}, rows, &values));
  PickedRows picked;
  std::string value;
  for (int64_t row = 0; row < rows; ++row) {
    if (!input.Counts(row) || (by_value && by.array->IsNull(row))) continue;
    picked.rows.push_back(row);
    picked.order.Append(order[row]);
    value.clear();
    AppendSeq(*input.batch, row, &value);
    value += values[row];
    picked.values.Append(value);
  }
  return picked;
}

std::unique_ptr<CallStates> MakeBestRowStates(const AggregateCall& call) {
  return std::make_unique<BestRowStates>(call);
}

std::unique_ptr<CallStates> MakeOrderedRowStates(const AggregateCall& call,
                                                 const GroupTable& groups) {
  return std::make_unique<OrderedRowStates>(call, groups);
}

}  // namespace leat::aggregate_internal
