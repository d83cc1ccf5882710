#include <gtest/gtest.h>

#include "flow/harness_test.h"

namespace leat {
namespace {

using slow::Cell;
using slow::Random;
using slow::Row;
using slow::Rows;

// Upserts and deletes of few keys against a map, with restarts.
void Check(uint64_t seed) {
  Random random(seed);
  UpsertSpec spec{.input = slow::RandomSchema(&random, {TypeId::kInt4, TypeId::kText}, 2),
                  .key = {0}};
  if (seed % 2 == 0) spec.key.push_back(1);
  auto op = MakeUpsert(spec).ValueOrDie();
  slow::Collected collected(spec.input, false);
  MemoryStore store;
  std::map<std::string, Row> present;
  for (int epoch = 1; epoch <= 8; ++epoch) {
    for (int64_t parts = slow::Pick(&random, 0, 3); parts > 0; --parts) {
      Rows rows;
      std::vector<int64_t> weights;
      for (int64_t n = slow::Pick(&random, 1, 8); n > 0; --n) {
        Row row = slow::RandomRow(&random, spec.input);
        Row key;
        for (const int column : spec.key)
          key.cells.push_back(row.cells[static_cast<size_t>(column)]);
        const bool deleted = slow::Pick(&random, 0, 3) == 0;
        rows.push_back(row);
        weights.push_back(deleted ? -1 : 1);
        present[slow::Identity(key)] = deleted ? Row{} : row;
      }
      const Batch batch = slow::BatchOf(rows, spec.input, weights);
      ASSERT_TRUE(op->Push(0, batch, {}, &collected).ok());
    }
    ASSERT_TRUE(op->Finish({.number = epoch}, {}, &collected).ok());
    Rows expected;
    for (const auto& [key, row] : present) {
      if (!row.cells.empty()) expected.push_back(row);
    }
    collected.ExpectEqual(expected, fmt::format("seed {} epoch {}", seed, epoch));
    if (testing::Test::HasFailure()) return;
    if (slow::Pick(&random, 0, 1) == 0) continue;
    store.Begin();
    ASSERT_TRUE(op->Checkpoint(&store).ok());
    store.Commit();
    op = MakeUpsert(spec).ValueOrDie();
    ASSERT_TRUE(op->Restore(&store).ok());
  }
}

TEST(Upsert, HoldsTheLastRowOfEachKey) {
  for (uint64_t seed = 0; seed < 100 && !HasFailure(); ++seed) Check(seed);
}

TEST(Upsert, AnUpdateKeepsItsSeq) {
  UpsertSpec spec{.input = slow::SchemaOf({TypeId::kInt4, TypeId::kInt4}), .key = {0}};
  auto op = MakeUpsert(spec).ValueOrDie();
  slow::Collected collected(spec.input, true);
  const auto row = [](int64_t key, int64_t value, int64_t seq) {
    return Row{{Cell::Of(key, TypeId::kInt4), Cell::Of(value, TypeId::kInt4)}, seq};
  };
  const auto play = [&](const Rows& rows, const std::vector<int64_t>& weights) {
    ASSERT_TRUE(op->Push(0, slow::BatchOf(rows, spec.input, weights), {}, &collected).ok());
    ASSERT_TRUE(op->Finish({}, {}, &collected).ok());
  };
  play({row(1, 10, 1), row(2, 20, 2)}, {1, 1});
  play({row(1, 12, 4), row(1, 11, 3)}, {1, 1});  // the later `_seq` wins, wherever it stands
  collected.ExpectEqual({row(1, 12, 1), row(2, 20, 2)}, "updated");
  play({row(1, 0, 5)}, {-1});
  play({row(1, 13, 6)}, {1});
  collected.ExpectEqual({row(1, 13, 6), row(2, 20, 2)}, "deleted and back");
}

}  // namespace
}  // namespace leat
