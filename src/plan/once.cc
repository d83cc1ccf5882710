#include "plan/once.h"

#include <numeric>

#include "data/key.h"
#include "plan/lower.h"

namespace leat {
namespace {

Properties FinalSource(const std::string&) {
  return {.append_only = true, .final = true, .in_order = true};
}

// Hands an operator's results to whoever is above it.
class VisitOutput : public Output {
 public:
  explicit VisitOutput(const BatchVisitor& visit) : visit_(visit) {}
  Status Emit(Batch batch) override { return batch.rows == 0 ? Status::OK() : visit_(batch); }
  Status Reject(RowError error) override {
    return SqlStatus(error.reason, {.sqlstate = error.sqlstate});
  }

 private:
  const BatchVisitor& visit_;
};

Status ScanOnce(const Logical& node, const RelationScan& scan, const BatchVisitor& visit) {
  return scan(node.relation, [&](const Batch& batch) {
    Batch pruned{.rows = batch.rows, .weights = batch.weights, .seq = batch.seq};
    for (int column : node.columns) {
      pruned.columns.push_back(batch.columns[static_cast<size_t>(column)]);
    }
    return visit(pruned);
  });
}

}  // namespace

Status RunOnce(const Logical& node, const RelationScan& scan, const EvalContext& context,
               const BatchVisitor& visit) {
  if (node.kind == LogicalKind::kScan) return ScanOnce(node, scan, visit);
  if (node.kind == LogicalKind::kValues) {
    LEAT_ASSIGN(Batch batch, ValuesBatch(node, context));
    return visit(batch);
  }
  LEAT_ASSIGN(auto op, LowerNode(node, FinalSource));
  VisitOutput out(visit);
  const bool join = node.kind == LogicalKind::kJoin;
  for (size_t i = 0; i < node.children.size(); ++i) {
    const size_t port = join ? node.children.size() - 1 - i : i;  // a join's right side first
    const auto push = [&](const Batch& batch) {
      return op->Push(static_cast<int>(port), batch, context, &out);
    };
    LEAT_RETURN(RunOnce(*node.children[port], scan, context, push));
  }
  return op->Finish({.number = 1, .clock = context.now}, context, &out);
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
