// A table that leat itself holds: reference data, tests, the shell. Keeps its history of deltas, so
// that a query over it can be answered again in any cut (`leat test`).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "catalog/catalog.h"
#include "data/batch.h"
#include "func/evaluate.h"

namespace leat {

// Refuses rows that break NOT NULL or CHECK, in PostgreSQL's words; the first one in row order.
Status CheckConstraints(const Relation& relation, const Batch& rows, const EvalContext& context);

// Used by one thread at a time. Every change is checked first and then made whole, or not at all.
class LocalTable {
 public:
  explicit LocalTable(const Relation* relation);  // borrowed: it must outlive the table

  // Adds rows (no weights, no seq); gives them the next arrival numbers from `next_seq`.
  Result<Batch> Insert(const Batch& rows, int64_t* next_seq, const EvalContext& context);
  // Removes the rows at these places of contents(); returns them with weight -1.
  Result<Batch> Delete(const std::vector<int32_t>& rows);
  // Replaces the rows at these places by `values` (whose row i is for rows[i]), keeping `_seq`.
  Result<Batch> Update(const std::vector<int32_t>& rows, const Batch& values,
                       const EvalContext& context);

  // Keeps these columns' values unique from now on (nulls are not equal), under the constraint's
  // name; refuses, as PostgreSQL does, if they are not already.
  Status AddUnique(const std::string& name, std::vector<int> columns);
  void DropUnique(std::string_view name);

  // What these columns' values of `rows` are compared by: nullopt where one is null.
  using Keys = std::vector<std::optional<std::string>>;
  Result<Keys> KeysOf(const std::vector<int>& columns, const Batch& rows) const;
  // Takes over rows with their `_seq`, of a table that was made anew: refuses, in ALTER TABLE's
  // words, if they break its constraints.
  Status Adopt(Batch rows, const EvalContext& context);

  // The present rows in arrival order, with `_seq`.
  Result<Batch> contents();
  // Puts back an earlier state of contents(): ROLLBACK.
  void Reset(Batch contents);

 private:
  // A unique constraint, and the values that are there.
  struct Unique {
    std::string name;
    std::vector<int> columns;
    std::unordered_set<std::string> keys;
  };

  Status CheckUnique(const Batch& added, const std::vector<int32_t>* removed);
  Status AddKeys(const Batch& all, Unique* unique) const;
  // "Key (a, b)=(1, 2) …"
  std::string KeyText(const Unique& unique, const Batch& rows, int64_t row) const;
  Status RebuildKeys();

  const Relation* relation_;
  std::vector<Batch> parts_;     // together the contents, in arrival order
  std::vector<Unique> uniques_;  // the primary key first, if there is one
};

}  // namespace leat
