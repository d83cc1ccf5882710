// The slow definitions of the operators: obvious, quadratic, a row at a time over the whole present
// input. And the harness that plays random epochs through the real operator, cut anyhow, with
// restarts in between, and compares what it has said so far with what its definition says.
// Expressions in the specs are bare columns or literals. Tests only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/key.h"
#include "flow/operators.h"
#include "flow/slow_rows_test.h"

namespace leat::slow {

inline Cell ValueOf(const Expr& expr, const Row& row) {
  if (expr.kind == ExprKind::kColumn) return row.cells[static_cast<size_t>(expr.column)];
  EXPECT_EQ(expr.kind, ExprKind::kLiteral) << "slow definitions know columns and literals";
  return CellAt(*arrow::MakeArrayFromScalar(*expr.literal, 1).ValueOrDie(), 0, expr.type);
}

inline bool IsTrue(const ExprPtr& expr, const Row& row) {
  if (!expr) return true;
  const Cell cell = ValueOf(*expr, row);
  return !cell.null() && cell.integer() != 0;
}

inline std::vector<Cell> ValuesOf(const std::vector<ExprPtr>& exprs, const Row& row) {
  std::vector<Cell> cells;
  for (const ExprPtr& expr : exprs) cells.push_back(ValueOf(*expr, row));
  return cells;
}

inline bool NotDistinct(const std::vector<Cell>& a, const std::vector<Cell>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!NotDistinct(a[i], b[i])) return false;
  }
  return true;
}

// The exact bytes of a row, by which the last ties break.
inline std::string BytesOf(const Row& row, const Schema& schema) {
  std::vector<Type> types;
  for (const Column& column : schema.columns) types.push_back(column.type);
  Strings bytes;
  EXPECT_TRUE(EncodeRows(BatchOf({row}, schema).columns, types, 1, &bytes).ok());
  return std::string(bytes[0]);
}

inline int CompareKey(const SortKey& key, const Row& a, const Row& b) {
  const Cell x = ValueOf(*key.expr, a), y = ValueOf(*key.expr, b);
  if (x.null() || y.null()) {
    if (x.null() && y.null()) return 0;
    return x.null() == key.nulls_first ? -1 : 1;
  }
  const auto order = Compare(x, y);
  return order == 0 ? 0 : (order < 0) != key.descending ? -1 : 1;
}

inline bool Peers(const std::vector<SortKey>& order, const Row& a, const Row& b) {
  for (const SortKey& key : order) {
    if (CompareKey(key, a, b) != 0) return false;
  }
  return true;
}

// Sorts by `order`, then `_seq`, then the row's bytes.
inline Rows Sorted(Rows rows, const std::vector<SortKey>& order, const Schema& schema) {
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (const SortKey& key : order) {
      if (const int sign = CompareKey(key, a, b); sign != 0) return sign < 0;
    }
    if (a.seq != b.seq) return a.seq < b.seq;
    return BytesOf(a, schema) < BytesOf(b, schema);
  });
  return rows;
}

// The rows in groups of equal keys, each in arrival order.
inline std::vector<Rows> Grouped(const Rows& rows, const std::vector<ExprPtr>& keys,
                                 const Schema& schema) {
  std::vector<Rows> groups;
  for (const Row& row : Sorted(rows, {}, schema)) {
    const auto same = [&](const Rows& group) {
      return NotDistinct(ValuesOf(keys, group[0]), ValuesOf(keys, row));
    };
    const auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) {
      groups.push_back({row});
    } else {
      group->push_back(row);
    }
  }
  return groups;
}

// ---- the definitions ----------------------------------------------------------------------------

inline Rows Filter(const FilterSpec& spec, const Rows& rows) {
  Rows out;
  for (const Row& row : rows) {
    if (IsTrue(spec.predicate, row)) out.push_back(row);
  }
  return out;
}

inline Rows Project(const ProjectSpec& spec, const Rows& rows) {
  Rows out;
  for (const Row& row : rows) out.push_back({ValuesOf(spec.exprs, row), row.seq});
  return out;
}

inline Rows UnionAll(const std::vector<Rows>& inputs) {
  Rows out;
  for (const Rows& rows : inputs) out.insert(out.end(), rows.begin(), rows.end());
  return out;
}

