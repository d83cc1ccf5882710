#pragma once

#include <memory>
#include <string>

#include "format/format.h"

namespace leat {

// Reads the wanted columns of a Parquet file. Positions are row numbers; a chunk is at most
// chunk_bytes_max / 64 rows. A column whose stored type is not the declared one is converted where
// PostgreSQL would by assignment, through text if need be; values that do not convert are rejects,
// and types that never do (a list as an integer) are refused at once.
Result<std::unique_ptr<FileReader>> OpenParquet(const std::string& path, const ReadOptions& options,
                                                const ReadRange& range);

Result<Schema> InferParquet(const std::string& path);

}  // namespace leat
