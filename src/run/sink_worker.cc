#include "run/sink_worker.h"

#include <algorithm>

namespace leat {

SinkWorker::SinkWorker(Crew* crew, SinkSpec spec, SinkWorkerOptions options, SinkFactory make,
                       MarkCheck check, int64_t low, int64_t high)
    : Worker(crew),
      spec_(std::move(spec)),
      options_(std::move(options)),
      make_(std::move(make)),
      check_(std::move(check)),
      memory_(StateMemory::Current()),
      low_(low),
      high_(high),
      reset_(options_.reset),
      health_(options_.retry) {
  counters_.epoch = low;
}

SinkWorker::~SinkWorker() { Stop(); }

// --- The engine's side ---------------------------------------------------------------------------

Status SinkWorker::Open() {
  const Status status = Reopen();
  if (status.ok()) return status;
  Fail(status);
  return error();
}

Status SinkWorker::Write(Batch batch) {
  crew_.Yield();
  const int64_t cost = MemoryOf(batch);
  crew_.Wait(kNever, [this] {
    if (!error_.ok()) return true;
    if (!health_.degraded() && open_) return unstaged_bytes_ < options_.queue_bytes_max;
    return outbox_bytes_ < options_.outbox_bytes_max || crew_.stopping();
  });
  const std::lock_guard lock(crew_.mutex);
  LEAT_RETURN(error_);
  if (!open_ && outbox_bytes_ >= options_.outbox_bytes_max) {
    return Status::Cancelled("sink \"", spec_.name, "\" takes no more: ", health_.reason());
  }
  unstaged_bytes_ += cost;
  outbox_bytes_ += cost;
  outbox_.push_back({.batch = std::move(batch), .bytes = cost});
  Wake();
  return Status::OK();
}

Status SinkWorker::End(int64_t epoch) {
  const std::lock_guard lock(crew_.mutex);
  LEAT_RETURN(error_);
  outbox_.push_back({.epoch = epoch, .is_end = true});
  ++ends_waiting_;
  high_ = std::max(high_, epoch);
  Wake();
  return Status::OK();
}

Status SinkWorker::Commit(int64_t epoch) {
  const std::lock_guard lock(crew_.mutex);
  asked_ = std::max(asked_, epoch);
  Wake();
  return error_;
}

void SinkWorker::AdvanceMark(int64_t epoch) {
  const std::lock_guard lock(crew_.mutex);
  mark_wanted_ = std::max(mark_wanted_, epoch);
  Wake();
}

Status SinkWorker::WaitCommitted(int64_t epoch) {
  return WaitUntil([&] { return counters_.epoch >= epoch; }, fmt::format("epoch {}", epoch));
}

Status SinkWorker::WaitOpened() {
  return WaitUntil([this] { return was_open_; }, "anything yet");
}

Status SinkWorker::WaitAtRest() {
  return WaitUntil([this] { return IsAtRest(); }, "what it was given");
}

Status SinkWorker::WaitUntil(const std::function<bool()>& done, const std::string& what) {
  bool is_done = false;
  crew_.Wait(kNever, [&] {
    is_done = done();
    return is_done || !error_.ok() || (health_.degraded() && crew_.stopping());
  });
  const std::lock_guard lock(crew_.mutex);
  LEAT_RETURN(error_);
  if (is_done) return Status::OK();
  return IOErrorF("sink \"{}\" has not committed {}: {}", spec_.name, what, health_.reason());
}

bool SinkWorker::untouched() const {
  const std::lock_guard lock(crew_.mutex);
  return was_open_ && counters_.epoch == 0 && !began_commit_;
}

bool SinkWorker::was_open() const {
  const std::lock_guard lock(crew_.mutex);
  return was_open_;
}

int64_t SinkWorker::has_up_to() const {
  const std::lock_guard lock(crew_.mutex);
  // An epoch that changed nothing here is held as soon as it is passed.
  return staged_rows_ == 0 && at_end_ && open_ ? std::max(counters_.epoch, ended_)
                                               : counters_.epoch;
}

bool SinkWorker::at_rest() const {
  const std::lock_guard lock(crew_.mutex);
  return IsAtRest();
}

int64_t SinkWorker::outbox_bytes() const {
  const std::lock_guard lock(crew_.mutex);
  return outbox_bytes_;
}

SinkCounters SinkWorker::counters() const {
  const std::lock_guard lock(crew_.mutex);
  return counters_;
}

Status SinkWorker::error() const {
  const std::lock_guard lock(crew_.mutex);
  return error_;
}

SinkStatus SinkWorker::status() const {
  const std::lock_guard lock(crew_.mutex);
  SinkStatus status{.name = spec_.name,
                    .state = open_ ? WorkerState::kRunning : WorkerState::kStarting,
                    .reason = health_.reason(),
                    .degraded_since = health_.degraded_since(),
                    .retries = health_.retries(),
                    .rows_added = counters_.rows_added,
                    .rows_deleted = counters_.rows_deleted,
                    .commits = counters_.commits,
                    .epoch = counters_.epoch,
                    .committed_at = committed_at_,
                    .outbox_bytes = outbox_bytes_};
  if (outbox_bytes_ > 0 && options_.retry.clock != nullptr) {
    // What is not staged yet is not late.
    const Micros due = options_.timed && staged_rows_ > 0
                           ? staged_since_ + options_.flush.interval.count()
                           : crew_.Now();
    status.commit_due = options_.retry.clock->Now() + due - crew_.Now();
  }
  if (health_.troubled()) status.state = WorkerState::kDegraded;
  if (stop_) status.state = WorkerState::kStopped;
  return status;
}

// --- What to do next -----------------------------------------------------------------------------

// When a rule of the sink's own asks for a commit of what is staged.
Micros SinkWorker::FlushAt() const {
  if (staged_rows_ == 0) return kNever;
  const FlushRules& flush = options_.flush;
  if (flush.bytes > 0 && staged_bytes_ >= flush.bytes) return 0;
  if (flush.rows > 0 && staged_rows_ >= flush.rows) return 0;
  return options_.timed ? staged_since_ + flush.interval.count() : kNever;
}

bool SinkWorker::FlushDue(int64_t epoch) const {
  if (asked_ > counters_.epoch && epoch >= asked_) return true;
  if (staged_rows_ == 0) return mark_wanted_ > counters_.epoch && epoch >= mark_wanted_;
  return FlushAt() <= crew_.Now();
}

SinkWorker::Plan SinkWorker::Next() const {
  if (stop_ || !error_.ok()) return {};
  if (health_.degraded() && health_.retry_at() > crew_.Now()) {
    return {Act::kOpen, health_.retry_at()};
  }
  if (!open_) return {Act::kOpen, 0};
  if (staged_ == outbox_.size()) {
    if (!at_end_) return {};
    if (FlushDue(ended_)) return {Act::kCommit, 0};
    return {Act::kCommit, FlushAt()};
  }
  const bool whole = spec_.mode == SinkMode::kReplace || spec_.mode == SinkMode::kSnapshot;
  const Entry& next = outbox_[staged_];
  if (!next.is_end) {
    // A commit that is due at the end of the last epoch comes before anything of the next. What is
    // written whole is never staged twice.
    const bool due = whole || (ends_waiting_ == 0 && staged_rows_ > 0 && FlushDue(ended_));
    const bool commit_first = at_end_ && ended_ > counters_.epoch && due;
    return {commit_first ? Act::kCommit : Act::kStage, 0};
  }
  // Whole epochs that wait already are taken into the same commit.
  const bool more = !whole && ends_waiting_ > 1 && staged_bytes_ < options_.queue_bytes_max;
  return {FlushDue(next.epoch) && !more ? Act::kCommit : Act::kPass, 0};
}

// --- The sink's side -----------------------------------------------------------------------------

void SinkWorker::Work() {
  Plan plan;
  const Batch* batch = nullptr;
  int64_t epoch = 0;
  {
    const std::lock_guard lock(crew_.mutex);
    plan = Next();
    if (plan.due > crew_.Now()) return;
    const bool there = staged_ < outbox_.size();
    if (plan.act == Act::kStage) batch = &outbox_[staged_].batch;
    if (plan.act == Act::kCommit) {
      epoch = there && outbox_[staged_].is_end ? outbox_[staged_].epoch : ended_;
    }
    if (plan.act == Act::kPass) return Pass();
  }
  Status status;
  if (plan.act == Act::kOpen) status = Reopen();
  if (plan.act == Act::kStage) status = Stage(*batch);
  if (plan.act == Act::kCommit) status = CommitStaged(epoch);
  if (!status.ok()) Fail(status);
}

Status SinkWorker::Reopen() {
  LEAT_ASSIGN(auto sink, make_(spec_));
  if (reset_) LEAT_RETURN(sink->Reset());
  reset_ = false;
  LEAT_ASSIGN(auto mark, sink->Open());
  int64_t low = 0, high = 0;
  {
    const std::lock_guard lock(crew_.mutex);
    low = low_;
    high = high_;
  }
  if (!sink->keeps_mark() && low > 0) mark = Mark{spec_.state, spec_.statement, low};
  LEAT_RETURN(check_(mark, low, high));
  sink_ = std::move(sink);
  const MemoryScope scope(memory_);
  net_ = std::make_unique<NetChanges>(spec_.name, spec_.schema, spec_.key);
  AfterOpen(mark);
  return Status::OK();
}

// What the mark covers is not given again.
void SinkWorker::AfterOpen(const std::optional<Mark>& mark) {
  const std::lock_guard lock(crew_.mutex);
  open_ = was_open_ = true;
  const int64_t epoch = mark ? mark->epoch : 0;
  counters_.epoch = low_ = std::max(counters_.epoch, epoch);
  const auto last = std::find_if(outbox_.rbegin(), outbox_.rend(), [&](const Entry& entry) {
    return entry.is_end && entry.epoch <= epoch;
  });
  for (auto covered = outbox_.rend() - last; covered > 0; --covered) PopFront();
  // A sink that opens may still refuse what it is given: only a commit shows that it is well.
  if (outbox_.empty())
    health_.Recover();
  else
    health_.Resume();
  crew_.Ring();
}

Status SinkWorker::Stage(const Batch& batch) {
  if (spec_.mode == SinkMode::kUpsert) {
    LEAT_RETURN(net_->Add(batch));
  } else {
    LEAT_RETURN(sink_->Write(batch));
    staged_counts_.rows_added += batch.rows;
  }
  AfterStage();
  return Status::OK();
}

void SinkWorker::AfterStage() {
  const std::lock_guard lock(crew_.mutex);
  const Entry& entry = outbox_[staged_];
  unstaged_bytes_ -= entry.bytes;
  staged_bytes_ += entry.bytes;
  staged_rows_ += entry.batch.rows;
  staged_since_ = std::min(staged_since_, crew_.Now());
  at_end_ = false;
  ++staged_;
  if (options_.retry.degraded_max == 0 || outbox_bytes_ > options_.outbox_bytes_max) {
    kept_all_ = false;
  }
  while (!kept_all_ && staged_ > 0) PopFront();
  crew_.Ring();
}

// The end of an epoch that is not committed by itself. Holds the mutex.
void SinkWorker::Pass() {
  ended_ = outbox_[staged_].epoch;
  at_end_ = true;
  ++staged_;
  --ends_waiting_;
  if (staged_rows_ == 0 || !kept_all_) {
    while (staged_ > 0) PopFront();
  }
  crew_.Ring();
}

// Takes the first entry away, whether it was handed to the sink or not. Holds the mutex.
void SinkWorker::PopFront() {
  const Entry& entry = outbox_.front();
  outbox_bytes_ -= entry.bytes;
  if (staged_ > 0) {
    --staged_;
  } else {
    unstaged_bytes_ -= entry.bytes;
    if (entry.is_end) {
      --ends_waiting_;
      ended_ = entry.epoch;
    }
  }
  outbox_.pop_front();
}

Status SinkWorker::CommitStaged(int64_t epoch) {
  if (spec_.mode == SinkMode::kUpsert && !net_->empty()) {
    staged_counts_ = {};
    LEAT_RETURN(net_->Take([&](const Batch& batch) {
      (batch.weights ? staged_counts_.rows_deleted : staged_counts_.rows_added) += batch.rows;
      return sink_->Write(batch);
    }));
  }
  {
    const std::lock_guard lock(crew_.mutex);
    began_commit_ = true;
  }
  LEAT_RETURN(sink_->Commit(epoch));
  AfterCommit(epoch);
  return Status::OK();
}

void SinkWorker::AfterCommit(int64_t epoch) {
  const std::lock_guard lock(crew_.mutex);
  // The entries of the commit: what was staged, and the end that it was made at.
  while (staged_ > 0) PopFront();
  if (!outbox_.empty() && outbox_.front().is_end && outbox_.front().epoch == epoch) PopFront();
  ended_ = epoch;
  at_end_ = true;
  kept_all_ = true;
  staged_bytes_ = staged_rows_ = 0;
  staged_since_ = kNever;
  counters_.rows_added += std::exchange(staged_counts_.rows_added, 0);
  counters_.rows_deleted += std::exchange(staged_counts_.rows_deleted, 0);
  counters_.epoch = low_ = epoch;
  ++counters_.commits;
  committed_at_ = options_.retry.clock == nullptr ? 0 : options_.retry.clock->Now();
  health_.Recover();
  crew_.Ring();
}

// All that was handed to the sink is void; it is opened again before more comes.
void SinkWorker::Fail(const Status& status) {
  sink_.reset();
  net_.reset();
  staged_counts_ = {};
  const std::lock_guard lock(crew_.mutex);
  open_ = false;
  const bool again = health_.Fail(status, crew_.Now());
  if (!again || !kept_all_) {
    error_ = status;
    outbox_.clear();
    outbox_bytes_ = unstaged_bytes_ = ends_waiting_ = 0;
    staged_ = 0;
  }
  for (; staged_ > 0; --staged_) {
    const Entry& entry = outbox_[staged_ - 1];
    unstaged_bytes_ += entry.bytes;
    ends_waiting_ += entry.is_end ? 1 : 0;
  }
  staged_bytes_ = staged_rows_ = 0;
  staged_since_ = kNever;
  at_end_ = true;
  // What is kept begins behind the last commit; without rows kept, the ends that were passed stand.
  if (!outbox_.empty()) ended_ = counters_.epoch;
  crew_.Ring();
}

}  // namespace leat
