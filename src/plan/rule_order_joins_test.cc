#include <gtest/gtest.h>

#include "plan/rules.h"
#include "sql/build.h"

namespace leat {
namespace {

LogicalPtr Scan(const std::string& name) {
  return ScanOf(name, {{{name + "_k", TypeId::kInt8}, {name + "_v", TypeId::kInt8}}}, true, -1);
}

ExprPtr Column(int column) { return ColumnExpr(column, Type(TypeId::kInt8)); }

// FROM t0, t1, … as the binder has it, under its conditions.
LogicalPtr From(int tables, std::vector<ExprPtr> conjuncts) {
  LogicalPtr plan = Scan("t0");
  for (int i = 1; i < tables; ++i) plan = JoinOf(plan, Scan("t" + std::to_string(i)), {});
  return FilterOn(plan, Conjunction(std::move(conjuncts)));
}

int JoinsWithoutKeys(const Logical& node) {
  int count = node.kind == LogicalKind::kJoin && node.left_keys.empty() ? 1 : 0;
  for (const LogicalPtr& child : node.children) count += JoinsWithoutKeys(*child);
  return count;
}

TEST(OrderJoins, FollowsEqualities) {
  // t0.k = t2.k AND t2.v = t1.v: as written, t0 and t1 come first.
  const LogicalPtr plan =
      From(3, {EqualityOf(Column(0), Column(4)), EqualityOf(Column(5), Column(3))});
  EXPECT_EQ(JoinsWithoutKeys(*PushFilters(plan)), 1);
  const LogicalPtr ordered = ApplyRules(plan);
  EXPECT_EQ(JoinsWithoutKeys(*ordered), 0) << ToString(*ordered);
  ASSERT_EQ(ordered->schema.size(), 6);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(ordered->schema.columns[static_cast<size_t>(i)].name,
              plan->schema.columns[static_cast<size_t>(i)].name);
  }
}

TEST(OrderJoins, LeavesWhatIsInOrder) {
  const LogicalPtr plan =
      From(3, {EqualityOf(Column(0), Column(2)), EqualityOf(Column(2), Column(4))});
  EXPECT_EQ(ToString(*ApplyRules(plan)), ToString(*PushFilters(plan)));
  const LogicalPtr pairs = From(2, {});
  EXPECT_EQ(ToString(*ApplyRules(pairs)), ToString(*pairs));
}

TEST(OrderJoins, JoinsIslandsLast) {
  // t0.k = t2.k and t1.k = t3.k: two islands, one pairing of all with all.
  const LogicalPtr plan =
      From(4, {EqualityOf(Column(0), Column(4)), EqualityOf(Column(2), Column(6))});
  const LogicalPtr ordered = ApplyRules(plan);
  EXPECT_EQ(JoinsWithoutKeys(*ordered), 1) << ToString(*ordered);
}

// A ring of 64 tables is planned at once, and no join pairs all with all.
TEST(OrderJoins, TakesManyTables) {
  std::vector<ExprPtr> conjuncts;
  for (int i = 0; i < 63; ++i) {
    conjuncts.push_back(EqualityOf(Column(2 * (i * 37 % 64)), Column(2 * ((i + 1) * 37 % 64) + 1)));
  }
  EXPECT_EQ(JoinsWithoutKeys(*ApplyRules(From(64, conjuncts))), 0);
}

}  // namespace
}  // namespace leat
