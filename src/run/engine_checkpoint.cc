// Between epochs: checkpoints, sinks that are written whole, the end of the run.
//
// A checkpoint of epoch n is the state after n, and it counts when every sink has committed n: then
// the manifest is renamed, and the log up to n goes. So a mark is never before the checkpoint, and
// whatever a sink lacks after a crash comes from replaying the log: one mechanism, the same for a
// sink that was a commit behind and for one that was away. What that costs is a longer replay when
// a sink lags, bounded by `outbox_bytes_max`, beyond which the sources wait.
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "data/key.h"
#include "run/engine.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr int64_t kWriteRows = 65536;
constexpr Micros kDay = 86'400'000'000;
// A checkpoint is due when the log has so many bytes, however short the interval was.
constexpr int64_t kLogBytesMax = 64 << 20;
// How soon a sink that is not ready for its content is looked at again.
constexpr Micros kLookAgain = 10'000;

// The first instant of the period of a sink of mode `snapshot`, in UTC.
Micros PeriodOf(Micros clock, Micros every) {
  const Micros into = clock % every;
  return clock - (into < 0 ? into + every : into);
}

// Puts the column behind the others that says which period the rows are of.
Status AddPeriod(const SinkSpec& spec, Micros clock, Batch* batch) {
  const Micros begin = PeriodOf(clock, spec.every);
  const Type& type = spec.schema.columns.back().type;
  std::shared_ptr<arrow::Scalar> value;
  if (type.id == TypeId::kDate) {
    value = std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(begin / kDay));
  } else {
    value = std::make_shared<arrow::TimestampScalar>(begin, ArrowType(type));
  }
  LEAT_ASSIGN(auto column, arrow::MakeArrayFromScalar(*value, batch->rows));
  batch->columns.push_back(std::move(column));
  return Status::OK();
}

}  // namespace

// --- When ----------------------------------------------------------------------------------------

bool Engine::CheckpointDue() const {
  if (pending_ || record_.epoch.number == checkpoint_epoch_) return false;
  const auto interval = std::chrono::microseconds(options_.checkpoint_interval).count();
  return crew_.Now() - checkpointed_ >= interval || log_->bytes() >= kLogBytesMax;
}

// Whether every sink has committed the epoch. With the crew's mutex.
bool Engine::SinksHold(int64_t epoch) const {
  return std::all_of(sinks_.begin(), sinks_.end(), [&](const SinkSeat& seat) {
    // One that is written whole is written again from the checkpoint, whatever it has by now.
    return seat.worker->committed() >= (seat.content ? 1 : epoch);
  });
}

// With the crew's mutex.
bool Engine::HasSinkNews() const {
  if (pending_ && writer_.done() && SinksHold(*pending_)) return true;
  return std::any_of(sinks_.begin(), sinks_.end(),
                     [](const SinkSeat& seat) { return seat.worker->failed(); });
}

// When there is something to do even if nothing comes.
Micros Engine::NextDuty() const {
  Micros due = kNever;
  if (!pending_ && record_.epoch.number > checkpoint_epoch_) {
    due = checkpointed_ + std::chrono::microseconds(options_.checkpoint_interval).count();
  }
  if (!options_.follow) return due;
  for (const SinkSeat& seat : sinks_) {
    if (!seat.content || !seat.content_changed || record_.epoch.number == 0) continue;
    const Micros flush = seat.content_at + seat.plan->flush.interval.count();
    // One that is not ready, perhaps for long, is looked at now and then: nobody rings for it.
    due = std::min(due, seat.worker->at_rest() ? flush : crew_.Now() + kLookAgain);
  }
  for (const SinkSeat& seat : sinks_) {
    const Micros every = seat.plan->spec.every;
    if (every == 0) continue;
    const Micros now = context_.clock->Now();
    due = std::min(due, crew_.Now() + std::max(PeriodOf(now, every) + every - now, kLookAgain));
  }
  return std::min(due, NextTelling());
}

