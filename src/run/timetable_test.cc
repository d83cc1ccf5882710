#include "run/timetable.h"

#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "data/text.h"
#include "data/type.h"
#include "run/crew.h"

namespace leat {
namespace {

Micros At(const std::string& text) {
  const auto value = ParseValue(text, Type(TypeId::kTimestamp), {}).ValueOrDie();
  return static_cast<const arrow::TimestampScalar&>(*value).value;
}

Micros CronNext(const std::string& cron, const std::string& now) {
  const auto table = Timetable::Cron(cron);
  EXPECT_TRUE(table.ok()) << cron << ": " << table.status().message();
  return table->Next(At(now));
}

TEST(Timetable, Every) {
  const auto table = Timetable::Every("5 min");
  EXPECT_EQ(table->Next(At("2024-05-01 10:01")), At("2024-05-01 10:05"));
  EXPECT_EQ(table->Next(At("2024-05-01 10:05")), At("2024-05-01 10:10"));
  EXPECT_EQ(Timetable::Every("1 day")->Next(At("2024-05-01 10:01")), At("2024-05-02"));
  EXPECT_FALSE(Timetable::Every("soon").ok());
  EXPECT_FALSE(Timetable::Every("10 ms").ok());
}

TEST(Timetable, Cron) {
  EXPECT_EQ(CronNext("* * * * *", "2024-05-01 10:01:30"), At("2024-05-01 10:02"));
  EXPECT_EQ(CronNext("30 4 * * *", "2024-05-01 04:30"), At("2024-05-02 04:30"));
  EXPECT_EQ(CronNext("*/15 9-17 * * mon-fri", "2024-05-03 17:50"), At("2024-05-06 09:00"));
  EXPECT_EQ(CronNext("0 0 29 feb *", "2024-03-01"), At("2028-02-29"));
  EXPECT_EQ(CronNext("0 12 1,15 * *", "2024-05-01 12:00"), At("2024-05-15 12:00"));
  EXPECT_EQ(CronNext("5/20 * * * *", "2024-05-01 10:06"), At("2024-05-01 10:25"));
  // Both restricted: either day will do. 2024-05-03 is a Friday.
  EXPECT_EQ(CronNext("0 0 13 * 5", "2024-05-01"), At("2024-05-03"));
  EXPECT_EQ(CronNext("0 0 * * 7", "2024-05-01"), At("2024-05-05"));
  EXPECT_EQ(CronNext("0 0 31 4 *", "2024-05-01"), kNever);
}

TEST(Timetable, WhatIsNoCronIsRefused) {
  for (const char* wrong : {"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *",
                            "5-1 * * * *", "*/0 * * * *", "* * * * * *", "1, * * * *"}) {
    EXPECT_FALSE(Timetable::Cron(wrong).ok()) << wrong;
  }
  EXPECT_EQ(Timetable::Cron("* 25 * * *").status().message(),
            "invalid hour in the schedule: \"25\"");
}

}  // namespace
}  // namespace leat
