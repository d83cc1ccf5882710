// The rows of one chunk of JSON text: what the readers of lines and of documents share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/json_split.h"
#include "format/json_walk.h"
#include "format/read_ahead.h"

namespace leat {

// What all chunks of a file share.
struct JsonPlan {
  static Result<std::shared_ptr<JsonPlan>> Make(const ReadOptions& options);

  JsonPaths paths;
  std::vector<ReadColumn> columns;
  TextSettings settings;
  std::unique_ptr<ColumnHint[]> hints;
};

// Reads the objects at `rows` of `text`, which lies at `begin` in its file. What is no object is a
// reject.
Result<ParsedChunk> ParseJsonRows(JsonPlan& plan, std::shared_ptr<std::string> text, int64_t begin,
                                  const std::vector<JsonExtent>& rows);

}  // namespace leat
