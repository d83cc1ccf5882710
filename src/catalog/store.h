// The catalog as an SQLite file in the state directory, for `leat status` and other tools to read.
// Derived: a Catalog is the truth, the file is rewritten from it whole. Credentials never enter it.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace leat {

// Rewrites `path` from `catalog` in one transaction; the file is made where there is none.
Status SaveCatalog(const Catalog& catalog, const std::string& path);

struct ColumnSummary {
  std::string name;
  std::string type;  // as TypeName prints it
  bool nullable = true;
  std::string comment;
};
struct RelationSummary {
  std::string name;
  RelationKind kind = RelationKind::kTable;
  std::string server;
  std::string sql;  // a view's SELECT; a sink's, if an INSERT feeds it
  std::string comment;
  Options options;
  std::vector<ColumnSummary> columns;
};
struct ServerSummary {
  std::string name;
  std::string kind;
  Options options;
};
struct CatalogSummary {
  std::vector<ServerSummary> servers;      // by name
  std::vector<RelationSummary> relations;  // by name
};
// What SaveCatalog wrote; IOError if there is no such file.
Result<CatalogSummary> LoadSummary(const std::string& path);

}  // namespace leat
