#pragma once

#include <map>
#include <memory>
#include <string>

#include "format/format.h"

namespace leat {

// Writes Parquet. Options: compression (zstd, snappy, gzip, lz4, none), compression_level,
// row_group_rows. The columns of a row group are encoded on the CPU pool while the caller fills the
// next; a third makes Write wait. What Parquet has no exact type for (numeric without a precision
// or beyond 38 digits, uuid, interval) is written as text.
Result<std::unique_ptr<FileWriter>> CreateParquet(
    const std::string& path, const Schema& schema,
    const std::map<std::string, std::string>& options);

}  // namespace leat
