// What accumulators are made of: columns of states that grow in chunks, loops over rows, bytes of
// states. Private to func.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "func/aggregate.h"
#include "func/kernel.h"

namespace leat {

// A state per group, in chunks that never move, except that the first begins small and doubles.
template <typename T>
class Chunks {
 public:
  T& operator[](uint32_t group) { return chunks_[group >> kBits][group & kMask]; }
  const T& operator[](uint32_t group) const { return chunks_[group >> kBits][group & kMask]; }

  void Resize(int64_t groups) {
    if (groups <= room_) return;
    if (room_ < kChunk) GrowFirst(groups);
    while (room_ < groups) {
      chunks_.push_back(std::make_unique<T[]>(kChunk));
      room_ += kChunk;
    }
  }
  int64_t memory() const { return room_ * static_cast<int64_t>(sizeof(T)); }

 private:
  static constexpr int kBits = 16;
  static constexpr int64_t kChunk = int64_t{1} << kBits;
  static constexpr uint32_t kMask = kChunk - 1;

  void GrowFirst(int64_t groups) {
    int64_t room = room_ == 0 ? 16 : room_;
    while (room < groups && room < kChunk) room *= 2;
    auto first = std::make_unique<T[]>(static_cast<size_t>(room));
    for (int64_t i = 0; i < room_; ++i) {
      first[static_cast<size_t>(i)] = std::move(chunks_[0][static_cast<size_t>(i)]);
    }
    if (chunks_.empty()) chunks_.emplace_back();
    chunks_[0] = std::move(first);
    room_ = room;
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  int64_t room_ = 0;
};

// Bytes of a state: words as they are in memory.
template <typename T>
void SaveWord(const T& value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}
template <typename T>
Status LoadWord(std::string_view* bytes, T* value) {
  if (bytes->size() < sizeof(T)) return Status::Invalid("an aggregate's state is cut off");
  std::memcpy(value, bytes->data(), sizeof(T));
  bytes->remove_prefix(sizeof(T));
  return Status::OK();
}

// The rows of one Update.
struct UpdateRows {
  const uint32_t* groups;
  const int64_t* weights;
  const uint8_t* mask;
  int64_t rows;
};

// Calls f(row, group, weight) for the rows that count and are not null. The common case, every row
// once, is a loop of its own.
template <typename F>
void ForEachUpdate(const UpdateRows& in, const Nulls& nulls, F f) {
  if (in.weights == nullptr && in.mask == nullptr && nulls.bitmap == nullptr) {
    for (int64_t row = 0; row < in.rows; ++row) f(row, in.groups[row], int64_t{1});
    return;
  }
  for (int64_t row = 0; row < in.rows; ++row) {
    if ((in.mask != nullptr && in.mask[row] == 0) || nulls.Has(row)) continue;
    f(row, in.groups[row], in.weights == nullptr ? int64_t{1} : in.weights[row]);
  }
}

// The part of Accumulators that does not depend on the function. A State is default constructible
// (empty), movable, and has Save(string*) const and Load(string_view*).
template <typename State>
class StateColumn : public Accumulators {
 public:
  Status Resize(int64_t groups) override {
    states_.Resize(groups);
    return Status::OK();
  }
  void Clear(uint32_t group) override { states_[group] = State{}; }
  void Save(uint32_t group, std::string* out) const override { states_[group].Save(out); }
  Status Load(uint32_t group, std::string_view bytes) override {
    State state;
    LEAT_RETURN(state.Load(&bytes));
    if (!bytes.empty()) return Status::Invalid("an aggregate's state is too long");
    states_[group] = std::move(state);
    return Status::OK();
  }
  int64_t memory() const override { return states_.memory(); }

 protected:
  Chunks<State> states_;
};

// An aggregate of one argument whose state takes a value at a time: State::Add(value, weight).
// Reader gives the argument's value by row.
template <typename State, typename Reader>
class FoldedColumn : public StateColumn<State> {
 public:
  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const Reader values(args[0]);
    ForEachUpdate({groups, weights, mask, rows}, nulls,
                  [&](int64_t row, uint32_t group, int64_t weight) {
                    this->states_[group].Add(values[row], weight);
                  });
    return Status::OK();
  }
};

// An answer per group of fixed width: f(state, position, T* out) gives whether there is one.
template <typename T, typename State, typename F>
Result<ArrayPtr> FinishFixed(const Chunks<State>& states, std::span<const uint32_t> groups,
                             const Type& type, F f) {
  const auto rows = static_cast<int64_t>(groups.size());
  LEAT_ASSIGN(auto values, AllocateValues(rows, sizeof(T)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(rows));
  T* out = values->template mutable_data_as<T>();
  for (int64_t i = 0; i < rows; ++i) {
    out[i] = T{};
    if (f(states[groups[static_cast<size_t>(i)]], i, out + i)) {
      arrow::bit_util::SetBit(valid->mutable_data(), i);
    }
  }
  return FixedColumn(type, rows, std::move(values),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

using MakeAccumulators = std::unique_ptr<Accumulators> (*)(std::span<const Type> args);

std::unique_ptr<Accumulators> MakeCount(std::span<const Type> args);
// sum and avg of integers, floats, numerics and intervals, by args[0].
std::unique_ptr<Accumulators> MakeSum(std::span<const Type> args);
std::unique_ptr<Accumulators> MakeAverage(std::span<const Type> args);
std::unique_ptr<Accumulators> MakeNumericSum(bool average);
std::unique_ptr<Accumulators> MakeIntervalSum(bool average);
std::unique_ptr<Accumulators> MakeMin(std::span<const Type> args);
std::unique_ptr<Accumulators> MakeMax(std::span<const Type> args);
std::unique_ptr<Accumulators> MakeBoolAnd(std::span<const Type> args);
std::unique_ptr<Accumulators> MakeBoolOr(std::span<const Type> args);

// An aggregate's spec; the rest is filled in by who adds it.
Aggregate AggregateOf(std::string name, std::vector<Type> args, Type result, MakeAccumulators make,
                      const char* description, const char* example, const char* answer);
// The families, one file each.
void AddBitAggregates(std::vector<Aggregate>* out);
void AddStatistics(std::vector<Aggregate>* out);
void AddFolds(std::vector<Aggregate>* out);
void AddJsonAggregates(std::vector<Aggregate>* out);

}  // namespace leat