inline std::vector<ExprPtr> AllColumns(const Schema& schema) {
  std::vector<ExprPtr> exprs;
  for (int c = 0; c < schema.size(); ++c) {
    exprs.push_back(ColumnExpr(c, schema.columns[static_cast<size_t>(c)].type));
  }
  return exprs;
}

inline Rows Distinct(const DistinctSpec& spec, const Rows& rows) {
  Rows out;
  for (const Rows& group : Grouped(rows, AllColumns(spec.input), spec.input)) {
    out.push_back({group[0].cells, std::nullopt});
  }
  return out;
}

inline Rows Top(const TopSpec& spec, const Rows& rows) {
  Rows out;
  for (const Rows& group : Grouped(rows, spec.partition, spec.input)) {
    const Rows sorted = Sorted(group, spec.order, spec.input);
    for (int64_t i = spec.offset; i < static_cast<int64_t>(sorted.size()); ++i) {
      if (spec.limit >= 0 && i >= spec.offset + spec.limit) break;
      out.push_back(sorted[static_cast<size_t>(i)]);
    }
  }
  return out;
}

// The sum of values in their order. Floats: `from_zero` as avg does it, else from the first value.
inline Cell SumOf(const std::vector<Cell>& values, bool from_zero = false) {
  if (values.empty()) return {};
  if (values[0].type == TypeId::kFloat8) {
    double sum = from_zero ? 0.0 + values[0].real() : values[0].real();
    for (size_t i = 1; i < values.size(); ++i) sum += values[i].real();
    return Cell::Of(sum);
  }
  Numeric sum = values[0].AsNumeric();
  for (size_t i = 1; i < values.size(); ++i) sum = sum + values[i].AsNumeric();
  return values[0].type == TypeId::kInt4 ? Cell::Of(sum.ToInt64().ValueOrDie()) : Cell::Of(sum);
}

inline Cell AvgOf(const std::vector<Cell>& values) {
  if (values.empty()) return {};
  const auto n = static_cast<int64_t>(values.size());
  if (values[0].type == TypeId::kFloat8) {
    return Cell::Of(SumOf(values, true).real() / static_cast<double>(n));
  }
  Numeric sum = values[0].AsNumeric();
  for (size_t i = 1; i < values.size(); ++i) sum = sum + values[i].AsNumeric();
  return Cell::Of(sum.Divide(Numeric(n)).ValueOrDie());
}

// The least (greatest) value; of equal ones the first, or the last, which PostgreSQL's
// float8smaller and numeric_smaller keep when they go through a frame.
inline Cell ExtremeOf(const std::vector<Cell>& values, bool greatest, bool last_of_equals) {
  if (values.empty()) return {};
  Cell best = values[0];
  for (const Cell& value : values) {
    const auto order = greatest ? Compare(best, value) : Compare(value, best);
    if (order < 0 || (order == 0 && last_of_equals)) best = value;
  }
  return best;
}

inline Cell AggregateOf(const AggregateCall& call, const Rows& group) {
  std::vector<Cell> values;
  for (const Row& row : group) {
    if (!IsTrue(call.filter, row)) continue;
    const Cell value = call.args.empty() ? Cell::Of(int64_t{1}) : ValueOf(*call.args[0], row);
    if (value.null()) continue;
    const bool seen = std::any_of(values.begin(), values.end(),
                                  [&](const Cell& other) { return NotDistinct(value, other); });
    if (!call.distinct || !seen) values.push_back(value);
  }
  const std::string& name = call.aggregate->name;
  if (name == "count") return Cell::Of(static_cast<int64_t>(values.size()));
  if (name == "sum") return SumOf(values);
  if (name == "avg") return AvgOf(values);
  EXPECT_TRUE(name == "min" || name == "max") << "no slow definition of " << name;
  return ExtremeOf(values, name == "max", false);
}

inline Rows Aggregate(const AggregateSpec& spec, const Rows& rows) {
  std::vector<Rows> groups = Grouped(rows, spec.keys, spec.input);
  if (spec.keys.empty() && groups.empty()) groups.emplace_back();
  Rows out;
  for (const Rows& group : groups) {
    Row row;
    if (!spec.keys.empty()) row.cells = ValuesOf(spec.keys, group[0]);
    for (const AggregateCall& call : spec.calls) row.cells.push_back(AggregateOf(call, group));
    out.push_back(std::move(row));
  }
  return out;
}

inline Row Joined(const Row& left, const Row& right) {
  Row out{left.cells, std::nullopt};
  out.cells.insert(out.cells.end(), right.cells.begin(), right.cells.end());
  return out;
}

