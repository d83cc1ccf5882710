#include "run/key_ranges.h"

#include <arrow/array.h>

#include "data/key.h"
#include "flow/ordered_rows.h"
#include "flow/row_errors.h"
#include "func/function.h"

namespace leat {
namespace {

bool IsInteger(TypeId id) {
  return id == TypeId::kInt2 || id == TypeId::kInt4 || id == TypeId::kInt8;
}

// Types of which what `=` holds equal has the same bytes, whatever the other side's type modifier.
bool EqualByBytes(const Type& column, const Type& value) {
  switch (column.id) {
    case TypeId::kInt2:
    case TypeId::kInt4:
    case TypeId::kInt8:
    case TypeId::kText:
    case TypeId::kDate:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return column.id == value.id;
    default:
      return false;
  }
}

// The column's side of `column = constant` without the casts that only widen integers.
const Expr* ColumnOf(const Expr& expr) {
  const Expr* inner = &expr;
  while (inner->kind == ExprKind::kCast && IsInteger(inner->type.id) &&
         IsInteger(inner->args[0]->type.id)) {
    inner = inner->args[0].get();
  }
  return inner->kind == ExprKind::kColumn ? inner : nullptr;
}

class Finder {
 public:
  Finder(const KeyOfRelation& key_of, const EvalContext& context)
      : key_of_(key_of), context_(context) {}

  std::map<std::string, KeyRange> Find(const Logical& query) {
    Visit(query);
    std::erase_if(ranges_, [&](const auto& range) { return scans_[range.first] != 1; });
    return std::move(ranges_);
  }

 private:
  void Visit(const Logical& node) {
    if (node.kind == LogicalKind::kScan) ++scans_[node.relation];
    if (node.kind == LogicalKind::kFilter && node.children[0]->kind == LogicalKind::kScan) {
      AddRange(*node.exprs[0], *node.children[0]);
    }
    for (const LogicalPtr& child : node.children) Visit(*child);
  }

  void AddRange(const Expr& condition, const Logical& scan) {
    const std::vector<int>* const key = key_of_(scan.relation);
    if (key == nullptr) return;
    std::map<int, ExprPtr> equal;  // by the relation's column
    Collect(condition, scan, &equal);
    std::string prefix;
    for (const int column : *key) {
      const auto found = equal.find(column);
      if (found == equal.end() || !Append(*found->second, types_[column], &prefix)) break;
    }
    if (!prefix.empty()) ranges_[scan.relation] = {prefix, PrefixEnd(prefix)};
  }

  void Collect(const Expr& condition, const Logical& scan, std::map<int, ExprPtr>* equal) {
    if (condition.kind == ExprKind::kAnd) {
      for (const ExprPtr& arg : condition.args) Collect(*arg, scan, equal);
      return;
    }
    if (condition.kind != ExprKind::kCall || condition.function->name != "=") return;
    for (const size_t side : {size_t{0}, size_t{1}}) {
      const Expr* const column = ColumnOf(*condition.args[side]);
      const ExprPtr& value = condition.args[1 - side];
      if (column == nullptr || !IsConstant(*value)) continue;
      const int at = scan.columns[static_cast<size_t>(column->column)];
      types_[at] = column->type;
      equal->emplace(at, value);
    }
  }

  // Appends the bytes of a constant as the column's; false where they would not be the same.
  bool Append(const Expr& value, const Type& column, std::string* prefix) const {
    ErrorMask errors(1);
    const auto evaluated = EvaluateColumn(value, Batch{.rows = 1}, context_, &errors);
    if (!evaluated.ok() || errors.any() || (*evaluated)->IsNull(0)) return false;
    std::shared_ptr<arrow::Array> array = *evaluated;
    if (IsInteger(column.id) && IsInteger(value.type.id) && column.id != value.type.id) {
      const ExprPtr cast = CastExpr(LiteralExpr(*array->GetScalar(0), value.type), column);
      const auto narrowed = EvaluateColumn(*cast, Batch{.rows = 1}, context_, &errors);
      if (!narrowed.ok() || errors.any()) return false;
      array = *narrowed;
    } else if (!EqualByBytes(column, value.type)) {
      return false;
    }
    Strings bytes;
    if (!KeyEncoder({{.type = column}}).Encode({array}, 1, &bytes).ok()) return false;
    prefix->append(bytes[0]);
    return true;
  }

  const KeyOfRelation& key_of_;
  const EvalContext& context_;
  std::map<std::string, int> scans_;
  std::map<int, Type> types_;
  std::map<std::string, KeyRange> ranges_;
};

}  // namespace

std::map<std::string, KeyRange> KeyRangesOf(const Logical& query, const KeyOfRelation& key_of,
                                            const EvalContext& context) {
  return Finder(key_of, context).Find(query);
}

}  // namespace leat
