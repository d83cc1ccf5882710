#include "base/status.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(StatusTest, CarriesWhatPostgresSaysBesides) {
  const Status status =
      SqlStatus("column \"temp_mx\" does not exist",
                {.sqlstate = kUndefinedColumn, .location = 7, .hint = "Perhaps."});
  const SqlError* error = SqlErrorOf(status);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->sqlstate, "42703");
  EXPECT_EQ(error->location, 7);
  EXPECT_EQ(SqlErrorOf(Status::OK()), nullptr);
  EXPECT_EQ(SqlErrorOf(IOErrorF("could not read \"{}\"", "x")), nullptr);
  EXPECT_EQ(SqlErrorOf(NotSupported("no"))->sqlstate, "0A000");
}

TEST(StatusTest, FormatsAsPsql) {
  const Status status =
      SqlStatus("column \"temp_mx\" does not exist", {.sqlstate = kUndefinedColumn,
                                                      .location = 12,
                                                      .detail = "It never did.",
                                                      .hint = "Perhaps you meant \"temp_max\"."});
  EXPECT_EQ(FormatError(status, "SELECT 1,\n  temp_mx\nFROM t"),
            "ERROR:  column \"temp_mx\" does not exist\n"
            "LINE 2:   temp_mx\n"
            "          ^\n"
            "DETAIL:  It never did.\n"
            "HINT:  Perhaps you meant \"temp_max\".\n");
}

TEST(StatusTest, CaretStandsUnderCharactersNotBytes) {
  const Status status = SqlStatus("no", {.location = 12});
  EXPECT_EQ(FormatError(status, "SELECT 'äö', x"),
            "ERROR:  no\n"
            "LINE 1: SELECT 'äö', x\n"
            "                  ^\n");
}

TEST(StatusTest, PlacesThatDoNotExistHaveNoCaret) {
  EXPECT_EQ(FormatError(SqlStatus("no"), "SELECT"), "ERROR:  no\n");
  EXPECT_EQ(FormatError(SqlStatus("no", {.location = 99}), "SELECT"), "ERROR:  no\n");
  EXPECT_EQ(FormatError(SqlStatus("no", {.location = 6}), "SELECT"),
            "ERROR:  no\nLINE 1: SELECT\n              ^\n");
  EXPECT_EQ(FormatError(IOErrorF("disk {}", "full"), "SELECT"), "ERROR:  disk full\n");
}

}  // namespace
}  // namespace leat
