// Rows of a captured table, gathered into an arrival.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/postgres/binary.h"
#include "connect/postgres/pgoutput.h"
#include "connect/source.h"

namespace leat {

// How the values of a column come: by which type there, and in which form.
struct WireColumn {
  PostgresMeaning there;
  bool binary = false;
  bool operator==(const WireColumn& other) const {
    return there.base == other.there.base && binary == other.binary;
  }
};

// Gathers rows, and finishes them as an Arrival: a value that the foreign table's column cannot
// hold makes its row a reject with its place in the log, and takes out the row that had its key.
// Used by one thread at a time.
class TableRows {
 public:
  // REQUIRES: the relation outlives this. `place` names the table in rejects.
  TableRows(const Relation& relation, std::string place);
  ~TableRows();

  // How values come from now on; by column of the relation. REQUIRES: no rows are gathered.
  void Use(std::vector<WireColumn> columns);
  const std::vector<WireColumn>& wire() const { return wire_; }

  // One row: a Value for every column, then End. False: the bytes are no such value.
  bool Value(size_t column, std::string_view bytes);
  void Null(size_t column);
  void Unchanged(size_t column);  // as it was; a column without a value in the row
  // `weight` as Upserts has it; `moved`: this row had the key of the one before; `read`: it counts
  // as a row that was read (of an update with a new key one of two does).
  void End(int64_t weight, Lsn lsn, bool moved, bool read);
  // First of all, the rows with keys in (after, up_to] went. REQUIRES: no rows are gathered.
  void Truncate(std::string after, std::string up_to);

  bool empty() const { return rows() == 0 && !upserts_.truncated; }
  int64_t rows() const { return static_cast<int64_t>(lsns_.size()); }
  int64_t bytes() const { return bytes_; }

  // What was gathered since the last Finish; `end` and `relation` are the caller's to set.
  Result<Arrival> Finish();
  // The key of the last row that Finish gave, as texts and encoded; empty where there was none.
  const std::vector<std::string>& last_key() const { return last_key_; }
  const std::string& last_key_bytes() const { return last_key_bytes_; }

 private:
  struct Column;
  struct Refused;
  Result<std::shared_ptr<arrow::Array>> FinishColumn(size_t column, std::vector<Refused>* refused);
  Status SetAside(std::vector<Refused> refused, Arrival* arrival);
  Status KeepLastKey(const Batch& batch);
  bool keyed() const { return !relation_.primary_key.empty(); }

  const Relation& relation_;
  const bool held_;  // as SourceTraits has it
  const std::string place_;
  std::vector<WireColumn> wire_;
  std::vector<std::unique_ptr<Column>> columns_;
  std::vector<int64_t> weights_;
  std::vector<int64_t> lsns_;
  std::vector<bool> moved_;
  bool any_moved_ = false, any_unchanged_ = false;
  Upserts upserts_;
  int64_t read_ = 0;
  int64_t bytes_ = 0;
  std::vector<std::string> last_key_;
  std::string last_key_bytes_;
};

}  // namespace leat
