#include "run/net_changes.h"

#include <gtest/gtest.h>

#include "run/key_guard.h"
#include "run/rows_test.h"

namespace leat {
namespace {

TEST(NetChanges, GivesEachKeyOneVerdict) {
  NetChanges net("s", KeyValueSchema(), {0});
  ASSERT_TRUE(net.Add(Rows({{1, "a", 1}, {2, "b", -1}, {3, "c", -1}, {4, "d", 1}})).ok());
  ASSERT_TRUE(net.Add(Rows({{1, "a", -1}, {1, "a2", 1}, {3, "c2", 1}, {4, "d", -1}})).ok());
  std::vector<int64_t> deletes;
  std::map<int64_t, std::string> upserts;
  ASSERT_TRUE(net.Take([&](const Batch& batch) {
                   for (int64_t i = 0; i < batch.rows; ++i) {
                     if (batch.weight(i) < 0) {
                       EXPECT_TRUE(upserts.empty()) << "deletes come first";
                       deletes.push_back(KeyAt(batch, i));
                     } else {
                       upserts[KeyAt(batch, i)] = ValueAt(batch, i);
                     }
                   }
                   return Status::OK();
                 })
                  .ok());
  EXPECT_EQ(deletes, std::vector<int64_t>{2});
  EXPECT_EQ(upserts, (std::map<int64_t, std::string>{{1, "a2"}, {3, "c2"}}));
  EXPECT_TRUE(net.empty());
}

TEST(NetChanges, TwoRowsForAKeyAreRefusedByName) {
  NetChanges net("totals", KeyValueSchema(), {0});
  ASSERT_TRUE(net.Add(Rows({{7, "x", 1}, {7, "y", 1}})).ok());
  const Status status = net.Take([](const Batch&) { return Status::OK(); });
  ASSERT_NE(SqlErrorOf(status), nullptr);
  EXPECT_EQ(status.message(), "the query of sink \"totals\" gives two rows for one key (k)");
  EXPECT_EQ(SqlErrorOf(status)->detail, "The rows are (7, x) and (7, y).");
}

TEST(KeyGuard, CountsOverEpochs) {
  KeyGuard guard("totals", KeyValueSchema(), {0});
  ASSERT_TRUE(guard.Push(Rows({{1, "a", 1}, {2, "b", 1}})).ok());
  ASSERT_TRUE(guard.Finish().ok());
  // A second row may come while the first goes, in any order inside the epoch.
  ASSERT_TRUE(guard.Push(Rows({{1, "a2", 1}})).ok());
  ASSERT_TRUE(guard.Push(Rows({{1, "a", -1}})).ok());
  ASSERT_TRUE(guard.Finish().ok());
  ASSERT_TRUE(guard.Push(Rows({{2, "c", 1}})).ok());
  EXPECT_EQ(SqlErrorOf(guard.Finish())->sqlstate, "23505");
}

}  // namespace
}  // namespace leat
