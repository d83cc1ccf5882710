// FROM a, b, c, … in an order in which each table meets the others by an equality. As written, a
// comma between tables that nothing compares is all pairs of their rows, and twenty of them are
// more rows than there are atoms.
#include <algorithm>

#include "plan/rules.h"
#include "sql/build.h"

namespace leat {
namespace {

// A part of what is to be joined: where each column stood in the order as written.
struct Part {
  LogicalPtr plan;
  std::vector<int> columns;
};

// Inner joins of inner joins, taken apart. Conjuncts are over all columns in the order as written.
struct Graph {
  std::vector<Part> parts;
  std::vector<ExprPtr> conjuncts;
  bool crossed = false;  // a join without an equality
};

bool IsInner(const Logical& node) {
  return node.kind == LogicalKind::kJoin && node.join == JoinType::kInner &&
         std::find(node.null_safe.begin(), node.null_safe.end(), true) == node.null_safe.end();
}

void TakeApart(const LogicalPtr& node, int offset, Graph* graph) {
  if (!IsInner(*node)) {
    Part part{OrderJoins(node), {}};
    for (int i = 0; i < node->schema.size(); ++i) part.columns.push_back(offset + i);
    graph->parts.push_back(std::move(part));
    return;
  }
  const int width = node->children[0]->schema.size();
  TakeApart(node->children[0], offset, graph);
  TakeApart(node->children[1], offset + width, graph);
  graph->crossed |= node->left_keys.empty();
  for (size_t i = 0; i < node->left_keys.size(); ++i) {
    graph->conjuncts.push_back(EqualityOf(ShiftColumns(node->left_keys[i], offset),
                                          ShiftColumns(node->right_keys[i], offset + width)));
  }
  for (const ExprPtr& conjunct : ConjunctsOf(node->residual)) {
    graph->conjuncts.push_back(ShiftColumns(conjunct, offset));
  }
}

class Orderer {
 public:
  explicit Orderer(Graph graph) : graph_(std::move(graph)) {
    for (size_t i = 0; i < graph_.parts.size(); ++i) {
      for (const int column : graph_.parts[i].columns) {
        owner_.resize(std::max(owner_.size(), static_cast<size_t>(column) + 1));
        owner_[static_cast<size_t>(column)] = i;
      }
    }
    applied_.resize(graph_.conjuncts.size());
    joined_.resize(graph_.parts.size());
  }

  // Grows from one table along equalities until none is left to follow, then starts anew; what no
  // equality connects is joined last.
  Part Run() {
    std::vector<Part> islands;
    for (int start = NextStart(); start >= 0; start = NextStart()) {
      std::vector<bool> island(graph_.parts.size());
      island[static_cast<size_t>(start)] = joined_[static_cast<size_t>(start)] = true;
      Part part = graph_.parts[static_cast<size_t>(start)];
      for (int next = NextOf(island); next >= 0; next = NextOf(island)) {
        island[static_cast<size_t>(next)] = joined_[static_cast<size_t>(next)] = true;
        part = Joined(part, graph_.parts[static_cast<size_t>(next)]);
      }
      islands.push_back(std::move(part));
    }
    Part whole = islands[0];
    for (size_t i = 1; i < islands.size(); ++i) whole = Joined(whole, islands[i]);
    return whole;
  }

 private:
  std::vector<size_t> PartsOf(const Expr& expr) const {
    std::vector<size_t> parts;
    VisitExprs(expr, [&](const Expr& part) {
      if (part.kind != ExprKind::kColumn) return;
      const size_t owner = owner_[static_cast<size_t>(part.column)];
      if (std::find(parts.begin(), parts.end(), owner) == parts.end()) parts.push_back(owner);
    });
    return parts;
  }

  bool IsFiltered(size_t part) const {
    return graph_.parts[part].plan->kind == LogicalKind::kFilter;
  }

  // The first table not joined yet, rather one with a condition of its own.
  int NextStart() const {
    int first = -1;
    for (size_t i = 0; i < joined_.size(); ++i) {
      if (joined_[i]) continue;
      if (IsFiltered(i)) return static_cast<int>(i);
      if (first < 0) first = static_cast<int>(i);
    }
    return first;
  }

