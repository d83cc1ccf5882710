#include "connect/connectors.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "connect/blackhole/blackhole.h"
#include "connect/changelog.h"
#include "connect/database/database.h"
#include "connect/datagen/datagen.h"
#include "connect/drop.h"
#include "connect/file/file.h"
#include "connect/http/http.h"
#include "connect/postgres/postgres.h"
#include "connect/postgres/tables.h"
#include "connect/read_column.h"
#include "connect/stream/stream.h"

namespace leat {
namespace {

// A kind of server and a scheme of its url, and the code that serves them.
struct Connector {
  std::string_view kind;
  std::string_view scheme;  // empty: a url without one
  std::span<const OptionSpec> options;
  Result<std::unique_ptr<Source>> (*make_source)(const Server&, const Relation&);
  Result<std::unique_ptr<Sink>> (*make_sink)(SinkSpec);
  Result<Schema> (*infer_columns)(const Server&, const Relation&);
  Status (*read_each)(const Server&, const Relation&, const ArrivalVisitor&);
  Result<std::optional<Mark>> (*read_mark)(const SinkSpec&);
  std::span<const OptionSpec> text_options = {};  // of those whose values are text
  // IMPORT FOREIGN SCHEMA, where there are schemas.
  Result<std::vector<Relation>> (*import_tables)(const Server&, const std::string& schema,
                                                 const TableChoice& wanted) = nullptr;
  // Where one source reads several tables of a server: what it is known by, and how it is made.
  SourceTraits (*traits)(const Relation&) = nullptr;
  Result<std::unique_ptr<Source>> (*make_shared)(const Server&,
                                                 const std::vector<const Relation*>&) = nullptr;
  // What they made there, removed.
  Result<std::vector<std::string>> (*drop)(const Server&) = nullptr;
};

constexpr Connector FileConnector(std::string_view scheme) {
  return {"file",           scheme,    kFileOptions, MakeFileSource, MakeFileSink,
          InferFileColumns, ReadFiles, ReadFileMark, kTextOptions};
}
constexpr Connector DatabaseConnector(std::string_view scheme) {
  return {"database",        scheme,    kDatabaseOptions, MakeDatabaseSource, MakeDatabaseSink,
          InferTableColumns, ReadTable, ReadTableMark};
}
constexpr Connector PostgresConnector(std::string_view scheme) {
  return {.kind = "database",
          .scheme = scheme,
          .options = kPostgresTableOptions,
          .make_source = nullptr,
          .make_sink = MakePostgresSink,
          .infer_columns = InferPostgresColumns,
          .read_each = ReadPostgresTable,
          .read_mark = ReadPostgresMark,
          .import_tables = ImportPostgresTables,
          .traits = PostgresTraits,
          .make_shared = MakePostgresSource,
          .drop = DropPostgresSlot};
}
constexpr Connector StreamConnector(std::string_view scheme) {
  return {"stream",          scheme,    kStreamOptions, MakeStreamSource, MakeStreamSink,
          InferTopicColumns, ReadTopic, ReadTopicMark,  kTextOptions};
}

constexpr Connector HttpConnector(std::string_view scheme) {
  return {"http",      scheme,     kHttpOptions, MakeHttpSource, RefuseHttpSink, InferAnswerColumns,
          ReadAnswers, NoHttpMark, kTextOptions};
}

// Rows that are made stand behind every door.
constexpr Connector DatagenConnector(std::string_view kind) {
  return {kind,
          "datagen",
          kDatagenOptions,
          MakeDatagenSource,
          MakeDatagenSink,
          InferDatagenColumns,
          ReadDatagen,
          ReadDatagenMark};
}

// And so does the end of all rows: it takes the options of the tables that would be there else.
constexpr Connector BlackholeConnector(std::string_view kind, std::span<const OptionSpec> options,
                                       std::span<const OptionSpec> text_options = {}) {
  return {kind,
          "blackhole",
          options,
          RefuseBlackholeSource,
          MakeBlackholeSink,
          InferBlackholeColumns,
          ReadBlackhole,
          NoBlackholeMark,
          text_options};
}

constexpr std::array kConnectors = {
    FileConnector(""),
    FileConnector("file"),
    DatagenConnector("file"),
    BlackholeConnector("file", kFileOptions, kTextOptions),
    DatabaseConnector("sqlite"),
    DatabaseConnector("duckdb"),
    PostgresConnector("postgresql"),
    PostgresConnector("postgres"),
    DatagenConnector("database"),
    BlackholeConnector("database", kPostgresTableOptions),
    StreamConnector("file"),
    DatagenConnector("stream"),
    BlackholeConnector("stream", kStreamOptions, kTextOptions),
    HttpConnector("http"),
    HttpConnector("https"),
    DatagenConnector("http"),
};

// Options that mean the same everywhere.
constexpr std::array kCommonOptions = {
    OptionSpec{"url", OptionPlace::kServer, "",
               "Where the system is; its scheme picks the connector."},
    OptionSpec{"base", OptionPlace::kServer, "the pipeline's folder",
               "The folder that relative paths in `url` are relative to."},
    OptionSpec{"timezone", OptionPlace::kServer, "UTC",
               "The time zone of points in time that name none, as `SET timezone` takes it."},
    OptionSpec{"timezone", OptionPlace::kTable, "the server's", "The same, of one table."},
    OptionSpec{
        "on_error", OptionPlace::kTable, "reject",
        "What happens to a row that cannot be read or breaks a constraint: `reject`, `fail`, "
        "or `null` (the value becomes null, the row stays, and the error is recorded)."},
    OptionSpec{
        "max_rejects", OptionPlace::kTable, "",
        "How many rows may be rejected before the run stops: a count, or a share such as `1%` "
        "that counts after 1,000 rows."},
    OptionSpec{
        "mode", OptionPlace::kTable, "upsert if keyed (database), else append",
        "How a sink takes changes: `append`; `upsert` (databases, topics); `replace` (files, "
        "PostgreSQL: written whole at every commit); `changelog` (every change is a row with "
        "`_op`, `insert` or `delete`); `snapshot` (files, PostgreSQL: what the query answered in "
        "each period)."},
    OptionSpec{"every", OptionPlace::kTable, "10 min, 1 day",
               "How often an API is asked, with `--follow` (10 min). The period of a `snapshot` "
               "sink (1 day), in UTC: its first instant, a date where periods "
               "are days, is the column that `partition_by` names."},
    OptionSpec{"key", OptionPlace::kTable, "the primary key",
               "The columns by which an `upsert` sink finds a row: `a, b`."},
    OptionSpec{"after", OptionPlace::kTable, "",
               "A source is read when this relation, a source too, is drained."},
    OptionSpec{"flush_bytes", OptionPlace::kTable, "512MB",
               "A sink commits when so much is staged, and when the input is drained."},
    OptionSpec{"flush_rows", OptionPlace::kTable, "",
               "With `--follow`, a sink commits when so many rows are staged."},
    OptionSpec{"flush_interval", OptionPlace::kTable, "0 (database), 60s (file)",
               "With `--follow`, a sink commits at the latest so long after the first row that is "
               "staged: `100ms`, `5 min`. 0: at the end of every epoch that changed something."},
    OptionSpec{"on_error", OptionPlace::kColumn, "the table's",
               "As for the table, for one column."},
    OptionSpec{"name", OptionPlace::kColumn, "the column's own name",
               "The name outside: a CSV header, a JSON key, a table's column."},
};

// "sqlite" of "sqlite:a.db"; empty for a plain path (also "C:\x").
std::string SchemeOf(std::string_view url) {
  const size_t colon = url.find(':');
  if (colon == url.npos || colon < 2) return {};
  const auto scheme = url.substr(0, colon);
  const bool is_scheme = std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
  });
  return is_scheme ? std::string(scheme) : std::string();
}

