// The first rows of each partition: DISTINCT ON, row_number() <= n, ORDER BY … LIMIT. For each
// touched partition the rows that stood at the top and those that stand there now are read off the
// ordered rows together; what is in one only is the delta. Of an append-only input nothing below
// the top can come back up: it is not kept.
#include "flow/operators.h"
#include "flow/ordered_rows.h"
#include "flow/row_errors.h"

namespace leat {
namespace {

constexpr int64_t kPruneRows = 1 << 16;  // pending rows from which it pays to drop what cannot win
constexpr int64_t kEmitRows = 1 << 15;

// How much of an entry with `weight` rows behind `seen` others lies in [offset, end).
int64_t Inside(int64_t seen, int64_t weight, int64_t offset, int64_t end) {
  return std::max<int64_t>(0, std::min(seen + weight, end) - std::max(seen, offset));
}

class Top : public Operator {
 public:
  explicit Top(const TopSpec& spec)
      : offset_(spec.offset),
        end_(spec.limit < 0 || spec.limit > INT64_MAX - spec.offset ? INT64_MAX
                                                                    : spec.offset + spec.limit),
        trims_(spec.properties.append_only && end_ != INT64_MAX),
        rows_({.input = spec.input,
               .partition = spec.partition,
               .order = spec.order,
               .final = spec.properties.final}),
        collector_(rows_.row_types()) {}

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    stats_.rows_in += batch.rows;
    LEAT_RETURN(rows_.Push(batch, context, out));
    if (trims_ && rows_.pending() >= prune_at_) Prune();
    return rows_.full() ? TakeIn(out) : Status::OK();
  }

  Status Finish(const Epoch&, const EvalContext&, Output* out) override { return TakeIn(out); }

  Status Checkpoint(StateWriter* writer) override { return rows_.Checkpoint(writer); }
  Status Restore(StateReader* reader) override { return rows_.Restore(reader); }
  OperatorStats stats() const override {
    OperatorStats stats = stats_;
    stats.state_rows = rows_.stats().entries;
    stats.state_bytes = rows_.stats().held;
    return stats;
  }

 private:
  // All that is pending, as an epoch of its own.
  Status TakeIn(Output* out) {
    kept_.clear();
    kept_bytes_.Clear();
    for (const OrderedRows::Changes& partition : rows_.Sort()) {
      LEAT_RETURN(Update(partition, out));
    }
    LEAT_RETURN(EmitCollected(out));
    prune_at_ = kPruneRows;
    return trims_ ? ApplyTrimmed() : rows_.Apply();
  }

  // Of what was pushed so far only each partition's first rows can be among its first in the end.
  void Prune() {
    std::vector<OrderedRows::Changes> partitions = rows_.Sort();
    for (OrderedRows::Changes& partition : partitions) {
      partition = partition.first(std::min(partition.size(), static_cast<size_t>(end_)));
    }
    rows_.Retain(partitions);
    prune_at_ = std::max(kPruneRows, 2 * rows_.pending());
  }

  Status Update(const OrderedRows::Changes& partition, Output* out) {
    const std::string prefix(partition[0].partition());
    int64_t before = 0, after = 0;  // rows seen so far
    const auto visit = [&](const OrderedRows::Entry& entry) -> Result<bool> {
      const int64_t gone = Inside(before, entry.before, offset_, end_);
      const int64_t come = Inside(after, entry.after, offset_, end_);
      if (come != gone) {
        LEAT_RETURN(collector_.Add(entry.value, OrderedRows::SeqOf(entry.key), come - gone));
        ++stats_.rows_out;
      }
      if (trims_) Trim(entry, after, prefix.size());
      before += entry.before;
      after += entry.after;
      return before < end_ || after < end_;
    };
    LEAT_RETURN(rows_.Walk(prefix, PrefixEnd(prefix), partition, visit));
    return collector_.rows() >= kEmitRows ? EmitCollected(out) : Status::OK();
  }

  // Notes how the state changes if it holds an entry only while it begins before `end_`.
  void Trim(const OrderedRows::Entry& entry, int64_t seen, size_t partition_size) {
    const int64_t weight = (seen < end_ ? entry.after : 0) - entry.before;
    if (weight == 0) return;
    kept_bytes_.Append(entry.key);
    kept_bytes_.Append(entry.value);
    kept_.push_back({.weight = weight, .partition_size = partition_size});
  }

  Status ApplyTrimmed() {
    for (size_t i = 0; i < kept_.size(); ++i) {
      kept_[i].key = kept_bytes_[static_cast<int64_t>(2 * i)];
      kept_[i].value = kept_bytes_[static_cast<int64_t>(2 * i + 1)];
    }
    return rows_.Apply(kept_);
  }

  Status EmitCollected(Output* out) { return collector_.Emit({}, out); }

  const int64_t offset_, end_;
  const bool trims_;
  OrderedRows rows_;
  RowCollector collector_;
  std::vector<OrderedRows::Change> kept_;
  Strings kept_bytes_;  // key and value of each of `kept_`
  int64_t prune_at_ = kPruneRows;
  OperatorStats stats_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeTop(TopSpec spec) {
  if (spec.offset == 0 && spec.limit < 0) return MakeUnionAll(1);  // all rows
  return std::make_unique<Top>(spec);
}

}  // namespace leat
