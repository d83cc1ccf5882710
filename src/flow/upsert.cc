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
#include "state/chunked.h"
#include "state/group_log.h"
#include "state/group_table.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

class UpsertOperator : public Operator {
 public:
  explicit UpsertOperator(UpsertSpec spec) : spec_(std::move(spec)) {
    for (const Column& column : spec_.input.columns) types_.push_back(column.type);
  }

  Status Push(int port, const Batch& batch, const EvalContext& context, Output* out) override;
  Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) override;
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override;
  OperatorStats stats() const override {
    OperatorStats stats = stats_;
    stats.state_rows = held_count_;
    stats.state_bytes = keys_.memory() + rows_.memory() + row_bytes_;
    return stats;
  }

 private:
  // What the epoch has said of a key, last.
  struct Change {
    uint32_t key;
    int64_t seq;
    std::string row;  // empty: deleted
  };
  Status EncodeKeys(const Batch& batch, Strings* keys) const;
  Status Emit(const std::vector<std::string>& rows, int64_t weight, Output* out);
  void Hold(uint32_t key, std::string row);

  const UpsertSpec spec_;
  std::vector<Type> types_;
  GroupTable keys_;
  Chunked<std::string> rows_;  // by key: the row that is there, or nothing
  GroupLog log_;
  std::vector<Change> changes_;
  std::map<uint32_t, size_t> changed_;  // where a key's change is
  int64_t row_bytes_ = 0;
  int64_t held_count_ = 0;
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
  std::vector<uint32_t> ids(static_cast<size_t>(batch.rows));
  keys_.FindOrInsert(keys, ids.data());
  rows_.Resize(keys_.capacity());
  for (int64_t i = 0; i < batch.rows; ++i) {
    const uint32_t key = ids[static_cast<size_t>(i)];
    const int64_t seq = batch.seq ? batch.seq->Value(i) : 0;
    const auto [at, first] = changed_.try_emplace(key, changes_.size());
    if (first) changes_.push_back({key, seq, {}});
    Change& change = changes_[at->second];
    if (seq < change.seq) continue;
    change.seq = seq;
    change.row = batch.weight(i) > 0 ? HeldRow(batch, i, rows[i]) : std::string();
  }
  return Status::OK();
}

void UpsertOperator::Hold(uint32_t key, std::string row) {
  std::string& held = rows_[key];
  row_bytes_ += static_cast<int64_t>(row.size()) - static_cast<int64_t>(held.size());
  held_count_ += (row.empty() ? 0 : 1) - (held.empty() ? 0 : 1);
  held = std::move(row);
}

Status UpsertOperator::Finish(const Epoch&, const EvalContext&, Output* out) {
  std::vector<std::string> went, came;
  for (Change& change : changes_) {
    const std::string& held = rows_[change.key];
    if (RowOf(held) != RowOf(change.row)) {
      if (!held.empty() && !change.row.empty())
        change.row.replace(0, kSeqBytes, held, 0, kSeqBytes);
      if (!held.empty()) went.push_back(held);
      if (!change.row.empty()) came.push_back(change.row);
      log_.Touch(change.key);
      Hold(change.key, std::move(change.row));
    }
    if (!rows_[change.key].empty()) continue;
    log_.Erased(keys_.key(change.key));
    keys_.Erase(change.key);
  }
  changes_.clear();
  changed_.clear();
  LEAT_RETURN(Emit(went, -1, out));
  return Emit(came, 1, out);
}

Status UpsertOperator::Emit(const std::vector<std::string>& rows, int64_t weight, Output* out) {
  if (rows.empty()) return Status::OK();
  RowDecoder decoder(types_);
  arrow::Int64Builder seqs;
  bool all_have_seq = true;
  for (const std::string& row : rows) {
    int64_t seq = 0;
    std::memcpy(&seq, row.data() + 1, sizeof(seq));
    LEAT_RETURN(seqs.Append(seq));
    all_have_seq = all_have_seq && row[0] != 0;
    LEAT_RETURN(decoder.Append(RowOf(row)));
  }
  Batch batch;
  batch.rows = static_cast<int64_t>(rows.size());
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
  return log_.Checkpoint(
      keys_, [&](uint32_t key, std::string* out) { *out += rows_[key]; }, writer);
}

Status UpsertOperator::Restore(StateReader* reader) {
  const auto load = [&](uint32_t key, std::string_view row) {
    rows_.Resize(keys_.capacity());
    Hold(key, std::string(row));
    return Status::OK();
  };
  const auto erase = [&](uint32_t key) {
    Hold(key, {});
    keys_.Erase(key);
  };
  return log_.Restore(&keys_, load, erase, reader);
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeUpsert(UpsertSpec spec) {
  if (spec.key.empty()) return Status::Invalid("an upsert without a key");
  return std::make_unique<UpsertOperator>(std::move(spec));
}

}  // namespace leat
