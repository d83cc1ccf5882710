// Rows as they flow: an Arrow record batch with a weight and an arrival number per row.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "data/type.h"

namespace leat {

// Rows that came (+1) or went (-1): a part of a Z-set (Budiu et al., "DBSP", VLDB 2023). Columns
// are immutable and shared. A text column may come as dictionary<int32, utf8>; whoever cannot use
// that calls Plain(). The arrays have no particular offset. Nothing else is ever dictionary
// encoded.
struct Batch {
  int64_t rows = 0;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  // Weights, never zero and without nulls; absent: all +1.
  std::shared_ptr<arrow::Int64Array> weights;
  // `_seq`: the arrival number of the source row that this row is; absent above a join, an
  // aggregate or DISTINCT. Unique in a relation, kept by an update, carried by filter, project and
  // UNION ALL.
  std::shared_ptr<arrow::Int64Array> seq;

  int64_t weight(int64_t row) const;  // 1 where `weights` is absent
};

// The same column without dictionary encoding.
std::shared_ptr<arrow::Array> Plain(const std::shared_ptr<arrow::Array>& column);

// The rows at `indices` (may repeat), in that order, with their weights and seqs.
Result<Batch> Take(const Batch& batch, const std::vector<int32_t>& indices);
// Rows [offset, offset + rows): shares the buffers.
Batch Slice(const Batch& batch, int64_t offset, int64_t rows);
// One batch of all rows; dictionaries are decoded where they differ. REQUIRES: the same columns;
// seq present in all or none (an absent one loses the others').
Result<Batch> Concatenate(const Schema& schema, const std::vector<Batch>& batches);
// The batch with all weights turned round.
Result<Batch> Negate(const Batch& batch);
// first, first + 1, …: the `_seq` of rows that come.
Result<std::shared_ptr<arrow::Int64Array>> ArrivalNumbers(int64_t first, int64_t rows);
// An empty batch of this schema.
Batch EmptyBatch(const Schema& schema);
// Bytes of memory that the batch's buffers take; shared buffers count whole.
int64_t MemoryOf(const Batch& batch);

}  // namespace leat