inline bool Matches(const JoinSpec& spec, const Row& left, const Row& right) {
  for (size_t k = 0; k < spec.left_keys.size(); ++k) {
    const Cell a = ValueOf(*spec.left_keys[k], left), b = ValueOf(*spec.right_keys[k], right);
    if (a.null() || b.null() || Compare(a, b) != 0) return false;
  }
  return IsTrue(spec.residual, Joined(left, right));
}

inline Row NullRow(const Schema& schema) {
  Row row;
  for (const Column& column : schema.columns) row.cells.push_back(Cell::Null(column.type.id));
  return row;
}

inline Rows Join(const JoinSpec& spec, const Rows& left, const Rows& right) {
  Rows out;
  std::vector<bool> right_matched(right.size());
  const bool whole = spec.type != JoinType::kSemi && spec.type != JoinType::kAnti;
  for (const Row& l : left) {
    bool matched = false;
    for (size_t r = 0; r < right.size(); ++r) {
      if (!Matches(spec, l, right[r])) continue;
      matched = right_matched[r] = true;
      if (whole) out.push_back(Joined(l, right[r]));
    }
    if (matched ? spec.type == JoinType::kSemi : spec.type == JoinType::kAnti) out.push_back(l);
    if (!matched && (spec.type == JoinType::kLeft || spec.type == JoinType::kFull)) {
      out.push_back(Joined(l, NullRow(spec.right)));
    }
  }
  if (spec.type != JoinType::kRight && spec.type != JoinType::kFull) return out;
  for (size_t r = 0; r < right.size(); ++r) {
    if (!right_matched[r]) out.push_back(Joined(NullRow(spec.left), right[r]));
  }
  return out;
}

// GROUPS: the rows whose group of peers is so many before or after row i's.
inline std::pair<int64_t, int64_t> GroupFrameOf(const WindowSpec& spec, const Rows& rows,
                                                int64_t i) {
  std::vector<int64_t> group(rows.size());
  for (size_t j = 1; j < rows.size(); ++j) {
    group[j] = group[j - 1] + (Peers(spec.order, rows[j - 1], rows[j]) ? 0 : 1);
  }
  const int64_t own = group[static_cast<size_t>(i)];
  std::pair<int64_t, int64_t> frame = {0, 0};
  for (size_t j = 0; j < rows.size(); ++j) {
    const bool early =
        spec.frame.preceding != RowFrame::kUnbounded && group[j] < own - spec.frame.preceding;
    const bool late =
        spec.frame.following != RowFrame::kUnbounded && group[j] > own + spec.frame.following;
    if (early || late) continue;
    if (frame.first == frame.second) frame.first = static_cast<int64_t>(j);
    frame.second = static_cast<int64_t>(j) + 1;
  }
  return frame;
}

inline bool Excluded(const WindowSpec& spec, const Rows& rows, int64_t i, int64_t j) {
  const auto at = [&](int64_t k) -> const Row& { return rows[static_cast<size_t>(k)]; };
  switch (spec.frame.exclude) {
    case RowFrame::Exclude::kNothing:
      return false;
    case RowFrame::Exclude::kCurrentRow:
      return i == j;
    case RowFrame::Exclude::kGroup:
      return Peers(spec.order, at(i), at(j));
    case RowFrame::Exclude::kTies:
      return i != j && Peers(spec.order, at(i), at(j));
  }
  return false;
}

// The rows [begin, end) of a sorted partition that make up row i's frame, but those it excludes.
inline std::pair<int64_t, int64_t> FrameOf(const WindowSpec& spec, const Rows& rows, int64_t i) {
  const auto n = static_cast<int64_t>(rows.size());
  const RowFrame& frame = spec.frame;
  if (frame.groups) return GroupFrameOf(spec, rows, i);
  int64_t begin = frame.preceding == RowFrame::kUnbounded ? 0 : i - frame.preceding;
  int64_t end = frame.following == RowFrame::kUnbounded ? n : i + frame.following + 1;
  const auto peers = [&](int64_t a) {
    return Peers(spec.order, rows[static_cast<size_t>(a)], rows[static_cast<size_t>(i)]);
  };
  while (frame.range && frame.preceding == 0 && begin > 0 && peers(begin - 1)) --begin;
  while (frame.range && frame.following == 0 && end < n && peers(end)) ++end;
  begin = std::clamp<int64_t>(begin, 0, n);
  return {begin, std::max(begin, std::clamp<int64_t>(end, 0, n))};
}

