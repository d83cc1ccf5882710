// nextval and its kin: they ask the session, once for every row.
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// f(sequences, row) gives a row's number.
template <typename F>
Result<ArrayPtr> Ask(const Call& call, Arguments args, F f) {
  Sequences* sequences = call.context->sequences;
  if (sequences == nullptr) return NotSupported("a sequence is not supported here");
  return MapRows<int64_t>(call, args, [&](int64_t row) -> int64_t {
    const Result<int64_t> number = f(*sequences, row);
    if (number.ok()) return *number;
    SetError(call, row, number.status());
    return 0;
  });
}

Result<ArrayPtr> NextDrawn(const Call& call, Arguments args) {
  const Texts names(args[0]);
  return Ask(call, args, [&](Sequences& all, int64_t row) { return all.Next(names[row]); });
}

Result<ArrayPtr> CurrentlyDrawn(const Call& call, Arguments args) {
  const Texts names(args[0]);
  return Ask(call, args, [&](Sequences& all, int64_t row) { return all.Current(names[row]); });
}

Result<ArrayPtr> LastDrawn(const Call& call, Arguments args) {
  return Ask(call, args, [](Sequences& all, int64_t) { return all.Last(); });
}

Result<ArrayPtr> SetSequence(const Call& call, Arguments args) {
  const Texts names(args[0]);
  const Values<int64_t> values(args[1]);
  return Ask(call, args, [&](Sequences& all, int64_t row) -> Result<int64_t> {
    bool called = true;
    if (args.size() == 3) called = Bools(args[2])[row] != 0;
    LEAT_RETURN(all.Set(names[row], values[row], called));
    return values[row];
  });
}

void AddDrawing(const char* name, std::vector<Type> args, Kernel kernel, const char* description,
                std::vector<Function>* out) {
  Function function = Spec(name, std::move(args), kInt8, kernel, {description});
  function.volatility = Volatility::kVolatile;
  out->push_back(std::move(function));
}

}  // namespace

void AddSequenceFunctions(std::vector<Function>* out) {
  AddDrawing("nextval", {kText}, NextDrawn, "Draws the next number of a sequence", out);
  AddDrawing("currval", {kText}, CurrentlyDrawn,
             "The number that this session drew last from a sequence", out);
  AddDrawing("lastval", {}, LastDrawn, "The number that this session drew last", out);
  AddDrawing("setval", {kText, kInt8}, SetSequence, "Sets the number that a sequence gave last",
             out);
  AddDrawing("setval", {kText, kInt8, kBool}, SetSequence,
             "Sets a sequence's number, and whether it was given already", out);
}

}  // namespace leat
