// The statements besides SELECT. Each takes the parsed statement for its texts and places.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sql/bind.h"
#include "sql/statement.h"

namespace leat {

struct StatementContext {
  const ParsedStatement& statement;
  const Catalog& catalog;
};

// bind_ddl.cc
Result<BoundStatement> BindCreateServer(const PgQuery__CreateForeignServerStmt& stmt,
                                        const StatementContext& context);
Result<BoundStatement> BindCreateUserMapping(const PgQuery__CreateUserMappingStmt& stmt,
                                             const StatementContext& context);
Result<BoundStatement> BindImportSchema(const PgQuery__ImportForeignSchemaStmt& stmt,
                                        const StatementContext& context);
Result<BoundStatement> BindCreateForeignTable(const PgQuery__CreateForeignTableStmt& stmt,
                                              const StatementContext& context);
Result<BoundStatement> BindCreateTable(const PgQuery__CreateStmt& stmt,
                                       const StatementContext& context);
Result<BoundStatement> BindCreateView(const PgQuery__ViewStmt& stmt,
                                      const StatementContext& context);
Result<BoundStatement> BindCreateTableAs(const PgQuery__CreateTableAsStmt& stmt,
                                         const StatementContext& context);

// bind_index.cc
Result<BoundStatement> BindCreateIndex(const PgQuery__IndexStmt& stmt,
                                       const StatementContext& context);
Result<BoundStatement> BindDropIndex(const PgQuery__DropStmt& stmt,
                                     const StatementContext& context);
Result<BoundStatement> BindReindex(const PgQuery__ReindexStmt& stmt,
                                   const StatementContext& context);
Result<BoundStatement> BindVacuum(const PgQuery__VacuumStmt& stmt, const StatementContext& context);

// bind_ddl.cc
Result<BoundStatement> BindSelectInto(const PgQuery__SelectStmt& select,
                                      const StatementContext& context);

// table_builder.cc
Result<OnError> OnErrorOf(const std::string& value, int location);
// Adds the columns and constraints that CREATE TABLE (…) or ALTER TABLE ADD lists.
// `sequences`: those that serial and identity columns need.
Status AddTableElements(const StatementContext& context, Nodes elements, Relation* relation,
                        std::vector<SequenceSpec>* sequences = nullptr);
// A column's DEFAULT, as its type.
Result<ExprPtr> DefaultFor(const ExprPtr& value, const Column& column,
                           const TextSettings& settings);

// bind_alter.cc
Result<BoundStatement> BindAlterTable(const PgQuery__AlterTableStmt& stmt,
                                      const StatementContext& context);
Result<BoundStatement> BindRename(const PgQuery__RenameStmt& stmt, const StatementContext& context);

// bind_function.cc
Result<BoundStatement> BindCreateFunction(const PgQuery__CreateFunctionStmt& stmt,
                                          const StatementContext& context);
Result<BoundStatement> BindDropFunction(const PgQuery__DropStmt& stmt,
                                        const StatementContext& context);

// bind_type.cc
Result<BoundStatement> BindCreateEnum(const PgQuery__CreateEnumStmt& stmt,
                                      const StatementContext& context);
Result<BoundStatement> BindAlterEnum(const PgQuery__AlterEnumStmt& stmt,
                                     const StatementContext& context);
Result<BoundStatement> BindCreateDomain(const PgQuery__CreateDomainStmt& stmt,
                                        const StatementContext& context);
Result<BoundStatement> BindDropType(const PgQuery__DropStmt& stmt, const StatementContext& context);

// bind_sequence.cc
Result<BoundStatement> BindCreateSequence(const PgQuery__CreateSeqStmt& stmt,
                                          const StatementContext& context);
Result<BoundStatement> BindAlterSequence(const PgQuery__AlterSeqStmt& stmt,
                                         const StatementContext& context);
Result<BoundStatement> BindDropSequence(const PgQuery__DropStmt& stmt,
                                        const StatementContext& context);
// The sequence of a column that is serial, or GENERATED … AS IDENTITY with these options.
Result<SequenceSpec> SequenceFor(const std::string& table, const Column& column, Nodes options,
                                 const Catalog& catalog);
// nextval of a sequence, as the column's type.
ExprPtr NextOf(const std::string& sequence, const Type& type);
// A number is drawn where each row asks once: in rows that are inserted or updated, and in a SELECT
// without FROM. Elsewhere a statement that draws is refused.
Status CheckDraws(const BoundStatement& statement);
bool Draws(const Expr& expr);

// bind_merge.cc
Result<BoundStatement> BindMerge(const PgQuery__MergeStmt& stmt, const StatementContext& context);

// bind_prepare.cc
Result<BoundStatement> BindPrepare(const PgQuery__PrepareStmt& stmt,
                                   const StatementContext& context);
// A copy that protobuf-c may free: its trees are malloc's.
Result<Node*> CopyNode(const Node& node);
// A copy of `node` (not changed) as a statement of the same text, in which `replace` gives what
// stands in the place of parameter $n.
Result<std::shared_ptr<const ParsedStatement>> WithParameters(
    const ParsedStatement& statement, Node* node,
    const std::function<Result<Node*>(const PgQuery__ParamRef&)>& replace);

// bind_change.cc: what INSERT, UPDATE and DELETE share.
// Columns that a statement lists, with their places.
using NameList = std::vector<std::pair<std::string, int>>;
Status UndefinedColumn(std::string_view column, const Relation& relation, int location);
// The columns that an INSERT or COPY names, as places in the relation; all of them by default.
Result<std::vector<int>> NamedColumns(const NameList& names, const Relation& relation);
// What leat does not hold cannot be changed: `verb` it.
Status RefuseReadOnly(const Relation& relation, std::string_view verb, int location);
// Refuses a value for a column that is GENERATED ALWAYS AS IDENTITY.
Status CheckGiven(const ColumnSpec& spec);
ExprPtr DefaultOf(const ColumnSpec& spec);
// A table as the scope of what changes it, its columns numbered from `first`.
ScopeTable TableScope(const Relation& relation, std::string_view name, int first = 0);
// SET a = …, (b, c) = (…): the new value of each column.
Status BindAssignments(Nodes targets, const Relation& relation, const ExprContext& context,
                       Binder* binder, std::vector<ExprPtr>* values);
// RETURNING …, over `scope`'s columns.
Result<Returning> BindReturning(Nodes targets, const Scope& scope, Binder* binder);
Result<OnConflict> BindOnConflict(const PgQuery__OnConflictClause& clause, const Relation& relation,
                                  std::string_view alias, Binder* binder);

// bind_dml.cc
Result<BoundStatement> BindInsert(const PgQuery__InsertStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindUpdate(const PgQuery__UpdateStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindDelete(const PgQuery__DeleteStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindTruncate(const PgQuery__TruncateStmt& stmt,
                                    const StatementContext& context);
// bind_copy.cc
Result<BoundStatement> BindCopy(const PgQuery__CopyStmt& stmt, const StatementContext& context);
// The query of an INSERT … SELECT into a foreign table, cast to its columns where declared.
Result<Query> BindInsertSource(const PgQuery__InsertStmt& stmt, const Relation& sink,
                               const Catalog& catalog);

// bind_command.cc
Result<BoundStatement> BindComment(const PgQuery__CommentStmt& stmt,
                                   const StatementContext& context);
Result<BoundStatement> BindSet(const PgQuery__VariableSetStmt& stmt);
Result<BoundStatement> BindShow(const PgQuery__VariableShowStmt& stmt);
Result<BoundStatement> BindDrop(const PgQuery__DropStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindTransaction(const PgQuery__TransactionStmt& stmt);
Result<BoundStatement> BindExplain(const PgQuery__ExplainStmt& stmt,
                                   const StatementContext& context);

// OPTIONS (…) and WITH (…); a name twice is an error.
Result<Options> BindOptions(Nodes nodes);
// The last part of a qualified name; the schema must be public or none.
Result<std::string> RelationName(const PgQuery__RangeVar& range);

}  // namespace leat
