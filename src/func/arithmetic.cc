// + - * / % of numbers.
#include "func/families.h"
#include "func/spec.h"

namespace leat {

void AddArithmeticFunctions(std::vector<Function>* out) {
  using enum TypeId;
  const std::vector<std::vector<Type>> binary = {
      {kInt4, kInt4, kInt4},       {kInt8, kInt8, kInt8},          {kInt2, kInt2, kInt2},
      {kFloat8, kFloat8, kFloat8}, {kNumeric, kNumeric, kNumeric}, {kFloat4, kFloat4, kFloat4},
      {kFloat4, kFloat8, kFloat8}, {kFloat8, kFloat4, kFloat8}};
  for (const char* symbol : {"+", "-", "*", "/", "%"}) {
    for (const auto& types : binary) {
      const bool is_float = types[0].is_float() || types[1].is_float();
      if (is_float && symbol[0] == '%') continue;
      out->push_back(Spec(symbol, {types[0], types[1]}, types[2], nullptr, {"Arithmetic"}));
    }
  }
  for (const char* symbol : {"+", "-"}) {
    for (const TypeId id : {kInt4, kInt8, kInt2, kFloat8, kNumeric, kFloat4}) {
      out->push_back(Spec(symbol, {id}, id, nullptr, {"Sign"}));
    }
  }
}

}  // namespace leat
