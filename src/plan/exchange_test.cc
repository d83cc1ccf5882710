#include "plan/exchange.h"

#include <gtest/gtest.h>

#include "flow/slow_test.h"

namespace leat {
namespace {

using slow::Random;

TEST(Exchange, EqualKeysHaveOneShardWhateverTheirBytesAndTheOrderOfTheColumns) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const Schema schema = slow::RandomSchema(&random, {slow::RandomType(&random)}, 1);
    slow::Rows rows;
    for (int i = 0; i < 100; ++i) rows.push_back(slow::RandomRow(&random, schema));
    const Batch batch = slow::BatchOf(rows, schema);
    std::vector<ExprPtr> exprs = slow::AllColumns(schema);
    std::vector<KeyColumn> columns;
    for (const ExprPtr& expr : exprs) columns.push_back({.type = expr->type});
    Strings keys;
    ASSERT_TRUE(KeyEncoder(columns).Encode(batch.columns, batch.rows, &keys).ok());
    const auto shards = ShardsOf(exprs, 7, batch, {}).ValueOrDie();
    std::map<std::string_view, int> first;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const int shard = shards[static_cast<size_t>(i)];
      EXPECT_LT(shard, 7);
      EXPECT_EQ(first.emplace(keys[i], shard).first->second, shard) << "seed " << seed;
    }
    std::reverse(exprs.begin(), exprs.end());
    EXPECT_EQ(ShardsOf(exprs, 7, batch, {}).ValueOrDie(), shards);
  }
}

std::shared_ptr<arrow::Array> Texts(const std::vector<const char*>& values, bool dictionary) {
  arrow::StringBuilder plain;
  arrow::StringDictionary32Builder coded;
  for (const char* value : values) {
    EXPECT_TRUE((value == nullptr ? plain.AppendNull() : plain.Append(value)).ok());
    EXPECT_TRUE((value == nullptr ? coded.AppendNull() : coded.Append(value)).ok());
  }
  return dictionary ? coded.Finish().ValueOrDie() : plain.Finish().ValueOrDie();
}

TEST(Exchange, ADictionaryIsHashedAsItsValues) {
  std::vector<const char*> values = {"a", nullptr, "bb", "a", "a long text of some bytes"};
  for (int i = 0; i < 20; ++i) values.push_back("bb");
  const std::vector<ExprPtr> keys = {ColumnExpr(0, TypeId::kText)};
  std::vector<uint8_t> expected;
  for (const bool dictionary : {false, true}) {
    const auto column = Texts(values, dictionary);
    const Batch batch{.rows = column->length(), .columns = {column}};
    const auto shards = ShardsOf(keys, 5, batch, {}).ValueOrDie();
    if (!dictionary) expected = shards;
    EXPECT_EQ(shards, expected);
    // Fewer rows than the dictionary has values, not from its beginning.
    const auto two = ShardsOf(keys, 5, Slice(batch, 3, 2), {}).ValueOrDie();
    EXPECT_EQ(two, std::vector<uint8_t>(expected.begin() + 3, expected.begin() + 5));
  }
}

TEST(Exchange, SplittingKeepsEachShardsOrderAndMergingTheWhole) {
  Random random(1);
  const Schema schema = slow::SchemaOf({TypeId::kInt4, TypeId::kText});
  slow::Rows rows;
  for (int i = 0; i < 1000; ++i) {
    rows.push_back(slow::RandomRow(&random, schema));
    rows.back().seq = i;
  }
  const Batch batch = slow::BatchOf(rows, schema);
  const std::vector<ExprPtr> keys = {ColumnExpr(0, TypeId::kInt4)};
  const auto parts = SplitByShard(keys, 4, batch, {}).ValueOrDie();
  ASSERT_EQ(parts.size(), 4u);
  const auto shards = ShardsOf(keys, 4, batch, {}).ValueOrDie();
  std::vector<Batch> present;
  for (size_t shard = 0; shard < parts.size(); ++shard) {
    const Batch& part = parts[shard];
    for (int64_t i = 0; i < part.rows; ++i) {
      EXPECT_EQ(shards[static_cast<size_t>(part.seq->Value(i))], shard);
      if (i > 0) {
        EXPECT_LT(part.seq->Value(i - 1), part.seq->Value(i));
      }
    }
    if (part.rows > 0) present.push_back(part);
  }
  EXPECT_GT(present.size(), 1u);
  const Batch merged = MergeBySeq(schema, present).ValueOrDie();
  ASSERT_EQ(merged.rows, batch.rows);
  EXPECT_TRUE(merged.seq->Equals(*batch.seq));
  EXPECT_TRUE(merged.columns[1]->Equals(*batch.columns[1]));
}

}  // namespace
}  // namespace leat
