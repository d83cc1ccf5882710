#include "plan/regions.h"

#include <algorithm>
#include <functional>

namespace leat {
namespace {

using Columns = std::vector<int>;  // sorted

// The columns that bare column expressions name; empty if one is anything else.
Columns ColumnsOf(const std::vector<ExprPtr>& exprs, int offset = 0) {
  Columns columns;
  for (const ExprPtr& expr : exprs) {
    if (expr->kind != ExprKind::kColumn) return {};
    columns.push_back(expr->column + offset);
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

Columns JoinedBy(const Logical& node) {
  // The columns of a side that is never replaced by nulls.
  switch (node.join) {
    case JoinType::kInner:
    case JoinType::kLeft:
    case JoinType::kSemi:
    case JoinType::kAnti:
      return ColumnsOf(node.left_keys);
    case JoinType::kRight:
      return ColumnsOf(node.right_keys, node.children[0]->schema.size());
    case JoinType::kFull:
      return {};
  }
  return {};
}

// Where a projection puts `columns`; empty if it drops one.
Columns Project(const Columns& columns, const std::vector<ExprPtr>& exprs) {
  Columns moved;
  for (const int column : columns) {
    const auto found = std::find_if(exprs.begin(), exprs.end(), [&](const ExprPtr& expr) {
      return expr->kind == ExprKind::kColumn && expr->column == column;
    });
    if (found == exprs.end()) return {};
    moved.push_back(static_cast<int>(found - exprs.begin()));
  }
  std::sort(moved.begin(), moved.end());
  return moved;
}

// By which columns of its own output a node in a keyed region is split; `in` by which its input's.
Columns SplitBy(const Logical& node, const Columns& in) {
  switch (node.kind) {
    case LogicalKind::kFilter:
      return in;
    case LogicalKind::kProject:
      return Project(in, node.exprs);
    case LogicalKind::kAggregate: {
      Columns columns;
      for (size_t i = 0; i < node.exprs.size(); ++i) columns.push_back(static_cast<int>(i));
      return columns;
    }
    case LogicalKind::kJoin:
      return JoinedBy(node);
    case LogicalKind::kDistinct:
    case LogicalKind::kTop:
    case LogicalKind::kWindow:
      return ColumnsOf(ShardKeysOf(node)[0]);
    default:
      return {};
  }
}

class Planner {
 public:
  explicit Planner(const std::vector<RegionNode>& nodes)
      : nodes_(nodes), region_of_(nodes.size(), -1), split_by_(nodes.size()) {}

  std::vector<Region> Plan() {
    FindSerial();
    regions_.push_back({.kind = Region::Kind::kArrival, .nodes = {}});
    for (size_t node = 0; node < nodes_.size(); ++node) Place(node);
    if (!ArrivalWorks()) MakeArrivalSerial();
    std::erase_if(regions_, [](const Region& region) { return region.nodes.empty(); });
    return std::move(regions_);
  }

 private:
  const Logical& logical(size_t node) const { return *nodes_[node].logical; }

  // Windows below a UNION ALL that promises the order of arrival: gathered rows would come late.
  void FindSerial() {
    serial_.assign(nodes_.size(), false);
    const std::function<void(int)> mark = [&](int node) {
      const RegionNode& one = nodes_[static_cast<size_t>(node)];
      if (!one.in_order) return;
      if (one.logical->kind == LogicalKind::kWindow) serial_[static_cast<size_t>(node)] = true;
      for (const int child : one.children) mark(child);
    };
    for (size_t node = 0; node < nodes_.size(); ++node) {
      if (logical(node).kind == LogicalKind::kUnionAll) mark(static_cast<int>(node));
    }
  }

  void Place(size_t node) {
    const int region = RegionFor(node);
    region_of_[node] = region;
    Region& home = regions_[static_cast<size_t>(region)];
    home.nodes.push_back(static_cast<int>(node));
    if (home.kind != Region::Kind::kKeyed) return;
    const auto& children = nodes_[node].children;
    const bool inside =
        children.size() == 1 && region_of_[static_cast<size_t>(children[0])] == region;
    split_by_[node] =
        SplitBy(logical(node), inside ? split_by_[static_cast<size_t>(children[0])] : Columns());
  }

  int RegionFor(size_t node) {
    if (logical(node).kind == LogicalKind::kScan) return 0;
    const auto& children = nodes_[node].children;
    const int below = children.empty() ? -1 : region_of_[static_cast<size_t>(children[0])];
    if (IsLinear(logical(node))) {
      const bool one = std::all_of(children.begin(), children.end(), [&](int child) {
        return region_of_[static_cast<size_t>(child)] == below;
      });
      if (one && regions_[static_cast<size_t>(below)].kind != Region::Kind::kSerial) return below;
      return Add(Region::Kind::kSerial);
    }
    const auto keys = ShardKeysOf(logical(node));
    if (keys.empty() || serial_[node] || !nodes_[node].sharded) return Add(Region::Kind::kSerial);
    if (children.size() == 1 && regions_[static_cast<size_t>(below)].kind == Region::Kind::kKeyed) {
      const Columns& split = split_by_[static_cast<size_t>(children[0])];
      if (!split.empty() && split == ColumnsOf(keys[0])) return below;
    }
    return Add(Region::Kind::kKeyed);
  }

  int Add(Region::Kind kind) {
    regions_.push_back({.kind = kind, .nodes = {}});
    return static_cast<int>(regions_.size()) - 1;
  }

  // Whether gathering arrivals gains anything: there is something to compute, or to exchange.
  bool ArrivalWorks() const {
    for (size_t node = 0; node < nodes_.size(); ++node) {
      if (region_of_[node] == 0 && logical(node).kind != LogicalKind::kScan) return true;
      if (regions_[static_cast<size_t>(region_of_[node])].kind != Region::Kind::kKeyed) continue;
      for (const int child : nodes_[node].children) {
        if (region_of_[static_cast<size_t>(child)] == 0) return true;
      }
    }
    return false;
  }

  void MakeArrivalSerial() {
    std::vector<Region> serial;
    for (const int node : regions_[0].nodes) {
      serial.push_back({.kind = Region::Kind::kSerial, .nodes = {node}});
    }
    regions_[0].nodes.clear();
    regions_.insert(regions_.begin(), serial.begin(), serial.end());
  }

  const std::vector<RegionNode>& nodes_;
  std::vector<Region> regions_;  // the first: kArrival
  std::vector<int> region_of_;
  std::vector<Columns> split_by_;
  std::vector<bool> serial_;
};

}  // namespace

std::vector<std::vector<ExprPtr>> ShardKeysOf(const Logical& node) {
  std::vector<std::vector<ExprPtr>> keys;
  switch (node.kind) {
    case LogicalKind::kAggregate:
    case LogicalKind::kTop:
    case LogicalKind::kWindow:
      keys = {node.exprs};
      break;
    case LogicalKind::kJoin:
      keys = {node.left_keys, node.right_keys};
      break;
    case LogicalKind::kDistinct:
    case LogicalKind::kMoving: {  // a row is taken back where it came
      const Schema& input = node.children[0]->schema;
      keys.emplace_back();
      for (int i = 0; i < input.size(); ++i) {
        keys[0].push_back(ColumnExpr(i, input.columns[static_cast<size_t>(i)].type));
      }
      break;
    }
    default:
      break;
  }
  if (keys.empty() || keys[0].empty()) return {};
  return keys;
}

bool IsLinear(const Logical& node) {
  return node.kind == LogicalKind::kFilter || node.kind == LogicalKind::kProject ||
         node.kind == LogicalKind::kUnionAll;
}

std::vector<Region> PlanRegions(const std::vector<RegionNode>& nodes) {
  return Planner(nodes).Plan();
}

}  // namespace leat
