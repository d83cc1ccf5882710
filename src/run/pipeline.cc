#include "run/pipeline.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/whole_file.h"
#include "connect/connectors.h"
#include "data/date.h"
#include "data/text.h"
#include "func/function.h"
#include "plan/expand.h"
#include "plan/rules.h"
#include "run/import_schema.h"
#include "run/rejects.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

struct Script {
  std::string file;
  std::shared_ptr<const ParsedStatement> statement;
};

Result<std::vector<std::string>> FilesOf(const std::string& path) {
  if (!fs::is_directory(path)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".sql") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) return IOErrorF("no .sql file in \"{}\"", path);
  return files;
}

// An error while planning, at the statement that it is in.
template <typename T>
Result<T> PlacedAt(Result<T> result, int location) {
  const SqlError* error = SqlErrorOf(result.status());
  if (error == nullptr) return result;
  SqlError placed = *error;
  placed.location = location;
  return SqlStatus(result.status().message(), std::move(placed));
}

Result<Micros> ClockTickOf(const std::string& text) {
  LEAT_ASSIGN(const auto value, ParseValue(text, TypeId::kInterval, {}));
  const auto& interval = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*value).value;
  const Micros tick = interval.days * kMicrosPerDay + interval.nanoseconds / 1000;
  if (interval.months == 0 && tick >= 1000) return tick;
  return SqlStatus(fmt::format("clock_tick \"{}\" is not a time of a millisecond or more", text),
                   {.sqlstate = "22023", .hint = "SET clock_tick = '1 s' is what it is unset."});
}

// Loads one pipeline; `where_` follows the file that is being worked on.
class Loader {
 public:
  Loader(const PipelineOptions& options, std::string* where) : options_(options), where_(where) {}

  Result<Pipeline> Load() {
    LEAT_RETURN(AddRejectsRelation("", &pipeline_.catalog));
    LEAT_RETURN(Parse());
    LEAT_RETURN(DeclareAll());
    LEAT_RETURN(BindInserts());
    LEAT_RETURN(CollectStored());
    LEAT_RETURN(CollectSources());
    return std::move(pipeline_);
  }

 private:
  Status Parse();
  Status DeclareAll();
  Status Declare(const Script& script);
  Status Apply(BoundStatement statement, const Script& script);
  Status Import(const ImportSchema& import, const Script& script);
  Status InferIfSource(Relation* relation);
  Status BindInserts();
  Result<StandingSink> MakeSinkOf(const StandingInsert& insert);
  Status CollectStored();
  Status CollectSources();
  Result<std::string> LeaderOf(const StandingSource& source) const;
  void At(const std::string& file) {
    if (where_ != nullptr) *where_ = file;
  }

  const PipelineOptions& options_;
  std::string* where_;
  Pipeline pipeline_;
  std::vector<Script> scripts_;
  std::set<std::string> sink_names_;
};

Status Loader::Parse() {
  const fs::path path(options_.path);
  LEAT_ASSIGN(const auto files, FilesOf(options_.path));
  const bool directory = fs::is_directory(path);
  pipeline_.name =
      directory ? fs::absolute(path).lexically_normal().filename().string() : path.stem().string();
  pipeline_.directory = (directory ? path : path.parent_path()).string();
  if (pipeline_.directory.empty()) pipeline_.directory = ".";
  for (const auto& file : files) {
    At(file);
    LEAT_ASSIGN(auto text, ReadWholeFile(file));
    const auto& kept = pipeline_.texts[file] = std::move(text);
    LEAT_ASSIGN(auto statements, ParseSql(kept, options_.environment));
    for (auto& statement : statements) scripts_.push_back({file, std::move(statement)});
  }
  return Status::OK();
}

// Declarations come in any order: each is bound once what it refers to is declared. What refers to
// a name that nobody defines, or to itself in a circle, is bound last, for the binder's own error.
Status Loader::DeclareAll() {
  std::stable_sort(scripts_.begin(), scripts_.end(), [](const Script& one, const Script& other) {
    return RankOf(*one.statement) < RankOf(*other.statement);
  });
  std::set<std::string> undefined;
  std::vector<Script> waiting;
  for (const auto& script : scripts_) {
    if (RankOf(*script.statement) != DeclarationRank::kRest) {
      LEAT_RETURN(Declare(script));
      continue;
    }
    undefined.insert(DefinedBy(*script.statement));
    waiting.push_back(script);
  }
  undefined.erase("");
  while (!waiting.empty()) {
    std::vector<Script> later;
    for (const auto& script : waiting) {
      const auto references = ReferencesOf(*script.statement);
      const bool ready = std::none_of(references.begin(), references.end(), [&](const auto& name) {
        return undefined.contains(name) && name != DefinedBy(*script.statement);
      });
      if (!ready) {
        later.push_back(script);
        continue;
      }
      LEAT_RETURN(Declare(script));
      undefined.erase(DefinedBy(*script.statement));
    }
    if (later.size() == waiting.size()) {  // no progress: let the binder say what is wrong
      for (const auto& script : later) LEAT_RETURN(Declare(script));
      return Status::OK();
    }
    waiting = std::move(later);
  }
  return Status::OK();
}

