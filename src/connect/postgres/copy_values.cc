#include "connect/postgres/copy_values.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "data/numeric.h"

namespace leat {
namespace {

// numeric_recv: four digits to a group, the first one's weight in groups, a sign, the scale shown.
constexpr uint16_t kPositive = 0x0000, kNegative = 0x4000, kNaN = 0xC000, kInfinity = 0xD000,
                   kNegativeInfinity = 0xF000;
constexpr int64_t kGroupDigits = 4;
// More dimensions no array of PostgreSQL has.
constexpr size_t kDimensionsMax = 6;

void AppendNumericHead(int64_t groups, int64_t weight, uint16_t sign, int32_t scale,
                       std::string* out) {
  AppendNetwork(static_cast<int16_t>(groups), out);
  AppendNetwork(static_cast<int16_t>(weight), out);
  AppendNetwork(sign, out);
  AppendNetwork(static_cast<uint16_t>(std::max(scale, 0)), out);
}

Status AppendNumeric(const Numeric& value, bool infinite_numerics, std::string* out) {
  switch (value.kind()) {
    case Numeric::Kind::kFinite:
      break;
    case Numeric::Kind::kNaN:
      AppendNumericHead(0, 0, kNaN, 0, out);
      return Status::OK();
    default:
      if (!infinite_numerics) {
        return SqlStatus("the server's numeric has no infinity before PostgreSQL 14",
                         {.sqlstate = kOutOfRange});
      }
      AppendNumericHead(0, 0, value.sign() < 0 ? kNegativeInfinity : kInfinity, 0, out);
      return Status::OK();
  }
  if (value.is_zero()) {
    AppendNumericHead(0, 0, kPositive, value.scale(), out);
    return Status::OK();
  }
  // 0.DIGITS * 10^power: the point lies `power` digits behind the first, and groups end there.
  std::string digits;
  const int64_t power = value.Digits(&digits);
  const int64_t whole_groups = FloorDivide(power + kGroupDigits - 1, kGroupDigits);
  digits.insert(0, static_cast<size_t>(whole_groups * kGroupDigits - power), '0');
  digits.append((kGroupDigits - digits.size() % kGroupDigits) % kGroupDigits, '0');
  const auto groups = static_cast<int64_t>(digits.size()) / kGroupDigits;
  AppendNumericHead(groups, whole_groups - 1, value.sign() < 0 ? kNegative : kPositive,
                    value.scale(), out);
  for (size_t at = 0; at < digits.size(); at += kGroupDigits) {
    int group = 0;
    for (size_t i = 0; i < kGroupDigits; ++i) group = group * 10 + (digits[at + i] - '0');
    AppendNetwork(static_cast<int16_t>(group), out);
  }
  return Status::OK();
}

Numeric NumericOf(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT16:
      return Numeric(static_cast<const arrow::Int16Array&>(array).Value(row));
    case arrow::Type::INT32:
      return Numeric(static_cast<const arrow::Int32Array&>(array).Value(row));
    case arrow::Type::INT64:
      return Numeric(static_cast<const arrow::Int64Array&>(array).Value(row));
    default:
      return NumericAt(array, row);
  }
}

// Integers of any width.
int64_t IntegerAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Array&>(array).Value(row);
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(array).Value(row);
    default:
      return static_cast<const arrow::Int64Array&>(array).Value(row);
  }
}

double FloatAt(const arrow::Array& array, int64_t row) {
  return array.type_id() == arrow::Type::FLOAT
             ? static_cast<const arrow::FloatArray&>(array).Value(row)
             : static_cast<const arrow::DoubleArray&>(array).Value(row);
}

Status AppendScalar(const arrow::Array& array, int64_t row, const CopyColumn& column,
                    bool infinite_numerics, std::string* out) {
  switch (column.to) {
    case Wire::kBool:
      out->push_back(static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0);
      break;
    case Wire::kInt2:
      AppendNetwork(static_cast<int16_t>(IntegerAt(array, row)), out);
      break;
    case Wire::kInt4:
      AppendNetwork(static_cast<int32_t>(IntegerAt(array, row)), out);
      break;
    case Wire::kInt8:
      AppendNetwork(IntegerAt(array, row), out);
      break;
    case Wire::kFloat4:
      AppendNetwork(std::bit_cast<int32_t>(static_cast<float>(FloatAt(array, row))), out);
      break;
    case Wire::kFloat8:
      AppendNetwork(std::bit_cast<int64_t>(FloatAt(array, row)), out);
      break;
    case Wire::kNumeric:
      return AppendNumeric(NumericOf(array, row), infinite_numerics, out);
    case Wire::kJsonb:
      out->push_back(kJsonbVersion);
      [[fallthrough]];
    case Wire::kText:
      LEAT_RETURN(
          CheckText(static_cast<const arrow::BinaryArray&>(array).GetView(row), column.length_max));
      [[fallthrough]];
    case Wire::kBytea:
      out->append(static_cast<const arrow::BinaryArray&>(array).GetView(row));
      break;
    case Wire::kDate:
      AppendNetwork(DateThere(static_cast<const arrow::Date32Array&>(array).Value(row)), out);
      break;
    case Wire::kTime:
      AppendNetwork(static_cast<const arrow::Time64Array&>(array).Value(row), out);
      break;
    case Wire::kTimestamp:
      AppendNetwork(TimestampThere(static_cast<const arrow::TimestampArray&>(array).Value(row)),
                    out);
      break;
    case Wire::kInterval: {
      char bytes[kIntervalBytes];
      PutInterval(static_cast<const arrow::MonthDayNanoIntervalArray&>(array).GetValue(row), bytes);
      out->append(bytes, sizeof(bytes));
      break;
    }
    case Wire::kUuid:
      out->append(static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(row));
      break;
  }
  return Status::OK();
}

