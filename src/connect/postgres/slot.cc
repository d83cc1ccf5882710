#include "connect/postgres/slot.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "connect/options.h"

namespace leat {
namespace {

// A walsender of a process that died a moment ago still holds its slot.
constexpr auto kReleaseMax = std::chrono::seconds(10);
constexpr auto kReleasePause = std::chrono::milliseconds(50);

constexpr int kVersionFailover = 170000;       // slots that standbys have, too
constexpr int kVersionPartitionRoot = 130000;  // publish_via_partition_root

std::string SqlStateOf(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return error == nullptr ? "" : error->sqlstate;
}

Status Refuse(const Captured& table, std::string what, std::string hint) {
  return SqlStatus(fmt::format("table \"{}\" cannot be captured as \"{}\": {}", table.name.text(),
                               table.relation->name, what),
                   {.sqlstate = "55000", .location = table.relation->location, .hint = hint});
}

Status CheckColumns(const Captured& table, const TableThere& there) {
  for (size_t i = 0; i < table.relation->columns.size(); ++i) {
    const std::string name = table.OutsideName(i);
    const TableColumnThere* const column = there.Find(name);
    if (column == nullptr) {
      std::vector<std::string> names;
      for (const auto& other : there.columns) names.push_back(other.name);
      const auto nearest = NearestName(name, names);
      return Refuse(table, fmt::format("it has no column \"{}\"", name),
                    nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest)
                            : "OPTIONS (name '…') says what a column is called there.");
    }
    if (column->generated) {
      return Refuse(
          table,
          fmt::format("column \"{}\" is generated, and generated columns are not sent", name),
          "Leave it out, and compute it in a view.");
    }
  }
  return Status::OK();
}

// Changes name rows by the replica identity: it has to be the key that the foreign table declares.
Status CheckKey(const Captured& table, const TableThere& there) {
  const Relation& relation = *table.relation;
  if (!table.heard() || there.identity == 'f') return Status::OK();
  if (!table.keyed()) {
    return Refuse(table, "it is declared without a PRIMARY KEY",
                  fmt::format("Declare the key by which its changes name rows: PRIMARY KEY (…). "
                              "Where it has none: ALTER TABLE {} REPLICA IDENTITY FULL. If rows "
                              "are only ever inserted: OPTIONS (changes 'insert').",
                              table.name.quoted()));
  }
  const auto is_key = [&](const TableColumnThere& column) {
    for (const int at : relation.primary_key) {
      if (table.OutsideName(static_cast<size_t>(at)) == column.name) return true;
    }
    return false;
  };
  size_t keys = 0;
  std::vector<std::string> names;
  for (const TableColumnThere& column : there.columns) {
    if (!column.key) continue;
    names.push_back(column.name);
    keys += is_key(column) ? 1 : 0;
  }
  if (names.empty()) {
    return Refuse(table,
                  "it has no replica identity: its changes do not say which rows they are of",
                  fmt::format("ALTER TABLE {} ADD PRIMARY KEY (…), or REPLICA IDENTITY USING INDEX "
                              "…, or FULL.",
                              table.name.quoted()));
  }
  if (keys == names.size() && keys == relation.primary_key.size()) return Status::OK();
  return Refuse(table, "its replica identity is another key",
                fmt::format("Declare PRIMARY KEY ({}).", fmt::join(names, ", ")));
}

Result<std::vector<uint32_t>> PartitionsOf(PostgresConnection* connection, const Captured& table,
                                           uint32_t oid) {
  LEAT_ASSIGN(
      const PostgresRows rows,
      connection->Query("SELECT relid::oid FROM pg_catalog.pg_partition_tree($1::oid) WHERE "
                        "level > 0 ORDER BY 1",
                        fmt::format("look up partitions of \"{}\"", table.name.text()),
                        {std::to_string(oid)}));
  std::vector<uint32_t> partitions;
  for (int row = 0; row < rows.rows(); ++row) {
    partitions.push_back(static_cast<uint32_t>(rows.Integer(row, 0)));
  }
  return partitions;
}

std::string QuotedTables(const std::vector<Captured>& tables, bool heard) {
  std::vector<std::string> names;
  for (const Captured& table : tables) {
    if (table.heard() == heard) names.push_back(table.name.quoted());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

Status MakePublication(PostgresConnection* connection, const std::string& name,
                       const std::string& tables, std::string_view operations) {
  const std::string quoted = QuotePostgresName(name);
  LEAT_ASSIGN(const PostgresRows there,
              connection->Query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1",
                                "look up a publication", {name}));
  if (tables.empty()) {
    if (there.rows() == 0) return Status::OK();
    return connection->Execute("DROP PUBLICATION " + quoted, "drop a publication");
  }
  std::string with = fmt::format("publish = '{}'", operations);
  if (connection->server_version() >= kVersionPartitionRoot) {
    with += ", publish_via_partition_root = true";
  }
  if (there.rows() == 0) {
    return connection->Execute(
        fmt::format("CREATE PUBLICATION {} FOR TABLE {} WITH ({})", quoted, tables, with),
        fmt::format("create publication {}", quoted));
  }
  LEAT_RETURN(connection->Execute(fmt::format("ALTER PUBLICATION {} SET TABLE {}", quoted, tables),
                                  fmt::format("alter publication {}", quoted)));
  return connection->Execute(fmt::format("ALTER PUBLICATION {} SET ({})", quoted, with),
                             fmt::format("alter publication {}", quoted));
}

}  // namespace

const TableColumnThere* TableThere::Find(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const auto& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string Captured::OutsideName(size_t column) const {
  const ColumnSpec& spec = relation->columns[column];
  return spec.outside_name.empty() ? spec.column.name : spec.outside_name;
}

Result<TableThere> LookUpTable(PostgresConnection* connection, const Captured& table) {
  LEAT_ASSIGN(
      const PostgresRows rows,
      connection->Query(
          "SELECT c.oid, c.relkind, c.relreplident, a.attname, a.attnum, a.atttypid, a.atttypmod, "
          "a.attgenerated <> '', coalesce(a.attnum = ANY (i.indkey), false), "
          "pg_catalog.has_any_column_privilege(c.oid, 'SELECT') "
          "FROM pg_catalog.pg_class c "
          "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
          "LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND CASE c.relreplident "
          "WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END "
          "JOIN pg_catalog.pg_attribute a "
          "ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
          "WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum",
          fmt::format("look up table \"{}\"", table.name.text()),
          {table.name.schema, table.name.table}));
  if (rows.rows() == 0) {
    return SqlStatus(fmt::format("relation \"{}\" does not exist in \"{}\"", table.name.text(),
                                 connection->place()),
                     {.sqlstate = kUndefinedTable, .location = table.relation->location});
  }
  TableThere there{.oid = static_cast<uint32_t>(rows.Integer(0, 0)),
                   .kind = rows.Text(0, 1)[0],
                   .identity = rows.Text(0, 2)[0]};
  for (int row = 0; row < rows.rows(); ++row) {
    there.columns.push_back(
        {.name = std::string(rows.Text(row, 3)),
         .captured = {.number = rows.Integer(row, 4),
                      .type = {.oid = static_cast<uint32_t>(rows.Integer(row, 5)),
                               .modifier = static_cast<int32_t>(rows.Integer(row, 6))}},
         .generated = rows.Bool(row, 7),
         .key = rows.Bool(row, 8)});
  }
  if (!rows.Bool(0, 9)) {  // to be known before a slot is made
    return SqlStatus(fmt::format("permission denied for table \"{}\" in \"{}\"", table.name.text(),
                                 connection->place()),
                     {.sqlstate = "42501",
                      .location = table.relation->location,
                      .hint = fmt::format("GRANT SELECT ON {} TO the role.", table.name.quoted())});
  }
  if (there.kind != 'r' && there.kind != 'p') {
    return Refuse(table, "it is no table",
                  "Views and foreign tables have no changes of their own.");
  }
  LEAT_RETURN(CheckColumns(table, there));
  LEAT_RETURN(CheckKey(table, there));
  if (there.kind == 'p') {
    LEAT_ASSIGN(there.partitions, PartitionsOf(connection, table, there.oid));
  }
  return there;
}

Result<CapturedTable> CapturedOf(const Captured& table, const TableThere& there) {
  CapturedTable captured{.oid = there.oid, .partitions = there.partitions};
  for (size_t i = 0; i < table.relation->columns.size(); ++i) {
    captured.columns.push_back(there.Find(table.OutsideName(i))->captured);
  }
  return captured;
}

SlotNames SlotNamesOf(const Server& server) {
  SlotNames names;
  names.slot = OptionOr(server.options, "slot", "leat");
  const std::string publication = OptionOr(server.options, "publication", "");
  names.made = publication.empty();
  names.all = names.made ? names.slot : publication;
  names.append = names.made ? names.slot + "_inserts" : "";
  return names;
}

Status Publish(PostgresConnection* connection, const SlotNames& names,
               const std::vector<Captured>& tables) {
  if (names.made) {
    LEAT_RETURN(MakePublication(connection, names.all, QuotedTables(tables, true),
                                "insert, update, delete, truncate"));
    return MakePublication(connection, names.append, QuotedTables(tables, false), "insert");
  }
  for (const Captured& table : tables) {
    LEAT_ASSIGN(const PostgresRows rows,
                connection->Query("SELECT 1 FROM pg_catalog.pg_publication_tables WHERE pubname = "
                                  "$1 AND schemaname = $2 AND tablename = $3",
                                  "look up a publication",
                                  {names.all, table.name.schema, table.name.table}));
    if (rows.rows() > 0) continue;
    return Refuse(table, fmt::format("publication \"{}\" does not have it", names.all),
                  fmt::format("ALTER PUBLICATION {} ADD TABLE {}.", QuotePostgresName(names.all),
                              table.name.quoted()));
  }
  return Status::OK();
}

Result<NewSlot> MakeSlot(PostgresConnection* connection, PostgresConnection* sql,
                         const SlotNames& names) {
  const auto until = std::chrono::steady_clock::now() + kReleaseMax;
  while (true) {
    const auto dropped = sql->Query(
        "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
        "pg_catalog.pg_replication_slots WHERE slot_name = $1",
        fmt::format("drop replication slot \"{}\"", names.slot), {names.slot});
    if (dropped.ok()) break;
    const bool in_use = SqlStateOf(dropped.status()) == "55006";
    if (!in_use || std::chrono::steady_clock::now() > until) return dropped.status();
    std::this_thread::sleep_for(kReleasePause);
  }
  const std::string quoted = QuotePostgresName(names.slot);
  const std::string command =
      connection->server_version() >= kVersionFailover
          ? fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER)",
                        quoted)
          : fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT", quoted);
  LEAT_ASSIGN(const PostgresRows rows,
              connection->Query(command, fmt::format("create replication slot {}", quoted)));
  NewSlot slot{.snapshot = std::string(rows.Text(0, 2))};
  if (!ParseLsn(rows.Text(0, 1), &slot.lsn)) {
    return IOErrorF("\"{}\" made a slot at no place: {}", connection->place(), rows.Text(0, 1));
  }
  return slot;
}

