#include "sql/logical.h"

#include <xxhash.h>

#include <algorithm>

namespace leat {
namespace {

bool IsPlainName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string Quoted(std::string_view name) {
  if (IsPlainName(name)) return std::string(name);
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

// What expressions call the columns of a schema: the name, with its place where it repeats.
void AppendNames(const Schema& schema, std::vector<std::string>* names) {
  for (const Column& column : schema.columns) names->push_back(Quoted(column.name));
}

std::vector<std::string> Distinguished(std::vector<std::string> names) {
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), names[i]);
    if (last - first > 1) names[i] += fmt::format("#{}", i);
  }
  return names;
}

// The names of the columns that a node's expressions refer to: its children's, left's first.
std::vector<std::string> InputNames(const Logical& node) {
  std::vector<std::string> names;
  for (const LogicalPtr& child : node.children) AppendNames(child->schema, &names);
  return Distinguished(std::move(names));
}

using Names = std::vector<std::string>;

std::string Listed(const std::vector<ExprPtr>& exprs, const Names& names) {
  std::string text;
  for (const ExprPtr& expr : exprs) {
    if (!text.empty()) text += ", ";
    text += ToString(*expr, &names);
  }
  return text;
}

std::string Ordered(const std::vector<SortKey>& order, const Names& names) {
  std::string text;
  for (const SortKey& key : order) {
    if (!text.empty()) text += ", ";
    text += ToString(*key.expr, &names);
    if (key.descending) text += " DESC";
    if (key.nulls_first != key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return text;
}

std::string CallText(const AggregateCall& call, const Names& names) {
  std::string text = fmt::format("{}({}{})", call.aggregate->name, call.distinct ? "DISTINCT " : "",
                                 call.args.empty() ? "*" : Listed(call.args, names));
  for (size_t i = 0; i < call.order.size(); ++i) {
    const AggregateOrder& order = call.order[i];
    text += fmt::format("{}${}{}{}", i == 0 ? " ORDER BY " : ", ", order.arg + 1,
                        order.descending ? " DESC" : "",
                        order.nulls_first == order.descending ? ""
                        : order.nulls_first                   ? " NULLS FIRST"
                                                              : " NULLS LAST");
  }
  if (call.filter) text += fmt::format(" FILTER (WHERE {})", ToString(*call.filter, &names));
  return text;
}

std::string_view NameOf(WindowFunction function) {
  switch (function) {
    case WindowFunction::kSum:
      return "sum";
    case WindowFunction::kAvg:
      return "avg";
    case WindowFunction::kCount:
      return "count";
    case WindowFunction::kMin:
      return "min";
    case WindowFunction::kMax:
      return "max";
    case WindowFunction::kEma:
      return "ema";
    case WindowFunction::kSession:
      return "session";
    case WindowFunction::kRowNumber:
      return "row_number";
    case WindowFunction::kRank:
      return "rank";
    case WindowFunction::kDenseRank:
      return "dense_rank";
    case WindowFunction::kLag:
      return "lag";
    case WindowFunction::kLead:
      return "lead";
    case WindowFunction::kFirstValue:
      return "first_value";
    case WindowFunction::kLastValue:
      return "last_value";
    case WindowFunction::kNthValue:
      return "nth_value";
    case WindowFunction::kNtile:
      return "ntile";
    case WindowFunction::kPercentRank:
      return "percent_rank";
    case WindowFunction::kCumeDist:
      return "cume_dist";
    case WindowFunction::kAggregate:
      return "";
  }
  return "";
}

std::string CallText(const WindowCall& call, const Names& names) {
  const bool star = call.function == WindowFunction::kCount &&
                    call.args.size() == (call.by_value ? size_t{3} : size_t{0});
  std::vector<ExprPtr> args = call.args;
  std::vector<ExprPtr> bounds;
  if (call.by_value) {
    bounds.assign(args.end() - 2, args.end());
    args.resize(args.size() - 3);
  }
  const std::string_view name = call.aggregate ? call.aggregate->name : NameOf(call.function);
  std::string text = fmt::format("{}({})", name, star ? "*" : Listed(args, names));
  if (call.by_value) text += fmt::format(" [{}]", Listed(bounds, names));
  if (call.filter) text += fmt::format(" FILTER (WHERE {})", ToString(*call.filter, &names));
  return text;
}

std::string BoundText(int64_t rows, bool preceding) {
  const char* side = preceding ? "PRECEDING" : "FOLLOWING";
  if (rows == RowFrame::kUnbounded) return fmt::format("UNBOUNDED {}", side);
  if (rows == 0) return "CURRENT ROW";
  if (rows < 0) return fmt::format("{} {}", -rows, preceding ? "FOLLOWING" : "PRECEDING");
  return fmt::format("{} {}", rows, side);
}

std::string_view ExcludeText(RowFrame::Exclude exclude) {
  switch (exclude) {
    case RowFrame::Exclude::kNothing:
      return "";
    case RowFrame::Exclude::kCurrentRow:
      return " EXCLUDE CURRENT ROW";
    case RowFrame::Exclude::kGroup:
      return " EXCLUDE GROUP";
    case RowFrame::Exclude::kTies:
      return " EXCLUDE TIES";
  }
  return "";
}

std::string FrameText(const RowFrame& frame) {
  const auto bound = [&](int64_t rows, bool preceding) -> std::string {
    const bool value = frame.range && rows != 0 && rows != RowFrame::kUnbounded;
    return value ? "a value" : BoundText(rows, preceding);
  };
  const char* unit = frame.range ? "RANGE" : frame.groups ? "GROUPS" : "ROWS";
  return fmt::format("{} BETWEEN {} AND {}{}", unit, bound(frame.preceding, true),
                     bound(frame.following, false), ExcludeText(frame.exclude));
}

std::string_view NameOf(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return "Inner";
    case JoinType::kLeft:
      return "Left";
    case JoinType::kRight:
      return "Right";
    case JoinType::kFull:
      return "Full";
    case JoinType::kSemi:
      return "Semi";
    case JoinType::kAnti:
      return "Anti";
  }
  return "";
}

std::string Typed(const Schema& schema) {
  std::string text;
  for (const Column& column : schema.columns) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", Quoted(column.name), TypeName(column.type));
    if (!column.nullable) text += " NOT NULL";
  }
  return text;
}