Status Loader::Declare(const Script& script) {
  At(script.file);
  LEAT_ASSIGN(auto bound, Bind(*script.statement, pipeline_.catalog));
  return Apply(std::move(bound), script);
}

Status Loader::Apply(BoundStatement statement, const Script& script) {
  const int location = LocationOf(*script.statement);
  if (auto* server = std::get_if<CreateServer>(&statement)) {
    server->server.options["base"] = pipeline_.directory;
    if (pipeline_.settings.contains("timezone") && server->server.kind == "file") {
      server->server.options.try_emplace("timezone", pipeline_.settings.at("timezone"));
    }
    LEAT_RETURN(CheckServer(server->server));
    return pipeline_.catalog.AddServer(std::move(server->server));
  }
  if (auto* mapping = std::get_if<CreateUserMapping>(&statement)) {
    Server* server = pipeline_.catalog.FindServer(mapping->server);
    if (server == nullptr) {
      return SqlStatus(fmt::format("server \"{}\" does not exist", mapping->server),
                       {.sqlstate = "42704", .location = location});
    }
    server->credentials = std::move(mapping->options);
    return Status::OK();
  }
  if (const auto* import = std::get_if<ImportSchema>(&statement)) return Import(*import, script);
  if (auto* create = std::get_if<CreateRelation>(&statement)) {
    create->relation.file = script.file;
    if (create->relation.kind == RelationKind::kForeign) {
      const Server* server = pipeline_.catalog.FindServer(create->relation.server);
      LEAT_RETURN(CheckRelation(*server, create->relation));
    }
    LEAT_RETURN(InferIfSource(&create->relation));
    const std::string name = create->relation.name;
    const bool foreign = create->relation.kind == RelationKind::kForeign;
    LEAT_RETURN(pipeline_.catalog.AddRelation(std::move(create->relation)));
    return foreign ? AddRejectsRelation(name, &pipeline_.catalog) : Status::OK();
  }
  if (auto* insert = std::get_if<CreateInsert>(&statement)) {
    insert->insert.file = script.file;
    return pipeline_.catalog.AddInsert(std::move(insert->insert));
  }
  if (auto* function = std::get_if<CreateFunction>(&statement)) {
    return pipeline_.catalog.AddFunction(std::move(function->function), function->replace);
  }
  if (auto* rows = std::get_if<InsertRows>(&statement)) {
    if (rows->conflict || rows->returning) {
      return NotSupported(
          "a pipeline declares a table's content: ON CONFLICT and RETURNING have "
          "no place in it",
          location, "Write the rows as they shall be.");
    }
    pipeline_.contents.push_back(std::move(*rows));
    return Status::OK();
  }
  if (auto* comment = std::get_if<CommentOn>(&statement)) {
    Relation* relation = pipeline_.catalog.FindRelation(comment->relation);
    if (relation == nullptr) return Status::OK();
    if (comment->column.empty()) relation->comment = comment->text;
    for (auto& column : relation->columns) {
      if (column.column.name == comment->column) column.comment = comment->text;
    }
    return Status::OK();
  }
  if (auto* set = std::get_if<SetVariable>(&statement)) {
    pipeline_.settings[set->name] = set->value;
    if (set->name == "clock_tick") {
      LEAT_ASSIGN(pipeline_.clock_tick, PlacedAt(ClockTickOf(set->value), location));
    }
    pipeline_.catalog.Set(set->name, set->value);
    return Status::OK();
  }
  if (std::holds_alternative<Transaction>(statement)) return Status::OK();
  return NotSupported("a pipeline holds declarations; this statement is not one", location,
                      "Run it with `leat sql`.");
}

