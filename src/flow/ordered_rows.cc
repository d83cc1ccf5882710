#include "flow/ordered_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "data/ordered_bytes.h"
#include "flow/row_errors.h"
#include "state/sort.h"

namespace leat {
namespace {

// `_seq` at a key's end: whether there is one, then the number.
constexpr size_t kSeqBytes = 1 + kOrderedBytes;
// A part of an epoch costs its sort, and for some windows whole partitions: a few large ones.
constexpr int64_t kDeltas = 8;

void AppendSeq(const Batch& batch, int64_t row, std::string* out) {
  out->push_back(batch.seq ? 1 : 0);
  AppendOrdered(batch.seq ? batch.seq->Value(row) : 0, out);
}

// As KeyEncoder and EncodeRows, which want a column.
Status EncodeKeys(const std::vector<KeyColumn>& columns,
                  const std::vector<std::shared_ptr<arrow::Array>>& arrays, int64_t rows,
                  Strings* out) {
  if (!columns.empty()) return KeyEncoder(columns).Encode(arrays, rows, out);
  out->offsets.resize(static_cast<size_t>(rows) + 1, 0);
  return Status::OK();
}

int Compare(const OrderedRows::Change& a, std::string_view key, std::string_view value) {
  const int by_key = a.key.compare(key);
  return by_key != 0 ? by_key : a.value.compare(value);
}

std::vector<Type> TypesOf(const std::vector<ExprPtr>& exprs) {
  std::vector<Type> types;
  for (const ExprPtr& expr : exprs) types.push_back(expr->type);
  return types;
}

}  // namespace

OrderedRows::OrderedRows(OrderedSpec spec)
    : memory_(StateMemory::Current()), spec_(std::move(spec)), index_(MakeIndex()) {
  for (const Column& column : spec_.input.columns) row_types_.push_back(column.type);
  extra_types_ = TypesOf(spec_.extras);
  for (const ExprPtr& expr : spec_.partition) partition_columns_.push_back({.type = expr->type});
  for (const SortKey& key : spec_.order) {
    order_columns_.push_back(
        {.type = key.expr->type, .descending = key.descending, .nulls_first = key.nulls_first});
  }
}

Status OrderedRows::Push(const Batch& batch, const EvalContext& context, Output* out) {
  if (batch.rows == 0) return Status::OK();
  ErrorMask errors(batch.rows);
  Batch computed{.rows = batch.rows};
  const auto add = [&](const ExprPtr& expr) -> Status {
    LEAT_ASSIGN(auto column, EvaluateColumn(*expr, batch, context, &errors));
    computed.columns.push_back(std::move(column));
    return Status::OK();
  };
  for (const ExprPtr& expr : spec_.partition) LEAT_RETURN(add(expr));
  for (const SortKey& key : spec_.order) LEAT_RETURN(add(key.expr));
  for (const ExprPtr& expr : spec_.extras) LEAT_RETURN(add(expr));
  if (!errors.any()) return Append(batch, computed);
  LEAT_RETURN(RejectRows(batch, errors, out));
  const std::vector<int32_t> good = RowsWithoutErrors(batch.rows, errors);
  LEAT_ASSIGN(const Batch good_rows, Take(batch, good));
  LEAT_ASSIGN(const Batch good_computed, Take(computed, good));
  return Append(good_rows, good_computed);
}

Status OrderedRows::Append(const Batch& rows, const Batch& computed) {
  const auto part = [&](size_t begin, size_t size) {
    const auto at = computed.columns.begin() + static_cast<ptrdiff_t>(begin);
    return std::vector(at, at + static_cast<ptrdiff_t>(size));
  };
  const size_t partitions = partition_columns_.size(), orders = order_columns_.size();
  Strings partition, order;
  LEAT_RETURN(EncodeKeys(partition_columns_, part(0, partitions), rows.rows, &partition));
  LEAT_RETURN(EncodeKeys(order_columns_, part(partitions, orders), rows.rows, &order));
  std::string key;
  for (int64_t i = 0; i < rows.rows; ++i) {
    key.assign(partition[i]).append(order[i]);
    AppendSeq(rows, i, &key);
    keys_.Append(key);
    weights_.push_back(rows.weight(i));
    partition_sizes_.push_back(partition[i].size());
  }
  if (extra_types_.empty()) return EncodeRows(rows.columns, row_types_, rows.rows, &values_);
  Strings row, extra;
  LEAT_RETURN(EncodeRows(rows.columns, row_types_, rows.rows, &row));
  LEAT_RETURN(
      EncodeRows(part(partitions + orders, extra_types_.size()), extra_types_, rows.rows, &extra));
  std::string value;
  for (int64_t i = 0; i < rows.rows; ++i) {
    const auto size = static_cast<uint32_t>(row[i].size());
    value.assign(row[i]).append(extra[i]);
    value.append(reinterpret_cast<const char*>(&size), sizeof(size));
    values_.Append(value);
  }
  return Status::OK();
}

bool OrderedRows::full() const {
  // What is final keeps nothing that a later part could be compared with.
  if (spec_.final || !memory_->limited()) return false;
  const size_t bytes = keys_.bytes.size() + values_.bytes.size() +
                       weights_.size() * (sizeof(Change) + 2 * sizeof(int64_t));
  return static_cast<int64_t>(bytes) > kDeltas * memory_->delta_bytes_max();
}

std::vector<OrderedRows::Changes> OrderedRows::Sort() {
  sorted_.clear();
  sorted_.reserve(weights_.size());
  for (const uint32_t at : SortedOrder(keys_, values_)) {
    const Change change{keys_[at], values_[at], weights_[at], partition_sizes_[at]};
    if (!sorted_.empty() && Compare(sorted_.back(), change.key, change.value) == 0) {
      sorted_.back().weight += change.weight;
      continue;
    }
    if (!sorted_.empty() && sorted_.back().weight == 0) sorted_.pop_back();
    sorted_.push_back(change);
  }
  if (!sorted_.empty() && sorted_.back().weight == 0) sorted_.pop_back();
  std::vector<Changes> partitions;
  for (size_t begin = 0, end = 0; begin < sorted_.size(); begin = end) {
    while (end < sorted_.size() && sorted_[end].partition() == sorted_[begin].partition()) ++end;
    partitions.push_back(Changes(sorted_).subspan(begin, end - begin));
  }
  return partitions;
}

void OrderedRows::Retain(const std::vector<Changes>& sorted) {
  Strings keys, values;
  std::vector<int64_t> weights;
  std::vector<size_t> partition_sizes;
  for (const Changes& partition : sorted) {
    for (const Change& change : partition) {
      keys.Append(change.key);
      values.Append(change.value);
      weights.push_back(change.weight);
      partition_sizes.push_back(change.partition_size);
    }
  }
  sorted_.clear();
  keys_ = std::move(keys);
  values_ = std::move(values);
  weights_ = std::move(weights);
  partition_sizes_ = std::move(partition_sizes);
}

Status OrderedRows::Walk(std::string_view begin, std::string_view end, Changes changes,
                         const Visit& visit) const {
  size_t next = 0;
  bool go_on = true;
  const auto visit_change = [&]() -> Status {
    const Change& change = changes[next++];
    const Entry entry{change.key, change.value, 0, std::max<int64_t>(change.weight, 0)};
    LEAT_ASSIGN(go_on, visit(entry));
    return Status::OK();
  };
  const auto merge = [&](std::string_view key, std::string_view value,
                         int64_t weight) -> Result<bool> {
    while (go_on && next < changes.size() && Compare(changes[next], key, value) < 0) {
      LEAT_RETURN(visit_change());
    }
    if (!go_on) return false;
    const bool changed = next < changes.size() && Compare(changes[next], key, value) == 0;
    const int64_t after = weight + (changed ? changes[next++].weight : 0);
    LEAT_ASSIGN(go_on,
                visit({key, value, std::max<int64_t>(weight, 0), std::max<int64_t>(after, 0)}));
    return go_on;
  };
  if (!spec_.final) LEAT_RETURN(index_->Scan(begin, end, false, merge));
  while (go_on && next < changes.size()) LEAT_RETURN(visit_change());
  return Status::OK();
}

Status OrderedRows::WalkBack(std::string_view begin, std::string_view end,
                             const Visit& visit) const {
  if (spec_.final) return Status::OK();
  return index_->Scan(begin, end, true,
                      [&](std::string_view key, std::string_view value, int64_t weight) {
                        // In the middle of an epoch a row may have gone that is still to come.
                        const int64_t times = std::max<int64_t>(weight, 0);
                        return visit({key, value, times, times});
                      });
}

Status OrderedRows::Apply() {
  if (!spec_.final) LEAT_RETURN(index_->Apply(keys_, values_, weights_));
  Retain({});
  return Status::OK();
}

Status OrderedRows::Apply(const Strings& keys, const Strings& values,
                          const std::vector<int64_t>& weights) {
  Retain({});
  return spec_.final ? Status::OK() : index_->Apply(keys, values, weights);
}

std::string_view OrderedRows::PeersOf(std::string_view key) {
  return key.substr(0, key.size() - kSeqBytes);
}

std::optional<int64_t> OrderedRows::SeqOf(std::string_view key) {
  const std::string_view seq = key.substr(key.size() - kSeqBytes);
  if (seq[0] == 0) return std::nullopt;
  return OrderedValue(seq.substr(1));
}

namespace {

size_t RowSize(std::string_view value) {
  uint32_t size;
  std::memcpy(&size, value.data() + value.size() - sizeof(size), sizeof(size));
  return size;
}

}  // namespace

std::string_view OrderedRows::RowOf(std::string_view value) const {
  return extra_types_.empty() ? value : value.substr(0, RowSize(value));
}

std::string_view OrderedRows::ExtrasOf(std::string_view value) const {
  if (extra_types_.empty()) return {};
  const size_t row = RowSize(value);
  return value.substr(row, value.size() - row - sizeof(uint32_t));
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) ++end.back();
  return end;
}

