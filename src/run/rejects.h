// The rejects: rows that could not be read, computed, or broke a constraint. One relation,
// `leat.rejects`; each relation's own is `NAME__rejects`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "data/batch.h"
#include "flow/operator.h"
#include "format/format.h"
#include "run/read_view.h"
#include "state/index.h"

namespace leat {

// relation, file, byte_offset, line, row_number, column_name, raw, reason, row_kept, epoch,
// rejected_at: where a rejected row stands, its text, and why.
const Schema& RejectsSchema();

// "rejected__rejects" → "rejected"; nullopt for any other name. "leat.rejects" and "rejects" → "".
std::optional<std::string> RejectsOf(std::string_view relation);

// Declares `NAME__rejects` (or, for "", `leat.rejects`), so that queries can name it.
Status AddRejectsRelation(const std::string& relation, Catalog* catalog);

using RejectsVisitor = std::function<Status(const Batch&)>;

// Visits the rejects of one relation, or of all (""), among rows of a Rejects' index.
Status ScanRejects(const RowsScan& rows, const std::string& relation, const RejectsVisitor& visit);

// Not thread-safe.
class Rejects {
 public:
  Rejects();

  // Rows of a source relation; `place` is the file. Returns them as rows of RejectsSchema.
  Result<Batch> Add(const std::string& relation, const std::string& place,
                    const std::vector<Reject>& rejects, const Epoch& epoch);
  // A row that a standing query could not compute, or (weight -1) that is gone again.
  Status AddRowError(const std::string& view, const Schema& schema, const RowError& error,
                     const Epoch& epoch);

  // Visits the rejects of one relation, or of all ("").
  Status Scan(const std::string& relation, const RejectsVisitor& visit) const;
  // All of them as they are now, for ScanRejects.
  RowsScan rows() const;

  Status Checkpoint(StateWriter* writer) { return index_->Checkpoint(writer); }
  Status Restore(StateReader* reader) { return index_->Restore(reader); }

 private:
  Status Apply(const Batch& batch, const std::vector<int64_t>& weights);

  std::unique_ptr<Index> index_;
};

// Rejects of one relation and column with one reason.
struct RejectSample {
  std::string file, raw;
  int64_t line = 0, offset = 0;
};
struct RejectGroup {
  std::string relation, column, reason;
  int64_t count = 0;
  std::vector<RejectSample> samples;  // the first few, in file order
};
// The rejects of a relation (or of all, ""), the most frequent reason first. Reasons that differ
// only in the value they quote are one.
Result<std::vector<RejectGroup>> SummarizeRejects(const RowsScan& rows, const std::string& relation,
                                                  int64_t samples_max);

}  // namespace leat
