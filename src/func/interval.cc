#include "func/interval.h"

#include <cmath>
#include <limits>

namespace leat {
namespace {

constexpr double kSecondsPerDay = 86400;

// To microseconds: what is beyond is noise of the division.
double RoundSeconds(double seconds) { return std::rint(seconds * 1e6) / 1e6; }

// `months`, `days` and `micros` are exact products (or quotients), with fractions.
bool FromFractions(double months, double days, double micros, Interval* out) {
  constexpr double kMax = std::numeric_limits<int32_t>::max();
  if (!(std::abs(months) <= kMax) || !(std::abs(days) <= kMax) || std::isnan(micros)) return false;
  const double whole_months = std::trunc(months);
  double whole_days = std::trunc(days);
  const double month_days = RoundSeconds((months - whole_months) * 30);
  double seconds =
      RoundSeconds((days - whole_days + month_days - std::trunc(month_days)) * kSecondsPerDay);
  if (std::abs(seconds) >= kSecondsPerDay) {
    const double carried = std::trunc(seconds / kSecondsPerDay);
    whole_days += carried;
    seconds -= carried * kSecondsPerDay;
  }
  whole_days += std::trunc(month_days);
  const double time = std::rint(micros + seconds * 1e6);
  if (!(std::abs(time) < 9.2e18)) return false;
  return MakeInterval(static_cast<__int128>(whole_months), static_cast<__int128>(whole_days),
                      static_cast<__int128>(time), out);
}

}  // namespace

bool MakeInterval(__int128 months, __int128 days, __int128 micros, Interval* out) {
  const __int128 nanos = micros * 1000;
  out->months = static_cast<int32_t>(months);
  out->days = static_cast<int32_t>(days);
  out->nanoseconds = static_cast<int64_t>(nanos);
  return out->months == months && out->days == days && out->nanoseconds == nanos;
}

bool MultiplyInterval(const Interval& interval, double factor, Interval* out) {
  return FromFractions(interval.months * factor, interval.days * factor,
                       static_cast<double>(MicrosOf(interval)) * factor, out);
}

bool DivideInterval(const Interval& interval, double divisor, Interval* out) {
  return FromFractions(interval.months / divisor, interval.days / divisor,
                       static_cast<double>(MicrosOf(interval)) / divisor, out);
}

}  // namespace leat
