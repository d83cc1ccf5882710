// Rows as JSON objects, as PostgreSQL's row_to_json spells values: numbers and booleans bare (NaN
// and infinities quoted), json as it is, all else as strings; null keys are kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/type.h"
#include "format/text_rows.h"

namespace leat {

// Appends `text` as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string* out);

// Used by one thread.
class JsonRows {
 public:
  explicit JsonRows(Schema schema);

  // The rows that Append means from now on. REQUIRES: columns of the schema.
  Status Take(const Batch& batch);
  // Appends one row, on one line and without a line's end.
  Status Append(int64_t row, std::string* out) const;

 private:
  const Schema schema_;
  std::vector<std::string> keys_;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
  std::vector<TextColumn> texts_;
};

}  // namespace leat
