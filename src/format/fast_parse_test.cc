#include "format/fast_parse.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "format/text_column.h"

namespace leat {
namespace {

std::string Padded(std::string text) {
  text.reserve(text.size() + 32);
  return text;
}

TEST(FastParse, DoublesAreTheNearest) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    if (random() % 4 == 0) text += '-';
    const size_t digits = 1 + random() % 20;
    const size_t point = random() % (digits + 3);
    for (size_t j = 0; j < digits; ++j) {
      if (j == point) text += '.';
      text += static_cast<char>('0' + random() % 10);
    }
    if (random() % 10 == 0) text += "e" + std::to_string(static_cast<int>(random() % 40) - 20);
    text = Padded(text);
    double value;
    ASSERT_TRUE(fast::Float8(text.data(), text.size(), &value)) << text;
    ASSERT_EQ(value, std::strtod(text.c_str(), nullptr)) << text;
  }
  double value;
  for (const char* wrong :
       {"", "-", ".", "-.", "1.2.3", "1e", "--1", "1 ", " 1", "nan", "inf", "0x1p3", "1e999"}) {
    const std::string text = Padded(wrong);
    EXPECT_FALSE(fast::Float8(text.data(), text.size(), &value)) << wrong;
  }
}

TEST(FastParse, IntegersFitOrFail) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 100000; ++i) {
    const auto wanted = static_cast<int64_t>(random()) >> (random() % 64);
    const std::string text = Padded(std::to_string(wanted));
    int64_t wide;
    ASSERT_TRUE(fast::Integer(text.data(), text.size(), &wide)) << text;
    ASSERT_EQ(wide, wanted);
    int16_t narrow;
    const bool fits = wanted >= INT16_MIN && wanted <= INT16_MAX;
    ASSERT_EQ(fast::Integer(text.data(), text.size(), &narrow), fits) << text;
    if (fits) {
      ASSERT_EQ(narrow, wanted);
    }
  }
  int32_t value;
  for (const char* wrong :
       {"", "-", "1.", "1.0", ".1", "+1", "1a", "2147483648", "99999999999999999999"}) {
    const std::string text = Padded(wrong);
    EXPECT_FALSE(fast::Integer(text.data(), text.size(), &value)) << wrong;
  }
}

TEST(FastParse, DatesCountDays) {
  int32_t previous = 0;
  bool first = true;
  for (int year = 1; year <= 9999; year += year < 1890 || year > 2110 ? 97 : 1) {
    for (int month = 1; month <= 12; ++month) {
      int32_t start, days;
      std::string text = Padded(fmt::format("{:04}-{:02}-01", year, month));
      ASSERT_TRUE(fast::Date(text.data(), text.size(), &start));
      std::tm tm{};
      tm.tm_year = year - 1900;
      tm.tm_mon = month - 1;
      tm.tm_mday = 1;
      ASSERT_EQ(start, timegm(&tm) / 86400) << text;
      int valid = 0;
      for (int day = 0; day <= 32; ++day) {
        text = Padded(fmt::format("{:04}-{:02}-{:02}", year, month, day));
        valid += fast::Date(text.data(), text.size(), &days);
      }
      const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
      const int wanted = month == 2                                              ? (leap ? 29 : 28)
                         : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                                 : 31;
      ASSERT_EQ(valid, wanted) << year << "-" << month;
      EXPECT_TRUE(first || start > previous);
      previous = start;
      first = false;
    }
  }
}

TEST(FastParse, Timestamps) {
  const auto parse = [](std::string text, bool zone) -> int64_t {
    text = Padded(std::move(text));
    int64_t micros;
    return fast::Timestamp(text.data(), text.size(), zone, &micros) ? micros : -1;
  };
  EXPECT_EQ(parse("1970-01-01 00:00:01", false), 1000000);
  EXPECT_EQ(parse("1970-01-02T00:00:00.5", false), 86400500000);
  EXPECT_EQ(parse("1970-01-01 23:59:59.123456", false), 86399123456);
  EXPECT_EQ(parse("1970-01-01 00:00:01Z", true), 1000000);
  EXPECT_EQ(parse("1970-01-01 00:00:01.25+00", true), 1250000);
  EXPECT_EQ(parse("1970-01-01 00:00:01+00:00", true), 1000000);
  for (const char* unusual : {"1970-01-01 24:00:00", "1970-01-01 00:60:00", "1970-01-01 00:00:00.",
                              "1970-01-01 00:00:00.1234567", "1970-01-01 0:00:00", "1970-01-01"}) {
    EXPECT_EQ(parse(unusual, false), -1) << unusual;
  }
}

TEST(StringTable, NumbersDistinctStringsInOrder) {
  std::mt19937 random(3);
  StringTable table;
  std::unordered_map<std::string, int32_t> slow;
  for (int i = 0; i < 100000; ++i) {
    std::string text(random() % 40, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 2);
    if (random() % 2 == 0 && !text.empty()) text = std::string(text.size() - 1, 'x') + text.back();
    text.reserve(64);
    const auto [found, added] = slow.try_emplace(text, static_cast<int32_t>(slow.size()));
    ASSERT_EQ(table.Insert(text.data(), text.size()), found->second);
  }
  const auto array = std::static_pointer_cast<arrow::StringArray>(table.ToArray());
  ASSERT_EQ(array->length(), static_cast<int64_t>(slow.size()));
  for (const auto& [text, number] : slow) ASSERT_EQ(array->GetView(number), text);
}

}  // namespace
}  // namespace leat
