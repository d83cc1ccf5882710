// & | # ~ << >> of integers.
#include <type_traits>

#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

enum class BitOp : uint8_t { kAnd, kOr, kXor };

template <BitOp op, typename T>
Result<ArrayPtr> Combine(const Call& call, Arguments args) {
  const Values<T> left(args[0]), right(args[1]);
  return MapRows<T>(call, args, [&](int64_t row) -> T {
    const T a = left[row], b = right[row];
    return static_cast<T>(op == BitOp::kAnd ? a & b : op == BitOp::kOr ? a | b : a ^ b);
  });
}

template <typename T>
Result<ArrayPtr> Not(const Call& call, Arguments args) {
  const Values<T> values(args[0]);
  return MapRows<T>(call, args, [&](int64_t row) { return static_cast<T>(~values[row]); });
}

// As the processors that PostgreSQL runs on do: only the low bits of the count are looked at, five
// of them for smallint too.
template <bool left, typename T>
Result<ArrayPtr> Shift(const Call& call, Arguments args) {
  using Word = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  using Bits = std::make_unsigned_t<Word>;
  const Values<T> values(args[0]);
  const Values<int32_t> counts(args[1]);
  return MapRows<T>(call, args, [&](int64_t row) {
    const int by = counts[row] & (static_cast<int>(sizeof(Word)) * 8 - 1);
    const Word value = values[row];
    return static_cast<T>(left ? static_cast<Word>(static_cast<Bits>(value) << by) : value >> by);
  });
}

template <typename T>
void AddBitsOf(TypeId id, const char* cast, std::vector<Function>* out) {
  const auto add = [&](const char* symbol, Kernel kernel, const char* sentence,
                       const char* answer) {
    const std::string example = fmt::format("91{0} {1} 15{0}", cast, symbol);
    out->push_back(Spec(symbol, {id, id}, id, kernel, {sentence, example.c_str(), answer}));
  };
  add("&", Combine<BitOp::kAnd, T>, "Bits that both have", "11");
  add("|", Combine<BitOp::kOr, T>, "Bits that one has", "95");
  add("#", Combine<BitOp::kXor, T>, "Bits that only one has", "84");
  const std::string negated = fmt::format("~ (1{})", cast);
  out->push_back(Spec("~", {id}, id, Not<T>, {"All bits turned", negated.c_str(), "-2"}));
  const std::string up = fmt::format("1{} << 4", cast), down = fmt::format("(-8){} >> 2", cast);
  out->push_back(Spec("<<", {id, kInt4}, id, Shift<true, T>, {"Moved up", up.c_str(), "16"}));
  out->push_back(Spec(">>", {id, kInt4}, id, Shift<false, T>,
                      {"Moved down, keeping the sign", down.c_str(), "-2"}));
}

}  // namespace

void AddBitFunctions(std::vector<Function>* out) {
  AddBitsOf<int32_t>(kInt4, "", out);
  AddBitsOf<int64_t>(kInt8, "::bigint", out);
  AddBitsOf<int16_t>(kInt2, "::smallint", out);
}

}  // namespace leat