Status NoBox() {
  return SqlStatus("multidimensional arrays must have sub-arrays with matching dimensions",
                   {.sqlstate = "2202E"});
}

// Elements of a list of lists, which must all be of one size at each depth.
class ArrayValue {
 public:
  ArrayValue(const CopyColumn& column, bool infinite_numerics)
      : column_(column), infinite_numerics_(infinite_numerics) {}

  Status Append(const arrow::Array& array, int64_t row, std::string* out) {
    LEAT_RETURN(Visit(array, row, 0));
    const bool empty = std::find(sizes_.begin(), sizes_.end(), 0) != sizes_.end();
    if (empty && sizes_.size() > 1) return NoBox();
    AppendNetwork(static_cast<int32_t>(empty ? 0 : sizes_.size()), out);
    AppendNetwork(static_cast<int32_t>(has_null_ ? 1 : 0), out);
    AppendNetwork(column_.element_oid, out);
    for (const int64_t size : sizes_) {
      if (empty) break;
      AppendNetwork(static_cast<int32_t>(size), out);
      AppendNetwork(int32_t{1}, out);  // the first element's number
    }
    out->append(elements_);
    return Status::OK();
  }

 private:
  Status Visit(const arrow::Array& array, int64_t row, size_t depth) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    const int64_t size = list.value_length(row);
    if (depth == sizes_.size()) {
      if (depth == kDimensionsMax || scalars_) return NoBox();
      sizes_.push_back(size);
    }
    if (sizes_[depth] != size) return NoBox();
    const arrow::Array& values = *list.values();
    for (int64_t at = list.value_offset(row); at < list.value_offset(row) + size; ++at) {
      if (values.type_id() == arrow::Type::LIST) {
        if (values.IsNull(at)) return NoBox();
        LEAT_RETURN(Visit(values, at, depth + 1));
      } else {
        scalars_ = true;
        LEAT_RETURN(Element(values, at));
      }
    }
    return Status::OK();
  }

  Status Element(const arrow::Array& values, int64_t at) {
    if (values.IsNull(at)) {
      has_null_ = true;
      AppendNetwork(int32_t{-1}, &elements_);
      return Status::OK();
    }
    std::string value;
    LEAT_RETURN(AppendScalar(values, at, column_, infinite_numerics_, &value));
    AppendNetwork(static_cast<int32_t>(value.size()), &elements_);
    elements_ += value;
    return Status::OK();
  }

  const CopyColumn& column_;
  const bool infinite_numerics_;
  std::vector<int64_t> sizes_;  // of each dimension
  bool has_null_ = false;
  bool scalars_ = false;  // the deepest dimension was seen
  std::string elements_;
};

}  // namespace

void PutInterval(const Interval& interval, char* to) {
  to = StoreNetwork(interval.nanoseconds / 1000, to);
  to = StoreNetwork(interval.days, to);
  StoreNetwork(interval.months, to);
}

Status CheckText(std::string_view value, int32_t length_max) {
  if (value.find('\0') != value.npos) {
    return SqlStatus("a text in PostgreSQL cannot hold a NUL byte",
                     {.sqlstate = "22021", .hint = "Take it out in the query, or write a bytea."});
  }
  if (length_max < 0 || static_cast<int64_t>(value.size()) <= length_max) return Status::OK();
  const auto points =
      std::count_if(value.begin(), value.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
  if (points <= length_max) return Status::OK();
  return SqlStatus(
      fmt::format("a value of {} characters is too long: there are at most {}", points, length_max),
      {.sqlstate = "22001"});
}

Status AppendCopyValue(const arrow::Array& array, int64_t row, const CopyColumn& column,
                       bool infinite_numerics, std::string* out) {
  if (array.type_id() == arrow::Type::LIST) {
    return ArrayValue(column, infinite_numerics).Append(array, row, out);
  }
  return AppendScalar(array, row, column, infinite_numerics, out);
}

}  // namespace leat
