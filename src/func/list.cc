#include "func/list.h"

#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <cstring>

namespace leat {

ListWriter::ListWriter(std::vector<ArrayPtr> sources) : sources_(std::move(sources)) {
  int64_t begin = 0;
  for (const ArrayPtr& source : sources_) {
    begins_.push_back(begin);
    begin += source->length();
  }
}

Result<ArrayPtr> ListWriter::Finish(const Type& type) {
  ArrayPtr all;
  if (sources_.size() == 1) {
    all = sources_[0];
  } else {
    LEAT_ASSIGN(all, arrow::Concatenate(sources_));
  }
  LEAT_ASSIGN(const ArrayPtr elements, TakeRows(all, picked_));
  return ListColumn(type, elements, offsets_, nulls_);
}

Result<ArrayPtr> TakeRows(const ArrayPtr& column, const std::vector<int64_t>& rows) {
  arrow::Int64Builder builder;
  LEAT_RETURN(builder.Reserve(static_cast<int64_t>(rows.size())));
  for (const int64_t row : rows) {
    if (row < 0) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(row);
    }
  }
  LEAT_ASSIGN(const ArrayPtr indices, builder.Finish());
  LEAT_ASSIGN(arrow::Datum taken,
              arrow::compute::Take(column, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.make_array();
}

Result<ArrayPtr> ListColumn(const Type& type, const ArrayPtr& elements,
                            const std::vector<int32_t>& offsets,
                            const std::vector<int64_t>& nulls) {
  const auto rows = static_cast<int64_t>(offsets.size()) - 1;
  LEAT_ASSIGN(auto buffer, AllocateValues(rows + 1, sizeof(int32_t)));
  std::memcpy(buffer->mutable_data(), offsets.data(), offsets.size() * sizeof(int32_t));
  std::shared_ptr<arrow::Buffer> valid;
  if (!nulls.empty()) {
    LEAT_ASSIGN(valid, arrow::AllocateBitmap(rows));
    std::memset(valid->mutable_data(), 0xFF, static_cast<size_t>(valid->size()));
    for (const int64_t row : nulls) arrow::bit_util::ClearBit(valid->mutable_data(), row);
  }
  auto data = arrow::ArrayData::Make(ArrowType(type), rows, {std::move(valid), std::move(buffer)},
                                     static_cast<int64_t>(nulls.size()));
  data->child_data = {elements->data()};
  return arrow::MakeArray(data);
}

}  // namespace leat
