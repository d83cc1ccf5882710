#include "run/read_view.h"

#include <gtest/gtest.h>

#include <thread>

namespace leat {
namespace {

TEST(ReadDesk, WhoLeavesSaysSo) {
  ReadDesk desk;
  EXPECT_FALSE(desk.wanted());
  const auto late = desk.Ask(std::chrono::milliseconds(1));
  EXPECT_NE(late.status().message().find("end of an epoch"), std::string::npos);
  EXPECT_FALSE(desk.wanted());
  std::thread reader([&] { EXPECT_FALSE(desk.Ask(std::chrono::seconds(60)).ok()); });
  while (!desk.wanted()) std::this_thread::yield();
  desk.Close();
  reader.join();
  EXPECT_FALSE(desk.Ask(std::chrono::seconds(60)).ok());
}

}  // namespace
}  // namespace leat