std::vector<const OptionSpec*> OptionsOf(const Connector& connector) {
  std::vector<const OptionSpec*> all;
  for (const OptionSpec& spec : kCommonOptions) all.push_back(&spec);
  for (const OptionSpec& spec : connector.options) all.push_back(&spec);
  for (const OptionSpec& spec : connector.text_options) all.push_back(&spec);
  return all;
}

Status UnknownKind(const Server& server) {
  std::vector<std::string> kinds;
  for (const Connector& connector : kConnectors) {
    if (kinds.empty() || kinds.back() != connector.kind) kinds.emplace_back(connector.kind);
  }
  const auto nearest = NearestName(server.kind, kinds);
  return SqlStatus(fmt::format("foreign-data wrapper \"{}\" does not exist", server.kind),
                   {.sqlstate = "42704",
                    .hint = nearest ? fmt::format("Perhaps you meant \"{}\".", *nearest)
                                    : fmt::format("There are: {}.", fmt::join(kinds, ", "))});
}

Result<const Connector*> FindConnector(const Server& server) {
  const std::string url = OptionOr(server.options, "url", "");
  const std::string scheme = SchemeOf(url);
  std::vector<std::string> schemes;
  for (const Connector& connector : kConnectors) {
    if (connector.kind != server.kind) continue;
    if (connector.scheme == scheme) return &connector;
    if (!connector.scheme.empty()) schemes.emplace_back(connector.scheme);
  }
  if (schemes.empty()) return UnknownKind(server);
  if (url.empty()) {
    return SqlStatus(fmt::format("option \"url\" is missing for server \"{}\"", server.name),
                     {.sqlstate = "HV00D"});
  }
  const auto nearest = NearestName(scheme, schemes);
  return SqlStatus(
      scheme.empty()
          ? fmt::format("the url \"{}\" of server \"{}\" has no scheme", url, server.name)
          : fmt::format("scheme \"{}\" of server \"{}\" is not supported for "
                        "foreign-data wrapper \"{}\"",
                        scheme, server.name, server.kind),
      {.sqlstate = "0A000",
       .hint = nearest ? fmt::format("Perhaps you meant \"{}:\".", *nearest)
                       : fmt::format("There are: {}:.", fmt::join(schemes, ":, "))});
}

