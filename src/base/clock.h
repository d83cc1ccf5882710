// Time, handed to whoever needs it, so that a test can stop it. Nothing else reads the machine's.
#pragma once

#include <chrono>
#include <cstdint>

namespace leat {

// Microseconds since 1970-01-01 UTC: PostgreSQL's resolution.
using Micros = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Micros Now() const = 0;
};

class SystemClock : public Clock {
 public:
  Micros Now() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

// Stands where it is put. Used by one thread.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Micros now = 0) : now_(now) {}
  Micros Now() const override { return now_; }
  void Set(Micros now) { now_ = now; }

 private:
  Micros now_;
};

}  // namespace leat
