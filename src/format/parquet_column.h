// One column of a row group, from arrays to Parquet pages.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "data/type.h"

namespace parquet {
class ColumnWriter;
struct ArrowWriteContext;
}  // namespace parquet

namespace leat {

// What a column of this type is in a Parquet file.
std::shared_ptr<arrow::DataType> ParquetType(const Type& type);
// The column in that type.
Result<std::shared_ptr<arrow::Array>> ToParquetType(const std::shared_ptr<arrow::Array>& column,
                                                    const Type& type);

// Whether a Parquet dictionary would pay: judged by a sample of the column's first row group.
bool RepeatsOften(const arrow::ArrayVector& parts);

// Writes the parts one after another. Dictionaries that differ are made one first, so that the
// values are hashed once per chunk and not once per row. May throw what Parquet throws.
Status WriteColumn(const arrow::ArrayVector& parts, const Type& type, bool nullable,
                   parquet::ColumnWriter* writer, parquet::ArrowWriteContext* context);

}  // namespace leat
