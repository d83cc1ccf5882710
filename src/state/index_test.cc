#include "state/index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "state/memory.h"
#include "state/memory_store.h"
#include "state/sort.h"

namespace leat {
namespace {

using Content = std::map<std::pair<std::string, std::string>, int64_t>;
using Rows = std::vector<std::tuple<std::string, std::string, int64_t>>;

struct Delta {
  Strings keys, values;
  std::vector<int64_t> weights;
  void Add(std::string_view key, std::string_view value, int64_t weight) {
    keys.Append(key);
    values.Append(value);
    weights.push_back(weight);
  }
};

// The slow definition: a map, next to the index it checks.
class Model {
 public:
  // `limit`: of memory, as StateMemory's; what is beyond it is spilled to the store.
  Model(uint32_t seed, int64_t limit)
      : random_(seed), memory_({.limit = limit, .files = &store_}), index_(Make()) {
    key_count_ = Pick({1, 5, 300, 100000});
    value_count_ = Pick({1, 3, 1000});
    key_form_ = static_cast<int>(random_() % 3);
    delta_max_ = Pick({10, 200, 6000});
  }

  void Step() {
    Delta delta;
    const auto rows = random_() % (delta_max_ + 1);
    for (uint64_t i = 0; i < rows; ++i) {
      std::string key = Key(), value = std::to_string(random_() % value_count_);
      int64_t weight = static_cast<int64_t>(random_() % 4) - 1;
      if (random_() % 3 == 0 && !content_.empty()) {
        auto any = content_.lower_bound({key, value});
        if (any != content_.end()) {
          key = any->first.first;
          value = any->first.second;
          weight = -any->second;
        }
      }
      if (random_() % 10 == 0) value.clear();
      delta.Add(key, value, weight);
      auto& sum = content_[{key, value}];
      if ((sum += weight) == 0) content_.erase({key, value});
    }
    ASSERT_TRUE(index_->Apply(delta.keys, delta.values, delta.weights).ok());
  }

  void CheckProbe() {
    Strings keys;
    for (int i = 0; i < 600; ++i) keys.Append(Key());
    Rows got, wanted;
    auto status = index_->Probe(keys, [&](int64_t i, std::string_view value, int64_t weight) {
      got.emplace_back(std::to_string(i), value, weight);
      return Status::OK();
    });
    ASSERT_TRUE(status.ok());
    const std::vector<uint8_t> contains = index_->Contains(keys).ValueOrDie();
    for (int64_t i = 0; i < keys.size(); ++i) {
      const std::string key(keys[i]);
      bool any = false;
      for (auto at = content_.lower_bound({key, ""});
           at != content_.end() && at->first.first == key; ++at) {
        wanted.emplace_back(std::to_string(i), at->first.second, at->second);
        any = true;
      }
      ASSERT_EQ(contains[static_cast<size_t>(i)] != 0, any) << key;
    }
    ASSERT_EQ(got, wanted);

    Rows first, wanted_first;
    status = index_->First(keys, [&](int64_t i, std::string_view value, int64_t weight) {
      first.emplace_back(std::to_string(i), value, weight);
      return Status::OK();
    });
    ASSERT_TRUE(status.ok());
    for (const auto& row : wanted) {
      if (std::get<2>(row) <= 0) continue;
      const std::string& key = std::get<0>(row);
      if (wanted_first.empty() || std::get<0>(wanted_first.back()) != key) {
        wanted_first.push_back(row);
      }
    }
    ASSERT_EQ(first, wanted_first);
  }

  void CheckScan() {
    std::string begin = random_() % 3 == 0 ? "" : Key();
    std::string end = random_() % 3 == 0 ? "" : Key();
    const bool backward = random_() % 2 == 0;
    const size_t limit = random_() % 2 == 0 ? SIZE_MAX : random_() % 20;
    Rows got, wanted;
    const auto visit = [&](std::string_view key, std::string_view value, int64_t weight) {
      if (got.size() == limit) return Result<bool>(false);
      got.emplace_back(key, value, weight);
      return Result<bool>(true);
    };
    ASSERT_TRUE(index_->Scan(begin, end, backward, visit).ok());
    for (const auto& [entry, weight] : content_) {
      if (entry.first < begin || (!end.empty() && entry.first >= end)) continue;
      wanted.emplace_back(entry.first, entry.second, weight);
    }
    if (backward) std::reverse(wanted.begin(), wanted.end());
    if (wanted.size() > limit) wanted.resize(limit);
    ASSERT_EQ(got, wanted);
  }

