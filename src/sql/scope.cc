#include "sql/scope.h"

#include <algorithm>
#include <optional>

#include "base/edit_distance.h"
#include "catalog/catalog.h"
#include "sql/outer.h"

namespace leat {
namespace {

Status Ambiguous(std::string_view name, int location) {
  return SqlStatus(fmt::format("column reference \"{}\" is ambiguous", name),
                   {.sqlstate = "42702", .location = location});
}

// The visible column of this name in one query's scope, or none.
Result<const ScopeColumn*> FindBare(const Scope& scope, std::string_view name, int location) {
  const ScopeColumn* found = nullptr;
  for (const ScopeTable& table : scope.tables) {
    if (!table.columns_visible) continue;
    for (const ScopeColumn& column : table.columns) {
      if (column.name != name) continue;
      if (found != nullptr) return Ambiguous(name, location);
      found = &column;
    }
  }
  return found;
}

const ScopeTable* FindTable(const Scope& scope, std::string_view name) {
  for (const ScopeTable& table : scope.tables) {
    if (table.table_visible && table.name == name) return &table;
  }
  return nullptr;
}

ExprPtr Outer(const ExprPtr& expr, int level) {
  return ShiftColumns(expr, kOuterBase + (level - 1) * kOuterLevel);
}

// PostgreSQL's errorMissingRTE.
Status MissingTable(const Scope& scope, std::string_view name, int location) {
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    for (const ScopeTable& table : at->tables) {
      const bool hidden = table.name == name;
      if (!hidden && table.relation != name) continue;
      const auto hint =
          hidden
              ? fmt::format(
                    "There is an entry for table \"{}\", but it cannot be referenced "
                    "from this part of the query.",
                    name)
              : fmt::format("Perhaps you meant to reference the table alias \"{}\".", table.name);
      return SqlStatus(fmt::format("invalid reference to FROM-clause entry for table \"{}\"", name),
                       {.sqlstate = kUndefinedTable, .location = location, .hint = hint});
    }
  }
  return SqlStatus(fmt::format("missing FROM-clause entry for table \"{}\"", name),
                   {.sqlstate = kUndefinedTable, .location = location});
}

// PostgreSQL's searchRangeTableForCol: the nearest columns, at most two equally near.
class FuzzyColumn {
 public:
  FuzzyColumn(std::string_view table, std::string_view name) : table_(table), name_(name) {}

  void Try(const ScopeTable& table) {
    if (table.name.empty()) return;
    const size_t penalty = table_.empty() ? 0 : EditDistance(table_, table.name);
    for (const ScopeColumn& column : table.columns) {
      const size_t distance = EditDistance(column.name, name_);
      if (distance > name_.size() / 2) continue;
      Offer(distance + penalty, fmt::format("{}.{}", table.name, column.name));
    }
  }

  std::string Hint() const {
    if (names_.empty() || names_.size() > 2) return {};
    if (names_.size() == 1) {
      return fmt::format("Perhaps you meant to reference the column \"{}\".", names_[0]);
    }
    return fmt::format("Perhaps you meant to reference the column \"{}\" or the column \"{}\".",
                       names_[0], names_[1]);
  }

 private:
  void Offer(size_t distance, std::string name) {
    if (distance > best_) return;
    if (distance < best_) names_.clear();
    best_ = distance;
    names_.push_back(std::move(name));
  }

  std::string_view table_, name_;
  size_t best_ = 3;
  std::vector<std::string> names_;
};

// PostgreSQL's errorMissingColumn.
Status MissingColumn(const Scope& scope, std::string_view table, std::string_view name,
                     int location) {
  FuzzyColumn fuzzy(table, name);
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    for (const ScopeTable& candidate : at->tables) fuzzy.Try(candidate);
  }
  const auto message = table.empty() ? fmt::format("column \"{}\" does not exist", name)
                                     : fmt::format("column {}.{} does not exist", table, name);
  return SqlStatus(message,
                   {.sqlstate = kUndefinedColumn, .location = location, .hint = fuzzy.Hint()});
}

// What a scope says of a column: nullptr where it does not know the name.
Result<ExprPtr> FindColumn(const Scope& scope, std::string_view table, std::string_view name,
                           int location) {
  if (table.empty()) {
    LEAT_ASSIGN(const ScopeColumn* column, FindBare(scope, name, location));
    return column == nullptr ? ExprPtr() : column->expr;
  }
  const ScopeTable* found = FindTable(scope, table);
  if (found == nullptr) return ExprPtr();
  ExprPtr expr;
  for (const ScopeColumn& column : found->columns) {
    if (column.name != name) continue;
    if (expr) return Ambiguous(name, location);
    expr = column.expr;
  }
  if (!expr) return MissingColumn(scope, table, name, location);
  return expr;
}

}  // namespace

Result<ExprPtr> ResolveColumn(const Scope& scope, std::string_view table, std::string_view name,
                              int location) {
  int depth = 0;
  for (const Scope* at = &scope; at != nullptr; at = at->outer, ++depth) {
    LEAT_ASSIGN(ExprPtr expr, FindColumn(*at, table, name, location));
    if (!expr) continue;
    return WithLocation(depth == 0 ? expr : Outer(expr, depth), location);
  }
  bool known = table.empty();
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    known |= FindTable(*at, table) != nullptr;
  }
  return known ? MissingColumn(scope, table, name, location) : MissingTable(scope, table, location);
}

Result<const ScopeTable*> ResolveTable(const Scope& scope, std::string_view table, int location) {
  const ScopeTable* found = FindTable(scope, table);
  if (found == nullptr) return MissingTable(scope, table, location);
  return found;
}

int DepthOf(const Scope* outer) {
  int depth = 0;
  for (; outer != nullptr; outer = outer->outer) ++depth;
  return depth;
}

std::string NameOfColumn(const Scope& scope, int column) {
  for (const ScopeTable& table : scope.tables) {
    for (const ScopeColumn& candidate : table.columns) {
      if (candidate.expr->kind != ExprKind::kColumn || candidate.expr->column != column) continue;
      return table.name.empty() ? candidate.name : fmt::format("{}.{}", table.name, candidate.name);
    }
  }
  return "?column?";
}

}  // namespace leat
