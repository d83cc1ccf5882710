// A key is its columns' encodings end to end. Each begins with a byte that places null, and none is
// a prefix of another, so that memcmp never looks at a column before the ones in front of it
// are equal. DESC inverts the bytes after the first.
#include "data/key.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "data/numeric.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr char kNullFirst = 0x00, kPresent = 0x01, kNullLast = 0x02;
// Inside an array: its end, an element, a null element (greater than all, as array_cmp has it).
constexpr char kArrayEnd = 0x01, kArrayElement = 0x02, kArrayNull = 0x03;

// Rows that all columns encode before the next ones: their bytes stay in the cache.
constexpr int64_t kBlockRows = 1024;

template <typename Unsigned>
void StoreBigEndian(Unsigned value, char* to) {
  if constexpr (sizeof(value) == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof(value) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(value) == 8) value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof(value));
}

template <typename Signed>
void StoreOrdered(Signed value, char* to) {
  using Unsigned = std::make_unsigned_t<Signed>;
  constexpr auto kSign = static_cast<Unsigned>(Unsigned{1} << (sizeof(Signed) * 8 - 1));
  StoreBigEndian(static_cast<Unsigned>(static_cast<Unsigned>(value) ^ kSign), to);
}

// One column of a key: how long its encodings are and what they are, a block of rows at a time.
class KeyPart {
 public:
  KeyPart(const arrow::Array& array, const KeyColumn& column)
      : nulls_(array.null_count() > 0 ? &array : nullptr),
        null_(column.nulls_first ? kNullFirst : kNullLast),
        invert_(column.descending ? ~uint64_t{0} : 0) {}
  virtual ~KeyPart() = default;
  // Adds each row's length to sizes[i].
  virtual void AddSizes(int64_t begin, int64_t rows, uint64_t* sizes) const = 0;
  // Writes row i at cursors[i], which moves behind it.
  virtual void Write(int64_t begin, int64_t rows, char** cursors) const = 0;

 protected:
  bool IsNull(int64_t row) const { return nulls_ != nullptr && nulls_->IsNull(row); }
  void Copy(std::string_view from, char* to) const {
    if (invert_ == 0) {
      std::memcpy(to, from.data(), from.size());
    } else {
      for (size_t i = 0; i < from.size(); ++i) to[i] = static_cast<char>(~from[i]);
    }
  }

  const arrow::Array* nulls_;  // absent: no row is null
  const char null_;
  const uint64_t invert_;
};

// Values of one width. `Store` is stateless but for the values it was made with.
template <size_t kWidth, typename Store>
class FixedPart : public KeyPart {
 public:
  FixedPart(const arrow::Array& array, const KeyColumn& column, Store store)
      : KeyPart(array, column), store_(store) {}

  void AddSizes(int64_t begin, int64_t rows, uint64_t* sizes) const override {
    if (nulls_ == nullptr) {
      for (int64_t i = 0; i < rows; ++i) sizes[i] += 1 + kWidth;
      return;
    }
    for (int64_t i = 0; i < rows; ++i) sizes[i] += IsNull(begin + i) ? 1 : 1 + kWidth;
  }

  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    for (int64_t i = 0; i < rows; ++i) {
      char*& to = cursors[i];
      if (IsNull(begin + i)) {
        *to++ = null_;
        continue;
      }
      *to++ = kPresent;
      store_(begin + i, to);
      if (invert_ != 0) {
        for (size_t k = 0; k < kWidth; ++k) to[k] = static_cast<char>(~to[k]);
      }
      to += kWidth;
    }
  }

 private:
  const Store store_;
};

template <size_t kWidth, typename Store>
std::unique_ptr<KeyPart> MakeFixed(const arrow::Array& array, const KeyColumn& column,
                                   Store store) {
  return std::make_unique<FixedPart<kWidth, Store>>(array, column, store);
}

std::string_view WithoutTrailingBlanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// Text without a zero byte anywhere: the bytes and the terminator.
template <bool kBlanksPadded>
class PlainTextPart : public KeyPart {
 public:
  PlainTextPart(const arrow::BinaryArray& array, const KeyColumn& column)
      : KeyPart(array, column), array_(array) {}

