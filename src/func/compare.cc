// = <> < <= > >= for every type.
#include <array>

#include "func/families.h"

namespace leat {
namespace {

struct Operator {
  const char* symbol;
  const char* description;
  int number;
};

constexpr std::array kOperators = {
    Operator{"=", "Equal", 0},        Operator{"<>", "Not equal", 1},
    Operator{"<", "Less than", 2},    Operator{"<=", "Less than or equal to", 3},
    Operator{">", "Greater than", 4}, Operator{">=", "Greater than or equal to", 5},
};

}  // namespace

void AddComparisonFunctions(std::vector<Function>* out) {
  using enum TypeId;
  const Type any_array = Type::Array(kUnknown);
  const std::vector<std::pair<Type, Type>> pairs = {
      {kInt4, kInt4},     {kInt8, kInt8},           {kInt2, kInt2},
      {kFloat8, kFloat8}, {kFloat4, kFloat4},       {kFloat4, kFloat8},
      {kFloat8, kFloat4}, {kNumeric, kNumeric},     {kText, kText},
      {kChar, kChar},     {kBool, kBool},           {kBytea, kBytea},
      {kDate, kDate},     {kTimestamp, kTimestamp}, {kTimestamptz, kTimestamptz},
      {kTime, kTime},     {kInterval, kInterval},   {kUuid, kUuid},
      {kJsonb, kJsonb},   {any_array, any_array}};
  for (const Operator& op : kOperators) {
    for (const auto& [left, right] : pairs) {
      Function function;
      function.name = op.symbol;
      function.args = {left, right};
      function.result = kBool;
      function.common = left.id == kArray;
      function.description = op.description;
      out->push_back(std::move(function));
    }
  }
}

}  // namespace leat
