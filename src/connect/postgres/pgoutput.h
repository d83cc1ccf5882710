// Messages of PostgreSQL's logical replication, as the output plugin pgoutput writes them
// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html), protocol 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "connect/postgres/types.h"

namespace leat {

// A place in the write-ahead log, in bytes.
using Lsn = uint64_t;
std::string LsnText(Lsn lsn);  // "16/B374D848"
bool ParseLsn(std::string_view text, Lsn* lsn);

struct PgoutputValue {
  enum class Kind : uint8_t { kNull, kUnchanged, kText, kBinary };
  Kind kind = Kind::kNull;
  std::string_view bytes;  // within the message
};

struct PgoutputColumn {
  std::string name;
  PostgresType type;
  bool key = false;
  bool operator==(const PgoutputColumn&) const = default;
};

// What a table looks like where the log stands.
struct PgoutputRelation {
  uint32_t oid = 0;
  std::string schema, table;
  char identity = 'd';  // default, n(othing), f(ull), i(ndex)
  std::vector<PgoutputColumn> columns;
  bool operator==(const PgoutputRelation&) const = default;
};

struct PgoutputMessage {
  enum class Kind : uint8_t {
    kBegin,
    kCommit,
    kRelation,
    kInsert,
    kUpdate,
    kDelete,
    kTruncate,
    kOther,  // types, origins, logical messages: of no consequence
  };
  Kind kind = Kind::kOther;
  Lsn lsn = 0;                 // kBegin: where the commit is; kCommit: what is behind it
  Micros committed_at = 0;     // kBegin, kCommit; since 1970
  uint32_t transaction = 0;    // kBegin
  uint32_t relation = 0;       // of a change
  PgoutputRelation described;  // kRelation
  // kUpdate, kDelete: the old row, as far as it is sent: all of it (REPLICA IDENTITY FULL), or its
  // key columns alone, the others null. An update that leaves the key alone sends none.
  bool has_before = false;
  bool before_is_whole = false;
  std::vector<PgoutputValue> before, after;
  std::vector<uint32_t> truncated;
};

// Reads one message; false where it is malformed. The values are valid as long as the bytes. What
// is not of this kind of message is left as it was.
bool ReadPgoutput(std::string_view bytes, PgoutputMessage* message);

}  // namespace leat
