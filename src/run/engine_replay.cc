// Replay: the epochs since the checkpoint that a sink has, or may have, are computed again.
#include "run/engine.h"

namespace leat {

// Epochs that no sink holds left no trace outside: they are read anew, as the sources are by now.
// Of a sink that could not be opened yet nothing is known.
int64_t Engine::LastToReplay() const {
  int64_t last = manifest_.epoch.number;
  for (const SinkSeat& seat : sinks_) {
    if (!seat.worker->was_open()) return kNever;
    last = std::max(last, seat.worker->counters().epoch);
  }
  return last;
}

Status Engine::Replay() {
  const int64_t last = LastToReplay();
  for (const LogRecord& record : log_->records()) {
    if (record.epoch.number > last) break;
    ++replayed_;
    LEAT_RETURN(CloseSnapshots(record.epoch.clock));
    record_ = {.epoch = record.epoch};
    if (record_.epoch.number == 1) LEAT_RETURN(PushContents(&flow_, &next_seq_));
    for (const LogRange& range : record.ranges) LEAT_RETURN(ReplayRange(range));
    record_.ranges.clear();
    LEAT_RETURN(FinishEpoch());
    LEAT_RETURN(HandOver());
  }
  return Status::OK();
}

Status Engine::ReplayRange(const LogRange& range) {
  if (range.source < 0 || range.source >= static_cast<int32_t>(sources_.size())) {
    return IOErrorF("the epoch log names source {}, which this pipeline does not have",
                    range.source);
  }
  SourceSeat& seat = sources_[static_cast<size_t>(range.source)];
  LEAT_ASSIGN(Source * source, seat.worker->SourceAt(seat.position.offset));
  Offset end = seat.position.offset;
  LEAT_RETURN(GoOn(range, &end));
  LEAT_ASSIGN(const Arrival arrival, source->Reread(end));
  if (RowsRead(arrival) != range.rows_read || RowsUsed(arrival) != range.rows_used ||
      arrival.checksum != range.checksum) {
    return IOErrorF(
        "source \"{}\" no longer gives what epoch {} read from it: {} rows (checksum {:016x}) "
        "then, {} rows "
        "({:016x}) now, in {}",
        seat.plan->name, record_.epoch.number, range.rows_read, range.checksum, RowsRead(arrival),
        arrival.checksum, arrival.place);
  }
  seat.position.offset = std::move(end);
  next_seq_ = range.first_seq + RowsNumbered(arrival);
  return Compute(&seat, arrival, range.first_seq);
}

}  // namespace leat
