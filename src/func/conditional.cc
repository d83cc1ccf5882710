// Nulls and truth: IS …, NOT, NULLIF, GREATEST, LEAST.
#include "func/families.h"
#include "func/spec.h"

namespace leat {
namespace {

Result<Type> FirstArgument(std::span<const Type> args) { return args[0]; }

}  // namespace

void AddConditionalFunctions(std::vector<Function>* out) {
  using enum TypeId;
  const auto common = [](Function function) {
    function.common = true;
    return function;
  };
  out->push_back(Spec("not", {kBool}, kBool, nullptr, {"Logical negation"}));
  out->push_back(Spec("is null", {kUnknown}, kBool, nullptr, {"Is it null?"}));
  out->push_back(Spec("is not null", {kUnknown}, kBool, nullptr, {"Is it not null?"}));
  for (const char* name :
       {"is true", "is not true", "is false", "is not false", "is unknown", "is not unknown"}) {
    out->push_back(Spec(name, {kBool}, kBool, nullptr, {"Tests a truth value, never null"}));
  }
  for (const char* name : {"is distinct from", "is not distinct from"}) {
    out->push_back(common(
        Spec(name, {kUnknown, kUnknown}, kBool, nullptr, {"Compares, treating null as a value"})));
  }
  for (const char* name : {"greatest", "least"}) {
    Function function = common(Spec(name, {kUnknown, kUnknown}, kUnknown, nullptr,
                                    {"Of the arguments that are not null"}));
    function.variadic = true;
    function.resolve = FirstArgument;
    out->push_back(std::move(function));
  }
  Function nullif = common(Spec("nullif", {kUnknown, kUnknown}, kUnknown, nullptr,
                                {"Null if the arguments are equal, else the first"}));
  nullif.resolve = FirstArgument;
  out->push_back(std::move(nullif));
}

}  // namespace leat
