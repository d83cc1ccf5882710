// ALTER TABLE, and what PREPARE keeps.
#include <algorithm>

#include "run/session.h"

namespace leat {
namespace {

Result<Batch> Mapped(const std::vector<ExprPtr>& columns, const Batch& rows,
                     const EvalContext& context) {
  Batch out{.rows = rows.rows, .weights = rows.weights, .seq = rows.seq};
  for (const ExprPtr& expr : columns) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto column, Evaluate(*expr, rows, context, {}, &errors));
    LEAT_RETURN(errors.status());
    out.columns.push_back(std::move(column));
  }
  return out;
}

// What is bound over other tables must be bound as before once this one has changed: its columns
// are told apart by their names.
Status CheckViews(const Catalog& before, const Catalog& after, const std::string& table) {
  for (const auto& [name, relation] : before.relations()) {
    const bool view =
        relation.kind == RelationKind::kView || relation.kind == RelationKind::kMaterializedView;
    if (!view) continue;
    const auto was = BindViewQuery(relation, before);
    if (!was.ok()) continue;
    const auto is = BindViewQuery(relation, after);
    const auto same = [&] {
      const auto& a = was->root->schema.columns;
      const auto& b = is->root->schema.columns;
      return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.name == y.name && x.type == y.type;
      });
    };
    if (is.ok() && same()) continue;
    return SqlStatus(fmt::format("cannot alter table {} because other objects depend on it", table),
                     {.sqlstate = "2BP01",
                      .detail = fmt::format("view {} depends on table {}", name, table),
                      .hint = "Drop the view first, and create it again."});
  }
  return Status::OK();
}

}  // namespace

Result<StatementResult> Session::RunAlter(AlterTable alter) {
  const std::string old_name = alter.table;
  const std::string name = alter.relation.name;
  Catalog after = catalog_;
  LEAT_RETURN(after.Drop(old_name));
  LEAT_RETURN(after.AddRelation(alter.relation));
  LEAT_RETURN(CheckViews(catalog_, after, old_name));
  LEAT_ASSIGN(const Batch rows, FindTable(old_name)->contents());
  LEAT_ASSIGN(Batch contents, Mapped(alter.columns, rows, Eval()));
  // The history is what the other ways of answering read: it is as if the table had always been so.
  std::vector<Batch> deltas;
  for (const Change& change : history_) {
    if (change.relation != old_name) continue;
    LEAT_ASSIGN(Batch delta, Mapped(alter.columns, change.delta, Eval()));
    deltas.push_back(std::move(delta));
  }
  std::vector<Batch> earlier;  // its rows in each snapshot that has it
  for (const Snapshot& snapshot : snapshots_) {
    const auto found = snapshot.contents.find(old_name);
    if (found == snapshot.contents.end()) continue;
    LEAT_ASSIGN(Batch mapped, Mapped(alter.columns, found->second, Eval()));
    earlier.push_back(std::move(mapped));
  }
  LocalTable trial(&alter.relation);
  LEAT_RETURN(trial.Adopt(contents, Eval()));
  for (const IndexSpec& index : alter.relation.indexes) {
    if (index.unique) LEAT_RETURN(trial.AddUnique(index.name, index.columns));
  }
  LEAT_RETURN(catalog_.Drop(old_name));
  LEAT_RETURN(catalog_.AddRelation(std::move(alter.relation)));
  tables_.erase(old_name);
  const Relation* relation = catalog_.FindRelation(name);
  auto table = std::make_unique<LocalTable>(relation);
  LEAT_RETURN(table->Adopt(std::move(contents), Eval()));
  for (const IndexSpec& index : relation->indexes) {
    if (index.unique) LEAT_RETURN(table->AddUnique(index.name, index.columns));
  }
  tables_[name] = std::move(table);
  size_t next = 0;
  for (Change& change : history_) {
    if (change.relation != old_name) continue;
    change.relation = name;
    change.delta = std::move(deltas[next++]);
  }
  // ROLLBACK brings back the rows as of BEGIN, in the columns of now: it undoes no declaration.
  next = 0;
  for (Snapshot& snapshot : snapshots_) {
    if (snapshot.contents.erase(old_name) == 0) continue;
    snapshot.contents[name] = std::move(earlier[next++]);
  }
  for (const std::string& sequence : SequencesOf(old_name)) {
    catalog_.FindSequence(sequence)->owner = name;
  }
  return StatementResult{.tag = "ALTER TABLE"};
}

Result<StatementResult> Session::RunExecute(const ExecutePrepared& execute,
                                            const ParsedStatement& parsed, const Way& way,
                                            const LineReader& input) {
  const auto found = prepared_.find(execute.name);
  if (found == prepared_.end()) {
    return SqlStatus(fmt::format("prepared statement \"{}\" does not exist", execute.name),
                     {.sqlstate = "26000"});
  }
  LEAT_ASSIGN(const auto filled, FillParameters(*found->second, parsed));
  LEAT_ASSIGN(BoundStatement bound, Bind(*filled, catalog_));
  return Run(std::move(bound), *filled, way, input);
}

Result<StatementResult> Session::RunDeallocate(const Deallocate& what) {
  if (what.name.empty()) {
    prepared_.clear();
    return StatementResult{.tag = "DEALLOCATE ALL"};
  }
  if (prepared_.erase(what.name) == 0) {
    return SqlStatus(fmt::format("prepared statement \"{}\" does not exist", what.name),
                     {.sqlstate = "26000"});
  }
  return StatementResult{.tag = "DEALLOCATE"};
}

}  // namespace leat
