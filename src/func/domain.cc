// What a cast to a domain calls: the value, if it keeps the domain's constraints.
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

Result<Type> DomainOfFirst(std::span<const Type> args) { return args[0]; }

// (value, what must hold of it, the message if it does not)
template <bool check>
Result<ArrayPtr> Kept(const Call& call, Arguments args) {
  const auto& holds = static_cast<const arrow::BooleanArray&>(*args[1].array);
  const Texts messages(args[2]);
  for (int64_t row = 0; row < call.rows; ++row) {
    const int64_t at = args[1].at(row);
    if (!call.selection->Has(row) || holds.IsNull(at) || holds.Value(at)) continue;
    call.errors->Set(row, check ? "23514" : "23502", std::string(messages[row]));
  }
  if (!args[0].constant || call.rows == 1) return args[0].array;
  LEAT_ASSIGN(auto scalar, args[0].array->GetScalar(0));
  return arrow::MakeArrayFromScalar(*scalar, call.rows);
}

}  // namespace

void AddDomainFunctions(std::vector<Function>* out) {
  for (const bool check : {true, false}) {
    Function function = Spec(check ? "domain check" : "domain not null", {kUnknown, kBool, kText},
                             kUnknown, check ? Kept<true> : Kept<false>, {"A value of a domain"});
    function.strict = false;
    function.resolve = DomainOfFirst;
    out->push_back(std::move(function));
  }
}

}  // namespace leat
