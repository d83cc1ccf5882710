#include "catalog/store.h"

#include <sqlite3.h>

#include <algorithm>

namespace leat {
namespace {

constexpr const char* kSchema = R"(
DROP TABLE IF EXISTS leat_option;
DROP TABLE IF EXISTS leat_column;
DROP TABLE IF EXISTS leat_relation;
DROP TABLE IF EXISTS leat_server;
CREATE TABLE leat_server (name TEXT PRIMARY KEY, kind TEXT NOT NULL);
CREATE TABLE leat_relation (name TEXT PRIMARY KEY, kind TEXT NOT NULL, server TEXT NOT NULL,
  sql TEXT NOT NULL, comment TEXT NOT NULL);
CREATE TABLE leat_column (relation TEXT NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL,
  type TEXT NOT NULL, nullable INTEGER NOT NULL, comment TEXT NOT NULL,
  PRIMARY KEY (relation, place));
CREATE TABLE leat_option (owner_kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
  value TEXT NOT NULL, PRIMARY KEY (owner_kind, owner, name));
)";

// Names of options that hold secrets, whoever wrote them where they do not belong.
bool IsSecret(std::string_view name) {
  for (const std::string_view part : {"password", "secret", "token", "key_id", "access_key"}) {
    if (name.find(part) != name.npos) return true;
  }
  return false;
}

// The url without user:password@.
std::string WithoutCredentials(const std::string& value) {
  const size_t scheme = value.find("://");
  if (scheme == value.npos) return value;
  const size_t at = value.find('@', scheme + 3);
  const size_t slash = value.find('/', scheme + 3);
  if (at == value.npos || (slash != value.npos && slash < at)) return value;
  return value.substr(0, scheme + 3) + value.substr(at + 1);
}

std::string_view NameOf(RelationKind kind) {
  switch (kind) {
    case RelationKind::kTable:
      return "table";
    case RelationKind::kForeign:
      return "foreign table";
    case RelationKind::kView:
      return "view";
    case RelationKind::kMaterializedView:
      return "materialized view";
  }
  return "";
}

RelationKind KindFromName(std::string_view name) {
  for (const auto kind :
       {RelationKind::kForeign, RelationKind::kView, RelationKind::kMaterializedView}) {
    if (NameOf(kind) == name) return kind;
  }
  return RelationKind::kTable;
}

// One open SQLite file.
class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(handle_); }

  Status Open(const std::string& path, int flags) {
    if (sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr) != SQLITE_OK) return Failed(path);
    sqlite3_busy_timeout(handle_, 5000);
    return Status::OK();
  }
  Status Run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Failed(sql);
    return Status::OK();
  }
  Status Failed(std::string_view what) const {
    return IOErrorF("catalog: {}: {}", what, sqlite3_errmsg(handle_));
  }
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

// A prepared statement; its values are bound and read as text.
class Prepared {
 public:
  explicit Prepared(Database* database) : database_(*database) {}
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() { sqlite3_finalize(statement_); }

  Status Prepare(const char* sql) {
    if (sqlite3_prepare_v2(database_.handle(), sql, -1, &statement_, nullptr) != SQLITE_OK) {
      return database_.Failed(sql);
    }
    return Status::OK();
  }
  Status Insert(const std::vector<std::string>& values) {
    sqlite3_reset(statement_);
    for (size_t i = 0; i < values.size(); ++i) {
      sqlite3_bind_text(statement_, static_cast<int>(i) + 1, values[i].data(),
                        static_cast<int>(values[i].size()), SQLITE_TRANSIENT);
    }
    if (sqlite3_step(statement_) != SQLITE_DONE) return database_.Failed("insert");
    return Status::OK();
  }
  Result<bool> Next() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return database_.Failed("select");
  }
  std::string Text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes == nullptr ? "" : std::string(bytes, static_cast<size_t>(size));
  }

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

Status InsertOptions(const Options& options, const std::string& kind, const std::string& owner,
                     Prepared* insert) {
  for (const auto& [name, value] : options) {
    if (IsSecret(name)) continue;
    LEAT_RETURN(insert->Insert({kind, owner, name, WithoutCredentials(value)}));
  }
  return Status::OK();
}

std::string SqlOf(const Relation& relation, const Catalog& catalog) {
  for (const StandingInsert& insert : catalog.inserts()) {
    if (insert.sink == relation.name) return insert.sql;
  }
  return relation.sql;
}

