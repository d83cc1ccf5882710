// A text column from fields: with a dictionary while the values repeat, plain when they do not.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <immintrin.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/column_parser.h"

namespace leat {

// One bit per byte of `bytes[0, rows)`: set where it is not 0. REQUIRES: bytes.size() >= rows + 32.
Result<std::shared_ptr<arrow::Buffer>> BitsOf(const std::vector<uint8_t>& bytes, int64_t rows,
                                              int64_t* zeros);

// Distinct strings and their numbers, in order of arrival. Strings of up to 16 bytes, nearly all in
// practice, are compared in registers.
class StringTable {
 public:
  StringTable();
  // The number of the string; REQUIRES: 16 bytes at `data` may be read.
  int32_t Insert(const char* data, size_t size) {
    __m128i key;
    if (size <= 16) [[likely]] {
      const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMask + 16 - size));
      key = _mm_and_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data)), mask);
    } else {
      key = size <= 32 ? MiddleKey(data, size) : LongKey(data, size);
    }
    const auto low = static_cast<uint64_t>(_mm_cvtsi128_si64(key));
    const auto high = static_cast<uint64_t>(_mm_extract_epi64(key, 1));
    for (uint64_t at = Hash(low, high, size);; ++at) {
      Slot& slot = slots_[at & slot_mask_];
      if (slot.low == low && slot.high == high && slot.size == size + 1 &&
          (size <= 16 || Same(slot.number, data, size))) [[likely]] {
        return slot.number;
      }
      if (slot.size == 0) return Add(&slot, low, high, data, size);
    }
  }
  int32_t size() const { return static_cast<int32_t>(offsets_.size()) - 1; }
  // All strings as a utf8 array. The table may still be used for reading.
  std::shared_ptr<arrow::Array> ToArray() const;

 private:
  struct Slot {
    uint64_t low, high;
    uint32_t size;  // plus one; 0: free
    int32_t number;
  };
  static const uint8_t kMask[32];

  static uint64_t Hash(uint64_t low, uint64_t high, size_t size) {
    uint64_t hash = (low ^ (size << 56)) * 0x9e3779b97f4a7c15ULL;
    hash ^= high * 0xc2b2ae3d27d4eb4fULL;
    return hash >> 32 ^ hash >> 15;
  }
  static __m128i MiddleKey(const char* data, size_t size) {
    std::array<uint64_t, 4> words;
    std::memcpy(words.data(), data, 16);
    std::memcpy(words.data() + 2, data + size - 16, 16);
    const uint64_t low = words[0] ^ (words[2] * 0x9e3779b97f4a7c15ULL);
    const uint64_t high = words[1] ^ (words[3] * 0xc2b2ae3d27d4eb4fULL);
    return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
  }
  static __m128i LongKey(const char* data, size_t size);
  // REQUIRES: size > 16, and that of string `number`.
  bool Same(int32_t number, const char* data, size_t size) const {
    const char* known = bytes_.data() + offsets_[static_cast<size_t>(number)];
    if (size > 32) return std::memcmp(known, data, size) == 0;
    const auto differ = [](const char* a, const char* b) {
      return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                           _mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
    };
    const __m128i all =
        _mm_or_si128(differ(known, data), differ(known + size - 16, data + size - 16));
    return _mm_testz_si128(all, all) != 0;
  }
  int32_t Add(Slot* slot, uint64_t low, uint64_t high, const char* data, size_t size);
  void Grow();

  std::vector<Slot> slots_;
  uint64_t slot_mask_;
  std::string bytes_;
  std::vector<int32_t> offsets_ = {0};
};

// Applies a type's length (varchar(n), char(n)) to a finished text column; values that do not fit
// become null and are added to `bad`.
Result<std::shared_ptr<arrow::Array>> FitLength(const std::shared_ptr<arrow::Array>& column,
                                                const ColumnTask& task, std::vector<BadValue>* bad);

template <typename Fields>
class TextParser : public ColumnParser {
 public:
  static constexpr int64_t kRowsToJudge = 8192;

  TextParser(const ColumnTask& task, const Fields& fields)
      : task_(task), fields_(fields), valid_(static_cast<size_t>(task.rows) + 32) {
    scratch_.reserve(64);
    plain_ = task.hint != nullptr && task.hint->not_low_cardinality.fetch_sub(1) > 0;
    if (!plain_) {
      if (task.hint != nullptr) task.hint->not_low_cardinality = 0;
      auto buffer = arrow::AllocateBuffer(task.rows * 4);
      if (buffer.ok()) numbers_ = *std::move(buffer);
      plain_ = numbers_ == nullptr;
    }
  }

  void Parse(int64_t begin, int64_t end) override {
    if (plain_) return ParsePlain(begin, end);
    auto* const numbers = reinterpret_cast<int32_t*>(numbers_->mutable_data());
    for (int64_t row = begin; row < end; ++row) {
      std::string_view text;
      const bool valid = Get(row, &text);
      valid_[static_cast<size_t>(row)] = valid;
      numbers[row] = valid ? table_.Insert(text.data(), text.size()) : 0;
    }
    // A dictionary of half the rows costs more than it saves; a few rows tell nothing.
    if (end > kRowsToJudge && table_.size() > end / 2) GiveUpDictionary(end);
  }

  Result<std::shared_ptr<arrow::Array>> Finish() override {
    int64_t nulls = 0;
    LEAT_ASSIGN(auto validity, BitsOf(valid_, task_.rows, &nulls));
    if (nulls == 0) validity = nullptr;
    std::shared_ptr<arrow::ArrayData> data;
    if (plain_) {
      offsets_.push_back(static_cast<int32_t>(bytes_.size()));
      data = arrow::ArrayData::Make(arrow::utf8(), task_.rows,
                                    {validity, arrow::Buffer::FromVector(std::move(offsets_)),
                                     arrow::Buffer::FromString(std::move(bytes_))},
                                    nulls);
    } else {
      data = arrow::ArrayData::Make(arrow::dictionary(arrow::int32(), arrow::utf8()), task_.rows,
                                    {validity, std::move(numbers_)}, nulls);
      data->dictionary = table_.ToArray()->data();
    }
    return FitLength(arrow::MakeArray(data), task_, &bad);
  }

 private:
  bool Get(int64_t row, std::string_view* text) {
    const RawField raw = fields_.Raw(row);
    if (fields_.IsNull(raw)) return false;
    *text = fields_.IsQuoted(raw) ? fields_.Unquote(raw, &scratch_)
                                  : std::string_view(raw.data, raw.size);
    return true;
  }

  void ParsePlain(int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::string_view text;
      const bool valid = Get(row, &text);
      valid_[static_cast<size_t>(row)] = valid;
      offsets_.push_back(static_cast<int32_t>(bytes_.size()));
      if (valid) bytes_.append(text);
    }
  }

  [[gnu::noinline]] void GiveUpDictionary(int64_t end) {
    plain_ = true;
    numbers_ = nullptr;
    table_ = StringTable();
    if (task_.hint != nullptr) task_.hint->not_low_cardinality = 15;
    ParsePlain(0, end);
  }

  ColumnTask task_;
  Fields fields_;
  std::vector<uint8_t> valid_;  // a byte each
  bool plain_ = false;
  StringTable table_;
  std::shared_ptr<arrow::Buffer> numbers_;
  std::vector<int32_t> offsets_;
  std::string bytes_;
  std::string scratch_;
};

}  // namespace leat
