#include "flow/join_keys.h"

#include <arrow/array.h>

#include <bit>

#include "state/run.h"

namespace leat::join_internal {
namespace {

constexpr size_t kWordsMax = 2;

bool IsInteger(const Type& type) {
  switch (type.id) {
    case TypeId::kInt2:
    case TypeId::kInt4:
    case TypeId::kInt8:
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return true;
    default:
      return false;
  }
}

template <typename Value>
void AppendValues(const arrow::Array& array, std::vector<uint64_t>* out) {
  const auto* values = array.data()->GetValues<Value>(1);
  const size_t begin = out->size();
  out->resize(begin + static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    (*out)[begin + static_cast<size_t>(i)] = static_cast<uint64_t>(int64_t{values[i]});
  }
}

Status AppendIntegers(const arrow::Array& array, std::vector<uint64_t>* out) {
  switch (array.type_id()) {
    case arrow::Type::INT16:
      AppendValues<int16_t>(array, out);
      return Status::OK();
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      AppendValues<int32_t>(array, out);
      return Status::OK();
    case arrow::Type::INT64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      AppendValues<int64_t>(array, out);
      return Status::OK();
    default:
      return Status::TypeError("an integer key came as ", array.type()->ToString());
  }
}

// Moremur (Pelle Evensen): one to one, so that of one word the hash alone tells keys apart.
uint64_t Mix(uint64_t x) {
  x ^= x >> 27;
  x *= 0x3C79AC492BA7B653u;
  x ^= x >> 33;
  x *= 0x1C69B3F74AC4AE35u;
  return x ^ (x >> 27);
}

}  // namespace

int JoinKeys::WordsOf(const JoinSpec& spec) {
  if (spec.left_keys.empty() || spec.left_keys.size() > kWordsMax) return 0;
  for (size_t i = 0; i < spec.left_keys.size(); ++i) {
    if (i < spec.null_safe.size() && spec.null_safe[i]) return 0;
    if (!IsInteger(spec.left_keys[i]->type) || !IsInteger(spec.right_keys[i]->type)) return 0;
  }
  return static_cast<int>(spec.left_keys.size());
}

Status JoinKeys::Append(const JoinSpec& spec, int port, const KeyedColumns& keyed) {
  if (words_ > 0) LEAT_RETURN(AppendIntegers(*keyed.keys[0], &first_));
  if (words_ > 1) LEAT_RETURN(AppendIntegers(*keyed.keys[1], &second_));
  if (words_ > 0) return Status::OK();
  if (bytes_.size() == 0) return EncodeKeys(spec, port, keyed, &bytes_);
  Strings more;
  LEAT_RETURN(EncodeKeys(spec, port, keyed, &more));
  for (int64_t i = 0; i < more.size(); ++i) bytes_.Append(more[i]);
  return Status::OK();
}

int64_t JoinKeys::size() const {
  return words_ > 0 ? static_cast<int64_t>(first_.size()) : bytes_.size();
}

uint64_t JoinKeys::Hash(int64_t row) const {
  const auto at = static_cast<size_t>(row);
  if (words_ == 1) return Mix(first_[at]);
  if (words_ == 2) return Mix(first_[at] ^ Mix(second_[at] + 1));
  return HashKey(bytes_[row]);
}

bool JoinKeys::Same(int64_t row, const JoinKeys& others, int64_t other) const {
  if (words_ == 1) return true;
  const auto a = static_cast<size_t>(row), b = static_cast<size_t>(other);
  if (words_ == 2) return first_[a] == others.first_[b] && second_[a] == others.second_[b];
  return bytes_[row] == others.bytes_[other];
}

KeyTable::KeyTable(const JoinKeys& keys, const std::vector<uint8_t>& left_out) : keys_(keys) {
  const auto rows = static_cast<size_t>(keys_.size());
  slots_.assign(std::bit_ceil(rows * 2 + 1), {});
  next_.assign(rows, -1);
  // From the end, so that chains run in the order of the rows.
  for (int64_t row = keys_.size() - 1; row >= 0; --row) {
    if (!left_out.empty() && left_out[static_cast<size_t>(row)] != 0) continue;
    const uint64_t hash = keys_.Hash(row);
    Slot& slot = slots_[FindSlot(keys_, row, hash)];
    next_[static_cast<size_t>(row)] = slot.first;
    slot = {hash, static_cast<int32_t>(row)};
  }
}

}  // namespace leat::join_internal
