#include "plan/columns_read.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

LogicalPtr Over(LogicalKind kind, const LogicalPtr& child, const std::vector<int>& exprs) {
  auto node = std::make_shared<Logical>();
  node->kind = kind;
  node->children = {child};
  node->schema = child->schema;
  for (const int column : exprs) node->exprs.push_back(ColumnExpr(column, TypeId::kBool));
  if (kind == LogicalKind::kProject) node->schema.columns.resize(exprs.size());
  return node;
}

// Columns d, c, b, a of the relation "t" (a, b, c, d, e).
LogicalPtr Scan() {
  auto scan = std::make_shared<Logical>();
  scan->kind = LogicalKind::kScan;
  scan->relation = "t";
  scan->columns = {3, 2, 1, 0};
  scan->schema.columns.resize(4, {"x", TypeId::kBool});
  return scan;
}

std::string ReadBy(const LogicalPtr& plan, const char* relation = "t") {
  std::vector<bool> read(5, false);
  MarkColumnsRead(*plan, relation, &read);
  std::string names;
  for (size_t i = 0; i < read.size(); ++i) {
    if (read[i]) names += static_cast<char>('a' + i);
  }
  return names;
}

TEST(ColumnsRead, LooksThroughProjectionsAndFilters) {
  using enum LogicalKind;
  EXPECT_EQ(ReadBy(Scan()), "abcd");
  EXPECT_EQ(ReadBy(Scan(), "u"), "");
  EXPECT_EQ(ReadBy(Over(kProject, Scan(), {0})), "d");
  EXPECT_EQ(ReadBy(Over(kProject, Over(kFilter, Scan(), {1}), {0})), "cd");
  EXPECT_EQ(ReadBy(Over(kProject, Over(kProject, Scan(), {0, 3}), {1})), "ad");
}

TEST(ColumnsRead, AnythingElseWantsAllOfItsRows) {
  using enum LogicalKind;
  EXPECT_EQ(ReadBy(Over(kProject, Over(kDistinct, Scan(), {}), {0})), "abcd");
  EXPECT_EQ(ReadBy(Over(kProject, Over(kWindow, Over(kProject, Scan(), {2}), {}), {0})), "b");
}

}  // namespace
}  // namespace leat
