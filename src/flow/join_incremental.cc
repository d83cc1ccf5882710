// The join that is kept up to date. With L, R the sides before the epoch and L', R' after it:
//
//   pairs            dL * R' + L * dR
//   unmatched left   dL where R' has no match, and L where R lost its last match (+) or got its
//                    first (-); right likewise, with L instead of L' for dR, as R' is there first.
#include <map>

#include "flow/join_internal.h"
#include "state/memory.h"

namespace leat::join_internal {
namespace {

// A side's rows of the epoch, together.
struct Delta {
  Batch batch;
  Strings keys, rows;
  std::vector<int64_t> weights;
  Strings distinct_keys;
};

class IncrementalJoin : public Operator {
 public:
  explicit IncrementalJoin(JoinSpec spec)
      : spec_(std::move(spec)), delta_bytes_max_(StateMemory::Current()->delta_bytes_max()) {
    for (auto& index : index_) index = MakeIndex();
  }

  Status Push(int port, const Batch& batch, const EvalContext& context, Output* out) override;
  Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) override;
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override;
  OperatorStats stats() const override;

 private:
  static constexpr size_t kLeft = 0, kRight = 1;
  using Candidates = ResidualMatcher::Candidates;

  const Schema& schema(size_t side) const { return side == kLeft ? spec_.left : spec_.right; }
  // Whether the side's rows are put out by themselves.
  bool EmitsAlone(size_t side) const {
    return EmitsUnmatched(side) || (side == kLeft && WantsMatched());
  }
  bool EmitsUnmatched(size_t side) const {
    return side == kLeft ? EmitsUnmatchedLeft(spec_.type) : EmitsUnmatchedRight(spec_.type);
  }
  // A semi join keeps exactly the rows that an anti join drops.
  bool WantsMatched() const { return spec_.type == JoinType::kSemi; }

  // Takes in what waits, and says what that changes.
  Status TakeWaiting(const EvalContext& context, Output* out);
  Result<Delta> TakeDelta(size_t side);
  // Adds a row of `side` (a number or bytes) to the emitter, nulls on the other.
  template <typename Row>
  Status AddAlone(size_t side, Row row, int64_t weight, PairEmitter* pairs) const;
  Status BeginAlone(size_t side, const Batch* batch, PairEmitter* pairs) const;
  Status EmitAlone(size_t side, const Batch& batch, PairEmitter* pairs) const;

  // Pairs of a side's delta with what the other side's index holds now.
  Status EmitPairs(size_t side, const Delta& delta, PairEmitter* pairs) const;
  // Rows of the delta that stand alone, given what the other side's index holds now.
  Status EmitAloneOfDelta(size_t side, const Delta& delta, PairEmitter* pairs) const;
  // Rows in the index of `side` under keys whose presence on the other side changed.
  Status EmitAloneOfIndex(size_t side, const Strings& keys, const std::vector<uint8_t>& before,
                          const std::vector<uint8_t>& after, PairEmitter* pairs) const;

  Status FinishByKey(const std::array<Delta, 2>& delta, PairEmitter* pairs);
  Status FinishByRow(const std::array<Delta, 2>& delta, const EvalContext& context, Output* out,
                     PairEmitter* pairs);
  // The rows of the changed keys (their value: 1 changed on the left, 2 on the right), key by key.
  Status Gather(size_t side, const std::map<std::string_view, int>& keys, const Delta& delta,
                std::vector<Candidates>* candidates) const;
  Status Apply(size_t side, const Delta& delta) {
    return index_[side]->Apply(delta.keys, delta.rows, delta.weights);
  }

