// Formats: the server's *_recv functions (src/backend/utils/adt), and COPY's own ("Binary Format"
// in its reference page). All numbers are in network byte order.
#include "connect/postgres/copy_encoder.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "connect/postgres/copy_values.h"
#include "data/batch.h"
#include "data/date.h"
#include "data/strings.h"
#include "data/text.h"

namespace leat {
namespace {

// Rows that all columns encode before the next ones: their bytes stay in the cache.
constexpr int64_t kBlockRows = 1024;
constexpr int32_t kNullLength = -1;

// One column of the rows: how long its fields are and what they are, a block of rows at a time. A
// field is its length, and its bytes unless it is null.
class Field {
 public:
  explicit Field(const arrow::Array& array) : nulls_(array.null_count() > 0 ? &array : nullptr) {}
  virtual ~Field() = default;
  // Adds each row's length to sizes[i]. Fails at a row that cannot be sent: *failed.
  virtual Status AddSizes(int64_t begin, int64_t rows, uint64_t* sizes, int64_t* failed) = 0;
  // Writes row i at cursors[i], which moves behind it.
  virtual void Write(int64_t begin, int64_t rows, char** cursors) const = 0;

 protected:
  bool IsNull(int64_t row) const { return nulls_ != nullptr && nulls_->IsNull(row); }
  static void PutLength(int32_t length, char** to) { *to = StoreNetwork(length, *to); }

 private:
  const arrow::Array* nulls_;  // absent: no row is null
};

// Values of one size: `Put` writes one.
template <size_t kSize, typename Put>
class FixedField : public Field {
 public:
  FixedField(const arrow::Array& array, Put put) : Field(array), put_(std::move(put)) {}
  Status AddSizes(int64_t begin, int64_t rows, uint64_t* sizes, int64_t*) override {
    for (int64_t i = 0; i < rows; ++i) {
      sizes[i] += sizeof(int32_t) + (IsNull(begin + i) ? 0 : kSize);
    }
    return Status::OK();
  }
  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    for (int64_t i = 0; i < rows; ++i) {
      if (IsNull(begin + i)) {
        PutLength(kNullLength, &cursors[i]);
        continue;
      }
      PutLength(kSize, &cursors[i]);
      put_(begin + i, cursors[i]);
      cursors[i] += kSize;
    }
  }

 private:
  const Put put_;
};

template <size_t kSize, typename Put>
std::unique_ptr<Field> Fixed(const arrow::Array& array, Put put) {
  return std::make_unique<FixedField<kSize, Put>>(array, std::move(put));
}

// Bytes as they are, behind a version byte for jsonb.
class BytesField : public Field {
 public:
  BytesField(const arrow::BinaryArray& array, const CopyColumn& column)
      : Field(array), array_(array), column_(column) {}
  Status AddSizes(int64_t begin, int64_t rows, uint64_t* sizes, int64_t* failed) override {
    for (int64_t i = 0; i < rows; ++i) {
      sizes[i] += sizeof(int32_t);
      if (IsNull(begin + i)) continue;
      const auto value = array_.GetView(begin + i);
      *failed = begin + i;
      if (column_.to != Wire::kBytea) LEAT_RETURN(CheckText(value, column_.length_max));
      sizes[i] += value.size() + prefix();
    }
    return Status::OK();
  }
  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    for (int64_t i = 0; i < rows; ++i) {
      if (IsNull(begin + i)) {
        PutLength(kNullLength, &cursors[i]);
        continue;
      }
      const auto value = array_.GetView(begin + i);
      PutLength(static_cast<int32_t>(value.size() + prefix()), &cursors[i]);
      if (prefix() > 0) *cursors[i]++ = kJsonbVersion;
      std::memcpy(cursors[i], value.data(), value.size());
      cursors[i] += value.size();
    }
  }

 private:
  size_t prefix() const { return column_.to == Wire::kJsonb ? 1 : 0; }

  const arrow::BinaryArray& array_;
  const CopyColumn& column_;
};