  // The first table that an equality connects with the island, likewise.
  int NextOf(const std::vector<bool>& island) const {
    int first = -1;
    for (size_t i = 0; i < joined_.size(); ++i) {
      if (joined_[i] || !IsConnected(i, island)) continue;
      if (IsFiltered(i)) return static_cast<int>(i);
      if (first < 0) first = static_cast<int>(i);
    }
    return first;
  }

  bool IsConnected(size_t part, const std::vector<bool>& island) const {
    for (const ExprPtr& each : graph_.conjuncts) {
      const Expr& conjunct = *each;
      if (conjunct.kind != ExprKind::kCall || conjunct.function->name != "=") continue;
      const auto left = PartsOf(*conjunct.args[0]);
      const auto right = PartsOf(*conjunct.args[1]);
      for (const auto& [mine, others] : {std::pair(left, right), std::pair(right, left)}) {
        const bool only = mine.size() == 1 && mine[0] == part && !others.empty();
        if (only && std::all_of(others.begin(), others.end(),
                                [&](size_t other) { return island[other]; })) {
          return true;
        }
      }
    }
    return false;
  }

  // With every condition whose columns are all there now.
  Part Joined(const Part& left, const Part& right) {
    Part out{nullptr, left.columns};
    out.columns.insert(out.columns.end(), right.columns.begin(), right.columns.end());
    std::vector<int> place(owner_.size(), -1);
    for (size_t i = 0; i < out.columns.size(); ++i) {
      place[static_cast<size_t>(out.columns[i])] = static_cast<int>(i);
    }
    std::vector<ExprPtr> conjuncts;
    for (size_t i = 0; i < graph_.conjuncts.size(); ++i) {
      if (applied_[i] || !IsPresent(*graph_.conjuncts[i], place)) continue;
      applied_[i] = true;
      conjuncts.push_back(MapColumns(graph_.conjuncts[i], [&](const Expr& column) {
        return ColumnAt(place[static_cast<size_t>(column.column)], column.type, column.location);
      }));
    }
    const auto width = static_cast<int>(out.columns.size());
    out.plan = JoinOf(
        left.plan, right.plan,
        SplitJoin(JoinType::kInner, conjuncts, static_cast<int>(left.columns.size()), width));
    return out;
  }

  static bool IsPresent(const Expr& expr, const std::vector<int>& place) {
    bool present = true;
    VisitExprs(expr, [&](const Expr& part) {
      if (part.kind == ExprKind::kColumn) {
        present = present && place[static_cast<size_t>(part.column)] >= 0;
      }
    });
    return present;
  }

  Graph graph_;
  std::vector<size_t> owner_;  // of each column: its part
  std::vector<bool> applied_;  // conjuncts
  std::vector<bool> joined_;   // parts
};

LogicalPtr InOrder(const Logical& node) {
  Graph graph;
  TakeApart(std::make_shared<const Logical>(node), 0, &graph);
  if (!graph.crossed || graph.parts.size() < 3) return nullptr;
  const Part whole = Orderer(std::move(graph)).Run();
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  std::vector<int> place(whole.columns.size());
  for (size_t i = 0; i < whole.columns.size(); ++i) {
    place[static_cast<size_t>(whole.columns[i])] = static_cast<int>(i);
  }
  for (size_t i = 0; i < place.size(); ++i) {
    exprs.push_back(ColumnExpr(place[i], node.schema.columns[i].type));
    names.push_back(node.schema.columns[i].name);
  }
  return ProjectOn(whole.plan, std::move(exprs), names);
}

}  // namespace

LogicalPtr OrderJoins(const LogicalPtr& node) {
  if (IsInner(*node)) {
    if (LogicalPtr ordered = InOrder(*node)) return ordered;
  }
  std::vector<LogicalPtr> children;
  for (const LogicalPtr& child : node->children) children.push_back(OrderJoins(child));
  if (children == node->children) return node;
  auto copy = std::make_shared<Logical>(*node);
  copy->children = std::move(children);
  return copy;
}

}  // namespace leat
