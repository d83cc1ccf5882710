// Time zones: UTC, fixed offsets, and the IANA database that the system has (TZif files).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace leat {

class TimeZone {
 public:
  // By what AT TIME ZONE takes: 'UTC', 'Europe/Vienna' (any case), an abbreviation ('PST'), or
  // POSIX
  // ('<+02>-2', 'EST5EDT', and PostgreSQL's '+02', which is two hours *west*). 22023 otherwise. The
  // pointer lasts as long as the process; calls are cheap and thread-safe.
  static Result<const TimeZone*> Find(std::string_view name);
  // By what SET timezone takes: the same, but '+02' and '2' are hours *east*.
  static Result<const TimeZone*> FindSetting(std::string_view setting);

  virtual ~TimeZone() = default;
  // Seconds east of UTC at a point in time.
  virtual int32_t OffsetAt(Micros utc) const = 0;
  // The point in time that a clock on the wall there shows as `local`. Of a time that the clock
  // skips or shows twice, what PostgreSQL takes: the offset before a skip, the one after a repeat.
  virtual Micros ToUtc(Micros local) const = 0;

  Micros ToLocal(Micros utc) const { return utc + OffsetAt(utc) * int64_t{1000000}; }
};

// The offset (seconds east) of an abbreviation as timestamp texts may end in: "z", "est", "cest".
bool FindZoneAbbreviation(std::string_view lower, int32_t* offset);

}  // namespace leat
