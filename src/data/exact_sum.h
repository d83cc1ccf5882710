// An exact sum of doubles: any order, any cut, with values taken back, gives the same bits. A
// growing expansion of non-overlapping doubles (Shewchuk 1997, "Adaptive Precision Floating-Point
// Arithmetic"), rounded once; infinities and NaNs are counted beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace leat {

class ExactSum {
 public:
  void Add(double x);                  // one addition when no bit is lost, the common case
  void Add(double x, int64_t weight);  // x, weight times; negative takes back
  void Merge(const ExactSum& other);
  // The nearest double (ties to even); NaN and infinities as IEEE addition would give. Overflow of
  // the true sum gives an infinity although `has_infinity()` is false: PostgreSQL's 22003.
  double Value() const;
  bool has_infinity() const { return specials_ != nullptr; }
  void Save(std::string* out) const;
  // Reads what Save appended and removes it from the front of `bytes`.
  Status Load(std::string_view* bytes);

 private:
  double parts_[2] = {0, 0};
  std::unique_ptr<std::vector<double>> more_;        // the expansion once two parts do not do
  struct Specials { int64_t infinities = 0, negative_infinities = 0, nans = 0; };
  std::unique_ptr<Specials> specials_;
};

}  // namespace leat
