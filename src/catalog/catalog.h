// What has been declared: servers, relations, statements. In memory here; catalog/store.h keeps it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/type.h"
#include "func/expr.h"

namespace leat {

// OPTIONS (name 'value', …): names are unique, values as written after ${} substitution.
using Options = std::map<std::string, std::string>;

class ParsedStatement;  // sql/sql.h

struct Server {
  std::string name;
  std::string kind;     // the foreign data wrapper: file, database, stream, http
  Options options;      // url, …
  Options credentials;  // USER MAPPING: in no hash, catalog, EXPLAIN or log
};

enum class Identity : uint8_t { kNone, kAlways, kByDefault };

enum class OnError : uint8_t { kReject, kFail, kNull };

struct ColumnSpec {
  Column column;
  std::string outside_name;             // option `name`; the column's own when absent
  std::string path;                     // option `path`: '$.main.temp'
  OnError on_error = OnError::kReject;  // per column; kNull: recorded, row kept
  Options options;
  std::string comment;
  ExprPtr default_value;  // CREATE TABLE … DEFAULT; or nullptr
  std::string domain;     // whose constraints are among the table's checks; "" none
  std::string sequence;   // that serial or GENERATED … AS IDENTITY made; "" none
  Identity identity = Identity::kNone;
  // What a pipeline reads: nothing asks for the column's values, so a source may leave them null if
  // it need not look at them to know that they are right.
  bool unread = false;
};

struct CheckSpec {
  std::string name;          // "rejected_amount_requested_check", as PostgreSQL names it
  ExprPtr predicate;         // over the relation's columns; a row passes unless it is false
  std::string domain;        // whose constraint it is; "" the table's own
  bool is_not_null = false;  // of a domain
  // What PostgreSQL says of a row of `relation` that breaks it, and the SQLSTATE.
  std::string Broken(std::string_view relation) const;
  const char* sqlstate() const;
};

// CREATE DOMAIN: a type with constraints. A column of it is of the type, and has its checks.
struct Domain {
  std::string name;
  Type type;
  ExprPtr default_value;          // or nullptr
  std::vector<CheckSpec> checks;  // over the value, as column 0
};

// CREATE SEQUENCE, serial and identity columns. Where it stands is the session's to know.
struct SequenceSpec {
  std::string name;
  int64_t start = 1;
  int64_t increment = 1;
  int64_t min = 1;
  int64_t max = INT64_MAX;
  bool cycle = false;
  std::string owner;  // the table whose column made it, and with which it goes
};

// CREATE INDEX on a table that leat holds: a name, and a constraint if it is unique. What is looked
// up by is the operators' affair.
struct IndexSpec {
  std::string name;
  std::vector<int> columns;  // empty: by an expression
  bool unique = false;
};

enum class RelationKind : uint8_t {
  kTable,             // CREATE TABLE: leat itself holds the rows
  kForeign,           // CREATE FOREIGN TABLE: a source or a sink
  kView,              // CREATE VIEW: inlined
  kMaterializedView,  // a feature set
};

struct Relation {
  std::string name;
  RelationKind kind = RelationKind::kTable;
  std::vector<ColumnSpec> columns;  // empty for `()` until inferred, or until known as a sink
  bool infer_columns = false;       // declared with ()
  std::vector<CheckSpec> checks;
  std::vector<int> primary_key;
  std::string server;  // kForeign
  Options options;     // OPTIONS of a foreign table, WITH of a view
  std::string sql;     // the defining SELECT's text (views), ${} replaced
  std::shared_ptr<const ParsedStatement> definition;  // views: the statement; null: parse `sql`
  bool has_seq = true;  // its rows carry `_seq` (not a view above an aggregate, …)
  std::vector<std::vector<int>> unique_keys;  // UNIQUE (…) besides the primary key
  std::vector<IndexSpec> indexes;             // kTable
  std::string comment;
  int location = -1;  // of the statement in its file
  std::string file;

  Schema schema() const;
};

// CREATE FUNCTION … LANGUAGE sql: its SELECT stands where it is called.
struct SqlFunction {
  std::string name;
  std::vector<std::string> parameters;  // "" where there is no name
  std::vector<Type> types;
  Type result;
  bool strict = false;                          // null if an argument is
  std::shared_ptr<const ParsedStatement> body;  // one SELECT, whose $1 is the column "$1"
};

// INSERT INTO sink SELECT …: standing, named by its sink.
struct StandingInsert {
  std::string sink;
  std::vector<std::string> columns;                   // INSERT INTO sink (a, b); empty: all
  std::string sql;                                    // the SELECT's text, ${} replaced
  std::shared_ptr<const ParsedStatement> definition;  // the INSERT; null: parse `sql`
  int location = -1;
  std::string file;
};

// Names are folded by the parser (lower case unless quoted). Not thread-safe.
class Catalog {
 public:
  Status AddServer(Server server);
  Status AddRelation(Relation relation);  // 42P07 when there is one of that name
  Status AddInsert(StandingInsert insert);
  Status Drop(std::string_view relation);
  // One with the same parameters takes the other's place, if `replace` says so; else 42723.
  Status AddFunction(SqlFunction function, bool replace);
  void DropFunction(const SqlFunction* function);
  // SET name = value; what binding needs of it is the time zone of literals.
  void Set(std::string_view name, std::string value);
  // A setting's value, or its default: "UTC" for timezone, else "".
  std::string Setting(std::string_view name) const;

  // A new type, or sequence, whose name is free among its kind and the relations'; else 42710,
  // 42P07.
  Status AddEnum(std::shared_ptr<EnumType> labels);
  Status AddDomain(Domain domain);
  Status AddSequence(SequenceSpec sequence);
  void DropType(std::string_view name);
  void DropSequence(std::string_view name);
  const std::shared_ptr<EnumType>* FindEnum(std::string_view name) const;
  const Domain* FindDomain(std::string_view name) const;
  const SequenceSpec* FindSequence(std::string_view name) const;
  SequenceSpec* FindSequence(std::string_view name);
  const std::map<std::string, SequenceSpec, std::less<>>& sequences() const { return sequences_; }

  const Server* FindServer(std::string_view name) const;
  Server* FindServer(std::string_view name);
  const Relation* FindRelation(std::string_view name) const;
  Relation* FindRelation(std::string_view name);
  const std::map<std::string, Server, std::less<>>& servers() const { return servers_; }
  const std::map<std::string, Relation, std::less<>>& relations() const { return relations_; }
  const std::vector<StandingInsert>& inserts() const { return inserts_; }
  // The functions of a name, in the order of their making.
  std::vector<const SqlFunction*> FindFunctions(std::string_view name) const;

 private:
  std::map<std::string, Server, std::less<>> servers_;
  std::map<std::string, Relation, std::less<>> relations_;
  std::vector<StandingInsert> inserts_;
  std::map<std::string, std::shared_ptr<EnumType>, std::less<>> enums_;
  std::map<std::string, Domain, std::less<>> domains_;
  std::map<std::string, SequenceSpec, std::less<>> sequences_;
  std::vector<std::shared_ptr<const SqlFunction>> functions_;  // copies of a catalog share them
  std::map<std::string, std::string, std::less<>> settings_;
};

// As PostgreSQL names a table's unique constraint over these columns: "t_a_b_key".
std::string UniqueName(const Relation& relation, const std::vector<int>& columns);

// As people call it: "foreign table".
std::string_view KindName(RelationKind kind);

// The nearest of `names` by edit distance, if near enough for "Perhaps you meant".
std::optional<std::string> NearestName(std::string_view name,
                                       const std::vector<std::string>& names);

}  // namespace leat
