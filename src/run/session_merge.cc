// MERGE over a local table.
#include <arrow/array.h>

#include <map>

#include "run/session.h"

namespace leat {
namespace {

using Kind = MergeRows::Kind;

// The pairs that no action has taken yet.
struct Pending {
  std::vector<int32_t> matched;
  std::vector<int32_t> unmatched;
};

Result<std::vector<int32_t>> Holding(const ExprPtr& condition, const Batch& pairs,
                                     const std::vector<int32_t>& among,
                                     const EvalContext& context) {
  if (!condition) return among;
  LEAT_ASSIGN(const Batch rows, Take(pairs, among));
  ErrorMask errors(rows.rows);
  LEAT_ASSIGN(const auto held, EvaluateFilter(*condition, rows, context, &errors));
  LEAT_RETURN(errors.status());
  std::vector<int32_t> out;
  for (const int32_t row : held) out.push_back(among[static_cast<size_t>(row)]);
  return out;
}

void Remove(const std::vector<int32_t>& taken, std::vector<int32_t>* from) {
  size_t next = 0;
  std::erase_if(*from, [&](int32_t row) {
    const bool gone = next < taken.size() && taken[next] == row;
    next += gone ? 1 : 0;
    return gone;
  });
}

Result<Batch> ValuesOver(const std::vector<ExprPtr>& exprs, const Batch& rows,
                         const EvalContext& context) {
  Batch out{.rows = rows.rows};
  for (const ExprPtr& expr : exprs) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto column, Evaluate(*expr, rows, context, {}, &errors));
    LEAT_RETURN(errors.status());
    out.columns.push_back(std::move(column));
  }
  return out;
}

// What a MERGE does: rows of the table by place, each with the row of `come` that takes its place,
// or -1; and the rows of `come` that are new.
struct Plan {
  std::map<int32_t, int64_t> places;
  std::vector<Batch> come;
  std::vector<int32_t> inserted;
  int64_t rows = 0;  // of `come`
  int64_t changed = 0;
};

Status TakeAction(const MergeRows::Action& action, const Batch& pairs, int place_column,
                  const std::vector<int32_t>& taken, const EvalContext& context, Plan* plan) {
  LEAT_ASSIGN(const Batch rows, Take(pairs, taken));
  const auto& places =
      static_cast<const arrow::Int64Array&>(*rows.columns[static_cast<size_t>(place_column)]);
  for (int64_t i = 0; i < rows.rows; ++i) {
    const int64_t at = plan->rows + i;
    if (action.kind == Kind::kInsert) {
      plan->inserted.push_back(static_cast<int32_t>(at));
      continue;
    }
    const int64_t then = action.kind == Kind::kUpdate ? at : -1;
    if (plan->places.emplace(static_cast<int32_t>(places.Value(i)), then).second) continue;
    return SqlStatus(
        "MERGE command cannot affect row a second time",
        {.sqlstate = "21000",
         .hint = "Ensure that not more than one source row matches any one target row."});
  }
  plan->changed += rows.rows;
  if (action.kind == Kind::kDelete) return Status::OK();
  LEAT_ASSIGN(Batch values, ValuesOver(action.values, rows, context));
  plan->rows += values.rows;
  plan->come.push_back(std::move(values));
  return Status::OK();
}

}  // namespace

Result<StatementResult> Session::RunMerge(const MergeRows& merge) {
  LocalTable* table = FindTable(merge.table);
  const Schema schema = catalog_.FindRelation(merge.table)->schema();
  const int place_column = merge.pairs->schema.size() - 1;
  LEAT_ASSIGN(const Batch pairs, RowsOf(merge.pairs));
  Pending pending;
  for (int32_t row = 0; row < pairs.rows; ++row) {
    const bool unmatched = pairs.columns[static_cast<size_t>(place_column)]->IsNull(row);
    (unmatched ? pending.unmatched : pending.matched).push_back(row);
  }
  Plan plan;
  for (const MergeRows::Action& action : merge.actions) {
    std::vector<int32_t>& among = action.matched ? pending.matched : pending.unmatched;
    LEAT_ASSIGN(const auto taken, Holding(action.condition, pairs, among, Eval()));
    Remove(taken, &among);
    if (action.kind == Kind::kNothing) continue;
    LEAT_RETURN(TakeAction(action, pairs, place_column, taken, Eval(), &plan));
  }
  if (plan.come.empty()) plan.come.push_back(EmptyBatch(schema));
  LEAT_ASSIGN(const Batch come, Concatenate(schema, plan.come));
  std::vector<int32_t> updated, now, removed;
  for (const auto& [place, row] : plan.places) {
    if (row < 0) {
      removed.push_back(place);
    } else {
      updated.push_back(place);
      now.push_back(static_cast<int32_t>(row));
    }
  }
  LEAT_ASSIGN(const Batch values, Take(come, now));
  LEAT_ASSIGN(const Batch inserted, Take(come, plan.inserted));
  LEAT_ASSIGN(const Batch before, table->contents());
  // All or nothing: what goes, goes first, so that its keys are free.
  std::vector<Batch> deltas;
  const Status status = [&]() -> Status {
    LEAT_ASSIGN(Batch changed, table->Update(updated, values, Eval()));
    deltas.push_back(std::move(changed));
    LEAT_ASSIGN(Batch gone, table->Delete(removed));
    deltas.push_back(std::move(gone));
    LEAT_ASSIGN(Batch added, table->Insert(inserted, &next_seq_, Eval()));
    deltas.push_back(std::move(added));
    return Status::OK();
  }();
  if (!status.ok()) {
    table->Reset(before);
    return status;
  }
  for (Batch& delta : deltas) Record(merge.table, std::move(delta));
  return StatementResult{.tag = fmt::format("MERGE {}", plan.changed)};
}

}  // namespace leat