// The connector, if all options of server and relation are known.
Result<const Connector*> Checked(const Server& server, const Options& table,
                                 const std::vector<ColumnSpec>& columns, int location) {
  LEAT_ASSIGN(const Connector* connector, FindConnector(server));
  const auto specs = OptionsOf(*connector);
  LEAT_RETURN(CheckOptions(server.options, OptionPlace::kServer, specs, -1));
  LEAT_RETURN(CheckOptions(table, OptionPlace::kTable, specs, location));
  for (const ColumnSpec& column : columns) {
    LEAT_RETURN(CheckOptions(column.options, OptionPlace::kColumn, specs, location));
  }
  return connector;
}

Result<const Connector*> Checked(const Server& server, const Relation& relation) {
  return Checked(server, relation.options, relation.columns, relation.location);
}

Result<SinkMode> SinkModeOf(const Server& server, const Options& options, bool keyed) {
  const std::string default_mode = server.kind == "database" && keyed ? "upsert" : "append";
  const std::string mode = OptionOr(options, "mode", default_mode);
  if (mode == "append") return SinkMode::kAppend;
  if (mode == "upsert") return SinkMode::kUpsert;
  if (mode == "changelog") return SinkMode::kChangelog;
  if (mode == "replace") return SinkMode::kReplace;
  if (mode == "snapshot") return SinkMode::kSnapshot;
  return InvalidValue("mode", mode,
                      "Valid values are \"append\", \"upsert\", \"changelog\", \"replace\" and "
                      "\"snapshot\".");
}

// A column that a mode adds to the query's.
Status AddTargetColumn(Column column, const Relation& relation, SinkSpec* spec) {
  if (spec->schema.Find(column.name) >= 0) {
    return SqlStatus(fmt::format("column \"{}\" of sink \"{}\" is written by its mode", column.name,
                                 relation.name),
                     {.sqlstate = "42701",
                      .location = relation.location,
                      .hint = "Leave it out of the query, and declare the sink with ()."});
  }
  spec->schema.columns.push_back(std::move(column));
  spec->comments.emplace_back();
  return Status::OK();
}

