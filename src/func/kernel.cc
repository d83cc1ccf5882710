#include "func/kernel.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/util/bitmap_ops.h>

#include <cstring>
#include <limits>

#include "base/check.h"

namespace leat {
namespace {

// Eight bytes of 0 or 1 to eight bits: the product moves byte i's bit to bit 56 + i.
uint8_t PackEight(const uint8_t* bytes) {
  uint64_t eight;
  std::memcpy(&eight, bytes, 8);
  return static_cast<uint8_t>((eight * 0x0102040810204080ULL) >> 56);
}

Result<std::shared_ptr<arrow::Buffer>> CopyOf(const arrow::Array& array) {
  LEAT_ASSIGN(auto copy,
              arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                          array.offset(), array.length()));
  return copy;
}

}  // namespace

Result<Nulls> NullsOf(Arguments args, int64_t rows) {
  Nulls nulls;
  for (const Argument& arg : args) {
    if (arg.array->null_count() == 0) continue;
    if (arg.constant && rows != 1) {  // the constant is null: so is all
      LEAT_ASSIGN(auto none, arrow::AllocateEmptyBitmap(rows));
      return Nulls{.bitmap = std::move(none), .count = rows};
    }
    if (nulls.bitmap == nullptr) {
      if (arg.array->offset() == 0) {
        nulls.bitmap = arg.array->null_bitmap();
      } else {
        LEAT_ASSIGN(nulls.bitmap, CopyOf(*arg.array));
      }
      nulls.count = arg.array->null_count();
      continue;
    }
    LEAT_ASSIGN(nulls.bitmap, arrow::internal::BitmapAnd(
                                  arrow::default_memory_pool(), nulls.bitmap->data(), 0,
                                  arg.array->null_bitmap_data(), arg.array->offset(), rows, 0));
    nulls.count = arrow::kUnknownNullCount;
  }
  return nulls;
}

Result<std::shared_ptr<arrow::Buffer>> AllocateValues(int64_t rows, int64_t width) {
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(rows * width));
  return buffer;
}

Result<std::shared_ptr<arrow::Buffer>> AllocateBools(int64_t rows) {
  LEAT_ASSIGN(auto buffer, AllocateValues(rows + 8, 1));
  std::memset(buffer->mutable_data() + rows, 0, 8);
  return buffer;
}

ArrayPtr FixedColumn(const Type& type, int64_t rows, std::shared_ptr<arrow::Buffer> values,
                     const Nulls& nulls) {
  return arrow::MakeArray(arrow::ArrayData::Make(ArrowType(type), rows,
                                                 {nulls.bitmap, std::move(values)}, nulls.count));
}

Result<ArrayPtr> BoolColumn(const uint8_t* bytes, int64_t rows, const Nulls& nulls) {
  LEAT_ASSIGN(auto bits, AllocateValues((rows + 7) / 8, 1));
  uint8_t* out = bits->mutable_data();
  for (int64_t i = 0; i < (rows + 7) / 8; ++i) out[i] = PackEight(bytes + i * 8);
  return FixedColumn(TypeId::kBool, rows, std::move(bits), nulls);
}

ArrayPtr NullColumn(const Type& type, int64_t rows) {
  auto nulls = arrow::MakeArrayOfNull(ArrowType(type), rows);
  LEAT_CHECK(nulls.ok(), "{}", nulls.status().ToString());
  return *nulls;
}

Result<ArrayPtr> ChooseRows(Arguments columns, const std::vector<int32_t>& from, const Type& type) {
  const auto rows = static_cast<int64_t>(from.size());
  if (columns.empty()) return NullColumn(type, rows);
  arrow::ArrayVector parts;
  std::vector<int64_t> begins;
  int64_t begin = 0;
  for (const Argument& column : columns) {
    parts.push_back(column.array);
    begins.push_back(begin);
    begin += column.array->length();
  }
  LEAT_ASSIGN(const ArrayPtr all, arrow::Concatenate(parts));
  LEAT_ASSIGN(auto indices, AllocateValues(rows, sizeof(int64_t)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(rows));
  auto* at = indices->mutable_data_as<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const int32_t number = from[static_cast<size_t>(row)];
    at[row] = 0;
    if (number < 0) continue;
    const auto n = static_cast<size_t>(number);
    at[row] = begins[n] + columns[n].at(row);
    arrow::bit_util::SetBit(valid->mutable_data(), row);
  }
  const ArrayPtr take =
      FixedColumn(TypeId::kInt8, rows, std::move(indices),
                  {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
  LEAT_ASSIGN(arrow::Datum taken,
              arrow::compute::Take(all, take, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.make_array();
}

Result<ArrayPtr> WithoutRows(const ArrayPtr& column, const ErrorMask& errors) {
  std::shared_ptr<arrow::Buffer> bitmap;
  if (column->null_bitmap_data() != nullptr) {
    LEAT_ASSIGN(bitmap, CopyOf(*column));
  } else {
    LEAT_ASSIGN(bitmap, arrow::AllocateBitmap(column->length()));
    std::memset(bitmap->mutable_data(), 0xFF, static_cast<size_t>(bitmap->size()));
  }
  for (const auto& error : errors.errors()) {
    arrow::bit_util::ClearBit(bitmap->mutable_data(), error.row);
  }
  if (column->offset() != 0) {
    // The values keep their offset, so the bitmap must have it too.
    LEAT_ASSIGN(auto moved, arrow::AllocateEmptyBitmap(column->length() + column->offset()));
    arrow::internal::CopyBitmap(bitmap->data(), 0, column->length(), moved->mutable_data(),
                                column->offset());
    bitmap = std::move(moved);
  }
  auto data = column->data()->Copy();
  data->buffers[0] = std::move(bitmap);
  data->null_count = arrow::kUnknownNullCount;
  return arrow::MakeArray(data);
}

Result<TextWriter> TextWriter::Make(int64_t rows) {
  TextWriter writer;
  LEAT_ASSIGN(writer.buffer_, AllocateValues(rows + 1, sizeof(int32_t)));
  writer.offsets_ = writer.buffer_->mutable_data_as<int32_t>();
  writer.offsets_[0] = 0;
  writer.rows_ = rows;
  return writer;
}

Result<ArrayPtr> TextWriter::Finish(const Type& type, const Nulls& nulls) {
  if (bytes_.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Status::CapacityError("a batch of text is longer than 2 GiB");
  }
  return arrow::MakeArray(arrow::ArrayData::Make(
      ArrowType(type), rows_,
      {nulls.bitmap, std::move(buffer_), arrow::Buffer::FromString(std::move(bytes_))},
      nulls.count));
}

void SetError(const Call& call, int64_t row, const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  // The states are a handful, and masks keep pointers to them: so they live for ever.
  static const std::vector<std::string> kStates = {
      "22003", "22012", "22P02", "22007", "22008", "22001", "22011", "22023",
      "2201E", "2201F", "0A000", "22025", "22021", "22P03", "2202E", "22030",
      "22032", "2201G", "42846", "54000", "2201B", "XX000", "42601"};
  const char* state = "22000";  // data exception
  for (const std::string& known : kStates) {
    if (error != nullptr && error->sqlstate == known) state = known.c_str();
  }
  call.errors->Set(row, state, status.message());
}

}  // namespace leat
