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
      return SqlStatus(check.Broken(relation.name),
                       {.sqlstate = check.sqlstate(),
                        .detail = check.domain.empty() ? FailingRow(relation, rows, i) : ""});
    }
  }
  return Status::OK();
}

LocalTable::LocalTable(const Relation* relation) : relation_(relation) {
  if (!relation->primary_key.empty()) {
    uniques_.push_back({relation->name + "_pkey", relation->primary_key, {}});
  }
  for (const auto& columns : relation->unique_keys) {
    uniques_.push_back({UniqueName(*relation, columns), columns, {}});
  }
}

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

Result<LocalTable::Keys> LocalTable::KeysOf(const std::vector<int>& columns,
                                            const Batch& rows) const {
  Strings encoded;
  LEAT_RETURN(EncodeKeyColumns(relation_->schema(), columns, rows, &encoded));
  Keys keys(static_cast<size_t>(rows.rows));
  for (int64_t i = 0; i < rows.rows; ++i) {
    const bool null = std::any_of(columns.begin(), columns.end(), [&](int column) {
      return rows.columns[static_cast<size_t>(column)]->IsNull(i);
    });
    if (!null) keys[static_cast<size_t>(i)] = std::string(encoded[i]);
  }
  return keys;
}

std::string LocalTable::KeyText(const Unique& unique, const Batch& rows, int64_t row) const {
  std::string names;
  Batch key{.rows = rows.rows};
  Schema schema;
  for (const int column : unique.columns) {
    const auto& of = relation_->columns[static_cast<size_t>(column)].column;
    names += (names.empty() ? "" : ", ") + of.name;
    schema.columns.push_back(of);
    key.columns.push_back(rows.columns[static_cast<size_t>(column)]);
  }
  return fmt::format("Key ({})={}", names, RowValues(schema, key, row));
}

Status LocalTable::AddUnique(const std::string& name, std::vector<int> columns) {
  Unique unique{name, std::move(columns), {}};
  LEAT_ASSIGN(const Batch all, contents());
  LEAT_RETURN(AddKeys(all, &unique));
  uniques_.push_back(std::move(unique));
  return Status::OK();
}

Status LocalTable::AddKeys(const Batch& all, Unique* unique) const {
  LEAT_ASSIGN(auto keys, KeysOf(unique->columns, all));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!keys[i] || unique->keys.insert(std::move(*keys[i])).second) continue;
    return SqlStatus(
        fmt::format("could not create unique index \"{}\"", unique->name),
        {.sqlstate = "23505",
         .detail = KeyText(*unique, all, static_cast<int64_t>(i)) + " is duplicated."});
  }
  return Status::OK();
}

Status LocalTable::Adopt(Batch rows, const EvalContext& context) {
  for (size_t c = 0; c < relation_->columns.size(); ++c) {
    const Column& column = relation_->columns[c].column;
    if (column.nullable || rows.columns[c]->null_count() == 0) continue;
    return SqlStatus(fmt::format("column \"{}\" of relation \"{}\" contains null values",
                                 column.name, relation_->name),
                     {.sqlstate = "23502"});
  }
  for (const CheckSpec& check : relation_->checks) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto passed, Evaluate(*check.predicate, rows, context, {}, &errors));
    LEAT_RETURN(errors.status());
    const auto& values = static_cast<const arrow::BooleanArray&>(*passed);
    if (values.false_count() == 0) continue;
    return SqlStatus(
        fmt::format("check constraint \"{}\" of relation \"{}\" is violated by some row",
                    check.name, relation_->name),
        {.sqlstate = "23514"});
  }
  for (Unique& unique : uniques_) LEAT_RETURN(AddKeys(rows, &unique));
  if (rows.rows > 0) parts_ = {std::move(rows)};
  return Status::OK();
}

void LocalTable::DropUnique(std::string_view name) {
  std::erase_if(uniques_, [&](const Unique& unique) { return unique.name == name; });
}

Status LocalTable::RebuildKeys() {
  if (uniques_.empty()) return Status::OK();
  LEAT_ASSIGN(const Batch all, contents());
  for (Unique& unique : uniques_) {
    unique.keys.clear();
    LEAT_ASSIGN(auto keys, KeysOf(unique.columns, all));
    for (auto& key : keys) {
      if (key) unique.keys.insert(std::move(*key));
    }
  }
  return Status::OK();
}

// Adds the keys of `added` rows, without those of `removed` ones, or refuses and changes nothing.
Status LocalTable::CheckUnique(const Batch& added, const std::vector<int32_t>* removed) {
  Batch old;
  if (removed != nullptr && !uniques_.empty()) {
    LEAT_ASSIGN(const Batch all, contents());
    LEAT_ASSIGN(old, Take(all, *removed));
  }
  std::vector<std::unordered_set<std::string>> come(uniques_.size());
  std::vector<std::unordered_set<std::string>> gone(uniques_.size());
  for (size_t u = 0; u < uniques_.size(); ++u) {
    const Unique& unique = uniques_[u];
    if (removed != nullptr) {
      LEAT_ASSIGN(auto keys, KeysOf(unique.columns, old));
      for (auto& key : keys) {
        if (key) gone[u].insert(std::move(*key));
      }
    }
    LEAT_ASSIGN(auto keys, KeysOf(unique.columns, added));
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!keys[i]) continue;
      const bool there = unique.keys.contains(*keys[i]) && !gone[u].contains(*keys[i]);
      if (!there && come[u].insert(std::move(*keys[i])).second) continue;
      return SqlStatus(
          fmt::format("duplicate key value violates unique constraint \"{}\"", unique.name),
          {.sqlstate = "23505",
           .detail = KeyText(unique, added, static_cast<int64_t>(i)) + " already exists."});
    }
  }
  for (size_t u = 0; u < uniques_.size(); ++u) {
    for (const std::string& key : gone[u]) uniques_[u].keys.erase(key);
    uniques_[u].keys.merge(come[u]);
  }
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
