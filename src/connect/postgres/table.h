// A table of a PostgreSQL database: what is there, how it is made, what it remembers of a sink.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect/postgres/connection.h"
#include "connect/postgres/copy_encoder.h"
#include "connect/postgres/types.h"
#include "connect/sink.h"

namespace leat {

struct PostgresColumn {
  std::string name;
  std::string declared;      // its type there, as format_type prints it
  PostgresMeaning meaning;   // what it is for us
  uint32_t element_oid = 0;  // of an array: its elements' type there
  bool not_null = false;
  bool generated = false;  // nobody can write it
  int64_t key_place = 0;   // in the primary key, from 1; 0: not in it
  std::string comment;
};

struct PostgresTable {
  PostgresTableName name;
  uint32_t oid = 0;  // a table that is dropped and made again has another
  std::string comment;
  std::vector<PostgresColumn> columns;

  const PostgresColumn* Find(std::string_view column) const;
};

// The table, view or partitioned table of that name; nothing if there is none that can be seen.
Result<std::optional<PostgresTable>> DescribeTable(PostgresConnection* connection,
                                                   const PostgresTableName& name);
// `relation "x" does not exist` there, with the nearest name of its schema.
Status NoSuchTable(PostgresConnection* connection, const PostgresTableName& name, int location);

// The column there as binary COPY fills it with values of `column`; an error where not every value
// would arrive as it is.
Result<CopyColumn> CopyColumnFor(const PostgresTable& table, const PostgresColumn& there,
                                 const Column& column);

// CREATE TABLE with declared types, the key (upsert), and comments.
Status CreateTable(PostgresConnection* connection, const PostgresTableName& name,
                   const SinkSpec& spec);
// Adds the columns of `spec` that the table lacks; true if there were some.
Result<bool> AddColumns(PostgresConnection* connection, const PostgresTable& there,
                        const SinkSpec& spec);

// What the database remembers of a sink: a row of the table leat_marks, in the target's schema.
struct PostgresMark {
  std::optional<Mark> mark;  // nothing before the first commit
  bool created = false;      // leat made the table
  uint32_t relation = 0;     // the table's OID: another table of that name has no mark
};
// Makes the table of marks if it is not there. Inside a transaction.
Status CreateMarks(PostgresConnection* connection, const PostgresTableName& target);
Result<std::optional<PostgresMark>> ReadMark(PostgresConnection* connection,
                                             const PostgresTableName& target);
// Makes or replaces the row.
Status WriteMark(PostgresConnection* connection, const PostgresTableName& target,
                 const PostgresMark& mark);
// Moves the mark from `before` to `after`, as part of the transaction that writes the rows.
// Somebody else having moved it is an IOError: another writer, or a commit of ours that was
// believed lost.
Status AdvanceMark(PostgresConnection* connection, const PostgresTableName& target,
                   const std::optional<Mark>& before, const Mark& after);
Status RemoveMark(PostgresConnection* connection, const PostgresTableName& target);

}  // namespace leat