  const JoinSpec spec_;
  const int64_t delta_bytes_max_;
  int64_t waiting_bytes_ = 0;
  std::unique_ptr<Index> index_[2];  // by join key, of rows
  std::vector<KeyedBatch> waiting_[2];
  OperatorStats stats_;
};

Status IncrementalJoin::Push(int port, const Batch& batch, const EvalContext& context,
                             Output* out) {
  if (batch.rows == 0) return Status::OK();
  const auto side = static_cast<size_t>(port);
  stats_.rows_in += batch.rows;
  LEAT_ASSIGN(KeyedBatch keyed, MakeKeyed(spec_, port, batch, context, out));
  if (!keyed.null_key.empty()) {
    // They match nothing, now and for ever: nothing to remember.
    LEAT_ASSIGN(const KeyedBatch nulls, TakeKeyed(keyed, true));
    LEAT_ASSIGN(keyed, TakeKeyed(keyed, false));
    PairEmitter pairs(spec_, context, out);
    if (EmitsUnmatched(side)) LEAT_RETURN(EmitAlone(side, nulls.batch, &pairs));
  }
  if (keyed.batch.rows == 0) return Status::OK();
  waiting_bytes_ += static_cast<int64_t>(keyed.keys.bytes.size()) + MemoryOf(keyed.batch);
  waiting_[side].push_back(std::move(keyed));
  // A large epoch is taken in parts, as if it were several: the net of what they say is the same.
  return waiting_bytes_ <= delta_bytes_max_ ? Status::OK() : TakeWaiting(context, out);
}

Result<Delta> IncrementalJoin::TakeDelta(size_t side) {
  Delta delta;
  std::vector<Batch> batches;
  for (const KeyedBatch& keyed : waiting_[side]) {
    for (int64_t i = 0; i < keyed.keys.size(); ++i) delta.keys.Append(keyed.keys[i]);
    batches.push_back(keyed.batch);
  }
  waiting_[side].clear();
  LEAT_ASSIGN(delta.batch, Concatenate(schema(side), batches));
  const int64_t rows = delta.batch.rows;
  if (rows == 0) return delta;
  LEAT_RETURN(EncodeRows(delta.batch.columns, TypesOf(schema(side)), rows, &delta.rows));
  for (int64_t i = 0; i < rows; ++i) delta.weights.push_back(delta.batch.weight(i));
  std::vector<std::string_view> keys;
  for (int64_t i = 0; i < rows; ++i) keys.push_back(delta.keys[i]);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string_view key : keys) delta.distinct_keys.Append(key);
  return delta;
}

template <typename Row>
Status IncrementalJoin::AddAlone(size_t side, Row row, int64_t weight, PairEmitter* pairs) const {
  const auto add = [&](SideBuilder& builder) {
    if constexpr (std::is_same_v<Row, int32_t>) {
      builder.Add(row);
      return Status::OK();
    } else {
      return builder.Add(row);
    }
  };
  LEAT_RETURN(add(side == kLeft ? pairs->left() : pairs->right()));
  if (join_internal::EmitsPairs(spec_.type)) {
    (side == kLeft ? pairs->right() : pairs->left()).AddNull();
  }
  return pairs->Added(weight);
}

Status IncrementalJoin::BeginAlone(size_t side, const Batch* batch, PairEmitter* pairs) const {
  return side == kLeft ? pairs->Begin(batch, nullptr, false) : pairs->Begin(nullptr, batch, false);
}

Status IncrementalJoin::EmitAlone(size_t side, const Batch& batch, PairEmitter* pairs) const {
  LEAT_RETURN(BeginAlone(side, &batch, pairs));
  for (int64_t i = 0; i < batch.rows; ++i) {
    LEAT_RETURN(AddAlone(side, static_cast<int32_t>(i), batch.weight(i), pairs));
  }
  return pairs->Flush();
}

Status IncrementalJoin::EmitPairs(size_t side, const Delta& delta, PairEmitter* pairs) const {
  if (!join_internal::EmitsPairs(spec_.type) || delta.batch.rows == 0) return Status::OK();
  const bool left = side == kLeft;
  LEAT_RETURN(pairs->Begin(left ? &delta.batch : nullptr, left ? nullptr : &delta.batch, true));
  SideBuilder& mine = left ? pairs->left() : pairs->right();
  SideBuilder& others = left ? pairs->right() : pairs->left();
  return index_[1 - side]->Probe(
      delta.keys, [&](int64_t i, std::string_view row, int64_t weight) -> Status {
        mine.Add(static_cast<int32_t>(i));
        LEAT_RETURN(others.Add(row));
        return pairs->Added(weight * delta.weights[static_cast<size_t>(i)]);
      });
}

