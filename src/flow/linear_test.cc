// Filter, project and UNION ALL against their slow definitions.
#include <gtest/gtest.h>

#include "flow/harness_test.h"

namespace leat {
namespace {

TEST(Filter, IsItsDefinition) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    slow::Random random(seed);
    const Schema schema = slow::RandomSchema(&random, {TypeId::kBool});
    const FilterSpec spec{schema, ColumnExpr(0, TypeId::kBool)};
    slow::Check({.inputs = {schema},
                 .output = schema,
                 .make = [=] { return MakeFilter(spec); },
                 .answer = [=](const auto& in) { return slow::Filter(spec, in[0]); }},
                seed);
  }
}

TEST(Project, IsItsDefinition) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    slow::Random random(seed);
    const Schema schema = slow::RandomSchema(&random, {TypeId::kInt4, TypeId::kText});
    ProjectSpec spec{.input = schema};
    for (int64_t n = slow::Pick(&random, 1, 4); n > 0; --n) {
      const auto c = static_cast<int>(slow::Pick(&random, 0, schema.size() - 1));
      const Column& column = schema.columns[static_cast<size_t>(c)];
      spec.exprs.push_back(ColumnExpr(c, column.type));
      spec.output.columns.push_back(column);
    }
    slow::Check({.inputs = {schema},
                 .output = spec.output,
                 .make = [=] { return MakeProject(spec); },
                 .answer = [=](const auto& in) { return slow::Project(spec, in[0]); }},
                seed);
  }
}

TEST(Project, SharesTheBuffersOfBareColumns) {
  const Schema schema = slow::SchemaOf({TypeId::kInt4, TypeId::kText});
  slow::Random random(1);
  const Batch batch = slow::BatchOf({slow::RandomRow(&random, schema)}, schema);
  struct Keep : Output {
    Status Emit(Batch b) override {
      emitted = std::move(b);
      return Status::OK();
    }
    Status Reject(RowError) override { return Status::OK(); }
    Batch emitted;
  } keep;
  const Schema output{{schema.columns[1]}};
  auto op = MakeProject({schema, {ColumnExpr(1, TypeId::kText)}, output}).ValueOrDie();
  ASSERT_TRUE(op->Push(0, batch, {}, &keep).ok());
  EXPECT_EQ(keep.emitted.columns[0].get(), batch.columns[1].get());
}

TEST(UnionAll, IsItsDefinition) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    slow::Random random(seed);
    const Schema schema = slow::RandomSchema(&random, {TypeId::kInt8});
    slow::Check({.inputs = {schema, schema, schema},
                 .output = schema,
                 .make = [] { return MakeUnionAll(3); },
                 .answer = [](const auto& in) { return slow::UnionAll(in); }},
                seed);
  }
}

}  // namespace
}  // namespace leat