Status AddPeriod(const Relation& relation, SinkSpec* spec) {
  constexpr std::chrono::hours kDay(24);
  LEAT_ASSIGN(const auto names,
              NameList("partition_by", OptionOr(spec->options, "partition_by", "")));
  if (names.size() != 1) {
    return SqlStatus(fmt::format("sink \"{}\" of mode \"snapshot\" needs a column for its periods",
                                 relation.name),
                     {.sqlstate = "42P10",
                      .location = relation.location,
                      .hint = "Add OPTIONS (partition_by 'dt'): a folder for each period."});
  }
  LEAT_ASSIGN(const auto every, TimeOption(spec->options, "every", kDay));
  if (every.count() <= 0) {
    return InvalidValue("every", OptionOr(spec->options, "every", ""), "A period has a length.");
  }
  spec->every = every.count();
  const bool days = every % std::chrono::microseconds(kDay) == std::chrono::microseconds(0);
  return AddTargetColumn({names[0], Type(days ? TypeId::kDate : TypeId::kTimestamp)}, relation,
                         spec);
}

void DescribeOptions(std::span<const OptionSpec> specs, std::string* out) {
  *out += "| option | of | default | meaning |\n|---|---|---|---|\n";
  for (const OptionSpec& spec : specs) {
    const std::string_view place = spec.place == OptionPlace::kServer  ? "server"
                                   : spec.place == OptionPlace::kTable ? "table"
                                                                       : "column";
    *out += fmt::format("| `{}` | {} | {} | {} |\n", spec.name, place, spec.default_value,
                        spec.meaning);
  }
  *out += "\n";
}

}  // namespace

Result<std::unique_ptr<Source>> MakeSource(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(const Connector* connector, Checked(server, relation));
  if (connector->make_shared != nullptr) return connector->make_shared(server, {&relation});
  return connector->make_source(server, relation);
}

Result<std::unique_ptr<Source>> MakeSource(const Server& server,
                                           const std::vector<const Relation*>& relations) {
  const Connector* connector = nullptr;
  for (const Relation* relation : relations) {
    LEAT_ASSIGN(connector, Checked(server, *relation));
  }
  return connector->make_shared(server, relations);
}

Result<std::vector<std::string>> DropWhatSourcesMade(const Server& server) {
  LEAT_ASSIGN(const Connector* connector, FindConnector(server));
  if (connector->drop == nullptr) return std::vector<std::string>();
  return connector->drop(server);
}

SourceTraits TraitsOf(const Server& server, const Relation& relation) {
  const auto connector = FindConnector(server);
  const bool known = connector.ok() && (*connector)->traits != nullptr;
  return known ? (*connector)->traits(relation) : SourceTraits{};
}

Result<std::unique_ptr<Sink>> MakeSink(SinkSpec spec) {
  LEAT_ASSIGN(const Connector* connector, Checked(spec.server, spec.options, {}, -1));
  if (spec.mode != SinkMode::kChangelog) return connector->make_sink(std::move(spec));
  spec.mode = SinkMode::kAppend;
  LEAT_ASSIGN(auto target, connector->make_sink(std::move(spec)));
  return WriteChanges(std::move(target));
}

Result<Schema> InferColumns(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(const Connector* connector, Checked(server, relation));
  return connector->infer_columns(server, relation);
}

Result<std::vector<Relation>> ImportRelations(const Server& server, const std::string& schema,
                                              const TableChoice& wanted) {
  LEAT_ASSIGN(const Connector* connector, Checked(server, {}, {}, -1));
  if (connector->import_tables != nullptr) {
    return connector->import_tables(server, schema, wanted);
  }
  return NotSupported(
      fmt::format("server \"{}\" has no schemas to import tables from", server.name), -1,
      "CREATE FOREIGN TABLE … () reads the columns of one.");
}

