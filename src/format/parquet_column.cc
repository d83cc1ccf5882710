#include "format/parquet_column.h"

#include <arrow/api.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "data/batch.h"
#include "data/text.h"
#include "format/text_column.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr int64_t kSampleRows = 8192;

// Definition and repetition levels, and the leaf values.
struct Levels {
  std::vector<int16_t> definitions, repetitions;
  ArrayPtr leaf;
};

void FlatDefinitions(const arrow::Array& column, std::vector<int16_t>* out) {
  out->assign(static_cast<size_t>(column.length()), 1);
  if (column.null_count() == 0) return;
  const uint8_t* bits = column.null_bitmap_data();
  for (int64_t i = 0, at = column.offset(); i < column.length(); ++i, ++at) {
    (*out)[static_cast<size_t>(i)] = bits[at >> 3] >> (at & 7) & 1;
  }
}

// A list: 0 no list, then (if the list may be null, one more) empty, null element, element.
Levels ListLevels(const arrow::ListArray& lists, bool nullable) {
  Levels out;
  const int16_t list_null = 0, empty = nullable ? 1 : 0;
  const ArrayPtr& values = lists.values();
  for (int64_t i = 0; i < lists.length(); ++i) {
    const int32_t begin = lists.value_offset(i), end = lists.value_offset(i + 1);
    if (lists.IsNull(i) || begin == end) {
      out.definitions.push_back(lists.IsNull(i) ? list_null : empty);
      out.repetitions.push_back(0);
      continue;
    }
    for (int32_t j = begin; j < end; ++j) {
      out.definitions.push_back(static_cast<int16_t>(empty + (values->IsNull(j) ? 1 : 2)));
      out.repetitions.push_back(j == begin ? 0 : 1);
    }
  }
  const int32_t begin = lists.value_offset(0), end = lists.value_offset(lists.length());
  out.leaf = values->Slice(begin, end - begin);
  return out;
}

// All parts on one dictionary. Numbers that were the same string stay so.
Result<arrow::ArrayVector> UnifyDictionaries(const arrow::ArrayVector& parts) {
  StringTable table;
  std::vector<std::vector<int32_t>> renumbered;
  std::string padded;
  for (const auto& part : parts) {
    const auto& texts = static_cast<const arrow::StringArray&>(
        *static_cast<const arrow::DictionaryArray&>(*part).dictionary());
    auto& numbers = renumbered.emplace_back(static_cast<size_t>(texts.length()) + 1, 0);
    for (int64_t i = 0; i < texts.length(); ++i) {
      const std::string_view text = texts.GetView(i);
      padded.assign(text);
      padded.resize(std::max(text.size(), size_t{16}));
      numbers[static_cast<size_t>(i)] = table.Insert(padded.data(), text.size());
    }
  }
  const ArrayPtr dictionary = table.ToArray();
  arrow::ArrayVector out;
  for (size_t i = 0; i < parts.size(); ++i) {
    const arrow::ArrayData& from = *parts[i]->data();
    LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(from.length * 4));
    const int32_t* const numbers = from.GetValues<int32_t>(1);
    const std::vector<int32_t>& renumber = renumbered[i];
    auto* const to = reinterpret_cast<int32_t*>(buffer->mutable_data());
    const auto last = static_cast<int32_t>(renumber.size() - 1);
    // Under a null any number may stand.
    for (int64_t row = 0; row < from.length; ++row) {
      const int32_t number = numbers[row];
      to[row] = renumber[static_cast<size_t>(number < last && number >= 0 ? number : last)];
    }
    std::shared_ptr<arrow::Buffer> validity = from.buffers[0];
    if (validity != nullptr && from.offset != 0) {
      LEAT_ASSIGN(validity,
                  arrow::internal::CopyBitmap(arrow::default_memory_pool(), validity->data(),
                                              from.offset, from.length));
    }
    auto data =
        arrow::ArrayData::Make(from.type, from.length, {validity, buffer}, parts[i]->null_count());
    data->dictionary = dictionary->data();
    out.push_back(arrow::MakeArray(data));
  }
  return out;
}

bool IsDictionary(const ArrayPtr& part) { return part->type_id() == arrow::Type::DICTIONARY; }

