// Opening: the state, the log, the sinks and their marks.
#include <arrow/memory_pool.h>
#include <malloc.h>

#include <algorithm>

#include "plan/columns_read.h"
#include "run/engine.h"
#include "run/marks.h"
#include "run/source_feed.h"

namespace leat {
namespace {

constexpr Micros kForEver = kNever;

// What waits before exchanges and between shards takes its part of little memory, too.
Cores CoresOf(const RunOptions& options, ThreadPool* pool) {
  Cores cores{.pool = pool, .shards = options.shards};
  cores.round_bytes = std::min(cores.round_bytes, options.memory_max / 32);
  cores.ahead_bytes_max = std::min(cores.ahead_bytes_max, options.memory_max / 32);
  return cores;
}

// Stands for a source whose rows come with another's.
class ReadWithAnother : public Source {
 public:
  Status Seek(const Offset&) override { return Status::OK(); }
  Result<std::optional<Arrival>> Poll(int64_t) override { return std::nullopt; }
  Result<Arrival> Reread(const Offset&) override {
    return Status::IOError("it has no rows of its own");
  }
  Status Limit(const Offset&) override { return Status::OK(); }
  Result<AgainPlan> Again(const Offset&, const AgainSpec&) override { return AgainPlan{}; }
};

void ReleaseUnused() {
  arrow::default_memory_pool()->ReleaseUnused();
  ::malloc_trim(0);
}

}  // namespace

Engine::Engine(const Pipeline& pipeline, const RunOptions& options, const RunContext& context,
               Crew* crew, int64_t restarts)
    : pipeline_(pipeline),
      options_(options),
      context_(context),
      crew_(*crew),
      retries_(RetriesOf(options, context)),
      restarts_(restarts),
      start_(crew->Now()),
      started_at_(context.clock->Now()),
      memory_({.limit = options.memory_max, .resident = ResidentBytes, .release = ReleaseUnused}),
      scope_(&memory_),
      pool_(options.threads),
      flow_(this, CoresOf(options, &pool_)),
      checkpointed_(start_),
      writer_(crew) {}

RetryRules RetriesOf(const RunOptions& options, const RunContext& context) {
  Micros degraded_max = options.follow ? kForEver : 0;
  if (options.degraded_max) {
    degraded_max = std::chrono::microseconds(*options.degraded_max).count();
  }
  return {.degraded_max = degraded_max, .clock = context.clock, .random = context.random};
}

Status Engine::Open() {
  if (const auto it = pipeline_.settings.find("timezone"); it != pipeline_.settings.end()) {
    timezone_ = it->second;
  }
  LEAT_ASSIGN(state_, StateDirectory::Open(context_.files, context_.state_dir, options_.fresh));
  memory_.UseFiles(state_->spill());
  if (context_.opened) context_.opened();
  if (options_.fresh) LEAT_RETURN(state_->Clear());
  LEAT_RETURN(BuildFlow());
  LEAT_RETURN(MakeSeats());
  LEAT_RETURN(Restore());
  LEAT_RETURN(OpenLog());
  record_.epoch = manifest_.epoch;
  if (const Status status = OpenSinks(); !status.ok()) {
    if (!restored_) static_cast<void>(state_->Clear());
    return status;
  }
  next_seq_ = manifest_.next_seq;
  first_epoch_ = manifest_.epoch.number + 1;
  checkpoint_epoch_ = manifest_.epoch.number;
  opened_ = true;
  return Status::OK();
}

Status Engine::BuildFlow() {
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

Status Engine::MakeSeats() {
  for (const StandingSink& sink : pipeline_.sinks) {
    SinkSeat seat{.plan = &sink};
    if (sink.spec.mode == SinkMode::kUpsert && !sink.unique) {
      seat.guard = std::make_unique<KeyGuard>(sink.name, sink.spec.schema, sink.spec.key);
    }
    const SinkMode mode = sink.spec.mode;
    if (mode == SinkMode::kReplace || mode == SinkMode::kSnapshot) seat.content = MakeIndex();
    sinks_.push_back(std::move(seat));
  }
  for (const StoredView& view : pipeline_.stored) views_.push_back({&view, MakeIndex()});
  for (const StandingSource& plan : pipeline_.sources) LEAT_RETURN(MakeSource(plan));
  return Status::OK();
}

Relation Engine::ReadOf(const Relation& relation) const {
  std::vector<bool> read(relation.columns.size(), false);
  for (const StandingSink& sink : pipeline_.sinks)
    MarkColumnsRead(*sink.query, relation.name, &read);
  for (const StoredView& view : pipeline_.stored)
    MarkColumnsRead(*view.query, relation.name, &read);
  for (const CheckSpec& check : relation.checks) MarkColumns(*check.predicate, &read);
  for (const int column : relation.primary_key) read[static_cast<size_t>(column)] = true;
  Relation out = relation;
  for (size_t i = 0; i < read.size(); ++i) {
    out.columns[i].unread = !read[i] && relation.columns[i].column.nullable;
  }
  return out;
}

Status Engine::MakeSource(const StandingSource& plan) {
  SourceSeat seat{.plan = &plan};
  for (size_t i = 0; i < pipeline_.sources.size(); ++i) {
    if (pipeline_.sources[i].leader == plan.name) seat.members.push_back(i);
  }
  if (plan.traits.held()) {
    seat.keyed = std::make_unique<KeyedRows>(
        KeyedSpec{pipeline_.catalog.FindRelation(plan.name)->schema(), plan.traits.key});
  }
  seat.position.name = plan.name;
  seat.report.name = plan.name;
  seat.worker = std::make_unique<SourceWorker>(
      &crew_,
      SourceWorkerOptions{.name = plan.name,
                          .queue_bytes_max = options_.queue_bytes_max,
                          .follow = options_.follow,
                          .retry = retries_},
      [this, &plan, relation = ReadOf(*pipeline_.catalog.FindRelation(plan.name))] {
        return OpenSource(plan, relation);
      });
  // A failure of the world comes again when it is read, and is tried again there.
  if (const Status status = seat.worker->Open(); !status.ok() && !IsRetryable(status)) {
    return status;
  }
  sources_.push_back(std::move(seat));
  return Status::OK();
}

// REQUIRES: the relation outlives the source.
Result<std::unique_ptr<Source>> Engine::OpenSource(const StandingSource& plan,
                                                   const Relation& relation) const {
  if (plan.leader != plan.name) return std::make_unique<ReadWithAnother>();
  LEAT_ASSIGN(const Server server,
              ServerForSource(pipeline_, *pipeline_.catalog.FindServer(plan.server), relation,
                              context_.state_dir));
  if (!plan.traits.shared) return context_.make_source(server, relation);
  std::vector<const Relation*> relations;
  for (const StandingSource& source : pipeline_.sources) {
    if (source.leader == plan.name) {
      relations.push_back(pipeline_.catalog.FindRelation(source.name));
    }
  }
  return leat::MakeSource(server, relations);
}

Status Engine::Restore() {
  LEAT_ASSIGN(restored_, state_->Load(&manifest_));
  if (restored_) {
    LEAT_RETURN(CheckDefinitions(manifest_, pipeline_));
    return options_.again && !options_.again->as_new ? ReadAllAgain() : RestoreSeats();
  }
  if (options_.again) {
    return SqlStatus("nothing was read yet", {.hint = "`leat run` reads it for the first time."});
  }
  // A log without a checkpoint is of a state that was dropped.
  LEAT_RETURN(EpochLog::Remove(context_.files, state_->path()));
  manifest_.state = fmt::format("{:016x}{:016x}", context_.random(), context_.random());
  LEAT_RETURN(WriteState());
  return state_->Commit(manifest_);  // the id is durable before a sink's mark names it
}

Status Engine::RestoreSeats() {
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
    if (seat.keyed) {
      LEAT_ASSIGN(StateReader * reader, state_->Reader("source " + seat.plan->name));
      LEAT_RETURN(seat.keyed->Restore(reader));
    }
    for (const auto& position : manifest_.sources) {
      if (position.name == seat.plan->name) seat.position = position;
    }
  }
  return Status::OK();
}

Status Engine::OpenLog() {
  LEAT_ASSIGN(log_, EpochLog::Open(context_.files, state_->path(), manifest_.state,
                                   manifest_.epoch.number));
  return log_->WriteAnew();
}

Status Engine::CheckRebuildNames() const {
  for (const std::string& name : options_.rebuild) {
    if (std::any_of(sinks_.begin(), sinks_.end(),
                    [&](const SinkSeat& seat) { return seat.plan->name == name; })) {
      continue;
    }
    std::vector<std::string> names;
    for (const SinkSeat& seat : sinks_) names.push_back(seat.plan->name);
    return SqlStatus(
        fmt::format("sink \"{}\" does not exist", name),
        {.sqlstate = kUndefinedTable,
         .hint = fmt::format("The pipeline's sinks are: {}.", fmt::join(names, ", "))});
  }
  return Status::OK();
}

Status Engine::OpenSinks() {
  LEAT_RETURN(CheckRebuildNames());
  record_.epoch = manifest_.epoch;
  int64_t log_end = manifest_.epoch.number;
  if (!log_->records().empty()) log_end = log_->records().back().epoch.number;
  for (SinkSeat& seat : sinks_) LEAT_RETURN(OpenSink(&seat, log_end));
  return Status::OK();
}

Status Engine::OpenSink(SinkSeat* seat, int64_t log_end) {
  SinkSpec spec = seat->plan->spec;
  spec.state = manifest_.state;
  spec.statement = seat->plan->name + " " + seat->plan->hash;
  const SinkWorkerOptions options{.queue_bytes_max = options_.queue_bytes_max,
                                  .outbox_bytes_max = options_.outbox_bytes_max,
                                  .flush = seat->plan->flush,
                                  .timed = options_.follow,  // a drain writes in few large pieces
                                  .retry = retries_,
                                  .reset = options_.fresh};
  // A sink that is written whole from the state may lag behind the checkpoint.
  const int64_t held = manifest_.epoch.number;
  MarkExpected expected{.sink = spec.name,
                        .state = spec.state,
                        .low = seat->content ? std::min<int64_t>(held, 1) : held,
                        .high = log_end};
  LEAT_ASSIGN(const bool rebuild, MustRebuild(*seat, spec, expected));
  if (rebuild) {
    LEAT_RETURN(Rebuild(seat, spec));
    if (seat->content) expected.low = 0;
  } else if (manifest_.mend > 0) {
    LEAT_RETURN(Mend(seat, spec, expected));
  }
  MarkCheck check = [expected](const std::optional<Mark>& mark, int64_t low, int64_t high) {
    MarkExpected now = expected;
    now.low = low;
    now.high = high;
    return CheckMark(now, mark);
  };
  seat->worker = std::make_unique<SinkWorker>(&crew_, std::move(spec), options, context_.make_sink,
                                              std::move(check), expected.low, expected.high);
  LEAT_RETURN(seat->worker->Open());
  const int64_t mark = seat->worker->counters().epoch;
  seat->content_changed = mark == 0 || mark < held;
  seat->worker->Start();
  return Status::OK();
}

}  // namespace leat
