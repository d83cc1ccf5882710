#include "run/local_table.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>

#include "base/check.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr size_t kPartsMax = 64;

// "Failing row contains (1, null, x)."
std::string FailingRow(const Relation& relation, const Batch& rows, int64_t row) {
  LEAT_CHECK(row < rows.rows);
  return fmt::format("Failing row contains {}.", RowValues(relation.schema(), rows, row));
}

Status CheckNotNull(const Relation& relation, const Batch& rows) {
  int64_t first = rows.rows;
  size_t column = 0;
  for (size_t c = 0; c < relation.columns.size(); ++c) {
    const bool key = std::find(relation.primary_key.begin(), relation.primary_key.end(),
                               static_cast<int>(c)) != relation.primary_key.end();
    if ((relation.columns[c].column.nullable && !key) || rows.columns[c]->null_count() == 0)
      continue;
    for (int64_t i = 0; i < first; ++i) {
      if (!rows.columns[c]->IsNull(i)) continue;
      first = i;
      column = c;
    }
  }
  if (first == rows.rows) return Status::OK();
  return SqlStatus(
      fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                  relation.columns[column].column.name, relation.name),
      {.sqlstate = "23502", .detail = FailingRow(relation, rows, first)});
}

std::shared_ptr<arrow::Int64Array> Int64s(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  LEAT_CHECK(builder.AppendValues(values).ok());
  return std::static_pointer_cast<arrow::Int64Array>(builder.Finish().ValueOrDie());
}

// The rows not among `removed` (ascending).
std::vector<int32_t> Others(int64_t rows, const std::vector<int32_t>& removed) {
  std::vector<int32_t> kept;
  size_t next = 0;
  for (int32_t i = 0; i < rows; ++i) {
    if (next < removed.size() && removed[next] == i)
      ++next;
    else
      kept.push_back(i);
  }
  return kept;
}

}  // namespace

Status CheckConstraints(const Relation& relation, const Batch& rows, const EvalContext& context) {
  LEAT_RETURN(CheckNotNull(relation, rows));
  for (const CheckSpec& check : relation.checks) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto passed, Evaluate(*check.predicate, rows, context, {}, &errors));
    LEAT_RETURN(errors.status());
    const auto& values = static_cast<const arrow::BooleanArray&>(*passed);
    for (int64_t i = 0; i < rows.rows; ++i) {
      if (values.IsNull(i) || values.Value(i)) continue;
      return SqlStatus(fmt::format("new row for relation \"{}\" violates check constraint \"{}\"",
                                   relation.name, check.name),
                       {.sqlstate = "23514", .detail = FailingRow(relation, rows, i)});
    }
  }
  return Status::OK();
}

LocalTable::LocalTable(const Relation* relation) : relation_(relation) {}

Result<Batch> LocalTable::contents() {
  if (parts_.empty()) {
    Batch empty = EmptyBatch(relation_->schema());
    empty.seq = Int64s({});
    return empty;
  }
  if (parts_.size() > 1) {
    LEAT_ASSIGN(Batch whole, Concatenate(relation_->schema(), parts_));
    parts_ = {std::move(whole)};
  }
  return parts_[0];
}

void LocalTable::Reset(Batch contents) {
  parts_.clear();
  if (contents.rows > 0) parts_.push_back(std::move(contents));
  LEAT_CHECK(RebuildKeys().ok());
}

Status LocalTable::RebuildKeys() {
  keys_.clear();
  if (relation_->primary_key.empty()) return Status::OK();
  LEAT_ASSIGN(const Batch all, contents());
  Strings keys;
  LEAT_RETURN(EncodeKeyColumns(relation_->schema(), relation_->primary_key, all, &keys));
  for (int64_t i = 0; i < keys.size(); ++i) keys_.emplace(keys[i]);
  return Status::OK();
}

