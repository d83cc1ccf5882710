// The statements that change local tables.
#include <arrow/array.h>
#include <arrow/builder.h>

#include "plan/expand.h"
#include "run/row_text.h"
#include "run/session.h"

namespace leat {
namespace {

// Splits rows into those that keep the constraints and the errors of the others.
Result<std::vector<std::pair<int32_t, std::string>>> Violations(const Relation& relation,
                                                                const Batch& rows,
                                                                const EvalContext& context) {
  std::vector<std::pair<int32_t, std::string>> violations;
  if (CheckConstraints(relation, rows, context).ok()) return violations;
  for (int32_t i = 0; i < rows.rows; ++i) {
    const Status status = CheckConstraints(relation, Slice(rows, i, 1), context);
    if (!status.ok()) violations.emplace_back(i, status.message());
  }
  return violations;
}

}  // namespace

void Session::Record(const std::string& table, Batch delta) {
  if (delta.rows > 0) history_.push_back({table, std::move(delta), Eval().now});
}

void Session::EndEpoch(Change::Then then) {
  if (!history_.empty()) history_.back().then = then;
}

int64_t Session::history_rows() const {
  int64_t rows = 0;
  for (const Change& change : history_) rows += change.delta.rows;
  return rows;
}

LocalTable* Session::FindTable(const std::string& name) {
  const auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : it->second.get();
}

Result<Batch> Session::AddRows(const std::string& table, Batch rows) {
  rows.seq = nullptr;
  if (fixtures_.contains(table)) {
    const Relation& relation = *catalog_.FindRelation(table);
    LEAT_ASSIGN(const auto violations, Violations(relation, rows, Eval()));
    std::vector<Reject> rejects;
    std::vector<int32_t> kept;
    size_t next = 0;
    for (int32_t i = 0; i < rows.rows; ++i) {
      if (next == violations.size() || violations[next].first != i) {
        kept.push_back(i);
        continue;
      }
      rejects.push_back({.row = i,
                         .raw = RowValues(relation.schema(), rows, i),
                         .reason = violations[next++].second});
    }
    LEAT_RETURN(rejects_.Add(table, "", rejects, {.number = 1, .clock = Eval().now}).status());
    LEAT_ASSIGN(rows, Take(rows, kept));
  }
  LEAT_ASSIGN(Batch delta, FindTable(table)->Insert(rows, &next_seq_, Eval()));
  Record(table, delta);
  return delta;
}

Result<Batch> Session::RowsOf(const LogicalPtr& query) {
  LEAT_ASSIGN(const LogicalPtr expanded, Expand(query));
  LEAT_ASSIGN(auto batches, AnswerOnce(expanded, OwnCores()));
  for (Batch& batch : batches) batch.seq = nullptr;
  return Concatenate(expanded->schema, batches);
}

Result<std::pair<std::vector<int32_t>, Batch>> Session::Chosen(const LogicalPtr& rows) {
  LEAT_ASSIGN(const Batch all, RowsOf(rows));
  const auto& places = static_cast<const arrow::Int64Array&>(*all.columns[0]);
  std::map<int32_t, int32_t> first;  // place → row of `all`
  for (int32_t i = 0; i < all.rows; ++i) {
    first.try_emplace(static_cast<int32_t>(places.Value(i)), i);
  }
  std::vector<int32_t> chosen, taken;
  for (const auto& [place, row] : first) {
    chosen.push_back(place);
    taken.push_back(row);
  }
  LEAT_ASSIGN(Batch values, Take(all, taken));
  values.columns.erase(values.columns.begin());
  return std::make_pair(std::move(chosen), std::move(values));
}

Result<StatementResult> Session::RunCreateAs(CreateTableAs as) {
  const std::string name = as.create.relation.name;
  if (as.create.if_not_exists && catalog_.FindRelation(name) != nullptr) {
    return StatementResult{.tag = "CREATE TABLE AS"};
  }
  Batch rows = EmptyBatch(as.create.relation.schema());
  if (as.with_data) {
    Query query = as.query;
    LEAT_ASSIGN(const StatementResult answer, Answer(query, {}));  // in its ORDER BY
    rows = answer.rows;
  }
  LEAT_RETURN(RunCreate(std::move(as.create)).status());
  LEAT_ASSIGN(const Batch added, AddRows(name, std::move(rows)));
  return StatementResult{.tag = as.with_data ? fmt::format("SELECT {}", added.rows)
                                             : std::string("CREATE TABLE AS")};
}

Result<StatementResult> Session::RunCreateIndex(const CreateIndex& create) {
  const StatementResult done{.tag = "CREATE INDEX"};
  if (create.exists) return done;
  if (create.index.unique) {
    LEAT_RETURN(FindTable(create.table)->AddUnique(create.index.name, create.index.columns));
  }
  catalog_.FindRelation(create.table)->indexes.push_back(create.index);
  return done;
}

Result<StatementResult> Session::RunDropIndex(const DropIndex& drop) {
  for (const std::string& name : drop.names) {
    for (auto& [table, contents] : tables_) {
      contents->DropUnique(name);
      std::erase_if(catalog_.FindRelation(table)->indexes,
                    [&](const IndexSpec& index) { return index.name == name; });
    }
  }
  return StatementResult{.tag = "DROP INDEX"};
}

Result<StatementResult> Session::RunInsert(const InsertRows& insert) {
  LEAT_ASSIGN(StatementResult answer, Answer(insert.query, {}));  // in its ORDER BY
  Batch rows = std::move(answer.rows);
  for (const auto& [column, expr] : insert.drawn) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(rows.columns[static_cast<size_t>(column)],
                Evaluate(*expr, rows, Eval(), {}, &errors));
    LEAT_RETURN(errors.status());
  }
  if (insert.conflict) return RunUpsert(insert, std::move(rows));
  // What RETURNING cannot compute stops the statement before anything has changed. (A fixture's
  // rows may be rejected; they are not known before.)
  const bool fixture = fixtures_.contains(insert.table);
  StatementResult result;
  if (!fixture) {
    LEAT_ASSIGN(result, Returned(insert.returning, rows, fmt::format("INSERT 0 {}", rows.rows)));
  }
  LEAT_ASSIGN(const Batch added, AddRows(insert.table, std::move(rows)));
  if (!fixture) return result;
  return Returned(insert.returning, added, fmt::format("INSERT 0 {}", added.rows));
}

