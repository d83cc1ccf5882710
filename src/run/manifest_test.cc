// The machine's part of the manifest: of this version and others.
#include "run/manifest.h"

#include <gtest/gtest.h>

#include "base/record.h"

namespace leat {
namespace {

Manifest Some() {
  Manifest manifest{
      .state = "0123", .epoch = {.number = 7, .clock = 11}, .next_seq = 13, .mend = 5};
  manifest.sources.push_back({"orders", "offset", 3, 1});
  manifest.definitions["sink x"] = "hash";
  manifest.pinned["orders"] = {{"id", TypeId::kInt8}};
  return manifest;
}

TEST(Manifest, GivesBackWhatItWasGiven) {
  const auto back = Manifest::Decode(Some().Encode());
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->Encode(), Some().Encode());
  EXPECT_EQ(back->mend, 5);
}

TEST(Manifest, OfTheFirstFormatOpens) {
  const std::string bytes = RecordWriter()
                                .Int(1)
                                .Text("0123")
                                .Int(7)
                                .Int(11)
                                .Int(13)
                                .Int(1)
                                .Text("orders")
                                .Text("offset")
                                .Int(3)
                                .Int(1)
                                .Int(0)
                                .Int(0)
                                .bytes();
  const auto old = Manifest::Decode(bytes);
  ASSERT_TRUE(old.ok()) << old.status().ToString();
  EXPECT_EQ(old->mend, 0);
  EXPECT_EQ(old->next_seq, 13);
  ASSERT_EQ(old->sources.size(), 1u);
  EXPECT_EQ(old->sources[0].offset, "offset");
}

TEST(Manifest, OfANewerFormatIsRefusedWithWhatToDo) {
  std::string bytes = Some().Encode();
  bytes[0] = 100;
  const Status newer = Manifest::Decode(bytes).status();
  EXPECT_NE(newer.message().find("newer leat"), std::string::npos) << newer.ToString();
  ASSERT_NE(SqlErrorOf(newer), nullptr);
  EXPECT_NE(SqlErrorOf(newer)->hint.find("Upgrade leat"), std::string::npos);
}

TEST(Manifest, CutOffIsAnError) {
  const std::string bytes = Some().Encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Manifest::Decode(bytes.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace leat
