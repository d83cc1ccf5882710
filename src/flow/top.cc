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
        final_(spec.properties.final),
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
    kept_keys_.Clear();
    kept_values_.Clear();
    kept_weights_.clear();
    for (const OrderedRows::Changes& partition : rows_.Sort()) {
      LEAT_RETURN(Update(partition, out));
    }
    LEAT_RETURN(EmitCollected(out));
    prune_at_ = kPruneRows;
    return trims_ ? rows_.Apply(kept_keys_, kept_values_, kept_weights_) : rows_.Apply();
  }

  // Of what was pushed so far only each partition's first rows can be among its first in the end.
  void Prune() {
    std::vector<OrderedRows::Changes> partitions = rows_.Sort();
    int64_t kept = 0;
    for (OrderedRows::Changes& partition : partitions) {
      partition = partition.first(std::min(partition.size(), static_cast<size_t>(end_)));
      kept += static_cast<int64_t>(partition.size());
    }
    // Where most could win, as in many small partitions, dropping the others costs more than it
    // spares, and so would trying again soon.
    const bool pays = kept < rows_.pending() / 4 * 3;
    if (pays) rows_.Retain(partitions);
    prune_at_ = std::max(kPruneRows, (pays ? 2 : 4) * rows_.pending());
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
      if (trims_ && !final_) Trim(entry, after);
      before += entry.before;
      after += entry.after;
      return before < end_ || after < end_;
    };
    LEAT_RETURN(rows_.Walk(prefix, PrefixEnd(prefix), partition, visit));
    return collector_.rows() >= kEmitRows ? EmitCollected(out) : Status::OK();
  }

  // Notes how the state changes if it holds an entry only while it begins before `end_`.
  void Trim(const OrderedRows::Entry& entry, int64_t seen) {
    const int64_t weight = (seen < end_ ? entry.after : 0) - entry.before;
    if (weight == 0) return;
    kept_keys_.Append(entry.key);
    kept_values_.Append(entry.value);
    kept_weights_.push_back(weight);
  }

  Status EmitCollected(Output* out) { return collector_.Emit({}, out); }

  const int64_t offset_, end_;
  const bool trims_, final_;
  OrderedRows rows_;
  RowCollector collector_;
  // How the state changes, where it is trimmed.
  Strings kept_keys_, kept_values_;
  std::vector<int64_t> kept_weights_;
  int64_t prune_at_ = kPruneRows;
  OperatorStats stats_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeTop(TopSpec spec) {
  if (spec.offset == 0 && spec.limit < 0) return MakeUnionAll(1);  // all rows
  return std::make_unique<Top>(spec);
}

}  // namespace leat
