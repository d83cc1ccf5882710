#include "plan/exchange.h"

#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "data/key.h"
#include "flow/row_errors.h"
#include "state/run.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr uint64_t kNullHash = 0x9E3779B97F4A7C15;

// The finalizer of splitmix64 (Steele, Lea, Flood, 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Adds hash(row) to each row's sum, so that the order of the columns does not matter.
template <typename Hash>
void AddHashes(const arrow::Array& array, const Hash& hash, std::vector<uint64_t>* sums) {
  const bool nulls = array.null_count() > 0;
  for (int64_t row = 0; row < array.length(); ++row) {
    (*sums)[static_cast<size_t>(row)] += nulls && array.IsNull(row) ? kNullHash : hash(row);
  }
}

template <typename Integer>
void AddIntegers(const arrow::Array& array, std::vector<uint64_t>* sums) {
  const Integer* values = array.data()->GetValues<Integer>(1);
  AddHashes(
      array,
      [&](int64_t row) { return Mix(static_cast<uint64_t>(static_cast<int64_t>(values[row]))); },
      sums);
}

template <typename Float>
void AddFloats(const arrow::Array& array, std::vector<uint64_t>* sums) {
  const Float* values = array.data()->GetValues<Float>(1);
  const auto hash = [&](int64_t row) {
    const auto value = static_cast<double>(values[row]);
    // One zero, one NaN, as keys compare.
    if (value == 0) return Mix(1);
    if (std::isnan(value)) return Mix(2);
    return Mix(std::bit_cast<uint64_t>(value));
  };
  AddHashes(array, hash, sums);
}

void AddTexts(const arrow::Array& array, std::vector<uint64_t>* sums) {
  if (array.type_id() != arrow::Type::DICTIONARY) {
    const auto& texts = static_cast<const arrow::BinaryArray&>(array);
    return AddHashes(
        array, [&](int64_t row) { return HashKey(texts.GetView(row)); }, sums);
  }
  const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
  const auto& texts = static_cast<const arrow::BinaryArray&>(*coded.dictionary());
  const auto* indices = coded.indices()->data()->GetValues<int32_t>(1);
  const auto hash = [&](int64_t at) {
    return texts.IsNull(at) ? kNullHash : HashKey(texts.GetView(at));
  };
  if (texts.length() > array.length()) {
    return AddHashes(
        *coded.indices(), [&](int64_t row) { return hash(indices[row]); }, sums);
  }
  std::vector<uint64_t> hashes(static_cast<size_t>(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) hashes[static_cast<size_t>(i)] = hash(i);
  AddHashes(
      *coded.indices(), [&](int64_t row) { return hashes[static_cast<size_t>(indices[row])]; },
      sums);
}

Status AddColumn(const ArrayPtr& array, const Type& type, std::vector<uint64_t>* sums) {
  switch (type.id) {
    case TypeId::kInt2:
      AddIntegers<int16_t>(*array, sums);
      return Status::OK();
    case TypeId::kInt4:
    case TypeId::kEnum:
    case TypeId::kDate:
      AddIntegers<int32_t>(*array, sums);
      return Status::OK();
    case TypeId::kInt8:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      AddIntegers<int64_t>(*array, sums);
      return Status::OK();
    case TypeId::kFloat4:
      AddFloats<float>(*array, sums);
      return Status::OK();
    case TypeId::kFloat8:
      AddFloats<double>(*array, sums);
      return Status::OK();
    case TypeId::kText:
    case TypeId::kVarchar:
      AddTexts(*array, sums);
      return Status::OK();
    default:
      break;
  }
  Strings keys;
  LEAT_RETURN(KeyEncoder({{.type = type}}).Encode({array}, array->length(), &keys));
  for (int64_t row = 0; row < keys.size(); ++row) {
    (*sums)[static_cast<size_t>(row)] += HashKey(keys[row]);
  }
  return Status::OK();
}

}  // namespace

Result<std::vector<uint8_t>> ShardsOf(const std::vector<ExprPtr>& keys, int shards,
                                      const Batch& batch, const EvalContext& context) {
  LEAT_CHECK(shards >= 1 && shards <= kShardsMax, "{} shards", shards);
  std::vector<uint64_t> sums(static_cast<size_t>(batch.rows), 0);
  for (const ExprPtr& key : keys) {
    ErrorMask errors(batch.rows);  // the operator rejects them; they are null here
    LEAT_ASSIGN(const ArrayPtr column, EvaluateColumn(*key, batch, context, &errors));
    LEAT_RETURN(AddColumn(column, key->type, &sums));
  }
  std::vector<uint8_t> numbers(static_cast<size_t>(batch.rows));
  for (size_t row = 0; row < numbers.size(); ++row) {
    const auto wide = static_cast<unsigned __int128>(Mix(sums[row]));
    numbers[row] = static_cast<uint8_t>((wide * static_cast<unsigned>(shards)) >> 64);
  }
  return numbers;
}

Result<std::vector<Batch>> SplitByShard(const std::vector<ExprPtr>& keys, int shards,
                                        const Batch& batch, const EvalContext& context) {
  LEAT_ASSIGN(const std::vector<uint8_t> numbers, ShardsOf(keys, shards, batch, context));
  std::vector<std::vector<int32_t>> rows(static_cast<size_t>(shards));
  for (auto& of_shard : rows) of_shard.reserve(numbers.size() / rows.size() * 9 / 8 + 16);
  for (size_t row = 0; row < numbers.size(); ++row) {
    rows[numbers[row]].push_back(static_cast<int32_t>(row));
  }
  std::vector<Batch> parts;
  for (const auto& of_shard : rows) {
    if (static_cast<int64_t>(of_shard.size()) == batch.rows) {
      parts.push_back(batch);
    } else if (of_shard.empty()) {
      parts.emplace_back();
    } else {
      LEAT_ASSIGN(Batch part, Take(batch, of_shard));
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

Result<Batch> MergeBySeq(const Schema& schema, const std::vector<Batch>& batches) {
  LEAT_ASSIGN(const Batch all, Concatenate(schema, batches));
  if (all.rows == 0) return all;
  const int64_t* seq = all.seq->raw_values();
  if (std::is_sorted(seq, seq + all.rows)) return all;
  std::vector<int32_t> rows(static_cast<size_t>(all.rows));
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](int32_t a, int32_t b) { return seq[a] < seq[b]; });
  return Take(all, rows);
}

}  // namespace leat
