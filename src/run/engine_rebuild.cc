// Writing a sink anew: its rows are dropped, and its query is computed once more, by a dataflow of
// its own, from the sources up to where the checkpoint stands. The other sinks and the state do not
// notice.
#include <algorithm>
#include <set>

#include "plan/expand.h"
#include "run/engine.h"
#include "run/marks.h"

namespace leat {
namespace {

constexpr int64_t kPollBytesMax = 4 << 20;

bool Has(const Logical& node, LogicalKind kind) {
  return node.kind == kind ||
         std::any_of(node.children.begin(), node.children.end(),
                     [&](const LogicalPtr& child) { return Has(*child, kind); });
}

// Gives the answer of one query to a sink. Rows that cannot be computed are rejects already.
class AnswerTo : public DataflowListener {
 public:
  explicit AnswerTo(SinkWorker* worker) : worker_(*worker) {}
  Status OnDelta(int, const Batch& batch) override { return worker_.Write(batch); }
  Status OnRowError(int, const Schema&, const RowError&) override { return Status::OK(); }

 private:
  SinkWorker& worker_;
};

}  // namespace

// Whether the sink is to be written anew: it was asked for, or its target is to be taken over.
Result<bool> Engine::MustRebuild(const SinkSeat& seat, const SinkSpec& spec,
                                 const MarkExpected& expected) const {
  if (options_.fresh) return false;
  if (std::find(options_.rebuild.begin(), options_.rebuild.end(), seat.plan->name) !=
      options_.rebuild.end()) {
    return true;
  }
  if (!options_.adopt) return false;
  LEAT_ASSIGN(const auto sink, context_.make_sink(spec));
  LEAT_ASSIGN(const auto mark, sink->Open());
  return !CheckMark(expected, mark).ok();
}

// How several sources interleaved is known only to a log that is gone.
Status Engine::CheckRebuildable(const SinkSeat& seat,
                                const std::vector<std::string>& inputs) const {
  const auto sources = std::count_if(inputs.begin(), inputs.end(), [&](const std::string& name) {
    return std::any_of(sources_.begin(), sources_.end(),
                       [&](const SourceSeat& source) { return source.plan->name == name; });
  });
  const Logical& query = *seat.plan->query;
  if (sources < 2 || !Has(query, LogicalKind::kUnionAll)) return Status::OK();
  if (!Has(query, LogicalKind::kWindow) && !Has(query, LogicalKind::kTop)) return Status::OK();
  return NotSupported(
      fmt::format("sink \"{}\" cannot be written anew by itself: its rows depend on the order in "
                  "which several sources arrived",
                  seat.plan->name),
      -1, "`leat run --fresh` drops the state and the rows that leat wrote, and reads all again.");
}

Status Engine::Rebuild(SinkSeat* seat, const SinkSpec& spec) {
  const int64_t held = manifest_.epoch.number;
  const auto any = [](const std::optional<Mark>&, int64_t, int64_t) { return Status::OK(); };
  SinkWorker worker(&crew_, spec,
                    {.queue_bytes_max = options_.queue_bytes_max,
                     .outbox_bytes_max = options_.outbox_bytes_max,
                     .retry = {.clock = context_.clock, .random = context_.random},
                     .reset = true},
                    context_.make_sink, any, 0, 0);
  // A sink that is written whole is written from its content in the state.
  if (held == 0 || seat->content) return worker.Open();
  LEAT_RETURN(CheckRebuildable(*seat, ScannedRelations(*seat->plan->query)));
  LEAT_RETURN(worker.Open());
  worker.Start();
  AnswerTo answer(&worker);
  LEAT_RETURN(PushQuery(*seat->plan, &answer));
  LEAT_RETURN(worker.End(held));
  LEAT_RETURN(worker.Commit(held));
  return worker.WaitCommitted(held);
}

// Computes a query once more, from the sources up to where the checkpoint stands, by a dataflow of
// its own: as one epoch, the checkpoint's last.
Status Engine::PushQuery(const StandingSink& plan, DataflowListener* listener) {
  Dataflow flow(listener);
  const SourceProperties properties = [&](const std::string& name) {
    return pipeline_.PropertiesOfSource(name);
  };
  LEAT_RETURN(flow.Add(plan.query, properties).status());
  int64_t seq = 0;
  LEAT_RETURN(PushContents(&flow, &seq));
  for (const std::string& input : flow.inputs()) LEAT_RETURN(PushInput(input, &flow, &seq));
  return flow.Finish(manifest_.epoch, Eval());
}

// Everything that one input of the query has seen: a source's rows, or the rejects.
Status Engine::PushInput(const std::string& input, Dataflow* flow, int64_t* seq) {
  const auto push = [&](Batch batch) -> Status {
    LEAT_ASSIGN(batch.seq, ArrivalNumbers(*seq, batch.rows));
    *seq += batch.rows;
    return batch.rows == 0 ? Status::OK() : flow->Push(input, batch, Eval());
  };
  if (const auto of = RejectsOf(input)) {
    return rejects_.Scan(*of, [&](const Batch& batch) { return push(batch); });
  }
  for (SourceSeat& seat : sources_) {
    if (seat.plan->name != input) continue;
    if (seat.keyed) {  // it has them, as of the checkpoint and with their numbers
      return seat.keyed->Scan([&](const Batch& batch) { return flow->Push(input, batch, Eval()); });
    }
    LEAT_ASSIGN(const auto source, OpenSource(*seat.plan, *pipeline_.catalog.FindRelation(input)));
    LEAT_RETURN(source->Seek(""));
    LEAT_RETURN(source->Limit(seat.position.offset));
    while (true) {
      LEAT_ASSIGN(auto arrival, source->Poll(kPollBytesMax));
      if (!arrival) return Status::OK();
      LEAT_RETURN(push(std::move(arrival->batch)));
    }
  }
  return Status::OK();
}

}  // namespace leat
