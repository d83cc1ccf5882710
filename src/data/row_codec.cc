// A row is a bit per column (set: null), then each value that is not null: integers as zigzag
// varints, text and bytes with their length in front, lists with their count, all else as it lies
// in memory. Nothing is normalised: the bytes are the value.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <array>
#include <cstring>

#include "base/check.h"
#include "data/key.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

constexpr int64_t kBlockRows = 1024;

// --- Varints -----------------------------------------------------------------------------------

size_t VarintSize(uint64_t value) {
  return (static_cast<size_t>(63 - __builtin_clzll(value | 1)) + 7) / 7;
}

char* StoreVarint(uint64_t value, char* to) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// What is left of a row.
struct Cursor {
  const char* at;
  const char* end;
  size_t left() const { return static_cast<size_t>(end - at); }
};

bool LoadVarint(Cursor* from, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && from->at != from->end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*from->at++);
    *value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// --- Encoding ----------------------------------------------------------------------------------

// One column: how long the values are and what they are, a block of rows at a time.
class RowPart {
 public:
  explicit RowPart(const arrow::Array& array) : nulls_(array.null_count() > 0 ? &array : nullptr) {}
  virtual ~RowPart() = default;
  bool IsNull(int64_t row) const { return nulls_ != nullptr && nulls_->IsNull(row); }
  virtual void AddSizes(int64_t begin, int64_t rows, uint64_t* sizes) const = 0;
  virtual void Write(int64_t begin, int64_t rows, char** cursors) const = 0;

 private:
  const arrow::Array* nulls_;
};

// `Value` knows the size of a row's value and stores it; both inline into the loops.
template <typename Value>
class RowPartOf : public RowPart {
 public:
  RowPartOf(const arrow::Array& array, Value value) : RowPart(array), value_(std::move(value)) {}

  void AddSizes(int64_t begin, int64_t rows, uint64_t* sizes) const override {
    for (int64_t i = 0; i < rows; ++i) {
      if (!IsNull(begin + i)) sizes[i] += value_.Size(begin + i);
    }
  }

  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    for (int64_t i = 0; i < rows; ++i) {
      if (!IsNull(begin + i)) cursors[i] = value_.Store(begin + i, cursors[i]);
    }
  }

 private:
  const Value value_;
};

template <typename T>
struct RawValue {
  const T* values;
  size_t Size(int64_t) const { return sizeof(T); }
  char* Store(int64_t row, char* to) const {
    std::memcpy(to, values + row, sizeof(T));
    return to + sizeof(T);
  }
};

template <typename T>
struct IntegerValue {
  const T* values;
  size_t Size(int64_t row) const { return VarintSize(ZigZag(values[row])); }
  char* Store(int64_t row, char* to) const { return StoreVarint(ZigZag(values[row]), to); }
};

struct BoolValue {
  const arrow::BooleanArray* values;
  size_t Size(int64_t) const { return 1; }
  char* Store(int64_t row, char* to) const {
    *to = values->Value(row) ? 1 : 0;
    return to + 1;
  }
};