// Values whose length shows only when they are made: numerics, arrays.
class MadeField : public Field {
 public:
  MadeField(const arrow::Array& array, const CopyColumn& column, bool infinite_numerics)
      : Field(array), array_(array), column_(column), infinite_numerics_(infinite_numerics) {}
  Status AddSizes(int64_t begin, int64_t rows, uint64_t* sizes, int64_t* failed) override {
    made_.Clear();
    for (int64_t i = 0; i < rows; ++i) {
      if (!IsNull(begin + i)) {
        *failed = begin + i;
        LEAT_RETURN(AppendCopyValue(array_, begin + i, column_, infinite_numerics_, &made_.bytes));
      }
      made_.offsets.push_back(made_.bytes.size());
      sizes[i] += sizeof(int32_t) + made_[i].size();
    }
    return Status::OK();
  }
  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    for (int64_t i = 0; i < rows; ++i) {
      const bool null = IsNull(begin + i);
      PutLength(null ? kNullLength : static_cast<int32_t>(made_[i].size()), &cursors[i]);
      std::memcpy(cursors[i], made_[i].data(), made_[i].size());
      cursors[i] += made_[i].size();
    }
  }

 private:
  const arrow::Array& array_;
  const CopyColumn& column_;
  const bool infinite_numerics_;
  Strings made_;  // the block's values
};

// Integers of any width as `To`.
template <typename To>
std::unique_ptr<Field> IntegerField(const arrow::Array& array) {
  const auto as = [&]<typename From>(const From* values) -> std::unique_ptr<Field> {
    return Fixed<sizeof(To)>(
        array, [values](int64_t row, char* to) { StoreNetwork(static_cast<To>(values[row]), to); });
  };
  switch (array.type_id()) {
    case arrow::Type::INT16:
      return as(static_cast<const arrow::Int16Array&>(array).raw_values());
    case arrow::Type::INT32:
      return as(static_cast<const arrow::Int32Array&>(array).raw_values());
    default:
      return as(static_cast<const arrow::Int64Array&>(array).raw_values());
  }
}

std::unique_ptr<Field> Float8Field(const arrow::Array& array) {
  const auto put = [&](const auto* values) -> std::unique_ptr<Field> {
    return Fixed<8>(array, [values](int64_t row, char* to) {
      StoreNetwork(std::bit_cast<int64_t>(static_cast<double>(values[row])), to);
    });
  };
  if (array.type_id() == arrow::Type::FLOAT) {
    return put(static_cast<const arrow::FloatArray&>(array).raw_values());
  }
  return put(static_cast<const arrow::DoubleArray&>(array).raw_values());
}

std::unique_ptr<Field> TimeField(const arrow::Array& array, Wire wire) {
  if (wire == Wire::kDate) {
    const int32_t* days = static_cast<const arrow::Date32Array&>(array).raw_values();
    return Fixed<4>(array,
                    [days](int64_t row, char* to) { StoreNetwork(DateThere(days[row]), to); });
  }
  if (wire == Wire::kTime) {
    const int64_t* micros = static_cast<const arrow::Time64Array&>(array).raw_values();
    return Fixed<8>(array, [micros](int64_t row, char* to) { StoreNetwork(micros[row], to); });
  }
  if (wire == Wire::kTimestamp) {
    const int64_t* at = static_cast<const arrow::TimestampArray&>(array).raw_values();
    return Fixed<8>(array,
                    [at](int64_t row, char* to) { StoreNetwork(TimestampThere(at[row]), to); });
  }
  const auto& intervals = static_cast<const arrow::MonthDayNanoIntervalArray&>(array);
  return Fixed<kIntervalBytes>(
      array, [&intervals](int64_t row, char* to) { PutInterval(intervals.GetValue(row), to); });
}

std::unique_ptr<Field> MakeField(const arrow::Array& array, const CopyColumn& column,
                                 bool infinite_numerics) {
  if (column.from.id == TypeId::kArray || column.to == Wire::kNumeric) {
    return std::make_unique<MadeField>(array, column, infinite_numerics);
  }
  switch (column.to) {
    case Wire::kBool: {
      const auto& values = static_cast<const arrow::BooleanArray&>(array);
      return Fixed<1>(array, [&values](int64_t row, char* to) { *to = values.Value(row) ? 1 : 0; });
    }
    case Wire::kInt2:
      return IntegerField<int16_t>(array);
    case Wire::kInt4:
      return IntegerField<int32_t>(array);
    case Wire::kInt8:
      return IntegerField<int64_t>(array);
    case Wire::kFloat4: {
      const float* values = static_cast<const arrow::FloatArray&>(array).raw_values();
      return Fixed<4>(array, [values](int64_t row, char* to) {
        StoreNetwork(std::bit_cast<int32_t>(values[row]), to);
      });
    }
    case Wire::kFloat8:
      return Float8Field(array);
    case Wire::kUuid: {
      const auto& values = static_cast<const arrow::FixedSizeBinaryArray&>(array);
      return Fixed<16>(
          array, [&values](int64_t row, char* to) { std::memcpy(to, values.GetValue(row), 16); });
    }
    case Wire::kText:
    case Wire::kJsonb:
    case Wire::kBytea:
      return std::make_unique<BytesField>(static_cast<const arrow::BinaryArray&>(array), column);
    default:
      return TimeField(array, column.to);
  }
}

