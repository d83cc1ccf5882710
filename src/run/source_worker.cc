#include "run/source_worker.h"

namespace leat {
namespace {

constexpr int64_t kPollBytesMax = 4 << 20;

}  // namespace

SourceWorker::SourceWorker(std::string name, std::unique_ptr<Source> source, Bell* bell,
                           int64_t queue_bytes_max)
    : name_(std::move(name)),
      source_(std::move(source)),
      bell_(bell),
      queue_bytes_max_(queue_bytes_max) {}

SourceWorker::~SourceWorker() { Stop(); }

void SourceWorker::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void SourceWorker::Loop() {
  while (true) {
    Result<std::optional<Arrival>> polled = source_->Poll(kPollBytesMax);
    std::unique_lock lock(bell_->mutex);
    if (!polled.ok() || !polled->has_value()) {
      error_ = polled.status();
      ended_ = true;
      bell_->changed.notify_all();
      return;
    }
    queue_bytes_ += (*polled)->bytes_read;
    queue_.push_back(**std::move(polled));
    bell_->changed.notify_all();
    room_.wait(lock, [this] { return stop_ || queue_bytes_ < queue_bytes_max_; });
    if (stop_) return;
  }
}

Result<std::optional<Arrival>> SourceWorker::TryTake() {
  const std::lock_guard lock(bell_->mutex);
  if (queue_.empty()) {
    if (ended_) LEAT_RETURN(error_);
    return std::nullopt;
  }
  Arrival arrival = std::move(queue_.front());
  queue_.pop_front();
  queue_bytes_ -= arrival.bytes_read;
  room_.notify_one();
  return arrival;
}

bool SourceWorker::drained() const {
  const std::lock_guard lock(bell_->mutex);
  return ended_ && queue_.empty() && error_.ok();
}

void SourceWorker::Stop() {
  {
    const std::lock_guard lock(bell_->mutex);
    stop_ = true;
    room_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace leat
