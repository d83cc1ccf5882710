#include "format/text_column.h"

#include <arrow/builder.h>
#include <xxhash.h>

#include <bit>

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

// Nulls where the fitted dictionary has none: those values did not fit.
Result<ArrayPtr> DropBadNumbers(const arrow::DictionaryArray& column, const ArrayPtr& fitted,
                                const std::vector<std::string>& reasons,
                                std::vector<BadValue>* bad) {
  const auto& numbers = static_cast<const arrow::Int32Array&>(*column.indices());
  arrow::Int32Builder builder;
  LEAT_RETURN(builder.Reserve(column.length()));
  for (int64_t row = 0; row < column.length(); ++row) {
    if (numbers.IsNull(row)) {
      builder.UnsafeAppendNull();
    } else if (const auto& reason = reasons[static_cast<size_t>(numbers.Value(row))];
               !reason.empty()) {
      bad->push_back({row, reason});
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(numbers.Value(row));
    }
  }
  LEAT_ASSIGN(ArrayPtr kept, builder.Finish());
  // Whoever reads a dictionary may expect no nulls in it.
  const auto& texts = static_cast<const arrow::StringArray&>(*fitted);
  arrow::StringBuilder without_nulls;
  for (int64_t i = 0; i < texts.length(); ++i) LEAT_RETURN(without_nulls.Append(texts.GetView(i)));
  LEAT_ASSIGN(ArrayPtr dictionary, without_nulls.Finish());
  return arrow::DictionaryArray::FromArrays(column.type(), kept, dictionary);
}

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> BitsOf(const std::vector<uint8_t>& bytes, int64_t rows,
                                              int64_t* zeros) {
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> bits, arrow::AllocateBuffer((rows + 31) / 32 * 4));
  int64_t ones = 0;
  for (int64_t row = 0; row < rows; row += 32) {
    const __m256i zero =
        _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes.data() + row)),
                          _mm256_setzero_si256());
    auto mask = ~static_cast<uint32_t>(_mm256_movemask_epi8(zero));
    if (rows - row < 32) mask &= (uint32_t{1} << (rows - row)) - 1;
    ones += std::popcount(mask);
    std::memcpy(bits->mutable_data() + row / 8, &mask, sizeof mask);
  }
  *zeros = rows - ones;
  return bits;
}

const uint8_t StringTable::kMask[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                        255, 255, 255, 255, 255, 255, 255, 255};

StringTable::StringTable() : slots_(256), slot_mask_(255) {}

__m128i StringTable::LongKey(const char* data, size_t size) {
  const XXH128_hash_t hash = XXH3_128bits(data, size);
  return _mm_set_epi64x(static_cast<int64_t>(hash.high64), static_cast<int64_t>(hash.low64));
}

int32_t StringTable::Add(Slot* slot, uint64_t low, uint64_t high, const char* data, size_t size) {
  const int32_t number = this->size();
  *slot = {low, high, static_cast<uint32_t>(size + 1), number};
  bytes_.append(data, size);
  offsets_.push_back(static_cast<int32_t>(bytes_.size()));
  if (offsets_.size() * 2 > slots_.size()) Grow();
  return number;
}

void StringTable::Grow() {
  std::vector<Slot> old(slots_.size() * 4);
  old.swap(slots_);
  slot_mask_ = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.size == 0) continue;
    uint64_t at = Hash(slot.low, slot.high, slot.size - 1);
    while (slots_[at & slot_mask_].size != 0) ++at;
    slots_[at & slot_mask_] = slot;
  }
}

ArrayPtr StringTable::ToArray() const {
  auto offsets = arrow::Buffer::FromVector(offsets_);
  return std::make_shared<arrow::StringArray>(size(), std::move(offsets),
                                              arrow::Buffer::FromString(bytes_));
}

Result<ArrayPtr> FitLength(const ArrayPtr& column, const ColumnTask& task,
                           std::vector<BadValue>* bad) {
  if (task.type.length < 0) return column;
  if (column->type_id() != arrow::Type::DICTIONARY) {
    return FromTextColumn(*column, task.type, *task.settings,
                          [bad](int64_t row, const Status& status) {
                            bad->push_back({row, status.message()});
                          });
  }
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*column);
  const ArrayPtr& texts = dictionary.dictionary();
  std::vector<std::string> reasons(static_cast<size_t>(texts->length()));
  bool all_fit = true;
  LEAT_ASSIGN(
      ArrayPtr fitted,
      FromTextColumn(*texts, task.type, *task.settings, [&](int64_t row, const Status& status) {
        reasons[static_cast<size_t>(row)] = status.message();
        all_fit = false;
      }));
  if (!all_fit) return DropBadNumbers(dictionary, fitted, reasons, bad);
  return arrow::DictionaryArray::FromArrays(column->type(), dictionary.indices(), fitted);
}

}  // namespace leat
