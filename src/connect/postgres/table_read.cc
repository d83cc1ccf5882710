#include <fmt/format.h>

#include <map>

#include "connect/postgres/binary.h"
#include "connect/postgres/table.h"
#include "connect/postgres/tables.h"
#include "data/text.h"

namespace leat {
namespace {

// Rows of one arrival.
constexpr int64_t kBatchRows = 65536;

// One column on its way here: decoded as what it is there; where the relation declares another
// type, it is asked for as text and read as the declared type reads a text.
struct AskedColumn {
  const ColumnSpec* spec = nullptr;
  Type sent;  // the column's own type, or text
  std::string expression;
};

Result<AskedColumn> PlanColumn(const PostgresTable& table, const ColumnSpec& spec, int location) {
  const std::string name = spec.outside_name.empty() ? spec.column.name : spec.outside_name;
  const PostgresColumn* const there = table.Find(name);
  if (there == nullptr) {
    std::vector<std::string> names;
    for (const PostgresColumn& column : table.columns) names.push_back(column.name);
    const auto nearest = NearestName(name, names);
    return SqlStatus(
        fmt::format("column \"{}\" of relation \"{}\" does not exist there", name,
                    table.name.text()),
        {.sqlstate = kUndefinedColumn,
         .location = location,
         .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest) : std::string()});
  }
  const std::string quoted = QuotePostgresName(name);
  if (there->meaning.binary && there->meaning.type == spec.column.type) {
    return AskedColumn{&spec, spec.column.type, quoted};
  }
  return AskedColumn{&spec, TypeId::kText, quoted + "::text"};
}

class TableReader {
 public:
  TableReader(const PostgresTableName& name, std::vector<AskedColumn> columns,
              const ArrivalVisitor& visit)
      : name_(name), columns_(std::move(columns)), visit_(visit) {
    for (const AskedColumn& column : columns_) builders_.push_back(BinaryColumn::Make(column.sent));
  }

  Status Read(PostgresConnection* connection) {
    std::vector<std::string> items;
    for (const AskedColumn& column : columns_) items.push_back(column.expression);
    BinaryRows rows(static_cast<int>(columns_.size()));
    LEAT_RETURN(connection->CopyOut(
        fmt::format("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)", fmt::join(items, ", "),
                    name_.quoted()),
        fmt::format("read table \"{}\"", name_.text()),
        [&](std::string_view piece) { return Take(&rows, piece, *connection); }));
    return Give();
  }

 private:
  Status Take(BinaryRows* rows, std::string_view piece, const PostgresConnection& connection) {
    bool understood = true;
    const bool well = rows->Read(
        piece,
        [&](int column, const std::string_view* bytes) {
          auto& builder = *builders_[static_cast<size_t>(column)];
          if (bytes == nullptr) {
            builder.AppendNull();
          } else {
            understood = builder.Append(*bytes) && understood;
          }
        },
        [&] { ++rows_; });
    if (!well || !understood) {
      return IOErrorF("could not read table \"{}\" in \"{}\": its rows are not what was asked for",
                      name_.text(), connection.place());
    }
    return rows_ < kBatchRows ? Status::OK() : Give();
  }

  // A SELECT has no rejects: a value that our column cannot hold is its error.
  Status Refuse(const AskedColumn& column, const std::string& reason) const {
    return SqlStatus(fmt::format("column \"{}\" of table \"{}\": {}", column.spec->column.name,
                                 name_.text(), reason),
                     {.sqlstate = kOutOfRange,
                      .hint = "Declare the column with a type that holds it, or as text."});
  }

