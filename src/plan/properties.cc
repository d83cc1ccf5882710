#include "plan/properties.h"

#include <algorithm>
#include <set>

#include "plan/expand.h"

#include "flow/operators.h"
#include "plan/lower.h"

namespace leat {
namespace {

using Keys = std::vector<std::vector<int>>;

// The keys of the input whose columns all survive a projection, by their new places.
Keys ProjectKeys(const Keys& keys, const std::vector<ExprPtr>& exprs) {
  Keys projected;
  for (const auto& key : keys) {
    std::vector<int> moved;
    for (int column : key) {
      const auto it = std::find_if(exprs.begin(), exprs.end(), [&](const ExprPtr& expr) {
        return expr->kind == ExprKind::kColumn && expr->column == column;
      });
      if (it != exprs.end()) moved.push_back(static_cast<int>(it - exprs.begin()));
    }
    if (moved.size() == key.size()) projected.push_back(std::move(moved));
  }
  return projected;
}

std::vector<int> Iota(size_t n) {
  std::vector<int> columns(n);
  for (size_t i = 0; i < n; ++i) columns[i] = static_cast<int>(i);
  return columns;
}

// A join on all columns of one side's key leaves the other side's keys in force.
bool JoinsOnKey(const std::vector<ExprPtr>& keys, const Properties& properties) {
  std::vector<int> columns;
  for (const ExprPtr& key : keys) {
    if (key->kind == ExprKind::kColumn) columns.push_back(key->column);
  }
  return IsUnique(properties, columns);
}

Properties JoinProperties(const Logical& node, const Properties& left, const Properties& right) {
  Properties out;
  out.final = left.final && right.final;
  out.append_only = (node.join == JoinType::kInner || node.join == JoinType::kSemi) &&
                    left.append_only && right.append_only;
  out.append_only = out.append_only || out.final;
  const bool left_only = node.join == JoinType::kSemi || node.join == JoinType::kAnti;
  const bool keeps_left = node.join == JoinType::kInner || node.join == JoinType::kLeft;
  const bool keeps_right = node.join == JoinType::kInner || node.join == JoinType::kRight;
  if (left_only || (keeps_left && JoinsOnKey(node.right_keys, right))) out.keys = left.keys;
  if (!left_only && keeps_right && JoinsOnKey(node.left_keys, left)) {
    const int width = node.children[0]->schema.size();
    for (auto key : right.keys) {
      for (int& column : key) column += width;
      out.keys.push_back(std::move(key));
    }
  }
  return out;
}

// Rows of one source relation come in order; those of several are interleaved by the log, which
// numbers them as it interleaves them: in order too. But a relation that is read twice, or the
// rejects beside their relation, come batch by batch, and constants have no number.
bool ComeInTurn(const Logical& node) {
  std::set<std::string> read;
  for (const auto& child : node.children) {
    const auto relations = ScannedRelations(*child);
    if (relations.empty()) return false;
    for (const std::string& relation : relations) {
      if (relation.ends_with("rejects") || !read.insert(relation).second) return false;
    }
  }
  return true;
}

Properties UnionProperties(const Logical& node, const SourceProperties& sources) {
  Properties out{.append_only = true, .final = true, .in_order = true};
  for (const auto& child : node.children) {
    const Properties in = PropertiesOf(*child, sources);
    out.append_only = out.append_only && in.append_only;
    out.final = out.final && in.final;
    out.in_order = out.in_order && in.in_order;
  }
  // A one-shot query reads its children one after another.
  out.in_order = out.in_order && !out.final && ComeInTurn(node);
  return out;
}

// An aggregate, a distinct or a top over something that may go on takes rows back.
Properties Recomputed(const Properties& in, Keys keys) {
  return {.append_only = in.final, .final = in.final, .in_order = false, .keys = std::move(keys)};
}

Properties WindowProperties(const Logical& node, const Properties& in) {
  const bool arrival = node.order.empty() && node.frame.following <= 0 && in.in_order;
  Properties out = in;
  const bool looks_ahead =
      std::any_of(node.windows.begin(), node.windows.end(), [](const WindowCall& call) {
        return call.function == WindowFunction::kLead || call.function >= WindowFunction::kNthValue;
      });
  // In arrival order a row's window is complete when it comes, so nothing is ever taken back.
  out.append_only = in.final || (in.append_only && arrival && !node.frame.range && !looks_ahead);
  // The general form answers at the end of an epoch, partition by partition.
  out.in_order = in.in_order && KeepsArrivalOrder(WindowSpecOf(node, in));
  return out;
}

}  // namespace

bool IsUnique(const Properties& properties, const std::vector<int>& columns) {
  return std::any_of(properties.keys.begin(), properties.keys.end(), [&](const auto& key) {
    return std::all_of(key.begin(), key.end(), [&](int column) {
      return std::find(columns.begin(), columns.end(), column) != columns.end();
    });
  });
}

Properties PropertiesOf(const Logical& node, const SourceProperties& sources) {
  switch (node.kind) {
    case LogicalKind::kScan: {
      Properties out = sources(node.relation);
      std::vector<ExprPtr> columns;
      for (int column : node.columns) columns.push_back(ColumnExpr(column, Type()));
      out.keys = ProjectKeys(out.keys, columns);
      return out;
    }
    case LogicalKind::kValues: {
      Properties out{.append_only = true, .final = sources("").final, .in_order = true};
      if (node.rows.size() <= 1) out.keys.push_back({});
      return out;
    }
    case LogicalKind::kUnionAll:
      return UnionProperties(node, sources);
    case LogicalKind::kJoin:
      return JoinProperties(node, PropertiesOf(*node.children[0], sources),
                            PropertiesOf(*node.children[1], sources));
    default:
      break;
  }
  Properties in = PropertiesOf(*node.children[0], sources);
  switch (node.kind) {
    case LogicalKind::kProject:
      in.keys = ProjectKeys(in.keys, node.exprs);
      return in;
    case LogicalKind::kMoving: {
      Keys keys = node.exprs.empty() ? in.keys : ProjectKeys(in.keys, node.exprs);
      return Recomputed(in, std::move(keys));
    }
    case LogicalKind::kUnnest:
      return {.append_only = in.append_only, .final = in.final};
    case LogicalKind::kDistinct:
      in.keys.push_back(Iota(node.schema.columns.size()));
      return {.append_only = in.append_only, .final = in.final, .keys = in.keys};
    case LogicalKind::kAggregate:
      return Recomputed(in, {Iota(node.exprs.size())});
    case LogicalKind::kTop: {
      Keys keys = in.keys;
      std::vector<int> partition;
      for (const ExprPtr& expr : node.exprs) {
        if (expr->kind == ExprKind::kColumn) partition.push_back(expr->column);
      }
      if (node.limit == 1 && partition.size() == node.exprs.size()) keys.push_back(partition);
      return Recomputed(in, std::move(keys));
    }
    case LogicalKind::kWindow:
      return WindowProperties(node, in);
    default:
      return in;  // kFilter
  }
}

}  // namespace leat
