#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/bytes.h"
#include "format/csv_index.h"
#include "format/format.h"

namespace leat {

// Reads CSV by the rules of csv_index.h. Blank lines are no rows, unless the file has one column.
Result<std::unique_ptr<FileReader>> OpenCsv(const std::string& path, const Coding& coding,
                                            const CsvDialect& dialect, const ReadOptions& options,
                                            const ReadRange& range);

// The file's column names: its header, or column1, column2, … as its first row has fields. Empty
// for an empty file.
Result<std::vector<std::string>> CsvNames(const std::string& path, const Coding& coding,
                                          const CsvDialect& dialect);

// An error that `outside_name` is not among `names`, with the nearest name as a hint.
Status NoSuchField(const std::string& path, const std::string& outside_name,
                   const std::vector<std::string>& names);

}  // namespace leat
