#include "base/whole_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace leat {
namespace {

namespace fs = std::filesystem;

class WholeFile : public testing::Test {
 protected:
  WholeFile() { fs::create_directories(home_); }
  ~WholeFile() override { fs::remove_all(home_); }

  const fs::path home_ = fs::path(testing::TempDir()) / "leat_whole_file_test";
};

TEST_F(WholeFile, KeepsEveryByte) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text.push_back(static_cast<char>(i % 251));
  std::ofstream(home_ / "f", std::ios::binary) << text;
  EXPECT_EQ(*ReadWholeFile(home_ / "f"), text);
  std::ofstream(home_ / "empty").flush();
  EXPECT_EQ(*ReadWholeFile(home_ / "empty"), "");
}

TEST_F(WholeFile, ReadsAPipe) {
  const std::string pipe = home_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << "select 1;"; });
  EXPECT_EQ(*ReadWholeFile(pipe), "select 1;");
  writer.join();
}

TEST_F(WholeFile, NeverTakesAnErrorForAnEmptyFile) {
  const auto absent = ReadWholeFile(home_ / "absent").status();
  EXPECT_TRUE(absent.IsIOError());
  EXPECT_NE(absent.message().find("absent\": No such file or directory"), std::string::npos);
  const auto directory = ReadWholeFile(home_).status();
  EXPECT_TRUE(directory.IsIOError());
  EXPECT_NE(directory.message().find("Is a directory"), std::string::npos);
}

}  // namespace
}  // namespace leat
