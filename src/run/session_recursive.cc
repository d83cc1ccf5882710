// WITH RECURSIVE of a one-shot query: found round by round, then scanned like a table.
#include <unordered_set>

#include "plan/expand.h"
#include "plan/once.h"
#include "run/row_text.h"
#include "run/session.h"
#include "sql/build.h"

namespace leat {
namespace {

// More rows than anybody waits for: a recursion without end is refused, not run out of memory.
constexpr int64_t kRecursionRowsMax = 50'000'000;

bool Recurses(const Logical& node) {
  return node.kind == LogicalKind::kRecursive ||
         std::any_of(node.children.begin(), node.children.end(),
                     [](const LogicalPtr& child) { return Recurses(*child); });
}

// How many of a child's rows suffice for `rows_max` of the node's: they are its first ones.
int64_t EnoughBelow(const Logical& node, int64_t rows_max) {
  if (node.kind == LogicalKind::kProject) return rows_max;
  const bool plain = node.kind == LogicalKind::kTop && node.order.empty() && node.exprs.empty();
  if (!plain || node.limit < 0) return -1;
  const int64_t wanted = node.limit + node.offset;
  return rows_max < 0 ? wanted : std::min(wanted, rows_max + node.offset);
}

// The rows that were not there before; `seen` learns them.
Result<Batch> NewRows(const Schema& schema, const Batch& rows,
                      std::unordered_set<std::string>* seen) {
  std::vector<int> columns;
  for (int i = 0; i < schema.size(); ++i) columns.push_back(i);
  Strings keys;
  LEAT_RETURN(EncodeKeyColumns(schema, columns, rows, &keys));
  std::vector<int32_t> kept;
  for (int32_t i = 0; i < rows.rows; ++i) {
    if (seen->insert(std::string(keys[i])).second) kept.push_back(i);
  }
  return Take(rows, kept);
}

}  // namespace

// Semi-naive: a round computes the second query over the rows of the round before alone, which is
// all of them since PostgreSQL allows it one reference to them, and no aggregate.
Result<Batch> Session::Recurse(const Logical& node, int64_t rows_max, const Cores& cores) {
  const Schema& schema = node.schema;
  std::unordered_set<std::string> seen;
  std::vector<Batch> found;
  int64_t rows = 0;
  const auto compute = [&](const LogicalPtr& query) -> Result<Batch> {
    LEAT_ASSIGN(const LogicalPtr settled, Settled(query, -1, cores));
    LEAT_ASSIGN(auto batches, Compute(settled, cores));
    for (Batch& batch : batches) batch.seq = nullptr;
    LEAT_ASSIGN(Batch all, Concatenate(schema, batches));
    if (!node.distinct) return all;
    return NewRows(schema, all, &seen);
  };
  LEAT_ASSIGN(Batch last, compute(node.children[0]));
  while (last.rows > 0) {
    LEAT_RETURN(CheckCancelled());
    rows += last.rows;
    found.push_back(last);
    if (rows_max >= 0 && rows >= rows_max) break;
    if (rows > kRecursionRowsMax) {
      return SqlStatus(fmt::format("WITH RECURSIVE found more than {} rows", kRecursionRowsMax),
                       {.sqlstate = "54000",
                        .location = node.location,
                        .hint = "Does it end? UNION stops where nothing new is found, a condition "
                                "in the recursive term sooner."});
    }
    temporary_[node.relation] = std::move(last);
    LEAT_ASSIGN(last, compute(node.children[1]));
  }
  temporary_.erase(node.relation);
  return Concatenate(schema, found);
}

Result<LogicalPtr> Session::Settled(const LogicalPtr& query, int64_t rows_max, const Cores& cores) {
  if (!Recurses(*query)) return query;
  if (query->kind == LogicalKind::kRecursive) {
    LEAT_ASSIGN(Batch rows, Recurse(*query, rows_max, cores));
    const std::string name = fmt::format("{}, all", query->relation);
    temporary_[name] = std::move(rows);
    return ScanOf(name, query->schema, false, query->location);
  }
  auto copy = std::make_shared<Logical>(*query);
  const int64_t below = EnoughBelow(*query, rows_max);
  for (LogicalPtr& child : copy->children) {
    LEAT_ASSIGN(child, Settled(child, below, cores));
  }
  return LogicalPtr(std::move(copy));
}

}  // namespace leat
