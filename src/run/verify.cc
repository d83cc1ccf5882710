#include "run/verify.h"

#include <algorithm>

#include "connect/connectors.h"
#include "data/key.h"
#include "plan/expand.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr int kTriesMax = 20;

bool IsFollowed(const Session& session, const std::string& name) {
  const auto& sources = session.pipeline()->sources;
  return std::any_of(sources.begin(), sources.end(),
                     [&](const auto& source) { return source.name == name; });
}

// How many sources' rows stand among each other in the node's order of arrival.
size_t SourcesInOrder(const Session& session, const Logical& node) {
  if (!HasSeq(node)) return 0;
  size_t sources = 0;
  for (const std::string& name : ScannedRelations(node)) sources += IsFollowed(session, name);
  return sources;
}

// Files are read again in their order, but how several sources took turns is not known any more.
Status RefuseMixedOrder(const Session& session, const Logical& node, const std::string& sink) {
  const bool ordered = node.kind == LogicalKind::kWindow || node.kind == LogicalKind::kTop ||
                       (node.kind == LogicalKind::kAggregate && !node.calls.empty());
  for (const auto& child : node.children) {
    if (ordered && SourcesInOrder(session, *child) > 1) {
      return NotSupported(
          fmt::format("sink \"{}\" may depend on the order in which several sources took turns, "
                      "which cannot be read again",
                      sink));
    }
    LEAT_RETURN(RefuseMixedOrder(session, *child, sink));
  }
  return Status::OK();
}

Result<Mark> MarkOf(const StandingSink& sink, const Manifest& manifest) {
  LEAT_ASSIGN(const auto mark, ReadSinkMark(sink.spec));
  const auto refuse = [&](std::string message) {
    return SqlStatus(std::move(message), {.sqlstate = "55000"});
  };
  if (!mark) return refuse(fmt::format("the target of sink \"{}\" has no mark", sink.name));
  if (mark->state != manifest.state) {
    return refuse(fmt::format("the target of sink \"{}\" belongs to another state", sink.name));
  }
  if (mark->statement != sink.name + " " + sink.hash) {
    return refuse(fmt::format("sink \"{}\" was filled by another query than the pipeline has now",
                              sink.name));
  }
  return *mark;
}

// What is written whole is written when it changes: its mark may be older than what it holds.
bool MayLag(const StandingSink& sink, const Mark& mark, const Manifest& manifest) {
  return sink.spec.mode == SinkMode::kReplace && mark.epoch < manifest.epoch.number;
}

Status CheckEpoch(const StandingSink& sink, const Mark& mark, const Manifest& manifest) {
  if (mark.epoch == manifest.epoch.number) return Status::OK();
  return SqlStatus(fmt::format("sink \"{}\" is at epoch {}, and the last committed one is {}",
                               sink.name, mark.epoch, manifest.epoch.number),
                   {.sqlstate = "55000",
                    .hint = "`leat run` brings it there; beside a `leat run --follow`, try again "
                            "when less comes in."});
}

Status AddFound(Session* session, const StandingSink& sink, SinkComparison* comparison) {
  const Relation& relation = *session->catalog().FindRelation(sink.name);
  return AddTargetRows(sink.name, comparison, [&](const ArrivalVisitor& visit) {
    return ReadEach(sink.spec.server, relation, visit);
  });
}

// What a query answered earlier is not computed again.
Status RefuseHistory(const StandingSink& sink) {
  const bool snapshot = sink.spec.mode == SinkMode::kSnapshot;
  if (!snapshot && sink.spec.mode != SinkMode::kChangelog) return Status::OK();
  return NotSupported(
      fmt::format("sink \"{}\" of mode \"{}\" holds more than its query answers now", sink.name,
                  snapshot ? "snapshot" : "changelog"));
}

// The target and the state must both stand at one epoch from before the target is read until after;
// beside a running process either may move on meanwhile.
struct Read {
  std::unique_ptr<SinkComparison> comparison;
  Status if_different;  // what to say instead of differences
};
Result<Read> ReadTarget(Session* session, const StandingSink& sink) {
  Status moved;
  for (int i = 0; i < kTriesMax; ++i) {
    auto comparison = std::make_unique<SinkComparison>(sink.spec);
    LEAT_ASSIGN(const auto view, session->Look());
    if (!view) return SqlStatus("nothing was committed yet", {.hint = "`leat run` it first."});
    LEAT_ASSIGN(const Mark before, MarkOf(sink, view->manifest));
    moved = CheckEpoch(sink, before, view->manifest);
    const bool lags = MayLag(sink, before, view->manifest);
    if (!moved.ok() && !lags) continue;
    LEAT_RETURN(AddFound(session, sink, comparison.get()));
    LEAT_ASSIGN(const Mark after, MarkOf(sink, view->manifest));
    // Whether it only lags shows when there are differences.
    if (after.epoch == before.epoch) {
      return Read{std::move(comparison), lags && view->live ? moved : Status::OK()};
    }
    moved = CheckEpoch(sink, after, view->manifest);
  }
  return moved;
}

