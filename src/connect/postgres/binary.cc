#include "connect/postgres/binary.h"

#include <arrow/builder.h>
#include <arrow/util/utf8.h>

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "data/date.h"
#include "data/numeric.h"
#include "data/text.h"

namespace leat {
namespace {

// PostgreSQL counts from 2000-01-01.
constexpr int64_t kEpochDays = 10957;
constexpr Micros kEpochMicros = kEpochDays * kMicrosPerDay;
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

template <typename Unsigned>
bool Take(std::string_view* bytes, Unsigned* value) {
  if (bytes->size() < sizeof(Unsigned)) return false;
  Unsigned raw = 0;
  std::memcpy(&raw, bytes->data(), sizeof(raw));
  if constexpr (sizeof(Unsigned) == 2) {
    *value = __builtin_bswap16(raw);
  } else if constexpr (sizeof(Unsigned) == 4) {
    *value = __builtin_bswap32(raw);
  } else {
    *value = __builtin_bswap64(raw);
  }
  bytes->remove_prefix(sizeof(raw));
  return true;
}

// All of the value's bytes are one number.
template <typename Unsigned>
bool Whole(std::string_view bytes, Unsigned* value) {
  return bytes.size() == sizeof(Unsigned) && Take(&bytes, value);
}

// --- Columns -------------------------------------------------------------------------------------

// A column of an Arrow builder; `Codec::Read(bytes, &value, &reason)` is false for bytes that are
// no value, and leaves a reason for a value that the column cannot hold.
template <typename Builder, typename Codec>
class PlainColumn : public BinaryColumn {
 public:
  explicit PlainColumn(const Type& type)
      : builder_(ArrowType(type), arrow::default_memory_pool()) {}
  bool Append(std::string_view bytes) override {
    typename Codec::Value value{};
    std::string_view reason;
    if (!Codec::Read(bytes, &value, &reason)) return false;
    if (reason.empty()) {
      Note(builder_.Append(value));
      return true;
    }
    rejects_.push_back({.row = builder_.length(), .reason = std::string(reason)});
    AppendNull();
    return true;
  }
  void AppendNull() override { Note(builder_.AppendNull()); }
  int64_t rows() const override { return builder_.length(); }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    LEAT_RETURN(status_);
    return builder_.Finish();
  }

