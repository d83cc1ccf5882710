#include "state/group_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "state/group_log.h"
#include "state/memory_store.h"

namespace leat {
namespace {

// A table with a number per group, beside a map; checkpoints in between.
class TableModel {
 public:
  explicit TableModel(uint32_t seed) : random_(seed) {
    keys_max_ = random_() % 2 == 0 ? 50 : 20000;
  }

  void Step() {
    Strings keys;
    for (uint64_t n = random_() % 300; n > 0; --n) keys.Append(Key());
    std::vector<uint32_t> ids(static_cast<size_t>(keys.size()));
    table_.FindOrInsert(keys, ids.data());
    states_.Resize(table_.capacity());
    for (int64_t i = 0; i < keys.size(); ++i) {
      const uint32_t id = ids[static_cast<size_t>(i)];
      ASSERT_EQ(table_.key(id), keys[i]);
      states_[id] = slow_[std::string(keys[i])] += 1;
      log_.Touch(id);
    }
    for (uint64_t n = random_() % 200; n > 0; --n) {
      const std::string key = Key();
      const uint32_t id = table_.Find(key);
      ASSERT_EQ(id != GroupTable::kNone, slow_.contains(key));
      if (id == GroupTable::kNone) continue;
      log_.Erased(key);
      table_.Erase(id);
      slow_.erase(key);
    }
  }

  void Restart() {
    const auto save = [&](uint32_t id, std::string* out) { *out += std::to_string(states_[id]); };
    store_.Begin();
    ASSERT_TRUE(log_.Checkpoint(table_, save, &store_).ok());
    store_.Commit();
    if (random_() % 2 == 0) return;
    table_ = {};
    log_ = {};
    states_ = {};
    const auto load = [&](uint32_t id, std::string_view state) {
      states_.Resize(table_.capacity());
      states_[id] = std::stoll(std::string(state));
      return Status::OK();
    };
    // What has no room leaves the table, and comes back when all is read.
    std::map<std::string, int64_t> out;
    const bool crowded = random_() % 3 == 0;
    const auto relieve = [&]() {
      if (!crowded || random_() % 2 == 0) return Status::OK();
      for (uint32_t id = 0; id < table_.capacity(); ++id) {
        EXPECT_TRUE(out.emplace(table_.key(id), states_[id]).second) << table_.key(id);
      }
      table_ = {};
      return Status::OK();
    };
    const auto elsewhere = [&](const Strings& keys) -> Result<std::vector<uint8_t>> {
      std::vector<uint8_t> are(static_cast<size_t>(keys.size()));
      for (size_t i = 0; i < are.size(); ++i) {
        are[i] = out.contains(std::string(keys[static_cast<int64_t>(i)])) ? 1 : 0;
      }
      return are;
    };
    ASSERT_TRUE(log_.Restore(&table_, load, relieve, elsewhere, &store_).ok());
    if (out.empty()) return;
    log_ = {};
    for (const auto& [key, state] : out) {
      const uint32_t id = table_.FindOrInsert(key);
      states_.Resize(table_.capacity());
      states_[id] = state;
    }
    for (uint32_t id = 0; id < table_.capacity(); ++id) log_.Touch(id);
  }

  void Check() {
    ASSERT_EQ(table_.size(), static_cast<int64_t>(slow_.size()));
    for (const auto& [key, count] : slow_) {
      const uint32_t id = table_.Find(key);
      ASSERT_NE(id, GroupTable::kNone) << key;
      ASSERT_EQ(states_[id], count) << key;
    }
    ASSERT_LT(store_.files(), 16);
  }

 private:
  std::string Key() {
    const uint64_t number = random_() % keys_max_;
    return std::string(number % 30 == 7 ? 20000 : number % 5, 'x') + std::to_string(number);
  }

  std::mt19937_64 random_;
  uint64_t keys_max_;
  GroupTable table_;
  GroupLog log_;
  Chunked<int64_t> states_;
  std::map<std::string, int64_t> slow_;
  MemoryStore store_;
};

TEST(GroupTable, EqualsAMapThroughCheckpoints) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    TableModel model(seed);
    for (int step = 0; step < 60; ++step) {
      model.Step();
      if (step % 3 == 0) model.Restart();
      if (step % 10 == 9) model.Check();
      if (HasFatalFailure()) return;
    }
  }
}

TEST(GroupTable, UsesNumbersAgain) {
  GroupTable table;
  EXPECT_EQ(table.FindOrInsert("a"), 0u);
  EXPECT_EQ(table.FindOrInsert("b"), 1u);
  table.Erase(0);
  EXPECT_EQ(table.Find("a"), GroupTable::kNone);
  EXPECT_EQ(table.FindOrInsert("c"), 0u);
  EXPECT_EQ(table.FindOrInsert("b"), 1u);
  EXPECT_EQ(table.size(), 2);
}

TEST(GroupLog, RefusesADamagedFile) {
  GroupTable table;
  GroupLog log;
  log.Touch(table.FindOrInsert("a"));
  MemoryStore store;
  const auto save = [](uint32_t, std::string* out) { *out += "state"; };
  ASSERT_TRUE(log.Checkpoint(table, save, &store).ok());
  store.Commit();
  const std::string name = "file-1";
  const std::string bytes(**store.GetFile(name));
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (size == 8) continue;  // a whole file of no group
    store.Begin();
    const std::string cut = *store.PutFile(std::string_view(bytes).substr(0, size));
    ASSERT_TRUE(store.PutBlob("groups", "2\n0 1 1\n" + cut + "\n").ok());
    store.Commit();
    GroupTable restored;
    const auto load = [](uint32_t, std::string_view) { return Status::OK(); };
    const auto relieve = [] { return Status::OK(); };
    const auto elsewhere = [](const Strings&) { return std::vector<uint8_t>(); };
    EXPECT_TRUE(GroupLog().Restore(&restored, load, relieve, elsewhere, &store).IsIOError())
        << size;
  }
}

}  // namespace
}  // namespace leat
