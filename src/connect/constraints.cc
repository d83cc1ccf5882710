#include "connect/constraints.h"

#include <arrow/array.h>

#include <algorithm>

#include "connect/options.h"
#include "func/evaluate.h"

namespace leat {
namespace {

// Why good rows are refused: the first broken constraint of each, as PostgreSQL checks them.
struct Violations {
  struct Violation {
    int64_t row = 0;
    int column = -1;  // of the relation; -1: a CHECK of several
    std::string reason;
  };
  std::vector<uint8_t> refused;  // empty while there are none
  std::vector<Violation> all;

  void Add(int64_t rows, int64_t row, int column, std::string reason) {
    refused.resize(static_cast<size_t>(rows));
    if (refused[static_cast<size_t>(row)] != 0) return;
    refused[static_cast<size_t>(row)] = 1;
    all.push_back({row, column, std::move(reason)});
  }
};

bool MustNotBeNull(const Relation& relation, int column) {
  if (!relation.columns[static_cast<size_t>(column)].column.nullable) return true;
  const auto& key = relation.primary_key;
  return std::find(key.begin(), key.end(), column) != key.end();
}

void FindNulls(const Relation& relation, const Batch& batch, Violations* violations) {
  for (int i = 0; i < static_cast<int>(batch.columns.size()); ++i) {
    const arrow::Array& values = *batch.columns[static_cast<size_t>(i)];
    if (values.null_count() == 0 || !MustNotBeNull(relation, i)) continue;
    const auto reason =
        fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    relation.columns[static_cast<size_t>(i)].column.name, relation.name);
    for (int64_t row = 0; row < batch.rows; ++row) {
      if (values.IsNull(row)) violations->Add(batch.rows, row, i, reason);
    }
  }
}

// The one column that a CHECK looks at, or -1.
int ColumnOf(const Relation& relation, const CheckSpec& check) {
  std::vector<bool> used(relation.columns.size());
  MarkColumns(*check.predicate, &used);
  if (std::count(used.begin(), used.end(), true) != 1) return -1;
  return static_cast<int>(std::find(used.begin(), used.end(), true) - used.begin());
}

Status FindFailedChecks(const Relation& relation, const Batch& batch, Violations* violations) {
  // By name, as PostgreSQL orders them.
  std::vector<const CheckSpec*> checks;
  for (const CheckSpec& check : relation.checks) checks.push_back(&check);
  std::sort(checks.begin(), checks.end(),
            [](const CheckSpec* a, const CheckSpec* b) { return a->name < b->name; });
  for (const CheckSpec* check : checks) {
    const int column = ColumnOf(relation, *check);
    ErrorMask errors(batch.rows);
    LEAT_ASSIGN(const auto answer,
                Evaluate(*check->predicate, batch, EvalContext{}, Selection{}, &errors));
    for (const ErrorMask::Error& error : errors.errors()) {
      violations->Add(batch.rows, error.row, column, error.message);
    }
    const auto& passes = static_cast<const arrow::BooleanArray&>(*answer);
    if (passes.true_count() + passes.null_count() == batch.rows) continue;
    const std::string reason = check->Broken(relation.name);
    for (int64_t row = 0; row < batch.rows; ++row) {
      if (passes.IsValid(row) && !passes.Value(row)) {
        violations->Add(batch.rows, row, column, reason);
      }
    }
  }
  return Status::OK();
}

// Of a reject's column; the table's for a row as a whole.
Result<bool> IsFatal(const Relation& relation, const Reject& reject) {
  for (const ColumnSpec& column : relation.columns) {
    if (column.column.name != reject.column) continue;
    LEAT_ASSIGN(const OnError on_error, OnErrorOf(relation, column));
    return on_error == OnError::kFail;
  }
  LEAT_ASSIGN(const OnError on_error, OnErrorOf(relation));
  return on_error == OnError::kFail;
}

Status RemoveRefused(const Relation& relation, const Violations& violations, ReadChunk* chunk) {
  std::vector<Reject> rejects;
  for (const auto& violation : violations.all) {
    std::string column;
    if (violation.column >= 0) {
      column = relation.columns[static_cast<size_t>(violation.column)].column.name;
    }
    rejects.push_back(RejectOf(*chunk, violation.row, std::move(column), violation.reason));
  }
  for (Reject& reject : chunk->rejects) rejects.push_back(std::move(reject));
  std::stable_sort(rejects.begin(), rejects.end(), [](const Reject& a, const Reject& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.row < b.row;
  });
  chunk->rejects = std::move(rejects);

  std::vector<int32_t> good;
  std::vector<int64_t> offsets;
  for (int64_t row = 0; row < chunk->batch.rows; ++row) {
    if (violations.refused[static_cast<size_t>(row)] != 0) continue;
    good.push_back(static_cast<int32_t>(row));
    if (!chunk->row_offsets.empty()) {
      offsets.push_back(chunk->row_offsets[static_cast<size_t>(row)]);
    }
  }
  LEAT_ASSIGN(chunk->batch, Take(chunk->batch, good));
  chunk->row_offsets = std::move(offsets);
  return Status::OK();
}

}  // namespace

Status FailOnFatal(const Relation& relation, const std::string& place,
                   const std::vector<Reject>& rejects) {
  for (const Reject& reject : rejects) {
    LEAT_ASSIGN(const bool fatal, IsFatal(relation, reject));
    if (!fatal) continue;
    return SqlStatus(
        reject.reason,
        {.sqlstate = kInvalidText,
         .detail = fmt::format(
             "\"{}\", line {}, byte {}{}.", place, reject.line, reject.offset,
             reject.column.empty() ? "" : fmt::format(", column \"{}\"", reject.column)),
         .hint = "OPTIONS (on_error 'reject') sets such rows aside and goes on."});
  }
  return Status::OK();
}

Status ApplyConstraints(const Relation& relation, const std::string& place, ReadChunk* chunk,
                        const std::function<void(Reject*)>& put_in_place) {
  Violations violations;
  FindNulls(relation, chunk->batch, &violations);
  if (!relation.checks.empty() && chunk->batch.rows > 0) {
    LEAT_RETURN(FindFailedChecks(relation, chunk->batch, &violations));
  }
  if (!violations.all.empty()) LEAT_RETURN(RemoveRefused(relation, violations, chunk));
  if (chunk->rejects.empty()) return Status::OK();
  if (put_in_place) {
    for (Reject& reject : chunk->rejects) put_in_place(&reject);
  }
  return FailOnFatal(relation, place, chunk->rejects);
}

}  // namespace leat