// Bytes of value `row`, as far as equality goes.
std::string_view ValueBytes(const arrow::Array& column, int64_t row) {
  if (column.type_id() == arrow::Type::STRING || column.type_id() == arrow::Type::BINARY) {
    return static_cast<const arrow::BinaryArray&>(column).GetView(row);
  }
  const int width = column.type()->byte_width();
  const auto* values = reinterpret_cast<const char*>(column.data()->buffers[1]->data());
  return {values + (column.offset() + row) * width, static_cast<size_t>(width)};
}

}  // namespace

std::shared_ptr<arrow::DataType> ParquetType(const Type& type) {
  switch (type.id) {
    case TypeId::kUuid:
    case TypeId::kEnum:
    case TypeId::kInterval:
      return arrow::utf8();
    case TypeId::kNumeric: {
      auto kept = ArrowType(type);
      return kept->id() == arrow::Type::DECIMAL128 ? kept : arrow::utf8();
    }
    case TypeId::kArray:
      return arrow::list(ParquetType(*type.element));
    default:
      return ArrowType(type);
  }
}

Result<ArrayPtr> ToParquetType(const ArrayPtr& column, const Type& type) {
  const auto wanted = ParquetType(type);
  if (wanted->Equals(ArrowType(type))) return column;
  if (type.id != TypeId::kArray) return ToTextColumn(*column, type, {});
  const auto& lists = static_cast<const arrow::ListArray&>(*column);
  LEAT_ASSIGN(ArrayPtr values, ToParquetType(lists.values(), *type.element));
  auto data = lists.data()->Copy();
  data->type = wanted;
  data->child_data[0] = values->data();
  return arrow::MakeArray(data);
}

bool RepeatsOften(const arrow::ArrayVector& parts) {
  int64_t rows = 0;
  for (const auto& part : parts) rows += part->length();
  if (rows == 0 || parts[0]->type_id() == arrow::Type::BOOL) return false;
  if (IsDictionary(parts[0])) return true;
  if (parts[0]->type_id() == arrow::Type::LIST) return true;
  // Runs of neighbours from all over: a step that is no power of two meets no pattern.
  const int64_t step = std::max<int64_t>(1, rows / kSampleRows);
  std::vector<uint64_t> sample;  // hashes: cheaper to sort than texts
  for (const auto& part : parts) {
    for (int64_t row = 0; row < part->length(); row += step) {
      if (!part->IsValid(row)) continue;
      const std::string_view bytes = ValueBytes(*part, row);
      sample.push_back(XXH3_64bits(bytes.data(), bytes.size()));
    }
  }
  std::sort(sample.begin(), sample.end());
  const auto distinct = std::unique(sample.begin(), sample.end()) - sample.begin();
  return distinct * 3 < static_cast<int64_t>(sample.size());
}

Status WriteColumn(const arrow::ArrayVector& parts, const Type& type, bool nullable,
                   parquet::ColumnWriter* writer, parquet::ArrowWriteContext* context) {
  arrow::ArrayVector converted;
  for (const auto& part : parts) {
    LEAT_ASSIGN(auto array, ToParquetType(part, type));
    converted.push_back(std::move(array));
  }
  const auto dictionaries = std::count_if(converted.begin(), converted.end(), IsDictionary);
  if (dictionaries == static_cast<int64_t>(converted.size())) {
    LEAT_ASSIGN(converted, UnifyDictionaries(converted));
  } else if (dictionaries > 0) {
    for (auto& part : converted) part = Plain(part);
  }
  Levels levels;
  for (const auto& part : converted) {
    if (part->length() == 0) continue;
    if (part->type_id() == arrow::Type::LIST) {
      levels = ListLevels(static_cast<const arrow::ListArray&>(*part), nullable);
    } else {
      FlatDefinitions(*part, &levels.definitions);
      levels.leaf = part;
    }
    const bool flat = levels.repetitions.empty();
    LEAT_RETURN(writer->WriteArrow(flat && !nullable ? nullptr : levels.definitions.data(),
                                   flat ? nullptr : levels.repetitions.data(),
                                   static_cast<int64_t>(levels.definitions.size()), *levels.leaf,
                                   context, nullable || !flat));
  }
  return Status::OK();
}

}  // namespace leat
