// A system outside that is written to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "data/batch.h"

namespace leat {

// What a sink remembers in the transaction of the data.
struct Mark {
  std::string state;      // the state's id: 32 hex digits, made with the state directory
  std::string statement;  // the sink's name and the hash of its query
  int64_t epoch = 0;      // everything up to and including it is in the sink
};

enum class SinkMode : uint8_t { kAppend, kUpsert, kChangelog, kReplace, kSnapshot };

struct SinkSpec {
  std::string name;  // the foreign table's
  // The target's columns: the query's, and behind them what a mode adds: `_op` (kChangelog), the
  // period (kSnapshot).
  Schema schema;
  std::vector<std::string> comments;  // per column
  std::string comment;
  SinkMode mode = SinkMode::kAppend;
  std::vector<int> key;  // kUpsert
  Micros every = 0;      // kSnapshot: the length of a period
  Options options;       // the table's
  Server server;
  std::string state, statement;  // for the mark
};

// Holds a target and its mark. Used by one thread at a time. Rows between two commits are staged:
// nobody outside sees them, and a crash forgets them.
class Sink {
 public:
  virtual ~Sink() = default;
  // Creates what is missing, adds columns that are new, checks types, finishes a commit that a
  // crash cut short, and returns the mark found.
  virtual Result<std::optional<Mark>> Open() = 0;
  // False: the target keeps nothing, its mark neither, and has what the checkpoint says it has.
  virtual bool keeps_mark() const { return true; }
  // Stages a delta. kAppend: weights are all +1 (run refuses otherwise). kUpsert: net changes of a
  // commit, first all -1 rows (only the key counts: delete), then +1 rows (insert or update).
  // kReplace: what is staged becomes all that the target holds. kChangelog: the query's columns,
  // any weights. kSnapshot: a row of weight -1, of which only the last column counts: what the
  // target holds of that period goes; and +1 rows, what it holds instead.
  virtual Status Write(const Batch& batch) = 0;
  // Makes what is staged, and the mark, durable and visible at once.
  virtual Status Commit(int64_t epoch) = 0;
  // Bytes staged so far: run commits when flush_bytes is reached, or at the drain's end.
  virtual int64_t staged_bytes() const = 0;
  // Removes the rows that leat wrote, and the mark (`--fresh`). Before Open a target that leat made
  // goes with them: Open makes it anew, as the query is now.
  virtual Status Reset() = 0;
};

}  // namespace leat