Result<StatementResult> Session::Returned(const std::optional<Returning>& returning,
                                          const Batch& rows, std::string tag) const {
  StatementResult result{.tag = std::move(tag)};
  if (!returning) return result;
  result.has_rows = true;
  result.schema = returning->schema;
  result.rows.rows = rows.rows;
  for (const ExprPtr& expr : returning->exprs) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto column, Evaluate(*expr, rows, Eval(), {}, &errors));
    LEAT_RETURN(errors.status());
    result.rows.columns.push_back(std::move(column));
  }
  return result;
}

Result<std::vector<int32_t>> Session::Matching(LocalTable* table, const ExprPtr& where) {
  LEAT_ASSIGN(const Batch all, table->contents());
  if (!where) {
    std::vector<int32_t> rows(static_cast<size_t>(all.rows));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
    return rows;
  }
  ErrorMask errors(all.rows);
  LEAT_ASSIGN(auto rows, EvaluateFilter(*where, all, Eval(), &errors));
  LEAT_RETURN(errors.status());
  return rows;
}

Result<StatementResult> Session::RunDelete(const DeleteRows& remove) {
  LocalTable* table = FindTable(remove.table);
  std::vector<int32_t> rows;
  Batch behind;
  if (remove.rows) {
    LEAT_ASSIGN(auto chosen, Chosen(remove.rows));
    rows = std::move(chosen.first);
    behind = std::move(chosen.second);
  } else {
    LEAT_ASSIGN(rows, Matching(table, remove.where));
  }
  LEAT_ASSIGN(const Batch all, table->contents());
  LEAT_ASSIGN(Batch gone, Take(all, rows));
  gone.columns.insert(gone.columns.end(), behind.columns.begin(), behind.columns.end());
  // What RETURNING cannot compute stops the statement before anything has changed.
  LEAT_ASSIGN(auto result, Returned(remove.returning, gone, fmt::format("DELETE {}", rows.size())));
  LEAT_ASSIGN(Batch delta, table->Delete(rows));
  Record(remove.table, std::move(delta));
  return result;
}

Result<StatementResult> Session::RunUpdate(const UpdateRows& update) {
  LocalTable* table = FindTable(update.table);
  std::vector<int32_t> rows;
  Batch values;
  Batch behind;
  if (update.rows) {
    LEAT_ASSIGN(auto chosen, Chosen(update.rows));
    rows = std::move(chosen.first);
    values = std::move(chosen.second);
    const auto width = static_cast<ptrdiff_t>(update.values.size());
    behind.columns.assign(values.columns.begin() + width, values.columns.end());
    values.columns.resize(update.values.size());
  } else {
    LEAT_ASSIGN(rows, Matching(table, update.where));
    LEAT_ASSIGN(const Batch all, table->contents());
    LEAT_ASSIGN(const Batch old, Take(all, rows));
    values.rows = old.rows;
    for (const ExprPtr& expr : update.values) {
      ErrorMask errors(old.rows);
      LEAT_ASSIGN(auto column, Evaluate(*expr, old, Eval(), {}, &errors));
      LEAT_RETURN(errors.status());
      values.columns.push_back(std::move(column));
    }
  }
  Batch now = values;
  now.columns.insert(now.columns.end(), behind.columns.begin(), behind.columns.end());
  LEAT_ASSIGN(auto result, Returned(update.returning, now, fmt::format("UPDATE {}", rows.size())));
  LEAT_ASSIGN(Batch delta, table->Update(rows, values, Eval()));
  Record(update.table, std::move(delta));
  return result;
}

Result<StatementResult> Session::RunTruncate(const TruncateTable& truncate) {
  for (const std::string& name : truncate.tables) {
    LEAT_RETURN(RunDelete({.table = name}).status());
    if (!truncate.restart) continue;
    for (const std::string& sequence : SequencesOf(name)) {
      sequences_.Restart(sequence, catalog_.FindSequence(sequence)->start);
    }
  }
  return StatementResult{.tag = "TRUNCATE TABLE"};
}

}  // namespace leat
