// bit_and, bit_or, bit_xor: how many values have each bit, so that values can be taken back.
#include <array>

#include "func/aggregate_state.h"

namespace leat {
namespace {

using enum TypeId;

struct BitState {
  int64_t count = 0;
  std::array<int64_t, 64> ones{};  // values that have the bit
  void Save(std::string* out) const {
    SaveWord(count, out);
    SaveWord(ones, out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &count));
    return LoadWord(bytes, &ones);
  }
};

enum class BitFunction : uint8_t { kAnd, kOr, kXor };

template <typename T>
class BitAggregate final : public StateColumn<BitState> {
 public:
  explicit BitAggregate(BitFunction function) : function_(function) {}

  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const Values<T> values(args[0]);
    ForEachUpdate({groups, weights, mask, rows}, nulls,
                  [&](int64_t row, uint32_t group, int64_t weight) {
                    BitState& state = states_[group];
                    state.count += weight;
                    auto bits = static_cast<uint64_t>(static_cast<int64_t>(values[row]));
                    for (; bits != 0; bits &= bits - 1) {
                      state.ones[static_cast<size_t>(__builtin_ctzll(bits))] += weight;
                    }
                  });
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    const Type type = sizeof(T) == 2 ? kInt2 : sizeof(T) == 4 ? kInt4 : kInt8;
    return FinishFixed<T>(states_, groups, type, [&](const BitState& state, int64_t, T* out) {
      uint64_t bits = 0;
      for (size_t i = 0; i < state.ones.size(); ++i) {
        if (IsSet(state, i)) bits |= uint64_t{1} << i;
      }
      *out = static_cast<T>(bits);
      return state.count != 0;
    });
  }

 private:
  bool IsSet(const BitState& state, size_t bit) const {
    switch (function_) {
      case BitFunction::kAnd:
        return state.ones[bit] == state.count;
      case BitFunction::kOr:
        return state.ones[bit] != 0;
      case BitFunction::kXor:
        return state.ones[bit] % 2 != 0;
    }
    return false;
  }

  BitFunction function_;
};

template <BitFunction function>
std::unique_ptr<Accumulators> MakeBits(std::span<const Type> args) {
  if (args[0].id == kInt2) return std::make_unique<BitAggregate<int16_t>>(function);
  if (args[0].id == kInt4) return std::make_unique<BitAggregate<int32_t>>(function);
  return std::make_unique<BitAggregate<int64_t>>(function);
}

}  // namespace

void AddBitAggregates(std::vector<Aggregate>* out) {
  for (const TypeId type : {kInt4, kInt2, kInt8}) {
    const std::string values =
        fmt::format("(x) FROM (VALUES (6::{0}), (3::{0})) t(x)", TypeName(Type(type)));
    out->push_back(AggregateOf("bit_and", {type}, type, MakeBits<BitFunction::kAnd>,
                               "The bits that all values have", ("bit_and" + values).c_str(), "2"));
    out->push_back(AggregateOf("bit_or", {type}, type, MakeBits<BitFunction::kOr>,
                               "The bits that any value has", ("bit_or" + values).c_str(), "7"));
    out->push_back(AggregateOf("bit_xor", {type}, type, MakeBits<BitFunction::kXor>,
                               "The bits that an odd number of values has",
                               ("bit_xor" + values).c_str(), "5"));
  }
}

}  // namespace leat
