// The rows of captured tables as they are at one moment, chunk by chunk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/postgres/slot.h"
#include "connect/postgres/table_rows.h"

namespace leat {

// Reads a table by COPY in binary form, in the order of its key, so that a chunk says where the
// next one begins. Used by one thread at a time; after an error it may only be destroyed.
class SnapshotReader {
 public:
  // Of the moment that a slot's creation exported; "": of now.
  static Result<std::unique_ptr<SnapshotReader>> Open(std::unique_ptr<PostgresConnection> sql,
                                                      const std::string& exported);

  // pg_current_snapshot() of the moment, and a place in the log before which all lies that it sees.
  const std::string& snapshot() const { return snapshot_; }
  Lsn until() const { return until_; }

  // Begins to read a table: rows with keys greater than `after` (texts; none: all).
  Status Begin(const Captured& table, const std::vector<WireColumn>& columns,
               const std::vector<std::string>& after);
  bool reading() const { return reading_ != nullptr; }
  // About so many more bytes of rows, as they came. False: these were the table's last.
  Result<bool> Next(int64_t bytes_max, std::string* bytes);

 private:
  explicit SnapshotReader(std::unique_ptr<PostgresConnection> sql) : sql_(std::move(sql)) {}

  std::unique_ptr<PostgresConnection> sql_;
  std::string snapshot_;
  Lsn until_ = 0;
  const Captured* reading_ = nullptr;
};

// Gathers rows as the reader gave them; false where they are malformed.
bool AddCopiedRows(std::string_view bytes, size_t columns, Lsn lsn, TableRows* rows);

// The types in which a table's columns are asked for in a snapshot: all in binary form, by casts
// where we do not read a type's own.
Result<std::vector<WireColumn>> SnapshotColumns(PostgresTypes* types, const CapturedTable& table);

}  // namespace leat
