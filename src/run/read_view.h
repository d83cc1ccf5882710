// A pipeline's committed state as readers see it: what holds at the end of one epoch, and does not
// change while the machine goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "run/manifest.h"
#include "state/index.h"

namespace leat {

// Visits entries with begin <= key < end (an empty `end`: no end) in key order, until `visit` says
// no. The views last until `visit` returns. Any thread, and several at once, unless who made it
// says otherwise.
using RowsScan =
    std::function<Status(std::string_view begin, std::string_view end, const Index::Visit& visit)>;

// The entries of a trace as they are now.
inline RowsScan ScanOf(const Index& index) {
  return [snapshot = index.Snapshot()](std::string_view begin, std::string_view end,
                                       const Index::Visit& visit) {
    return snapshot->Scan(begin, end, false, visit);
  };
}

struct ReadView {
  Manifest manifest;  // as a checkpoint of this epoch would say it
  bool live = false;  // a process is at work, and goes on
  // "rejects" (rows of RejectsSchema) and "view NAME" for every stored view: the key's bytes → the
  // row's (data/key.h). "source NAME" for every source whose rows are held by key
  // (flow/keyed_rows.h); of others there is nothing behind it.
  std::map<std::string, RowsScan> rows;
};
using ReadViewPtr = std::shared_ptr<const ReadView>;

// The last checkpoint in a state directory; nullptr where there is none. Takes no lock: a process
// that works there may make another checkpoint meanwhile. Its scans are for one thread.
Result<ReadViewPtr> ReadCheckpoint(FileSystem* files, const std::string& state_dir);

// Where readers on other threads ask a running machine for a view, and it answers between epochs.
class ReadDesk {
 public:
  // --- Readers: any thread ---
  // Waits for the machine's answer: a view of the last committed epoch.
  Result<ReadViewPtr> Ask(std::chrono::milliseconds wait_max);

  // --- The machine ---
  // Rung at every Ask, on the reader's thread and with the desk's mutex, so that an idle machine
  // wakes; never after Close.
  void OnAsk(std::function<void()> ring) {
    const std::lock_guard lock(mutex_);
    ring_ = std::move(ring);
  }
  // Costs nothing: to be asked after every epoch, and when woken.
  bool wanted() const { return asking_.load(std::memory_order_relaxed) > 0; }
  // To all who ask now: a view of an epoch that is durable.
  void Answer(Result<ReadViewPtr> view);
  // The machine leaves: who asks is told so from now on.
  void Close();

 private:
  std::atomic<int> asking_ = 0;
  std::mutex mutex_;  // guards all below
  std::function<void()> ring_;
  std::condition_variable answered_;
  int64_t answers_ = 0;
  bool closed_ = false;
  Result<ReadViewPtr> last_ = ReadViewPtr();  // held only while somebody waits for it
};

}  // namespace leat