 private:
  void Note(const Status& status) {
    if (!status.ok()) status_ = status;
  }
  Builder builder_;
  Status status_;
};

template <typename ValueType, typename Unsigned>
struct NumberCodec {
  using Value = ValueType;
  static bool Read(std::string_view bytes, Value* value, std::string_view*) {
    Unsigned raw = 0;
    if (!Whole(bytes, &raw)) return false;
    *value = std::bit_cast<Value>(raw);
    return true;
  }
};

struct BoolCodec {
  using Value = bool;
  static bool Read(std::string_view bytes, Value* value, std::string_view*) {
    if (bytes.size() != 1) return false;
    *value = bytes[0] != 0;
    return true;
  }
};

struct DateCodec {
  using Value = int32_t;
  static bool Read(std::string_view bytes, Value* value, std::string_view* reason) {
    uint32_t raw = 0;
    if (!Whole(bytes, &raw)) return false;
    const auto days = std::bit_cast<int32_t>(raw);
    *value = days;
    if (IsInfiniteDate(days)) return true;
    const int64_t since = days + kEpochDays;
    if (!IsValidDate(since)) *reason = "date out of range";
    *value = static_cast<int32_t>(since);
    return true;
  }
};

struct TimestampCodec {
  using Value = int64_t;
  static bool Read(std::string_view bytes, Value* value, std::string_view* reason) {
    uint64_t raw = 0;
    if (!Whole(bytes, &raw)) return false;
    *value = std::bit_cast<int64_t>(raw);
    if (IsInfiniteTimestamp(*value)) return true;
    if (*value >= kTimestampEnd - kEpochMicros) {
      *reason = "timestamp out of range: years beyond 294246 are not held";
      return true;
    }
    *value += kEpochMicros;
    return true;
  }
};

struct IntervalCodec {
  using Value = arrow::MonthDayNanoIntervalType::MonthDayNanos;
  static bool Read(std::string_view bytes, Value* value, std::string_view* reason) {
    uint64_t micros = 0;
    uint32_t days = 0, months = 0;
    if (bytes.size() != 16 || !Take(&bytes, &micros) || !Take(&bytes, &days)) return false;
    if (!Take(&bytes, &months)) return false;
    const auto time = std::bit_cast<int64_t>(micros);
    constexpr int64_t kMost = INT64_MAX / 1000;
    if (time > kMost || time < -kMost) *reason = "interval out of range: beyond 292 years of time";
    *value = {std::bit_cast<int32_t>(months), std::bit_cast<int32_t>(days),
              reason->empty() ? time * 1000 : 0};
    return true;
  }
};

struct UuidCodec {
  using Value = const uint8_t*;
  static bool Read(std::string_view bytes, Value* value, std::string_view*) {
    *value = reinterpret_cast<const uint8_t*>(bytes.data());
    return bytes.size() == 16;
  }
};

struct ByteaCodec {
  using Value = std::string_view;
  static bool Read(std::string_view bytes, Value* value, std::string_view*) {
    *value = bytes;
    return true;
  }
};

struct TextCodec {
  using Value = std::string_view;
  static bool Read(std::string_view bytes, Value* value, std::string_view* reason) {
    *value = bytes;
    if (!arrow::util::ValidateUTF8(bytes)) {
      *reason = "invalid byte sequence for encoding \"UTF8\"";  // of a database of SQL_ASCII
    }
    return true;
  }
};

struct JsonbCodec {
  using Value = std::string_view;
  static bool Read(std::string_view bytes, Value* value, std::string_view* reason) {
    constexpr char kVersion = 1;
    if (bytes.empty() || bytes[0] != kVersion) return false;
    return TextCodec::Read(bytes.substr(1), value, reason);
  }
};

// --- Numerics ------------------------------------------------------------------------------------

// numeric_send of src/backend/utils/adt/numeric.c: digits of base 10,000, the weight of the first,
// the sign, and how many decimals are shown.
struct NumericParts {
  uint16_t digits = 0;
  int16_t weight = 0;
  uint16_t sign = 0;
  uint16_t scale = 0;
  std::string_view bytes;
};
constexpr uint16_t kNegative = 0x4000, kNaN = 0xC000, kInfinity = 0xD000, kMinusInfinity = 0xF000;
constexpr int kDigitWidth = 4;

bool ReadParts(std::string_view bytes, NumericParts* parts) {
  uint16_t weight = 0;
  if (!Take(&bytes, &parts->digits) || !Take(&bytes, &weight) || !Take(&bytes, &parts->sign) ||
      !Take(&bytes, &parts->scale)) {
    return false;
  }
  parts->weight = std::bit_cast<int16_t>(weight);
  parts->bytes = bytes;
  const bool known = parts->sign == 0 || parts->sign == kNegative || parts->sign == kNaN ||
                     parts->sign == kInfinity || parts->sign == kMinusInfinity;
  return known && bytes.size() == size_t{2} * parts->digits;
}

// The value at `scale` decimals, where it fits 36 digits and nothing is cut off.
bool SmallNumeric(const NumericParts& parts, int32_t scale, __int128* out) {
  constexpr int kMost = 36;
  if ((parts.weight + 1) * kDigitWidth + scale > kMost) return false;
  __int128 value = 0;
  std::string_view bytes = parts.bytes;
  uint16_t digit = 0;
  int32_t decimals = -(parts.weight + 1) * kDigitWidth;  // of `value` so far
  while (Take(&bytes, &digit)) {
    if (digit > 9999) return false;
    decimals += kDigitWidth;
    if (decimals <= scale) {
      value = value * 10000 + digit;
      continue;
    }
    for (int32_t power = 1000, at = decimals - kDigitWidth + 1; at <= decimals; ++at, power /= 10) {
      const int32_t one = digit / power % 10;
      if (at <= scale) {
        value = value * 10 + one;
      } else if (one != 0) {
        return false;
      }
    }
    decimals = scale;
    break;
  }
  for (; Take(&bytes, &digit);) {
    if (digit != 0) return false;
  }
  for (; decimals < scale; ++decimals) value *= 10;
  *out = parts.sign == kNegative ? -value : value;
  return true;
}

// As numeric_out prints it.
std::string TextOf(const NumericParts& parts) {
  std::string text(parts.sign == kNegative ? "-" : "");
  std::string_view bytes = parts.bytes;
  int32_t at = parts.weight;
  uint16_t digit = 0;
  if (at < 0) text += '0';
  for (; at >= 0; --at) {
    if (!Take(&bytes, &digit)) digit = 0;
    text += fmt::format("{:04}", digit);
  }
  text += '.';
  for (at = -1; - (at + 1) * kDigitWidth < parts.scale; --at) {
    digit = 0;
    if (at <= parts.weight) static_cast<void>(Take(&bytes, &digit));
    text += fmt::format("{:04}", digit);
  }
  return text.substr(0, text.find('.') + 1 + parts.scale);
}

Result<Numeric> NumericOf(const NumericParts& parts) {
  if (parts.sign == kNaN) return Numeric::NaN();
  if (parts.sign == kInfinity) return Numeric::Infinity(false);
  if (parts.sign == kMinusInfinity) return Numeric::Infinity(true);
  __int128 small = 0;
  if (SmallNumeric(parts, parts.scale, &small)) return Numeric::FromInt128(small, parts.scale);
  std::string text = TextOf(parts);
  if (text.ends_with('.')) text.pop_back();
  return Numeric::Parse(text);
}

class NumericColumn : public BinaryColumn {
 public:
  explicit NumericColumn(const Type& type)
      : type_(type), bounded_(ArrowType(type)->id() == arrow::Type::DECIMAL128), builder_(type) {}
  bool Append(std::string_view bytes) override {
    NumericParts parts;
    if (!ReadParts(bytes, &parts)) return false;
    auto value = NumericOf(parts);
    if (!value.ok()) return false;
    __int128 unscaled = 0;
    if (bounded_ &&
        (value->kind() != Numeric::Kind::kFinite || !value->ToInt128(type_.scale, &unscaled))) {
      rejects_.push_back(
          {.row = rows_,
           .reason = fmt::format("{} cannot be held by {}", value->ToString(), TypeName(type_))});
      AppendNull();
      return true;
    }
    builder_.Append(*value);
    ++rows_;
    return true;
  }
  void AppendNull() override {
    builder_.AppendNull();
    ++rows_;
  }
  int64_t rows() const override { return rows_; }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    rows_ = 0;
    return builder_.Finish();
  }

