#include "data/text.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <random>

#include "data/date.h"
#include "data/fixture_test.h"
#include "data/time_zone.h"

namespace leat {
namespace {

Type TypeOf(const std::string& name) {
  auto type = TypeFromName(name);
  EXPECT_TRUE(type.ok()) << name;
  return type.ValueOr(Type());
}

std::string Answer(const std::string& text, const Type& type, const TextSettings& settings) {
  const auto value = ParseValue(text, type, settings);
  if (!value.ok()) return AnswerOf(value.status());
  const auto column = *arrow::MakeArrayFromScalar(**value, 1);
  std::string out = "=";
  AppendText(*column, 0, type, settings, &out);
  return out;
}

// Where we differ on purpose: NaN has no place in a decimal128, nor an interval of more than 292
// years of hours in Arrow's; arrays have one dimension.
TEST(TextTest, ReadsAndPrintsAsPostgres) {
  const auto lines = ReadFixture("text.tsv");
  EXPECT_GT(lines.size(), 500U);
  for (const auto& fields : lines) {
    ASSERT_EQ(fields.size(), 4U);
    EXPECT_EQ(Answer(fields[2], TypeOf(fields[1]), {.timezone = fields[0]}), fields[3])
        << fields[1] << " '" << fields[2] << "' in " << fields[0];
  }
}

}  // namespace
}  // namespace leat
