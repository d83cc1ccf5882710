// A relation whose changes name its rows by key: what replicas and compacted topics tell becomes a
// delta. It holds the last row of every key, so it knows what an update or a delete takes back, and
// what a value was that an update left out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/batch.h"
#include "flow/operator.h"
#include "flow/upserts.h"

namespace leat {

struct KeyedSpec {
  Schema schema;
  std::vector<int> key;  // empty: rows are named by all of their values, and may be there twice
};

// Says which of the rows (complete now) may not be in the relation: their indices, ascending. Such
// a row takes out the one with its key and is not held.
using RowCheck = std::function<Result<std::vector<int32_t>>(const Batch& rows)>;
// A row that lacks a value which no row before it has: one that was refused was changed in part.
using RowLacks = std::function<Status(const Batch& rows, int32_t row, int column)>;
// The rows of `batch` that are `came` and may be in the relation; the others
// are taken out of `came`.
Result<Batch> RowsThatMayCome(const Batch& batch, const RowCheck& check,
                              std::vector<int32_t>* came);

// Of a batch's rows with one key the last counts; an update keeps the `_seq` of the row it
// replaces. Used by one thread at a time. After an error it may only be destroyed.
class KeyedRows {
 public:
  explicit KeyedRows(KeyedSpec spec);
  ~KeyedRows();

  // Takes changes in their order and emits what they change, rows that go before rows that come.
  // REQUIRES: the batch has `_seq` and the schema's columns.
  Status Apply(const Batch& batch, const Upserts& how, const RowCheck& check, const RowLacks& lacks,
               const std::function<Status(Batch)>& emit);

  // All rows, with `_seq`, by key (without one: in an order of their own).
  Status Scan(const std::function<Status(Batch)>& visit) const;
  // The encoded keys of rows.
  Status EncodeKeys(const Batch& batch, Strings* keys) const;

  // What is held now, for any thread: key (without one: the row's hash) → a row, whose bytes
  // (data/key.h) and number are those.
  std::shared_ptr<const IndexView> Snapshot() const { return held_->Snapshot(); }
  static std::string_view RowOf(std::string_view held) { return held.substr(sizeof(int64_t)); }
  static int64_t SeqOf(std::string_view held);
  // A row as it is held: its `_seq`, then its bytes.
  static void AppendHeld(int64_t seq, std::string_view bytes, Strings* out);

  OperatorStats stats() const;
  Status Checkpoint(StateWriter* writer);
  Status Restore(StateReader* reader);

 private:
  struct Changes;
  struct Equals;
  // The same of rows without a key (keyed_rows_whole.cc).
  Status ApplyWhole(const Batch& batch, const Upserts& how, const RowCheck& check,
                    const std::function<Status(Batch)>& emit);
  Status FindEquals(Equals* equals) const;
  Status Truncate(const Strings& keys, const Upserts& how,
                  const std::function<Status(Batch)>& emit);
  Status FindHeld(Changes* changes) const;
  Status Fill(const Upserts& how, Changes* changes) const;
  Status FillColumn(const Upserts& how, size_t column, const Batch& held, Changes* changes) const;
  Status Emit(const Changes& changes, const std::vector<int32_t>& came, Batch rows,
              const std::function<Status(Batch)>& emit);
  Result<Batch> Decode(const Strings& held) const;
  Status EmitGone(const Strings& held, const std::function<Status(Batch)>& emit);

  const KeyedSpec spec_;
  const std::vector<Type> types_;
  std::unique_ptr<Index> held_;  // key → `_seq` and the row's bytes
  int64_t rows_in_ = 0, rows_out_ = 0;
};

}  // namespace leat
