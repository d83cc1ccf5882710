// Changes of the log as rows of tables.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connect/postgres/position.h"
#include "connect/postgres/slot.h"
#include "connect/postgres/table_rows.h"

namespace leat {

// Takes the messages of a stream one after another, and gives what they came to as one arrival. It
// knows the tables as they are where the log stands. Used by one thread at a time.
class Gather {
 public:
  // `catalog` answers what a table's description leaves open. REQUIRES: both outlive this.
  Gather(const std::vector<Captured>* tables, PostgresConnection* catalog, bool binary);
  ~Gather();

  // A change at a place of the log, by a transaction; of tables that are not captured nothing. What
  // `position` says was read late is left out. A description that no longer fits the foreign table
  // is an error that says what changed there, where, and what to do.
  Status Take(const PgoutputMessage& message, Lsn lsn, uint32_t transaction,
              const ReplicaPosition& position);

  bool empty() const;
  int64_t bytes() const;
  // All of it since the last time; `end` is the caller's to set.
  Result<Arrival> Finish();

 private:
  struct Table;
  Table* Find(uint32_t oid);
  Status Describe(const PgoutputRelation& relation, Lsn lsn, const ReplicaPosition& position);
  Status CheckColumns(const Table& table, const PgoutputRelation& relation, Lsn lsn,
                      const CapturedTable& captured);
  Status CheckNumbers(const Table& table, Lsn lsn, const CapturedTable& captured);
  Status Insert(const PgoutputMessage& message, Lsn lsn, Table* table);
  Status Change(const PgoutputMessage& message, Lsn lsn, Table* table);
  Status ChangeWhole(const PgoutputMessage& message, Lsn lsn, Table* table);
  Status CheckIdentity(const Table& table, const PgoutputRelation& relation, Lsn lsn) const;
  Status Truncate(const PgoutputMessage& message, uint32_t transaction,
                  const ReplicaPosition& position);
  Result<bool> IsLate(const Table& table, const std::vector<PgoutputValue>& row,
                      uint32_t transaction, const ReplicaPosition& position) const;
  Status FinishTable(Table* table);

  const std::vector<Captured>& captured_;
  PostgresTypes types_;
  PostgresConnection* const catalog_;
  const bool binary_;
  std::vector<std::unique_ptr<Table>> tables_;  // as captured_
  std::map<uint32_t, Table*> by_oid_;
  std::vector<Arrival> parts_;  // that are finished
};

}  // namespace leat
