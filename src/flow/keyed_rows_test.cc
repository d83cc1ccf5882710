#include "flow/keyed_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include "flow/harness_test.h"

namespace leat {
namespace {

using slow::Cell;
using slow::Random;
using slow::Row;
using slow::Rows;

const Schema kSchema = slow::SchemaOf({TypeId::kInt4, TypeId::kText});
constexpr int64_t kUnchanged = -1;

// A change of a few keys, as a replica tells it.
struct Told {
  int64_t weight = 1;
  int64_t key = 0;
  int64_t value = 0;  // or kUnchanged
  bool moved = false;
};

std::string TextOf(int64_t value) { return fmt::format("v{}", value); }

// What has to come of it, by hand.
struct Model {
  std::map<int64_t, std::pair<int64_t, int64_t>> rows;  // key → value, `_seq`

  void Play(const std::vector<Told>& changes, int64_t seq) {
    std::map<int64_t, int64_t> seqs;
    for (const auto& [key, row] : rows) seqs[key] = row.second;
    int64_t gone = 0;
    for (const Told& told : changes) {
      const int64_t number = seq++;
      if (told.weight < 0) {
        gone = rows.contains(told.key) ? rows[told.key].first : 0;
        rows.erase(told.key);
        continue;
      }
      int64_t value = told.value;
      if (value == kUnchanged) value = told.moved ? gone : rows[told.key].first;
      rows[told.key] = {value, seqs.contains(told.key) ? seqs[told.key] : number};
    }
  }
  Rows Expected() const {
    Rows all;
    for (const auto& [key, row] : rows) {
      all.push_back({{Cell::Of(key, TypeId::kInt4), Cell::Of(TextOf(row.first))}, row.second});
    }
    return all;
  }
};

Batch BatchOf(const std::vector<Told>& changes, int64_t seq, Upserts* how) {
  Rows rows;
  std::vector<int64_t> weights;
  arrow::BooleanBuilder unchanged, moved;
  for (const Told& told : changes) {
    const bool none = told.weight < 0 || told.value == kUnchanged;
    rows.push_back({{Cell::Of(told.key, TypeId::kInt4),
                     none ? Cell::Null(TypeId::kText) : Cell::Of(TextOf(told.value))},
                    seq++});
    weights.push_back(told.weight);
    EXPECT_TRUE(unchanged.Append(told.weight > 0 && told.value == kUnchanged).ok());
    EXPECT_TRUE(moved.Append(told.moved).ok());
  }
  const auto flags = [](arrow::BooleanBuilder* builder) {
    return std::static_pointer_cast<arrow::BooleanArray>(builder->Finish().ValueOrDie());
  };
  how->unchanged = {nullptr, flags(&unchanged)};
  how->moved = flags(&moved);
  return slow::BatchOf(rows, kSchema, weights);
}

// What a database with these rows might do next.
std::vector<Told> Some(Random* random, Model model) {
  std::vector<Told> changes;
  int64_t value = slow::Pick(random, 0, 1000);
  for (int64_t n = slow::Pick(random, 0, 12); n > 0; --n) {
    const int64_t key = slow::Pick(random, 0, 9);
    const bool there = model.rows.contains(key);
    const int64_t what = slow::Pick(random, 0, 3);
    const size_t before = changes.size();
    if (!there || what == 0) {
      changes.push_back({1, key, ++value});
    } else if (what == 1) {
      changes.push_back({1, key, kUnchanged});
    } else {
      changes.push_back({-1, key});
      const int64_t other = slow::Pick(random, 0, 9);
      if (what == 3 && !model.rows.contains(other)) {
        changes.push_back({1, other, n % 2 == 0 ? kUnchanged : ++value, true});
      }
    }
    model.Play({changes.begin() + static_cast<int64_t>(before), changes.end()}, 0);
  }
  return changes;
}

Result<std::vector<int32_t>> AllMay(const Batch&) { return std::vector<int32_t>(); }
Status NothingLacks(const Batch&, int32_t row, int column) {
  return Status::Invalid("row ", row, " lacks column ", column);
}

void Play(uint64_t seed) {
  Random random(seed);
  const KeyedSpec spec{.schema = kSchema, .key = {0}};
  auto rows = std::make_unique<KeyedRows>(spec);
  slow::Collected collected(kSchema, true);
  MemoryStore store;
  Model model;
  int64_t seq = 1;
  for (int step = 0; step < 12; ++step) {
    Upserts how;
    if (slow::Pick(&random, 0, 5) == 0) {
      how.truncated = true;
      const int64_t up_to = slow::Pick(&random, 0, 12);
      if (up_to < 10) {
        Strings key;
        Upserts none;
        ASSERT_TRUE(rows->EncodeKeys(BatchOf({{1, up_to, 0}}, 0, &none), &key).ok());
        how.up_to = key[0];
      }
      model.rows.erase(model.rows.begin(), model.rows.upper_bound(up_to));
    }
    const std::vector<Told> changes = Some(&random, model);
    const Batch batch = BatchOf(changes, seq, &how);
    model.Play(changes, seq);
    // A row that a TRUNCATE took and that comes again with it is an update.
    const bool again = how.truncated;
    seq += batch.rows;
    ASSERT_TRUE(rows->Apply(batch, how, AllMay, NothingLacks,
                            [&](Batch delta) { return collected.Emit(std::move(delta)); })
                    .ok());
    if (again) {
      ASSERT_TRUE(rows->Scan([&](const Batch& there) {
                        for (const Row& row : slow::RowsOf(there, kSchema)) {
                          model.rows[row.cells[0].integer()].second = *row.seq;
                        }
                        return Status::OK();
                      })
                      .ok());
    }
    collected.ExpectEqual(model.Expected(), fmt::format("seed {} step {}", seed, step));
    if (testing::Test::HasFailure()) return;
    if (slow::Pick(&random, 0, 2) != 0) continue;
    store.Begin();
    ASSERT_TRUE(rows->Checkpoint(&store).ok());
    store.Commit();
    rows = std::make_unique<KeyedRows>(spec);
    ASSERT_TRUE(rows->Restore(&store).ok());
  }
}

TEST(KeyedRows, WhatIsToldBecomesADelta) {
  for (uint64_t seed = 0; seed < 60 && !HasFailure(); ++seed) Play(seed);
}

TEST(KeyedRows, RowsThatMayNotBeTakeTheirOldSelvesOut) {
  KeyedRows rows({.schema = kSchema, .key = {0}});
  slow::Collected collected(kSchema, true);
  std::vector<int32_t> refused;
  std::vector<int> lacking;
  const auto apply = [&](const std::vector<Told>& changes, int64_t seq) {
    Upserts how;
    const Batch batch = BatchOf(changes, seq, &how);
    ASSERT_TRUE(rows.Apply(
                        batch, how,
                        [&](const Batch&) -> Result<std::vector<int32_t>> { return refused; },
                        [&](const Batch&, int32_t, int column) {
                          lacking.push_back(column);
                          return Status::OK();
                        },
                        [&](Batch delta) { return collected.Emit(std::move(delta)); })
                    .ok());
  };
  const auto row = [](int64_t key, int64_t value, int64_t seq) {
    return Row{{Cell::Of(key, TypeId::kInt4), Cell::Of(TextOf(value))}, seq};
  };
  apply({{1, 1, 10}, {1, 2, 20}}, 1);
  collected.ExpectEqual({row(1, 10, 1), row(2, 20, 2)}, "both came");
  refused = {0};
  apply({{1, 1, 11}, {1, 2, 21}}, 3);
  collected.ExpectEqual({row(2, 21, 2)}, "the first was refused");
  refused.clear();
  apply({{1, 1, kUnchanged}}, 5);
  collected.ExpectEqual({row(2, 21, 2)}, "what it was is not known");
  EXPECT_EQ(lacking, (std::vector<int>{1}));
  apply({{1, 1, 12}}, 6);
  collected.ExpectEqual({row(1, 12, 6), row(2, 21, 2)}, "it is good again");
}

// Rows without a key: what is there is a bag, and a change takes out one of
// those that are equal.
void PlayWhole(uint64_t seed) {
  Random random(seed);
  const KeyedSpec spec{.schema = kSchema};
  auto rows = std::make_unique<KeyedRows>(spec);
  slow::Collected collected(kSchema, true);
  MemoryStore store;
  std::map<std::pair<int64_t, int64_t>, int64_t> model;  // row → how often
  int64_t seq = 1;
  for (int step = 0; step < 12; ++step) {
    Upserts how;
    how.truncated = slow::Pick(&random, 0, 7) == 0;
    if (how.truncated) model.clear();
    std::vector<Told> changes;
    for (int64_t n = slow::Pick(&random, 0, 12); n > 0; --n) {
      const Told told{.weight = slow::Pick(&random, 0, 1) == 0 ? 1 : -1,
                      .key = slow::Pick(&random, 0, 2),
                      .value = slow::Pick(&random, 0, 1)};
      int64_t& there = model[{told.key, told.value}];
      if (told.weight < 0 && there == 0) continue;
      there += told.weight;
      changes.push_back(told);
    }
    Rows told;
    std::vector<int64_t> weights;
    for (const Told& change : changes) {
      told.push_back(
          {{Cell::Of(change.key, TypeId::kInt4), Cell::Of(TextOf(change.value))}, seq++});
      weights.push_back(change.weight);
    }
    ASSERT_TRUE(rows->Apply(slow::BatchOf(told, kSchema, weights), how, AllMay, NothingLacks,
                            [&](Batch delta) { return collected.Emit(std::move(delta)); })
                    .ok());
    // What is held is what was said, numbers and all, and is what should be
    // there.
    Rows held;
    std::map<std::pair<int64_t, int64_t>, int64_t> counts;
    ASSERT_TRUE(rows->Scan([&](const Batch& batch) {
                      for (const Row& row : slow::RowsOf(batch, kSchema)) held.push_back(row);
                      return Status::OK();
                    })
                    .ok());
    for (const Row& row : held) {
      ++counts[{row.cells[0].integer(), row.cells[1].text() == TextOf(1) ? 1 : 0}];
    }
    std::erase_if(model, [](const auto& entry) { return entry.second == 0; });
    EXPECT_EQ(counts, model) << "seed " << seed << " step " << step;
    collected.ExpectEqual(held, fmt::format("seed {} step {}", seed, step));
    if (testing::Test::HasFailure()) return;
    if (slow::Pick(&random, 0, 2) != 0) continue;
    store.Begin();
    ASSERT_TRUE(rows->Checkpoint(&store).ok());
    store.Commit();
    rows = std::make_unique<KeyedRows>(spec);
    ASSERT_TRUE(rows->Restore(&store).ok());
  }
}

TEST(KeyedRows, WithoutAKeyEqualRowsAreAsGoodAsEachOther) {
  for (uint64_t seed = 0; seed < 60 && !HasFailure(); ++seed) PlayWhole(seed);
}

TEST(KeyedRows, WithoutAKeyARowThatWasRefusedIsNotThere) {
  KeyedRows rows({.schema = kSchema});
  slow::Collected collected(kSchema, true);
  const auto row = [](int64_t key, int64_t seq) {
    return Row{{Cell::Of(key, TypeId::kInt4), Cell::Of(TextOf(0))}, seq};
  };
  std::vector<int32_t> refused = {1};
  const auto apply = [&](const Rows& told, const std::vector<int64_t>& weights) {
    ASSERT_TRUE(rows.Apply(
                        slow::BatchOf(told, kSchema, weights), {},
                        [&](const Batch&) -> Result<std::vector<int32_t>> { return refused; },
                        NothingLacks, [&](Batch delta) { return collected.Emit(std::move(delta)); })
                    .ok());
  };
  apply({row(1, 1), row(2, 2), row(1, 3)}, {1, 1, 1});
  collected.ExpectEqual({row(1, 1), row(1, 3)}, "the second may not be");
  refused.clear();
  apply({row(2, 4), row(1, 5)}, {-1, -1});
  EXPECT_EQ(collected.net().size(), 1U);
}

}  // namespace
}  // namespace leat
