// The join of a query that is asked once: a hash table over the right side, probed by the left as
// it comes. Nothing is kept but the right side's columns.
#include <arrow/array/util.h>

#include "flow/join_internal.h"
#include "flow/join_keys.h"
#include "flow/row_errors.h"

namespace leat::join_internal {
namespace {

constexpr int64_t kProbeBlock = 256;

class FinalJoin : public Operator {
 public:
  explicit FinalJoin(JoinSpec spec)
      : spec_(std::move(spec)), words_(JoinKeys::WordsOf(spec_)), right_keys_(words_) {}

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
  // Rows of the left side, with their keys.
  struct Probe {
    Batch batch;
    std::vector<uint8_t> null_key;
    JoinKeys keys;
  };
  bool CountsLeft() const {
    return spec_.type >= JoinType::kSemi || EmitsUnmatchedLeft(spec_.type);
  }

  Status Build();
  Status PushLeft(const Probe& left, const EvalContext& context, Output* out);
  // Of a semi or anti join whose matches need not be counted.
  void FindMatches(const Probe& left);
  // Those of `pairs` that satisfy the residual.
  Status KeepPassing(const Batch& left, const EvalContext& context, Output* out,
                     Pairs* pairs) const;
  Result<Batch> Gather(const Batch& left, const Pairs& pairs) const;
  // Counts and emits pairs, and clears them.
  Status TakePairs(const Batch& left, const EvalContext& context, Output* out, Pairs* pairs);
  Status EmitLeftAlone(const Batch& left, Output* out) const;

  const JoinSpec spec_;
  const int words_;
  std::vector<Batch> waiting_;  // the right side until it is complete
  JoinKeys right_keys_;
  std::vector<uint8_t> null_key_;  // of the right side; empty: no row has one
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
  LEAT_ASSIGN(KeyedColumns keyed, EvaluateKeys(spec_, port, batch, context, out));
  if (port == 1) {
    LEAT_RETURN(right_keys_.Append(spec_, port, keyed));
    if (!keyed.null_key.empty()) {
      null_key_.resize(static_cast<size_t>(right_keys_.size() - keyed.batch.rows), 0);
      null_key_.insert(null_key_.end(), keyed.null_key.begin(), keyed.null_key.end());
    }
    waiting_.push_back(std::move(keyed.batch));
    return Status::OK();
  }
  LEAT_RETURN(Build());
  Probe left{keyed.batch, std::move(keyed.null_key), JoinKeys(words_)};
  LEAT_RETURN(left.keys.Append(spec_, port, keyed));
  return PushLeft(left, context, out);
}

Status FinalJoin::Build() {
  if (built_) return Status::OK();
  built_ = true;
  LEAT_ASSIGN(right_, Concatenate(spec_.right, waiting_));
  waiting_.clear();
  if (right_.rows > INT32_MAX) return NotSupported("a join with more than 2^31 rows on the right");
  if (!null_key_.empty()) null_key_.resize(static_cast<size_t>(right_.rows), 0);
  table_ = std::make_unique<KeyTable>(right_keys_, null_key_);
  if (EmitsUnmatchedRight(spec_.type)) {
    right_matches_.assign(static_cast<size_t>(right_.rows), 0);
  }
  return Status::OK();
}

Status FinalJoin::PushLeft(const Probe& left, const EvalContext& context, Output* out) {
  if (CountsLeft()) left_matches_.assign(static_cast<size_t>(left.batch.rows), 0);
  if (!EmitsPairs(spec_.type) && !spec_.residual && !left.batch.weights && !right_.weights) {
    FindMatches(left);
    return EmitLeftAlone(left.batch, out);
  }
  Pairs pairs;
  uint64_t hashes[kProbeBlock];
  for (int64_t begin = 0; begin < left.batch.rows; begin += kProbeBlock) {
    const int64_t end = std::min(left.batch.rows, begin + kProbeBlock);
    for (int64_t i = begin; i < end; ++i) {
      hashes[i - begin] = left.keys.Hash(i);
      table_->Prefetch(hashes[i - begin]);
    }
    for (int64_t i = begin; i < end; ++i) {
      if (!left.null_key.empty() && left.null_key[static_cast<size_t>(i)] != 0) continue;
      for (int32_t row = table_->Find(left.keys, i, hashes[i - begin]); row >= 0;
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

void FinalJoin::FindMatches(const Probe& left) {
  uint64_t hashes[kProbeBlock];
  for (int64_t begin = 0; begin < left.batch.rows; begin += kProbeBlock) {
    const int64_t end = std::min(left.batch.rows, begin + kProbeBlock);
    for (int64_t i = begin; i < end; ++i) {
      hashes[i - begin] = left.keys.Hash(i);
      table_->Prefetch(hashes[i - begin]);
    }
    for (int64_t i = begin; i < end; ++i) {
      if (!left.null_key.empty() && left.null_key[static_cast<size_t>(i)] != 0) continue;
      if (table_->Find(left.keys, i, hashes[i - begin]) >= 0) {
        left_matches_[static_cast<size_t>(i)] = 1;
      }
    }
  }
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
