#include "connect/postgres/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat {
namespace {

// One row for each column; a table without columns gives one row, whose column is null.
constexpr const char* kDescribe =
    "SELECT c.oid, obj_description(c.oid, 'pg_class'), a.attname, a.atttypid, a.atttypmod, "
    "format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '', "
    "CASE WHEN array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts "
    "THEN array_position(i.indkey::int2[], a.attnum) + 1 ELSE 0 END, "  // it counts from 0
    "col_description(c.oid, a.attnum) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
    "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
    "ORDER BY a.attnum";

// Advisory locks are numbers: "leat" in ASCII.
constexpr int64_t kMarksLock = 0x6c656174;
constexpr int32_t kNoModifier = -1;

std::string MarksTable(const PostgresTableName& target) {
  return QuotePostgresName(target.schema) + ".leat_marks";
}

// What values of a type there travel as; nothing where we do not write it.
std::optional<Wire> WireOf(const PostgresMeaning& meaning) {
  if (!meaning.binary) return std::nullopt;
  const Type* type = &meaning.type;
  while (type->id == TypeId::kArray) type = type->element.get();
  switch (type->id) {
    case TypeId::kBool:
      return Wire::kBool;
    case TypeId::kInt2:
      return Wire::kInt2;
    case TypeId::kInt4:
      return Wire::kInt4;
    case TypeId::kInt8:
      return Wire::kInt8;
    case TypeId::kFloat4:
      return Wire::kFloat4;
    case TypeId::kFloat8:
      return Wire::kFloat8;
    case TypeId::kNumeric:
      return Wire::kNumeric;
    case TypeId::kUnknown:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
      return Wire::kText;
    case TypeId::kJsonb:
      return Wire::kJsonb;
    case TypeId::kBytea:
      return Wire::kBytea;
    case TypeId::kDate:
      return Wire::kDate;
    case TypeId::kTime:
      return Wire::kTime;
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return Wire::kTimestamp;
    case TypeId::kInterval:
      return Wire::kInterval;
    case TypeId::kUuid:
      return Wire::kUuid;
    case TypeId::kEnum:
    case TypeId::kArray:
      return std::nullopt;
  }
  return std::nullopt;
}

const Type& ElementOf(const Type& type) {
  return type.id == TypeId::kArray ? ElementOf(*type.element) : type;
}

// timestamp(3) there would round what it is given.
bool Rounds(const PostgresMeaning& there) {
  const TypeId id = ElementOf(there.type).id;
  const bool of_time = id == TypeId::kTime || id == TypeId::kTimestamp ||
                       id == TypeId::kTimestamptz || id == TypeId::kInterval;
  constexpr int32_t kMicroseconds = 6;
  return of_time && there.base.modifier != kNoModifier && there.base.modifier != kMicroseconds;
}

// Whether the column there keeps every value as it is, or says of a value that it cannot.
bool Keeps(const PostgresMeaning& there, Wire wire, const Type& type) {
  const Type& element = ElementOf(type);
  const Type& here = ElementOf(there.type);
  if ((type.id == TypeId::kArray) != (there.type.id == TypeId::kArray)) return false;
  if (!CanSend(element, wire) || Rounds(there)) return false;
  const bool text = wire == Wire::kText || wire == Wire::kJsonb;
  // char(n) would lose the blanks at the end of a text.
  return text && here.id != TypeId::kChar ? true : CanHold(here, element);
}

Result<uint32_t> ElementOid(PostgresConnection* connection, const PostgresMeaning& meaning) {
  if (meaning.type.id != TypeId::kArray) return uint32_t{0};
  LEAT_ASSIGN(const auto rows,
              connection->Query("SELECT typelem FROM pg_type WHERE oid = $1::oid", "look up a type",
                                {std::to_string(meaning.base.oid)}));
  return rows.rows() == 0 ? uint32_t{0} : static_cast<uint32_t>(rows.Integer(0, 0));
}

Status Comment(PostgresConnection* connection, const std::string& on, const std::string& text,
               std::string_view what) {
  if (text.empty()) return Status::OK();
  return connection->Execute(fmt::format("COMMENT ON {} IS {}", on, QuotePostgresText(text)), what);
}

std::string KeyClause(const SinkSpec& spec) {
  if (spec.mode != SinkMode::kUpsert) return {};
  std::vector<std::string> names;
  for (const int column : spec.key) {
    names.push_back(QuotePostgresName(spec.schema.columns[static_cast<size_t>(column)].name));
  }
  return fmt::format(", PRIMARY KEY ({})", fmt::join(names, ", "));
}

}  // namespace

