#include "run/source_worker.h"

namespace leat {
namespace {

constexpr int64_t kPollBytesMax = 4 << 20;
// The longest that a thread waits in a source before it looks whether it is to stop.
constexpr std::chrono::milliseconds kWaitMax(100);
// Without threads a source that has nothing is asked again after this time.
constexpr Micros kLookAgain = 10'000;

}  // namespace

SourceWorker::SourceWorker(Crew* crew, SourceWorkerOptions options, SourceFactory make)
    : Worker(crew), options_(std::move(options)), make_(std::move(make)), health_(options_.retry) {}

SourceWorker::~SourceWorker() { Stop(); }

Status SourceWorker::Open() {
  if (source_) return Status::OK();
  LEAT_ASSIGN(source_, make_());
  if (options_.follow) source_->Follow();
  source_->GiveSteps();
  positioned_ = false;
  return Status::OK();
}

Result<Source*> SourceWorker::SourceAt(const Offset& offset) {
  LEAT_RETURN(Open());
  if (!positioned_) LEAT_RETURN(source_->Seek(offset));
  positioned_ = true;
  return source_.get();
}

void SourceWorker::GoOnFrom(const Offset& offset) {
  at_ = offset;
  positioned_ = false;
}

Micros SourceWorker::Due() const {
  if (stop_ || ended_ || !error_.ok() || queue_bytes_ >= options_.queue_bytes_max) return kNever;
  if (health_.degraded()) return health_.retry_at();
  return idle_ && !crew_.threaded() ? look_at_ : 0;
}

void SourceWorker::Work() {
  if (const Status status = Prepare(); !status.ok()) return Fail(status);
  if (!WaitForMore()) return;
  Result<std::optional<Arrival>> polled = source_->Poll(kPollBytesMax);
  if (!polled.ok()) return Fail(polled.status());
  if (polled->has_value()) {
    if (const Status status = GoOn(**polled, &at_); !status.ok()) return Fail(status);
    return Take(**std::move(polled));
  }
  const int64_t lag = source_->lag_bytes();
  const Micros lag_time = source_->lag_time();
  const std::lock_guard lock(crew_.mutex);
  health_.Recover();
  lag_bytes_ = lag;
  lag_time_ = lag_time;
  idle_ = true;
  ended_ = !options_.follow;
  look_at_ = crew_.Now() + kLookAgain;
  crew_.Ring();
}

// Makes the source if need be, puts it in its place, and tells it what it may forget.
Status SourceWorker::Prepare() {
  LEAT_RETURN(Open());
  if (!positioned_) LEAT_RETURN(source_->Seek(at_));
  positioned_ = true;
  std::optional<Offset> acknowledge;
  {
    const std::lock_guard lock(crew_.mutex);
    acknowledge.swap(acknowledge_);
  }
  return acknowledge ? source_->Acknowledge(*acknowledge) : Status::OK();
}

// False: nothing came while it waited.
bool SourceWorker::WaitForMore() {
  {
    const std::lock_guard lock(crew_.mutex);
    if (!idle_ || !crew_.threaded()) return true;
  }
  return source_->Wait(kWaitMax);
}

void SourceWorker::Take(Arrival arrival) {
  const int64_t lag = source_->lag_bytes();
  const Micros lag_time = source_->lag_time();
  const std::lock_guard lock(crew_.mutex);
  health_.Recover();
  lag_bytes_ = lag;
  lag_time_ = lag_time;
  idle_ = false;
  queue_bytes_ += BytesRead(arrival);
  queue_.push_back(std::move(arrival));
  crew_.Ring();
}

void SourceWorker::Fail(const Status& status) {
  source_.reset();
  positioned_ = false;
  const std::lock_guard lock(crew_.mutex);
  idle_ = false;
  if (!health_.Fail(status, crew_.Now())) error_ = status;
  crew_.Ring();
}

Result<std::optional<Arrival>> SourceWorker::TryTake() {
  const std::lock_guard lock(crew_.mutex);
  if (queue_.empty()) {
    LEAT_RETURN(error_);
    return std::nullopt;
  }
  Arrival arrival = std::move(queue_.front());
  queue_.pop_front();
  queue_bytes_ -= BytesRead(arrival);
  Wake();
  return arrival;
}

void SourceWorker::Acknowledge(const Offset& end) {
  {
    const std::lock_guard lock(crew_.mutex);
    acknowledge_ = end;
    if (!stop_) return;
  }
  // Nobody reads any more: the checkpoint is a run's last. What cannot be forgotten now is
  // forgotten after the next run's.
  if (source_ && positioned_) static_cast<void>(source_->Acknowledge(end));
}

SourceStatus SourceWorker::status() const {
  const std::lock_guard lock(crew_.mutex);
  SourceStatus status{.name = options_.name,
                      .state = ended_ ? WorkerState::kDrained : WorkerState::kRunning,
                      .reason = health_.reason(),
                      .degraded_since = health_.degraded_since(),
                      .retries = health_.retries(),
                      .lag_bytes = lag_bytes_,
                      .lag_time = lag_time_};
  // What was read ahead lies no longer outside, and has not come further either.
  if (!queue_.empty()) status.lag_bytes = std::max<int64_t>(lag_bytes_, 0) + queue_bytes_;
  if (health_.degraded()) status.state = WorkerState::kDegraded;
  if (stop_) status.state = WorkerState::kStopped;
  return status;
}

}  // namespace leat