std::string ScanText(const Logical& node) {
  return fmt::format("Scan {} ({})", Quoted(node.relation), Typed(node.schema));
}

std::string ValuesText(const Logical& node) {
  std::string text = fmt::format("Values ({})", Typed(node.schema));
  for (const auto& row : node.rows) text += fmt::format(" ({})", Listed(row, {}));
  return text;
}

// "expression AS name", the name left out where the expression is that column.
std::string Named(const std::string& text, const std::string& name) {
  const std::string quoted = Quoted(name);
  return text == quoted ? text : fmt::format("{} AS {}", text, quoted);
}

std::string ProjectText(const Logical& node, const Names& names) {
  std::string text;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    if (i > 0) text += ", ";
    text += Named(ToString(*node.exprs[i], &names), node.schema.columns[i].name);
  }
  return "Project " + text;
}

std::string MovingText(const Logical& node, const Names& names) {
  std::string text = "Moving";
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    text += i > 0 ? ", " : " ";
    text += Named(ToString(*node.exprs[i], &names), node.schema.columns[i].name);
  }
  if (node.residual) text += " WHERE " + ToString(*node.residual, &names);
  return text;
}

std::string AggregateText(const Logical& node, const Names& names) {
  std::string text = "Aggregate";
  for (size_t i = 0; i < node.calls.size(); ++i) {
    text += i > 0 ? ", " : " ";
    text += Named(CallText(node.calls[i], names), node.schema.columns[node.exprs.size() + i].name);
  }
  if (!node.exprs.empty()) text += " BY " + Listed(node.exprs, names);
  return text;
}