const PostgresColumn* PostgresTable::Find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const PostgresColumn& each) { return each.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

Result<std::optional<PostgresTable>> DescribeTable(PostgresConnection* connection,
                                                   const PostgresTableName& name) {
  LEAT_ASSIGN(const auto rows,
              connection->Query(kDescribe, fmt::format("look at table \"{}\"", name.text()),
                                {name.schema, name.table}));
  if (rows.rows() == 0) return std::nullopt;
  PostgresTable table{.name = name,
                      .oid = static_cast<uint32_t>(rows.Integer(0, 0)),
                      .comment = std::string(rows.Text(0, 1))};
  PostgresTypes types(connection);
  for (int row = 0; row < rows.rows() && !rows.IsNull(row, 2); ++row) {
    PostgresColumn column{.name = std::string(rows.Text(row, 2)),
                          .declared = std::string(rows.Text(row, 5)),
                          .not_null = rows.Bool(row, 6),
                          .generated = rows.Bool(row, 7),
                          .key_place = rows.Integer(row, 8),
                          .comment = std::string(rows.Text(row, 9))};
    LEAT_ASSIGN(column.meaning,
                types.MeaningOf({.oid = static_cast<uint32_t>(rows.Integer(row, 3)),
                                 .modifier = static_cast<int32_t>(rows.Integer(row, 4))}));
    LEAT_ASSIGN(column.element_oid, ElementOid(connection, column.meaning));
    table.columns.push_back(std::move(column));
  }
  return table;
}

Status NoSuchTable(PostgresConnection* connection, const PostgresTableName& name, int location) {
  LEAT_ASSIGN(const auto rows,
              connection->Query("SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = "
                                "c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', "
                                "'v', 'm', 'f') ORDER BY 1",
                                fmt::format("look for table \"{}\"", name.text()), {name.schema}));
  std::vector<std::string> names;
  for (int row = 0; row < rows.rows(); ++row) names.emplace_back(rows.Text(row, 0));
  const auto nearest = NearestName(name.table, names);
  return SqlStatus(
      fmt::format("relation \"{}\" does not exist in \"{}\"", name.text(), connection->place()),
      {.sqlstate = kUndefinedTable,
       .location = location,
       .hint = nearest ? fmt::format("Perhaps you meant \"{}.{}\".", name.schema, *nearest)
                       : std::string()});
}

Result<CopyColumn> CopyColumnFor(const PostgresTable& table, const PostgresColumn& there,
                                 const Column& column) {
  if (there.generated) {
    return SqlStatus(fmt::format("column \"{}\" of table \"{}\" is generated there: nobody can "
                                 "write it",
                                 there.name, table.name.text()),
                     {.sqlstate = "428C9", .hint = "Leave it out of the query."});
  }
  const auto wire = WireOf(there.meaning);
  if (!wire || !Keeps(there.meaning, *wire, column.type)) {
    return SqlStatus(
        fmt::format("column \"{}\" of table \"{}\" is of type {} but the query gives {}",
                    there.name, table.name.text(), there.declared, TypeName(column.type)),
        {.sqlstate = kDatatypeMismatch,
         .hint = "Cast the expression in the query, or change the column there."});
  }
  const Type& declared = ElementOf(there.meaning.type);
  return CopyColumn{.name = column.name,
                    .from = column.type,
                    .to = *wire,
                    .element_oid = there.element_oid,
                    .length_max = declared.id == TypeId::kVarchar ? declared.length : -1};
}

Status CreateTable(PostgresConnection* connection, const PostgresTableName& name,
                   const SinkSpec& spec) {
  const auto what = fmt::format("create table \"{}\"", name.text());
  std::vector<std::string> columns;
  for (const Column& column : spec.schema.columns) {
    columns.push_back(
        fmt::format("{} {}", QuotePostgresName(column.name), PostgresTypeName(column.type)));
  }
  LEAT_RETURN(connection->Execute(fmt::format("CREATE TABLE {} ({}{})", name.quoted(),
                                              fmt::join(columns, ", "), KeyClause(spec)),
                                  what));
  LEAT_RETURN(Comment(connection, "TABLE " + name.quoted(), spec.comment, what));
  for (size_t i = 0; i < spec.comments.size(); ++i) {
    const auto column = QuotePostgresName(spec.schema.columns[i].name);
    LEAT_RETURN(Comment(connection, fmt::format("COLUMN {}.{}", name.quoted(), column),
                        spec.comments[i], what));
  }
  return Status::OK();
}

Result<bool> AddColumns(PostgresConnection* connection, const PostgresTable& there,
                        const SinkSpec& spec) {
  bool added = false;
  for (size_t i = 0; i < spec.schema.columns.size(); ++i) {
    const Column& column = spec.schema.columns[i];
    if (there.Find(column.name) != nullptr) continue;
    const auto what =
        fmt::format("add column \"{}\" to table \"{}\"", column.name, there.name.text());
    const auto name = QuotePostgresName(column.name);
    LEAT_RETURN(
        connection->Execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", there.name.quoted(),
                                        name, PostgresTypeName(column.type)),
                            what));
    if (i < spec.comments.size()) {
      LEAT_RETURN(Comment(connection, fmt::format("COLUMN {}.{}", there.name.quoted(), name),
                          spec.comments[i], what));
    }
    added = true;
  }
  return added;
}