char* StoreBytes(std::string_view bytes, char* to) {
  to = StoreVarint(bytes.size(), to);
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

struct BytesValue {
  const arrow::BinaryArray* values;
  const int32_t* indices;  // of a dictionary, or null
  std::string_view View(int64_t row) const {
    return values->GetView(indices == nullptr ? row : indices[row]);
  }
  size_t Size(int64_t row) const {
    const size_t size = View(row).size();
    return VarintSize(size) + size;
  }
  char* Store(int64_t row, char* to) const { return StoreBytes(View(row), to); }
};

struct FixedBytesValue {
  const arrow::FixedSizeBinaryArray* values;
  size_t Size(int64_t) const { return static_cast<size_t>(values->byte_width()); }
  char* Store(int64_t row, char* to) const {
    std::memcpy(to, values->GetValue(row), Size(row));
    return to + Size(row);
  }
};

// The least significant bytes that carry the value, sign included, with their count in front.
struct DecimalValue {
  const arrow::Decimal128Array* values;
  static size_t Bytes(const uint8_t* value) {
    size_t bytes = 16;
    const uint8_t fill = (value[15] & 0x80) != 0 ? 0xFF : 0;
    while (bytes > 1 && value[bytes - 1] == fill && (value[bytes - 2] & 0x80) == (fill & 0x80)) {
      --bytes;
    }
    return bytes;
  }
  size_t Size(int64_t row) const { return 1 + Bytes(values->GetValue(row)); }
  char* Store(int64_t row, char* to) const {
    const uint8_t* value = values->GetValue(row);
    const size_t bytes = Bytes(value);
    *to++ = static_cast<char>(bytes);
    std::memcpy(to, value, bytes);
    return to + bytes;
  }
};

// A list's elements are rows of one column, with the length of all of them in front.
struct ListValue {
  const arrow::ListArray* lists;
  Strings elements;
  int64_t first;  // the element that `elements` begins with
  uint64_t Begin(int64_t row) const { return elements.offsets[At(lists->value_offset(row))]; }
  uint64_t End(int64_t row) const { return elements.offsets[At(lists->value_offset(row + 1))]; }
  size_t At(int64_t element) const { return static_cast<size_t>(element - first); }
  size_t Size(int64_t row) const {
    return VarintSize(static_cast<uint64_t>(lists->value_length(row))) + (End(row) - Begin(row));
  }
  char* Store(int64_t row, char* to) const {
    to = StoreVarint(static_cast<uint64_t>(lists->value_length(row)), to);
    const size_t size = End(row) - Begin(row);
    std::memcpy(to, elements.bytes.data() + Begin(row), size);
    return to + size;
  }
};

template <typename Value>
std::unique_ptr<RowPart> Make(const arrow::Array& array, Value value) {
  return std::make_unique<RowPartOf<Value>>(array, std::move(value));
}

template <typename T>
const T* ValuesOf(const arrow::Array& array) {
  return array.data()->GetValues<T>(1);
}

Result<std::unique_ptr<RowPart>> MakePart(const arrow::Array& array, const Type& type) {
  if (array.type_id() != arrow::Type::DICTIONARY && array.type_id() != ArrowType(type)->id()) {
    return Status::TypeError("a column of type ", TypeName(type), " came as ",
                             array.type()->ToString());
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return Make(array, BoolValue{&static_cast<const arrow::BooleanArray&>(array)});
    case arrow::Type::INT16:
      return Make(array, RawValue<int16_t>{ValuesOf<int16_t>(array)});
    case arrow::Type::INT32:
      return Make(array, IntegerValue<int32_t>{ValuesOf<int32_t>(array)});
    case arrow::Type::INT64:
      return Make(array, IntegerValue<int64_t>{ValuesOf<int64_t>(array)});
    case arrow::Type::DATE32:
    case arrow::Type::FLOAT:
      return Make(array, RawValue<uint32_t>{ValuesOf<uint32_t>(array)});
    case arrow::Type::DOUBLE:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return Make(array, RawValue<uint64_t>{ValuesOf<uint64_t>(array)});
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return Make(array, RawValue<MonthDayNanos>{ValuesOf<MonthDayNanos>(array)});
    case arrow::Type::FIXED_SIZE_BINARY:
      return Make(array, FixedBytesValue{&static_cast<const arrow::FixedSizeBinaryArray&>(array)});
    case arrow::Type::DECIMAL128:
      return Make(array, DecimalValue{&static_cast<const arrow::Decimal128Array&>(array)});
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Make(array, BytesValue{&static_cast<const arrow::BinaryArray&>(array), nullptr});
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return Make(array, BytesValue{&static_cast<const arrow::BinaryArray&>(*coded.dictionary()),
                                    ValuesOf<int32_t>(*coded.indices())});
    }
    case arrow::Type::LIST: {
      const auto& lists = static_cast<const arrow::ListArray&>(array);
      const int64_t first = lists.value_offset(0);
      const int64_t elements = lists.value_offset(lists.length()) - first;
      Strings encoded;
      LEAT_RETURN(EncodeRows({lists.values()->Slice(first, elements)}, {*type.element}, elements,
                             &encoded));
      return Make(array, ListValue{&lists, std::move(encoded), first});
    }
    default:
      return Status::TypeError("no row encoding of Arrow type ", array.type()->ToString());
  }
}

void WriteNullBits(const std::vector<std::unique_ptr<RowPart>>& parts, int64_t begin, int64_t rows,
                   char** cursors) {
  const size_t bytes = (parts.size() + 7) / 8;
  for (int64_t i = 0; i < rows; ++i) std::memset(cursors[i], 0, bytes);
  for (size_t k = 0; k < parts.size(); ++k) {
    for (int64_t i = 0; i < rows; ++i) {
      if (parts[k]->IsNull(begin + i)) cursors[i][k / 8] |= static_cast<char>(1 << (k % 8));
    }
  }
  for (int64_t i = 0; i < rows; ++i) cursors[i] += bytes;
}