Status Loader::Import(const ImportSchema& import, const Script& script) {
  const Server& server = *pipeline_.catalog.FindServer(import.server);
  const int location = LocationOf(*script.statement);
  std::optional<std::vector<Relation>> relations = PinnedImport(import, options_.pinned);
  if (!relations) {
    if (options_.offline) {
      return NotSupported(
          fmt::format("the tables of schema \"{}\" of server \"{}\" are not known yet",
                      import.schema, import.server),
          location, "Run the pipeline once: what IMPORT FOREIGN SCHEMA finds is kept.");
    }
    LEAT_ASSIGN(relations, PlacedAt(ImportTables(import, server), location));
  }
  PinImport(import, *relations, &pipeline_.pinned);
  for (Relation& relation : *relations) {
    relation.file = script.file;
    relation.location = location;
    const std::string name = relation.name;
    LEAT_RETURN(CheckRelation(server, relation));
    LEAT_RETURN(pipeline_.catalog.AddRelation(std::move(relation)));
    LEAT_RETURN(AddRejectsRelation(name, &pipeline_.catalog));
  }
  return Status::OK();
}

// `()`: a sink takes its columns from what is inserted; a source's are read once and pinned.
Status Loader::InferIfSource(Relation* relation) {
  for (const ColumnSpec& spec : relation->columns) {
    if (spec.sequence.empty()) continue;
    return NotSupported("a sequence in a pipeline is not supported", relation->location,
                        "Its numbers could not be drawn again after a crash.");
  }
  if (relation->kind != RelationKind::kForeign || !relation->infer_columns) return Status::OK();
  if (sink_names_.empty()) {
    for (const auto& script : scripts_) sink_names_.insert(InsertTargetOf(*script.statement));
  }
  if (sink_names_.contains(relation->name)) return Status::OK();
  std::vector<Column> columns;
  if (const auto pinned = options_.pinned.find(relation->name); pinned != options_.pinned.end()) {
    columns = pinned->second;
  } else if (options_.offline) {
    return NotSupported(fmt::format("the columns of \"{}\" are not known yet", relation->name),
                        relation->location,
                        "Declare them, or run the pipeline once: () is inferred then and kept.");
  } else {
    const Server* server = pipeline_.catalog.FindServer(relation->server);
    LEAT_ASSIGN(const Schema schema, InferColumns(*server, *relation));
    columns = schema.columns;
  }
  pipeline_.pinned[relation->name] = columns;
  for (const auto& column : columns) {
    ColumnSpec spec;
    spec.column = column;
    spec.outside_name = column.name;
    relation->columns.push_back(std::move(spec));
  }
  return Status::OK();
}

Status Loader::BindInserts() {
  for (const auto& insert : pipeline_.catalog.inserts()) {
    At(insert.file);
    LEAT_ASSIGN(auto sink, MakeSinkOf(insert));
    pipeline_.sinks.push_back(std::move(sink));
  }
  return Status::OK();
}

Result<StandingSink> Loader::MakeSinkOf(const StandingInsert& insert) {
  const Relation& relation = *pipeline_.catalog.FindRelation(insert.sink);
  const Server* server = pipeline_.catalog.FindServer(relation.server);
  LEAT_ASSIGN(const Query query, BindInsertQuery(insert, pipeline_.catalog));
  StandingSink sink{.name = insert.sink, .sql = insert.sql, .location = insert.location};
  LEAT_ASSIGN(LogicalPtr expanded, ExpandOver(pipeline_.catalog, VisibleColumns(query)));
  LEAT_ASSIGN(sink.query, PlacedAt(MoveWithClock(ApplyRules(expanded)), insert.location));
  sink.hash = HashOf(*sink.query);
  LEAT_ASSIGN(sink.spec, MakeSinkSpec(*server, relation, sink.query->schema));
  LEAT_ASSIGN(sink.flush, FlushRulesOf(*server, relation.options));
  const auto properties = PropertiesOf(
      *sink.query, [&](const std::string& name) { return pipeline_.PropertiesOfSource(name); });
  sink.unique = IsUnique(properties, sink.spec.key);
  if (sink.spec.mode == SinkMode::kUpsert && sink.spec.key.empty()) {
    return SqlStatus(fmt::format("sink \"{}\" has mode 'upsert' but no key", sink.name),
                     {.sqlstate = "42P16",
                      .location = insert.location,
                      .hint = "Add OPTIONS (key 'column, …')."});
  }
  if (sink.spec.mode == SinkMode::kAppend && !properties.append_only) {
    return SqlStatus(
        fmt::format("the query of sink \"{}\" takes rows back, and the sink can only append",
                    sink.name),
        {.sqlstate = "0A000",
         .location = insert.location,
         .hint = "Give the sink a key: OPTIONS (mode 'upsert', key 'column, …')."});
  }
  return sink;
}

