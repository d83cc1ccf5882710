#include <gtest/gtest.h>

#include "base/rounds_test.h"
#include "flow/harness_test.h"

namespace leat {
namespace {

using slow::Random;

// Two or three columns a side, zero to two of them keys; maybe a boolean column as the residual.
JoinSpec RandomJoin(uint64_t seed, JoinType type, bool residual, bool final) {
  Random random(seed);
  JoinSpec spec{.type = type};
  const Type first = slow::RandomType(&random), second = slow::RandomType(&random);
  spec.left = slow::RandomSchema(&random, {first, second, TypeId::kBool}, 1);
  spec.right = slow::RandomSchema(&random, {second, first}, 2);
  const int64_t keys = slow::Pick(&random, 0, 2);
  if (keys > 0) {
    spec.left_keys.push_back(ColumnExpr(0, first));
    spec.right_keys.push_back(ColumnExpr(1, first));
  }
  if (keys > 1) {
    spec.left_keys.push_back(ColumnExpr(1, second));
    spec.right_keys.push_back(ColumnExpr(0, second));
  }
  if (residual) spec.residual = ColumnExpr(2, TypeId::kBool);
  spec.left_properties.final = spec.right_properties.final = final;
  return spec;
}

void CheckJoin(uint64_t seed, JoinType type, bool residual, bool final) {
  const JoinSpec spec = RandomJoin(seed, type, residual, final);
  Schema output = spec.left;
  if (type != JoinType::kSemi && type != JoinType::kAnti) {
    output.columns.insert(output.columns.end(), spec.right.columns.begin(),
                          spec.right.columns.end());
  }
  slow::Case test;
  test.inputs = {spec.left, spec.right};
  test.output = output;
  test.make = [=] { return MakeJoin(spec); };
  test.answer = [=](const std::vector<slow::Rows>& in) { return slow::Join(spec, in[0], in[1]); };
  test.properties.final = final;
  test.seq = seed % 2 == 0;
  test.output_seq = false;
  if (final) test.changes_max = 40;
  slow::Check(test, seed);
}

class JoinTest : public testing::TestWithParam<JoinType> {};

TEST_P(JoinTest, KeptUpToDate) {
  for (uint64_t seed = 0; seed < Rounds(60) && !HasFailure(); ++seed) {
    CheckJoin(seed, GetParam(), false, false);
  }
}
TEST_P(JoinTest, KeptUpToDateWithResidual) {
  for (uint64_t seed = 100; seed < 100 + Rounds(60) && !HasFailure(); ++seed) {
    CheckJoin(seed, GetParam(), true, false);
  }
}
TEST_P(JoinTest, AskedOnce) {
  for (uint64_t seed = 200; seed < 200 + Rounds(60) && !HasFailure(); ++seed) {
    CheckJoin(seed, GetParam(), seed % 2 == 0, true);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, JoinTest,
                         testing::Values(JoinType::kInner, JoinType::kLeft, JoinType::kRight,
                                         JoinType::kFull, JoinType::kSemi, JoinType::kAnti));

}  // namespace
}  // namespace leat
