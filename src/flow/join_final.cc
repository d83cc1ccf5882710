// The join of a query that is asked once: a hash table over the right side, probed by the left as
// it comes. Nothing is kept but the right side's columns.
#include <arrow/array/util.h>

#include <bit>

#include "base/check.h"
#include "flow/join_internal.h"
#include "flow/row_errors.h"
#include "state/run.h"

namespace leat::join_internal {
namespace {

constexpr int64_t kProbeBlock = 256;

// Rows by key: a table of the first row of each key, rows of one key in a chain.
class KeyTable {
 public:
  // Rows of `left_out` (empty: none) match nothing.
  KeyTable(Strings keys, const std::vector<uint8_t>& left_out) : keys_(std::move(keys)) {
    const auto rows = static_cast<size_t>(keys_.size());
    slots_.assign(std::bit_ceil(rows * 2 + 1), {});
    next_.assign(rows, -1);
    // From the end, so that chains run in the order of the rows.
    for (int64_t row = keys_.size() - 1; row >= 0; --row) {
      if (!left_out.empty() && left_out[static_cast<size_t>(row)] != 0) continue;
      const uint64_t hash = HashKey(keys_[row]);
      Slot& slot = slots_[FindSlot(keys_[row], hash)];
      next_[static_cast<size_t>(row)] = slot.first;
      slot = {hash, static_cast<int32_t>(row)};
    }
  }
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]); }
  // The first row of the key, or -1.
  int32_t Find(std::string_view key, uint64_t hash) const {
    return slots_[FindSlot(key, hash)].first;
  }
  int32_t Next(int32_t row) const { return next_[static_cast<size_t>(row)]; }

 private:
  struct Slot {
    uint64_t hash = 0;
    int32_t first = -1;
  };
  size_t FindSlot(std::string_view key, uint64_t hash) const {
    for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.first < 0 || (slot.hash == hash && keys_[slot.first] == key)) return at;
    }
  }

  const Strings keys_;
  std::vector<Slot> slots_;
  std::vector<int32_t> next_;
};

class FinalJoin : public Operator {
 public:
  explicit FinalJoin(JoinSpec spec) : spec_(std::move(spec)) {}

  Status Push(int port, const Batch& batch, const EvalContext& context, Output* out) override;
  Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) override;
  OperatorStats stats() const override { return stats_; }

 private:
  // Rows of a left batch and of the right side that go together.
  struct Pairs {
    std::vector<int32_t> left, right;
    void Clear() {
      left.clear();
      right.clear();
    }
  };
  bool CountsLeft() const {
    return spec_.type >= JoinType::kSemi || EmitsUnmatchedLeft(spec_.type);
  }

  Status Build();
  Status PushLeft(const KeyedBatch& left, const EvalContext& context, Output* out);
  // Those of `pairs` that satisfy the residual.
  Status KeepPassing(const Batch& left, const EvalContext& context, Output* out,
                     Pairs* pairs) const;
  Result<Batch> Gather(const Batch& left, const Pairs& pairs) const;
  // Counts and emits pairs, and clears them.
  Status TakePairs(const Batch& left, const EvalContext& context, Output* out, Pairs* pairs);
  Status EmitLeftAlone(const Batch& left, Output* out) const;

  const JoinSpec spec_;
  std::vector<KeyedBatch> waiting_;  // the right side until it is complete
  bool built_ = false;
  Batch right_;
  std::unique_ptr<KeyTable> table_;
  // Weights of matches of each row; a row whose matches sum to zero has none.
  std::vector<int64_t> left_matches_, right_matches_;
  OperatorStats stats_;
};

Status FinalJoin::Push(int port, const Batch& batch, const EvalContext& context, Output* out) {
  if (batch.rows == 0) return Status::OK();
  stats_.rows_in += batch.rows;
  if (port == 1 && built_) {
    return Status::Invalid("a final join was given rows of its right side after its left side");
  }
  if (port == 0) LEAT_RETURN(Build());
  LEAT_ASSIGN(KeyedBatch keyed, MakeKeyed(spec_, port, batch, context, out));
  if (port == 0) return PushLeft(keyed, context, out);
  if (!keyed.null_key.empty() && !EmitsUnmatchedRight(spec_.type)) {
    LEAT_ASSIGN(keyed, TakeKeyed(keyed, false));
  }
  waiting_.push_back(std::move(keyed));
  return Status::OK();
}

Status FinalJoin::Build() {
  if (built_) return Status::OK();
  built_ = true;
  std::vector<Batch> batches;
  Strings keys;
  std::vector<uint8_t> null_key;
  for (const KeyedBatch& keyed : waiting_) {
    if (!keyed.null_key.empty()) {
      null_key.resize(static_cast<size_t>(keys.size()), 0);
      null_key.insert(null_key.end(), keyed.null_key.begin(), keyed.null_key.end());
    }
    for (int64_t i = 0; i < keyed.keys.size(); ++i) keys.Append(keyed.keys[i]);
    batches.push_back(keyed.batch);
  }
  waiting_.clear();
  LEAT_ASSIGN(right_, Concatenate(spec_.right, batches));
  if (right_.rows > INT32_MAX) return NotSupported("a join with more than 2^31 rows on the right");
  if (!null_key.empty()) null_key.resize(static_cast<size_t>(keys.size()), 0);
  table_ = std::make_unique<KeyTable>(std::move(keys), null_key);
  if (EmitsUnmatchedRight(spec_.type)) {
    right_matches_.assign(static_cast<size_t>(right_.rows), 0);
  }
  return Status::OK();
}

