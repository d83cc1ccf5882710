// A table in a database: whether it is there, its columns, how to make it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/database/connection.h"
#include "connect/sink.h"

namespace leat {

struct TableColumn {
  std::string name;
  std::string declared;  // its type there, as declared
};

// The columns in order; none if there is no such table.
Result<std::vector<TableColumn>> ColumnsOf(Connection* connection, const std::string& table);

// CREATE TABLE with declared types, the key as PRIMARY KEY (upsert), and comments: DuckDB has them,
// for SQLite they stand in the text that it keeps.
Status CreateTable(Connection* connection, const std::string& table, const SinkSpec& spec);
// Adds the columns of `spec` that `there` lacks, and checks that the others can hold theirs.
Status AddColumns(Connection* connection, const std::string& table, const SinkSpec& spec,
                  const std::vector<TableColumn>& there);

// What the database remembers of a sink, in table leat_marks.
struct TableMark {
  std::optional<Mark> mark;  // nothing before the first commit
  bool created = false;      // leat made the table
};
Status CreateMarks(Connection* connection);
Result<std::optional<TableMark>> ReadMark(Connection* connection, const std::string& table);
Status WriteMark(Connection* connection, const std::string& table, const TableMark& mark);

}  // namespace leat
