// EXPLAIN: the plan as it would stand, or with ANALYZE what one run of it cost.
#include "plan/explain.h"

#include <arrow/builder.h>

#include "plan/once.h"
#include "plan/rules.h"
#include "run/session.h"

namespace leat {
namespace {

std::vector<std::string> Drawing(const Explain& explain, const LogicalPtr& plan,
                                 const SourceProperties& sources, const Reports* measured) {
  const ExplainOptions options{.state = explain.state && measured == nullptr, .measured = measured};
  switch (explain.format) {
    case Explain::Format::kMermaid:
      return ExplainAsMermaid(plan, options);
    case Explain::Format::kDot:
      return ExplainAsDot(plan, options);
    case Explain::Format::kText:
      break;
  }
  return ExplainAsText(plan, sources, options);
}

}  // namespace

Result<StatementResult> Session::RunExplain(const Explain& explain) {
  LEAT_ASSIGN(LogicalPtr plan, Expand(explain.query.root));
  const auto sources = [&](const std::string& name) -> Properties {
    const Relation* relation = catalog_.FindRelation(name);
    if (relation == nullptr || relation->kind == RelationKind::kTable) return {};
    if (pipeline_) return pipeline_->PropertiesOfSource(name);
    return {.append_only = true, .in_order = true};
  };
  std::vector<std::string> lines;
  if (!explain.analyze) {
    // As it stands: what moves with the clock shows. What cannot stand is an answer of its moment.
    const auto standing = MoveWithClock(plan);
    lines = Drawing(explain, standing.ok() ? *standing : plan, sources, nullptr);
  } else {
    const auto start = std::chrono::steady_clock::now();
    int64_t rows = 0;
    Reports reports;
    LEAT_RETURN(Measure(plan, &rows, &reports));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    lines = Drawing(explain, plan, sources, &reports);
    if (explain.format == Explain::Format::kText) {
      lines.push_back(fmt::format("Rows: {}  Execution Time: {:.3f} ms", rows, took.count()));
    }
  }
  StatementResult result{.tag = "EXPLAIN", .has_rows = true};
  result.schema.columns.push_back({"QUERY PLAN", TypeId::kText});
  arrow::StringBuilder builder;
  LEAT_RETURN(builder.AppendValues(lines));
  LEAT_ASSIGN(auto column, builder.Finish());
  result.rows.rows = static_cast<int64_t>(lines.size());
  result.rows.columns.push_back(std::move(column));
  return result;
}

Status Session::Measure(const LogicalPtr& plan, int64_t* rows, Reports* reports) {
  const Cores cores = OwnCores();
  const auto visit = [&](const Batch& batch) -> Status {
    *rows += batch.rows;
    return CheckCancelled();
  };
  auto settled = Settled(plan, -1, cores);
  const Status status = settled.ok()
                            ? RunOnce(*settled, ScannerOf(**settled), Eval(), visit, cores, reports)
                            : settled.status();
  temporary_.clear();
  return status;
}

}  // namespace leat
