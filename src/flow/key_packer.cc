#include <arrow/array.h>

#include <cstring>

#include "flow/aggregate_call.h"
#include "flow/group_keys.h"

namespace leat::aggregate_internal {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr size_t kNullsAt = 23;  // a bit per column, set: null
constexpr size_t kTextMax = 7;   // bytes of text; the eighth is the length plus one

// The bytes that a column takes; 0: it cannot be packed.
size_t WidthOf(const Type& type) {
  if (!IsExact(type)) return 0;
  switch (type.id) {
    case TypeId::kBool:
      return 1;
    case TypeId::kInt2:
      return 2;
    case TypeId::kInt4:
    case TypeId::kEnum:
    case TypeId::kDate:
      return 4;
    case TypeId::kInt8:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
      return 8;
    default:
      return 0;
  }
}

char* At(PackedKey* key, size_t offset) { return reinterpret_cast<char*>(key->words) + offset; }

void SetNull(size_t column, PackedKey* key) {
  char* nulls = At(key, kNullsAt);
  *nulls = static_cast<char>(*nulls | (1 << column));
}

// get(row) gives the bits of a row that is not null.
template <typename Bits, typename Get>
void PackColumn(const arrow::Array& array, size_t column, size_t offset, PackedKey* keys,
                const Get& get) {
  const bool nulls = array.null_count() > 0;
  for (int64_t row = 0; row < array.length(); ++row) {
    if (nulls && array.IsNull(row)) {
      SetNull(column, keys + row);
      continue;
    }
    const Bits bits = get(row);
    std::memcpy(At(keys + row, offset), &bits, sizeof(bits));
  }
}

template <typename Bits>
void PackFixed(const arrow::Array& array, size_t column, size_t offset, PackedKey* keys) {
  const auto* values = array.data()->GetValues<Bits>(1);
  PackColumn<Bits>(array, column, offset, keys, [&](int64_t row) { return values[row]; });
}

uint64_t PackText(std::string_view text) {
  uint64_t bits = 0;
  std::memcpy(&bits, text.data(), text.size());
  return bits | (static_cast<uint64_t>(text.size() + 1) << 56);
}

bool PackTexts(const arrow::Array& array, size_t column, size_t offset, PackedKey* keys) {
  const auto& texts = static_cast<const arrow::BinaryArray&>(array);
  for (int64_t row = 0; row < texts.length(); ++row) {
    if (texts.value_length(row) > static_cast<int32_t>(kTextMax)) return false;
  }
  PackColumn<uint64_t>(array, column, offset, keys,
                       [&](int64_t row) { return PackText(texts.GetView(row)); });
  return true;
}

bool PackDictionary(const arrow::Array& array, size_t column, size_t offset, PackedKey* keys) {
  const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
  const auto& texts = static_cast<const arrow::BinaryArray&>(*coded.dictionary());
  if (texts.length() > array.length() || texts.null_count() > 0) return false;
  std::vector<uint64_t> packed(static_cast<size_t>(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.value_length(i) > static_cast<int32_t>(kTextMax)) return false;
    packed[static_cast<size_t>(i)] = PackText(texts.GetView(i));
  }
  const auto* indices = coded.indices()->data()->GetValues<int32_t>(1);
  PackColumn<uint64_t>(array, column, offset, keys,
                       [&](int64_t row) { return packed[static_cast<size_t>(indices[row])]; });
  return true;
}

}  // namespace

KeyPacker::KeyPacker(const std::vector<Type>& types) : types_(types) {
  size_t offset = 0;
  for (const Type& type : types) {
    const size_t width = WidthOf(type);
    if (width == 0 || types.size() > 8 || offset + width > kNullsAt) {
      offsets_.clear();
      return;
    }
    offsets_.push_back(offset);
    offset += width;
  }
}

bool KeyPacker::Pack(const std::vector<ArrayPtr>& columns, int64_t rows,
                     std::vector<PackedKey>* out) {
  if (offsets_.empty()) return false;
  out->assign(static_cast<size_t>(rows), {});
  for (size_t i = 0; i < columns.size(); ++i) {
    const arrow::Array& array = *columns[i];
    const size_t offset = offsets_[i];
    if (array.type_id() == arrow::Type::DICTIONARY) {
      if (!PackDictionary(array, i, offset, out->data())) return false;
      continue;
    }
    switch (WidthOf(types_[i])) {
      case 1: {
        const auto& bools = static_cast<const arrow::BooleanArray&>(array);
        PackColumn<uint8_t>(array, i, offset, out->data(),
                            [&](int64_t row) { return static_cast<uint8_t>(bools.Value(row)); });
        break;
      }
      case 2:
        PackFixed<int16_t>(array, i, offset, out->data());
        break;
      case 4:
        PackFixed<int32_t>(array, i, offset, out->data());
        break;
      default:
        if (types_[i].is_string()) {
          if (!PackTexts(array, i, offset, out->data())) return false;
        } else {
          PackFixed<int64_t>(array, i, offset, out->data());
        }
    }
  }
  return true;
}

}  // namespace leat::aggregate_internal
