// Groups of an aggregate that memory has no room for: their states as bytes in traces. A group is
// either here or in the operator's table, never in both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/strings.h"
#include "state/index.h"
#include "state/memory.h"

namespace leat::aggregate_internal {

// Used by one thread.
class ColdGroups {
 public:
  ColdGroups();

  bool empty() const { return said_count_ == 0 && unsaid_count_ == 0; }
  int64_t size() const { return said_count_ + unsaid_count_; }

  // Takes a group over. `said`: its row has been put out; one whose has not waits for TakeUnsaid.
  void Put(std::string_view key, std::string_view state, bool said);
  // What was put is here.
  Status Flush();

  // Gives back the groups of these keys that are here, i in order.
  using Load = std::function<Status(int64_t i, std::string_view state, bool said)>;
  Status Take(const Strings& keys, const Load& load);

  // Which of the keys have a group here. REQUIRES: what was put is flushed.
  Result<std::vector<uint8_t>> Contains(const Strings& keys) const;

  // The groups not yet said, a part at a time in the order of their keys; they are said then and
  // stay here, but for those of which `say` tells that no row is left (a byte of `gone` each).
  using Say =
      std::function<Status(const Strings& keys, const Strings& states, std::vector<uint8_t>* gone)>;
  Status SayUnsaid(int64_t part, const Say& say);
  bool has_unsaid() const { return unsaid_count_ > 0; }

  // REQUIRES: every group has been said.
  Status Checkpoint(StateWriter* writer) { return said_->Checkpoint(writer); }
  Status Restore(StateReader* reader);
  int64_t waiting_bytes() const {
    return static_cast<int64_t>(waiting_said_.states.bytes.size() +
                                waiting_unsaid_.states.bytes.size());
  }
  // Bytes of what it holds, in memory or in files.
  int64_t held() const { return said_->stats().held + unsaid_->stats().held; }

 private:
  struct Waiting {
    Strings keys, states;
    std::vector<int64_t> weights;
    Status ApplyTo(Index* index);
  };
  Status TakeFrom(Index* index, int64_t* count, const Strings& keys, bool said, const Load& load);

  StateMemory* const memory_;
  std::unique_ptr<Index> said_, unsaid_;  // key → state
  int64_t said_count_ = 0, unsaid_count_ = 0;
  Waiting waiting_said_, waiting_unsaid_;
};

}  // namespace leat::aggregate_internal