  Status Give() {
    if (rows_ == 0) return Status::OK();
    Arrival arrival{.place = name_.text(), .rows_read = rows_};
    arrival.batch.rows = rows_;
    for (size_t i = 0; i < columns_.size(); ++i) {
      LEAT_ASSIGN(auto values, builders_[i]->Finish());
      if (!builders_[i]->rejects().empty()) {
        return Refuse(columns_[i], builders_[i]->rejects()[0].reason);
      }
      const Type& type = columns_[i].spec->column.type;
      if (columns_[i].sent != type) {
        Status first;
        LEAT_ASSIGN(values, FromTextColumn(*values, type, TextSettings{},
                                           [&](int64_t, const Status& status) {
                                             if (first.ok()) first = status;
                                           }));
        if (!first.ok()) return Refuse(columns_[i], first.message());
      }
      arrival.batch.columns.push_back(std::move(values));
    }
    rows_ = 0;
    return visit_(arrival);
  }

  const PostgresTableName name_;
  const std::vector<AskedColumn> columns_;
  const ArrivalVisitor& visit_;
  std::vector<std::unique_ptr<BinaryColumn>> builders_;
  int64_t rows_ = 0;
};

Relation RelationOf(const PostgresTable& table) {
  Relation relation{.name = table.name.table, .kind = RelationKind::kForeign};
  relation.comment = table.comment;
  std::map<int64_t, int> key;
  for (const PostgresColumn& column : table.columns) {
    // What is generated there is in no log and cannot be written.
    if (column.generated && column.key_place == 0) continue;
    if (column.key_place > 0) key[column.key_place] = static_cast<int>(relation.columns.size());
    ColumnSpec spec{.column = {column.name, column.meaning.type, !column.not_null},
                    .outside_name = column.name};
    spec.comment = column.comment;
    relation.columns.push_back(std::move(spec));
  }
  for (const auto& [place, column] : key) relation.primary_key.push_back(column);
  return relation;
}

}  // namespace

Result<Schema> InferPostgresColumns(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(const auto connection, PostgresConnection::Open(server));
  const auto name = TableNameOf(server, relation.options, relation.name);
  LEAT_ASSIGN(const auto table, DescribeTable(connection.get(), name));
  if (!table) return NoSuchTable(connection.get(), name, relation.location);
  Schema schema;
  for (const PostgresColumn& column : table->columns) {
    schema.columns.push_back({column.name, column.meaning.type, !column.not_null});
  }
  return schema;
}

Result<std::vector<Relation>> ImportPostgresTables(const Server& server, const std::string& schema,
                                                   const TableChoice& wanted) {
  LEAT_ASSIGN(const auto connection, PostgresConnection::Open(server));
  const auto what = fmt::format("look at schema \"{}\"", schema);
  LEAT_ASSIGN(const auto there,
              connection->Query("SELECT FROM pg_namespace WHERE nspname = $1", what, {schema}));
  if (there.rows() == 0) {
    return SqlStatus(
        fmt::format("schema \"{}\" is not present on foreign server \"{}\"", schema, server.name),
        {.sqlstate = "HV00R"});
  }
  // A partitioned table is read as a whole, and what we remember of sinks is nobody's data.
  LEAT_ASSIGN(const auto names,
              connection->Query(
                  "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT "
                  "c.relispartition AND c.relname <> 'leat_marks' ORDER BY c.relname",
                  what, {schema}));
  std::vector<Relation> relations;
  for (int row = 0; row < names.rows(); ++row) {
    const std::string name(names.Text(row, 0));
    if (!wanted(name)) continue;
    LEAT_ASSIGN(const auto table,
                DescribeTable(connection.get(), {.schema = schema, .table = name}));
    if (table) relations.push_back(RelationOf(*table));
  }
  return relations;
}

Status ReadPostgresTable(const Server& server, const Relation& relation,
                         const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const auto connection, PostgresConnection::Open(server));
  const auto name = TableNameOf(server, relation.options, relation.name);
  LEAT_ASSIGN(const auto table, DescribeTable(connection.get(), name));
  if (!table) return NoSuchTable(connection.get(), name, relation.location);
  std::vector<AskedColumn> columns;
  for (const ColumnSpec& spec : relation.columns) {
    LEAT_ASSIGN(auto column, PlanColumn(*table, spec, relation.location));
    columns.push_back(std::move(column));
  }
  return TableReader(name, std::move(columns), visit).Read(connection.get());
}

}  // namespace leat
