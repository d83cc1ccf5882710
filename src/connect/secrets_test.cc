#include "connect/secrets.h"

#include <gtest/gtest.h>

#include "connect/testing.h"

namespace leat::testing {
namespace {

TEST(Secrets, AreReadFromTheirFiles) {
  const TemporaryFolder folder;
  folder.Write("password", "s3cr}t\n");
  const auto opened = OpenSecrets({{"user", "leat"},
                                   {"password", "${file:" + (folder / "password") + "}"},
                                   {"token", "a${file:" + (folder / "password") + "}b"},
                                   {"other", "${file:never closed"}});
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(*opened, (Options{{"user", "leat"},
                              {"password", "s3cr}t"},
                              {"token", "as3cr}tb"},
                              {"other", "${file:never closed"}}));
}

TEST(Secrets, AFileThatIsNotThereIsNamed) {
  const Status status = OpenSecrets({{"password", "${file:/nowhere/secret}"}}).status();
  EXPECT_TRUE(status.message().starts_with("option \"password\" of the user mapping: "))
      << status.message();
  EXPECT_NE(status.message().find("/nowhere/secret"), std::string::npos);
}

}  // namespace
}  // namespace leat::testing
