#include "flow/keyed_rows.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "data/key.h"
#include "state/index.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Visit = std::function<Status(Batch)>;

// How many rows are taken out, or decoded, at once.
constexpr int64_t kRowsMax = 65536;

std::vector<Type> TypesOfColumns(const Schema& schema) {
  std::vector<Type> types;
  for (const Column& column : schema.columns) types.push_back(column.type);
  return types;
}

// The key that follows `key` and no other.
std::string After(std::string key) { return key + '\0'; }

bool At(const std::shared_ptr<arrow::BooleanArray>& flags, int64_t row) {
  return flags && flags->Value(row);
}

}  // namespace

// A batch, and what is known of its rows.
struct KeyedRows::Changes {
  static constexpr int32_t kNone = -1;

  Batch batch;
  Strings keys;  // by row
  // Rows of the same key are a group; where no key repeats, each row is one.
  std::vector<int32_t> group;     // by row
  std::vector<int32_t> previous;  // by row: the one before it in its group
  std::vector<int32_t> last;      // by group
  Strings group_keys;
  Strings held;                  // the rows that are there
  std::vector<int32_t> held_at;  // by group: which of `held`
  std::vector<int32_t> lacks;    // by row: a column whose value is not known; or kNone

  void FindGroups();
  // The row from which `row` took what is unchanged: of the batch, or held.
  int32_t BaseInBatch(const Upserts& how, int32_t row) const {
    return previous[static_cast<size_t>(At(how.moved, row) ? row - 1 : row)];
  }
  int32_t BaseHeld(const Upserts& how, int32_t row) const {
    const int32_t from = At(how.moved, row) ? row - 1 : row;
    return held_at[static_cast<size_t>(group[static_cast<size_t>(from)])];
  }
};

void KeyedRows::Changes::FindGroups() {
  const auto rows = static_cast<size_t>(batch.rows);
  group.resize(rows);
  previous.assign(rows, kNone);
  lacks.assign(rows, kNone);
  bool ascending = true;
  for (size_t i = 1; i < rows && ascending; ++i) {
    ascending = keys[static_cast<int64_t>(i) - 1] < keys[static_cast<int64_t>(i)];
  }
  if (ascending) {
    for (size_t i = 0; i < rows; ++i) group[i] = static_cast<int32_t>(i);
    last = group;
    group_keys = keys;
    return;
  }
  std::unordered_map<std::string_view, int32_t> groups;
  groups.reserve(rows);
  for (size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<int32_t>(i);
    const auto [at, first] = groups.try_emplace(keys[row], static_cast<int32_t>(last.size()));
    group[i] = at->second;
    if (first) {
      last.push_back(row);
      group_keys.Append(keys[row]);
      continue;
    }
    int32_t& newest = last[static_cast<size_t>(at->second)];
    previous[i] = newest;
    newest = row;
  }
}

Result<Batch> RowsThatMayCome(const Batch& batch, const RowCheck& check,
                              std::vector<int32_t>* came) {
  Batch rows = batch;
  if (static_cast<int64_t>(came->size()) < batch.rows) {
    LEAT_ASSIGN(rows, Take(batch, *came));
  }
  rows.weights = nullptr;
  LEAT_ASSIGN(const std::vector<int32_t> refused, check(rows));
  if (refused.empty()) return rows;
  std::vector<int32_t> good, good_came;
  for (int32_t i = 0; i < static_cast<int32_t>(came->size()); ++i) {
    if (std::binary_search(refused.begin(), refused.end(), i)) continue;
    good.push_back(i);
    good_came.push_back((*came)[static_cast<size_t>(i)]);
  }
  *came = std::move(good_came);
  return Take(rows, good);
}

KeyedRows::KeyedRows(KeyedSpec spec)
    : spec_(std::move(spec)), types_(TypesOfColumns(spec_.schema)), held_(MakeIndex()) {}
KeyedRows::~KeyedRows() = default;

void KeyedRows::AppendHeld(int64_t seq, std::string_view bytes, Strings* out) {
  out->bytes.append(reinterpret_cast<const char*>(&seq), sizeof(seq));
  out->Append(bytes);
}

int64_t KeyedRows::SeqOf(std::string_view held) {
  int64_t seq = 0;
  std::memcpy(&seq, held.data(), sizeof(seq));
  return seq;
}

Status KeyedRows::EncodeKeys(const Batch& batch, Strings* keys) const {
  std::vector<ArrayPtr> columns;
  std::vector<KeyColumn> key_columns;
  for (const int column : spec_.key) {
    columns.push_back(batch.columns[static_cast<size_t>(column)]);
    key_columns.push_back({.type = types_[static_cast<size_t>(column)]});
  }
  return KeyEncoder(std::move(key_columns)).Encode(columns, batch.rows, keys);
}

