// What names mean in a query: the tables of its FROM and their columns, and those of the query
// around it.
#pragma once

#include <string>
#include <vector>

#include "sql/build.h"

namespace leat {

struct ScopeColumn {
  std::string name;
  ExprPtr expr;  // over the row of the FROM
  bool nullable = true;
};

struct ScopeTable {
  std::string name;      // the alias, or the relation's name; "" for a join or VALUES without one
  std::string relation;  // where an alias hides it, for the hint
  std::vector<ScopeColumn> columns;
  std::vector<int> key;         // the columns of its primary key, if it is a table with one
  bool columns_visible = true;  // by their bare names; not below JOIN … USING
  bool table_visible = true;    // as name.column; not below a join with an alias
};

struct Scope {
  std::vector<ScopeTable> tables;
  const Scope* outer = nullptr;
};

// What `name` or `table.name` is here. A column of the query around comes back with kOuterBase
// added to its columns, of one further out with a kOuterLevel more for each (sql/outer.h). Errors
// are PostgreSQL's, with its hints.
Result<ExprPtr> ResolveColumn(const Scope& scope, std::string_view table, std::string_view name,
                              int location);
// The table of this name, for `table.*`.
Result<const ScopeTable*> ResolveTable(const Scope& scope, std::string_view table, int location);
// How many queries stand around one whose scope's `outer` is this.
int DepthOf(const Scope* outer);
// "table.column", as errors call a column of the FROM's row.
std::string NameOfColumn(const Scope& scope, int column);

}  // namespace leat
