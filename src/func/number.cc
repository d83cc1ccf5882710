// factorial; numbers as text in other bases.
#include <gmp.h>

#include "data/numeric.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr int64_t kFactorialMax = 32177;  // more has over 131072 digits

Result<ArrayPtr> Factorial(const Call& call, Arguments args) {
  const Values<int64_t> values(args[0]);
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  NumericBuilder builder{Type(kNumeric)};
  mpz_t product;
  mpz_init(product);
  for (int64_t row = 0; row < call.rows; ++row) {
    const int64_t n = nulls.Has(row) ? -1 : values[row];
    const bool wanted = !nulls.Has(row) && call.selection->Has(row);
    if (wanted && n < 0) {
      call.errors->Set(row, kOutOfRange, "factorial of a negative number is undefined");
    }
    if (wanted && n > kFactorialMax) {
      call.errors->Set(row, kOutOfRange, kNumericOverflow);
    }
    if (!wanted || n < 0 || n > kFactorialMax) {
      builder.AppendNull();
      continue;
    }
    mpz_fac_ui(product, static_cast<unsigned long>(n));
    builder.Append(Numeric::FromUnscaled(product, 0));
  }
  mpz_clear(product);
  return builder.Finish();
}

}  // namespace

void AddNumberFunctions(std::vector<Function>* out) {
  out->push_back(Spec("factorial", {kInt8}, kNumeric, Factorial,
                      {"The product of 1 to the number", "factorial(5)", "120"}));
}

}  // namespace leat