  // The checkpoint holds what there was when it was taken, whatever came before it was written.
  void Restart() {
    store_.Begin();
    ASSERT_TRUE(index_->Checkpoint(&store_).ok());
    const Content content = content_;
    const bool restart = random_() % 2 == 0;
    if (random_() % 2 == 0) Step();
    store_.Commit();
    if (!restart) return;
    content_ = content;
    index_ = Make();
    ASSERT_TRUE(index_->Restore(&store_).ok());
    ASSERT_LE(index_->stats().runs, store_.files());
  }

  // All of another index becomes this one's, and its snapshots stay.
  void Absorb() {
    auto other = Make();
    other.swap(index_);
    Content before;
    before.swap(content_);
    const int steps = static_cast<int>(random_() % 6);
    for (int i = 0; i < steps; ++i) Step();
    const auto snapshot = index_->Snapshot();
    const Content content = content_;
    other.swap(index_);
    index_->Absorb(std::move(other));
    for (const auto& [entry, weight] : before) {
      if ((content_[entry] += weight) == 0) content_.erase(entry);
    }
    for (int i = 0; i < 3; ++i) Step();
    size_t seen = 0;
    const auto visit = [&](std::string_view key, std::string_view value, int64_t weight) {
      ++seen;
      return Result<bool>(content.at({std::string(key), std::string(value)}) == weight);
    };
    ASSERT_TRUE(snapshot->Scan("", "", false, visit).ok());
    ASSERT_EQ(seen, content.size());
  }

  // A snapshot stays what it was.
  void CheckSnapshot() {
    const auto snapshot = index_->Snapshot();
    const Content content = content_;
    for (int i = 0; i < 5; ++i) Step();
    auto at = content.begin();
    const auto visit = [&](std::string_view key, std::string_view value, int64_t weight) {
      const bool same = at != content.end() &&
                        at->first == std::pair(std::string(key), std::string(value)) &&
                        at->second == weight;
      ++at;
      return Result<bool>(same);
    };
    ASSERT_TRUE(snapshot->Scan("", "", false, visit).ok());
    ASSERT_TRUE(at == content.end());
  }

  int64_t spilled() const { return store_.files_made(); }
  int64_t held() const { return memory_.held(); }

  uint64_t Random() { return random_(); }

 private:
  std::unique_ptr<Index> Make() {
    const MemoryScope scope(&memory_);
    return MakeIndex();
  }
  uint64_t Pick(std::initializer_list<uint64_t> of) { return of.begin()[random_() % of.size()]; }
  std::string Key() {
    const uint64_t number = random_() % key_count_;
    if (key_form_ == 0) return std::to_string(number);
    if (key_form_ == 1) return std::string(number % 40, 'k') + std::to_string(number);
    return std::string("\x01\x80\x00\x00", 4) + static_cast<char>(number >> 8) +
           static_cast<char>(number) + std::string(number % 2, '\0');
  }

  std::mt19937_64 random_;
  MemoryStore store_;
  StateMemory memory_;
  std::unique_ptr<Index> index_;
  Content content_;
  uint64_t key_count_, value_count_, delta_max_;
  int key_form_;
};

void PlayModel(uint32_t seed, int64_t limit) {
  SCOPED_TRACE(fmt::format("seed {} limit {}", seed, limit));
  Model model(seed, limit);
  for (int step = 0; step < 40; ++step) {
    model.Step();
    if (step % 4 == 0) model.CheckProbe();
    if (step % 4 == 1) model.CheckScan();
    if (step % 10 == 7) model.CheckSnapshot();
    if (step % 10 == 9) model.Absorb();
    if (model.Random() % 8 == 0) model.Restart();
    if (testing::Test::HasFatalFailure()) return;
  }
  model.CheckProbe();
  model.CheckScan();
}

TEST(Index, EqualsAMap) {
  for (uint32_t seed = 0; seed < 10; ++seed) PlayModel(seed, INT64_MAX);
}

TEST(Index, EqualsAMapWhenSpilled) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    for (const int64_t limit : {1 << 10, 64 << 10, 1 << 20}) PlayModel(seed, limit);
  }
}

