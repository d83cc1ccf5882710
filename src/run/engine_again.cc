// `leat replay`: parts of a source are read again, and the sinks get what that changes.
//
// What a changed file held before is not to be had again, so its rows cannot be taken back one by
// one. All that was ever read is read again instead, as one epoch into a new state; the manifest
// that makes it the state also says which epoch that was, and a sink whose mark is of an earlier
// one is made equal to its query when it is opened, in this run or, after a crash, in the next.
#include <algorithm>

#include "plan/expand.h"
#include "run/engine.h"
#include "run/marks.h"
#include "run/sink_comparison.h"

namespace leat {
namespace {

constexpr int64_t kPollBytesMax = 4 << 20;

// What a sink's query answers, beside what its target holds.
class Expected : public DataflowListener {
 public:
  explicit Expected(SinkComparison* comparison) : comparison_(*comparison) {}
  Status OnDelta(int, const Batch& batch) override { return comparison_.AddExpected(batch); }
  Status OnRowError(int, const Schema&, const RowError&) override { return Status::OK(); }

 private:
  SinkComparison& comparison_;
};

const char* HowMended(SinkMode mode) {
  if (mode == SinkMode::kUpsert) return "rows that differ are written";
  if (mode == SinkMode::kReplace) return "written whole, as always";
  return "the rows that leat wrote are dropped and written anew, as it has no key";
}

}  // namespace

// --- All of it -----------------------------------------------------------------------------------

Status Engine::ReadAllAgain() {
  // Beyond the checkpoint the log knows how far the sinks may have come.
  LEAT_ASSIGN(const auto log, EpochLog::Open(context_.files, state_->path(), manifest_.state,
                                             manifest_.epoch.number));
  for (SourceSeat& seat : sources_) {
    for (const SourcePosition& position : manifest_.sources) {
      if (position.name == seat.plan->name) seat.position.offset = position.offset;
    }
  }
  record_.epoch = manifest_.epoch;
  for (const LogRecord& record : log->records()) {
    record_.epoch = record.epoch;
    for (const LogRange& range : record.ranges) {
      if (range.source >= 0 && range.source < static_cast<int32_t>(sources_.size())) {
        LEAT_RETURN(GoOn(range, &sources_[static_cast<size_t>(range.source)].position.offset));
      }
    }
  }
  std::vector<Offset> from;
  LEAT_RETURN(PlanAllAgain(&from));

  record_.epoch.number += 1;
  record_.epoch.clock = std::max(context_.clock->Now(), record_.epoch.clock);
  LEAT_RETURN(PushContents(&flow_, &next_seq_));
  // In their order, but that one may wait for another that comes later.
  for (size_t left = sources_.size(), before = left + 1; left > 0 && left < before;) {
    before = left;
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].drained || !MayRead(sources_[i])) continue;
      LEAT_RETURN(ReadSourceAgain(&sources_[i], from[i]));
      --left;
    }
  }
  LEAT_RETURN(FinishEpoch());
  LEAT_RETURN(WriteState());
  manifest_.mend = record_.epoch.number;
  LEAT_RETURN(state_->Commit(manifest_));
  read_again_ = true;
  return Status::OK();
}

Status Engine::PlanAllAgain(std::vector<Offset>* from) {
  const AgainOptions& again = *options_.again;
  LEAT_ASSIGN(const SourceSeat* chosen, FindSource(again.source));
  for (const SinkSeat& seat : sinks_) LEAT_RETURN(CheckMendable(seat));
  std::vector<std::string> what;
  for (const SourceSeat& seat : sources_) {
    AgainSpec spec;
    if (&seat == chosen) spec.from = again.from;
    LEAT_ASSIGN(AgainPlan plan, PlanSourceAgain(seat, spec));
    from->push_back(std::move(plan.from));
    for (std::string& part : plan.parts) what.push_back(std::move(part));
  }
  std::vector<std::string> names;
  for (const SourceSeat& seat : sources_) names.push_back(seat.plan->name);
  what.push_back(fmt::format("all that was read is read again: {}", fmt::join(names, ", ")));
  for (const SinkSeat& seat : sinks_) {
    what.push_back(fmt::format("sink {}: {}", seat.plan->name, HowMended(seat.plan->spec.mode)));
  }
  return again.confirm ? again.confirm(what) : Status::OK();
}

Result<SourceSeat*> Engine::FindSource(const std::string& name) {
  std::vector<std::string> names;
  for (SourceSeat& seat : sources_) {
    if (seat.plan->name == name) return &seat;
    names.push_back(seat.plan->name);
  }
  return SqlStatus(fmt::format("source \"{}\" does not exist", name),
                   {.sqlstate = kUndefinedTable,
                    .hint = fmt::format("The pipeline reads: {}.", fmt::join(names, ", "))});
}