// --- Decoding ----------------------------------------------------------------------------------

// Collects one column's values. Decoding is by virtual call per column, by inlined code per value.
class ColumnDecoder {
 public:
  virtual ~ColumnDecoder() = default;
  virtual Status Reserve(int64_t rows, int64_t bytes) = 0;
  // Reads a value at the cursor; false where the bytes are none.
  virtual bool Read(Cursor* from) = 0;
  virtual void Null() = 0;
  // Reads column `k` of rows: behind the null bits of row i is cursors[i].
  virtual bool ReadRows(size_t k, const Strings& rows, Cursor* cursors) = 0;
  virtual Result<ArrayPtr> Finish() = 0;
};

bool LoadRaw(Cursor* from, void* value, size_t size) {
  if (from->left() < size) return false;
  std::memcpy(value, from->at, size);
  from->at += size;
  return true;
}

bool LoadBytes(Cursor* from, std::string_view* value) {
  uint64_t size;
  if (!LoadVarint(from, &size) || size > from->left()) return false;
  *value = {from->at, size};
  from->at += size;
  return true;
}

// `Derived` has a non-virtual ReadOne and a `builder`.
template <typename Derived>
class ColumnDecoderOf : public ColumnDecoder {
 public:
  bool Read(Cursor* from) override { return self().ReadOne(from); }
  void Null() override { status_ &= self().builder_->AppendNull(); }
  Status Reserve(int64_t rows, int64_t) override { return self().builder_->Reserve(rows); }

  bool ReadRows(size_t k, const Strings& rows, Cursor* cursors) override {
    for (int64_t i = 0; i < rows.size(); ++i) {
      const bool null = (rows[i][k / 8] >> (k % 8) & 1) != 0;
      if (null) {
        Null();
      } else if (!self().ReadOne(&cursors[i])) {
        return false;
      }
    }
    return true;
  }

  Result<ArrayPtr> Finish() override {
    LEAT_RETURN(status_);
    return self().builder_->Finish();
  }

 protected:
  Status status_;

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
};

template <typename Builder, typename T, bool kVarint>
class ValueDecoder : public ColumnDecoderOf<ValueDecoder<Builder, T, kVarint>> {
 public:
  explicit ValueDecoder(const std::shared_ptr<arrow::DataType>& type)
      : builder_(std::make_unique<Builder>(type, arrow::default_memory_pool())) {}

  bool ReadOne(Cursor* from) {
    T value;
    if constexpr (kVarint) {
      uint64_t bits;
      if (!LoadVarint(from, &bits)) return false;
      value = static_cast<T>(UnZigZag(bits));
    } else {
      if (!LoadRaw(from, &value, sizeof(value))) return false;
    }
    this->status_ &= builder_->Append(value);
    return true;
  }

  std::unique_ptr<Builder> builder_;
};

class BoolDecoder : public ColumnDecoderOf<BoolDecoder> {
 public:
  bool ReadOne(Cursor* from) {
    char value;
    if (!LoadRaw(from, &value, 1)) return false;
    status_ &= builder_->Append(value != 0);
    return true;
  }
  std::unique_ptr<arrow::BooleanBuilder> builder_ = std::make_unique<arrow::BooleanBuilder>();
};

template <typename Builder>
class BytesDecoder : public ColumnDecoderOf<BytesDecoder<Builder>> {
 public:
  Status Reserve(int64_t rows, int64_t) override { return builder_->Reserve(rows); }
  bool ReadOne(Cursor* from) {
    std::string_view value;
    if (!LoadBytes(from, &value)) return false;
    this->status_ &= builder_->Append(value.data(), static_cast<int32_t>(value.size()));
    return true;
  }
  std::unique_ptr<Builder> builder_ = std::make_unique<Builder>();
};

class FixedBytesDecoder : public ColumnDecoderOf<FixedBytesDecoder> {
 public:
  explicit FixedBytesDecoder(const std::shared_ptr<arrow::DataType>& type)
      : builder_(std::make_unique<arrow::FixedSizeBinaryBuilder>(type)) {}
  bool ReadOne(Cursor* from) {
    const auto size = static_cast<size_t>(builder_->byte_width());
    if (from->left() < size) return false;
    status_ &= builder_->Append(from->at);
    from->at += size;
    return true;
  }
  std::unique_ptr<arrow::FixedSizeBinaryBuilder> builder_;
};