// ---- RowCollector -------------------------------------------------------------------------------

Status RowCollector::Add(std::string_view row, std::optional<int64_t> seq, int64_t weight) {
  weights_.push_back(weight);
  seqs_.push_back(seq.value_or(0));
  has_seq_.push_back(seq.has_value());
  return decoder_.Append(row);
}

namespace {

Result<std::shared_ptr<arrow::Int64Array>> Int64s(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  LEAT_RETURN(builder.AppendValues(values));
  LEAT_ASSIGN(auto array, builder.Finish());
  return std::static_pointer_cast<arrow::Int64Array>(array);
}

}  // namespace

Status RowCollector::Emit(const std::vector<std::shared_ptr<arrow::Array>>& more, Output* out) {
  if (weights_.empty()) return Status::OK();
  Batch batch{.rows = rows()};
  LEAT_ASSIGN(batch.columns, decoder_.Finish());
  batch.columns.insert(batch.columns.end(), more.begin(), more.end());
  const auto is_one = [](int64_t weight) { return weight == 1; };
  if (!std::all_of(weights_.begin(), weights_.end(), is_one)) {
    LEAT_ASSIGN(batch.weights, Int64s(weights_));
  }
  LEAT_ASSIGN(batch.seq, Int64s(seqs_));
  // Rows with and without `_seq` may meet above a UNION ALL; each goes on as it came.
  std::vector<int32_t> with, without;
  for (size_t i = 0; i < has_seq_.size(); ++i) {
    (has_seq_[i] ? with : without).push_back(static_cast<int32_t>(i));
  }
  weights_.clear();
  seqs_.clear();
  has_seq_.clear();
  if (without.empty()) return out->Emit(std::move(batch));
  if (!with.empty()) {
    LEAT_ASSIGN(Batch part, Take(batch, with));
    LEAT_RETURN(out->Emit(std::move(part)));
    LEAT_ASSIGN(batch, Take(batch, without));
  }
  batch.seq = nullptr;
  return out->Emit(std::move(batch));
}

}  // namespace leat
