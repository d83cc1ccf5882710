#include "state/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "state/index.h"

namespace leat {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "/leat_store_" + std::to_string(getpid());
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<StateStore> Open() {
    auto store = StateStore::Open(PosixFileSystem(), directory_);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return *std::move(store);
  }
  // Commits one operator "a" with a blob and a file; gives the file's name.
  std::string CommitOne() {
    auto store = Open();
    store->Begin();
    auto writer = store->Writer("a");
    EXPECT_TRUE(writer->PutBlob("counter", "7").ok());
    const std::string name = writer->PutFilePieces({"con", "", "tent"}).ValueOrDie();
    EXPECT_TRUE(store->Commit("epoch 3").ok());
    return name;
  }
  std::vector<std::string> Files() {
    auto names = PosixFileSystem()->List(directory_).ValueOrDie();
    std::erase_if(names, [](const std::string& name) { return !name.ends_with(".state"); });
    return names;
  }
  void Write(const std::string& name, std::string_view bytes) {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << bytes;
  }
  std::string Bytes(const std::string& name) {
    return std::string(PosixFileSystem()->Read(directory_ + "/" + name).ValueOrDie()->bytes());
  }

  std::string directory_;
};

TEST_F(StoreTest, GivesBackWhatWasCommitted) {
  EXPECT_FALSE(Open()->has_checkpoint());
  const std::string name = CommitOne();
  auto store = Open();
  EXPECT_TRUE(store->has_checkpoint());
  EXPECT_EQ(store->extra(), "epoch 3");
  EXPECT_EQ(store->operators(), std::vector<std::string>{"a"});
  auto reader = store->Reader("a");
  EXPECT_EQ(*reader->GetBlob("counter"), "7");
  EXPECT_EQ(*reader->GetFile(name).ValueOrDie(), "content");
  EXPECT_TRUE(reader->GetBlob("nothing").status().IsKeyError());
  EXPECT_TRUE(store->Reader("b")->GetBlob("counter").status().IsKeyError());
}

TEST_F(StoreTest, KeepsAndRemovesFiles) {
  const std::string first = CommitOne();
  auto store = Open();
  store->Begin();
  auto writer = store->Writer("a");
  ASSERT_TRUE(writer->KeepFile(first).ok());
  const std::string second = *writer->PutFile("more");
  // A checkpoint that is never committed: the next may still keep what it wrote.
  store->Begin();
  writer = store->Writer("a");
  ASSERT_TRUE(writer->KeepFile(second).ok());
  ASSERT_TRUE(store->Commit("").ok());
  EXPECT_EQ(Files(), std::vector<std::string>{second});
  EXPECT_TRUE(store->Reader("a")->GetFile(first).status().IsIOError());
}

TEST_F(StoreTest, ForgetsWhatACrashLeftBehind) {
  const std::string first = CommitOne();
  {
    auto store = Open();
    store->Begin();
    ASSERT_TRUE(store->Writer("a")->PutFile("not committed").ok());
    EXPECT_EQ(Files().size(), 2u);
  }
  auto store = Open();
  EXPECT_EQ(Files(), std::vector<std::string>{first});
  EXPECT_EQ(store->extra(), "epoch 3");
}

TEST_F(StoreTest, RefusesADamagedFile) {
  const std::string name = CommitOne();
  const std::string whole = Bytes(name);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    Write(name, damaged);
    EXPECT_TRUE(Open()->Reader("a")->GetFile(name).status().IsIOError()) << i;
    Write(name, whole.substr(0, i));
    const Status status = Open()->Reader("a")->GetFile(name).status();
    EXPECT_TRUE(status.IsIOError()) << i;
    EXPECT_NE(status.message().find("state directory"), std::string::npos);
  }
}

TEST_F(StoreTest, RefusesADamagedManifest) {
  CommitOne();
  const std::string whole = Bytes("manifest");
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    Write("manifest", damaged);
    EXPECT_TRUE(StateStore::Open(PosixFileSystem(), directory_).status().IsIOError()) << i;
    Write("manifest", whole.substr(0, i));
    EXPECT_TRUE(StateStore::Open(PosixFileSystem(), directory_).status().IsIOError()) << i;
  }
  Write("manifest", whole);
  for (const std::string& name : Files()) std::filesystem::remove(directory_ + "/" + name);
  EXPECT_TRUE(StateStore::Open(PosixFileSystem(), directory_).status().IsIOError());
}

TEST_F(StoreTest, HoldsATrace) {
  Strings keys, values;
  for (int i = 0; i < 10000; ++i) {
    keys.Append("key" + std::to_string(i));
    values.Append("value");
  }
  auto index = MakeIndex();
  ASSERT_TRUE(index->Apply(keys, values, std::vector<int64_t>(10000, 2)).ok());
  {
    auto store = Open();
    store->Begin();
    ASSERT_TRUE(index->Checkpoint(store->Writer("a").get()).ok());
    ASSERT_TRUE(store->Commit("").ok());
  }
  auto store = Open();
  auto restored = MakeIndex();
  ASSERT_TRUE(restored->Restore(store->Reader("a").get()).ok());
  int64_t sum = 0;
  ASSERT_TRUE(restored
                  ->Probe(keys,
                          [&](int64_t, std::string_view, int64_t weight) {
                            sum += weight;
                            return Status::OK();
                          })
                  .ok());
  EXPECT_EQ(sum, 20000);
}

}  // namespace
}  // namespace leat