std::string JoinText(const Logical& node, const Names& names) {
  Names left;
  AppendNames(node.children[0]->schema, &left);
  const Names right(names.begin() + static_cast<ptrdiff_t>(left.size()), names.end());
  std::string text = fmt::format("{} join", NameOf(node.join));
  for (size_t i = 0; i < node.left_keys.size(); ++i) {
    const bool null_safe = i < node.null_safe.size() && node.null_safe[i];
    text += fmt::format(
        "{}{} {} {}", i > 0 ? " AND " : " on ", ToString(*node.left_keys[i], &names),
        null_safe ? "IS NOT DISTINCT FROM" : "=", ToString(*node.right_keys[i], &right));
  }
  if (node.residual) text += fmt::format(" where {}", ToString(*node.residual, &names));
  return text;
}

std::string PlaceText(const Logical& node, const Names& names) {
  std::string text;
  if (!node.exprs.empty()) text += " PARTITION BY " + Listed(node.exprs, names);
  if (!node.order.empty()) text += " ORDER BY " + Ordered(node.order, names);
  return text;
}

std::string TopText(const Logical& node, const Names& names) {
  std::string text = "Top" + PlaceText(node, names);
  if (node.limit >= 0) text += fmt::format(" LIMIT {}", node.limit);
  if (node.offset > 0) text += fmt::format(" OFFSET {}", node.offset);
  return text;
}

std::string WindowText(const Logical& node, const Names& names) {
  std::string text = "Window";
  const size_t first = node.schema.columns.size() - node.windows.size();
  for (size_t i = 0; i < node.windows.size(); ++i) {
    text += i > 0 ? ", " : " ";
    text += Named(CallText(node.windows[i], names), node.schema.columns[first + i].name);
  }
  return fmt::format("{} OVER ({} {})", text, PlaceText(node, names), FrameText(node.frame));
}

std::string NodeText(const Logical& node) {
  const Names names = InputNames(node);
  switch (node.kind) {
    case LogicalKind::kScan:
      return ScanText(node);
    case LogicalKind::kValues:
      return ValuesText(node);
    case LogicalKind::kFilter:
      return "Filter " + ToString(*node.exprs[0], &names);
    case LogicalKind::kProject:
      return ProjectText(node, names);
    case LogicalKind::kUnnest:
      return "Unnest " + Listed(node.exprs, names);
    case LogicalKind::kUnionAll:
      return "Union all";
    case LogicalKind::kDistinct:
      return "Distinct";
    case LogicalKind::kAggregate:
      return AggregateText(node, names);
    case LogicalKind::kJoin:
      return JoinText(node, names);
    case LogicalKind::kTop:
      return TopText(node, names);
    case LogicalKind::kWindow:
      return WindowText(node, names);
    case LogicalKind::kMoving:
      return MovingText(node, names);
    case LogicalKind::kRecursive:
      return fmt::format("Recursive {}{}", Quoted(node.relation), node.distinct ? " distinct" : "");
  }
  return {};
}

void Append(const Logical& node, int depth, std::string* text) {
  text->append(static_cast<size_t>(depth) * 2, ' ');
  *text += NodeText(node);
  *text += '\n';
  for (const LogicalPtr& child : node.children) Append(*child, depth + 1, text);
}

}  // namespace

std::string ToString(const Logical& node) {
  std::string text;
  Append(node, 0, &text);
  return text;
}

std::string HashOf(const Logical& node) {
  const std::string text = ToString(node);
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

bool HasSeq(const Logical& node) {
  switch (node.kind) {
    case LogicalKind::kScan:
      return node.has_seq;
    case LogicalKind::kValues:
    case LogicalKind::kDistinct:
    case LogicalKind::kAggregate:
    case LogicalKind::kJoin:
    case LogicalKind::kUnnest:
    case LogicalKind::kRecursive:
      return false;
    case LogicalKind::kFilter:
    case LogicalKind::kProject:
    case LogicalKind::kTop:
    case LogicalKind::kWindow:
    case LogicalKind::kMoving:
      return HasSeq(*node.children[0]);
    case LogicalKind::kUnionAll:
      return std::all_of(node.children.begin(), node.children.end(),
                         [](const LogicalPtr& child) { return HasSeq(*child); });
  }
  return false;
}

}  // namespace leat