Status IncrementalJoin::EmitAloneOfDelta(size_t side, const Delta& delta,
                                         PairEmitter* pairs) const {
  LEAT_RETURN(BeginAlone(side, &delta.batch, pairs));
  LEAT_ASSIGN(const std::vector<uint8_t> matched, index_[1 - side]->Contains(delta.keys));
  for (size_t i = 0; i < matched.size(); ++i) {
    if ((matched[i] != 0) != WantsMatched()) continue;
    LEAT_RETURN(AddAlone(side, static_cast<int32_t>(i), delta.weights[i], pairs));
  }
  return pairs->Flush();
}

Status IncrementalJoin::EmitAloneOfIndex(size_t side, const Strings& keys,
                                         const std::vector<uint8_t>& before,
                                         const std::vector<uint8_t>& after,
                                         PairEmitter* pairs) const {
  Strings changed;
  std::vector<int64_t> signs;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    changed.Append(keys[static_cast<int64_t>(i)]);
    signs.push_back((after[i] != 0) == WantsMatched() ? 1 : -1);
  }
  LEAT_RETURN(BeginAlone(side, nullptr, pairs));
  LEAT_RETURN(index_[side]->Probe(changed, [&](int64_t i, std::string_view row, int64_t weight) {
    return AddAlone(side, row, weight * signs[static_cast<size_t>(i)], pairs);
  }));
  return pairs->Flush();
}

Status IncrementalJoin::FinishByKey(const std::array<Delta, 2>& delta, PairEmitter* pairs) {
  const bool lefts = EmitsAlone(kLeft), rights = EmitsAlone(kRight);
  LEAT_RETURN(EmitPairs(kRight, delta[kRight], pairs));
  if (rights) LEAT_RETURN(EmitAloneOfDelta(kRight, delta[kRight], pairs));
  std::vector<uint8_t> before;
  if (lefts) {
    LEAT_ASSIGN(before, index_[kRight]->Contains(delta[kRight].distinct_keys));
  }
  LEAT_RETURN(Apply(kRight, delta[kRight]));
  if (lefts) {
    LEAT_ASSIGN(const auto after, index_[kRight]->Contains(delta[kRight].distinct_keys));
    LEAT_RETURN(EmitAloneOfIndex(kLeft, delta[kRight].distinct_keys, before, after, pairs));
    LEAT_RETURN(EmitAloneOfDelta(kLeft, delta[kLeft], pairs));
  }
  LEAT_RETURN(EmitPairs(kLeft, delta[kLeft], pairs));
  if (rights) {
    LEAT_ASSIGN(before, index_[kLeft]->Contains(delta[kLeft].distinct_keys));
  }
  LEAT_RETURN(pairs->Flush());
  LEAT_RETURN(Apply(kLeft, delta[kLeft]));
  if (!rights) return Status::OK();
  LEAT_ASSIGN(const auto after, index_[kLeft]->Contains(delta[kLeft].distinct_keys));
  return EmitAloneOfIndex(kRight, delta[kLeft].distinct_keys, before, after, pairs);
}

Status IncrementalJoin::Gather(size_t side, const std::map<std::string_view, int>& keys,
                               const Delta& delta, std::vector<Candidates>* candidates) const {
  // Where the other side of a key stays as it is and does not ask who matches it, the changed rows
  // will do: as if they were all there is.
  const int other = side == kLeft ? 2 : 1;
  Strings probed;
  std::vector<size_t> probed_numbers;
  std::map<std::string_view, size_t> numbers;
  for (const auto& [key, sides] : keys) {
    numbers.emplace(key, numbers.size());
    if ((sides & other) == 0 && !EmitsAlone(1 - side)) continue;
    probed.Append(key);
    probed_numbers.push_back(numbers.size() - 1);
  }
  std::vector<std::map<std::string, ResidualMatcher::Candidate>> rows(keys.size());
  LEAT_RETURN(index_[side]->Probe(probed, [&](int64_t i, std::string_view row, int64_t weight) {
    auto& candidate = rows[probed_numbers[static_cast<size_t>(i)]][std::string(row)];
    candidate.before = candidate.after = weight;
    return Status::OK();
  }));
  for (int64_t i = 0; i < delta.keys.size(); ++i) {
    rows[numbers.at(delta.keys[i])][std::string(delta.rows[i])].after +=
        delta.weights[static_cast<size_t>(i)];
  }
  for (auto& of_key : rows) {
    Candidates& list = candidates->emplace_back();
    for (auto& [row, candidate] : of_key) {
      candidate.row = row;
      list.push_back(std::move(candidate));
    }
  }
  return Status::OK();
}

