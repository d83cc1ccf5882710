// What the machine says of itself while it runs and at the end.
#include <unistd.h>

#include <algorithm>

#include "run/engine.h"

namespace leat {
namespace {

// How often it says so at most.
constexpr Micros kTellEvery = 100'000;

}  // namespace

RunReport Engine::Report() const {
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
  report.seconds = static_cast<double>(crew_.Now() - start_) / 1e6;
  return report;
}

Micros Engine::NextTelling() const {
  const bool listened_to = context_.board != nullptr || context_.progress;
  return listened_to ? told_ + kTellEvery : kNever;
}

void Engine::Tell() {
  if (crew_.Now() < NextTelling()) return;
  told_ = crew_.Now();
  if (context_.progress) context_.progress(Report());
  if (context_.board != nullptr) context_.board->Publish(StatusNow());
}

LiveStatus Engine::StatusNow() const {
  LiveStatus status{.state = manifest_.state,
                    .pid = ::getpid(),
                    .started = started_at_,
                    .now = context_.clock->Now(),
                    .epoch = record_.epoch.number,
                    .epoch_clock = record_.epoch.clock,
                    .committed_epoch = record_.epoch.number,
                    .checkpoint_epoch = checkpoint_epoch_,
                    .checkpointed_at = checkpointed_at_,
                    .row_errors = row_errors_,
                    .log_bytes = log_->bytes(),
                    .memory_bytes = ResidentBytes(),
                    .memory_limit = options_.memory_max == INT64_MAX ? 0 : options_.memory_max,
                    .following = options_.follow,
                    .restarts = restarts_};
  for (const SourceSeat& seat : sources_) {
    SourceStatus source = seat.worker->status();
    source.rows_read = seat.report.rows_read;
    source.rows_used = seat.report.rows_used;
    source.rows_rejected = seat.report.rows_rejected;
    source.bytes = seat.report.bytes;
    source.last_row = seat.last_row;
    status.rejects += seat.report.rows_rejected;
    status.sources.push_back(std::move(source));
  }
  for (const SinkSeat& seat : sinks_) {
    status.sinks.push_back(seat.worker->status());
    if (!seat.content) {
      status.committed_epoch = std::min(status.committed_epoch, seat.worker->has_up_to());
    }
  }
  for (const auto& node : flow_.Report()) {
    status.operators.push_back({.name = node.name,
                                .label = node.label,
                                .rows_in = node.stats.rows_in,
                                .rows_out = node.stats.rows_out,
                                .state_rows = node.stats.state_rows,
                                .state_bytes = node.stats.state_bytes,
                                .nanoseconds = node.nanoseconds});
    status.state_bytes += node.stats.state_bytes;
  }
  for (const ViewSeat& seat : views_) status.state_bytes += seat.rows->stats().held;
  for (const SinkSeat& seat : sinks_) {
    if (seat.content) status.state_bytes += seat.content->stats().held;
  }
  return status;
}

}  // namespace leat
