#include "plan/explain.h"

#include <algorithm>

#include "flow/operators.h"
#include "plan/lower.h"

namespace leat {
namespace {

std::string LabelOf(const Logical& node) {
  const std::string text = ToString(node);
  return text.substr(0, text.find('\n'));
}

bool IsTime(const Type& type) {
  return type.id == TypeId::kDate || type.id == TypeId::kTimestamp ||
         type.id == TypeId::kTimestamptz;
}

// Whether rows leave below the node as the clock moves.
bool LeavesWithClock(const Logical& node) {
  return (node.kind == LogicalKind::kMoving && node.residual) ||
         std::any_of(node.children.begin(), node.children.end(),
                     [](const LogicalPtr& child) { return LeavesWithClock(*child); });
}

// The first column of a table below that a condition on the time could be put on: "t.created_on".
std::string TimeColumnBelow(const Logical& node) {
  if (node.kind == LogicalKind::kScan) {
    for (const Column& column : node.schema.columns) {
      if (IsTime(column.type)) return node.relation + "." + column.name;
    }
  }
  for (const LogicalPtr& child : node.children) {
    std::string found = TimeColumnBelow(*child);
    if (!found.empty()) return found;
  }
  return "";
}

bool IsConstant(const Logical& node) {
  if (node.kind == LogicalKind::kScan) return false;
  return std::all_of(node.children.begin(), node.children.end(),
                     [](const LogicalPtr& child) { return IsConstant(*child); });
}

// What bounds the rows of a node's inputs.
std::string BoundBelow(const Logical& node) {
  if (IsConstant(node)) return "bounded: its input is written in the query";
  for (const LogicalPtr& child : node.children) {
    if (LeavesWithClock(*child)) return "bounded by the condition on the clock below";
  }
  const std::string column = TimeColumnBelow(node);
  if (column.empty()) return "grows with its input";
  return fmt::format("grows with its input; WHERE {} > now() - interval '…' would bound it",
                     column);
}

std::string Places(int64_t rows) { return fmt::format("{} row{}", rows, rows == 1 ? "" : "s"); }

// Calls that keep their groups' rows.
std::string RowsKeptBy(const Logical& node, bool append_only) {
  std::string names;
  for (const AggregateCall& call : node.calls) {
    const bool picks = call.aggregate->pick != Aggregate::Pick::kNone && !append_only;
    if (!picks && call.aggregate->fold == nullptr && !call.distinct) continue;
    const std::string name =
        fmt::format("{}{}", call.aggregate->name, call.distinct ? " DISTINCT" : "");
    if (names.find(name) == names.npos) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

StateText AggregateState(const Logical& node, const Properties& input) {
  StateText text;
  text.keeps = node.exprs.empty() ? "one row" : "a row for each group";
  const std::string kept = RowsKeptBy(node, input.append_only);
  if (!kept.empty()) text.keeps += fmt::format(", and the values of its rows for {}", kept);
  if (node.exprs.empty() && kept.empty()) {
    text.bound = "bounded";
    return text;
  }
  text.bound = BoundBelow(node);
  if (kept.empty() && text.bound.starts_with("grows with its input")) {
    text.bound = "grows with the number of groups" + text.bound.substr(20);
  }
  return text;
}

StateText WindowState(const Logical& node, const Properties& input) {
  const WindowSpec spec = WindowSpecOf(node, input);
  const bool last_rows = input.append_only && input.in_order && node.order.empty() &&
                         !node.frame.range && !node.frame.groups && KeepsArrivalOrder(spec);
  const std::string each = node.exprs.empty() ? "" : " of each partition";
  if (last_rows) {
    const bool sums = node.frame.preceding == RowFrame::kUnbounded;
    StateText text;
    text.keeps = sums ? "the sums so far" + each
                      : fmt::format("the last {}{}", Places(node.frame.preceding), each);
    text.bound = node.exprs.empty() ? "bounded" : "grows with the number of partitions";
    return text;
  }
  return {"all rows of its input, by partition and order", BoundBelow(node)};
}

StateText TopState(const Logical& node, const Properties& input) {
  if (input.append_only && node.limit >= 0) {
    return {fmt::format("{}{}", Places(node.offset + node.limit),
                        node.exprs.empty() ? "" : " of each partition"),
            node.exprs.empty() ? "bounded" : "grows with the number of partitions"};
  }
  return {"all rows of its input, in order: one that goes makes room for the next",
          BoundBelow(node)};
}

std::string Milliseconds(int64_t nanoseconds) {
  return fmt::format("{:.3f} ms", static_cast<double>(nanoseconds) / 1e6);
}

std::string MeasuredText(const Dataflow::NodeReport& report) {
  std::string text = fmt::format("rows in {}, out {}; {}", report.stats.rows_in,
                                 report.stats.rows_out, Milliseconds(report.nanoseconds));
  if (report.stats.state_rows > 0 || report.stats.state_bytes > 0) {
    text += fmt::format("; state {} rows, {} kB", report.stats.state_rows,
                        (report.stats.state_bytes + 1023) / 1024);
  }
  if (report.shards > 1) text += fmt::format("; {} shards", report.shards);
  return text;
}

// Visits a plan's nodes, children first, with the report of each that has one.
class Walk {
 public:
  explicit Walk(const Reports* reports) : reports_(reports) {}
  // The report of the next node in that order.
  const Dataflow::NodeReport* Next(const Logical& node) {
    if (reports_ == nullptr || node.children.empty() || at_ >= reports_->size()) return nullptr;
    return &(*reports_)[at_++];
  }

 private:
  const Reports* reports_;
  size_t at_ = 0;
};

void AppendText(const Logical& node, int depth, const SourceProperties& sources,
                const ExplainOptions& options, Walk* walk, std::vector<std::string>* lines) {
  const std::string indent(static_cast<size_t>(depth) * 2, ' ');
  std::vector<std::string> below;
  for (const LogicalPtr& child : node.children) {
    AppendText(*child, depth + 1, sources, options, walk, &below);
  }
  lines->push_back(indent + LabelOf(node));
  if (options.state) {
    const StateText state = StateOf(node, sources);
    if (!state.keeps.empty()) {
      lines->push_back(fmt::format("{}    State: {} ({})", indent, state.keeps, state.bound));
    }
  }
  if (const auto* report = walk->Next(node)) {
    lines->push_back(fmt::format("{}    Actual: {}", indent, MeasuredText(*report)));
  }
  lines->insert(lines->end(), below.begin(), below.end());
}

// The nodes and arrows of a drawing, by numbers.
struct Drawn {
  std::vector<std::string> labels;
  std::vector<std::pair<size_t, size_t>> arrows;
};

size_t Draw(const Logical& node, Walk* walk, Drawn* out) {
  std::vector<size_t> children;
  for (const LogicalPtr& child : node.children) children.push_back(Draw(*child, walk, out));
  std::string label = LabelOf(node);
  if (const auto* report = walk->Next(node)) label += "\n" + MeasuredText(*report);
  out->labels.push_back(std::move(label));
  const size_t number = out->labels.size() - 1;
  for (const size_t child : children) out->arrows.emplace_back(child, number);
  return number;
}

std::string Escaped(std::string_view text, std::string_view quote, std::string_view line) {
  std::string out;
  for (const char c : text) {
    if (c == '"') {
      out += quote;
    } else if (c == '\n') {
      out += line;
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

StateText StateOf(const Logical& node, const SourceProperties& sources) {
  switch (node.kind) {
    case LogicalKind::kDistinct:
      return {"an entry for each different row", BoundBelow(node)};
    case LogicalKind::kJoin:
      return {node.left_keys.empty() ? "the rows of both sides"
                                     : "the rows of both sides, by their keys",
              BoundBelow(node)};
    case LogicalKind::kMoving:
      return {"the rows that will yet change with the clock",
              node.residual ? "bounded: they leave when they are through" : BoundBelow(node)};
    case LogicalKind::kAggregate:
      return AggregateState(node, PropertiesOf(*node.children[0], sources));
    case LogicalKind::kTop:
      return TopState(node, PropertiesOf(*node.children[0], sources));
    case LogicalKind::kWindow:
      return WindowState(node, PropertiesOf(*node.children[0], sources));
    default:
      return {};
  }
}

std::vector<std::string> ExplainAsText(const LogicalPtr& query, const SourceProperties& sources,
                                       const ExplainOptions& options) {
  std::vector<std::string> lines;
  Walk walk(options.measured);
  AppendText(*query, 0, sources, options, &walk, &lines);
  return lines;
}

std::vector<std::string> ExplainAsMermaid(const LogicalPtr& query, const ExplainOptions& options) {
  Drawn drawn;
  Walk walk(options.measured);
  Draw(*query, &walk, &drawn);
  std::vector<std::string> lines = {"flowchart BT"};
  for (size_t i = 0; i < drawn.labels.size(); ++i) {
    lines.push_back(fmt::format("  n{}[\"{}\"]", i, Escaped(drawn.labels[i], "#quot;", "<br/>")));
  }
  for (const auto& [from, to] : drawn.arrows)
    lines.push_back(fmt::format("  n{} --> n{}", from, to));
  return lines;
}

std::vector<std::string> ExplainAsDot(const LogicalPtr& query, const ExplainOptions& options) {
  Drawn drawn;
  Walk walk(options.measured);
  Draw(*query, &walk, &drawn);
  std::vector<std::string> lines = {"digraph plan {", "  rankdir=BT; node [shape=box];"};
  for (size_t i = 0; i < drawn.labels.size(); ++i) {
    lines.push_back(
        fmt::format("  n{} [label=\"{}\"];", i, Escaped(drawn.labels[i], "\\\"", "\\n")));
  }
  for (const auto& [from, to] : drawn.arrows)
    lines.push_back(fmt::format("  n{} -> n{};", from, to));
  lines.push_back("}");
  return lines;
}

}  // namespace leat