Status ReadEach(const Server& server, const Relation& relation, const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const Connector* connector, Checked(server, relation));
  return connector->read_each(server, relation, visit);
}

Result<std::vector<Batch>> ReadAll(const Server& server, const Relation& relation) {
  std::vector<Batch> batches;
  LEAT_RETURN(ReadEach(server, relation, [&](const Arrival& arrival) {
    if (arrival.batch.rows > 0) batches.push_back(arrival.batch);
    return Status::OK();
  }));
  return batches;
}

Result<std::optional<Mark>> ReadSinkMark(const SinkSpec& spec) {
  LEAT_ASSIGN(const Connector* connector, Checked(spec.server, spec.options, {}, -1));
  return connector->read_mark(spec);
}

Status CheckServer(const Server& server) { return Checked(server, {}, {}, -1).status(); }

Status CheckRelation(const Server& server, const Relation& relation) {
  LEAT_RETURN(Checked(server, relation).status());
  LEAT_RETURN(OnErrorOf(relation).status());
  LEAT_RETURN(RejectLimitOf(relation).status());
  LEAT_RETURN(SinkModeOf(server, relation.options, false).status());
  LEAT_RETURN(FlushRulesOf(server, relation.options).status());
  for (const ColumnSpec& column : relation.columns) {
    LEAT_RETURN(OnErrorOf(relation, column).status());
  }
  return Status::OK();
}

Result<SinkSpec> MakeSinkSpec(const Server& server, const Relation& relation,
                              const Schema& schema) {
  SinkSpec spec{.name = relation.name,
                .schema = schema,
                .comment = relation.comment,
                .options = relation.options,
                .server = server};
  spec.comments.resize(schema.columns.size());
  for (const ColumnSpec& column : relation.columns) {
    const int at = schema.Find(column.column.name);
    if (at >= 0) spec.comments[static_cast<size_t>(at)] = column.comment;
  }
  LEAT_ASSIGN(spec.key, ColumnList(relation.options, "key", schema));
  if (spec.key.empty()) {
    for (const int column : relation.primary_key) {
      const int at = schema.Find(relation.columns[static_cast<size_t>(column)].column.name);
      if (at >= 0) spec.key.push_back(at);
    }
  }
  LEAT_ASSIGN(spec.mode, SinkModeOf(server, relation.options, !spec.key.empty()));
  if (spec.mode == SinkMode::kUpsert && spec.key.empty()) {
    return SqlStatus(fmt::format("sink \"{}\" of mode \"upsert\" has no key", relation.name),
                     {.sqlstate = "42P10",
                      .location = relation.location,
                      .hint = "Add OPTIONS (key 'a, b'), or a PRIMARY KEY."});
  }
  if (spec.mode == SinkMode::kChangelog) {
    LEAT_RETURN(AddTargetColumn({kOpColumn, Type(TypeId::kText)}, relation, &spec));
  }
  if (spec.mode == SinkMode::kSnapshot) LEAT_RETURN(AddPeriod(relation, &spec));
  return spec;
}

std::string DescribeConnectors() {
  std::string text = "## Every connector\n\n";
  DescribeOptions(kCommonOptions, &text);
  std::string_view last;
  for (const Connector& connector : kConnectors) {
    if (connector.kind == last && connector.scheme != "postgresql") continue;
    text += connector.kind == last ? fmt::format("## {} on `{}:`\n\n", last, connector.scheme)
                                   : fmt::format("## {}\n\n", connector.kind);
    last = connector.kind;
    DescribeOptions(connector.options, &text);
  }
  text += "## Values that are text: `file`, `stream`, `http`\n\n";
  DescribeOptions(kTextOptions, &text);
  text += "## Rows that are made: the scheme `datagen:` of every kind\n\n";
  DescribeOptions(kDatagenOptions, &text);
  text +=
      "## Rows that are thrown away: the scheme `blackhole:`\n\nA sink on a `file`, `database` or "
      "`stream` server with this url takes every row, in every mode, and keeps none: to measure a "
      "pipeline without its targets. Its tables have the options of their kind.\n";
  return text;
}

}  // namespace leat
