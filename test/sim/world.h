// What goes wrong and when, and what time it is: one seed decides for the disk, the sources and the
// sinks. Everything simulated asks it before each deed. Used by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"

namespace leat::sim {

// What may fail. A crash may come before any of them.
enum class Deed : uint8_t {
  kDiskRead,
  kDiskWrite,
  kDiskSync,
  kDiskName,  // create, rename, remove, list
  kSource,
  kSinkOpen,
  kSinkWrite,
  kSinkCommit,
  kSinkAnswer,  // the commit is done; its answer may be lost
  kCount,
};
inline constexpr size_t kDeeds = static_cast<size_t>(Deed::kCount);

// The bad luck of one life of the process.
struct Luck {
  int64_t crash_after = -1;               // deeds until the process ends; -1: never
  std::array<double, kDeeds> fails = {};  // the chance that a deed fails
};

class World : public Clock {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  // A process starts: it has this luck.
  void Begin(const Luck& luck);
  // OK, or why the deed is not done. After the end of the process nothing is. Time passes.
  Status Try(Deed deed, const std::string& what);
  // Whether the process was killed, or the power cut, in this life.
  bool dead() const { return dead_; }
  // How often a deed failed in this life, and how many there were.
  int64_t failures() const { return failures_; }
  int64_t deeds() const { return deeds_; }

  // The clock on the wall, which is set back now and then.
  Micros Now() const override { return now_; }
  // What never goes back.
  Micros elapsed() const { return elapsed_; }
  void Pass(Micros time) {
    now_ += time;
    elapsed_ += time;
  }

  Random& random() { return random_; }

  // A line of the trace, if one is kept.
  void Say(const std::function<std::string()>& line) {
    if (tracing_) trace_.push_back(line());
  }
  void KeepTrace() { tracing_ = true; }
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  Random random_;
  Luck luck_;
  Micros now_ = 1'700'000'000'000'000;
  Micros elapsed_ = 0;
  std::array<Micros, kDeeds> fails_until_ = {};  // a failure may last
  int64_t deeds_ = 0, failures_ = 0;
  bool dead_ = false;
  bool tracing_ = false;
  std::vector<std::string> trace_;
};

const char* NameOf(Deed deed);

}  // namespace leat::sim