// (1, NM, …) as PostgreSQL names a row that failed.
std::string RowText(const std::vector<CopyColumn>& columns,
                    const std::vector<std::shared_ptr<arrow::Array>>& arrays, int64_t row) {
  constexpr size_t kLengthMax = 64;
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string value = "null";
    if (!arrays[i]->IsNull(row)) {
      value.clear();
      AppendText(*arrays[i], row, columns[i].from, TextSettings{}, &value);
      std::replace(value.begin(), value.end(), '\0', '?');
      if (value.size() > kLengthMax) value = value.substr(0, kLengthMax) + "...";
    }
    text += (i == 0 ? "" : ", ") + value;
  }
  return fmt::format("Failing row contains ({}).", text);
}

}  // namespace

bool CanSend(const Type& type, Wire wire) {
  switch (wire) {
    case Wire::kBool:
      return type.id == TypeId::kBool;
    case Wire::kInt2:
      return type.id == TypeId::kInt2;
    case Wire::kInt4:
      return type.id == TypeId::kInt2 || type.id == TypeId::kInt4;
    case Wire::kInt8:
      return type.is_integer();
    case Wire::kFloat4:
      return type.id == TypeId::kFloat4;
    case Wire::kFloat8:
      return type.is_float();
    case Wire::kNumeric:
      return type.is_integer() || type.id == TypeId::kNumeric;
    case Wire::kText:
    case Wire::kJsonb:
      return type.is_string() || type.id == TypeId::kUnknown || type.id == TypeId::kJson ||
             type.id == TypeId::kJsonb;
    case Wire::kBytea:
      return type.id == TypeId::kBytea;
    case Wire::kDate:
      return type.id == TypeId::kDate;
    case Wire::kTime:
      return type.id == TypeId::kTime;
    case Wire::kTimestamp:
      return type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz;
    case Wire::kInterval:
      return type.id == TypeId::kInterval;
    case Wire::kUuid:
      return type.id == TypeId::kUuid;
  }
  return false;
}

std::string_view CopyHeader() {
  using std::string_view_literals::operator""sv;
  return "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv;
}

std::string_view CopyTrailer() { return "\377\377"; }

CopyEncoder::CopyEncoder(std::string table, std::vector<CopyColumn> columns, bool infinite_numerics)
    : table_(std::move(table)),
      columns_(std::move(columns)),
      infinite_numerics_(infinite_numerics) {}

CopyEncoder::~CopyEncoder() = default;

Status CopyEncoder::Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t rows,
                           std::string* out) const {
  LEAT_CHECK(columns.size() == columns_.size());
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::vector<std::unique_ptr<Field>> fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    arrays.push_back(Plain(columns[i]));
    fields.push_back(MakeField(*arrays[i], columns_[i], infinite_numerics_));
  }
  std::array<uint64_t, kBlockRows> sizes{};
  std::array<char*, kBlockRows> cursors{};
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const int64_t count = std::min(kBlockRows, rows - begin);
    std::fill_n(sizes.begin(), count, sizeof(int16_t));
    for (size_t i = 0; i < fields.size(); ++i) {
      int64_t failed = begin;
      const Status status = fields[i]->AddSizes(begin, count, sizes.data(), &failed);
      if (status.ok()) continue;
      SqlError error = SqlErrorOf(status) == nullptr ? SqlError{} : *SqlErrorOf(status);
      error.detail = RowText(columns_, arrays, failed);
      return SqlStatus(fmt::format("column \"{}\" of table \"{}\": {}", columns_[i].name, table_,
                                   status.message()),
                       std::move(error));
    }
    size_t at = out->size();
    for (int64_t i = 0; i < count; ++i) at += sizes[static_cast<size_t>(i)];
    size_t from = std::exchange(at, out->size());
    out->resize(from);
    for (int64_t i = 0; i < count; ++i) {
      cursors[static_cast<size_t>(i)] =
          StoreNetwork(static_cast<int16_t>(fields.size()), out->data() + at);
      at += sizes[static_cast<size_t>(i)];
    }
    for (const auto& field : fields) field->Write(begin, count, cursors.data());
  }
  return Status::OK();
}

}  // namespace leat
