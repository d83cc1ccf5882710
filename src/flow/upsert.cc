// Keyed upserts to a delta: what a source of last values (compacted topics, CDC without old rows)
// passes through. The last row of each key is held; within an epoch the last upsert of a key, by
// `_seq` and else in the order of arrival, wins. An update keeps the row's first `_seq`.
#include <arrow/builder.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/check.h"
#include "data/key.h"
#include "flow/operators.h"
#include "flow/row_errors.h"
#include "state/index.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

class UpsertOperator : public Operator {
 public:
  explicit UpsertOperator(UpsertSpec spec) : spec_(std::move(spec)), held_(MakeIndex()) {
    for (const Column& column : spec_.input.columns) types_.push_back(column.type);
  }

  Status Push(int port, const Batch& batch, const EvalContext& context, Output* out) override;
  Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) override;
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override { return held_->Restore(reader); }
  OperatorStats stats() const override {
    OperatorStats stats = stats_;
    const IndexStats held = held_->stats();
    stats.state_rows = held.entries;
    stats.state_bytes = held.held;
    return stats;
  }

 private:
  // What the epoch has said of a key, last.
  struct Change {
    int64_t seq;
    std::string row;  // empty: deleted
  };
  Status EncodeKeys(const Batch& batch, Strings* keys) const;
  Status Emit(const Strings& rows, int64_t weight, Output* out);

  const UpsertSpec spec_;
  std::vector<Type> types_;
  std::unique_ptr<Index> held_;            // key → the row that is there
  std::map<std::string, Change> changes_;  // by key
  OperatorStats stats_;
};

Status UpsertOperator::EncodeKeys(const Batch& batch, Strings* keys) const {
  std::vector<ArrayPtr> columns;
  std::vector<KeyColumn> key_columns;
  for (const int column : spec_.key) {
    columns.push_back(batch.columns[static_cast<size_t>(column)]);
    key_columns.push_back({.type = types_[static_cast<size_t>(column)]});
  }
  return KeyEncoder(std::move(key_columns)).Encode(columns, batch.rows, keys);
}

// A row as it is held: whether it has a `_seq`, that, and the row's bytes.
constexpr size_t kSeqBytes = 1 + sizeof(int64_t);

std::string HeldRow(const Batch& batch, int64_t row, std::string_view bytes) {
  const int64_t seq = batch.seq ? batch.seq->Value(row) : 0;
  std::string held(1, batch.seq ? 1 : 0);
  held.append(reinterpret_cast<const char*>(&seq), sizeof(seq));
  held += bytes;
  return held;
}

std::string_view RowOf(std::string_view held) {
  return held.empty() ? held : held.substr(kSeqBytes);
}

Status UpsertOperator::Push(int, const Batch& batch, const EvalContext&, Output*) {
  if (batch.rows == 0) return Status::OK();
  stats_.rows_in += batch.rows;
  Strings keys;
  LEAT_RETURN(EncodeKeys(batch, &keys));
  Strings rows;
  LEAT_RETURN(EncodeRows(batch.columns, types_, batch.rows, &rows));
  for (int64_t i = 0; i < batch.rows; ++i) {
    const int64_t seq = batch.seq ? batch.seq->Value(i) : 0;
    const auto [at, first] = changes_.try_emplace(std::string(keys[i]), Change{seq, {}});
    Change& change = at->second;
    if (seq < change.seq) continue;
    change.seq = seq;
    change.row = batch.weight(i) > 0 ? HeldRow(batch, i, rows[i]) : std::string();
  }
  return Status::OK();
}

Status UpsertOperator::Finish(const Epoch&, const EvalContext&, Output* out) {
  Strings keys;
  for (const auto& [key, change] : changes_) keys.Append(key);
  std::vector<std::string> held(changes_.size());
  LEAT_RETURN(held_->First(keys, [&](int64_t i, std::string_view row, int64_t) {
    held[static_cast<size_t>(i)] = row;
    return Status::OK();
  }));
  Strings changed_keys, changed_rows, went, came;
  std::vector<int64_t> weights;
  const auto add = [&](const std::string& key, std::string_view row, int64_t weight) {
    (weight < 0 ? went : came).Append(row);
    changed_keys.Append(key);
    changed_rows.Append(row);
    weights.push_back(weight);
  };
  size_t at = 0;
  for (auto& [key, change] : changes_) {
    const std::string& before = held[at++];
    if (RowOf(before) == RowOf(change.row)) continue;
    if (!before.empty() && !change.row.empty()) {
      change.row.replace(0, kSeqBytes, before, 0, kSeqBytes);
    }
    if (!before.empty()) add(key, before, -1);
    if (!change.row.empty()) add(key, change.row, 1);
  }
  changes_.clear();
  LEAT_RETURN(held_->Apply(changed_keys, changed_rows, weights));
  LEAT_RETURN(Emit(went, -1, out));
  return Emit(came, 1, out);
}

Status UpsertOperator::Emit(const Strings& rows, int64_t weight, Output* out) {
  if (rows.size() == 0) return Status::OK();
  RowDecoder decoder(types_);
  arrow::Int64Builder seqs;
  bool all_have_seq = true;
  for (int64_t i = 0; i < rows.size(); ++i) {
    const std::string_view row = rows[i];
    int64_t seq = 0;
    std::memcpy(&seq, row.data() + 1, sizeof(seq));
    LEAT_RETURN(seqs.Append(seq));
    all_have_seq = all_have_seq && row[0] != 0;
    LEAT_RETURN(decoder.Append(RowOf(row)));
  }
  Batch batch;
  batch.rows = rows.size();
  LEAT_ASSIGN(batch.columns, decoder.Finish());
  LEAT_ASSIGN(const ArrayPtr seq, seqs.Finish());
  if (all_have_seq) batch.seq = std::static_pointer_cast<arrow::Int64Array>(seq);
  if (weight < 0) {
    LEAT_ASSIGN(batch, Negate(batch));
  }
  stats_.rows_out += batch.rows;
  return out->Emit(std::move(batch));
}

Status UpsertOperator::Checkpoint(StateWriter* writer) {
  LEAT_CHECK(changes_.empty(), "a checkpoint within an epoch");
  return held_->Checkpoint(writer);
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeUpsert(UpsertSpec spec) {
  if (spec.key.empty()) return Status::Invalid("an upsert without a key");
  return std::make_unique<UpsertOperator>(std::move(spec));
}

}  // namespace leat
