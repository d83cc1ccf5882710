#include "state/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "state/index.h"
#include "state/memory.h"

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
    const std::string name = writer->PutFile("content").ValueOrDie();
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
    Write("00000017.state", "not committed");
    EXPECT_EQ(Files().size(), 2u);
  }
  auto store = Open();
  EXPECT_EQ(Files(), std::vector<std::string>{first});
  EXPECT_EQ(store->extra(), "epoch 3");
}

TEST_F(StoreTest, ASpilledFileLivesAsLongAsItIsRead) {
  auto store = Open();
  auto maker = store->files()->NewFile().ValueOrDie();
  ASSERT_TRUE(maker->Append("spilled").ok());
  auto file = maker->Finish().ValueOrDie();
  store->Begin();
  ASSERT_TRUE(store->Commit("").ok());
  EXPECT_EQ(Files(), std::vector<std::string>{file->name()});
  char bytes[7];
  ASSERT_TRUE(file->ReadAt(0, 7, bytes).ok());
  EXPECT_EQ(std::string_view(bytes, 7), "spilled");
  file = nullptr;
  EXPECT_TRUE(Files().empty());
  // One that is given up leaves nothing.
  maker = store->files()->NewFile().ValueOrDie();
  ASSERT_TRUE(maker->Append("half").ok());
  maker = nullptr;
  EXPECT_TRUE(Files().empty());
  // One that a checkpoint keeps stays without a reader, and after a restart.
  maker = store->files()->NewFile().ValueOrDie();
  file = maker->Finish().ValueOrDie();
  const std::string name = file->name();
  store->Begin();
  ASSERT_TRUE(store->Writer("a")->KeepFile(name).ok());
  file = nullptr;  // the trace has moved on before the checkpoint is written
  ASSERT_TRUE(store->Prepare("")->Commit().ok());
  store = Open();
  EXPECT_EQ(Files(), std::vector<std::string>{name});
}

// A disk without room, from the file `fail_at` on.
class FullDisk : public FileSystem {
 public:
  int64_t writes_left = INT64_MAX;

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    if (--writes_left < 0) return Status::IOError("No space left on device");
    return PosixFileSystem()->OpenAppend(path);
  }
  Result<std::unique_ptr<FileBytes>> Read(const std::string& path) override {
    return PosixFileSystem()->Read(path);
  }
  Status Truncate(const std::string& path, int64_t size) override {
    return PosixFileSystem()->Truncate(path, size);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return PosixFileSystem()->Rename(from, to);
  }
  Status Remove(const std::string& path) override { return PosixFileSystem()->Remove(path); }
  Status CreateDirectories(const std::string& path) override {
    return PosixFileSystem()->CreateDirectories(path);
  }
  Status SyncDirectory(const std::string& path) override {
    return PosixFileSystem()->SyncDirectory(path);
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return PosixFileSystem()->List(directory);
  }
  bool Exists(const std::string& path) override { return PosixFileSystem()->Exists(path); }
  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override {
    return PosixFileSystem()->TryLock(path);
  }
};

// Spills and checkpoints until the disk is full, at every write that there is: what the last
// committed checkpoint held is there whole, and a checkpoint that failed can be made again.
TEST_F(StoreTest, AFullDiskLeavesTheLastCheckpointWhole) {
  for (int64_t writes = 0; writes < 40; ++writes) {
    std::filesystem::remove_all(directory_);
    FullDisk disk;
    int64_t committed = -1, epochs = 0;
    Status status;
    {
      auto store = StateStore::Open(&disk, directory_).ValueOrDie();
      StateMemory memory({.limit = 64 << 10, .files = store->files()});
      const MemoryScope scope(&memory);
      auto index = MakeIndex();
      disk.writes_left = writes;
      for (; status.ok() && epochs < 20; ++epochs) {
        Strings keys, values;
        for (int i = 0; i < 1000; ++i) {
          keys.Append(std::to_string(epochs * 1000 + i));
          values.Append("a value");
        }
        status = index->Apply(keys, values, std::vector<int64_t>(1000, 1));
        if (!status.ok() || epochs % 3 != 0) continue;
        store->Begin();
        ASSERT_TRUE(index->Checkpoint(store->Writer("a").get()).ok());
        status = store->Commit(std::to_string(epochs));
        if (status.ok()) committed = epochs;
      }
      if (epochs % 3 == 1 && !status.ok() && committed != epochs - 1) {
        disk.writes_left = INT64_MAX;  // someone made room: the same checkpoint again
        store->Begin();
        ASSERT_TRUE(index->Checkpoint(store->Writer("a").get()).ok());
        if (store->Commit(std::to_string(epochs - 1)).ok()) committed = epochs - 1;
      }
    }
    auto store = Open();
    ASSERT_EQ(store->has_checkpoint(), committed >= 0);
    if (committed < 0) continue;
    EXPECT_EQ(store->extra(), std::to_string(committed));
    auto index = MakeIndex();
    ASSERT_TRUE(index->Restore(store->Reader("a").get()).ok());
    int64_t rows = 0;
    ASSERT_TRUE(index
                    ->Scan("", "", false,
                           [&](std::string_view, std::string_view, int64_t) {
                             ++rows;
                             return Result<bool>(true);
                           })
                    .ok());
    EXPECT_EQ(rows, (committed + 1) * 1000) << writes;
  }
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