// --- Marks ---------------------------------------------------------------------------------------

// Asked for first: CREATE TABLE IF NOT EXISTS wants the right to create even where there is one,
// and two sinks that open at once would both make it, were it not for the lock.
Status CreateMarks(PostgresConnection* connection, const PostgresTableName& target) {
  const auto there = [&]() -> Result<bool> {
    LEAT_ASSIGN(const auto rows, connection->Query("SELECT to_regclass($1) IS NOT NULL",
                                                   "look for leat_marks", {MarksTable(target)}));
    return rows.Bool(0, 0);
  };
  LEAT_ASSIGN(bool found, there());
  if (found) return Status::OK();
  LEAT_RETURN(connection->Execute(fmt::format("SELECT pg_advisory_xact_lock({})", kMarksLock),
                                  "lock leat_marks"));
  LEAT_ASSIGN(found, there());
  if (found) return Status::OK();
  return connection->Execute(
      fmt::format("CREATE TABLE {} (target text PRIMARY KEY, state text NOT NULL, statement text "
                  "NOT NULL, epoch bigint NOT NULL, created boolean NOT NULL, relation oid NOT "
                  "NULL)",
                  MarksTable(target)),
      "create table \"leat_marks\"");
}

Result<std::optional<PostgresMark>> ReadMark(PostgresConnection* connection,
                                             const PostgresTableName& target) {
  LEAT_ASSIGN(const auto marks, connection->Query("SELECT to_regclass($1) IS NOT NULL",
                                                  "look for leat_marks", {MarksTable(target)}));
  if (!marks.Bool(0, 0)) return std::nullopt;
  LEAT_ASSIGN(const auto rows,
              connection->Query(fmt::format("SELECT state, statement, epoch, created, relation "
                                            "FROM {} WHERE target = $1",
                                            MarksTable(target)),
                                "read table \"leat_marks\"", {target.table}));
  if (rows.rows() == 0) return std::nullopt;
  PostgresMark found{.created = rows.Bool(0, 3),
                     .relation = static_cast<uint32_t>(rows.Integer(0, 4))};
  if (!rows.Text(0, 0).empty()) {
    found.mark = Mark{.state = std::string(rows.Text(0, 0)),
                      .statement = std::string(rows.Text(0, 1)),
                      .epoch = rows.Integer(0, 2)};
  }
  return found;
}

Status WriteMark(PostgresConnection* connection, const PostgresTableName& target,
                 const PostgresMark& mark) {
  const Mark value = mark.mark.value_or(Mark{.epoch = -1});
  return connection
      ->Query(fmt::format("INSERT INTO {} (target, state, statement, epoch, created, relation) "
                          "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (target) DO UPDATE SET "
                          "state = excluded.state, statement = excluded.statement, epoch = "
                          "excluded.epoch, created = excluded.created, relation = "
                          "excluded.relation",
                          MarksTable(target)),
              "write table \"leat_marks\"",
              {target.table, value.state, value.statement, std::to_string(value.epoch),
               mark.created ? "true" : "false", std::to_string(mark.relation)})
      .status();
}

Status AdvanceMark(PostgresConnection* connection, const PostgresTableName& target,
                   const std::optional<Mark>& before, const Mark& after) {
  const Mark from = before.value_or(Mark{.epoch = -1});
  LEAT_ASSIGN(
      const auto rows,
      connection->Query(fmt::format("UPDATE {} SET state = $2, statement = $3, epoch = $4 WHERE "
                                    "target = $1 AND state = $5 AND statement = $6 AND epoch = $7",
                                    MarksTable(target)),
                        "write table \"leat_marks\"",
                        {target.table, after.state, after.statement, std::to_string(after.epoch),
                         from.state, from.statement, std::to_string(from.epoch)}));
  if (rows.rows_affected() == 1) return Status::OK();
  return IOErrorF(
      "could not commit to table \"{}\" in \"{}\": its mark in leat_marks is not the "
      "one that was read: another process writes there, or an earlier commit came "
      "through late",
      target.text(), connection->place());
}

Status RemoveMark(PostgresConnection* connection, const PostgresTableName& target) {
  return connection
      ->Query(fmt::format("DELETE FROM {} WHERE target = $1", MarksTable(target)),
              "write table \"leat_marks\"", {target.table})
      .status();
}

}  // namespace leat