 private:
  const Type type_;
  const bool bounded_;
  NumericBuilder builder_;
  int64_t rows_ = 0;
};

// --- Arrays --------------------------------------------------------------------------------------

// array_send of src/backend/utils/adt/arrayfuncs.c. A list of ours has one dimension.
class ArrayColumn : public BinaryColumn {
 public:
  explicit ArrayColumn(const Type& type)
      : type_(ArrowType(type)), elements_(BinaryColumn::Make(*type.element)) {}
  bool Append(std::string_view bytes) override {
    uint32_t dimensions = 0, has_null = 0, oid = 0, size = 0, lower = 0;
    if (!Take(&bytes, &dimensions) || !Take(&bytes, &has_null) || !Take(&bytes, &oid)) return false;
    if (dimensions > 1) return Reject("an array of several dimensions cannot be held");
    if (dimensions == 0) return AppendList();
    if (!Take(&bytes, &size) || !Take(&bytes, &lower)) return false;
    if (lower != 1) return Reject("an array whose first element is not number 1 cannot be held");
    for (uint32_t i = 0; i < size; ++i) {
      uint32_t length = 0;
      if (!Take(&bytes, &length)) return false;
      if (length == UINT32_MAX) {
        elements_->AppendNull();
        continue;
      }
      if (length > bytes.size() || !elements_->Append(bytes.substr(0, length))) return false;
      bytes.remove_prefix(length);
    }
    for (const BinaryReject& reject : elements_->rejects()) {
      rejects_.push_back({.row = rows(), .reason = reject.reason});
    }
    elements_->ClearRejects();
    return bytes.empty() && AppendList();
  }
  void AppendNull() override {
    offsets_.push_back(static_cast<int32_t>(elements_->rows()));
    valid_.push_back(false);
  }
  int64_t rows() const override { return static_cast<int64_t>(valid_.size()); }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    LEAT_ASSIGN(const auto values, elements_->Finish());
    arrow::TypedBufferBuilder<bool> valid;
    for (const bool is : valid_) LEAT_RETURN(valid.Append(is));
    LEAT_ASSIGN(auto bits, valid.Finish());
    auto offsets = arrow::Buffer::FromVector(std::exchange(offsets_, {0}));
    const auto count = static_cast<int64_t>(std::exchange(valid_, {}).size());
    return std::make_shared<arrow::ListArray>(type_, count, std::move(offsets), values,
                                              std::move(bits));
  }

 private:
  bool AppendList() {
    offsets_.push_back(static_cast<int32_t>(elements_->rows()));
    valid_.push_back(true);
    return true;
  }
  bool Reject(std::string_view reason) {
    rejects_.push_back({.row = rows(), .reason = std::string(reason)});
    AppendNull();
    return true;
  }

  const std::shared_ptr<arrow::DataType> type_;
  const std::unique_ptr<BinaryColumn> elements_;
  std::vector<int32_t> offsets_ = {0};
  std::vector<bool> valid_;
};

