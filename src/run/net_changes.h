// The net of a sink's deltas between two commits, by key: what an upsert sink must do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/batch.h"
#include "data/strings.h"
#include "state/index.h"
#include "state/memory.h"

namespace leat {

// Takes part in the memory of the scope in which it was made: what is much goes to files. Used by
// one thread at a time.
class NetChanges {
 public:
  // `key`: columns of `schema`; `sink`: the name for errors.
  NetChanges(std::string sink, Schema schema, std::vector<int> key);

  Status Add(const Batch& batch);
  bool empty() const { return rows_added_ == 0; }
  int64_t bytes() const;

  // Gives the rows to delete (weight -1, only the key counts) and then those to insert or update
  // (+1), in batches, each in the order of the key; forgets them. Two rows left for one key are an
  // error naming both, perhaps after other rows were given.
  using Visit = std::function<Status(const Batch& batch)>;
  Status Take(const Visit& visit);

 private:
  Status Flush();
  // One pass over the keys: those whose rows are gone, or those that have one.
  Status Pass(bool deletes, const Visit& visit) const;

  StateMemory* const memory_;
  const std::string sink_;
  const Schema schema_;
  const std::vector<int> key_;
  const std::vector<Type> types_;
  // What came lately; the trace takes it in large parts, so that few runs are to be merged.
  Strings keys_, rows_;
  std::vector<int64_t> weights_;
  std::unique_ptr<Index> net_;  // key → row
  int64_t rows_added_ = 0;
  bool takes_back_ = false;  // some weight was negative
};

}  // namespace leat