Status FinalJoin::PushLeft(const KeyedBatch& left, const EvalContext& context, Output* out) {
  if (CountsLeft()) left_matches_.assign(static_cast<size_t>(left.batch.rows), 0);
  Pairs pairs;
  uint64_t hashes[kProbeBlock];
  for (int64_t begin = 0; begin < left.batch.rows; begin += kProbeBlock) {
    const int64_t end = std::min(left.batch.rows, begin + kProbeBlock);
    for (int64_t i = begin; i < end; ++i) {
      hashes[i - begin] = HashKey(left.keys[i]);
      table_->Prefetch(hashes[i - begin]);
    }
    for (int64_t i = begin; i < end; ++i) {
      if (!left.null_key.empty() && left.null_key[static_cast<size_t>(i)] != 0) continue;
      for (int32_t row = table_->Find(left.keys[i], hashes[i - begin]); row >= 0;
           row = table_->Next(row)) {
        pairs.left.push_back(static_cast<int32_t>(i));
        pairs.right.push_back(row);
        if (static_cast<int64_t>(pairs.left.size()) >= kOutputRows) {
          LEAT_RETURN(TakePairs(left.batch, context, out, &pairs));
        }
      }
    }
  }
  LEAT_RETURN(TakePairs(left.batch, context, out, &pairs));
  return CountsLeft() ? EmitLeftAlone(left.batch, out) : Status::OK();
}

Result<Batch> FinalJoin::Gather(const Batch& left, const Pairs& pairs) const {
  Batch batch;
  batch.rows = static_cast<int64_t>(pairs.left.size());
  for (const auto& column : left.columns) {
    LEAT_ASSIGN(auto taken, TakeElements(column, pairs.left));
    batch.columns.push_back(std::move(taken));
  }
  for (const auto& column : right_.columns) {
    LEAT_ASSIGN(auto taken, TakeElements(column, pairs.right));
    batch.columns.push_back(std::move(taken));
  }
  if (!left.weights && !right_.weights) return batch;
  std::vector<int64_t> weights(pairs.left.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = left.weight(pairs.left[i]) * right_.weight(pairs.right[i]);
  }
  LEAT_RETURN(SetWeights(weights, &batch));
  return batch;
}

Status FinalJoin::KeepPassing(const Batch& left, const EvalContext& context, Output* out,
                              Pairs* pairs) const {
  LEAT_ASSIGN(const Batch batch, Gather(left, *pairs));
  ErrorMask errors(batch.rows);
  LEAT_ASSIGN(const auto passed, EvaluateFilter(*spec_.residual, batch, context, &errors));
  LEAT_RETURN(RejectRows(batch, errors, out));
  Pairs kept;
  for (const int32_t row : passed) {
    kept.left.push_back(pairs->left[static_cast<size_t>(row)]);
    kept.right.push_back(pairs->right[static_cast<size_t>(row)]);
  }
  *pairs = std::move(kept);
  return Status::OK();
}

Status FinalJoin::TakePairs(const Batch& left, const EvalContext& context, Output* out,
                            Pairs* pairs) {
  if (pairs->left.empty()) return Status::OK();
  if (spec_.residual) LEAT_RETURN(KeepPassing(left, context, out, pairs));
  for (size_t i = 0; i < pairs->left.size(); ++i) {
    const int32_t l = pairs->left[i], r = pairs->right[i];
    if (CountsLeft()) left_matches_[static_cast<size_t>(l)] += right_.weight(r);
    if (!right_matches_.empty()) right_matches_[static_cast<size_t>(r)] += left.weight(l);
  }
  if (EmitsPairs(spec_.type) && !pairs->left.empty()) {
    LEAT_ASSIGN(Batch batch, Gather(left, *pairs));
    stats_.rows_out += batch.rows;
    LEAT_RETURN(out->Emit(std::move(batch)));
  }
  pairs->Clear();
  return Status::OK();
}

Status FinalJoin::EmitLeftAlone(const Batch& left, Output* out) const {
  std::vector<int32_t> rows;
  for (size_t i = 0; i < left_matches_.size(); ++i) {
    if ((left_matches_[i] != 0) == (spec_.type == JoinType::kSemi)) {
      rows.push_back(static_cast<int32_t>(i));
    }
  }
  if (rows.empty()) return Status::OK();
  LEAT_ASSIGN(Batch batch, Take(left, rows));
  if (EmitsPairs(spec_.type)) {
    for (const Type& type : TypesOf(spec_.right)) {
      LEAT_ASSIGN(auto nulls, arrow::MakeArrayOfNull(ArrowType(type), batch.rows));
      batch.columns.push_back(std::move(nulls));
    }
  }
  return out->Emit(std::move(batch));
}

Status FinalJoin::Finish(const Epoch&, const EvalContext&, Output* out) {
  LEAT_RETURN(Build());
  std::vector<int32_t> rows;
  for (size_t i = 0; i < right_matches_.size(); ++i) {
    if (right_matches_[i] == 0) rows.push_back(static_cast<int32_t>(i));
  }
  if (rows.empty()) return Status::OK();
  LEAT_ASSIGN(const Batch right, Take(right_, rows));
  Batch batch;
  batch.rows = right.rows;
  batch.weights = right.weights;
  for (const Type& type : TypesOf(spec_.left)) {
    LEAT_ASSIGN(auto nulls, arrow::MakeArrayOfNull(ArrowType(type), right.rows));
    batch.columns.push_back(std::move(nulls));
  }
  batch.columns.insert(batch.columns.end(), right.columns.begin(), right.columns.end());
  return out->Emit(std::move(batch));
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeFinalJoin(JoinSpec spec) {
  return std::make_unique<FinalJoin>(std::move(spec));
}

}  // namespace leat::join_internal
