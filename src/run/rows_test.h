// Small batches for the tests of this room: two columns, k bigint and v text.
#pragma once

#include <arrow/builder.h>

#include <string>
#include <tuple>
#include <vector>

#include "data/batch.h"

namespace leat {

inline Schema KeyValueSchema() { return {{{"k", TypeId::kInt8}, {"v", TypeId::kText}}}; }

// Rows (k, v, weight).
inline Batch Rows(const std::vector<std::tuple<int64_t, std::string, int64_t>>& rows) {
  arrow::Int64Builder k, weight;
  arrow::StringBuilder v;
  for (const auto& [key, value, w] : rows) {
    EXPECT_TRUE(k.Append(key).ok() && v.Append(value).ok() && weight.Append(w).ok());
  }
  Batch batch{.rows = static_cast<int64_t>(rows.size())};
  batch.columns = {k.Finish().ValueOrDie(), v.Finish().ValueOrDie()};
  batch.weights = std::static_pointer_cast<arrow::Int64Array>(weight.Finish().ValueOrDie());
  return batch;
}

inline int64_t KeyAt(const Batch& batch, int64_t row) {
  return static_cast<const arrow::Int64Array&>(*batch.columns[0]).Value(row);
}
inline std::string ValueAt(const Batch& batch, int64_t row) {
  return static_cast<const arrow::StringArray&>(*batch.columns[1]).GetString(row);
}

}  // namespace leat
