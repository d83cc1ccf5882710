#include "run/sink_worker.h"

namespace leat {
namespace {

int64_t CostOf(const std::variant<Batch, int64_t>& command) {
  const auto* batch = std::get_if<Batch>(&command);
  return batch == nullptr ? 0 : MemoryOf(*batch);
}

}  // namespace

SinkWorker::SinkWorker(std::unique_ptr<Sink> sink, const SinkSpec& spec, int64_t queue_bytes_max)
    : name_(spec.name),
      mode_(spec.mode),
      sink_(std::move(sink)),
      net_(spec.name, spec.schema, spec.key),
      queue_bytes_max_(queue_bytes_max) {}

SinkWorker::~SinkWorker() { Stop(); }

void SinkWorker::Start() {
  thread_ = std::thread([this] { Loop(); });
}

Status SinkWorker::Write(Batch batch) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return !error_.ok() || queue_bytes_ < queue_bytes_max_; });
  LEAT_RETURN(error_);
  queue_.emplace_back(std::move(batch));
  const int64_t cost = CostOf(queue_.back());
  queue_bytes_ += cost;
  staged_bytes_ += cost;
  work_.notify_one();
  return Status::OK();
}

Status SinkWorker::Commit(int64_t epoch) {
  const std::lock_guard lock(mutex_);
  LEAT_RETURN(error_);
  queue_.emplace_back(epoch);
  work_.notify_one();
  return Status::OK();
}

Status SinkWorker::WaitCommitted() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return !error_.ok() || (queue_.empty() && !busy_); });
  return error_;
}

void SinkWorker::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (stop_) return;
    Command command = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= CostOf(command);
    busy_ = true;
    room_.notify_all();
    lock.unlock();
    const Status status = Apply(&command);
    lock.lock();
    busy_ = false;
    if (!status.ok()) {
      error_ = status;
      queue_.clear();
    }
    room_.notify_all();
    if (!status.ok()) return;
  }
}

Status SinkWorker::Apply(Command* command) {
  if (const auto* epoch = std::get_if<int64_t>(command)) return ApplyCommit(*epoch);
  const Batch& batch = std::get<Batch>(*command);
  if (mode_ == SinkMode::kUpsert) return net_.Add(batch);
  LEAT_RETURN(sink_->Write(batch));
  const std::lock_guard lock(mutex_);
  counters_.rows_added += batch.rows;
  return Status::OK();
}

Status SinkWorker::ApplyCommit(int64_t epoch) {
  int64_t added = 0, deleted = 0;
  if (mode_ == SinkMode::kUpsert && !net_.empty()) {
    LEAT_ASSIGN(const auto changes, net_.Take());
    deleted = changes.deletes.rows;
    added = changes.upserts.rows;
    if (deleted > 0) LEAT_RETURN(sink_->Write(changes.deletes));
    if (added > 0) LEAT_RETURN(sink_->Write(changes.upserts));
  }
  LEAT_RETURN(sink_->Commit(epoch));
  const std::lock_guard lock(mutex_);
  counters_.rows_added += added;
  counters_.rows_deleted += deleted;
  counters_.epoch = epoch;
  staged_bytes_ = queue_bytes_;
  return Status::OK();
}

int64_t SinkWorker::staged_bytes() const {
  const std::lock_guard lock(mutex_);
  return staged_bytes_;
}

SinkCounters SinkWorker::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void SinkWorker::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    work_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace leat
