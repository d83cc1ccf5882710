// Counts the rows of each key of a query's answer, for a sink whose key is not provably unique.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/batch.h"
#include "state/index.h"

namespace leat {

// Used by one thread at a time.
class KeyGuard {
 public:
  KeyGuard(std::string sink, Schema schema, std::vector<int> key);

  // Takes a part of the epoch's delta.
  Status Push(const Batch& batch);
  // The epoch is complete: a key that it touched and that has two rows now is an error naming both.
  Status Finish();

  Status Checkpoint(StateWriter* writer) { return index_->Checkpoint(writer); }
  Status Restore(StateReader* reader) { return index_->Restore(reader); }

 private:
  const std::string sink_;
  const Schema schema_;
  const std::vector<int> key_;
  std::unique_ptr<Index> index_;  // key → row
  Strings touched_;               // keys of this epoch
};

}  // namespace leat