  void AddSizes(int64_t begin, int64_t rows, uint64_t* sizes) const override {
    for (int64_t i = 0; i < rows; ++i) {
      sizes[i] += IsNull(begin + i) ? 1 : View(begin + i).size() + 3;
    }
  }

  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    const char end = static_cast<char>(invert_);
    for (int64_t i = 0; i < rows; ++i) {
      char*& to = cursors[i];
      if (IsNull(begin + i)) {
        *to++ = null_;
        continue;
      }
      const std::string_view text = View(begin + i);
      *to++ = kPresent;
      Copy(text, to);
      to += text.size();
      *to++ = end;
      *to++ = end;
    }
  }

 private:
  std::string_view View(int64_t row) const {
    const std::string_view text = array_.GetView(row);
    return kBlanksPadded ? WithoutTrailingBlanks(text) : text;
  }
  const arrow::BinaryArray& array_;
};

// Encodings made beforehand: one per row, or one per entry of a dictionary.
class EncodedPart : public KeyPart {
 public:
  EncodedPart(const arrow::Array& array, const KeyColumn& column, Strings encoded,
              const int32_t* indices)
      : KeyPart(array, column), encoded_(std::move(encoded)), indices_(indices) {}

  void AddSizes(int64_t begin, int64_t rows, uint64_t* sizes) const override {
    for (int64_t i = 0; i < rows; ++i) {
      sizes[i] += IsNull(begin + i) ? 1 : View(begin + i).size() + 1;
    }
  }

  void Write(int64_t begin, int64_t rows, char** cursors) const override {
    for (int64_t i = 0; i < rows; ++i) {
      char*& to = cursors[i];
      if (IsNull(begin + i)) {
        *to++ = null_;
        continue;
      }
      const std::string_view bytes = View(begin + i);
      *to++ = kPresent;
      Copy(bytes, to);
      to += bytes.size();
    }
  }

 private:
  std::string_view View(int64_t row) const {
    return encoded_[indices_ == nullptr ? row : indices_[row]];
  }
  const Strings encoded_;
  const int32_t* indices_;
};

// --- Values of no fixed width ------------------------------------------------------------------

void AppendText(std::string_view text, std::string* out) {
  for (size_t zero; (zero = text.find('\0')) != text.npos; text.remove_prefix(zero + 1)) {
    out->append(text.substr(0, zero + 1));
    out->push_back('\xFF');
  }
  out->append(text);
  out->append(2, '\0');
}

// A class, the power of ten, pairs of digits plus one, an end; of a negative number inverted.
void AppendNumeric(const Numeric& value, std::string* digits, std::string* out) {
  switch (value.kind()) {
    case Numeric::Kind::kNegativeInfinity:
      out->push_back(1);
      return;
    case Numeric::Kind::kInfinity:
      out->push_back(5);
      return;
    case Numeric::Kind::kNaN:
      out->push_back(6);
      return;
    case Numeric::Kind::kFinite:
      break;
  }
  const int sign = value.sign();
  out->push_back(static_cast<char>(3 + sign));
  if (sign == 0) return;
  const size_t begin = out->size();
  const int64_t power = value.Digits(digits);
  if (power >= -120 && power <= 120) {
    out->push_back(static_cast<char>(power + 128));
  } else {
    out->push_back(static_cast<char>(power < 0 ? 1 : 0xFF));
    std::array<char, 4> ordered;
    StoreOrdered(static_cast<int32_t>(power), ordered.data());
    out->append(ordered.data(), ordered.size());
  }
  if (digits->size() % 2 != 0) digits->push_back('0');
  for (size_t i = 0; i < digits->size(); i += 2) {
    out->push_back(static_cast<char>(((*digits)[i] - '0') * 10 + ((*digits)[i + 1] - '0') + 1));
  }
  out->push_back(0);
  if (sign > 0) return;
  for (size_t i = begin; i < out->size(); ++i) (*out)[i] = static_cast<char>(~(*out)[i]);
}

// One encoding per element of `array`, empty for a null.
template <typename Append>
Strings EncodeEach(const arrow::Array& array, const Append& append) {
  Strings out;
  out.offsets.reserve(static_cast<size_t>(array.length()) + 1);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i)) append(i, &out.bytes);
    out.offsets.push_back(out.bytes.size());
  }
  return out;
}

Strings EncodeTexts(const arrow::BinaryArray& texts, bool blanks_padded) {
  return EncodeEach(texts, [&](int64_t i, std::string* out) {
    const std::string_view text = texts.GetView(i);
    AppendText(blanks_padded ? WithoutTrailingBlanks(text) : text, out);
  });
}

Strings EncodeNumerics(const arrow::Array& array) {
  std::string digits;
  return EncodeEach(array, [&](int64_t i, std::string* out) {
    AppendNumeric(NumericAt(array, i), &digits, out);
  });
}