Status Engine::Housekeep() {
  bool held = false;
  {
    const std::lock_guard lock(crew_.mutex);
    held = pending_ && writer_.done() && SinksHold(*pending_);
  }
  for (const SinkSeat& seat : sinks_) LEAT_RETURN(seat.worker->error());
  if (held) LEAT_RETURN(FinishCheckpoint());
  if (CheckpointDue()) LEAT_RETURN(BeginCheckpoint());
  if (ReadersWait()) context_.readers->Answer(MakeView());
  for (SinkSeat& seat : sinks_) {
    if (ContentDue(seat)) LEAT_RETURN(FlushContent(&seat));
  }
  Tell();
  return Status::OK();
}

// --- Sinks that are written whole ----------------------------------------------------------------

bool Engine::ContentDue(const SinkSeat& seat) const {
  return options_.follow && seat.content && seat.content_changed && record_.epoch.number > 0 &&
         crew_.Now() - seat.content_at >= seat.plan->flush.interval.count() &&
         seat.worker->at_rest();
}

Status Engine::FlushContent(SinkSeat* seat) {
  const int64_t epoch = record_.epoch.number;
  if (!seat->content || !seat->content_changed) return Status::OK();
  // One that could not be opened yet may hold it already.
  LEAT_RETURN(seat->worker->WaitOpened());
  if (seat->worker->has_up_to() >= epoch) {  // replayed: its target holds this content
    seat->content_changed = false;
    return Status::OK();
  }
  seat->content_changed = false;
  seat->content_at = crew_.Now();
  LEAT_RETURN(WriteContent(seat));
  LEAT_RETURN(seat->worker->End(epoch));
  return seat->worker->Commit(epoch);
}

// --- Sinks that keep what a query answered in each period ----------------------------------------

// A period began after the last epoch, and its answer is not written anywhere yet.
bool Engine::SnapshotDue() const {
  return record_.epoch.number > 0 &&
         std::any_of(sinks_.begin(), sinks_.end(), [&](const SinkSeat& seat) {
           const Micros every = seat.plan->spec.every;
           return every > 0 &&
                  PeriodOf(context_.clock->Now(), every) > PeriodOf(record_.epoch.clock, every);
         });
}

// Before an epoch of this time: the periods that end before it get the answer of their last epoch
// for good. So nothing that came later is ever in them, and a replay does the same.
Status Engine::CloseSnapshots(Micros clock) {
  period_begins_ = false;
  if (record_.epoch.number == 0) return Status::OK();
  for (SinkSeat& seat : sinks_) {
    const Micros every = seat.plan->spec.every;
    if (every == 0 || PeriodOf(clock, every) <= PeriodOf(record_.epoch.clock, every)) continue;
    const bool changed = seat.content_changed;
    LEAT_RETURN(FlushContent(&seat));
    // A checkpoint after this could not write it again.
    if (changed) LEAT_RETURN(seat.worker->WaitAtRest());
    seat.content_changed = period_begins_ = true;
  }
  return Status::OK();
}

// All rows, in the order of the sink's columns.
Status Engine::WriteContent(SinkSeat* seat) {
  const SinkSpec& spec = seat->plan->spec;
  RowDecoder decoder(TypesOf(seat->plan->query->schema));
  const auto flush = [&]() -> Status {
    Batch batch{.rows = decoder.rows()};
    LEAT_ASSIGN(batch.columns, decoder.Finish());
    if (batch.rows == 0) return Status::OK();
    if (spec.every > 0) LEAT_RETURN(AddPeriod(spec, record_.epoch.clock, &batch));
    return seat->worker->Write(std::move(batch));
  };
  if (spec.every > 0) {  // whatever the period held
    decoder.AppendNull();
    Batch all{.rows = 1};
    LEAT_ASSIGN(all.columns, decoder.Finish());
    LEAT_RETURN(AddPeriod(spec, record_.epoch.clock, &all));
    LEAT_ASSIGN(all, Negate(all));
    LEAT_RETURN(seat->worker->Write(std::move(all)));
  }
  LEAT_RETURN(seat->content->Scan(
      "", "", false, [&](std::string_view, std::string_view row, int64_t weight) -> Result<bool> {
        for (int64_t i = 0; i < weight; ++i) LEAT_RETURN(decoder.Append(row));
        if (decoder.rows() >= kWriteRows) LEAT_RETURN(flush());
        return true;
      }));
  return flush();
}