template <typename Builder, typename Codec>
std::unique_ptr<BinaryColumn> Plain(const Type& type) {
  return std::make_unique<PlainColumn<Builder, Codec>>(type);
}

}  // namespace

std::unique_ptr<BinaryColumn> BinaryColumn::Make(const Type& type) {
  arrow::util::InitializeUTF8();  // without it every byte sequence is valid
  switch (type.id) {
    case TypeId::kBool:
      return Plain<arrow::BooleanBuilder, BoolCodec>(type);
    case TypeId::kInt2:
      return Plain<arrow::Int16Builder, NumberCodec<int16_t, uint16_t>>(type);
    case TypeId::kInt4:
      return Plain<arrow::Int32Builder, NumberCodec<int32_t, uint32_t>>(type);
    case TypeId::kInt8:
      return Plain<arrow::Int64Builder, NumberCodec<int64_t, uint64_t>>(type);
    case TypeId::kFloat4:
      return Plain<arrow::FloatBuilder, NumberCodec<float, uint32_t>>(type);
    case TypeId::kFloat8:
      return Plain<arrow::DoubleBuilder, NumberCodec<double, uint64_t>>(type);
    case TypeId::kNumeric:
      return std::make_unique<NumericColumn>(type);
    case TypeId::kBytea:
      return Plain<arrow::BinaryBuilder, ByteaCodec>(type);
    case TypeId::kDate:
      return Plain<arrow::Date32Builder, DateCodec>(type);
    case TypeId::kTime:
      return Plain<arrow::Time64Builder, NumberCodec<int64_t, uint64_t>>(type);
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return Plain<arrow::TimestampBuilder, TimestampCodec>(type);
    case TypeId::kInterval:
      return Plain<arrow::MonthDayNanoIntervalBuilder, IntervalCodec>(type);
    case TypeId::kUuid:
      return Plain<arrow::FixedSizeBinaryBuilder, UuidCodec>(type);
    case TypeId::kJsonb:
      return Plain<arrow::StringBuilder, JsonbCodec>(type);
    case TypeId::kArray:
      return std::make_unique<ArrayColumn>(type);
    case TypeId::kEnum:
    case TypeId::kUnknown:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
      return Plain<arrow::StringBuilder, TextCodec>(type);
  }
  return Plain<arrow::StringBuilder, TextCodec>(type);
}

bool TakeUint16(std::string_view* bytes, uint16_t* value) { return Take(bytes, value); }
bool TakeUint32(std::string_view* bytes, uint32_t* value) { return Take(bytes, value); }
bool TakeUint64(std::string_view* bytes, uint64_t* value) { return Take(bytes, value); }

bool BinaryRows::IsHeader(std::string_view piece) { return piece.starts_with(kSignature); }

bool BinaryRows::TakeHeader(std::string_view* piece) {
  piece->remove_prefix(kSignature.size());
  uint32_t flags = 0, extension = 0;
  if (!Take(piece, &flags) || !Take(piece, &extension) || extension > piece->size()) return false;
  constexpr uint32_t kCritical = 0xffff0000;
  piece->remove_prefix(extension);
  return (flags & kCritical) == 0;
}

}  // namespace leat
