// INSERT … ON CONFLICT into a local table.
#include <arrow/array.h>

#include <unordered_map>

#include "run/session.h"

namespace leat {
namespace {

constexpr int32_t kProposed = -1;  // the row that holds a key is one of this statement's own

Status TwiceInOneCommand() {
  return SqlStatus("ON CONFLICT DO UPDATE command cannot affect row a second time",
                   {.sqlstate = "21000",
                    .hint = "Ensure that no rows proposed for insertion within the same command "
                            "have duplicate constrained values."});
}

// What becomes of the proposed rows: `insert` come; the rows at `places` meet the proposed
// `update`.
struct Outcome {
  std::vector<int32_t> insert;
  std::vector<int32_t> places, update;
};

Result<Outcome> Decide(const OnConflict& conflict, const LocalTable& table, const Batch& all,
                       const Batch& rows) {
  std::vector<std::unordered_map<std::string, int32_t>> holders;
  std::vector<LocalTable::Keys> proposed;
  for (const auto& columns : conflict.keys) {
    LEAT_ASSIGN(auto there, table.KeysOf(columns, all));
    auto& holder = holders.emplace_back();
    for (size_t i = 0; i < there.size(); ++i) {
      if (there[i]) holder.emplace(std::move(*there[i]), static_cast<int32_t>(i));
    }
    LEAT_ASSIGN(auto keys, table.KeysOf(columns, rows));
    proposed.push_back(std::move(keys));
  }
  Outcome outcome;
  std::vector<bool> met(static_cast<size_t>(all.rows));
  for (int32_t row = 0; row < rows.rows; ++row) {
    const int32_t* holder = nullptr;
    for (size_t k = 0; k < holders.size() && holder == nullptr; ++k) {
      const auto& key = proposed[k][static_cast<size_t>(row)];
      const auto found = key ? holders[k].find(*key) : holders[k].end();
      if (found != holders[k].end()) holder = &found->second;
    }
    if (holder == nullptr) {
      for (size_t k = 0; k < holders.size(); ++k) {
        const auto& key = proposed[k][static_cast<size_t>(row)];
        if (key) holders[k].emplace(*key, kProposed);
      }
      outcome.insert.push_back(row);
      continue;
    }
    if (!conflict.update) continue;
    if (*holder == kProposed || met[static_cast<size_t>(*holder)]) return TwiceInOneCommand();
    met[static_cast<size_t>(*holder)] = true;
    outcome.places.push_back(*holder);
    outcome.update.push_back(row);
  }
  return outcome;
}

// The elements of `values` at `at`.
std::vector<int32_t> Picked(const std::vector<int32_t>& values, const std::vector<int32_t>& at) {
  std::vector<int32_t> picked;
  for (const int32_t i : at) picked.push_back(values[static_cast<size_t>(i)]);
  return picked;
}

}  // namespace

// As PostgreSQL: the proposed rows must keep NOT NULL and CHECK whatever becomes of them, and
// RETURNING gives those that came or were updated, in the order of the proposed ones.
Result<StatementResult> Session::RunUpsert(const InsertRows& insert, Batch rows) {
  const OnConflict& conflict = *insert.conflict;
  LocalTable* table = FindTable(insert.table);
  rows.seq = nullptr;
  LEAT_RETURN(CheckConstraints(*catalog_.FindRelation(insert.table), rows, Eval()));
  LEAT_ASSIGN(const Batch all, table->contents());
  LEAT_ASSIGN(Outcome outcome, Decide(conflict, *table, all, rows));
  // The old rows beside the proposed ones.
  LEAT_ASSIGN(Batch pairs, Take(all, outcome.places));
  LEAT_ASSIGN(const Batch excluded, Take(rows, outcome.update));
  pairs.columns.insert(pairs.columns.end(), excluded.columns.begin(), excluded.columns.end());
  if (conflict.where) {
    ErrorMask errors(pairs.rows);
    LEAT_ASSIGN(const auto kept, EvaluateFilter(*conflict.where, pairs, Eval(), &errors));
    LEAT_RETURN(errors.status());
    LEAT_ASSIGN(pairs, Take(pairs, kept));
    outcome.places = Picked(outcome.places, kept);
    outcome.update = Picked(outcome.update, kept);
  }
  // A table changes its rows in their order.
  std::vector<int32_t> order(outcome.places.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return outcome.places[static_cast<size_t>(a)] < outcome.places[static_cast<size_t>(b)];
  });
  LEAT_ASSIGN(pairs, Take(pairs, order));
  const Schema schema = catalog_.FindRelation(insert.table)->schema();
  Batch values = conflict.update ? Batch{.rows = pairs.rows} : EmptyBatch(schema);
  for (const ExprPtr& expr : conflict.values) {
    ErrorMask errors(pairs.rows);
    LEAT_ASSIGN(auto column, Evaluate(*expr, pairs, Eval(), {}, &errors));
    LEAT_RETURN(errors.status());
    values.columns.push_back(std::move(column));
  }
  LEAT_ASSIGN(const Batch come, Take(rows, outcome.insert));
  // Those that were updated, then those that came, in the order of the proposed rows.
  LEAT_ASSIGN(const Batch both, Concatenate(schema, {values, come}));
  std::vector<int32_t> proposed = Picked(outcome.update, order);
  proposed.insert(proposed.end(), outcome.insert.begin(), outcome.insert.end());
  std::vector<int32_t> shown(proposed.size());
  for (size_t i = 0; i < shown.size(); ++i) shown[i] = static_cast<int32_t>(i);
  std::sort(shown.begin(), shown.end(), [&](int32_t a, int32_t b) {
    return proposed[static_cast<size_t>(a)] < proposed[static_cast<size_t>(b)];
  });
  LEAT_ASSIGN(const Batch changed, Take(both, shown));
  LEAT_ASSIGN(auto result,
              Returned(insert.returning, changed, fmt::format("INSERT 0 {}", changed.rows)));
  if (!order.empty()) {
    LEAT_ASSIGN(Batch updated, table->Update(Picked(outcome.places, order), values, Eval()));
    auto inserted = table->Insert(come, &next_seq_, Eval());
    if (!inserted.ok()) {  // all or nothing
      table->Reset(all);
      return inserted.status();
    }
    Record(insert.table, std::move(updated));
    Record(insert.table, std::move(*inserted));
    return result;
  }
  LEAT_ASSIGN(Batch inserted, table->Insert(come, &next_seq_, Eval()));
  Record(insert.table, std::move(inserted));
  return result;
}

}  // namespace leat
