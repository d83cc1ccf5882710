// SQL text in, bound statements out. The only door to libpg_query; nothing outside src/sql/ sees
// its trees.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "sql/logical.h"

namespace leat {

// One statement of a script, parsed by PostgreSQL's grammar but not yet bound.
class ParsedStatement;

// ${NAME} and ${NAME:-default} inside string literals are looked up here, after parsing.
using Environment = std::map<std::string, std::string, std::less<>>;

// The statements of a text. Errors carry the location in the whole text. Words that PostgreSQL
// silently takes for aliases (ANTI, SEMI, ASOF, FINAL before JOIN) are refused with the rewrite.
Result<std::vector<std::shared_ptr<const ParsedStatement>>> ParseSql(
    std::string_view text, const Environment& environment);

// --- What a statement is, once bound against a catalog ------------------------------------------

struct CreateServer {
  Server server;
  bool if_not_exists = false;
};
struct CreateUserMapping {
  std::string server;
  Options options;
};
struct ImportSchema {  // IMPORT FOREIGN SCHEMA
  enum class Which : uint8_t { kAll, kOnly, kAllBut };
  std::string server;
  std::string schema;  // there
  Which which = Which::kAll;
  std::vector<std::string> names;  // LIMIT TO, EXCEPT
};
struct CreateRelation {
  Relation relation;
  bool if_not_exists = false;
  bool replace = false;                 // CREATE OR REPLACE VIEW
  std::vector<SequenceSpec> sequences;  // of its serial and identity columns
};                                      // table, foreign, views
struct CreateTableAs {                  // and SELECT INTO
  CreateRelation create;
  Query query;
  bool with_data = true;
};
struct CreateIndex {
  std::string table;
  IndexSpec index;
  bool exists = false;  // IF NOT EXISTS, and it does
};
struct DropIndex {
  std::vector<std::string> names;
};
struct Maintenance {  // REINDEX, ANALYZE, VACUUM: nothing to do
  std::string tag;
};
struct CreateInsert {
  StandingInsert insert;
  Query query;
};  // INSERT INTO foreign table SELECT …
// RETURNING: what a statement answers of each row that it wrote or removed. The expressions are
// over the table's columns as the row is now (of a DELETE: was), then what the query has behind
// them.
struct Returning {
  Schema schema;
  std::vector<ExprPtr> exprs;
};
// ON CONFLICT: what becomes of a row whose key is there already.
struct OnConflict {
  std::vector<std::vector<int>> keys;  // the columns of the unique constraints that count
  bool update = false;                 // DO UPDATE; else DO NOTHING
  // Over the row that is there, then the proposed one: a value per column, and the WHERE (or null).
  std::vector<ExprPtr> values;
  ExprPtr where;
};
struct InsertRows {  // INSERT INTO a local table
  std::string table;
  Query query;  // gives exactly the table's columns, defaults filled in
  // What is drawn for each row, in the query's order, in place of a column's null.
  std::vector<std::pair<int, ExprPtr>> drawn;
  std::optional<OnConflict> conflict;
  std::optional<Returning> returning;
};
// What DELETE and UPDATE choose by more than the row itself, they choose by `rows`: a query over
// RowsRelation(table), whose first column is the row's place. It may name a row more than once: the
// first counts. Behind it are columns that only RETURNING reads.
struct DeleteRows {
  std::string table;
  ExprPtr where;  // nullptr = all
  LogicalPtr rows;
  std::optional<Returning> returning;
};
struct UpdateRows {
  std::string table;
  std::vector<ExprPtr> values;  // one per column of the table, over the old row
  ExprPtr where;
  LogicalPtr rows;  // behind the place: the new values
  std::optional<Returning> returning;
};
// ALTER TABLE on a local table: what it becomes, and each of its columns over an old row.
struct AlterTable {
  std::string table;
  Relation relation;  // perhaps under another name
  std::vector<ExprPtr> columns;
};
struct CreateFunction {
  SqlFunction function;
  bool replace = false;
};
struct DropFunction {
  std::vector<const SqlFunction*> functions;  // the catalog's
};
struct CreateEnum {
  std::shared_ptr<EnumType> labels;
};
struct AlterEnum {  // ADD VALUE, or RENAME VALUE where `renamed` is a label
  std::shared_ptr<EnumType> labels;
  std::string text;
  size_t place = 0;
  std::string renamed;
  bool exists = false;  // IF NOT EXISTS, and it does
};
struct CreateDomain {
  Domain domain;
};
struct DropType {  // and DROP DOMAIN
  std::vector<std::string> names;
  std::string tag;
};
struct CreateSequence {
  SequenceSpec sequence;
  bool exists = false;  // IF NOT EXISTS, and it does
};
struct AlterSequence {
  SequenceSpec sequence;           // what it becomes
  std::optional<int64_t> restart;  // RESTART [WITH n]: what comes next
};
struct DropSequence {
  std::vector<std::string> names;
};
// PREPARE: the statement with its parameters, for FillParameters.
struct Prepare {
  std::string name;
  std::shared_ptr<const ParsedStatement> statement;
};
struct ExecutePrepared {
  std::string name;
};
struct Deallocate {
  std::string name;  // "": all
};
// The relation of a local table's rows with their places behind them, as an int8 column.
std::string RowsRelation(std::string_view table);
// The table of such a relation; "" if `relation` is none.
std::string_view TableOfRows(std::string_view relation);
struct CopyFrom {
  std::string table;
  std::vector<std::string> columns;
  Options options;
  std::string path;
};               // path empty: stdin
struct CopyTo {  // what the client gets, or a file
  Query query;
  Options options;
  std::string path;  // empty: stdout
};
// MERGE. `pairs` gives the source's rows beside those of RowsRelation(table) that match them, or
// nulls: the source's columns, the table's, the row's place. The first action whose
// `matched` and condition fit is taken.
struct MergeRows {
  enum class Kind : uint8_t { kNothing, kUpdate, kDelete, kInsert };
  struct Action {
    bool matched = false;
    Kind kind = Kind::kNothing;
    ExprPtr condition;            // over a pair, or nullptr
    std::vector<ExprPtr> values;  // the table's columns, over a pair
  };
  std::string table;
  LogicalPtr pairs;
  std::vector<Action> actions;
};
struct CommentOn {
  std::string relation;
  std::string column;
  std::string text;
};  // column may be empty
struct SetVariable {
  std::string name;
  std::string value;
};
struct ShowVariable {
  std::string name;
};
struct DropRelation {
  std::vector<std::string> names;
  std::vector<std::string> dependents;  // CASCADE: the views over them
  bool if_exists = false;
};
struct Transaction {
  std::string what;  // "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "ROLLBACK TO"
  std::string name;  // of the savepoint
};
struct Select {
  Query query;
};
struct Explain {
  enum class Format : uint8_t { kText, kMermaid, kDot };
  Query query;
  bool analyze = false;
  bool state = true;  // COSTS OFF: without what operators keep
  Format format = Format::kText;
};
struct TruncateTable {
  std::vector<std::string> tables;
  bool restart = false;  // RESTART IDENTITY
};

using BoundStatement =
    std::variant<CreateServer, CreateUserMapping, ImportSchema, CreateRelation, CreateInsert,
                 InsertRows, DeleteRows, UpdateRows, CopyFrom, CommentOn, SetVariable, ShowVariable,
                 DropRelation, Transaction, Select, Explain, TruncateTable, CreateTableAs,
                 CreateIndex, DropIndex, Maintenance, AlterTable, CreateFunction, DropFunction,
                 Prepare, ExecutePrepared, Deallocate, CreateEnum, AlterEnum, CreateDomain,
                 DropType, CreateSequence, AlterSequence, DropSequence, CopyTo, MergeRows>;

// Binds a statement against what is declared. Views are inlined; a materialized view is a kScan of
// its name. Pure: changes nothing.
Result<BoundStatement> Bind(const ParsedStatement& statement, const Catalog& catalog);

// Whether some expression of the tree draws a number from a sequence: then it is computed once.
bool DrawsNumbers(const Logical& node);

// The query of a view or of a standing insert (by its stored SQL text). For an insert, the query is
// cast and projected to the sink's columns where they are declared.
Result<Query> BindViewQuery(const Relation& view, const Catalog& catalog);
Result<Query> BindInsertQuery(const StandingInsert& insert, const Catalog& catalog);

// What EXECUTE runs: the statement that `prepare` (a PREPARE) holds, with the arguments of
// `execute` in its parameters' places.
Result<std::shared_ptr<const ParsedStatement>> FillParameters(const ParsedStatement& prepare,
                                                              const ParsedStatement& execute);

// The text of a statement, its place in the script, and whether it is a declaration: a pipeline's
// declarations may come in any order, so the caller binds them when their names are known.
std::string_view TextOf(const ParsedStatement& statement);
int LocationOf(const ParsedStatement& statement);
// Names of relations and servers that the statement refers to, and the one it defines ("" none).
std::vector<std::string> ReferencesOf(const ParsedStatement& statement);
std::string DefinedBy(const ParsedStatement& statement);

// What other statements depend on without naming it is declared before them: settings, servers,
// how to log in there, and the tables that are imported from there, in this order; then the rest.
enum class DeclarationRank : uint8_t { kSetting, kServer, kUserMapping, kImport, kRest };
DeclarationRank RankOf(const ParsedStatement& statement);

// The relation that an INSERT writes to; "" for any other statement.
std::string InsertTargetOf(const ParsedStatement& statement);

}  // namespace leat
