#include "run/aside.h"

namespace leat {

Status AsideDesk::Ask(const std::string& why, std::chrono::milliseconds wait_max) {
  std::unique_lock lock(mutex_);
  if (closed_) return Status::IOError("the running leat is leaving; try again when it is gone");
  if (wanted_) return IOErrorF("the running leat has stepped aside for another: {}", why_);
  wanted_ = true;
  let_ = false;
  why_ = why;
  if (ring_) ring_();
  if (changed_.wait_for(lock, wait_max, [this] { return let_ || closed_; }) && let_) {
    return Status::OK();
  }
  wanted_ = false;
  if (closed_) return Status::IOError("the running leat has left; try again");
  if (ring_) ring_();
  return IOErrorF(
      "the running leat did not let go of the state within {:.0f} s: `leat status` says "
      "what keeps it",
      static_cast<double>(wait_max.count()) / 1000);
}

void AsideDesk::Done() {
  const std::lock_guard lock(mutex_);
  wanted_ = false;
  if (ring_) ring_();
}

void AsideDesk::OnAsk(std::function<void()> ring) {
  const std::lock_guard lock(mutex_);
  ring_ = std::move(ring);
}

std::string AsideDesk::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

bool AsideDesk::Let() {
  const std::lock_guard lock(mutex_);
  let_ = wanted_;
  changed_.notify_all();
  return let_;
}

void AsideDesk::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  ring_ = nullptr;
  changed_.notify_all();
}

}  // namespace leat
