// How far a database was captured: a replica's offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connect/postgres/pgoutput.h"

namespace leat {

// A column as it was when its table was first read: dropped and made anew, it is another.
struct CapturedColumn {
  int64_t number = 0;  // pg_attribute.attnum
  PostgresType type;
  bool operator==(const CapturedColumn&) const = default;
};
struct CapturedTable {
  uint32_t oid = 0;
  std::vector<CapturedColumn> columns;  // in the order of the foreign table's
  // That are known of, ascending: one that is detached or dropped takes rows along, and no log says
  // so.
  std::vector<uint32_t> partitions;
  bool operator==(const CapturedTable&) const = default;
};

// Rows that were read at a later moment than the slot's beginning, since a snapshot was gone on
// with: what their transactions say again on the way there is not to be heard twice.
struct RowsReadLater {
  int64_t table = 0;
  std::string after;     // rows with greater keys (data/key.h); "": all
  std::string snapshot;  // pg_current_snapshot() when they were read: "xmin:xmax:xip,xip"
  Lsn until = 0;         // from here on every transaction is a new one
  bool operator==(const RowsReadLater&) const = default;
};

struct ReplicaPosition {
  std::string system;  // the cluster's identifier
  int64_t timeline = 0;
  std::string slot;
  // Every transaction that ends up to here was read, and so many changes of the next one.
  Lsn lsn = 0;
  int64_t changes = 0;
  // While the snapshot is read, at `lsn`: the table whose turn it is, the chunks so far, and the
  // key of the last row as texts.
  bool streams = false;
  int64_t table = 0;
  int64_t chunks = 0;
  std::vector<std::string> key;
  std::vector<CapturedTable> tables;
  std::vector<RowsReadLater> late;

  bool begun() const { return !slot.empty(); }
  bool operator==(const ReplicaPosition&) const = default;
};

// Canonical JSON, and back. "" is the beginning.
std::string EncodeReplicaPosition(const ReplicaPosition& position);
Result<ReplicaPosition> DecodeReplicaPosition(std::string_view text);

// Whether a transaction had ended when the snapshot was taken.
bool IsVisible(std::string_view snapshot, uint32_t transaction);

}  // namespace leat
