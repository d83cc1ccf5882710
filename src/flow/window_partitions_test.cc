// What is kept of partitions, beside a plain map: with all memory and with next to none, through
// checkpoints and restarts.
#include "flow/window_partitions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "state/memory_store.h"

namespace leat {
namespace {

constexpr int64_t kRowsMax = 3;

using KeptRows = std::map<std::string, std::vector<std::string>>;

void Add(WindowPartitions* partitions, KeptRows* model, const std::vector<std::string>& keys,
         leat::Random* random) {
  Strings encoded;
  for (const std::string& key : keys) encoded.Append(key);
  const auto numbers = partitions->Resolve(encoded).ValueOrDie();
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string row = std::to_string(random->Below(1000));
    Partition& partition = (*partitions)[numbers[i]];
    auto& rows = (*model)[keys[i]];
    ASSERT_EQ(partition.kept.size(), static_cast<int64_t>(rows.size())) << keys[i];
    for (size_t j = 0; j < rows.size(); ++j) {
      ASSERT_EQ(partition.kept[static_cast<int64_t>(j)], rows[j]) << keys[i];
    }
    ASSERT_EQ(partition.states[0].rows, static_cast<int64_t>(rows.size()));
    partition.kept.Append(row, kRowsMax);
    rows.push_back(row);
    if (rows.size() > kRowsMax) rows.erase(rows.begin());
    partition.states[0].rows = static_cast<int64_t>(rows.size());
  }
  partitions->Changed(numbers);
  ASSERT_TRUE(partitions->Relieve().ok());
}

void PlayPartitions(uint64_t seed, int64_t limit) {
  SCOPED_TRACE(fmt::format("seed {} limit {}", seed, limit));
  leat::Random random(seed);
  MemoryStore store;
  StateMemory memory({.limit = limit, .files = &store});
  const MemoryScope scope(&memory);
  auto partitions = std::make_unique<WindowPartitions>(1, kRowsMax);
  KeptRows model;
  for (int step = 0; step < 60 && !testing::Test::HasFatalFailure(); ++step) {
    std::vector<std::string> keys;
    for (uint64_t n = random.Below(20); n > 0; --n) {
      keys.push_back("key " + std::to_string(random.Below(200)));
    }
    Add(partitions.get(), &model, keys, &random);
    if (random.OneIn(3)) {
      ASSERT_TRUE(partitions->EndEpoch().ok());
    }
    if (!random.OneIn(8)) continue;
    store.Begin();
    ASSERT_TRUE(partitions->Checkpoint(&store).ok());
    store.Commit();
    partitions = std::make_unique<WindowPartitions>(1, kRowsMax);
    ASSERT_TRUE(partitions->Restore(&store).ok());
  }
  int64_t rows = 0;
  for (const auto& [key, kept] : model) rows += static_cast<int64_t>(kept.size());
  EXPECT_EQ(partitions->rows(), rows);
}

TEST(WindowPartitions, AreWhatAMapWouldKeep) {
  for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFatalFailure(); ++seed) {
    for (const int64_t limit : {INT64_MAX, int64_t{64 << 10}, int64_t{1 << 10}})
      PlayPartitions(seed, limit);
  }
}

// Of many partitions a checkpoint writes those that changed.
TEST(WindowPartitions, ACheckpointWritesWhatChanged) {
  leat::Random random(1);
  MemoryStore store;
  WindowPartitions partitions(1, kRowsMax);
  KeptRows model;
  std::vector<std::string> all;
  for (int i = 0; i < 5000; ++i) all.push_back("key " + std::to_string(i));
  Add(&partitions, &model, all, &random);
  const auto bytes_of_checkpoint = [&] {
    const auto before = store.names();
    store.Begin();
    EXPECT_TRUE(partitions.Checkpoint(&store).ok());
    store.Commit();
    int64_t bytes = 0;
    for (const std::string& name : store.names()) {
      if (std::find(before.begin(), before.end(), name) != before.end()) continue;
      bytes += (*store.OpenFile(name))->size();
    }
    return bytes;
  };
  const int64_t first = bytes_of_checkpoint();
  Add(&partitions, &model, {"key 7", "key 4711"}, &random);
  EXPECT_LT(bytes_of_checkpoint(), first / 10);
}

}  // namespace
}  // namespace leat