Status Loader::CollectStored() {
  for (const auto& [name, relation] : pipeline_.catalog.relations()) {
    if (relation.kind != RelationKind::kMaterializedView) continue;
    At(relation.file);
    LEAT_ASSIGN(const Query query, BindViewQuery(relation, pipeline_.catalog));
    const auto stored = relation.options.find("stored");
    if (relation.primary_key.empty() &&
        (stored == relation.options.end() || stored->second != "true"))
      continue;
    StoredView view{.name = name, .key = relation.primary_key};
    LEAT_ASSIGN(LogicalPtr expanded, ExpandOver(pipeline_.catalog, VisibleColumns(query)));
    LEAT_ASSIGN(view.query, PlacedAt(MoveWithClock(ApplyRules(expanded)), relation.location));
    view.hash = HashOf(*view.query);
    pipeline_.stored.push_back(std::move(view));
  }
  return Status::OK();
}

Status Loader::CollectSources() {
  std::set<std::string> read;
  const auto add = [&](const LogicalPtr& query) -> Status {
    for (const auto& name : ScannedRelations(*query)) {
      const Relation* relation = pipeline_.catalog.FindRelation(name);
      if (RejectsOf(name) || relation == nullptr || relation->kind != RelationKind::kForeign ||
          !read.insert(name).second)
        continue;
      for (const auto& sink : pipeline_.sinks) {
        if (sink.name != name) continue;
        return SqlStatus(
            fmt::format("\"{}\" is a sink of this pipeline and cannot be its source", name),
            {.sqlstate = "0A000",
             .location = sink.location,
             .hint = "Read the view that it is filled from."});
      }
      StandingSource source{.name = name, .server = relation->server};
      source.after = OptionOr(relation->options, "after", "");
      LEAT_ASSIGN(source.reject_limit, RejectLimitOf(*relation));
      source.traits = TraitsOf(*pipeline_.catalog.FindServer(relation->server), *relation);
      LEAT_ASSIGN(source.leader, LeaderOf(source));
      pipeline_.sources.push_back(std::move(source));
    }
    return Status::OK();
  };
  for (const auto& sink : pipeline_.sinks) LEAT_RETURN(add(sink.query));
  for (const auto& view : pipeline_.stored) LEAT_RETURN(add(view.query));
  return Status::OK();
}

Result<std::string> Loader::LeaderOf(const StandingSource& source) const {
  if (!source.traits.shared) return source.name;
  if (!source.after.empty()) {
    return NotSupported(
        fmt::format("\"{}\" is read with its server's other tables, as their transactions came",
                    source.name),
        pipeline_.catalog.FindRelation(source.name)->location, "Leave out the option `after`.");
  }
  for (const StandingSource& other : pipeline_.sources) {
    if (other.traits.shared && other.server == source.server) return other.leader;
  }
  return source.name;
}

}  // namespace

Relation TargetOf(const StandingSink& sink, Relation declared) {
  declared.infer_columns = false;
  if (!declared.columns.empty()) return declared;
  for (const Column& column : sink.spec.schema.columns) {
    ColumnSpec spec;
    spec.column = column;
    spec.outside_name = column.name;
    declared.columns.push_back(std::move(spec));
  }
  return declared;
}

Properties Pipeline::PropertiesOfSource(const std::string& relation) const {
  const Relation* found = catalog.FindRelation(relation);
  // Rejects are foreign and have no server.
  const Server* server = found == nullptr ? nullptr : catalog.FindServer(found->server);
  if (server != nullptr && found->kind == RelationKind::kForeign) {
    const SourceTraits traits = TraitsOf(*server, *found);
    if (!traits.key.empty()) return {.keys = {traits.key}};
    if (traits.whole) return {};
  }
  // Files only grow, and a local table's content is part of the definition: nothing is taken back.
  return {.append_only = true, .in_order = true};
}

Result<Pipeline> LoadPipeline(const PipelineOptions& options, std::string* where) {
  return Loader(options, where).Load();
}

Result<LogicalPtr> ExpandOver(const Catalog& catalog, const LogicalPtr& query,
                              const std::function<bool(const Relation& view)>& at_hand) {
  return ExpandViews(query, [&](const std::string& name) -> Result<LogicalPtr> {
    const Relation* relation = catalog.FindRelation(name);
    if (relation == nullptr || relation->kind != RelationKind::kMaterializedView)
      return LogicalPtr();
    if (at_hand && at_hand(*relation)) return LogicalPtr();
    LEAT_ASSIGN(const Query view, BindViewQuery(*relation, catalog));
    return VisibleColumns(view);
  });
}

}  // namespace leat