Result<AgainPlan> Engine::PlanSourceAgain(const SourceSeat& seat, const AgainSpec& spec) const {
  LEAT_ASSIGN(const auto source,
              OpenSource(*seat.plan, *pipeline_.catalog.FindRelation(seat.plan->name)));
  auto plan = source->Again(seat.position.offset, spec);
  if (plan.ok()) return plan;
  return plan.status().WithMessage("source \"", seat.plan->name, "\": ", plan.status().message());
}

// Up to its end, as it is now.
Status Engine::ReadSourceAgain(SourceSeat* seat, const Offset& from) {
  seat->position = {.name = seat->plan->name, .offset = from};
  LEAT_ASSIGN(const auto source,
              OpenSource(*seat->plan, *pipeline_.catalog.FindRelation(seat->plan->name)));
  LEAT_RETURN(source->Seek(from));
  while (!stopping()) {
    LEAT_ASSIGN(const auto arrival, source->Poll(kPollBytesMax));
    if (!arrival) {
      seat->drained = true;
      return Status::OK();
    }
    seat->position.offset = arrival->end;
    const int64_t first_seq = next_seq_;
    next_seq_ += RowsNumbered(*arrival);
    LEAT_RETURN(Compute(seat, *arrival, first_seq));
  }
  return Status::Cancelled("interrupted: nothing was done");
}

// --- The sinks -----------------------------------------------------------------------------------

Status Engine::CheckMendable(const SinkSeat& seat) const {
  const SinkMode mode = seat.plan->spec.mode;
  if (mode != SinkMode::kUpsert && mode != SinkMode::kReplace && mode != SinkMode::kAppend) {
    return NotSupported(fmt::format(
        "sink \"{}\" holds what was answered at earlier times, which cannot be computed "
        "again",
        seat.plan->name));
  }
  return CheckRebuildable(seat, ScannedRelations(*seat.plan->query));
}

// A sink that was left behind when all was read again.
Status Engine::Mend(SinkSeat* seat, const SinkSpec& spec, const MarkExpected& expected) {
  if (seat->content) return Status::OK();  // written whole from the state
  const bool append = spec.mode != SinkMode::kUpsert;
  {
    LEAT_ASSIGN(const auto sink, context_.make_sink(spec));
    LEAT_ASSIGN(const auto mark, sink->Open());
    if (mark && mark->epoch >= manifest_.mend) return Status::OK();
    // Where all rows are dropped, a crash may have come before they were written.
    MarkExpected behind = expected;
    if (mark || append) behind.low = 0;
    LEAT_RETURN(CheckMark(behind, mark));
  }
  return append ? Rebuild(seat, spec) : MakeEqual(*seat, spec);
}

Status Engine::MakeEqual(const SinkSeat& seat, const SinkSpec& spec) {
  SinkComparison comparison(spec);
  const Relation target = TargetOf(*seat.plan, *pipeline_.catalog.FindRelation(spec.name));
  LEAT_RETURN(AddTargetRows(spec.name, &comparison, [&](const ArrivalVisitor& visit) {
    return context_.read_target(spec, target, visit);
  }));
  Expected expected(&comparison);
  LEAT_RETURN(PushQuery(*seat.plan, &expected));
  LEAT_ASSIGN(const auto sink, context_.make_sink(spec));
  LEAT_RETURN(sink->Open().status());
  LEAT_RETURN(WriteDifferences(comparison, spec.schema, nullptr, sink.get()));
  return sink->Commit(manifest_.epoch.number);
}

// --- As new --------------------------------------------------------------------------------------

// The rows that the parts gave stay, and they are read once more: the checkpoint says of the source
// that it has not read them.
Status Engine::ReadAsNew() {
  const AgainOptions& again = *options_.again;
  LEAT_ASSIGN(SourceSeat * seat, FindSource(again.source));
  LEAT_ASSIGN(const AgainPlan plan, PlanSourceAgain(*seat, {.from = again.from, .as_new = true}));
  if (again.confirm) LEAT_RETURN(again.confirm(plan.parts));
  LEAT_RETURN(Leave());
  seat->position.offset = plan.from;
  seat->logged_in = 0;
  LEAT_RETURN(WriteState());
  LEAT_RETURN(state_->Commit(manifest_));
  read_again_ = true;
  return Status::OK();
}

}  // namespace leat
