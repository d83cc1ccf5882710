// The rows of a relation in the order (partition, order keys, `_seq`, bytes): what Top and the
// general form of Window keep. An epoch's changes are collected and sorted; then each touched
// partition is walked with what it was and what it becomes side by side.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/key.h"
#include "flow/operators.h"
#include "state/memory.h"

namespace leat {

struct OrderedSpec {
  Schema input;
  std::vector<ExprPtr> partition;
  std::vector<SortKey> order;
  std::vector<ExprPtr> extras;  // values kept beside each row
  bool final = false;           // nothing outlives the epoch
};

class OrderedRows {
 public:
  explicit OrderedRows(OrderedSpec spec);

  // A distinct row. Its key: the partition, the order, `_seq`; see PeersOf, SeqOf.
  struct Change {
    std::string_view key, value;
    int64_t weight;
    size_t partition_size;
    std::string_view partition() const { return key.substr(0, partition_size); }
  };
  using Changes = std::span<const Change>;
  // A distinct row as it stood and as it will stand: how many times.
  struct Entry {
    std::string_view key, value;
    int64_t before, after;
  };
  using Visit = std::function<Result<bool>(const Entry& entry)>;

  // Collects a part of the epoch's delta. Rows that fail to evaluate are rejected.
  Status Push(const Batch& batch, const EvalContext& context, Output* out);
  int64_t pending() const { return static_cast<int64_t>(weights_.size()); }
  // More is pending than memory has room for: the epoch is to be taken in up to here, as if it
  // ended, and goes on with the next part. The net of what is said is the same.
  bool full() const;
  // The net changes so far, sorted; one span per touched partition. They last until Push or Apply.
  std::vector<Changes> Sort();
  // Keeps only the changes that `sorted` holds; afterwards it may no longer be used.
  void Retain(const std::vector<Changes>& sorted);

  // Visits the entries with begin <= key < end (empty: no end), among them `changes`, which lie in
  // that range, until `visit` returns false. A view lasts as long as its call.
  Status Walk(std::string_view begin, std::string_view end, Changes changes,
              const Visit& visit) const;
  // From the greatest down; nothing in the range changes.
  Status WalkBack(std::string_view begin, std::string_view end, const Visit& visit) const;

  // Takes the changes, or those given instead (keys, values and weights), into the state and
  // forgets them.
  Status Apply();
  Status Apply(const Strings& keys, const Strings& values, const std::vector<int64_t>& weights);

  Status Checkpoint(StateWriter* writer) { return index_->Checkpoint(writer); }
  Status Restore(StateReader* reader) { return index_->Restore(reader); }
  IndexStats stats() const { return index_->stats(); }

  // The key without `_seq`: equal for peers.
  static std::string_view PeersOf(std::string_view key);
  static std::optional<int64_t> SeqOf(std::string_view key);
  // The row's bytes and the extras' bytes of a value.
  std::string_view RowOf(std::string_view value) const;
  std::string_view ExtrasOf(std::string_view value) const;
  const std::vector<Type>& row_types() const { return row_types_; }
  const std::vector<Type>& extra_types() const { return extra_types_; }

 private:
  Status Append(const Batch& rows, const Batch& keys_and_extras);

  StateMemory* const memory_;  // of the maker's scope
  const OrderedSpec spec_;
  std::vector<Type> row_types_, extra_types_;
  std::vector<KeyColumn> partition_columns_, order_columns_;
  std::unique_ptr<Index> index_;
  Strings keys_, values_;
  std::vector<int64_t> weights_;
  std::vector<size_t> partition_sizes_;
  std::vector<Change> sorted_;
};

// The least string greater than all that begin with `prefix`; empty: there is none.
std::string PrefixEnd(std::string_view prefix);

// Collects rows by their bytes and gives them back as batches with weights and `_seq`.
class RowCollector {
 public:
  explicit RowCollector(const std::vector<Type>& types) : decoder_(types) {}
  Status Add(std::string_view row, std::optional<int64_t> seq, int64_t weight);
  int64_t rows() const { return static_cast<int64_t>(weights_.size()); }
  // The rows so far, each followed by `more` columns, one element per row.
  Status Emit(const std::vector<std::shared_ptr<arrow::Array>>& more, Output* out);

 private:
  RowDecoder decoder_;
  std::vector<int64_t> weights_, seqs_;
  std::vector<uint8_t> has_seq_;
};

}  // namespace leat
