// Changes that name rows by key: what replicas and compacted topics tell.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

namespace leat {

// How the rows of a batch change a keyed relation: a row of weight +1 takes the place of the one
// with its key, if there is one; of a row of weight -1 only the key counts: that row goes. Without
// a key (rows that are named by all of their values) a row comes, or one that equals it goes.
struct Upserts {
  // First of all the rows with keys in (after, up_to] went: keys as KeyEncoder writes them, "" for
  // `after` is the beginning, for `up_to` the end.
  bool truncated = false;
  std::string after, up_to;
  // By column: where true, the row's value is the one that the row before it has (an unchanged
  // TOASTed value is not sent). Columns that are always sent have none; empty: all are.
  std::vector<std::shared_ptr<arrow::BooleanArray>> unchanged;
  // True for a row that had another key, that of the row of weight -1 in front of it: what is
  // unchanged is so since then. Or null.
  std::shared_ptr<arrow::BooleanArray> moved;
};

}  // namespace leat
