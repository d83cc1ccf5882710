#include "base/file_system.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace leat {
namespace {

class FileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "leat-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Content(const std::string& name) {
    auto bytes = files_->Read(Path(name));
    return bytes.ok() ? std::string((*bytes)->bytes()) : bytes.status().ToString();
  }

  FileSystem* files_ = PosixFileSystem();
  std::string folder_;
};

TEST_F(FileSystemTest, AppendsAndReadsBack) {
  for (const std::string text : {"one", "", " two"}) {
    auto file = files_->OpenAppend(Path("log"));
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    ASSERT_TRUE((*file)->Append(text).ok());
    ASSERT_TRUE((*file)->Sync().ok());
  }
  EXPECT_EQ(Content("log"), "one two");
  EXPECT_EQ((*files_->OpenAppend(Path("log")))->size(), 7);
  ASSERT_TRUE(files_->Truncate(Path("log"), 3).ok());
  EXPECT_EQ(Content("log"), "one");
}

TEST_F(FileSystemTest, ReadsAnEmptyFile) {
  ASSERT_TRUE(files_->OpenAppend(Path("empty")).ok());
  EXPECT_EQ(Content("empty"), "");
}

TEST_F(FileSystemTest, RenamesListsAndRemoves) {
  ASSERT_TRUE(files_->CreateDirectories(Path("a/b")).ok());
  ASSERT_TRUE(files_->CreateDirectories(Path("a/b")).ok());
  for (const std::string name : {"a/2", "a/1"}) ASSERT_TRUE(files_->OpenAppend(Path(name)).ok());
  ASSERT_TRUE(files_->Rename(Path("a/2"), Path("a/0")).ok());
  ASSERT_TRUE(files_->SyncDirectory(Path("a")).ok());
  EXPECT_EQ(*files_->List(Path("a")), (std::vector<std::string>{"0", "1", "b"}));
  EXPECT_TRUE(files_->Exists(Path("a/0")));
  ASSERT_TRUE(files_->Remove(Path("a/0")).ok());
  ASSERT_TRUE(files_->Remove(Path("a/0")).ok());
  EXPECT_FALSE(files_->Exists(Path("a/0")));
}

TEST_F(FileSystemTest, WritesAtomically) {
  for (const std::string text : {"old", "new and longer"}) {
    ASSERT_TRUE(WriteFileAtomically(files_, Path("manifest"), text).ok());
    EXPECT_EQ(Content("manifest"), text);
  }
  EXPECT_EQ(files_->List(folder_)->size(), 1U);
}

TEST_F(FileSystemTest, LocksOnce) {
  auto first = files_->TryLock(Path("lock"));
  ASSERT_TRUE(first.ok());
  ASSERT_NE(*first, nullptr);
  EXPECT_EQ(*files_->TryLock(Path("lock")), nullptr);
  first->reset();
  EXPECT_NE(*files_->TryLock(Path("lock")), nullptr);
}

TEST_F(FileSystemTest, ErrorsNameThePath) {
  const auto missing = files_->Read(Path("missing"));
  ASSERT_TRUE(missing.status().IsIOError());
  EXPECT_NE(missing.status().message().find(Path("missing")), std::string::npos);
}

}  // namespace
}  // namespace leat
