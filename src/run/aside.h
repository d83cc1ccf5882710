// Where another command that must have the state for itself (`leat repair`, `leat replay`) asks a
// running machine to step aside: it commits, checkpoints and lets go of the state, as at its end,
// and goes on from the checkpoint when the other is done or gone.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "base/status.h"

namespace leat {

class AsideDesk {
 public:
  // --- The others: any thread ---
  // Waits until the machine has let go of the state. After OK, Done must follow. `why` is shown as
  // the machine's status meanwhile.
  Status Ask(const std::string& why, std::chrono::milliseconds wait_max);
  // The state may be taken again.
  void Done();

  // --- The machine ---
  // Rung when somebody asks or is done, with the desk's mutex; never after Close.
  void OnAsk(std::function<void()> ring);
  bool wanted() const { return wanted_.load(); }
  std::string why() const;
  // The state is free. False: nobody waits for it any more.
  bool Let();
  // The machine leaves: who asks is told so from now on.
  void Close();

 private:
  mutable std::mutex mutex_;  // guards all below but wanted_
  std::condition_variable changed_;
  std::function<void()> ring_;
  std::atomic<bool> wanted_ = false;  // from Ask to Done
  bool let_ = false;
  bool closed_ = false;
  std::string why_;
};

}  // namespace leat
