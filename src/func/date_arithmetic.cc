// + - * / of dates, times and intervals.
#include "func/families.h"
#include "func/spec.h"

namespace leat {

void AddDateArithmeticFunctions(std::vector<Function>* out) {
  using enum TypeId;
  const auto add = [&](const char* symbol, TypeId left, TypeId right, TypeId result) {
    out->push_back(Spec(symbol, {left, right}, result, nullptr, {"Date arithmetic"}));
  };
  add("+", kDate, kInt4, kDate);
  add("+", kInt4, kDate, kDate);
  add("+", kDate, kInterval, kTimestamp);
  add("+", kInterval, kDate, kTimestamp);
  add("+", kDate, kTime, kTimestamp);
  add("+", kTime, kDate, kTimestamp);
  add("+", kTimestamp, kInterval, kTimestamp);
  add("+", kInterval, kTimestamp, kTimestamp);
  add("+", kTimestamptz, kInterval, kTimestamptz);
  add("+", kInterval, kTimestamptz, kTimestamptz);
  add("+", kTime, kInterval, kTime);
  add("+", kInterval, kTime, kTime);
  add("+", kInterval, kInterval, kInterval);
  add("-", kDate, kInt4, kDate);
  add("-", kDate, kDate, kInt4);
  add("-", kDate, kInterval, kTimestamp);
  add("-", kTimestamp, kTimestamp, kInterval);
  add("-", kTimestamp, kInterval, kTimestamp);
  add("-", kTimestamptz, kTimestamptz, kInterval);
  add("-", kTimestamptz, kInterval, kTimestamptz);
  add("-", kTime, kTime, kInterval);
  add("-", kTime, kInterval, kTime);
  add("-", kInterval, kInterval, kInterval);
  add("*", kInterval, kFloat8, kInterval);
  add("*", kFloat8, kInterval, kInterval);
  add("/", kInterval, kFloat8, kInterval);
  out->push_back(Spec("-", {kInterval}, kInterval, nullptr, {"Date arithmetic"}));
}

}  // namespace leat