// Whether a condition holds for any row of a difference.
class Condition {
 public:
  static Result<Condition> Make(Session* session, const StandingSink& sink,
                                const std::string& where) {
    Condition condition(session, sink.spec.schema);
    if (where.empty()) return condition;
    LEAT_ASSIGN(condition.query_, session->BindCondition(sink.name, where));
    return condition;
  }

  Result<bool> Holds(const SinkDifference& difference) const {
    if (!query_) return true;
    for (const Strings* rows : {&difference.missing, &difference.extra}) {
      if (rows->size() == 0) continue;
      LEAT_ASSIGN(Batch batch, DecodeRows(schema_, *rows));
      LEAT_ASSIGN(batch.seq, ArrivalNumbers(0, batch.rows));
      LEAT_ASSIGN(const bool holds, session_->AnyRow(query_, batch));
      if (holds) return true;
    }
    return false;
  }

 private:
  Condition(Session* session, Schema schema) : session_(session), schema_(std::move(schema)) {}

  Session* session_;
  Schema schema_;
  LogicalPtr query_;
};

// The counts of the differences that the condition chooses.
Result<ComparisonCounts> Choose(const SinkComparison& comparison, const Condition& condition,
                                const SinkComparison::Visit& visit) {
  ComparisonCounts chosen;
  LEAT_ASSIGN(const auto all,
              comparison.Differences([&](const SinkDifference& difference) -> Status {
                LEAT_ASSIGN(const bool holds, condition.Holds(difference));
                if (!holds) return Status::OK();
                ++(difference.differs()            ? chosen.different
                   : difference.missing.size() > 0 ? chosen.missing
                                                   : chosen.extra);
                return visit(difference);
              }));
  chosen.expected = all.expected;
  chosen.found = all.found;
  return chosen;
}

Result<std::unique_ptr<SinkComparison>> Compare(Session* session, const StandingSink& sink) {
  LEAT_RETURN(RefuseMixedOrder(*session, *sink.query, sink.name));
  LEAT_RETURN(RefuseHistory(sink));
  LEAT_ASSIGN(Read read, ReadTarget(session, sink));
  LEAT_RETURN(session->VisitStanding(
      sink, [&](const Batch& rows) { return read.comparison->AddExpected(rows); }));
  if (!read.if_different.ok()) {
    LEAT_ASSIGN(const auto counts,
                read.comparison->Differences([](const SinkDifference&) { return Status::OK(); }));
    if (!counts.equal()) return read.if_different;
  }
  return std::move(read.comparison);
}

// --- Repair --------------------------------------------------------------------------------------

Status RefuseRepair(const StandingSink& sink, const ComparisonCounts& counts) {
  const bool files = sink.spec.server.kind == "file";
  const bool only_missing = counts.extra + counts.different == 0;
  if (sink.spec.mode != SinkMode::kAppend || (only_missing && !files)) return Status::OK();
  return NotSupported(
      files ? fmt::format("sink \"{}\" appends files, and rows of files cannot be rewritten",
                          sink.name)
            : fmt::format("sink \"{}\" has no key to find wrong rows by", sink.name),
      -1, fmt::format("`leat run --rebuild {}` writes all of it anew.", sink.name));
}

}  // namespace

Result<ComparisonCounts> VerifySink(Session* session, const StandingSink& sink,
                                    const VerifyOptions& options,
                                    const SinkComparison::Visit& visit) {
  LEAT_ASSIGN(const auto condition, Condition::Make(session, sink, options.where));
  LEAT_ASSIGN(const auto comparison, Compare(session, sink));
  return Choose(*comparison, condition, visit);
}

Result<ComparisonCounts> RepairSink(Session* session, const StandingSink& sink,
                                    const VerifyOptions& options,
                                    const SinkComparison::Visit& visit) {
  LEAT_ASSIGN(const auto condition, Condition::Make(session, sink, options.where));
  LEAT_ASSIGN(const auto comparison, Compare(session, sink));
  LEAT_ASSIGN(const ComparisonCounts counts, Choose(*comparison, condition, visit));
  if (counts.equal()) return counts;
  LEAT_RETURN(RefuseRepair(sink, counts));
  SinkSpec spec = sink.spec;
  LEAT_ASSIGN(const auto mark, ReadSinkMark(spec));
  spec.state = mark->state;
  spec.statement = mark->statement;
  LEAT_ASSIGN(const auto target, MakeSink(spec));
  LEAT_RETURN(target->Open().status());
  if (spec.mode == SinkMode::kReplace) {
    LEAT_RETURN(
        session->VisitStanding(sink, [&](const Batch& rows) { return target->Write(rows); }));
  } else {
    const auto chooses = [&](const SinkDifference& difference) {
      return condition.Holds(difference);
    };
    LEAT_RETURN(WriteDifferences(*comparison, spec.schema, chooses, target.get()));
  }
  LEAT_RETURN(target->Commit(mark->epoch));
  return counts;
}

}  // namespace leat
