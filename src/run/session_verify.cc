// What verify asks of a session: standing queries computed again, conditions over a sink's rows.
#include "plan/dataflow.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "plan/rules.h"
#include "run/session.h"

namespace leat {
namespace {

class VisitDeltas : public DataflowListener {
 public:
  explicit VisitDeltas(const std::function<Status(const Batch&)>& visit) : visit_(visit) {}
  Status OnDelta(int, const Batch& batch) override { return visit_(batch); }
  Status OnRowError(int, const Schema&, const RowError&) override { return Status::OK(); }

 private:
  const std::function<Status(const Batch&)>& visit_;
};

}  // namespace

// The whole input is one epoch: however it was cut, the answer is the same.
Status Session::VisitStanding(const StandingSink& sink,
                              const std::function<Status(const Batch&)>& visit) {
  VisitDeltas listener(visit);
  Dataflow flow(&listener);
  LEAT_RETURN(flow.Add(sink.query,
                       [&](const std::string& name) { return pipeline_->PropertiesOfSource(name); })
                  .status());
  // As of the epoch that is looked at, by its clock too.
  EvalContext context = Eval();
  if (view_) context.now = view_->manifest.epoch.clock;
  int64_t next_seq = 0;
  for (const std::string& relation : flow.inputs()) {
    LEAT_RETURN(Scan(relation, [&](const Batch& rows) -> Status {
      LEAT_RETURN(CheckCancelled());
      Batch batch = rows;
      LEAT_ASSIGN(batch.seq, ArrivalNumbers(next_seq, batch.rows));
      next_seq += batch.rows;
      return flow.Push(relation, batch, context);
    }));
  }
  return flow.Finish({.number = 1, .clock = context.now}, context);
}

Result<LogicalPtr> Session::BindCondition(const std::string& relation,
                                          const std::string& where) const {
  const std::string sql = fmt::format("SELECT 1 FROM \"{}\" WHERE {}", relation, where);
  LEAT_ASSIGN(const auto statements, ParseSql(sql, options_.environment));
  if (statements.size() != 1) return SqlStatus("--where takes one condition");
  LEAT_ASSIGN(const BoundStatement bound, Bind(*statements[0], catalog_));
  const auto* select = std::get_if<Select>(&bound);
  if (select == nullptr) return SqlStatus("--where takes a condition");
  return ApplyRules(select->query.root);
}

Result<bool> Session::AnyRow(const LogicalPtr& condition, const Batch& batch) {
  bool any = false;
  const auto scan = [&](const std::string&, const BatchVisitor& visit) { return visit(batch); };
  LEAT_RETURN(RunOnce(condition, scan, Eval(), [&](const Batch& rows) {
    any = any || rows.rows > 0;
    return Status::OK();
  }));
  return any;
}

}  // namespace leat
