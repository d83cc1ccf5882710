// Epochs: reading what has arrived, computing it, handing it over to the sinks.
#include <arrow/array.h>

#include <algorithm>
#include <numeric>

#include "connect/constraints.h"
#include "data/key.h"
#include "format/format.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "run/engine.h"
#include "run/failed_rejects.h"
#include "run/row_text.h"

namespace leat {
namespace {

// An epoch that is not full ends after so much time even if there is always something to read.
constexpr Micros kEpochTimeMax = 100'000;

// The content of a local table is constants: its query reads nothing.
Status NoRelations(const std::string& relation, const BatchVisitor&) {
  return NotSupported(
      fmt::format("a pipeline's INSERT into a local table cannot read \"{}\"", relation), -1,
      "Use VALUES, or a view.");
}

// The key columns of each row (all columns, without a key) → the row.
Status ApplyRows(const Schema& schema, std::vector<int> key, const Batch& batch, Index* index) {
  if (key.empty()) {
    for (int i = 0; i < schema.size(); ++i) key.push_back(i);
  }
  Strings keys, rows;
  LEAT_RETURN(EncodeKeyColumns(schema, key, batch, &keys));
  LEAT_RETURN(EncodeRows(batch.columns, TypesOf(schema), batch.rows, &rows));
  std::vector<int64_t> weights;
  for (int64_t i = 0; i < batch.rows; ++i) weights.push_back(batch.weight(i));
  return index->Apply(keys, rows, weights);
}

// A file ends too early: what lies before is as good as any other rows, and is not read again when
// the whole file is there.
bool IsTruncated(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error != nullptr && error->sqlstate == kTruncated;
}

}  // namespace

Result<RunReport> Engine::Run() {
  LEAT_RETURN(Open());
  LEAT_RETURN(Replay());
  const Status done = Loop();
  if (done.ok()) {
    LEAT_RETURN(RemoveFailedRejects(context_.files, context_.state_dir));
    return Report();
  }
  // What was rejected is what one wants to see; why the run ended matters more than that it is
  // kept.
  if (IsTooManyRejects(done)) {
    static_cast<void>(SaveFailedRejects(context_.files, context_.state_dir, rejects_.rows(),
                                        checkpoint_epoch_, done.message(), context_.clock->Now()));
  }
  // Nothing of a first run has left the process: the next one may be of another pipeline. If this
  // cannot be cleared it is but an empty state.
  const bool traceless = std::all_of(sinks_.begin(), sinks_.end(),
                                     [](const SinkSeat& seat) { return seat.worker->untouched(); });
  if (checkpoint_epoch_ == 0 && traceless) static_cast<void>(state_->Clear());
  return done;
}

Status Engine::Loop() {
  if (options_.again && options_.again->as_new) LEAT_RETURN(ReadAsNew());
  for (SourceSeat& seat : sources_) {
    seat.worker->GoOnFrom(seat.position.offset);
    seat.worker->Start();
  }
  while (!stopping() && failed_.ok()) {
    LEAT_RETURN(Housekeep());
    {
      const std::lock_guard lock(crew_.mutex);
      leaves_aside_ = AskedAside();
    }
    if (leaves_aside_) break;
    const bool work = AwaitWork();
    if (stopping()) break;
    // The very first epoch is computed even if nothing came: an empty sum is an answer too.
    const bool first = record_.epoch.number == 0;
    if (work || TickDue() || SnapshotDue() || (first && AtRest())) {
      LEAT_RETURN(RunEpoch());
    } else if (AllDrained() && !options_.follow) {
      break;
    }
  }
  for (SourceSeat& seat : sources_) seat.worker->Stop();
  LEAT_RETURN(Leave());
  return failed_;
}

// --- Waiting -------------------------------------------------------------------------------------

bool Engine::MayRead(const SourceSeat& seat) const {
  if (seat.plan->after.empty()) return true;
  for (const SourceSeat& other : sources_) {
    if (other.plan->name == seat.plan->after) return other.drained;
  }
  return true;
}

// Something can be taken. With the crew's mutex, like the next two.
bool Engine::HasNews() const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const SourceSeat& seat) {
    return MayRead(seat) && seat.worker->has_news();
  });
}

// Nothing is about to come, as far as is known.
bool Engine::AtRest() {
  // In their order: one that waits for a later one is looked at in the next round.
  for (SourceSeat& seat : sources_) {
    seat.drained = seat.drained || (MayRead(seat) && seat.worker->drained());
  }
  return std::all_of(sources_.begin(), sources_.end(), [&](const SourceSeat& seat) {
    return !MayRead(seat) || seat.worker->at_rest();
  });
}

