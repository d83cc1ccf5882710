// Result tables as psql prints them.
#pragma once

#include <string>

#include "data/batch.h"
#include "data/text.h"
#include "data/type.h"

namespace leat {

// psql's output settings, by its flags.
struct TableFormat {
  bool aligned = true;          // -A turns it off
  bool tuples_only = false;     // -t
  bool csv = false;             // --csv
  bool expanded = false;        // -x
  std::string separator = "|";  // -F, unaligned
  std::string null;             // \pset null
};

// The whole table with header and "(n rows)", as the format says.
std::string FormatTable(const Schema& schema, const Batch& rows, const TableFormat& format,
                        const TextSettings& settings);

// The cells as text, row by row; NULL as `null`.
std::vector<std::vector<std::string>> CellTexts(const Schema& schema, const Batch& rows,
                                                const std::string& null,
                                                const TextSettings& settings);

}  // namespace leat