// --- Checkpoints ---------------------------------------------------------------------------------

Status Engine::BeginCheckpoint() {
  const int64_t epoch = record_.epoch.number;
  for (SinkSeat& seat : sinks_) {
    const bool whole = seat.content != nullptr;
    const bool first = seat.worker->was_open() && seat.worker->counters().epoch == 0;
    if (whole && (!options_.follow || first)) LEAT_RETURN(FlushContent(&seat));
    if (whole) continue;
    // A drain commits what it has; one that follows keeps to the sinks' own rules.
    if (!options_.follow) LEAT_RETURN(seat.worker->Commit(epoch));
    seat.worker->AdvanceMark(epoch);
  }
  LEAT_RETURN(WriteState());
  writer_.Begin(state_->Prepare(manifest_));  // beside the epochs that follow
  LEAT_RETURN(log_->Roll());
  pending_ = epoch;
  checkpointed_ = crew_.Now();
  return Status::OK();
}

Status Engine::FinishCheckpoint() {
  LEAT_ASSIGN(const auto written, writer_.Finish());
  LEAT_RETURN(written->Publish());
  checkpoint_epoch_ = *pending_;
  checkpointed_at_ = context_.clock->Now();
  pending_.reset();
  LEAT_RETURN(log_->DropRolled());
  for (size_t i = 0; i < sources_.size(); ++i) {
    sources_[i].worker->Acknowledge(manifest_.sources[i].offset);
  }
  return Status::OK();
}

Status Engine::WriteState() {
  LEAT_RETURN(flow_.Checkpoint([&](const std::string& name) { return state_->Writer(name); }));
  LEAT_ASSIGN(StateWriter * rejects, state_->Writer("rejects"));
  LEAT_RETURN(rejects_.Checkpoint(rejects));
  for (SinkSeat& seat : sinks_) {
    LEAT_ASSIGN(StateWriter * writer, state_->Writer("sink " + seat.plan->name));
    if (seat.guard) LEAT_RETURN(seat.guard->Checkpoint(writer));
    if (seat.content) LEAT_RETURN(seat.content->Checkpoint(writer));
  }
  for (ViewSeat& seat : views_) {
    LEAT_ASSIGN(StateWriter * writer, state_->Writer("view " + seat.plan->name));
    LEAT_RETURN(seat.rows->Checkpoint(writer));
  }
  for (SourceSeat& seat : sources_) {
    if (!seat.keyed) continue;
    LEAT_ASSIGN(StateWriter * writer, state_->Writer("source " + seat.plan->name));
    LEAT_RETURN(seat.keyed->Checkpoint(writer));
  }
  manifest_.epoch = record_.epoch;
  manifest_.next_seq = next_seq_;
  manifest_.mend = 0;
  manifest_.definitions = DefinitionsOf(pipeline_);
  manifest_.pinned = pipeline_.pinned;
  manifest_.sources.clear();
  for (const SourceSeat& seat : sources_) manifest_.sources.push_back(seat.position);
  return Status::OK();
}

// --- Leaving -------------------------------------------------------------------------------------

// All sinks commit all, and the checkpoint holds it.
Status Engine::Leave() {
  const int64_t epoch = record_.epoch.number;
  for (SinkSeat& seat : sinks_) {
    LEAT_RETURN(FlushContent(&seat));
    if (!seat.content) LEAT_RETURN(seat.worker->Commit(epoch));
  }
  if (pending_) {
    for (const SinkSeat& seat : sinks_) LEAT_RETURN(Await(seat, *pending_));
    LEAT_RETURN(FinishCheckpoint());
  }
  const bool begun = epoch > checkpoint_epoch_;
  if (begun) LEAT_RETURN(BeginCheckpoint());
  for (const SinkSeat& seat : sinks_) LEAT_RETURN(Await(seat, epoch));
  return begun ? FinishCheckpoint() : Status::OK();
}

Status Engine::Await(const SinkSeat& seat, int64_t epoch) {
  if (!seat.content) return seat.worker->WaitCommitted(epoch);
  return seat.worker->WaitAtRest();
}

}  // namespace leat