bool Engine::AllDrained() const {
  return std::all_of(sources_.begin(), sources_.end(),
                     [](const SourceSeat& seat) { return seat.drained; });
}

// When the clock alone makes an epoch: rows enter, leave or change by it with none coming. A drain
// answers as of its start.
Micros Engine::TickAt() const {
  const Micros due = flow_.Due();
  if (due == kNever || record_.epoch.number == 0) return kNever;
  return options_.follow ? std::max(due, record_.epoch.clock + pipeline_.clock_tick) : due;
}

bool Engine::TickDue() const {
  return TickAt() <= (options_.follow ? context_.clock->Now() : started_at_);
}

// With the crew's mutex. Not while a sink fails: it would have to be waited for, and everybody with
// it.
bool Engine::AskedAside() const {
  return context_.aside != nullptr && context_.aside->wanted() &&
         std::none_of(sinks_.begin(), sinks_.end(),
                      [](const SinkSeat& seat) { return seat.worker->degraded(); });
}

// Until something can be read, or there is something else to do. True: there is something to read.
bool Engine::AwaitWork() {
  crew_.Yield();
  const bool first = record_.epoch.number == 0;
  bool news = false;
  Micros until = NextDuty();
  if (const Micros tick = TickAt(); tick != kNever) {
    until = std::min(until, crew_.Now() + std::max<Micros>(tick - context_.clock->Now(), 0));
  }
  crew_.Wait(until, [&] {
    const bool at_rest = AtRest();
    news = HasNews();
    return news || stopping() || (first && at_rest) || (AllDrained() && !options_.follow) ||
           HasSinkNews() || ReadersWait() || AskedAside();
  });
  return news;
}

// --- Reading -------------------------------------------------------------------------------------

Status Engine::RunEpoch() {
  LEAT_RETURN(BeginEpoch());
  LEAT_RETURN(ReadEpoch());
  const bool nothing =
      record_.ranges.empty() && flow_.Due() > record_.epoch.clock && !period_begins_;
  if (nothing && record_.epoch.number > 1) {
    record_.epoch.number -= 1;
    return Status::OK();
  }
  LEAT_RETURN(log_->Append(record_));
  LEAT_RETURN(FinishEpoch());
  LEAT_RETURN(log_->Sync());
  return HandOver();
}

Status Engine::BeginEpoch() {
  // The clock is the epoch's and never goes back.
  const Micros now = std::max(context_.clock->Now(), record_.epoch.clock);
  LEAT_RETURN(CloseSnapshots(now));
  record_ = {.epoch = {.number = record_.epoch.number + 1, .clock = now}};
  return record_.epoch.number == 1 ? PushContents(&flow_, &next_seq_) : Status::OK();
}

// Reads until the epoch is full, or all that has arrived is read: while one epoch is computed the
// next one arrives, so that epochs are as large as the load makes them.
Status Engine::ReadEpoch() {
  const Micros end = options_.follow ? crew_.Now() + kEpochTimeMax : kNever;
  int64_t bytes = 0;
  bool cut = true;  // the epoch may end: no transaction has begun and not ended
  while (!cut || (bytes < options_.epoch_bytes_max && !stopping())) {
    Arrival arrival;
    const Result<SourceSeat*> taken = cut ? TakeAny(&arrival) : TakeNext(&arrival);
    if (!options_.follow && !record_.ranges.empty() && IsTruncated(taken.status())) {
      failed_ = taken.status();
      break;
    }
    LEAT_ASSIGN(SourceSeat * seat, taken);
    if (seat != nullptr) {
      bytes += BytesRead(arrival);
      LEAT_RETURN(Take(seat, arrival));
      cut = !arrival.goes_on;
      if (cut && crew_.Now() >= end) break;
      continue;
    }
    if (!cut) {
      crew_.Wait(kNever, [&] { return HasNews(); });
      continue;
    }
    bool news = false;
    crew_.Wait(end, [&] {
      const bool at_rest = AtRest();
      news = HasNews();
      return news || at_rest || stopping();
    });
    if (!news) break;
  }
  return Status::OK();
}

// The next arrival of any source, the sources in turn; nullptr when none has one at hand.
Result<SourceSeat*> Engine::TakeAny(Arrival* arrival) {
  crew_.Yield();
  for (size_t i = 0; i < sources_.size(); ++i) {
    const size_t at = (next_source_ + i) % sources_.size();
    SourceSeat& seat = sources_[at];
    if (!MayRead(seat)) continue;
    LEAT_ASSIGN(auto taken, seat.worker->TryTake());
    if (!taken) continue;
    *arrival = *std::move(taken);
    next_source_ = at + 1;
    return &seat;
  }
  return nullptr;
}

