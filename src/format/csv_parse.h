// One chunk of indexed CSV to a batch and rejects.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/column_parser.h"
#include "format/csv_index.h"
#include "format/read_ahead.h"

namespace leat {

// What all chunks of a file share.
struct CsvPlan {
  CsvDialect dialect;
  std::vector<std::string> names;  // the file's fields, in order
  std::vector<ReadColumn> columns;
  std::vector<int> fields;  // for each of `columns`, which field
  TextSettings settings;
  std::unique_ptr<ColumnHint[]> hints;
};

struct CsvChunk {
  std::shared_ptr<std::string> text;
  std::shared_ptr<CsvIndex> index;
  int64_t begin = 0;    // of `text` in the file
  bool header = false;  // the first row is one
};

Result<ParsedChunk> ParseCsv(CsvPlan& plan, CsvChunk chunk);

// Removes rows with bad values from `out->batch`, makes rejects of them (kept rows where the column
// says null_on_error), and sorts all rejects by place. `bad[i]` belongs to columns[i];
// `reject(row)` gives the Reject of a good row, without column and reason. `row_offsets` shrinks
// alike.
Status TakeOutBadRows(const std::vector<ReadColumn>& columns,
                      std::vector<std::vector<BadValue>> bad,
                      const std::function<Reject(int64_t row)>& reject, ReadChunk* out);

// Why `text` is no valid UTF-8 text in PostgreSQL's words; empty if it is.
std::string EncodingError(std::string_view text);

}  // namespace leat