// Fills a trace of small values, well over the limit.
TEST(Index, KeepsToItsLimit) {
  MemoryStore store;
  constexpr int64_t kLimit = 4 << 20;
  StateMemory memory({.limit = kLimit, .files = &store});
  const MemoryScope scope(&memory);
  auto index = MakeIndex();
  std::mt19937_64 random(5);
  int64_t most = 0;
  for (int epoch = 0; epoch < 400; ++epoch) {
    Delta delta;
    for (int i = 0; i < 1000; ++i) delta.Add(std::to_string(random()), std::string(50, 'v'), 1);
    ASSERT_TRUE(index->Apply(delta.keys, delta.values, delta.weights).ok());
    most = std::max(most, memory.held());
  }
  EXPECT_GT(index->stats().file_bytes, 5 * kLimit);
  EXPECT_LT(most, kLimit);
  EXPECT_LT(index->stats().runs, 40);
}

// A value list that fills many blocks, probed and cut.
TEST(Index, AKeyMayFillManyBlocks) {
  MemoryStore store;
  Delta delta;
  for (int i = 0; i < 5000; ++i) {
    delta.Add("a", fmt::format("{:06}", i), 1);
    delta.Add("many", fmt::format("{:06}", i), i % 3 == 0 ? 2 : 1);
    delta.Add("z", fmt::format("{:06}", i), 1);
  }
  delta.Add("huge", std::string(1 << 20, 'h'), 1);
  auto index = MakeIndex();
  ASSERT_TRUE(index->Apply(delta.keys, delta.values, delta.weights).ok());
  ASSERT_TRUE(index->Checkpoint(&store).ok());
  store.Commit();
  auto restored = MakeIndex();
  ASSERT_TRUE(restored->Restore(&store).ok());
  Strings keys;
  for (const char* key : {"many", "huge", "none", "z"}) keys.Append(key);
  std::map<int64_t, int64_t> rows, weights;
  std::string before;
  ASSERT_TRUE(restored
                  ->Probe(keys,
                          [&](int64_t i, std::string_view value, int64_t weight) {
                            EXPECT_TRUE(rows[i] == 0 || before < value);
                            before = value;
                            rows[i] += 1;
                            weights[i] += weight;
                            return Status::OK();
                          })
                  .ok());
  EXPECT_EQ(rows[0], 5000);
  EXPECT_EQ(weights[0], 5000 + 1667);
  EXPECT_EQ(rows[1], 1);
  EXPECT_EQ(rows[2], 0);
  EXPECT_EQ(rows[3], 5000);
  for (const bool backward : {false, true}) {
    int64_t seen = 0;
    ASSERT_TRUE(restored
                    ->Scan("many", "z", backward,
                           [&](std::string_view key, std::string_view, int64_t) {
                             EXPECT_EQ(key, "many");
                             ++seen;
                             return Result<bool>(true);
                           })
                    .ok());
    EXPECT_EQ(seen, 5000);
  }
  // Taken back, half in the file and half in memory: nothing is left.
  for (int64_t& weight : delta.weights) weight = -weight;
  ASSERT_TRUE(restored->Apply(delta.keys, delta.values, delta.weights).ok());
  EXPECT_EQ(restored->Contains(keys).ValueOrDie(), std::vector<uint8_t>(4, 0));
}

TEST(Index, WhatCancelsLeavesNoMemory) {
  auto index = MakeIndex();
  for (int round = 0; round < 400; ++round) {
    Delta delta;
    for (int i = 0; i < 1000; ++i) {
      delta.Add("key" + std::to_string(i), "value", round % 2 == 0 ? 1 : -1);
    }
    ASSERT_TRUE(index->Apply(delta.keys, delta.values, delta.weights).ok());
  }
  EXPECT_LT(index->stats().entries, 8000);
  EXPECT_LT(index->stats().runs, 16);
}

TEST(SortedOrder, EqualsStdSort) {
  std::mt19937_64 random(7);
  for (const int count : {0, 1, 2, 100, 5000, 20000}) {
    Strings keys, values;
    for (int i = 0; i < count; ++i) {
      keys.Append("prefix" + std::string(random() % 3, '\0') + std::to_string(random() % 5000));
      values.Append(std::to_string(random() % 3));
    }
    const auto order = SortedOrder(keys, values);
    for (size_t i = 1; i < order.size(); ++i) {
      const auto before = std::pair(keys[order[i - 1]], values[order[i - 1]]);
      ASSERT_LE(before, std::pair(keys[order[i]], values[order[i]]));
    }
  }
}

