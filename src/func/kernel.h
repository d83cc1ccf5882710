// What kernels are written with: raw buffers in, raw buffers out. Private to func.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "func/function.h"

namespace leat {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Arguments = std::span<const Argument>;

// The nulls of a strict function: rows where any argument is null.
struct Nulls {
  std::shared_ptr<arrow::Buffer> bitmap;  // validity without offset; absent: no nulls
  int64_t count = 0;
  bool Has(int64_t row) const {
    return bitmap != nullptr && !arrow::bit_util::GetBit(bitmap->data(), row);
  }
};
Result<Nulls> NullsOf(Arguments args, int64_t rows);

// Bytes for `rows` values of `width` bytes.
Result<std::shared_ptr<arrow::Buffer>> AllocateValues(int64_t rows, int64_t width);
// A byte per bool for BoolColumn, the bytes after the last row being 0.
Result<std::shared_ptr<arrow::Buffer>> AllocateBools(int64_t rows);
// A column of fixed width values.
ArrayPtr FixedColumn(const Type& type, int64_t rows, std::shared_ptr<arrow::Buffer> values,
                     const Nulls& nulls);
// A bool column from a byte (0 or 1) per row; `bytes` is of AllocateBools.
Result<ArrayPtr> BoolColumn(const uint8_t* bytes, int64_t rows, const Nulls& nulls);
ArrayPtr NullColumn(const Type& type, int64_t rows);
// A column put together from the rows of several: `from[row]` is an argument's number, -1 null.
Result<ArrayPtr> ChooseRows(Arguments columns, const std::vector<int32_t>& from, const Type& type);
// The column without an error's rows.
Result<ArrayPtr> WithoutRows(const ArrayPtr& column, const ErrorMask& errors);

// Values of fixed width, which for a constant argument stand still.
template <typename T>
struct Values {
  explicit Values(const Argument& arg)
      : data(arg.array->data()->template GetValues<T>(1)), step(arg.constant ? 0 : 1) {}
  const T& operator[](int64_t row) const { return data[row * step]; }
  const T* data;
  int64_t step;
};

// The texts (or byte strings) of an argument.
struct Texts {
  explicit Texts(const Argument& arg)
      : offsets(arg.array->data()->GetValues<int32_t>(1)),
        bytes(arg.array->data()->buffers[2] == nullptr ? nullptr
                                                       : arg.array->data()->GetValues<char>(2, 0)),
        step(arg.constant ? 0 : 1) {}
  std::string_view operator[](int64_t row) const {
    const int64_t at = row * step;
    return {bytes + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])};
  }
  const int32_t* offsets;
  const char* bytes;
  int64_t step;
};

struct Bools {
  explicit Bools(const Argument& arg)
      : bits(arg.array->data()->GetValues<uint8_t>(1, 0)),
        offset(arg.array->offset()),
        step(arg.constant ? 0 : 1) {}
  bool operator[](int64_t row) const { return arrow::bit_util::GetBit(bits, offset + row * step); }
  const uint8_t* bits;
  int64_t offset;
  int64_t step;
};

// out[row] = f(a[row], b[row]) for all rows, nulls' too: straight loops that vectorise.
template <typename A, typename B, typename Out, typename F>
void MapPairs(const Values<A>& a, const Values<B>& b, int64_t rows, Out* out, F f) {
  if (b.step == 0) {
    const B right = b.data[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = f(a.data[i * a.step], right);
  } else if (a.step == 0) {
    const A left = a.data[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = f(left, b.data[i]);
  } else {
    for (int64_t i = 0; i < rows; ++i) out[i] = f(a.data[i], b.data[i]);
  }
}

// Calls f(row) for the rows that count: selected, and no argument null.
template <typename F>
void ForEachRow(const Call& call, const Nulls& nulls, F f) {
  for (int64_t row = 0; row < call.rows; ++row) {
    if (nulls.Has(row) || !call.selection->Has(row)) continue;
    f(row);
  }
}

// A strict function with values of fixed width: f(row) gives one. Other rows' values are 0.
template <typename Out, typename F>
Result<ArrayPtr> MapRows(const Call& call, Arguments args, F f) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto values, AllocateValues(call.rows, sizeof(Out)));
  Out* out = values->template mutable_data_as<Out>();
  std::fill(out, out + call.rows, Out{});
  ForEachRow(call, nulls, [&](int64_t row) { out[row] = f(row); });
  return FixedColumn(*call.result, call.rows, std::move(values), nulls);
}

// The same for bool.
template <typename F>
Result<ArrayPtr> MapRowsToBool(const Call& call, Arguments args, F f) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(auto bytes, AllocateBools(call.rows));
  uint8_t* out = bytes->mutable_data();
  std::fill(out, out + call.rows, uint8_t{0});
  ForEachRow(call, nulls, [&](int64_t row) { out[row] = f(row) ? 1 : 0; });
  return BoolColumn(out, call.rows, nulls);
}

// A text or binary column as it is written: End() after each row.
class TextWriter {
 public:
  static Result<TextWriter> Make(int64_t rows);
  std::string& bytes() { return bytes_; }
  void End() { offsets_[++row_] = static_cast<int32_t>(bytes_.size()); }
  Result<ArrayPtr> Finish(const Type& type, const Nulls& nulls);

 private:
  std::shared_ptr<arrow::Buffer> buffer_;
  int32_t* offsets_ = nullptr;
  std::string bytes_;
  int64_t rows_ = 0;
  int64_t row_ = 0;
};

// The same for text: f(row, std::string* out) appends the row's.
template <typename F>
Result<ArrayPtr> MapRowsToText(const Call& call, Arguments args, F f) {
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (!nulls.Has(row) && call.selection->Has(row)) f(row, &writer.bytes());
    writer.End();
  }
  return writer.Finish(*call.result, nulls);
}

// Records `status` as the error of a row.
void SetError(const Call& call, int64_t row, const Status& status);

}  // namespace leat
