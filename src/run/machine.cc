#include "run/machine.h"

#include "connect/connectors.h"
#include "data/key.h"
#include "plan/dataflow.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "run/epoch_log.h"
#include "run/key_guard.h"
#include "run/manifest.h"
#include "run/rejects.h"
#include "run/row_text.h"
#include "run/sink_worker.h"
#include "run/source_worker.h"
#include "run/state_dir.h"

namespace leat {
namespace {

constexpr const char* kTooManyRejects = "LR001";  // our own SQLSTATE class
constexpr int64_t kWriteRows = 65536;

using SteadyTime = std::chrono::steady_clock::time_point;

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

// A sink, its thread, and from which epoch on it lacks rows.
struct SinkSeat {
  const StandingSink* plan;
  std::unique_ptr<SinkWorker> worker;
  std::unique_ptr<KeyGuard> guard;  // kUpsert without a provable key
  std::unique_ptr<Index> content;   // kReplace: what the query answers
  int64_t has_up_to = 0;            // its mark
};

struct ViewSeat {
  const StoredView* plan;
  std::unique_ptr<Index> rows;  // key (or the whole row) → row
};

struct SourceSeat {
  const StandingSource* plan;
  std::unique_ptr<SourceWorker> worker;
  SourcePosition position;  // up to what was read into epochs
  SourceReport report;
};

class Machine : public DataflowListener {
 public:
  Machine(const Pipeline& pipeline, const RunOptions& options, const RunContext& context)
      : pipeline_(pipeline), options_(options), context_(context), flow_(this) {}

  Result<RunReport> Run();

  Status OnDelta(int output, const Batch& batch) override;
  Status OnRowError(int output, const Schema& schema, const RowError& error) override;

 private:
  Status Open();
  Status OpenSinks();
  Status BuildFlow();
  Status MakeSeats();
  Status Restore();
  Status OpenSink(SinkSeat* seat, int64_t log_end);
  Status CheckMark(const SinkSeat& seat, const std::optional<Mark>& mark, int64_t log_end) const;
  Status Replay();
  Status ReplayRange(const LogRange& range);
  Status Drain();
  Result<bool> ReadEpoch();
  Result<SourceSeat*> NextReady(Arrival* arrival);
  bool MayRead(const SourceSeat& seat) const;
  Status Take(SourceSeat* seat, const Arrival& arrival);
  Status Compute(SourceSeat* seat, const Arrival& arrival, int64_t first_seq);
  Status BeginEpoch();
  Status FinishEpoch();
  Status PushContents();
  Status CheckBudget(const SourceSeat& seat) const;
  bool CheckpointDue() const;
  Status Checkpoint();
  Status WriteState();
  Status WriteContent(SinkSeat* seat);
  RunReport Report() const;
  bool stopping() const { return context_.stop != nullptr && context_.stop->load(); }
  EvalContext Eval() const { return {.now = record_.epoch.clock, .timezone = timezone_}; }

  const Pipeline& pipeline_;
  const RunOptions& options_;
  const RunContext& context_;
  std::string timezone_ = "UTC";
  SteadyTime start_ = std::chrono::steady_clock::now();

  std::unique_ptr<StateDirectory> state_;
  std::unique_ptr<EpochLog> log_;
  Manifest manifest_;  // as of the last checkpoint; positions move on in the seats
  bool restored_ = false;
  int64_t committed_ = 0;  // the last epoch that any sink holds
  Dataflow flow_;
  Rejects rejects_;
  std::vector<SinkSeat> sinks_;  // outputs 0 …
  std::vector<ViewSeat> views_;  // … and after them
  Bell bell_;                    // outlives the sources' threads, which ring it
  std::vector<SourceSeat> sources_;

