// An exact sum of doubles: any order, any cut, with values taken back, gives the same bits. Two
// non-overlapping doubles while they hold the sum (Knuth's TwoSum tells), then an integer as wide
// as all doubles; rounded once. Infinities and NaNs are counted beside it.
#pragma once

#include <gmp.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

class ExactSum {
 public:
  // Inline while two doubles hold the sum: the common case.
  void Add(double x) {
    if (wide_ == nullptr) {
      double high, low, rest;
      TwoSum(parts_[0], x, &high, &low);
      TwoSum(parts_[1], low, &low, &rest);
      // Not so when a bit is lost, nor when the sum left the range of doubles.
      if (rest == 0 && std::isfinite(high)) {
        TwoSum(high, low, &high, &low);
        if (std::isfinite(high)) {
          parts_[0] = high;
          parts_[1] = low;
          return;
        }
      }
    }
    AddSlowly(x, 1);
  }
  void Add(double x, int64_t weight);  // x, weight times; negative takes back
  void Merge(const ExactSum& other);
  // The nearest double (ties to even); NaN and infinities as IEEE addition would give. Overflow of
  // the true sum gives an infinity although `has_infinity()` is false: PostgreSQL's 22003.
  double Value() const;
  // The sum in units of 2^-1074: an integer. REQUIRES: !has_infinity().
  void GetUnits(mpz_ptr out) const;
  // An infinity or a NaN was added and not taken back.
  bool has_infinity() const { return specials_ != nullptr; }
  // The same bytes for the same addends, whatever their order.
  void Save(std::string* out) const;
  // Reads what Save appended and removes it from the front of `bytes`.
  Status Load(std::string_view* bytes);
  // Bytes that the sum takes beside itself.
  int64_t memory() const;

 private:
  struct Wide;
  struct WideDeleter {
    void operator()(Wide* wide) const;
  };
  struct Specials {
    int64_t infinities = 0, negative_infinities = 0, nans = 0;
  };

  // a + b = *sum + *error exactly, unless the sum overflows.
  static void TwoSum(double a, double b, double* sum, double* error) {
    const double s = a + b;
    const double b_part = s - a;
    *error = (a - (s - b_part)) + (b - b_part);
    *sum = s;
  }
  void AddSlowly(double x, int64_t weight);
  void AddSpecial(double x, int64_t weight);
  Wide* Widen();

  double parts_[2] = {0, 0};  // the sum while `wide_` is absent: [0] is its nearest double
  std::unique_ptr<Wide, WideDeleter> wide_;
  std::unique_ptr<Specials> specials_;
};

}  // namespace leat
