// The net of a sink's deltas between two commits, by key: what an upsert sink must do.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/batch.h"

namespace leat {

// Used by one thread at a time.
class NetChanges {
 public:
  // `key`: columns of `schema`; `sink`: the name for errors.
  NetChanges(std::string sink, Schema schema, std::vector<int> key);

  Status Add(const Batch& batch);
  bool empty() const { return keys_.empty(); }
  int64_t bytes() const { return bytes_; }

  // The rows to delete (-1, only the key counts) and then those to insert or update (+1), in two
  // batches; forgets them. Two rows left for one key are an error naming both.
  struct Changes {
    Batch deletes;
    Batch upserts;
  };
  Result<Changes> Take();

 private:
  const std::string sink_;
  Schema schema_;
  std::vector<int> key_;
  std::vector<Type> types_;
  // key bytes → the weights of its rows' bytes, none zero
  std::unordered_map<std::string, std::map<std::string, int64_t>> keys_;
  int64_t bytes_ = 0;
};

}  // namespace leat