Status Fill(const Catalog& catalog, Database* database) {
  Prepared servers(database), relations(database), columns(database), options(database);
  LEAT_RETURN(servers.Prepare("INSERT INTO leat_server VALUES (?, ?)"));
  LEAT_RETURN(relations.Prepare("INSERT INTO leat_relation VALUES (?, ?, ?, ?, ?)"));
  LEAT_RETURN(columns.Prepare("INSERT INTO leat_column VALUES (?, ?, ?, ?, ?, ?)"));
  LEAT_RETURN(options.Prepare("INSERT INTO leat_option VALUES (?, ?, ?, ?)"));
  for (const auto& [name, server] : catalog.servers()) {
    LEAT_RETURN(servers.Insert({name, server.kind}));
    LEAT_RETURN(InsertOptions(server.options, "server", name, &options));
  }
  for (const auto& [name, relation] : catalog.relations()) {
    LEAT_RETURN(relations.Insert({name, std::string(NameOf(relation.kind)), relation.server,
                                  SqlOf(relation, catalog), relation.comment}));
    LEAT_RETURN(InsertOptions(relation.options, "relation", name, &options));
    for (size_t i = 0; i < relation.columns.size(); ++i) {
      const ColumnSpec& spec = relation.columns[i];
      LEAT_RETURN(
          columns.Insert({name, std::to_string(i), spec.column.name, TypeName(spec.column.type),
                          spec.column.nullable ? "1" : "0", spec.comment}));
    }
  }
  return Status::OK();
}

Result<Options> LoadOptions(Database* database, std::string_view kind, std::string_view owner) {
  Prepared select(database);
  LEAT_RETURN(select.Prepare("SELECT owner_kind, owner, name, value FROM leat_option"));
  Options options;
  while (true) {
    LEAT_ASSIGN(bool more, select.Next());
    if (!more) return options;
    if (select.Text(0) == kind && select.Text(1) == owner) {
      options.emplace(select.Text(2), select.Text(3));
    }
  }
}

Status LoadColumns(Database* database, CatalogSummary* summary) {
  Prepared select(database);
  LEAT_RETURN(
      select.Prepare("SELECT relation, name, type, nullable, comment FROM leat_column "
                     "ORDER BY relation, place"));
  while (true) {
    LEAT_ASSIGN(bool more, select.Next());
    if (!more) return Status::OK();
    const std::string relation = select.Text(0);
    const auto found = std::find_if(summary->relations.begin(), summary->relations.end(),
                                    [&](const auto& other) { return other.name == relation; });
    if (found == summary->relations.end()) continue;
    found->columns.push_back(
        {select.Text(1), select.Text(2), select.Text(3) != "0", select.Text(4)});
  }
}

}  // namespace

Status SaveCatalog(const Catalog& catalog, const std::string& path) {
  Database database;
  LEAT_RETURN(database.Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  LEAT_RETURN(database.Run("BEGIN IMMEDIATE"));
  LEAT_RETURN(database.Run(kSchema));
  LEAT_RETURN(Fill(catalog, &database));  // closing without COMMIT rolls back
  return database.Run("COMMIT");
}

Result<CatalogSummary> LoadSummary(const std::string& path) {
  Database database;
  LEAT_RETURN(database.Open(path, SQLITE_OPEN_READONLY));
  CatalogSummary summary;
  Prepared servers(&database), relations(&database);
  LEAT_RETURN(servers.Prepare("SELECT name, kind FROM leat_server ORDER BY name"));
  LEAT_RETURN(relations.Prepare(
      "SELECT name, kind, server, sql, comment FROM leat_relation ORDER BY name"));
  while (true) {
    LEAT_ASSIGN(bool more, servers.Next());
    if (!more) break;
    ServerSummary server{servers.Text(0), servers.Text(1), {}};
    LEAT_ASSIGN(server.options, LoadOptions(&database, "server", server.name));
    summary.servers.push_back(std::move(server));
  }
  while (true) {
    LEAT_ASSIGN(bool more, relations.Next());
    if (!more) break;
    RelationSummary relation{relations.Text(0),
                             KindFromName(relations.Text(1)),
                             relations.Text(2),
                             relations.Text(3),
                             relations.Text(4),
                             {},
                             {}};
    LEAT_ASSIGN(relation.options, LoadOptions(&database, "relation", relation.name));
    summary.relations.push_back(std::move(relation));
  }
  LEAT_RETURN(LoadColumns(&database, &summary));
  return summary;
}

}  // namespace leat