Status CheckSlot(PostgresConnection* sql, const SlotNames& names, Lsn from) {
  // Version 12 has no wal_status: it keeps all of the log.
  LEAT_ASSIGN(const PostgresRows rows,
              sql->Query("SELECT pg_catalog.to_jsonb(s) ->> 'wal_status', confirmed_flush_lsn FROM "
                         "pg_catalog.pg_replication_slots s WHERE slot_name = $1 AND database = "
                         "pg_catalog.current_database()",
                         "look up a replication slot", {names.slot}));
  constexpr const char* kHint =
      "`leat replay PIPELINE TABLE`, of any table of the server, reads all of its tables anew, and "
      "the sinks get only what differs.";
  const bool lost = rows.rows() > 0 && rows.Text(0, 0) == "lost";
  Lsn kept = 0;
  if (rows.rows() > 0 && !lost) {
    if (!ParseLsn(rows.Text(0, 1), &kept) || kept <= from) return Status::OK();
    return SqlStatus(
        fmt::format("replication slot \"{}\" in \"{}\" has the log from {} on, and the state "
                    "stands at {}",
                    names.slot, sql->place(), LsnText(kept), LsnText(from)),
        {.sqlstate = "55000",
         .detail = "The state is an older one (a backup, a copy), or somebody else read from the "
                   "slot, or made it anew.",
         .hint = kHint});
  }
  return SqlStatus(
      fmt::format("replication slot \"{}\" {} in \"{}\": what was changed there since then is not "
                  "to be had any more",
                  names.slot, lost ? "was invalidated" : "is gone", sql->place()),
      {.sqlstate = lost ? "55000" : "42704",
       .detail = lost ? "The server dropped its part of the log: max_slot_wal_keep_size is less "
                        "than what was written while nobody read."
                      : "",
       .hint = kHint});
}

