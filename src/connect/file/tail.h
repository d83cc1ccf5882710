// How far a file can be read while somebody writes it.
#pragma once

#include <cstdint>
#include <string>

#include "format/format.h"

namespace leat {

// The end of the last whole row at or after `done`, where a row begins, in a CSV or NDJSON file: a
// newline, and in CSV not one inside quotes. `done` if there is none. Looks some megabytes ahead,
// so there may be more rows beyond; -1 where a row does not end within `row_bytes_max` (the reader
// says what is wrong with it).
Result<int64_t> EndOfRows(const std::string& path, bool csv, int64_t done,
                          const ReadOptions& options, int64_t row_bytes_max = 256 << 20);

}  // namespace leat
