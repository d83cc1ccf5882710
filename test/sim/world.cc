#include "test/sim/world.h"

#include <fmt/format.h>

namespace leat::sim {

const char* NameOf(Deed deed) {
  constexpr std::array<const char*, kDeeds> kNames = {"read",
                                                      "write",
                                                      "sync",
                                                      "change of names",
                                                      "read of a source",
                                                      "open of a sink",
                                                      "write to a sink",
                                                      "commit of a sink",
                                                      "answer of a sink"};
  return kNames[static_cast<size_t>(deed)];
}

void World::Begin(const Luck& luck) {
  luck_ = luck;
  fails_until_ = {};
  deeds_ = failures_ = 0;
  dead_ = false;
}

Status World::Try(Deed deed, const std::string& what) {
  if (dead_) return Status::IOError("the process is dead");
  ++deeds_;
  Pass(static_cast<Micros>(random_.Below(2000)));
  // Clocks are set back by whoever keeps them.
  if (random_.OneIn(200)) now_ -= static_cast<Micros>(random_.Below(5'000'000));
  if (luck_.crash_after >= 0 && deeds_ > luck_.crash_after) {
    dead_ = true;
    Say([&] { return fmt::format("*** the end comes before the {} of {}", NameOf(deed), what); });
    return Status::IOError("the process is dead");
  }
  const auto index = static_cast<size_t>(deed);
  if (luck_.fails[index] > 0 && elapsed_ >= fails_until_[index] &&
      random_.Unit() < luck_.fails[index]) {
    fails_until_[index] =
        elapsed_ + (random_.OneIn(2) ? 0 : static_cast<Micros>(random_.Below(20'000'000)));
    ++failures_;
    Say([&] { return fmt::format("!!! the {} of {} fails", NameOf(deed), what); });
    return IOErrorF("the simulated {} of \"{}\" failed", NameOf(deed), what);
  }
  if (elapsed_ < fails_until_[index]) {
    ++failures_;
    return IOErrorF("the simulated {} of \"{}\" still fails", NameOf(deed), what);
  }
  Say([&] { return fmt::format("{} {}", NameOf(deed), what); });
  return Status::OK();
}

}  // namespace leat::sim