Result<Strings> EncodeLists(const arrow::ListArray& lists, const Type& element) {
  const int64_t first = lists.value_offset(0);
  const int64_t elements = lists.value_offset(lists.length()) - first;
  const ArrayPtr values = lists.values()->Slice(first, elements);
  Strings encoded;
  LEAT_RETURN(KeyEncoder({{.type = element}}).Encode({values}, elements, &encoded));
  return EncodeEach(lists, [&](int64_t i, std::string* out) {
    for (int64_t k = lists.value_offset(i) - first; k < lists.value_offset(i + 1) - first; ++k) {
      if (values->IsNull(k)) {
        out->push_back(kArrayNull);
      } else {
        out->push_back(kArrayElement);
        out->append(encoded[k].substr(1));  // without the byte that places null
      }
    }
    out->push_back(kArrayEnd);
  });
}

// --- Values of a fixed width -------------------------------------------------------------------

// Smaller first, -0 as 0, every NaN the same and greatest.
template <typename Float, typename Bits>
void StoreFloat(Float value, char* to) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  if (value == 0) value = 0;
  Bits bits = std::isnan(value) ? ~kSign : std::bit_cast<Bits>(value);
  bits = (bits & kSign) != 0 ? ~bits : bits | kSign;
  StoreBigEndian(bits, to);
}

// Months of 30 days of 24 hours, in microseconds: 80 bits hold them.
void StoreInterval(const arrow::MonthDayNanoIntervalType::MonthDayNanos& value, char* to) {
  constexpr int64_t kDay = int64_t{86400} * 1000 * 1000;
  const int64_t days = int64_t{value.months} * 30 + value.days;
  const __int128 micros = static_cast<__int128>(days) * kDay + value.nanoseconds / 1000;
  StoreOrdered(static_cast<int16_t>(micros >> 64), to);
  StoreBigEndian(static_cast<uint64_t>(micros), to + 2);
}

template <typename Value>
std::unique_ptr<KeyPart> MakeInteger(const arrow::Array& array, const KeyColumn& column) {
  const auto* values = array.data()->GetValues<Value>(1);
  return MakeFixed<sizeof(Value)>(
      array, column, [values](int64_t row, char* to) { StoreOrdered(values[row], to); });
}

template <typename Float, typename Bits>
std::unique_ptr<KeyPart> MakeFloat(const arrow::Array& array, const KeyColumn& column) {
  const auto* values = array.data()->GetValues<Float>(1);
  return MakeFixed<sizeof(Float)>(
      array, column, [values](int64_t row, char* to) { StoreFloat<Float, Bits>(values[row], to); });
}

std::unique_ptr<KeyPart> MakeEncoded(const arrow::Array& array, const KeyColumn& column,
                                     Strings encoded, const int32_t* indices = nullptr) {
  return std::make_unique<EncodedPart>(array, column, std::move(encoded), indices);
}

std::unique_ptr<KeyPart> MakeText(const arrow::Array& array, const KeyColumn& column) {
  const auto& texts = static_cast<const arrow::BinaryArray&>(array);
  const bool blanks_padded = column.type.id == TypeId::kChar;
  const int64_t first = texts.value_offset(0), end = texts.value_offset(texts.length());
  const bool zeros = end > first && std::memchr(texts.raw_data() + first, 0,
                                                static_cast<size_t>(end - first)) != nullptr;
  if (zeros) return MakeEncoded(array, column, EncodeTexts(texts, blanks_padded));
  if (blanks_padded) return std::make_unique<PlainTextPart<true>>(texts, column);
  return std::make_unique<PlainTextPart<false>>(texts, column);
}

bool ArrayFits(const arrow::Array& array, const Type& type) {
  const auto expected = ArrowType(type)->id();
  if (array.type_id() == expected) return true;
  if (array.type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryType&>(*array.type());
    return expected == arrow::Type::STRING &&
           dictionary.value_type()->id() == arrow::Type::STRING &&
           dictionary.index_type()->id() == arrow::Type::INT32;
  }
  // Either form of numeric.
  return type.id == TypeId::kNumeric &&
         (array.type_id() == arrow::Type::BINARY || array.type_id() == arrow::Type::DECIMAL128);
}