// Adds the keys of `added` rows, without those of `removed` ones, or refuses and changes nothing.
Status LocalTable::CheckUnique(const Batch& added, const std::vector<int32_t>* removed) {
  if (relation_->primary_key.empty()) return Status::OK();
  Strings keys;
  LEAT_RETURN(EncodeKeyColumns(relation_->schema(), relation_->primary_key, added, &keys));
  std::unordered_set<std::string> next =
      removed == nullptr ? std::unordered_set<std::string>() : keys_;
  if (removed != nullptr) {
    LEAT_ASSIGN(const Batch all, contents());
    LEAT_ASSIGN(const Batch old, Take(all, *removed));
    Strings old_keys;
    LEAT_RETURN(EncodeKeyColumns(relation_->schema(), relation_->primary_key, old, &old_keys));
    for (int64_t i = 0; i < old_keys.size(); ++i) next.erase(std::string(old_keys[i]));
  }
  for (int64_t i = 0; i < keys.size(); ++i) {
    const bool there = removed == nullptr && keys_.contains(std::string(keys[i]));
    if (!there && next.emplace(keys[i]).second) continue;
    std::string names;
    Batch key{.rows = 1};
    Schema schema;
    for (int column : relation_->primary_key) {
      const auto& of = relation_->columns[static_cast<size_t>(column)].column;
      names += (names.empty() ? "" : ", ") + of.name;
      schema.columns.push_back(of);
      key.columns.push_back(added.columns[static_cast<size_t>(column)]);
    }
    return SqlStatus(
        fmt::format("duplicate key value violates unique constraint \"{}_pkey\"", relation_->name),
        {.sqlstate = "23505",
         .detail = fmt::format("Key ({})={} already exists.", names, RowValues(schema, key, i))});
  }
  if (removed != nullptr)
    keys_ = std::move(next);
  else
    keys_.merge(next);
  return Status::OK();
}

Result<Batch> LocalTable::Insert(const Batch& rows, int64_t* next_seq, const EvalContext& context) {
  LEAT_RETURN(CheckConstraints(*relation_, rows, context));
  LEAT_RETURN(CheckUnique(rows, nullptr));
  std::vector<int64_t> seqs;
  for (int64_t i = 0; i < rows.rows; ++i) seqs.push_back((*next_seq)++);
  Batch delta = rows;
  delta.weights = nullptr;
  delta.seq = Int64s(seqs);
  if (rows.rows == 0) return delta;
  parts_.push_back(delta);
  if (parts_.size() > kPartsMax) {  // many small inserts: merge the small ones now and then
    LEAT_ASSIGN(Batch tail, Concatenate(relation_->schema(), {parts_.begin() + 1, parts_.end()}));
    const bool whole = tail.rows >= parts_[0].rows;
    parts_.resize(1);
    parts_.push_back(std::move(tail));
    if (whole) LEAT_RETURN(contents().status());
  }
  return delta;
}

Result<Batch> LocalTable::Delete(const std::vector<int32_t>& rows) {
  LEAT_ASSIGN(const Batch all, contents());
  LEAT_ASSIGN(Batch gone, Take(all, rows));
  LEAT_ASSIGN(Batch kept, Take(all, Others(all.rows, rows)));
  parts_ = {std::move(kept)};
  LEAT_RETURN(RebuildKeys());
  return Negate(gone);
}

Result<Batch> LocalTable::Update(const std::vector<int32_t>& rows, const Batch& values,
                                 const EvalContext& context) {
  LEAT_RETURN(CheckConstraints(*relation_, values, context));
  LEAT_RETURN(CheckUnique(values, &rows));
  LEAT_ASSIGN(const Batch all, contents());
  LEAT_ASSIGN(const Batch gone, Take(all, rows));
  Batch come = values;
  come.weights = nullptr;
  come.seq = gone.seq;
  // The new contents, each row at its old place: all rows, then the new values, picked in order.
  LEAT_ASSIGN(const Batch both, Concatenate(relation_->schema(), {all, come}));
  std::vector<int32_t> order;
  size_t next = 0;
  for (int32_t i = 0; i < all.rows; ++i) {
    const bool updated = next < rows.size() && rows[next] == i;
    order.push_back(updated ? static_cast<int32_t>(all.rows + static_cast<int64_t>(next++)) : i);
  }
  LEAT_ASSIGN(Batch whole, Take(both, order));
  parts_ = {std::move(whole)};
  LEAT_ASSIGN(const Batch negative, Negate(gone));
  return Concatenate(relation_->schema(), {negative, come});
}

}  // namespace leat
