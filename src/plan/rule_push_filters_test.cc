#include <gtest/gtest.h>

#include "func/function.h"
#include "plan/rules.h"

namespace leat {
namespace {

LogicalPtr ScanOf(const std::string& name) {
  auto scan = std::make_shared<Logical>();
  scan->kind = LogicalKind::kScan;
  scan->relation = name;
  scan->columns = {0, 1};
  scan->schema = {{{name + "_k", TypeId::kInt8}, {name + "_v", TypeId::kInt8}}};
  return scan;
}

LogicalPtr Joined(JoinType type) {
  auto join = std::make_shared<Logical>();
  join->kind = LogicalKind::kJoin;
  join->join = type;
  join->children = {ScanOf("a"), ScanOf("b")};
  join->schema = join->children[0]->schema;
  for (const auto& column : join->children[1]->schema.columns)
    join->schema.columns.push_back(column);
  return join;
}

ExprPtr Equals(int a, int b) {
  const Type types[] = {TypeId::kInt8, TypeId::kInt8};
  const auto resolved = ResolveOperator("=", types, -1).ValueOrDie();
  return CallExpr(resolved.function, {ColumnExpr(a, TypeId::kInt8), ColumnExpr(b, TypeId::kInt8)},
                  TypeId::kBool);
}

LogicalPtr Filtered(LogicalPtr child, std::vector<ExprPtr> conjuncts) {
  auto both = std::make_shared<Expr>();
  both->kind = ExprKind::kAnd;
  both->type = TypeId::kBool;
  both->args = std::move(conjuncts);
  auto filter = std::make_shared<Logical>();
  filter->kind = LogicalKind::kFilter;
  filter->schema = child->schema;
  filter->children = {std::move(child)};
  filter->exprs = {both};
  return filter;
}

TEST(PushFilters, AnEqualityOfBothSidesBecomesAKeyAndTheRestGoesDown) {
  // a_k = b_k AND a_k = a_v AND b_k = b_v
  const auto plan =
      PushFilters(Filtered(Joined(JoinType::kInner), {Equals(0, 2), Equals(0, 1), Equals(2, 3)}));
  ASSERT_EQ(plan->kind, LogicalKind::kJoin);
  ASSERT_EQ(plan->left_keys.size(), 1u);
  EXPECT_EQ(ToString(*plan->left_keys[0]), "#0");
  EXPECT_EQ(ToString(*plan->right_keys[0]), "#0");
  EXPECT_EQ(plan->residual, nullptr);
  EXPECT_EQ(plan->children[0]->kind, LogicalKind::kFilter);
  ASSERT_EQ(plan->children[1]->kind, LogicalKind::kFilter);
  EXPECT_EQ(ToString(*plan->children[1]->exprs[0]), "(#0 = #1)");
}

TEST(PushFilters, WhatANullExtendedSideMustPassStaysAbove) {
  const auto plan = PushFilters(Filtered(Joined(JoinType::kLeft), {Equals(0, 1), Equals(2, 3)}));
  ASSERT_EQ(plan->kind, LogicalKind::kFilter);
  EXPECT_EQ(ToString(*plan->exprs[0]), "(#2 = #3)");
  const auto& join = plan->children[0];
  EXPECT_EQ(join->children[0]->kind, LogicalKind::kFilter);
  EXPECT_EQ(join->children[1]->kind, LogicalKind::kScan);
}

TEST(PushFilters, NothingPassesAFullJoin) {
  const auto plan = PushFilters(Filtered(Joined(JoinType::kFull), {Equals(0, 1), Equals(2, 3)}));
  ASSERT_EQ(plan->kind, LogicalKind::kFilter);
  EXPECT_EQ(plan->children[0]->children[0]->kind, LogicalKind::kScan);
  EXPECT_EQ(plan->children[0]->children[1]->kind, LogicalKind::kScan);
}

}  // namespace
}  // namespace leat