class DecimalDecoder : public ColumnDecoderOf<DecimalDecoder> {
 public:
  explicit DecimalDecoder(const std::shared_ptr<arrow::DataType>& type)
      : builder_(std::make_unique<arrow::Decimal128Builder>(type)) {}
  bool ReadOne(Cursor* from) {
    uint8_t bytes = 0;
    if (!LoadRaw(from, &bytes, 1) || bytes < 1 || bytes > 16 || from->left() < bytes) return false;
    std::array<uint8_t, 16> value;
    value.fill((from->at[bytes - 1] & 0x80) != 0 ? 0xFF : 0);
    std::memcpy(value.data(), from->at, bytes);
    from->at += bytes;
    status_ &= builder_->Append(arrow::Decimal128(value.data()));
    return true;
  }
  std::unique_ptr<arrow::Decimal128Builder> builder_;
};

std::unique_ptr<ColumnDecoder> MakeDecoder(const Type& type);

class ListDecoder : public ColumnDecoder {
 public:
  explicit ListDecoder(const Type& type)
      : type_(ArrowType(type)), element_(MakeDecoder(*type.element)) {}

  Status Reserve(int64_t rows, int64_t) override {
    offsets_.reserve(static_cast<size_t>(rows) + 1);
    return Status::OK();
  }

  bool Read(Cursor* from) override {
    uint64_t count;
    if (!LoadVarint(from, &count) || count > from->left()) return false;
    for (uint64_t i = 0; i < count; ++i) {
      if (from->at == from->end) return false;
      if (*from->at++ != 0) {
        element_->Null();
      } else if (!element_->Read(from)) {
        return false;
      }
    }
    Close(offsets_.back() + static_cast<int32_t>(count), true);
    return true;
  }

  void Null() override { Close(offsets_.back(), false); }

  bool ReadRows(size_t k, const Strings& rows, Cursor* cursors) override {
    for (int64_t i = 0; i < rows.size(); ++i) {
      if ((rows[i][k / 8] >> (k % 8) & 1) != 0) {
        Null();
      } else if (!Read(&cursors[i])) {
        return false;
      }
    }
    return true;
  }

  Result<ArrayPtr> Finish() override {
    LEAT_RETURN(status_);
    LEAT_ASSIGN(ArrayPtr values, element_->Finish());
    LEAT_ASSIGN(auto valid, valid_.Finish());
    const auto length = static_cast<int64_t>(offsets_.size()) - 1;
    auto offsets = arrow::Buffer::FromVector(std::move(offsets_));
    offsets_ = {0};
    return std::make_shared<arrow::ListArray>(type_, length, std::move(offsets), std::move(values),
                                              std::move(valid));
  }

 private:
  void Close(int32_t end, bool valid) {
    offsets_.push_back(end);
    status_ &= valid_.Append(valid);
  }

  std::shared_ptr<arrow::DataType> type_;
  std::unique_ptr<ColumnDecoder> element_;
  std::vector<int32_t> offsets_ = {0};
  arrow::TypedBufferBuilder<bool> valid_;
  Status status_;
};

std::unique_ptr<ColumnDecoder> MakeDecoder(const Type& type) {
  const auto arrow_type = ArrowType(type);
  switch (arrow_type->id()) {
    case arrow::Type::BOOL:
      return std::make_unique<BoolDecoder>();
    case arrow::Type::INT16:
      return std::make_unique<ValueDecoder<arrow::Int16Builder, int16_t, false>>(arrow_type);
    case arrow::Type::INT32:
      return std::make_unique<ValueDecoder<arrow::Int32Builder, int32_t, true>>(arrow_type);
    case arrow::Type::INT64:
      return std::make_unique<ValueDecoder<arrow::Int64Builder, int64_t, true>>(arrow_type);
    case arrow::Type::DATE32:
      return std::make_unique<ValueDecoder<arrow::Date32Builder, int32_t, false>>(arrow_type);
    case arrow::Type::FLOAT:
      return std::make_unique<ValueDecoder<arrow::FloatBuilder, float, false>>(arrow_type);
    case arrow::Type::DOUBLE:
      return std::make_unique<ValueDecoder<arrow::DoubleBuilder, double, false>>(arrow_type);
    case arrow::Type::TIME64:
      return std::make_unique<ValueDecoder<arrow::Time64Builder, int64_t, false>>(arrow_type);
    case arrow::Type::TIMESTAMP:
      return std::make_unique<ValueDecoder<arrow::TimestampBuilder, int64_t, false>>(arrow_type);
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return std::make_unique<
          ValueDecoder<arrow::MonthDayNanoIntervalBuilder, MonthDayNanos, false>>(arrow_type);
    case arrow::Type::FIXED_SIZE_BINARY:
      return std::make_unique<FixedBytesDecoder>(arrow_type);
    case arrow::Type::DECIMAL128:
      return std::make_unique<DecimalDecoder>(arrow_type);
    case arrow::Type::BINARY:
      return std::make_unique<BytesDecoder<arrow::BinaryBuilder>>();
    case arrow::Type::LIST:
      return std::make_unique<ListDecoder>(type);
    default:
      return std::make_unique<BytesDecoder<arrow::StringBuilder>>();
  }
}

}  // namespace