Status KeyedRows::Apply(const Batch& batch, const Upserts& how, const RowCheck& check,
                        const RowLacks& lacks, const Visit& emit) {
  rows_in_ += batch.rows;
  if (spec_.key.empty()) return ApplyWhole(batch, how, check, emit);
  Changes changes{.batch = batch};
  LEAT_RETURN(EncodeKeys(batch, &changes.keys));
  if (how.truncated) LEAT_RETURN(Truncate(changes.keys, how, emit));
  if (batch.rows == 0) return Status::OK();
  changes.FindGroups();
  LEAT_RETURN(FindHeld(&changes));
  LEAT_RETURN(Fill(how, &changes));

  // Of each key its last row, if it came and is complete.
  std::vector<int32_t> came;
  for (const int32_t row : changes.last) {
    if (batch.weight(row) < 0) continue;
    if (const int32_t column = changes.lacks[static_cast<size_t>(row)]; column >= 0) {
      LEAT_RETURN(lacks(changes.batch, row, column));
    } else {
      came.push_back(row);
    }
  }
  std::sort(came.begin(), came.end());
  LEAT_ASSIGN(Batch rows, RowsThatMayCome(changes.batch, check, &came));
  return Emit(changes, came, std::move(rows), emit);
}

Status KeyedRows::FindHeld(Changes* changes) const {
  changes->held_at.assign(changes->last.size(), Changes::kNone);
  return held_->First(changes->group_keys, [&](int64_t i, std::string_view row, int64_t) {
    changes->held_at[static_cast<size_t>(i)] = static_cast<int32_t>(changes->held.size());
    changes->held.Append(row);
    return Status::OK();
  });
}

// Puts the values in that were not sent.
Status KeyedRows::Fill(const Upserts& how, Changes* changes) const {
  if (how.unchanged.empty()) return Status::OK();
  LEAT_ASSIGN(const Batch held, Decode(changes->held));
  for (size_t i = 0; i < how.unchanged.size(); ++i) {
    if (!how.unchanged[i] || how.unchanged[i]->true_count() == 0) continue;
    LEAT_RETURN(FillColumn(how, i, held, changes));
  }
  return Status::OK();
}

Status KeyedRows::FillColumn(const Upserts& how, size_t column, const Batch& held,
                             Changes* changes) const {
  const auto rows = static_cast<int32_t>(changes->batch.rows);
  // Where each row's value is: in the column, or behind it among those that are held.
  std::vector<int32_t> origin(static_cast<size_t>(rows));
  for (int32_t row = 0; row < rows; ++row) {
    int32_t& at = origin[static_cast<size_t>(row)];
    at = row;
    if (changes->batch.weight(row) < 0 || !how.unchanged[column]->Value(row)) continue;
    const int32_t before = changes->BaseInBatch(how, row);
    const int32_t there = changes->BaseHeld(how, row);
    int32_t& lacks = changes->lacks[static_cast<size_t>(row)];
    if (before >= 0 && changes->batch.weight(before) > 0) {
      at = origin[static_cast<size_t>(before)];
      const int32_t lacked = changes->lacks[static_cast<size_t>(before)];
      if (lacked == static_cast<int32_t>(column)) lacks = lacked;
    } else if (before < 0 && there >= 0) {
      at = rows + there;
    } else {
      lacks = static_cast<int32_t>(column);
    }
  }
  ArrayPtr& values = changes->batch.columns[column];
  LEAT_ASSIGN(const ArrayPtr both, arrow::Concatenate({Plain(values), held.columns[column]}));
  const arrow::Int32Array indices(rows, arrow::Buffer::Wrap(origin.data(), origin.size()));
  LEAT_ASSIGN(const arrow::Datum filled,
              arrow::compute::Take(both, arrow::MakeArray(indices.data()),
                                   arrow::compute::TakeOptions::NoBoundsCheck()));
  values = filled.make_array();
  return Status::OK();
}

