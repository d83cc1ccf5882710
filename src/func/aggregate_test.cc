// Aggregates against their definitions: taking rows back leaves what was never there.
#include "func/aggregate.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <gtest/gtest.h>

#include <random>

#include "data/text.h"

namespace leat {
namespace {

using enum TypeId;

std::shared_ptr<arrow::Array> Column(const std::vector<std::string>& texts, const Type& type) {
  arrow::StringBuilder builder;
  for (const auto& text : texts) {
    EXPECT_TRUE((text.empty() ? builder.AppendNull() : builder.Append(text)).ok());
  }
  const auto plain = builder.Finish().ValueOrDie();
  return FromTextColumn(*plain, type, {},
                        [](int64_t, const Status& status) { ADD_FAILURE() << status.ToString(); })
      .ValueOrDie();
}

struct Rows {
  std::vector<std::string> values;
  std::vector<uint32_t> groups;
  std::vector<int64_t> weights;
};

std::unique_ptr<Accumulators> Fed(const ResolvedAggregate& resolved, const Rows& rows,
                                  int64_t groups) {
  auto states = resolved.aggregate->make(resolved.args);
  EXPECT_TRUE(states->Resize(groups).ok());
  const auto count = static_cast<int64_t>(rows.values.size());
  ErrorMask errors(count);
  std::vector<Argument> args;
  if (!resolved.args.empty()) {
    args.push_back({.array = Column(rows.values, resolved.args[0]), .type = resolved.args[0]});
  }
  EXPECT_TRUE(states
                  ->Update(args, rows.groups.data(),
                           rows.weights.empty() ? nullptr : rows.weights.data(), nullptr, count,
                           &errors)
                  .ok());
  EXPECT_FALSE(errors.any());
  return states;
}

std::vector<std::string> Answers(const ResolvedAggregate& resolved, const Accumulators& states,
                                 int64_t groups) {
  std::vector<uint32_t> numbers;
  for (int64_t i = 0; i < groups; ++i) numbers.push_back(static_cast<uint32_t>(i));
  ErrorMask errors(groups);
  const auto column = states.Finish(numbers, &errors).ValueOrDie();
  EXPECT_TRUE(column->ValidateFull().ok());
  std::vector<std::string> answers;
  for (int64_t i = 0; i < groups; ++i) {
    answers.emplace_back();
    AppendText(*column, i, resolved.result, {}, &answers.back());
  }
  for (const auto& error : errors.errors()) {
    answers[static_cast<size_t>(error.row)] = error.message;
  }
  return answers;
}

std::string Only(std::string_view name, const Type& type, std::vector<std::string> values) {
  const auto resolved = ResolveAggregate(name, std::span(&type, 1), -1);
  if (!resolved.ok()) return resolved.status().message();
  const std::vector<uint32_t> groups(values.size(), 0);
  return Answers(*resolved, *Fed(*resolved, {std::move(values), groups, {}}, 1), 1)[0];
}

// The answers are PostgreSQL 15's.
TEST(Aggregate, Answers) {
  EXPECT_EQ(Only("count", kText, {"a", "", "b"}), "2");
  EXPECT_EQ(Only("sum", kInt4, {"2147483647", "2147483647"}), "4294967294");
  EXPECT_EQ(Only("sum", kInt8, {"9223372036854775807", "1"}), "9223372036854775808");
  EXPECT_EQ(Only("sum", kInt4, {""}), "");
  EXPECT_EQ(Only("avg", kInt4, {"1", "2", "2"}), "1.6666666666666667");
  EXPECT_EQ(Only("avg", kInt8, {"9223372036854775807", "9223372036854775807"}),
            "9223372036854775807");
  EXPECT_EQ(Only("sum", Type::Numeric(10, 2), {"1.10", "2.25"}), "3.35");
  EXPECT_EQ(Only("sum", kNumeric, {"1.1", "2.25", "3"}), "6.35");
  EXPECT_EQ(Only("sum", kNumeric, {"1.1", "NaN"}), "NaN");
  EXPECT_EQ(Only("sum", kNumeric, {"Infinity", "-Infinity"}), "NaN");
  EXPECT_EQ(Only("avg", kNumeric, {"1.1", "2.25"}), "1.6750000000000000");
  EXPECT_EQ(Only("sum", kFloat8, {"1e308", "1e308"}), "value out of range: overflow");
  EXPECT_EQ(Only("sum", kFloat8, {"0.1", "0.2", "0.3"}), "0.6");
  EXPECT_EQ(Only("sum", kFloat8, {"1e16", "1", "-1e16"}), "1");  // exact, where PostgreSQL says 0
  EXPECT_EQ(Only("avg", kFloat8, {"1", "2"}), "1.5");
  EXPECT_EQ(Only("sum", kFloat4, {"0.5", "0.25"}), "0.75");
  EXPECT_EQ(Only("sum", kInterval, {"1 mon", "-1 day", "25:00"}), "1 mon -1 days +25:00:00");
  EXPECT_EQ(Only("avg", kInterval, {"1 mon", "1 day"}), "15 days 12:00:00");
  EXPECT_EQ(Only("min", kText, {"b", "", "B"}), "B");
  EXPECT_EQ(Only("max", kFloat8, {"Infinity", "NaN", "1"}), "NaN");
  EXPECT_EQ(Only("min", kNumeric, {"1.10", "1.1", "2"}), "1.10");
  EXPECT_EQ(Only("max", kInterval, {"1 mon", "31 days"}), "31 days");
  EXPECT_EQ(Only("bool_and", kBool, {"t", "", "f"}), "f");
  EXPECT_EQ(Only("bool_or", kBool, {"t", "", "f"}), "t");
  EXPECT_EQ(Only("every", kBool, {""}), "");
  EXPECT_EQ(Only("sum", kText, {"a"}), "function sum(text) does not exist");
  EXPECT_EQ(Only("sum", kUnknown, {"a"}), "function sum(unknown) is not unique");
}

std::string RandomValue(TypeId type, std::mt19937_64* random) {
  const auto n = static_cast<int64_t>((*random)() % 2001) - 1000;
  if ((*random)() % 10 == 0) return "";
  switch (type) {
    case kBool:
      return n > 0 ? "t" : "f";
    case kInterval:
      return fmt::format("{} days {} seconds", n, n * 3);
    case kFloat4:
    case kFloat8:
      if (n == 1000) return "NaN";
      if (n == 999) return "Infinity";
      return fmt::format("{}", static_cast<double>(n) * std::pow(10, n % 30));
    case kNumeric:
      if (n == 1000) return "NaN";
      if (n == 999) return "-Infinity";
      return fmt::format("{}.{}", n * 1000003, std::string((*random)() % 30, '7') + "1");
    default:
      return std::to_string(n);
  }
}

// Rows added and taken back, whole or in two states of which one was saved and loaded.
TEST(Aggregate, TakenBackIsAsNeverThere) {
  std::mt19937_64 random(5);
  constexpr int64_t kGroups = 40;
  for (const Aggregate& aggregate : AllAggregates()) {
    if (!aggregate.invertible || aggregate.fold != nullptr) continue;
    const TypeId type = aggregate.args.empty() ? kInt4 : aggregate.args[0].id;
    const Type value_type = type == kUnknown ? Type(kInt4) : Type(type);
    const std::vector<Type> types(aggregate.args.size(), value_type);
    const auto resolved = ResolveAggregate(aggregate.name, types, -1).ValueOrDie();
    Rows all;
    Rows left;
    for (int i = 0; i < 2000; ++i) {
      const std::string value = RandomValue(value_type.id, &random);
      const auto group = static_cast<uint32_t>(random() % kGroups);
      const bool stays = random() % 3 == 0;
      const auto weight = static_cast<int64_t>(random() % 3) + 1;
      for (const int64_t sign : {int64_t{1}, int64_t{-1}}) {
        if (sign < 0 && stays) continue;
        all.values.push_back(value);
        all.groups.push_back(group);
        all.weights.push_back(weight * sign);
      }
      for (int64_t copy = 0; stays && copy < weight; ++copy) {
        left.values.push_back(value);
        left.groups.push_back(group);
      }
    }
    const auto all_states = Fed(resolved, all, kGroups);
    const auto left_states = Fed(resolved, left, kGroups);
    EXPECT_EQ(Answers(resolved, *all_states, kGroups), Answers(resolved, *left_states, kGroups))
        << aggregate.name << " " << TypeName(value_type);
    const auto loaded = resolved.aggregate->make(resolved.args);
    ASSERT_TRUE(loaded->Resize(kGroups).ok());
    for (uint32_t group = 0; group < kGroups; ++group) {
      std::string bytes, again;
      all_states->Save(group, &bytes);
      ASSERT_TRUE(loaded->Load(group, bytes).ok()) << aggregate.name;
      loaded->Save(group, &again);
      EXPECT_EQ(bytes, again);
    }
    EXPECT_EQ(Answers(resolved, *all_states, kGroups), Answers(resolved, *loaded, kGroups));
    all_states->Clear(3);
    EXPECT_EQ(Answers(resolved, *all_states, kGroups)[3],
              aggregate.name.ends_with("count") ? "0" : std::string())
        << aggregate.name;
  }
}

// A million groups: the chunks hold what they held while they grew.
TEST(Aggregate, StatesGrow) {
  const Type type(kInt8);
  const auto resolved = ResolveAggregate("max", std::span(&type, 1), -1).ValueOrDie();
  const auto states = resolved.aggregate->make(resolved.args);
  for (uint32_t group = 0; group < 200000; group += group < 40 ? 1 : 9973) {
    ASSERT_TRUE(states->Resize(int64_t{group} + 1).ok());
    ErrorMask errors(1);
    const std::vector<Argument> args = {
        {.array = Column({std::to_string(group)}, kInt8), .type = kInt8}};
    ASSERT_TRUE(states->Update(args, &group, nullptr, nullptr, 1, &errors).ok());
  }
  const auto answers = Answers(resolved, *states, 190000);
  EXPECT_EQ(answers[39], "39");
  EXPECT_EQ(answers[40 + 9973], "10013");
  EXPECT_EQ(answers[41], "");
}

}  // namespace
}  // namespace leat