TEST(SplitByKey, KeepsOrderAndPairs) {
  std::mt19937_64 random(9);
  for (const uint64_t key_count : {2u, 1000u, 10000000u}) {
    Delta delta;
    for (int i = 0; i < 300000; ++i) {
      const std::string number = std::to_string(random() % key_count);
      delta.Add("key" + std::string(8 - number.size(), '0') + number, std::to_string(i), i);
    }
    const auto parts = SplitByKey(delta.keys, delta.values, delta.weights);
    ASSERT_FALSE(parts.empty());
    std::string greatest;
    int64_t pairs = 0;
    for (const Pairs& part : parts) {
      const std::string before = greatest;
      for (int64_t i = 0; i < part.keys.size(); ++i) {
        ASSERT_TRUE(before.empty() || part.keys[i] > before);
        greatest = std::max(greatest, std::string(part.keys[i]));
        const int64_t row = part.weights[static_cast<size_t>(i)];
        ASSERT_EQ(part.keys[i], delta.keys[row]);
        ASSERT_EQ(part.values[i], delta.values[row]);
        ++pairs;
      }
    }
    ASSERT_EQ(pairs, delta.keys.size());
  }
}

// The parts of a large delta make the same run.
TEST(Index, EqualsAMapInBulk) {
  std::mt19937_64 random(11);
  Delta delta;
  Content content;
  for (int i = 0; i < 300000; ++i) {
    const std::string key = std::to_string(random() % 200000);
    const std::string value = std::to_string(random() % 2);
    const int64_t weight = static_cast<int64_t>(random() % 3) - 1;
    delta.Add(key, value, weight);
    auto& sum = content[{key, value}];
    if ((sum += weight) == 0) content.erase({key, value});
  }
  auto index = MakeIndex();
  ASSERT_TRUE(index->Apply(delta.keys, delta.values, delta.weights).ok());
  auto at = content.begin();
  const auto visit = [&](std::string_view key, std::string_view value, int64_t weight) {
    const bool same = at != content.end() &&
                      at->first == std::pair(std::string(key), std::string(value)) &&
                      at->second == weight;
    ++at;
    return Result<bool>(same);
  };
  ASSERT_TRUE(index->Scan("", "", false, visit).ok());
  EXPECT_TRUE(at == content.end());
}

class BrokenFile : public testing::Test {
 protected:
  void SetUp() override {
    Delta delta;
    for (int i = 0; i < 2000; ++i) delta.Add(std::to_string(i), "value", 1);
    auto index = MakeIndex();
    ASSERT_TRUE(index->Apply(delta.keys, delta.values, delta.weights).ok());
    store_.Begin();
    ASSERT_TRUE(index->Checkpoint(&store_).ok());
    store_.Commit();
    ASSERT_EQ(store_.names().size(), 1u);
    file_ = store_.names()[0];
  }
  // The first error of opening the trace and reading all of it.
  Status Read() {
    auto index = MakeIndex();
    LEAT_RETURN(index->Restore(&store_));
    return index->Scan("", "", false, [](std::string_view, std::string_view, int64_t) {
      return Result<bool>(true);
    });
  }
  MemoryStore store_;
  std::string file_;
};

TEST_F(BrokenFile, AnyBitIsNoticed) {
  ASSERT_TRUE(Read().ok());
  const size_t size = (*store_.GetFile(file_))->size();
  for (size_t at = 0; at < size; at += 37) {
    store_.Damage(file_, at);
    const Status status = Read();
    ASSERT_TRUE(status.IsIOError()) << at;
    EXPECT_NE(status.message().find(file_), std::string::npos);
    EXPECT_NE(status.message().find("state directory"), std::string::npos);
    store_.Damage(file_, at);
  }
}

TEST_F(BrokenFile, ANewerFormatIsRefusedByName) {
  const std::string whole(**store_.GetFile(file_));
  std::string newer = whole;
  newer[newer.size() - 16] = 9;  // the version, before the foot's size and checksum
  store_.Begin();
  ASSERT_TRUE(store_.PutBlob("runs", *store_.PutFile(newer) + "\n").ok());
  store_.Commit();
  const Status status = Read();
  ASSERT_TRUE(status.IsIOError());
  EXPECT_NE(status.message().find("newer version"), std::string::npos) << status.ToString();
}

TEST_F(BrokenFile, OneThatIsCutOffIsRefused) {
  const std::string whole(**store_.GetFile(file_));
  for (const size_t size : {size_t{0}, size_t{10}, whole.size() / 2, whole.size() - 1}) {
    store_.Begin();
    ASSERT_TRUE(store_.PutBlob("runs", *store_.PutFile(whole.substr(0, size)) + "\n").ok());
    store_.Commit();
    EXPECT_TRUE(Read().IsIOError()) << size;
  }
}

}  // namespace
}  // namespace leat
