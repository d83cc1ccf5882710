// Every function's example gives its answer. (That the answers are PostgreSQL's is asked of a real
// one by `make check-postgres`.)
#include <arrow/array/util.h>
#include <gtest/gtest.h>

#include "func/little_sql_test.h"

namespace leat {
namespace {

TEST(Examples, GiveTheirAnswers) {
  EvalContext context;
  context.now = 1709287200123456;  // 2024-03-01 10:00:00.123456 UTC
  int examples = 0;
  for (const Function& function : AllFunctions()) {
    EXPECT_FALSE(function.description.empty()) << function.name;
    if (function.kernel == nullptr || function.example.empty()) continue;
    EXPECT_EQ(little_sql::Answer(function.example, context), function.answer) << function.example;
    ++examples;
  }
  EXPECT_GT(examples, 100);
}

}  // namespace
}  // namespace leat