Result<ClusterIdentity> IdentifyCluster(PostgresConnection* replication) {
  LEAT_ASSIGN(const PostgresRows rows,
              replication->Query("IDENTIFY_SYSTEM", "identify the cluster"));
  ClusterIdentity identity{.system = std::string(rows.Text(0, 0)), .timeline = rows.Integer(0, 1)};
  if (!ParseLsn(rows.Text(0, 2), &identity.flushed)) {
    return IOErrorF("\"{}\" does not say where its log ends", replication->place());
  }
  return identity;
}

Result<LogEnd> EndOfLog(PostgresConnection* sql) {
  LEAT_ASSIGN(const PostgresRows rows,
              sql->Query("SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
                         "THEN pg_catalog.pg_last_wal_receive_lsn() "
                         "ELSE pg_catalog.pg_current_wal_flush_lsn() END, "
                         "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint",
                         "look for the end of the log"));
  LogEnd end{.now = rows.Integer(0, 1)};
  if (!ParseLsn(rows.Text(0, 0), &end.lsn)) {
    return IOErrorF("\"{}\" does not say where its log ends", sql->place());
  }
  return end;
}

Result<std::vector<std::string>> DropPostgresSlot(const Server& server) {
  const SlotNames names = SlotNamesOf(server);
  LEAT_ASSIGN(const auto sql, PostgresConnection::Open(server));
  std::vector<std::string> dropped;
  LEAT_ASSIGN(const PostgresRows slots,
              sql->Query("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
                         "pg_catalog.pg_replication_slots WHERE slot_name = $1",
                         fmt::format("drop replication slot \"{}\"", names.slot), {names.slot}));
  if (slots.rows() > 0) dropped.push_back(fmt::format("replication slot \"{}\"", names.slot));
  if (!names.made) return dropped;
  for (const std::string& name : {names.all, names.append}) {
    LEAT_ASSIGN(const PostgresRows there,
                sql->Query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1",
                           "look up a publication", {name}));
    if (there.rows() == 0) continue;
    LEAT_RETURN(sql->Execute("DROP PUBLICATION " + QuotePostgresName(name),
                             fmt::format("drop publication \"{}\"", name)));
    dropped.push_back(fmt::format("publication \"{}\"", name));
  }
  return dropped;
}

}  // namespace leat
