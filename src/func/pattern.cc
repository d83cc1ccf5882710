// || and LIKE.
#include "func/families.h"
#include "func/spec.h"

namespace leat {

void AddTextOperators(std::vector<Function>* out) {
  using enum TypeId;
  out->push_back(Spec("||", {kText, kText}, kText, nullptr, {"Concatenates"}));
  out->push_back(Spec("||", {kText, kUnknown}, kText, nullptr, {"Concatenates"}));
  out->push_back(Spec("||", {kUnknown, kText}, kText, nullptr, {"Concatenates"}));
  out->push_back(Spec("||", {kBytea, kBytea}, kBytea, nullptr, {"Concatenates"}));
  for (const char* symbol : {"~~", "!~~", "~~*", "!~~*"}) {
    out->push_back(Spec(symbol, {kText, kText}, kBool, nullptr, {"Matches a LIKE pattern"}));
    out->push_back(Spec(symbol, {kChar, kText}, kBool, nullptr, {"Matches a LIKE pattern"}));
  }
}

}  // namespace leat
