// The engine's one interface: deltas in, deltas out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/batch.h"
#include "func/evaluate.h"
#include "state/index.h"
#include "state/store.h"

namespace leat {

// What is read, computed and logged together.
struct Epoch {
  int64_t number = 0;
  Micros clock = 0;
};

// A row that an expression could not compute. The weight is the row's: -1 when the row that failed
// is taken back, so the rejects relation stays right.
struct RowError {
  Batch row;  // one row: the operator's input
  int64_t weight = 1;
  std::string sqlstate;
  std::string reason;
};

// Where an operator puts its results. Errors go up; nothing is retained after a failed call.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status Emit(Batch batch) = 0;
  virtual Status Reject(RowError error) = 0;
};

struct OperatorStats {
  int64_t rows_in = 0;
  int64_t rows_out = 0;
  int64_t state_rows = 0;
  int64_t state_bytes = 0;
};

// What is known of a relation's changes; it picks an operator's form (design: "Properties").
struct Properties {
  bool append_only = false;  // no negative weight, ever
  bool final = false;        // one epoch only: a one-shot query; state need not outlive Finish
  bool in_order = false;     // rows come in `_seq` order, epoch after epoch
  std::vector<std::vector<int>> keys;  // sets of columns that are unique among the present rows
};

// A pure function of its inputs and its own state. Used by one thread at a time; operators of other
// shards run at the same time, so what they share (a budget, a cache) must bear several threads.
class Operator {
 public:
  virtual ~Operator() = default;
  // Takes a part of the epoch's delta on input `port`. Any number of times, ports in any order.
  virtual Status Push(int port, const Batch& batch, const EvalContext& context, Output* out) = 0;
  // The epoch's inputs are complete: emits what is left. The net of all that was emitted in the
  // epoch is the change of the operator's answer; an operator may emit a row and take it back in
  // between.
  virtual Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) = 0;
  // After Finish: at an epoch with this clock or a later one the answer may be another, though no
  // row came. It may be too early, never too late. INT64_MAX: never.
  virtual Micros Due() const { return INT64_MAX; }
  // The state after the last Finish. Restore on a new operator of the same spec.
  virtual Status Checkpoint(StateWriter* writer) {
    (void)writer;
    return Status::OK();
  }
  virtual Status Restore(StateReader* reader) {
    (void)reader;
    return Status::OK();
  }
  virtual OperatorStats stats() const = 0;
};

}  // namespace leat