// The next arrival of the source that the last one was from, which is in the middle of something.
Result<SourceSeat*> Engine::TakeNext(Arrival* arrival) {
  crew_.Yield();
  SourceSeat& seat = sources_[next_source_ - 1];
  LEAT_ASSIGN(auto taken, seat.worker->TryTake());
  if (!taken) return nullptr;
  *arrival = *std::move(taken);
  return &seat;
}

Status Engine::Take(SourceSeat* seat, const Arrival& arrival) {
  LEAT_RETURN(GoOn(arrival, &seat->position.offset));
  LogRange range{.source = static_cast<int32_t>(seat - sources_.data()),
                 .rows_read = RowsRead(arrival),
                 .rows_used = RowsUsed(arrival),
                 .first_seq = next_seq_,
                 .checksum = arrival.checksum};
  // A file of the log stands by itself: the first range in it has the whole offset.
  if (arrival.step && seat->logged_in == log_->generation()) {
    range.step = arrival.step;
  } else {
    range.end = seat->position.offset;
  }
  seat->logged_in = log_->generation();
  record_.ranges.push_back(std::move(range));
  const int64_t first_seq = next_seq_;
  next_seq_ += RowsNumbered(arrival);
  return Compute(seat, arrival, first_seq);
}

// --- Computing -----------------------------------------------------------------------------------

Status Engine::Compute(SourceSeat* seat, const Arrival& arrival, int64_t first_seq) {
  LEAT_RETURN(ComputePart(&sources_[seat->members[static_cast<size_t>(arrival.relation)]], arrival,
                          first_seq));
  first_seq += arrival.batch.rows;
  for (const Arrival& part : arrival.parts) {
    LEAT_RETURN(
        ComputePart(&sources_[seat->members[static_cast<size_t>(part.relation)]], part, first_seq));
    first_seq += part.batch.rows;
  }
  return Status::OK();
}

Status Engine::ComputePart(SourceSeat* seat, const Arrival& part, int64_t first_seq) {
  SourceReport& report = seat->report;
  const int64_t rejected = RowsRejected(part);
  report.rows_read += part.rows_read;
  report.rows_used += part.rows_read - rejected;
  report.rows_rejected += rejected;
  report.rows_kept_with_null += static_cast<int64_t>(part.rejects.size()) - rejected;
  report.bytes += part.bytes_read;
  seat->position.rows_read += part.rows_read;
  seat->position.rows_rejected += rejected;
  if (part.rows_read > 0) seat->last_row = record_.epoch.clock;
  LEAT_RETURN(SetAside(seat, part.place, part.rejects));
  if (part.batch.rows == 0 && !part.upserts) return Status::OK();
  Batch batch = part.batch;
  LEAT_ASSIGN(batch.seq, ArrivalNumbers(first_seq, batch.rows));
  if (part.upserts) return ApplyKeyed(seat, part, batch);
  return flow_.Push(seat->plan->name, batch, Eval());
}

Status Engine::SetAside(SourceSeat* seat, const std::string& place,
                        const std::vector<Reject>& rejects) {
  if (rejects.empty()) return Status::OK();
  LEAT_ASSIGN(Batch rows, rejects_.Add(seat->plan->name, place, rejects, record_.epoch));
  LEAT_ASSIGN(rows.seq, ArrivalNumbers(next_seq_, rows.rows));
  next_seq_ += rows.rows;
  LEAT_RETURN(flow_.Push(seat->plan->name + "__rejects", rows, Eval()));
  return flow_.Push("leat.rejects", rows, Eval());
}

