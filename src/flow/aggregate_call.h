// The states of one aggregate call for all groups, in the form that fits the call and the input.
// Only flow/aggregate*.cc include this.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/operators.h"
#include "func/function.h"
#include "state/group_table.h"
#include "state/store.h"

namespace leat::aggregate_internal {

// Types whose equal values are identical: a group's values are those of any of its rows. For the
// others (-0 and 0, 1.0 and 1.00, '1 day' and '24 hours') the earliest row's stand for the group.
bool IsExact(const Type& type);

// Appends `_seq` so that memcmp orders it; a row without one counts as 0.
void AppendSeq(const Batch& batch, int64_t row, std::string* out);
inline constexpr size_t kSeqBytes = 8;

// What a call sees of a batch.
struct CallInput {
  const Batch* batch;
  std::span<const Argument> args;
  const uint32_t* groups;  // of each row
  const int64_t* weights;  // null: all +1
  const uint8_t* mask;     // null: every row counts
  bool Counts(int64_t row) const { return mask == nullptr || mask[row] != 0; }
  int64_t weight(int64_t row) const { return weights == nullptr ? 1 : weights[row]; }
};

class CallStates {
 public:
  virtual ~CallStates() = default;
  virtual Status Resize(int64_t groups) = 0;
  // Takes rows; `Answers` may show them before Commit or only after it.
  virtual Status Update(const CallInput& input) = 0;
  // The answers before the epoch, of groups that Update has not touched in it; after Commit the
  // answers after it, of any. Failures are errors of their position in `groups`.
  virtual Result<std::shared_ptr<arrow::Array>> Answers(std::span<const uint32_t> groups,
                                                        ErrorMask* errors) const = 0;
  virtual Status Commit() { return Status::OK(); }
  virtual void Clear(uint32_t group) = 0;
  // A group's state, for what is not in traces, appended; and back.
  virtual void Save(uint32_t group, std::string* out) const = 0;
  virtual Status Load(uint32_t group, std::string_view bytes) = 0;
  // Traces.
  virtual Status Checkpoint(StateWriter*) { return Status::OK(); }
  virtual Status Restore(StateReader*) { return Status::OK(); }
  // Of all, and of what is not in traces.
  virtual int64_t memory() const = 0;
  virtual int64_t table_memory() const { return memory(); }
  // Forgets all groups but what is in traces; `fresh` was just made as this one was. False: nothing
  // is in traces, and `fresh` may take its place.
  virtual bool ForgetTable(CallStates* fresh) {
    (void)fresh;
    return false;
  }
};

// States that are nothing but rows in a trace, by the key of their group.
class RowStates : public CallStates {
 public:
  Status Resize(int64_t) override { return Status::OK(); }
  Status Commit() override {
    LEAT_RETURN(rows_->Apply(keys_, values_, weights_));
    keys_.Clear();
    values_.Clear();
    weights_.clear();
    return Status::OK();
  }
  // The rows went when they were taken back.
  void Clear(uint32_t) override {}
  void Save(uint32_t, std::string*) const override {}
  Status Load(uint32_t, std::string_view) override { return Status::OK(); }
  Status Checkpoint(StateWriter* writer) override { return rows_->Checkpoint(writer); }
  Status Restore(StateReader* reader) override { return rows_->Restore(reader); }
  int64_t memory() const override { return rows_->stats().bytes; }
  int64_t table_memory() const override { return 0; }
  bool ForgetTable(CallStates*) override { return true; }

 protected:
  const std::unique_ptr<Index> rows_ = MakeIndex();
  Strings keys_, values_;  // of the epoch
  std::vector<int64_t> weights_;
};

// `groups` gives the keys of the groups; it outlives the states.
Result<std::unique_ptr<CallStates>> MakeCallStates(const AggregateCall& call,
                                                   const Properties& properties,
                                                   const GroupTable& groups);

// The forms. Accumulators alone:
std::unique_ptr<CallStates> MakePlainStates(std::unique_ptr<Accumulators> accumulators);
// accumulators that see each distinct value of a group once;
std::unique_ptr<CallStates> MakeDistinctStates(std::unique_ptr<Accumulators> accumulators,
                                               std::vector<Type> args, const GroupTable& groups);
// the best row of each group where rows only come;
std::unique_ptr<CallStates> MakeBestRowStates(const AggregateCall& call);
// all rows, in the order in which they would be the answer.
std::unique_ptr<CallStates> MakeOrderedRowStates(const AggregateCall& call,
                                                 const GroupTable& groups);
// all rows, folded into an answer in the order that the call asks for.
std::unique_ptr<CallStates> MakeFoldStates(const AggregateCall& call, const GroupTable& groups);

// For the two forms that pick a row: the rows that take part, and for each the bytes by which they
// are compared: what it is picked by, then `_seq`, then the value.
struct PickedRows {
  std::vector<int64_t> rows;
  Strings order;   // of the value picked by
  Strings values;  // `_seq` and the value's bytes
};
Result<PickedRows> PickRows(const Aggregate& aggregate, const CallInput& input);

}  // namespace leat::aggregate_internal
