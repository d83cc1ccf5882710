#include "data/exact_sum.h"

#include <gmp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace leat {
namespace {

struct Addend {
  double value;
  int64_t weight;
};

// The slow definition: a rational, rounded to the nearest double, ties to even.
double Slowly(const std::vector<Addend>& addends) {
  mpq_t sum, term, factor;
  mpq_inits(sum, term, factor, nullptr);
  for (const Addend& addend : addends) {
    mpq_set_d(term, addend.value);
    mpq_set_si(factor, addend.weight, 1);
    mpq_mul(term, term, factor);
    mpq_add(sum, sum, term);
  }
  // mpq_get_d truncates; the nearest is it or its neighbour away from zero.
  const double near = mpq_get_d(sum);
  double best = near;
  if (std::isfinite(near)) {
    const double next = std::nextafter(near, mpq_sgn(sum) < 0 ? -HUGE_VAL : HUGE_VAL);
    if (std::isinf(next)) {
      // Half a unit beyond the greatest double is where rounding reaches infinity.
      mpq_set_d(term, near);
      mpq_sub(term, sum, term);
      mpq_abs(term, term);
      mpq_set_d(factor, std::ldexp(1.0, 970));
      if (mpq_cmp(term, factor) >= 0) best = next;
    } else {
      mpq_set_d(term, near);
      mpq_sub(term, sum, term);
      mpq_abs(term, term);
      mpq_set_d(factor, next);
      mpq_sub(factor, factor, sum);
      mpq_abs(factor, factor);
      const int order = mpq_cmp(term, factor);
      if (order > 0 || (order == 0 && (std::bit_cast<uint64_t>(near) & 1) != 0)) best = next;
    }
  }
  mpq_clears(sum, term, factor, nullptr);
  return best;
}

std::string Saved(const ExactSum& sum) {
  std::string bytes;
  sum.Save(&bytes);
  return bytes;
}

double RandomDouble(std::mt19937_64* random, int spread) {
  switch ((*random)() % 12) {
    case 0:
      return 0;
    case 1:
      return static_cast<double>((*random)() % 1000) / 100;
    case 2:
      return std::ldexp(1.0, static_cast<int>((*random)() % 100) - 50);
    default:
      break;
  }
  const double mantissa = static_cast<double>((*random)() >> 11) / 9007199254740992.0 - 0.5;
  return std::ldexp(mantissa,
                    static_cast<int>((*random)() % static_cast<uint64_t>(2 * spread)) - spread);
}

class ExactSumTest : public testing::TestWithParam<int> {};

TEST_P(ExactSumTest, EqualsTheRationalSumInAnyOrder) {
  std::mt19937_64 random(42 + static_cast<uint64_t>(GetParam()));
  for (int round = 0; round < 300; ++round) {
    std::vector<Addend> addends;
    for (uint64_t i = 0; i < 1 + random() % 40; ++i) {
      const int64_t weights[] = {1, 1, 1, -1, 3, -7, int64_t{1} << 40, -(int64_t{1} << 60) - 1};
      addends.push_back({RandomDouble(&random, GetParam()), weights[random() % 8]});
    }
    const double expected = Slowly(addends);
    std::string saved;
    for (int order = 0; order < 4; ++order) {
      ExactSum sum, half;
      for (size_t i = 0; i < addends.size(); ++i) {
        (i % 3 == 0 && order == 1 ? half : sum).Add(addends[i].value, addends[i].weight);
      }
      sum.Merge(half);
      const double value = sum.Value();
      ASSERT_EQ(std::bit_cast<uint64_t>(value), std::bit_cast<uint64_t>(expected + 0.0))
          << value << " for " << expected << ", round " << round;
      // The same bytes, and back.
      if (order > 0) {
        ASSERT_EQ(Saved(sum), saved);
      }
      saved = Saved(sum);
      ExactSum loaded;
      const std::string with_rest = saved + "rest";
      std::string_view bytes = with_rest;
      ASSERT_TRUE(loaded.Load(&bytes).ok());
      ASSERT_EQ(bytes, "rest");
      ASSERT_EQ(Saved(loaded), saved);
      ASSERT_EQ(std::bit_cast<uint64_t>(loaded.Value()), std::bit_cast<uint64_t>(value));
      // All taken back: nothing is left.
      for (const Addend& addend : addends) loaded.Add(addend.value, -addend.weight);
      ASSERT_EQ(Saved(loaded), Saved(ExactSum()));
      std::shuffle(addends.begin(), addends.end(), random);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Spreads, ExactSumTest, testing::Values(1, 5, 30, 100, 500, 1000));

TEST(ExactSumSpecialsTest, CountsInfinitiesAndNaNs) {
  ExactSum sum;
  sum.Add(1.5);
  sum.Add(HUGE_VAL);
  EXPECT_EQ(sum.Value(), HUGE_VAL);
  sum.Add(-HUGE_VAL);
  EXPECT_TRUE(std::isnan(sum.Value()));
  sum.Add(HUGE_VAL, -1);
  EXPECT_EQ(sum.Value(), -HUGE_VAL);
  sum.Add(std::nan(""), 2);
  EXPECT_TRUE(std::isnan(sum.Value()));
  ExactSum other;
  other.Merge(sum);
  EXPECT_EQ(Saved(other), Saved(sum));
  sum.Add(std::nan(""), -2);
  sum.Add(-HUGE_VAL, -1);
  EXPECT_FALSE(sum.has_infinity());
  EXPECT_EQ(sum.Value(), 1.5);
}

TEST(ExactSumSpecialsTest, ReachesBeyondTheRangeAndComesBack) {
  ExactSum sum;
  sum.Add(1e308);
  sum.Add(1e308);
  sum.Add(3.5);
  EXPECT_EQ(sum.Value(), HUGE_VAL);
  EXPECT_FALSE(sum.has_infinity());
  std::string saved = Saved(sum);
  std::string_view bytes = saved;
  ExactSum loaded;
  ASSERT_TRUE(loaded.Load(&bytes).ok());
  loaded.Add(1e308, -2);
  EXPECT_EQ(loaded.Value(), 3.5);
  EXPECT_FALSE(loaded.Load(&bytes).ok());
}

}  // namespace
}  // namespace leat