// Changes of a relation whose rows are known by key. A row that breaks a constraint takes its old
// self out and is a reject.
Status Engine::ApplyKeyed(SourceSeat* seat, const Arrival& part, const Batch& batch) {
  const Relation& relation = *pipeline_.catalog.FindRelation(seat->plan->name);
  const Schema schema = relation.schema();
  std::vector<Reject> rejects;
  const auto place = [&](const Batch& rows, int64_t row, Reject* reject) {
    const auto at = static_cast<size_t>(rows.seq->Value(row) - batch.seq->Value(0));
    reject->offset = at < part.offsets.size() ? part.offsets[at] : 0;
    reject->row = static_cast<int64_t>(at);
    reject->raw = NamedRowText(schema, rows, row);
  };
  const RowCheck check = [&](const Batch& rows) -> Result<std::vector<int32_t>> {
    ReadChunk chunk{.batch = rows, .rows_read = rows.rows};
    chunk.row_offsets.resize(static_cast<size_t>(rows.rows));  // a row's number in the meantime
    std::iota(chunk.row_offsets.begin(), chunk.row_offsets.end(), 0);
    std::vector<int32_t> refused;
    LEAT_RETURN(ApplyConstraints(relation, part.place, &chunk, [&](Reject* reject) {
      refused.push_back(static_cast<int32_t>(reject->offset));
      place(rows, reject->offset, reject);
    }));
    std::move(chunk.rejects.begin(), chunk.rejects.end(), std::back_inserter(rejects));
    return refused;
  };
  const RowLacks lacks = [&](const Batch& rows, int32_t row, int column) {
    Reject reject{
        .column = schema.columns[static_cast<size_t>(column)].name,
        .reason = "the value did not change and was not sent, and the row before it was refused"};
    place(rows, row, &reject);
    rejects.push_back(std::move(reject));
    return Status::OK();
  };
  LEAT_RETURN(seat->keyed->Apply(batch, *part.upserts, check, lacks, [&](const Batch& delta) {
    return flow_.Push(seat->plan->name, delta, Eval());
  }));
  const auto refused = static_cast<int64_t>(rejects.size());
  seat->report.rows_used -= refused;
  seat->report.rows_rejected += refused;
  seat->position.rows_rejected += refused;
  return SetAside(seat, part.place, rejects);
}

// A local table's content is part of the definition: it enters the first epoch.
Status Engine::PushContents(Dataflow* flow, int64_t* seq) {
  for (const InsertRows& insert : pipeline_.contents) {
    LEAT_RETURN(RunOnce(VisibleColumns(insert.query), NoRelations, Eval(),
                        [&](const Batch& rows) -> Status {
                          Batch batch = rows;
                          LEAT_ASSIGN(batch.seq, ArrivalNumbers(*seq, batch.rows));
                          *seq += batch.rows;
                          return flow->Push(insert.table, batch, Eval());
                        }));
  }
  return Status::OK();
}

Status Engine::OnDelta(int output, const Batch& batch) {
  const auto index = static_cast<size_t>(output);
  if (index >= sinks_.size()) {
    ViewSeat& seat = views_[index - sinks_.size()];
    return ApplyRows(seat.plan->query->schema, seat.plan->key, batch, seat.rows.get());
  }
  SinkSeat& seat = sinks_[index];
  if (seat.guard) LEAT_RETURN(seat.guard->Push(batch));
  // It has this epoch already, or is made equal to its query afterwards: what is computed is the
  // state, not the sink.
  const bool held = !seat.worker || record_.epoch.number <= seat.worker->counters().epoch;
  if (!seat.content) return held ? Status::OK() : seat.worker->Write(batch);
  seat.content_changed = seat.content_changed || !held;
  return ApplyRows(seat.plan->query->schema, {}, batch, seat.content.get());
}

Status Engine::OnRowError(int output, const Schema& schema, const RowError& error) {
  const auto index = static_cast<size_t>(output);
  const std::string& name =
      index < sinks_.size() ? sinks_[index].plan->name : views_[index - sinks_.size()].plan->name;
  row_errors_ += error.weight;
  return rejects_.AddRowError(name, schema, error, record_.epoch);
}

Status Engine::FinishEpoch() {
  LEAT_RETURN(flow_.Finish(record_.epoch, Eval()));
  for (SinkSeat& seat : sinks_) {
    if (seat.guard) LEAT_RETURN(seat.guard->Finish());
  }
  for (const SourceSeat& seat : sources_) LEAT_RETURN(CheckBudget(seat));
  return Status::OK();
}

Status Engine::CheckBudget(const SourceSeat& seat) const {
  const auto& [name, offset, read, rejected] = seat.position;
  const auto& limit = seat.plan->reject_limit;
  if (!limit || !limit->Exceeded(rejected, read)) return Status::OK();
  std::string first;
  LEAT_RETURN(rejects_.Scan(name, [&](const Batch& batch) {
    if (first.empty() && batch.rows > 0) first = NamedRowText(RejectsSchema(), batch, 0);
    return Status::OK();
  }));
  return SqlStatus(
      fmt::format("too many rejects: {} of {} rows of \"{}\"", rejected, read, name),
      {.sqlstate = kTooManyRejects,
       .detail = "For example: " + first,
       .hint = "Nothing of this was committed. Repair the input, or raise max_rejects."});
}

// The epoch is in the log for good: the sinks may commit it.
Status Engine::HandOver() {
  const int64_t epoch = record_.epoch.number;
  for (SinkSeat& seat : sinks_) {
    if (seat.content || epoch <= seat.worker->counters().epoch) continue;
    LEAT_RETURN(seat.worker->End(epoch));
  }
  return Status::OK();
}

}  // namespace leat
