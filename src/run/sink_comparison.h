// What a sink's target holds beside what its query answers: the rows that differ.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connect/sink.h"
#include "connect/source.h"
#include "state/index.h"

namespace leat {

// Of one key (of a sink without one: of one row). Rows are exact bytes (data/key.h), with as many
// copies as there are too few or too many.
struct SinkDifference {
  Strings missing;  // expected and not found
  Strings extra;    // found and not expected
  bool differs() const { return missing.size() > 0 && extra.size() > 0; }
};

struct ComparisonCounts {
  int64_t expected = 0, found = 0;                // rows
  int64_t missing = 0, extra = 0, different = 0;  // keys
  bool equal() const { return missing + extra + different == 0; }
};

// Rows are the same if their values are equal, as PostgreSQL compares them: a target may keep 1.00
// as 1. Used by one thread.
class SinkComparison {
 public:
  explicit SinkComparison(const SinkSpec& spec);

  Status AddExpected(const Batch& rows) { return Add(rows, 1, &counts_.expected); }
  Status AddFound(const Batch& rows) { return Add(rows, -1, &counts_.found); }

  // Visits the differences in the order of keys, and counts them.
  using Visit = std::function<Status(const SinkDifference& difference)>;
  Result<ComparisonCounts> Differences(const Visit& visit) const;

 private:
  Status Add(const Batch& rows, int64_t weight, int64_t* count);

  const Schema schema_;
  const std::vector<int> key_;  // all columns, where the sink has no key
  std::vector<int> all_;
  std::unique_ptr<Index> rows_;  // key → the row's values as a key, and its bytes
  ComparisonCounts counts_;
};

// Adds what the target of the sink `name` holds, as `read` gives it. A row that cannot be one of
// the sink's is an IOError.
Status AddTargetRows(const std::string& name, SinkComparison* comparison,
                     const std::function<Status(const ArrivalVisitor& visit)>& read);

// Stages what makes the target equal in the sink: deletes first, then what is inserted or updated.
// `chooses` (or nullptr: all) says which differences.
using ChooseDifference = std::function<Result<bool>(const SinkDifference& difference)>;
Status WriteDifferences(const SinkComparison& comparison, const Schema& schema,
                        const ChooseDifference& chooses, Sink* sink);

// Rows of exact bytes as a batch.
Result<Batch> DecodeRows(const Schema& schema, const Strings& rows);

}  // namespace leat