  LogRecord record_;  // the epoch that is being read or computed
  int64_t next_seq_ = 0;
  int64_t row_errors_ = 0;
  int64_t first_epoch_ = 0;
  int64_t replayed_ = 0;
  SteadyTime checkpointed_ = std::chrono::steady_clock::now();
  SteadyTime told_ = std::chrono::steady_clock::now();
};

Result<RunReport> Machine::Run() {
  LEAT_RETURN(Open());
  LEAT_RETURN(Replay());
  const Status drained = Drain();
  if (drained.ok()) return Report();
  // Nothing of a first run has left the process: the next one may be of another pipeline. If this
  // cannot be cleared it is but an empty state.
  if (committed_ == 0) static_cast<void>(state_->Clear());
  return drained;
}

// --- Opening -------------------------------------------------------------------------------------

Status Machine::Open() {
  if (const auto it = pipeline_.settings.find("timezone"); it != pipeline_.settings.end()) {
    timezone_ = it->second;
  }
  LEAT_ASSIGN(state_, StateDirectory::Open(context_.files, context_.state_dir));
  if (options_.fresh) LEAT_RETURN(state_->Clear());
  LEAT_RETURN(BuildFlow());
  LEAT_RETURN(MakeSeats());
  LEAT_RETURN(Restore());
  LEAT_ASSIGN(log_, EpochLog::Open(context_.files, state_->path("log")));
  if (const Status status = OpenSinks(); !status.ok()) {
    if (!restored_) static_cast<void>(state_->Clear());
    return status;
  }
  record_.epoch = manifest_.epoch;
  next_seq_ = manifest_.next_seq;
  first_epoch_ = manifest_.epoch.number + 1;
  return Status::OK();
}

Status Machine::OpenSinks() {
  int64_t log_end = manifest_.epoch.number;
  for (const LogRecord& record : log_->records()) log_end = std::max(log_end, record.epoch.number);
  committed_ = manifest_.epoch.number;
  for (SinkSeat& seat : sinks_) {
    LEAT_RETURN(OpenSink(&seat, log_end));
    committed_ = std::max(committed_, seat.has_up_to);
  }
  return Status::OK();
}

Status Machine::BuildFlow() {
  const SourceProperties properties = [&](const std::string& name) {
    return pipeline_.PropertiesOfSource(name);
  };
  for (const StandingSink& sink : pipeline_.sinks) {
    LEAT_RETURN(flow_.Add(sink.query, properties).status());
  }
  for (const StoredView& view : pipeline_.stored) {
    LEAT_RETURN(flow_.Add(view.query, properties).status());
  }
  return Status::OK();
}

Status Machine::MakeSeats() {
  for (const StandingSink& sink : pipeline_.sinks) {
    SinkSeat seat{.plan = &sink};
    if (sink.spec.mode == SinkMode::kUpsert && !sink.unique) {
      seat.guard = std::make_unique<KeyGuard>(sink.name, sink.spec.schema, sink.spec.key);
    }
    if (sink.spec.mode == SinkMode::kReplace) seat.content = MakeIndex();
    sinks_.push_back(std::move(seat));
  }
  for (const StoredView& view : pipeline_.stored) views_.push_back({&view, MakeIndex()});
  for (const StandingSource& plan : pipeline_.sources) {
    const Relation& relation = *pipeline_.catalog.FindRelation(plan.name);
    LEAT_ASSIGN(auto source, MakeSource(*pipeline_.catalog.FindServer(plan.server), relation));
    SourceSeat seat{.plan = &plan};
    seat.position.name = plan.name;
    seat.report.name = plan.name;
    seat.worker = std::make_unique<SourceWorker>(plan.name, std::move(source), &bell_,
                                                 options_.queue_bytes_max);
    sources_.push_back(std::move(seat));
  }
  return Status::OK();
}

Status Machine::Restore() {
  LEAT_ASSIGN(restored_, state_->Load(&manifest_));
  if (!restored_) {
    manifest_.state = fmt::format("{:016x}{:016x}", context_.random(), context_.random());
    LEAT_RETURN(WriteState());
    return state_->Commit(manifest_);  // the id is durable before a sink's mark names it
  }
  LEAT_RETURN(CheckDefinitions(manifest_, pipeline_));
  LEAT_RETURN(flow_.Restore([&](const std::string& name) { return state_->Reader(name); }));
  LEAT_ASSIGN(StateReader * rejects, state_->Reader("rejects"));
  LEAT_RETURN(rejects_.Restore(rejects));
  for (SinkSeat& seat : sinks_) {
    LEAT_ASSIGN(StateReader * reader, state_->Reader("sink " + seat.plan->name));
    if (seat.guard) LEAT_RETURN(seat.guard->Restore(reader));
    if (seat.content) LEAT_RETURN(seat.content->Restore(reader));
  }
  for (ViewSeat& seat : views_) {
    LEAT_ASSIGN(StateReader * reader, state_->Reader("view " + seat.plan->name));
    LEAT_RETURN(seat.rows->Restore(reader));
  }
  for (SourceSeat& seat : sources_) {
    for (const auto& position : manifest_.sources) {
      if (position.name == seat.plan->name) seat.position = position;
    }
  }
  return Status::OK();
}

Status Machine::OpenSink(SinkSeat* seat, int64_t log_end) {
  SinkSpec spec = seat->plan->spec;
  spec.state = manifest_.state;
  spec.statement = seat->plan->name + " " + seat->plan->hash;
  LEAT_ASSIGN(auto sink, MakeSink(spec));
  if (options_.fresh) LEAT_RETURN(sink->Reset());
  LEAT_ASSIGN(const auto mark, sink->Open());
  LEAT_RETURN(CheckMark(*seat, mark, log_end));
  seat->has_up_to = mark ? mark->epoch : 0;
  seat->worker = std::make_unique<SinkWorker>(std::move(sink), spec, options_.queue_bytes_max);
  seat->worker->Start();
  return Status::OK();
}

Status Machine::CheckMark(const SinkSeat& seat, const std::optional<Mark>& mark,
                          int64_t log_end) const {
  const auto refuse = [&](std::string message, std::string detail) {
    return SqlStatus(std::move(message), {.sqlstate = "55000",
                                          .location = -1,
                                          .detail = std::move(detail),
                                          .hint = "`leat run --fresh` drops the state and the rows "
                                                  "that leat wrote, and reads all again."});
  };
  const int64_t held = manifest_.epoch.number;
  if (!mark) {
    if (held == 0) return Status::OK();
    return refuse(
        fmt::format("the target of sink \"{}\" has lost its mark", seat.plan->name),
        fmt::format("The state is at epoch {}; the target was dropped, emptied or restored.",
                    held));
  }
  if (mark->state != manifest_.state) {
    return refuse(
        fmt::format("the target of sink \"{}\" belongs to another state", seat.plan->name),
        fmt::format("Its mark names state {}, and this is {}.", mark->state, manifest_.state));
  }
  if (mark->epoch < held || mark->epoch > log_end) {
    return refuse(fmt::format("the mark of sink \"{}\" does not fit this state", seat.plan->name),
                  fmt::format("It is at epoch {}; the state can go on from {} to {}.", mark->epoch,
                              held, log_end));
  }
  return Status::OK();
}

// --- Replay --------------------------------------------------------------------------------------

// Epochs that no sink holds left no trace outside: they are read anew, as the sources are by now.
Status Machine::Replay() {
  for (const LogRecord& record : log_->records()) {
    if (record.epoch.number <= manifest_.epoch.number || record.epoch.number > committed_) continue;
    if (replayed_++ == 0) {
      for (SourceSeat& seat : sources_)
        LEAT_RETURN(seat.worker->source().Seek(seat.position.offset));
    }
    record_ = {.epoch = record.epoch};
    LEAT_RETURN(PushContents());
    for (const LogRange& range : record.ranges) LEAT_RETURN(ReplayRange(range));
    record_.ranges.clear();
    LEAT_RETURN(FinishEpoch());
  }
  return replayed_ == 0 ? log_->Clear() : Checkpoint();
}

Status Machine::ReplayRange(const LogRange& range) {
  if (range.source < 0 || range.source >= static_cast<int32_t>(sources_.size())) {
    return IOErrorF("the epoch log names source {}, which this pipeline does not have",
                    range.source);
  }
  SourceSeat& seat = sources_[static_cast<size_t>(range.source)];
  LEAT_ASSIGN(const Arrival arrival, seat.worker->source().Reread(range.end));
  if (arrival.rows_read != range.rows_read || arrival.batch.rows != range.rows_used ||
      arrival.checksum != range.checksum) {
    return IOErrorF(
        "source \"{}\" no longer gives what epoch {} read from it: {} rows (checksum {:016x}) "
        "then, {} rows "
        "({:016x}) now, in {}",
        seat.plan->name, record_.epoch.number, range.rows_read, range.checksum, arrival.rows_read,
        arrival.checksum, arrival.place);
  }
  seat.position.offset = range.end;
  next_seq_ = range.first_seq + arrival.batch.rows;
  return Compute(&seat, arrival, range.first_seq);
}

// --- Draining ------------------------------------------------------------------------------------

Status Machine::Drain() {
  for (SourceSeat& seat : sources_) {
    LEAT_RETURN(seat.worker->source().Seek(seat.position.offset));
    seat.worker->Start();
  }
  bool more = true;
  int64_t since = 0;  // epochs since the last checkpoint
  while (more && !stopping()) {
    LEAT_RETURN(BeginEpoch());
    LEAT_ASSIGN(more, ReadEpoch());
    // The very first epoch is computed even if nothing came: an empty sum is an answer too.
    if (record_.ranges.empty() && record_.epoch.number > 1) {
      record_.epoch.number -= 1;
      break;
    }
    LEAT_RETURN(log_->Append(record_));
    LEAT_RETURN(FinishEpoch());
    ++since;
    if (CheckpointDue()) {
      LEAT_RETURN(Checkpoint());
      since = 0;
    }
  }
  for (SourceSeat& seat : sources_) seat.worker->Stop();
  return since > 0 ? Checkpoint() : Status::OK();
}

Status Machine::BeginEpoch() {
  // The clock is the epoch's and never goes back.
  const Micros now = std::max(context_.clock->Now(), record_.epoch.clock);
  record_ = {.epoch = {.number = record_.epoch.number + 1, .clock = now}};
  return PushContents();
}

// Reads until the epoch is full; false when there is no more to read.
Result<bool> Machine::ReadEpoch() {
  int64_t bytes = 0;
  while (bytes < options_.epoch_bytes_max && !stopping()) {
    Arrival arrival;
    LEAT_ASSIGN(SourceSeat * seat, NextReady(&arrival));
    if (seat == nullptr) return false;
    bytes += arrival.bytes_read;
    LEAT_RETURN(Take(seat, arrival));
  }
  return true;
}

bool Machine::MayRead(const SourceSeat& seat) const {
  if (seat.plan->after.empty()) return true;
  for (const SourceSeat& other : sources_) {
    if (other.plan->name == seat.plan->after) return other.worker->drained();
  }
  return true;
}

// Waits for the next arrival of any source; nullptr when all are drained.
Result<SourceSeat*> Machine::NextReady(Arrival* arrival) {
  while (true) {
    bool drained = true;
    for (SourceSeat& seat : sources_) {
      if (!MayRead(seat)) {
        drained = false;
        continue;
      }
      LEAT_ASSIGN(auto taken, seat.worker->TryTake());
      if (taken) {
        *arrival = *std::move(taken);
        return &seat;
      }
      drained = drained && seat.worker->drained();
    }
    if (drained) return nullptr;
    std::unique_lock lock(bell_.mutex);
    bell_.changed.wait_for(lock, std::chrono::milliseconds(20));
    if (stopping()) return nullptr;
  }
}

Status Machine::Take(SourceSeat* seat, const Arrival& arrival) {
  record_.ranges.push_back({.source = static_cast<int32_t>(seat - sources_.data()),
                            .end = arrival.end,
                            .rows_read = arrival.rows_read,
                            .rows_used = arrival.batch.rows,
                            .first_seq = next_seq_,
                            .checksum = arrival.checksum});
  const int64_t first_seq = next_seq_;
  next_seq_ += arrival.batch.rows;
  seat->position.offset = arrival.end;
  return Compute(seat, arrival, first_seq);
}

// --- Computing -----------------------------------------------------------------------------------

Status Machine::Compute(SourceSeat* seat, const Arrival& arrival, int64_t first_seq) {
  SourceReport& report = seat->report;
  const int64_t rejected = arrival.rows_read - arrival.batch.rows;
  report.rows_read += arrival.rows_read;
  report.rows_used += arrival.batch.rows;
  report.rows_rejected += rejected;
  report.rows_kept_with_null += static_cast<int64_t>(arrival.rejects.size()) - rejected;
  report.bytes += arrival.bytes_read;
  seat->position.rows_read += arrival.rows_read;
  seat->position.rows_rejected += rejected;
  if (!arrival.rejects.empty()) {
    LEAT_ASSIGN(Batch rows,
                rejects_.Add(seat->plan->name, arrival.place, arrival.rejects, record_.epoch));
    LEAT_ASSIGN(rows.seq, ArrivalNumbers(next_seq_, rows.rows));
    next_seq_ += rows.rows;
    LEAT_RETURN(flow_.Push(seat->plan->name + "__rejects", rows, Eval()));
    LEAT_RETURN(flow_.Push("leat.rejects", rows, Eval()));
  }
  if (arrival.batch.rows == 0) return Status::OK();
  Batch batch = arrival.batch;
  LEAT_ASSIGN(batch.seq, ArrivalNumbers(first_seq, batch.rows));
  return flow_.Push(seat->plan->name, batch, Eval());
}

// A local table's content is part of the definition: it enters the first epoch.
Status Machine::PushContents() {
  if (record_.epoch.number != 1) return Status::OK();
  for (const InsertRows& insert : pipeline_.contents) {
    LEAT_RETURN(RunOnce(*VisibleColumns(insert.query), NoRelations, Eval(),
                        [&](const Batch& rows) -> Status {
                          Batch batch = rows;
                          LEAT_ASSIGN(batch.seq, ArrivalNumbers(next_seq_, batch.rows));
                          next_seq_ += batch.rows;
                          return flow_.Push(insert.table, batch, Eval());
                        }));
  }
  return Status::OK();
}

Status Machine::OnDelta(int output, const Batch& batch) {
  const auto index = static_cast<size_t>(output);
  if (index < sinks_.size()) {
    SinkSeat& seat = sinks_[index];
    if (seat.guard) LEAT_RETURN(seat.guard->Push(batch));
    if (seat.content) return ApplyRows(seat.plan->spec.schema, {}, batch, seat.content.get());
    // It has this epoch already: a replay computes the state, not the sink.
    if (record_.epoch.number <= seat.has_up_to) return Status::OK();
    return seat.worker->Write(batch);
  }
  ViewSeat& seat = views_[index - sinks_.size()];
  return ApplyRows(seat.plan->query->schema, seat.plan->key, batch, seat.rows.get());
}

Status Machine::OnRowError(int output, const Schema& schema, const RowError& error) {
  const auto index = static_cast<size_t>(output);
  const std::string& name =
      index < sinks_.size() ? sinks_[index].plan->name : views_[index - sinks_.size()].plan->name;
  row_errors_ += error.weight;
  return rejects_.AddRowError(name, schema, error, record_.epoch);
}

Status Machine::FinishEpoch() {
  LEAT_RETURN(flow_.Finish(record_.epoch, Eval()));
  for (SinkSeat& seat : sinks_) {
    if (seat.guard) LEAT_RETURN(seat.guard->Finish());
  }
  for (const SourceSeat& seat : sources_) LEAT_RETURN(CheckBudget(seat));
  const auto now = std::chrono::steady_clock::now();
  if (context_.progress && now - told_ > std::chrono::milliseconds(100)) {
    told_ = now;
    context_.progress(Report());
  }
  return Status::OK();
}

Status Machine::CheckBudget(const SourceSeat& seat) const {
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

// --- Checkpoints ---------------------------------------------------------------------------------

bool Machine::CheckpointDue() const {
  if (std::chrono::steady_clock::now() - checkpointed_ >= options_.checkpoint_interval) return true;
  return std::any_of(sinks_.begin(), sinks_.end(), [&](const SinkSeat& seat) {
    return seat.worker->staged_bytes() >= seat.plan->flush_bytes;
  });
}

// The order is the promise: the log, then the sinks with their marks, then the manifest. A crash
// before the sinks' commit forgets the epochs' effects; one after it finds the epochs in the log
// and in the marks, computes them again and does not send them again.
Status Machine::Checkpoint() {
  LEAT_RETURN(log_->Sync());
  const int64_t epoch = record_.epoch.number;
  committed_ = std::max(committed_, epoch);
  for (SinkSeat& seat : sinks_) {
    if (seat.has_up_to >= epoch) continue;
    if (seat.content) LEAT_RETURN(WriteContent(&seat));
    LEAT_RETURN(seat.worker->Commit(epoch));
  }
  LEAT_RETURN(WriteState());  // beside the sinks' commits: nothing of it counts before the manifest
  for (SinkSeat& seat : sinks_) {
    LEAT_RETURN(seat.worker->WaitCommitted());
    seat.has_up_to = std::max(seat.has_up_to, epoch);
  }
  LEAT_RETURN(state_->Commit(manifest_));
  LEAT_RETURN(log_->Clear());
  checkpointed_ = std::chrono::steady_clock::now();
  return Status::OK();
}

// All rows of a sink that is written whole, in the order of its columns.
Status Machine::WriteContent(SinkSeat* seat) {
  RowDecoder decoder(TypesOf(seat->plan->spec.schema));
  const auto flush = [&]() -> Status {
    Batch batch{.rows = decoder.rows()};
    LEAT_ASSIGN(batch.columns, decoder.Finish());
    return batch.rows == 0 ? Status::OK() : seat->worker->Write(std::move(batch));
  };
  LEAT_RETURN(seat->content->Scan(
      "", "", false, [&](std::string_view, std::string_view row, int64_t weight) -> Result<bool> {
        for (int64_t i = 0; i < weight; ++i) LEAT_RETURN(decoder.Append(row));
        if (decoder.rows() >= kWriteRows) LEAT_RETURN(flush());
        return true;
      }));
  return flush();
}

Status Machine::WriteState() {
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
  manifest_.epoch = record_.epoch;
  manifest_.next_seq = next_seq_;
  manifest_.definitions = DefinitionsOf(pipeline_);
  manifest_.pinned = pipeline_.pinned;
  manifest_.sources.clear();
  for (const SourceSeat& seat : sources_) manifest_.sources.push_back(seat.position);
  return Status::OK();
}

RunReport Machine::Report() const {
  RunReport report;
  for (const SourceSeat& seat : sources_) report.sources.push_back(seat.report);
  for (const SinkSeat& seat : sinks_) {
    const SinkCounters counters = seat.worker->counters();
    report.sinks.push_back({seat.plan->name, counters.rows_added, counters.rows_deleted});
  }
  report.row_errors = row_errors_;
  report.first_epoch = first_epoch_;
  report.last_epoch = record_.epoch.number;
  report.epochs_replayed = replayed_;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  return report;
}

}  // namespace

bool IsTooManyRejects(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error != nullptr && error->sqlstate == kTooManyRejects;
}

Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunOptions& options,
                              const RunContext& context) {
  return Machine(pipeline, options, context).Run();
}

}  // namespace leat
