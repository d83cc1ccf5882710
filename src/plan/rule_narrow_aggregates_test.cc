#include <gtest/gtest.h>

#include "plan/rules.h"

namespace leat {
namespace {

LogicalPtr CountBy(std::vector<int> keys, int width) {
  auto scan = std::make_shared<Logical>();
  scan->kind = LogicalKind::kScan;
  scan->relation = "t";
  for (int i = 0; i < width; ++i) {
    scan->columns.push_back(i);
    scan->schema.columns.push_back({std::string(1, static_cast<char>('a' + i)), TypeId::kInt8});
  }
  auto aggregate = std::make_shared<Logical>();
  aggregate->kind = LogicalKind::kAggregate;
  aggregate->children = {scan};
  for (const int key : keys) {
    aggregate->exprs.push_back(ColumnExpr(key, TypeId::kInt8));
    aggregate->schema.columns.push_back(scan->schema.columns[static_cast<size_t>(key)]);
  }
  return aggregate;
}

TEST(NarrowAggregates, OnlyWhatItReadsComesIn) {
  const LogicalPtr plan = NarrowAggregates(CountBy({3, 1}, 5));
  const Logical& project = *plan->children[0];
  ASSERT_EQ(project.kind, LogicalKind::kProject);
  ASSERT_EQ(project.schema.size(), 2);
  EXPECT_EQ(project.schema.columns[0].name, "b");
  EXPECT_EQ(ToString(*project.exprs[1]), "#3");
  EXPECT_EQ(ToString(*plan->exprs[0]), "#1");
  EXPECT_EQ(ToString(*plan->exprs[1]), "#0");
  EXPECT_EQ(plan->schema.columns[0].name, "d");
}

TEST(NarrowAggregates, WhatReadsAllOrNothingStays) {
  const LogicalPtr all = CountBy({0, 1}, 2), nothing = CountBy({}, 2);
  EXPECT_EQ(NarrowAggregates(all), all);
  EXPECT_EQ(NarrowAggregates(nothing), nothing);
}

}  // namespace
}  // namespace leat
