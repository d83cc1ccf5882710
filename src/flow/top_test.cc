// Top against its slow definition, in every form.
#include <gtest/gtest.h>

#include "base/rounds_test.h"
#include "flow/harness_test.h"

namespace leat {
namespace {

SortKey RandomKey(slow::Random* random, const Schema& schema) {
  const auto c = static_cast<int>(slow::Pick(random, 0, schema.size() - 1));
  return {.expr = ColumnExpr(c, schema.columns[static_cast<size_t>(c)].type),
          .descending = slow::Pick(random, 0, 1) == 1,
          .nulls_first = slow::Pick(random, 0, 1) == 1};
}

TopSpec RandomTop(slow::Random* random, const Properties& properties) {
  TopSpec spec;
  spec.input = slow::RandomSchema(random, {TypeId::kInt4, TypeId::kFloat8});
  spec.properties = properties;
  for (int64_t n = slow::Pick(random, 0, 2); n > 0; --n) {
    spec.partition.push_back(RandomKey(random, spec.input).expr);
  }
  for (int64_t n = slow::Pick(random, 0, 2); n > 0; --n) {
    spec.order.push_back(RandomKey(random, spec.input));
  }
  spec.offset = slow::Pick(random, 0, 2) == 0 ? slow::Pick(random, 0, 3) : 0;
  spec.limit = slow::Pick(random, -1, 4);
  return spec;
}

void CheckForm(const Properties& properties) {
  for (uint64_t seed = 1; seed <= Rounds(60) && !testing::Test::HasFailure(); ++seed) {
    slow::Random random(seed);
    const TopSpec spec = RandomTop(&random, properties);
    slow::Check({.inputs = {spec.input},
                 .output = spec.input,
                 .make = [=] { return MakeTop(spec); },
                 .answer = [=](const auto& in) { return slow::Top(spec, in[0]); },
                 .properties = properties,
                 .seq = seed % 3 != 0},
                seed);
  }
}

TEST(Top, GeneralFormIsItsDefinition) { CheckForm({}); }
TEST(Top, AppendOnlyFormIsItsDefinition) { CheckForm({.append_only = true}); }
TEST(Top, FinalFormIsItsDefinition) { CheckForm({.final = true}); }
TEST(Top, FinalAppendOnlyFormIsItsDefinition) { CheckForm({.append_only = true, .final = true}); }

TEST(Top, AppendOnlyKeepsNothingBelowTheTop) {
  const Schema schema = slow::SchemaOf({TypeId::kInt4});
  TopSpec spec{.input = schema, .limit = 3, .properties = {.append_only = true}};
  spec.order.push_back({.expr = ColumnExpr(0, TypeId::kInt4)});
  auto op = MakeTop(spec).ValueOrDie();
  slow::Collected out(schema, false);
  slow::Rows rows;
  // More than are collected before what cannot win is dropped.
  for (int64_t i = 0; i < 200000; ++i) {
    rows.push_back({{slow::Cell::Of((i * 7919) % 200000, TypeId::kInt4)}, std::nullopt});
  }
  const Batch batch = slow::BatchOf(rows, schema);
  for (int64_t at = 0; at < batch.rows; at += 10000) {
    ASSERT_TRUE(op->Push(0, Slice(batch, at, 10000), {}, &out).ok());
  }
  ASSERT_TRUE(op->Finish({.number = 1}, {}, &out).ok());
  slow::Rows expected;
  for (int64_t i = 0; i < 3; ++i) expected.push_back({{slow::Cell::Of(i, TypeId::kInt4)}, {}});
  out.ExpectEqual(expected, "");
  EXPECT_LE(op->stats().state_rows, 3);
}

}  // namespace
}  // namespace leat