Result<std::unique_ptr<KeyPart>> MakePart(const arrow::Array& array, const KeyColumn& column) {
  if (!ArrayFits(array, column.type)) {
    return Status::TypeError("a key column of type ", TypeName(column.type), " came as ",
                             array.type()->ToString());
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL: {
      const auto* values = &static_cast<const arrow::BooleanArray&>(array);
      return MakeFixed<1>(array, column,
                          [values](int64_t row, char* to) { *to = values->Value(row) ? 1 : 0; });
    }
    case arrow::Type::INT16:
      return MakeInteger<int16_t>(array, column);
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return MakeInteger<int32_t>(array, column);
    case arrow::Type::INT64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return MakeInteger<int64_t>(array, column);
    case arrow::Type::FLOAT:
      return MakeFloat<float, uint32_t>(array, column);
    case arrow::Type::DOUBLE:
      return MakeFloat<double, uint64_t>(array, column);
    case arrow::Type::INTERVAL_MONTH_DAY_NANO: {
      const auto* values = &static_cast<const arrow::MonthDayNanoIntervalArray&>(array);
      return MakeFixed<10>(array, column, [values](int64_t row, char* to) {
        StoreInterval(values->GetValue(row), to);
      });
    }
    case arrow::Type::FIXED_SIZE_BINARY: {
      const auto* values = &static_cast<const arrow::FixedSizeBinaryArray&>(array);
      return MakeFixed<16>(array, column, [values](int64_t row, char* to) {
        std::memcpy(to, values->GetValue(row), 16);
      });
    }
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return MakeEncoded(array, column,
                         EncodeTexts(static_cast<const arrow::BinaryArray&>(*coded.dictionary()),
                                     column.type.id == TypeId::kChar),
                         coded.indices()->data()->GetValues<int32_t>(1));
    }
    case arrow::Type::LIST: {
      LEAT_ASSIGN(Strings encoded,
                  EncodeLists(static_cast<const arrow::ListArray&>(array), *column.type.element));
      return MakeEncoded(array, column, std::move(encoded));
    }
    case arrow::Type::DECIMAL128:
      return MakeEncoded(array, column, EncodeNumerics(array));
    default:
      if (column.type.id == TypeId::kNumeric) {
        return MakeEncoded(array, column, EncodeNumerics(array));
      }
      return MakeText(array, column);
  }
}

}  // namespace

KeyEncoder::KeyEncoder(std::vector<KeyColumn> columns) : columns_(std::move(columns)) {}
KeyEncoder::~KeyEncoder() = default;

Status KeyEncoder::Encode(const std::vector<ArrayPtr>& columns, int64_t rows, Strings* out) const {
  LEAT_CHECK(columns.size() == columns_.size(), "{} columns for a key of {}", columns.size(),
             columns_.size());
  if (rows == 0) return Status::OK();
  // A dictionary much longer than the batch (a slice of a large one) is not worth encoding whole;
  // and one that has nulls among its entries is rare enough to be decoded.
  std::vector<ArrayPtr> arrays = columns;
  for (ArrayPtr& array : arrays) {
    LEAT_CHECK(array->length() == rows);
    if (array->type_id() != arrow::Type::DICTIONARY) continue;
    const auto& dictionary = *static_cast<const arrow::DictionaryArray&>(*array).dictionary();
    if (dictionary.length() > 2 * rows + 16 || dictionary.null_count() > 0) array = Plain(array);
  }
  std::vector<std::unique_ptr<KeyPart>> parts;
  for (size_t i = 0; i < arrays.size(); ++i) {
    LEAT_ASSIGN(auto part, MakePart(*arrays[i], columns_[i]));
    parts.push_back(std::move(part));
  }
  out->offsets.reserve(out->offsets.size() + static_cast<size_t>(rows));
  std::vector<uint64_t> sizes(kBlockRows);
  std::vector<char*> cursors(kBlockRows);
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const int64_t block = std::min(kBlockRows, rows - begin);
    std::fill(sizes.begin(), sizes.end(), 0);
    for (const auto& part : parts) part->AddSizes(begin, block, sizes.data());
    uint64_t end = out->bytes.size();
    const uint64_t start = end;
    for (int64_t i = 0; i < block; ++i)
      out->offsets.push_back(end += sizes[static_cast<size_t>(i)]);
    if (out->bytes.capacity() < end)
      out->bytes.reserve(std::max<size_t>(end, end * rows / (begin + block)));
    out->bytes.resize(end);
    char* to = out->bytes.data() + start;
    for (size_t i = 0; i < static_cast<size_t>(block); to += sizes[i], ++i) cursors[i] = to;
    for (const auto& part : parts) part->Write(begin, block, cursors.data());
  }
  return Status::OK();
}

}  // namespace leat