Status EncodeRows(const std::vector<ArrayPtr>& columns, const std::vector<Type>& types,
                  int64_t rows, Strings* out) {
  LEAT_CHECK(columns.size() == types.size());
  if (rows == 0) return Status::OK();
  std::vector<std::unique_ptr<RowPart>> parts;
  std::vector<ArrayPtr> arrays = columns;
  for (size_t i = 0; i < arrays.size(); ++i) {
    LEAT_CHECK(arrays[i]->length() == rows);
    if (arrays[i]->type_id() == arrow::Type::DICTIONARY &&
        static_cast<const arrow::DictionaryArray&>(*arrays[i]).dictionary()->null_count() > 0) {
      arrays[i] = Plain(arrays[i]);
    }
    LEAT_ASSIGN(auto part, MakePart(*arrays[i], types[i]));
    parts.push_back(std::move(part));
  }
  out->offsets.reserve(out->offsets.size() + static_cast<size_t>(rows));
  std::vector<uint64_t> sizes(kBlockRows);
  std::vector<char*> cursors(kBlockRows);
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const int64_t block = std::min(kBlockRows, rows - begin);
    std::fill(sizes.begin(), sizes.end(), (parts.size() + 7) / 8);
    for (const auto& part : parts) part->AddSizes(begin, block, sizes.data());
    uint64_t end = out->bytes.size();
    const uint64_t start = end;
    for (int64_t i = 0; i < block; ++i) {
      out->offsets.push_back(end += sizes[static_cast<size_t>(i)]);
    }
    out->bytes.resize(end);
    char* to = out->bytes.data() + start;
    for (size_t i = 0; i < static_cast<size_t>(block); to += sizes[i], ++i) cursors[i] = to;
    WriteNullBits(parts, begin, block, cursors.data());
    for (const auto& part : parts) part->Write(begin, block, cursors.data());
  }
  return Status::OK();
}

// Rows are kept as they came and decoded a column at a time in the end.
struct RowDecoder::State {
  std::vector<Type> types;
  Strings rows;
  std::string null_row;
};

RowDecoder::RowDecoder(std::vector<Type> types) : state_(std::make_unique<State>()) {
  state_->null_row.assign((types.size() + 7) / 8, '\xFF');
  state_->types = std::move(types);
}

RowDecoder::~RowDecoder() = default;

Status RowDecoder::Append(std::string_view row) {
  if (row.size() < state_->null_row.size()) return Status::IOError("encoded row is cut short");
  state_->rows.Append(row);
  return Status::OK();
}

void RowDecoder::AppendNull() { state_->rows.Append(state_->null_row); }

int64_t RowDecoder::rows() const { return state_->rows.size(); }

Result<std::vector<ArrayPtr>> RowDecoder::Finish() {
  const Strings rows = std::exchange(state_->rows, {});
  std::vector<Cursor> cursors;
  cursors.reserve(static_cast<size_t>(rows.size()));
  for (int64_t i = 0; i < rows.size(); ++i) {
    const std::string_view row = rows[i];
    cursors.push_back({row.data() + state_->null_row.size(), row.data() + row.size()});
  }
  std::vector<ArrayPtr> columns;
  for (size_t k = 0; k < state_->types.size(); ++k) {
    const auto decoder = MakeDecoder(state_->types[k]);
    LEAT_RETURN(decoder->Reserve(rows.size(), static_cast<int64_t>(rows.bytes.size())));
    if (!decoder->ReadRows(k, rows, cursors.data())) {
      return Status::IOError("encoded row is damaged in column ", k + 1);
    }
    LEAT_ASSIGN(ArrayPtr column, decoder->Finish());
    columns.push_back(std::move(column));
  }
  for (const Cursor& cursor : cursors) {
    if (cursor.left() != 0) {
      return Status::IOError("encoded row has more than its columns");
    }
  }
  return columns;
}

}  // namespace leat
