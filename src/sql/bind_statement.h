// The statements besides SELECT. Each takes the parsed statement for its texts and places.
#pragma once

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

// bind_dml.cc
Result<BoundStatement> BindInsert(const PgQuery__InsertStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindUpdate(const PgQuery__UpdateStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindDelete(const PgQuery__DeleteStmt& stmt, const StatementContext& context);
Result<BoundStatement> BindTruncate(const PgQuery__TruncateStmt& stmt,
                                    const StatementContext& context);
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
