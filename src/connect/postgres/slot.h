// What a captured database has to have: tables with a key, publications that name them, a slot that
// keeps the log for us. All of it by plain SQL; nothing here reads rows.
#pragma once

#include <string>
#include <vector>

#include "connect/postgres/connection.h"
#include "connect/postgres/position.h"
#include "connect/postgres/postgres.h"
#include "connect/postgres/types.h"

namespace leat {

// A column of a table there, as the catalog has it now.
struct TableColumnThere {
  std::string name;
  CapturedColumn captured;
  bool generated = false;
  bool key = false;  // of the replica identity
};
struct TableThere {
  uint32_t oid = 0;
  char kind = 'r';      // pg_class.relkind
  char identity = 'd';  // pg_class.relreplident
  std::vector<TableColumnThere> columns;
  std::vector<uint32_t> partitions;  // and theirs

  const TableColumnThere* Find(std::string_view name) const;
};

// A foreign table and the table that it captures.
struct Captured {
  const Relation* relation = nullptr;
  PostgresTableName name;
  bool keyed() const { return !relation->primary_key.empty(); }
  // Every change is heard, and not inserts alone: by its key, or by all of its values.
  bool heard() const { return PostgresTraits(*relation).held(); }
  std::string OutsideName(size_t column) const;
};

// Fails where there is no such table, or one that cannot be captured as it is declared: a column
// that is not there or generated, a key that is not the table's replica identity.
Result<TableThere> LookUpTable(PostgresConnection* connection, const Captured& table);
// The columns that the foreign table names, in its order.
Result<CapturedTable> CapturedOf(const Captured& table, const TableThere& there);

// Names of what a pipeline has in a database: the slot's, and those of two publications, of tables
// whose changes are all heard and of the others (inserts alone, since to publish more of a table
// without a key would forbid its owner to update it).
struct SlotNames {
  std::string slot, all, append;
  bool made = true;  // by us; else the server's option `publication` names it
};
SlotNames SlotNamesOf(const Server& server);

// Makes the publications name just these tables, or checks that the user's does.
Status Publish(PostgresConnection* connection, const SlotNames& names,
               const std::vector<Captured>& tables);

struct NewSlot {
  Lsn lsn = 0;           // what is committed from here on, and nothing before, comes from the slot
  std::string snapshot;  // what was committed before, as long as `connection` does nothing else
};
// Makes the slot anew, dropping one of the same name. `connection` is for replication.
Result<NewSlot> MakeSlot(PostgresConnection* connection, PostgresConnection* sql,
                         const SlotNames& names);
// Whether the slot is still there and has all of the log from `from` on; an error that says what to
// do where it has not. (Asked for what was acknowledged, a server begins later and does not say
// so.)
Status CheckSlot(PostgresConnection* sql, const SlotNames& names, Lsn from);

struct ClusterIdentity {
  std::string system;
  int64_t timeline = 0;
  Lsn flushed = 0;  // the end of the log now
};
Result<ClusterIdentity> IdentifyCluster(PostgresConnection* replication);

// Where the log ends, and what time it is there.
struct LogEnd {
  Lsn lsn = 0;
  Micros now = 0;
};
Result<LogEnd> EndOfLog(PostgresConnection* sql);

}  // namespace leat
