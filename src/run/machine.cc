#include "run/machine.h"

#include "run/engine.h"

namespace leat {
namespace {

// An engine that ran so long before it failed is not failing again and again.
constexpr Micros kWell = 60'000'000;

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

// Readers wake the engine for as long as there is one, and are told when it has left.
class ReadersBell {
 public:
  ReadersBell(ReadDesk* desk, Crew* crew) : desk_(desk) {
    if (desk_ != nullptr) desk_->OnAsk([crew] { crew->Ring(); });
  }
  ~ReadersBell() {
    if (desk_ != nullptr) desk_->Close();
  }
  ReadersBell(const ReadersBell&) = delete;
  ReadersBell& operator=(const ReadersBell&) = delete;

 private:
  ReadDesk* const desk_;
};

}  // namespace

bool IsTooManyRejects(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error != nullptr && error->sqlstate == kTooManyRejects;
}

// What no worker can bear (the log's disk is full, a sink lost more than its outbox keeps) is borne
// by starting over from the last checkpoint, as after a crash.
Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunOptions& options,
                              const RunContext& context) {
  Crew crew(context.schedule, context.stop);
  const ReadersBell bell(context.readers, &crew);
  RunOptions now = options;
  Health health(RetriesOf(options, context));
  bool opened = false;
  while (true) {
    const Micros began = crew.Now();
    auto engine = std::make_unique<Engine>(pipeline, now, context, &crew, health.retries());
    Result<RunReport> report = engine->Run();
    opened = opened || engine->opened();
    // A state that cannot be opened at the start is the user's to look at.
    if (report.ok() || crew.stopping() || !opened) return report;
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
