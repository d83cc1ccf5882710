#include "connect/postgres/gather.h"

#include <arrow/array.h>

#include <algorithm>

#include "data/key.h"

namespace leat {
namespace {

using Kind = PgoutputValue::Kind;

Status Malformed(Lsn lsn) {
  return IOErrorF("the replication stream has a malformed message at {}", LsnText(lsn));
}

Status Changed(const Captured& table, Lsn lsn, std::string what, std::string hint) {
  return SqlStatus(
      fmt::format("table \"{}\" was changed at {}: {}", table.name.text(), LsnText(lsn), what),
      {.sqlstate = "55000", .location = table.relation->location, .hint = std::move(hint)});
}

std::string ReadAnew(const Captured& table) {
  return fmt::format(
      "`leat replay PIPELINE {}` reads it anew, and the sinks get only what differs.",
      table.relation->name);
}

}  // namespace

struct Gather::Table {
  Table(const Captured& table, size_t at)
      : captured(table), index(at), rows(*table.relation, table.name.text()) {}

  const Captured& captured;
  const size_t index;
  TableRows rows;
  PgoutputRelation described;
  std::vector<size_t> wire;       // by column: which of a row's values
  std::vector<WireColumn> types;  // by column

  // False: it is no value that could be there.
  bool Add(size_t column, const PgoutputValue& value) {
    if (value.kind == Kind::kUnchanged) return false;
    if (value.kind == Kind::kNull) {
      rows.Null(column);
      return true;
    }
    return (value.kind == Kind::kBinary) == types[column].binary && rows.Value(column, value.bytes);
  }
};

Gather::Gather(const std::vector<Captured>* tables, PostgresConnection* catalog, bool binary)
    : captured_(*tables), types_(catalog), catalog_(catalog), binary_(binary) {
  for (const Captured& table : captured_) {
    tables_.push_back(std::make_unique<Table>(table, tables_.size()));
  }
}

Gather::~Gather() = default;

Gather::Table* Gather::Find(uint32_t oid) {
  const auto found = by_oid_.find(oid);
  return found == by_oid_.end() ? nullptr : found->second;
}

Status Gather::Take(const PgoutputMessage& message, Lsn lsn, uint32_t transaction,
                    const ReplicaPosition& position) {
  using Message = PgoutputMessage::Kind;
  if (message.kind == Message::kRelation) return Describe(message.described, lsn, position);
  if (message.kind == Message::kTruncate) return Truncate(message, transaction, position);
  Table* const table = Find(message.relation);
  if (table == nullptr) return Status::OK();
  const bool late = !position.late.empty();
  if (message.kind == Message::kInsert) {
    if (late) {
      LEAT_ASSIGN(const bool known, IsLate(*table, message.after, transaction, position));
      if (known) return Status::OK();
    }
    return Insert(message, lsn, table);
  }
  if (!late) return Change(message, lsn, table);
  // Each side of a change on its own: they may have been read at different moments.
  PgoutputMessage part = message;
  bool before_known = false, after_known = false;
  if (message.has_before) {
    LEAT_ASSIGN(before_known, IsLate(*table, message.before, transaction, position));
  }
  if (message.kind == Message::kUpdate) {
    LEAT_ASSIGN(after_known, IsLate(*table, message.after, transaction, position));
  }
  if (message.kind == Message::kDelete) {
    return before_known ? Status::OK() : Change(message, lsn, table);
  }
  if (after_known && (before_known || !message.has_before)) return Status::OK();
  if (after_known) part.kind = Message::kDelete;
  if (before_known) part.has_before = false;
  return Change(part, lsn, table);
}

// --- What tables look like -----------------------------------------------------------------------

Status Gather::Describe(const PgoutputRelation& relation, Lsn lsn,
                        const ReplicaPosition& position) {
  Table* table = Find(relation.oid);
  for (size_t i = 0; table == nullptr && i < position.tables.size(); ++i) {
    if (position.tables[i].oid == relation.oid) table = tables_[i].get();
  }
  if (table == nullptr) return Status::OK();  // of the publication, but none of ours
  by_oid_[relation.oid] = table;
  if (table->described == relation) return Status::OK();
  LEAT_RETURN(FinishTable(table));
  LEAT_RETURN(CheckColumns(*table, relation, lsn, position.tables[table->index]));
  LEAT_RETURN(CheckIdentity(*table, relation, lsn));
  const bool first = table->described.columns.empty();
  if (!first) LEAT_RETURN(CheckNumbers(*table, lsn, position.tables[table->index]));
  table->described = relation;
  table->wire.clear();
  table->types.clear();
  for (size_t i = 0; i < table->captured.relation->columns.size(); ++i) {
    const std::string name = table->captured.OutsideName(i);
    const auto found =
        std::find_if(relation.columns.begin(), relation.columns.end(),
                     [&](const PgoutputColumn& column) { return column.name == name; });
    table->wire.push_back(static_cast<size_t>(found - relation.columns.begin()));
    LEAT_ASSIGN(PostgresMeaning there, types_.MeaningOf(found->type));
    const bool binary = binary_ && there.binary;
    table->types.push_back({.there = std::move(there), .binary = binary});
  }
  table->rows.Use(table->types);
  return Status::OK();
}

// By name, never by place.
Status Gather::CheckColumns(const Table& table, const PgoutputRelation& relation, Lsn lsn,
                            const CapturedTable& captured) {
  const Captured& of = table.captured;
  for (size_t i = 0; i < of.relation->columns.size(); ++i) {
    const std::string name = of.OutsideName(i);
    const auto found =
        std::find_if(relation.columns.begin(), relation.columns.end(),
                     [&](const PgoutputColumn& column) { return column.name == name; });
    if (found == relation.columns.end()) {
      return Changed(
          of, lsn, fmt::format("column \"{}\" was dropped or renamed", name),
          "Change the foreign table: leave the column out, or give OPTIONS (name '…') as "
          "it is called now; then `leat run --fresh`.");
    }
    if (found->type == captured.columns[i].type) continue;
    LEAT_ASSIGN(const PostgresMeaning was, types_.MeaningOf(captured.columns[i].type));
    LEAT_ASSIGN(const PostgresMeaning is, types_.MeaningOf(found->type));
    // Even a wider type may have been filled by ALTER … USING: the rows there are written anew, and
    // the log says nothing of it.
    return Changed(of, lsn,
                   fmt::format("column \"{}\" was {} and is {}", name, PostgresTypeName(was.type),
                               PostgresTypeName(is.type)),
                   "Rows that were read may be others now. " + ReadAnew(of));
  }
  return Status::OK();
}

// What changes name their rows by, as it is from here on.
Status Gather::CheckIdentity(const Table& table, const PgoutputRelation& relation, Lsn lsn) const {
  const Captured& of = table.captured;
  if (!of.heard() || relation.identity == 'f') return Status::OK();
  if (!of.keyed()) {
    return Changed(of, lsn, "its REPLICA IDENTITY is no longer FULL",
                   fmt::format("Changes no longer say which rows they are of. ALTER TABLE {} "
                               "REPLICA IDENTITY FULL; then {}",
                               of.name.quoted(), ReadAnew(of)));
  }
  std::vector<std::string> declared, named;
  for (const int column : of.relation->primary_key) {
    declared.push_back(of.OutsideName(static_cast<size_t>(column)));
  }
  for (const PgoutputColumn& column : relation.columns) {
    if (column.key) named.push_back(column.name);
  }
  std::sort(declared.begin(), declared.end());
  std::sort(named.begin(), named.end());
  if (declared == named) return Status::OK();
  return Changed(of, lsn,
                 named.empty()
                     ? "it has no replica identity any more"
                     : fmt::format("its replica identity is now ({})", fmt::join(named, ", ")),
                 "Give it back the key that the foreign table declares, or declare the new one and "
                 "`leat run --fresh`.");
}

// A column of the same name may be another: one that was dropped and added, or renamed in its
// place.
Status Gather::CheckNumbers(const Table& table, Lsn lsn, const CapturedTable& captured) {
  const Captured& of = table.captured;
  LEAT_ASSIGN(
      const PostgresRows rows,
      catalog_->Query("SELECT attname, attnum FROM pg_catalog.pg_attribute WHERE attrelid = "
                      "$1::oid AND attnum > 0 AND NOT attisdropped",
                      "look up columns", {std::to_string(captured.oid)}));
  for (size_t i = 0; i < of.relation->columns.size(); ++i) {
    const std::string name = of.OutsideName(i);
    for (int row = 0; row < rows.rows(); ++row) {
      if (rows.Text(row, 0) != name || rows.Integer(row, 1) == captured.columns[i].number) continue;
      return Changed(of, lsn, fmt::format("column \"{}\" is not the one that was read", name),
                     "It was dropped and made anew, or another was renamed to it. " + ReadAnew(of));
    }
  }
  return Status::OK();
}

// --- Changes -------------------------------------------------------------------------------------

Status Gather::Insert(const PgoutputMessage& message, Lsn lsn, Table* table) {
  if (message.after.size() != table->described.columns.size()) return Malformed(lsn);
  for (size_t i = 0; i < table->wire.size(); ++i) {
    if (!table->Add(i, message.after[table->wire[i]])) return Malformed(lsn);
  }
  table->rows.End(1, lsn, /*moved=*/false, /*read=*/true);
  return Status::OK();
}

Status Gather::Change(const PgoutputMessage& message, Lsn lsn, Table* table) {
  if (!table->captured.heard()) return Status::OK();  // only inserts count
  if (!table->captured.keyed()) return ChangeWhole(message, lsn, table);
  const bool update = message.kind == PgoutputMessage::Kind::kUpdate;
  const size_t columns = table->described.columns.size();
  if (message.has_before && message.before.size() != columns) return Malformed(lsn);
  if (update && message.after.size() != columns) return Malformed(lsn);
  const Relation& relation = *table->captured.relation;
  const auto is_key = [&](size_t column) {
    return std::find(relation.primary_key.begin(), relation.primary_key.end(),
                     static_cast<int>(column)) != relation.primary_key.end();
  };
  const auto add = [&](size_t column, const PgoutputValue& value) {
    return table->Add(column, value);
  };
  bool moved = !update;
  for (size_t i = 0; message.has_before && update && i < table->wire.size(); ++i) {
    const size_t at = table->wire[i];
    const PgoutputValue& after = message.after[at];
    moved = moved || (is_key(i) && after.kind != Kind::kUnchanged &&
                      after.bytes != message.before[at].bytes);
  }
  if (moved) {
    for (size_t i = 0; i < table->wire.size(); ++i) {
      if (!is_key(i)) {
        table->rows.Null(i);
      } else if (!add(i, message.before[table->wire[i]])) {
        return Malformed(lsn);
      }
    }
    table->rows.End(-1, lsn, /*moved=*/false, /*read=*/!update);
  }
  if (!update) return Status::OK();
  for (size_t i = 0; i < table->wire.size(); ++i) {
    const size_t at = table->wire[i];
    const PgoutputValue* value = &message.after[at];
    // The old row has it, if it was sent: all of it, or the key.
    if (value->kind == Kind::kUnchanged && message.has_before &&
        (message.before_is_whole || is_key(i))) {
      value = &message.before[at];
    }
    if (value->kind == Kind::kUnchanged && !is_key(i)) {
      table->rows.Unchanged(i);
    } else if (!add(i, *value)) {
      return Malformed(lsn);
    }
  }
  table->rows.End(1, lsn, moved, /*read=*/true);
  return Status::OK();
}

// Of a table without a key: the row as it was goes, the row as it is comes.
Status Gather::ChangeWhole(const PgoutputMessage& message, Lsn lsn, Table* table) {
  const bool update = message.kind == PgoutputMessage::Kind::kUpdate;
  const size_t columns = table->described.columns.size();
  if (!message.before_is_whole || message.before.size() != columns) return Malformed(lsn);
  if (update && message.after.size() != columns) return Malformed(lsn);
  for (size_t i = 0; i < table->wire.size(); ++i) {
    if (!table->Add(i, message.before[table->wire[i]])) return Malformed(lsn);
  }
  table->rows.End(-1, lsn, /*moved=*/false, /*read=*/!update);
  if (!update) return Status::OK();
  for (size_t i = 0; i < table->wire.size(); ++i) {
    const size_t at = table->wire[i];
    const bool same = message.after[at].kind == Kind::kUnchanged;
    if (!table->Add(i, same ? message.before[at] : message.after[at])) return Malformed(lsn);
  }
  table->rows.End(1, lsn, /*moved=*/false, /*read=*/true);
  return Status::OK();
}

Status Gather::Truncate(const PgoutputMessage& message, uint32_t transaction,
                        const ReplicaPosition& position) {
  for (const uint32_t oid : message.truncated) {
    Table* const table = Find(oid);
    if (table == nullptr || !table->captured.heard()) continue;
    LEAT_RETURN(FinishTable(table));
    // Rows that were read when it had happened are there in spite of it.
    std::string up_to;
    bool all_late = false;
    for (const RowsReadLater& late : position.late) {
      if (late.table != static_cast<int64_t>(table->index) ||
          !IsVisible(late.snapshot, transaction)) {
        continue;
      }
      all_late = all_late || late.after.empty();
      if (up_to.empty() || late.after < up_to) up_to = late.after;
    }
    if (!all_late) table->rows.Truncate("", up_to);
  }
  return Status::OK();
}

// Whether the row was read at a moment when this change of it had happened.
Result<bool> Gather::IsLate(const Table& table, const std::vector<PgoutputValue>& row,
                            uint32_t transaction, const ReplicaPosition& position) const {
  const RowsReadLater* found = nullptr;
  std::string key;
  for (const RowsReadLater& late : position.late) {
    if (late.table != static_cast<int64_t>(table.index)) continue;
    if (!late.after.empty() && key.empty()) {
      TableRows one(*table.captured.relation, "");
      one.Use(table.types);
      for (size_t i = 0; i < table.wire.size(); ++i) {
        const PgoutputValue& value = row[table.wire[i]];
        if (value.kind == Kind::kText || value.kind == Kind::kBinary) {
          one.Value(i, value.bytes);
        } else {
          one.Null(i);
        }
      }
      one.End(-1, 0, false, false);
      LEAT_RETURN(one.Finish().status());
      key = one.last_key_bytes();
    }
    if (late.after.empty() || key > late.after) found = &late;  // they were read one after another
  }
  return found != nullptr && IsVisible(found->snapshot, transaction);
}

// --- What it came to -----------------------------------------------------------------------------

bool Gather::empty() const {
  return parts_.empty() && std::all_of(tables_.begin(), tables_.end(),
                                       [](const auto& table) { return table->rows.empty(); });
}

int64_t Gather::bytes() const {
  int64_t bytes = 0;
  for (const Arrival& part : parts_) bytes += part.bytes_read;
  for (const auto& table : tables_) bytes += table->rows.bytes();
  return bytes;
}

Status Gather::FinishTable(Table* table) {
  if (table->rows.empty()) return Status::OK();
  LEAT_ASSIGN(Arrival part, table->rows.Finish());
  part.relation = static_cast<int>(table->index);
  parts_.push_back(std::move(part));
  return Status::OK();
}

Result<Arrival> Gather::Finish() {
  for (const auto& table : tables_) LEAT_RETURN(FinishTable(table.get()));
  if (parts_.empty()) return Arrival{};
  Arrival arrival = std::move(parts_.front());
  arrival.parts.assign(std::make_move_iterator(parts_.begin() + 1),
                       std::make_move_iterator(parts_.end()));
  parts_.clear();
  return arrival;
}

}  // namespace leat