// `rows` are those of the batch that are `came`; of every other key the row goes.
Status KeyedRows::Emit(const Changes& changes, const std::vector<int32_t>& came, Batch rows,
                       const Visit& emit) {
  Strings bytes;
  LEAT_RETURN(EncodeRows(rows.columns, types_, rows.rows, &bytes));
  std::vector<int32_t> came_at(changes.last.size(), Changes::kNone);  // by group
  for (size_t i = 0; i < came.size(); ++i) {
    came_at[static_cast<size_t>(changes.group[static_cast<size_t>(came[i])])] =
        static_cast<int32_t>(i);
  }
  Strings keys, values, went;
  std::vector<int64_t> weights, seqs(came.size());
  std::vector<int32_t> new_rows;
  for (size_t group = 0; group < came_at.size(); ++group) {
    const int32_t at = came_at[group];
    const int32_t there = changes.held_at[group];
    const std::string_view held = there < 0 ? std::string_view() : changes.held[there];
    if (at >= 0 && there >= 0 && RowOf(held) == bytes[at]) continue;
    const std::string_view key = changes.group_keys[static_cast<int64_t>(group)];
    if (there >= 0) {
      keys.Append(key);
      values.Append(held);
      weights.push_back(-1);
      went.Append(held);
    }
    if (at < 0) continue;
    int64_t& seq = seqs[static_cast<size_t>(at)];
    seq = there >= 0 ? SeqOf(held) : rows.seq->Value(at);
    keys.Append(key);
    AppendHeld(seq, bytes[at], &values);
    weights.push_back(1);
    new_rows.push_back(at);
  }
  LEAT_RETURN(held_->Apply(keys, values, weights));
  LEAT_RETURN(EmitGone(went, emit));
  if (new_rows.empty()) return Status::OK();
  arrow::Int64Builder all;
  LEAT_RETURN(all.AppendValues(seqs));
  LEAT_ASSIGN(const ArrayPtr seq, all.Finish());
  rows.seq = std::static_pointer_cast<arrow::Int64Array>(seq);
  if (new_rows.size() < came.size()) {
    LEAT_ASSIGN(rows, Take(rows, new_rows));
  }
  rows_out_ += rows.rows;
  return emit(std::move(rows));
}

// Takes out what is held in a range of keys; what comes again at once, `keys`, is left to that.
Status KeyedRows::Truncate(const Strings& keys, const Upserts& how, const Visit& emit) {
  if (held_->stats().entries == 0) return Status::OK();
  std::unordered_set<std::string_view> stay;
  for (int64_t i = 0; i < keys.size(); ++i) stay.insert(keys[i]);
  const std::string begin = how.after.empty() ? "" : After(how.after);
  const std::string end = how.up_to.empty() ? "" : After(how.up_to);
  Strings gone_keys, gone_rows;
  const auto remove = [&]() -> Status {
    if (gone_keys.size() == 0) return Status::OK();
    LEAT_RETURN(held_->Apply(gone_keys, gone_rows,
                             std::vector<int64_t>(static_cast<size_t>(gone_keys.size()), -1)));
    LEAT_RETURN(EmitGone(gone_rows, emit));
    gone_keys.Clear();
    gone_rows.Clear();
    return Status::OK();
  };
  const auto snapshot = held_->Snapshot();  // of before: what is taken out meanwhile is in it
  LEAT_RETURN(snapshot->Scan(
      begin, end, false, [&](std::string_view key, std::string_view row, int64_t) -> Result<bool> {
        if (stay.contains(key)) return true;
        gone_keys.Append(key);
        gone_rows.Append(row);
        if (gone_keys.size() >= kRowsMax) LEAT_RETURN(remove());
        return true;
      }));
  return remove();
}

Result<Batch> KeyedRows::Decode(const Strings& held) const {
  RowDecoder decoder(types_);
  arrow::Int64Builder seqs;
  for (int64_t i = 0; i < held.size(); ++i) {
    LEAT_RETURN(seqs.Append(SeqOf(held[i])));
    LEAT_RETURN(decoder.Append(RowOf(held[i])));
  }
  Batch batch{.rows = held.size()};
  LEAT_ASSIGN(batch.columns, decoder.Finish());
  LEAT_ASSIGN(const ArrayPtr seq, seqs.Finish());
  batch.seq = std::static_pointer_cast<arrow::Int64Array>(seq);
  return batch;
}

Status KeyedRows::EmitGone(const Strings& held, const Visit& emit) {
  if (held.size() == 0) return Status::OK();
  LEAT_ASSIGN(Batch gone, Decode(held));
  LEAT_ASSIGN(gone, Negate(gone));
  rows_out_ += gone.rows;
  return emit(std::move(gone));
}

Status KeyedRows::Scan(const Visit& visit) const {
  Strings rows;
  LEAT_RETURN(held_->Scan("", "", false,
                          [&](std::string_view, std::string_view row, int64_t) -> Result<bool> {
                            rows.Append(row);
                            if (rows.size() < kRowsMax) return true;
                            LEAT_ASSIGN(Batch batch, Decode(rows));
                            rows.Clear();
                            LEAT_RETURN(visit(std::move(batch)));
                            return true;
                          }));
  if (rows.size() == 0) return Status::OK();
  LEAT_ASSIGN(Batch batch, Decode(rows));
  return visit(std::move(batch));
}

OperatorStats KeyedRows::stats() const {
  const IndexStats held = held_->stats();
  return {.rows_in = rows_in_,
          .rows_out = rows_out_,
          .state_rows = held.entries,
          .state_bytes = held.held};
}
Status KeyedRows::Checkpoint(StateWriter* writer) { return held_->Checkpoint(writer); }
Status KeyedRows::Restore(StateReader* reader) { return held_->Restore(reader); }

}  // namespace leat
