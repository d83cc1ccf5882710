#include "run/machine.h"

#include <algorithm>

#include "run/engine.h"

namespace leat {
namespace {

// An engine that ran so long before it failed is not failing again and again.
constexpr Micros kWell = 60'000'000;
// How often it says that it still stands aside.
constexpr Micros kSayAgain = 1'000'000;

// Says that the engine is down, beside what was last known of its parts.
void PublishFailure(const Health& health, const RunContext& context) {
  if (context.board == nullptr) return;
  LiveStatus status = context.board->Read();
  status.now = context.clock->Now();
  status.reason = health.reason();
  status.degraded_since = health.degraded_since();
  status.restarts = health.retries();
  context.board->Publish(std::move(status));
}

// Who asks at a desk wakes the engine for as long as there is one, and is told when it has left.
template <typename Desk>
class Bell {
 public:
  Bell(Desk* desk, Crew* crew) : desk_(desk) {
    if (desk_ != nullptr) desk_->OnAsk([crew] { crew->Ring(); });
  }
  ~Bell() {
    if (desk_ != nullptr) desk_->Close();
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

 private:
  Desk* const desk_;
};

// The state is somebody else's until they are done.
void StandAside(const RunContext& context, Crew* crew) {
  if (!context.aside->Let()) return;
  if (context.board != nullptr) {
    LiveStatus status = context.board->Read();
    status.reason = "it has stepped aside for " + context.aside->why();
    status.degraded_since = context.clock->Now();
    context.board->Publish(std::move(status));
  }
  bool done = false;
  while (!done && !crew->stopping()) {
    done = crew->Wait(crew->Now() + kSayAgain,
                      [&] { return !context.aside->wanted() || crew->stopping(); });
    if (context.board == nullptr) continue;
    LiveStatus status = context.board->Read();
    status.now = context.clock->Now();
    if (done) status.reason.clear();
    context.board->Publish(std::move(status));
  }
}

// What the engines of one run did, one after another.
void AddReport(const RunReport& next, RunReport* all) {
  for (size_t i = 0; i < next.sources.size(); ++i) {
    if (i == all->sources.size()) all->sources.push_back({.name = next.sources[i].name});
    SourceReport& sum = all->sources[i];
    const SourceReport& more = next.sources[i];
    sum.rows_read += more.rows_read;
    sum.rows_used += more.rows_used;
    sum.rows_rejected += more.rows_rejected;
    sum.rows_kept_with_null += more.rows_kept_with_null;
    sum.bytes += more.bytes;
  }
  for (size_t i = 0; i < next.sinks.size(); ++i) {
    if (i == all->sinks.size()) all->sinks.push_back({.name = next.sinks[i].name});
    all->sinks[i].rows_added += next.sinks[i].rows_added;
    all->sinks[i].rows_deleted += next.sinks[i].rows_deleted;
  }
  all->row_errors += next.row_errors;
  if (all->first_epoch == 0) all->first_epoch = next.first_epoch;
  all->last_epoch = next.last_epoch;
  all->epochs_replayed += next.epochs_replayed;
  all->seconds += next.seconds;
}

}  // namespace

void RunOptions::LimitMemory(int64_t bytes) {
  memory_max = bytes;
  epoch_bytes_max = std::min(epoch_bytes_max, bytes / 16);
  queue_bytes_max = std::min(queue_bytes_max, bytes / 32);
  outbox_bytes_max = std::min(outbox_bytes_max, bytes / 8);
}

bool IsTooManyRejects(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error != nullptr && error->sqlstate == kTooManyRejects;
}

// What no worker can bear (the log's disk is full, a sink lost more than its outbox keeps) is borne
// by starting over from the last checkpoint, as after a crash.
Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunOptions& options,
                              const RunContext& context) {
  Crew crew(context.schedule, context.stop);
  const Bell readers(context.readers, &crew);
  const Bell aside(context.aside, &crew);
  RunOptions now = options;
  Health health(RetriesOf(options, context));
  bool opened = false;
  RunReport all;
  while (true) {
    const Micros began = crew.Now();
    auto engine = std::make_unique<Engine>(pipeline, now, context, &crew, health.retries());
    Result<RunReport> report = engine->Run();
    opened = opened || engine->opened();
    if (engine->read_again()) now.again.reset();
    if (report.ok()) AddReport(*report, &all);
    if (report.ok() && engine->leaves_aside() && !crew.stopping()) {
      now.fresh = now.adopt = false;
      now.rebuild.clear();
      engine.reset();
      StandAside(context, &crew);
      continue;
    }
    if (report.ok()) return all;
    // A state that cannot be opened at the start is the user's to look at.
    if (crew.stopping() || !opened) return report;
    if (engine->opened()) {
      now.fresh = now.adopt = false;
      now.rebuild.clear();
    }
    engine.reset();
    {
      const std::lock_guard lock(crew.mutex);
      if (crew.Now() - began > kWell) health.Recover();
      if (!health.Fail(report.status(), crew.Now())) return report;
    }
    PublishFailure(health, context);
    crew.Wait(health.retry_at(), [&] { return crew.stopping(); });
    if (crew.stopping()) return report;
  }
}

}  // namespace leat
