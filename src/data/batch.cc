#include "data/batch.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include "base/check.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

Result<ArrayPtr> TakeArray(const ArrayPtr& array, const ArrayPtr& indices) {
  LEAT_ASSIGN(arrow::Datum taken,
              arrow::compute::Take(array, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.make_array();
}

template <typename Map>
Result<Batch> MapArrays(const Batch& batch, const Map& map) {
  Batch out;
  out.rows = batch.rows;
  for (const auto& column : batch.columns) {
    LEAT_ASSIGN(ArrayPtr mapped, map(column));
    out.columns.push_back(std::move(mapped));
  }
  if (batch.weights) {
    LEAT_ASSIGN(ArrayPtr mapped, map(batch.weights));
    out.weights = std::static_pointer_cast<arrow::Int64Array>(mapped);
  }
  if (batch.seq) {
    LEAT_ASSIGN(ArrayPtr mapped, map(batch.seq));
    out.seq = std::static_pointer_cast<arrow::Int64Array>(mapped);
  }
  return out;
}

Result<ArrayPtr> ConcatenateColumn(arrow::ArrayVector parts) {
  const bool same = std::all_of(parts.begin(), parts.end(), [&](const ArrayPtr& part) {
    return part->type_id() == parts[0]->type_id();
  });
  if (!same || parts[0]->type_id() == arrow::Type::DICTIONARY) {
    for (auto& part : parts) part = Plain(part);
  }
  return arrow::Concatenate(parts);
}

std::shared_ptr<arrow::Int64Array> Ones(int64_t rows) {
  arrow::Int64Builder builder;
  std::vector<int64_t> ones(static_cast<size_t>(rows), 1);
  LEAT_CHECK(builder.AppendValues(ones).ok());
  return std::static_pointer_cast<arrow::Int64Array>(builder.Finish().ValueOrDie());
}

}  // namespace

int64_t Batch::weight(int64_t row) const { return weights ? weights->Value(row) : 1; }

ArrayPtr Plain(const ArrayPtr& column) {
  if (column->type_id() != arrow::Type::DICTIONARY) return column;
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*column);
  auto plain = TakeArray(dictionary.dictionary(), dictionary.indices());
  LEAT_CHECK(plain.ok(), "{}", plain.status().ToString());
  return plain.ValueUnsafe();
}

Result<Batch> Take(const Batch& batch, const std::vector<int32_t>& indices) {
  arrow::Int32Array positions(static_cast<int64_t>(indices.size()),
                              arrow::Buffer::Wrap(indices.data(), indices.size()));
  const ArrayPtr positions_ptr = arrow::MakeArray(positions.data());
  LEAT_ASSIGN(Batch out, MapArrays(batch, [&](const ArrayPtr& array) {
                return TakeArray(array, positions_ptr);
              }));
  out.rows = static_cast<int64_t>(indices.size());
  return out;
}

Batch Slice(const Batch& batch, int64_t offset, int64_t rows) {
  auto sliced = MapArrays(
      batch, [&](const ArrayPtr& array) -> Result<ArrayPtr> { return array->Slice(offset, rows); });
  LEAT_CHECK(sliced.ok());
  sliced->rows = rows;
  return *std::move(sliced);
}

Result<Batch> Concatenate(const Schema& schema, const std::vector<Batch>& batches) {
  if (batches.empty()) return EmptyBatch(schema);
  if (batches.size() == 1) return batches[0];
  Batch out;
  bool weighted = false, sequenced = true;
  for (const Batch& batch : batches) {
    out.rows += batch.rows;
    weighted = weighted || batch.weights;
    sequenced = sequenced && batch.seq;
  }
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    arrow::ArrayVector parts;
    for (const Batch& batch : batches) parts.push_back(batch.columns[i]);
    LEAT_ASSIGN(ArrayPtr column, ConcatenateColumn(std::move(parts)));
    out.columns.push_back(std::move(column));
  }
  const auto gather = [&](auto&& part_of) -> Result<std::shared_ptr<arrow::Int64Array>> {
    arrow::ArrayVector parts;
    for (const Batch& batch : batches) parts.push_back(part_of(batch));
    LEAT_ASSIGN(ArrayPtr whole, arrow::Concatenate(parts));
    return std::static_pointer_cast<arrow::Int64Array>(whole);
  };
  if (weighted) {
    LEAT_ASSIGN(out.weights, gather([](const Batch& batch) {
                  return batch.weights ? batch.weights : Ones(batch.rows);
                }));
  }
  if (sequenced) {
    LEAT_ASSIGN(out.seq, gather([](const Batch& batch) { return batch.seq; }));
  }
  return out;
}

Result<Batch> Negate(const Batch& batch) {
  Batch out = batch;
  arrow::Int64Builder builder;
  LEAT_RETURN(builder.Reserve(batch.rows));
  for (int64_t i = 0; i < batch.rows; ++i) builder.UnsafeAppend(-batch.weight(i));
  LEAT_ASSIGN(ArrayPtr weights, builder.Finish());
  out.weights = std::static_pointer_cast<arrow::Int64Array>(weights);
  return out;
}

Result<std::shared_ptr<arrow::Int64Array>> ArrivalNumbers(int64_t first, int64_t rows) {
  arrow::Int64Builder builder;
  LEAT_RETURN(builder.Reserve(rows));
  for (int64_t i = 0; i < rows; ++i) builder.UnsafeAppend(first + i);
  LEAT_ASSIGN(auto array, builder.Finish());
  return std::static_pointer_cast<arrow::Int64Array>(array);
}

Batch EmptyBatch(const Schema& schema) {
  Batch out;
  for (const Column& column : schema.columns) {
    out.columns.push_back(arrow::MakeEmptyArray(ArrowType(column.type)).ValueOrDie());
  }
  return out;
}

int64_t MemoryOf(const Batch& batch) {
  int64_t bytes = 0;
  for (const auto& column : batch.columns) bytes += arrow::util::TotalBufferSize(*column);
  if (batch.weights) bytes += arrow::util::TotalBufferSize(*batch.weights);
  if (batch.seq) bytes += arrow::util::TotalBufferSize(*batch.seq);
  return bytes;
}

}  // namespace leat