Status IncrementalJoin::FinishByRow(const std::array<Delta, 2>& delta, const EvalContext& context,
                                    Output* out, PairEmitter* pairs) {
  std::map<std::string_view, int> keys;
  for (const Delta& one : delta) {
    const int side = &one == &delta[kLeft] ? 1 : 2;
    for (int64_t i = 0; i < one.distinct_keys.size(); ++i) keys[one.distinct_keys[i]] |= side;
  }
  std::vector<Candidates> candidates[2];
  for (const size_t side : {kLeft, kRight}) {
    LEAT_RETURN(Gather(side, keys, delta[side], &candidates[side]));
  }
  ResidualMatcher matcher(spec_, context, out);
  for (size_t k = 0; k < keys.size(); ++k) {
    LEAT_RETURN(matcher.Compare(&candidates[kLeft][k], &candidates[kRight][k]));
  }
  LEAT_RETURN(matcher.Flush());
  for (const size_t side : {kLeft, kRight}) {
    if (!EmitsAlone(side)) continue;
    LEAT_RETURN(BeginAlone(side, nullptr, pairs));
    for (const Candidates& of_key : candidates[side]) {
      for (const auto& row : of_key) {
        const int64_t before = row.matched_before == WantsMatched() ? row.before : 0;
        const int64_t after = row.matched_after == WantsMatched() ? row.after : 0;
        if (before == after) continue;
        LEAT_RETURN(AddAlone(side, std::string_view(row.row), after - before, pairs));
      }
    }
  }
  LEAT_RETURN(EmitPairs(kRight, delta[kRight], pairs));
  LEAT_RETURN(pairs->Flush());
  LEAT_RETURN(Apply(kRight, delta[kRight]));
  LEAT_RETURN(EmitPairs(kLeft, delta[kLeft], pairs));
  LEAT_RETURN(pairs->Flush());
  return Apply(kLeft, delta[kLeft]);
}

Status IncrementalJoin::Finish(const Epoch&, const EvalContext& context, Output* out) {
  return TakeWaiting(context, out);
}

Status IncrementalJoin::TakeWaiting(const EvalContext& context, Output* out) {
  waiting_bytes_ = 0;
  std::array<Delta, 2> delta;
  for (const size_t side : {kLeft, kRight}) {
    LEAT_ASSIGN(delta[side], TakeDelta(side));
  }
  PairEmitter pairs(spec_, context, out);
  if (spec_.residual && spec_.type != JoinType::kInner) {
    LEAT_RETURN(FinishByRow(delta, context, out, &pairs));
  } else {
    LEAT_RETURN(FinishByKey(delta, &pairs));
  }
  return pairs.Flush();
}

Status IncrementalJoin::Checkpoint(StateWriter* writer) {
  PrefixWriter left("left.", writer), right("right.", writer);
  LEAT_RETURN(index_[kLeft]->Checkpoint(&left));
  return index_[kRight]->Checkpoint(&right);
}

Status IncrementalJoin::Restore(StateReader* reader) {
  PrefixReader left("left.", reader), right("right.", reader);
  LEAT_RETURN(index_[kLeft]->Restore(&left));
  return index_[kRight]->Restore(&right);
}

OperatorStats IncrementalJoin::stats() const {
  OperatorStats stats = stats_;
  for (const auto& index : index_) {
    const IndexStats of_index = index->stats();
    stats.state_rows += of_index.entries;
    stats.state_bytes += of_index.held;
  }
  return stats;
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeIncrementalJoin(JoinSpec spec) {
  return std::make_unique<IncrementalJoin>(std::move(spec));
}

}  // namespace leat::join_internal
