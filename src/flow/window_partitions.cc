#include "flow/window_partitions.h"

#include <algorithm>
#include <cstring>

#include "base/record.h"

namespace leat {
namespace {

// A partition beside its rows and states: table, slot, allocations.
constexpr int64_t kOverhead = 250;
// Of the limit, for what is in memory here.
constexpr int64_t kShare = 8;
// So many may wait for a checkpoint; of more, some are written after each small epoch.
constexpr size_t kWaitingMax = 1 << 14;
constexpr int64_t kSmallEpoch = 4096, kWrittenMin = 256;
constexpr int64_t kChunk = 1024;

}  // namespace

void KeptRows::Append(std::string_view row, int64_t rows_max) {
  rows_.Append(row);
  if (size() > rows_max) ++begin_;
  if (begin_ > rows_max + 16) Compact();
}

void KeptRows::Compact() {
  Strings kept;
  for (int64_t i = 0; i < size(); ++i) kept.Append((*this)[i]);
  rows_ = std::move(kept);
  begin_ = 0;
}

int64_t KeptRows::memory() const {
  return static_cast<int64_t>(rows_.bytes.capacity() + rows_.offsets.capacity() * sizeof(uint64_t));
}

WindowPartitions::WindowPartitions(size_t calls, int64_t rows_max)
    : calls_(calls),
      rows_max_(rows_max),
      memory_(StateMemory::Current()),
      account_(memory_),
      trace_(MakeIndex()) {}

uint32_t WindowPartitions::Add(std::string_view key) {
  uint32_t number = 0;
  if (free_.empty()) {
    number = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[number];
  slot.key = key;
  slot.live = true;
  slot.partition.states.resize(calls_);
  numbers_.emplace(key, number);
  return number;
}

Result<std::vector<uint32_t>> WindowPartitions::Resolve(const Strings& keys) {
  std::vector<uint32_t> numbers(static_cast<size_t>(keys.size()));
  std::vector<uint32_t> fresh;
  for (int64_t i = 0; i < keys.size(); ++i) {
    const auto found = numbers_.find(keys[i]);
    const uint32_t number = found != numbers_.end() ? found->second : Add(keys[i]);
    if (found == numbers_.end()) fresh.push_back(number);
    numbers[static_cast<size_t>(i)] = number;
  }
  touched_ += keys.size();
  if (fresh.empty() || trace_->stats().entries == 0) return numbers;
  // In the order of their keys, so that each block is read once.
  std::sort(fresh.begin(), fresh.end(),
            [this](uint32_t a, uint32_t b) { return slots_[a].key < slots_[b].key; });
  Strings sorted;
  for (const uint32_t number : fresh) sorted.Append(slots_[number].key);
  LEAT_RETURN(trace_->First(sorted, [&](int64_t i, std::string_view bytes, int64_t) {
    return Load(&slots_[fresh[static_cast<size_t>(i)]], bytes);
  }));
  return numbers;
}

// Number of kept rows, the rows, the states.
Status WindowPartitions::Load(Slot* slot, std::string_view bytes) const {
  RecordReader in(bytes);
  for (int64_t rows = in.Int(); rows > 0 && in.ok(); --rows) {
    slot->partition.kept.Append(in.Text(), rows_max_);
  }
  const std::string states = in.Text();
  LEAT_RETURN(in.status());
  std::string_view left = states;
  LEAT_RETURN(LoadStates(&left, &slot->partition.states));
  slot->rows = slot->partition.kept.size();
  slot->in_trace = true;
  return Status::OK();
}

void WindowPartitions::Changed(const std::vector<uint32_t>& numbers) {
  for (const uint32_t number : numbers) {
    Slot& slot = slots_[number];
    if (!slot.changed) changed_.push_back(number);
    slot.changed = true;
    const int64_t bytes = slot.partition.kept.memory() + kOverhead +
                          static_cast<int64_t>(slot.key.size() + calls_ * sizeof(CallState));
    bytes_ += bytes - slot.bytes;
    slot.bytes = bytes;
    rows_ += slot.partition.kept.size() - slot.rows;
    slot.rows = slot.partition.kept.size();
  }
}

// What the trace has of them goes, what they are now comes.
Status WindowPartitions::Write(int64_t count) {
  Strings keys, values, known;
  std::vector<int64_t> weights;
  std::string states;
  for (; count > 0 && !changed_.empty(); --count) {
    Slot& slot = slots_[changed_.front()];
    changed_.pop_front();
    RecordWriter out;
    out.Int(slot.partition.kept.size());
    for (int64_t i = 0; i < slot.partition.kept.size(); ++i) out.Text(slot.partition.kept[i]);
    states.clear();
    SaveStates(slot.partition.states, &states);
    out.Text(states);
    keys.Append(slot.key);
    values.Append(out.bytes());
    weights.push_back(1);
    if (slot.in_trace) known.Append(slot.key);
    slot.in_trace = true;
    slot.changed = false;
  }
  LEAT_RETURN(trace_->First(known, [&](int64_t i, std::string_view bytes, int64_t) {
    keys.Append(known[i]);
    values.Append(bytes);
    weights.push_back(-1);
    return Status::OK();
  }));
  return weights.empty() ? Status::OK() : trace_->Apply(keys, values, weights);
}

int64_t WindowPartitions::BytesMax() const {
  if (!memory_->limited()) return INT64_MAX;
  const int64_t share = memory_->limit() / kShare;
  return account_.asked() ? std::min(share, bytes_ / 2) : share;
}

Status WindowPartitions::Relieve() {
  account_.Set(bytes_);
  const int64_t bytes_max = BytesMax();
  if (bytes_ <= bytes_max) return Status::OK();
  static_cast<void>(memory_->Check());
  while (bytes_ > bytes_max && !numbers_.empty()) LEAT_RETURN(Cool(kChunk));
  account_.Set(bytes_);
  account_.Answered();
  return Status::OK();
}

// Some leave memory, in turn.
Status WindowPartitions::Cool(int64_t count) {
  // Those that changed are written together: what is looked up is looked up in the order of time.
  LEAT_RETURN(Write(static_cast<int64_t>(changed_.size())));
  for (; count > 0 && !numbers_.empty(); --count) {
    Slot& slot = slots_[cool_next_];
    if (slot.live) {
      numbers_.erase(slot.key);
      bytes_ -= slot.bytes;
      slot = Slot{};
      free_.push_back(cool_next_);
    }
    cool_next_ = static_cast<uint32_t>((cool_next_ + 1) % slots_.size());
  }
  return Status::OK();
}

Status WindowPartitions::EndEpoch() {
  const int64_t touched = std::exchange(touched_, 0);
  LEAT_RETURN(Relieve());
  if (touched > kSmallEpoch || changed_.size() <= kWaitingMax) return Status::OK();
  return Write(std::max(kWrittenMin, 2 * touched));
}

Status WindowPartitions::Checkpoint(StateWriter* writer) {
  LEAT_RETURN(Write(static_cast<int64_t>(changed_.size())));
  LEAT_RETURN(writer->PutBlob("rows", std::to_string(rows_)));
  return trace_->Checkpoint(writer);
}

Status WindowPartitions::Restore(StateReader* reader) {
  LEAT_ASSIGN(const std::string rows, reader->GetBlob("rows"));
  rows_ = std::atoll(rows.c_str());
  return trace_->Restore(reader);
}

int64_t WindowPartitions::bytes() const { return std::max(bytes_, trace_->stats().held); }

}  // namespace leat