inline Cell EmaOf(const WindowCall& call, const Rows& rows, int64_t i) {
  const auto n = static_cast<double>(ValueOf(*call.args[1], rows[0]).integer());
  Cell ema;
  for (int64_t j = 0; j <= i; ++j) {
    const Row& row = rows[static_cast<size_t>(j)];
    const Cell x = ValueOf(*call.args[0], row);
    if (x.null() || !IsTrue(call.filter, row)) continue;
    // One rounding, as the fast form: fma.
    ema = ema.null() ? x : Cell::Of(std::fma(2 / (n + 1), x.real() - ema.real(), ema.real()));
  }
  return ema;
}

inline Cell RankOf(const WindowSpec& spec, const Rows& rows, int64_t i, bool dense) {
  int64_t rank = 1, groups = 1;
  for (int64_t j = 1; j <= i; ++j) {
    if (Peers(spec.order, rows[static_cast<size_t>(j - 1)], rows[static_cast<size_t>(j)])) continue;
    rank = j + 1;
    ++groups;
  }
  return Cell::Of(dense ? groups : rank);
}

inline Cell ShiftedOf(const WindowCall& call, const Rows& rows, int64_t i) {
  const Row& row = rows[static_cast<size_t>(i)];
  const Cell by = call.args.size() > 1 ? ValueOf(*call.args[1], row) : Cell::Of(int64_t{1});
  if (by.null()) return {};
  const int64_t at = call.function == WindowFunction::kLag ? i - by.integer() : i + by.integer();
  if (at >= 0 && at < static_cast<int64_t>(rows.size())) {
    return ValueOf(*call.args[0], rows[static_cast<size_t>(at)]);
  }
  return call.args.size() > 2 ? ValueOf(*call.args[2], row) : Cell{};
}

inline Cell FrameValueOf(const WindowSpec& spec, const WindowCall& call, const Rows& rows,
                         int64_t i) {
  const auto [begin, end] = FrameOf(spec, rows, i);
  std::vector<Cell> values;
  for (int64_t j = begin; j < end; ++j) {
    const Row& row = rows[static_cast<size_t>(j)];
    if (!IsTrue(call.filter, row) || Excluded(spec, rows, i, j)) continue;
    values.push_back(call.args.empty() ? Cell::Of(int64_t{1}) : ValueOf(*call.args[0], row));
  }
  if (call.function == WindowFunction::kFirstValue) return values.empty() ? Cell{} : values.front();
  if (call.function == WindowFunction::kLastValue) return values.empty() ? Cell{} : values.back();
  std::erase_if(values, [](const Cell& cell) { return cell.null(); });
  switch (call.function) {
    case WindowFunction::kSum:
      return SumOf(values);
    case WindowFunction::kAvg:
      return AvgOf(values);
    case WindowFunction::kMin:
      return ExtremeOf(values, false, true);
    case WindowFunction::kMax:
      return ExtremeOf(values, true, true);
    default:
      return Cell::Of(static_cast<int64_t>(values.size()));
  }
}

inline Cell WindowValueOf(const WindowSpec& spec, const WindowCall& call, const Rows& rows,
                          int64_t i) {
  switch (call.function) {
    case WindowFunction::kRowNumber:
      return Cell::Of(i + 1);
    case WindowFunction::kRank:
      return RankOf(spec, rows, i, false);
    case WindowFunction::kDenseRank:
      return RankOf(spec, rows, i, true);
    case WindowFunction::kLag:
    case WindowFunction::kLead:
      return ShiftedOf(call, rows, i);
    case WindowFunction::kEma:
      return EmaOf(call, rows, i);
    default:
      return FrameValueOf(spec, call, rows, i);
  }
}

inline Rows Window(const WindowSpec& spec, const Rows& rows) {
  Rows out;
  for (const Rows& group : Grouped(rows, spec.partition, spec.input)) {
    const Rows sorted = Sorted(group, spec.order, spec.input);
    for (size_t i = 0; i < sorted.size(); ++i) {
      Row row = sorted[i];
      for (const WindowCall& call : spec.calls) {
        row.cells.push_back(WindowValueOf(spec, call, sorted, static_cast<int64_t>(i)));
      }
      out.push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace leat::slow
