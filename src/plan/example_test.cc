// The example of every function and aggregate gives its answer. (That the answers are PostgreSQL's
// is asked of a real one by `make check-postgres`.)
#include <gtest/gtest.h>

#include "data/text.h"
#include "plan/once.h"
#include "sql/sql.h"

namespace leat {
namespace {

// What `SELECT example` answers, as text; an error's words if it fails.
std::string AnswerOf(const std::string& example, const EvalContext& context) {
  const Catalog catalog;
  const auto statements = ParseSql("SELECT " + example, {});
  if (!statements.ok()) return statements.status().ToString();
  const auto bound = Bind(*statements->front(), catalog);
  if (!bound.ok()) return bound.status().ToString();
  const Query& query = std::get<Select>(*bound).query;
  std::string answer;
  const auto no_relation = [](const std::string&, const BatchVisitor&) { return Status::OK(); };
  const Status status = RunOnce(query.root, no_relation, context, [&](const Batch& batch) {
    for (int64_t row = 0; row < batch.rows; ++row) {
      AppendText(*Plain(batch.columns[0]), row, query.root->schema.columns[0].type,
                 {.timezone = context.timezone, .now = context.now}, &answer);
    }
    return Status::OK();
  });
  return status.ok() ? answer : status.ToString();
}

TEST(Examples, GiveTheirAnswers) {
  EvalContext context;
  context.now = 1709287200123456;  // 2024-03-01 10:00:00.123456 UTC
  int examples = 0;
  for (const Function& function : AllFunctions()) {
    EXPECT_FALSE(function.description.empty()) << function.name;
    if (function.kernel == nullptr || function.example.empty()) continue;
    EXPECT_EQ(AnswerOf(function.example, context), function.answer) << function.example;
    ++examples;
  }
  for (const Aggregate& aggregate : AllAggregates()) {
    EXPECT_FALSE(aggregate.description.empty()) << aggregate.name;
    if (aggregate.example.empty()) continue;
    EXPECT_EQ(AnswerOf(aggregate.example, context), aggregate.answer) << aggregate.example;
    ++examples;
  }
  EXPECT_GT(examples, 300);
}

}  // namespace
}  // namespace leat
