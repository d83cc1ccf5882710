#include "plan/once.h"

#include <numeric>

#include "data/key.h"
#include "plan/dataflow.h"

namespace leat {
namespace {

Properties FinalSource(const std::string&) {
  return {.append_only = true, .final = true, .in_order = true};
}

// Hands the answer to whoever asked.
class Visitor : public DataflowListener {
 public:
  explicit Visitor(const BatchVisitor& visit) : visit_(visit) {}
  Status OnDelta(int, const Batch& batch) override { return visit_(batch); }
  Status OnRowError(int, const Schema&, const RowError& error) override {
    return SqlStatus(error.reason, {.sqlstate = error.sqlstate});
  }

 private:
  const BatchVisitor& visit_;
};

}  // namespace

Status RunOnce(const LogicalPtr& query, const RelationScan& scan, const EvalContext& context,
               const BatchVisitor& visit, const Cores& cores,
               std::vector<Dataflow::NodeReport>* report) {
  Visitor visitor(visit);
  Dataflow flow(&visitor, cores, Dataflow::Sharing::kNone);
  LEAT_RETURN(flow.Add(query, FinalSource).status());
  LEAT_RETURN(flow.Drain(scan, context));
  if (report != nullptr) *report = flow.Report();
  return Status::OK();
}

Result<Batch> SortBatch(const Batch& batch, const std::vector<SortKey>& order,
                        const EvalContext& context) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<KeyColumn> key_columns;
  ErrorMask errors(batch.rows);
  for (const SortKey& key : order) {
    LEAT_ASSIGN(auto column, Evaluate(*key.expr, batch, context, {}, &errors));
    columns.push_back(std::move(column));
    key_columns.push_back({key.expr->type, key.descending, key.nulls_first});
  }
  LEAT_RETURN(errors.status());
  Strings keys;
  LEAT_RETURN(KeyEncoder(std::move(key_columns)).Encode(columns, batch.rows, &keys));
  std::vector<int32_t> rows(static_cast<size_t>(batch.rows));
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](int32_t a, int32_t b) { return keys[a] < keys[b]; });
  return Take(batch, rows);
}

}  // namespace leat
