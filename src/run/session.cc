#include "run/session.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include "base/check.h"
#include "connect/connectors.h"
#include "plan/exchange.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "plan/rules.h"
#include "run/import_schema.h"

namespace leat {
namespace {

Result<Batch> TextColumn(const std::vector<std::string>& lines) {
  arrow::StringBuilder builder;
  LEAT_RETURN(builder.AppendValues(lines));
  Batch batch{.rows = static_cast<int64_t>(lines.size())};
  LEAT_ASSIGN(auto array, builder.Finish());
  batch.columns.push_back(std::move(array));
  return batch;
}

Result<StatementResult> Lines(const std::string& column, const std::vector<std::string>& lines,
                              std::string tag) {
  StatementResult result{.tag = std::move(tag), .has_rows = true};
  result.schema.columns.push_back({column, TypeId::kText});
  LEAT_ASSIGN(result.rows, TextColumn(lines));
  return result;
}

// As a command's tag has it: "FOREIGN TABLE".
std::string TagOf(RelationKind kind) {
  std::string tag(KindName(kind));
  std::transform(tag.begin(), tag.end(), tag.begin(),
                 [](char c) { return c == ' ' ? c : static_cast<char>(c - 'a' + 'A'); });
  return tag;
}

// What a transaction that failed still takes.
bool EndsFailure(const BoundStatement& statement) {
  const auto* transaction = std::get_if<Transaction>(&statement);
  return transaction != nullptr &&
         (transaction->what == "COMMIT" || transaction->what == "ROLLBACK" ||
          transaction->what == "ROLLBACK TO");
}

}  // namespace

Session::Session(SessionOptions options) : options_(std::move(options)) {
  LEAT_CHECK(AddRejectsRelation("", &catalog_).ok());
}
Session::~Session() = default;

EvalContext Session::Eval() const {
  return {.now = transaction_clock_.value_or(options_.clock->Now()),
          .timezone = timezone_,
          .sequences = &sequences_};
}

Result<StatementResult> Session::Execute(const ParsedStatement& statement,
                                         const LineReader& input) {
  return ExecuteIn({}, statement, input);
}

Result<StatementResult> Session::ExecuteIn(const Way& way, const ParsedStatement& statement,
                                           const LineReader& input) {
  cancelled_ = false;  // what came between statements is for nobody
  LEAT_RETURN(Refresh());
  auto result = [&]() -> Result<StatementResult> {
    auto bound = Bind(statement, catalog_);
    if (failed_ && !(bound.ok() && EndsFailure(*bound))) {
      return SqlStatus(
          "current transaction is aborted, commands ignored until end of transaction block",
          {.sqlstate = "25P02"});
    }
    LEAT_RETURN(bound.status());
    return Run(std::move(*bound), statement, way, input);
  }();
  failed_ |= !result.ok() && in_transaction();
  if (!in_transaction()) view_.reset();  // a running process holds it for us
  return result;
}

Result<StatementResult> Session::Run(BoundStatement statement, const ParsedStatement& parsed,
                                     const Way& way, const LineReader& input) {
  if (const auto* select = std::get_if<Select>(&statement)) return Answer(select->query, way);
  if (const auto* insert = std::get_if<InsertRows>(&statement)) return RunInsert(*insert);
  if (const auto* remove = std::get_if<DeleteRows>(&statement)) return RunDelete(*remove);
  if (const auto* update = std::get_if<UpdateRows>(&statement)) return RunUpdate(*update);
  if (const auto* copy = std::get_if<CopyFrom>(&statement)) return RunCopy(*copy, input);
  if (const auto* copy = std::get_if<CopyTo>(&statement)) return RunCopyTo(*copy);
  if (const auto* merge = std::get_if<MergeRows>(&statement)) return RunMerge(*merge);
  if (const auto* truncate = std::get_if<TruncateTable>(&statement)) return RunTruncate(*truncate);
  if (const auto* drop = std::get_if<DropRelation>(&statement)) return RunDrop(*drop);
  if (auto* create = std::get_if<CreateRelation>(&statement)) return RunCreate(std::move(*create));
  if (auto* as = std::get_if<CreateTableAs>(&statement)) return RunCreateAs(std::move(*as));
  if (const auto* index = std::get_if<CreateIndex>(&statement)) return RunCreateIndex(*index);
  if (const auto* index = std::get_if<DropIndex>(&statement)) return RunDropIndex(*index);
  if (const auto* what = std::get_if<Maintenance>(&statement)) {
    return StatementResult{.tag = what->tag};
  }
  if (const auto* show = std::get_if<ShowVariable>(&statement)) return RunShow(*show);
  if (const auto* explain = std::get_if<Explain>(&statement)) return RunExplain(*explain);
  if (auto* alter = std::get_if<AlterTable>(&statement)) return RunAlter(std::move(*alter));
  if (const auto* execute = std::get_if<ExecutePrepared>(&statement)) {
    return RunExecute(*execute, parsed, way, input);
  }
  if (const auto* what = std::get_if<Deallocate>(&statement)) return RunDeallocate(*what);
  if (auto* prepare = std::get_if<Prepare>(&statement)) {
    if (prepared_.contains(prepare->name)) {
      return SqlStatus(fmt::format("prepared statement \"{}\" already exists", prepare->name),
                       {.sqlstate = "42P05"});
    }
    prepared_.emplace(prepare->name, std::move(prepare->statement));
    return StatementResult{.tag = "PREPARE"};
  }
  if (const auto* what = std::get_if<Transaction>(&statement)) return RunTransaction(*what);
  LEAT_ASSIGN(auto declared, Declare(&statement));
  if (declared) return *declared;
  return NotSupported("INSERT INTO a sink is a standing statement", LocationOf(parsed),
                      "Put it into a pipeline file and `leat run` that.");
}

// --- Declarations --------------------------------------------------------------------------------

Result<std::optional<StatementResult>> Session::Declare(BoundStatement* statement) {
  if (auto* create = std::get_if<CreateServer>(statement)) {
    create->server.options["base"] = options_.directory;
    LEAT_RETURN(CheckServer(create->server));
    if (create->if_not_exists && catalog_.FindServer(create->server.name) != nullptr) {
      return StatementResult{.tag = "CREATE SERVER"};
    }
    LEAT_RETURN(catalog_.AddServer(std::move(create->server)));
    return StatementResult{.tag = "CREATE SERVER"};
  }
  if (auto* mapping = std::get_if<CreateUserMapping>(statement)) {
    Server* server = catalog_.FindServer(mapping->server);
    if (server == nullptr) {
      return SqlStatus(fmt::format("server \"{}\" does not exist", mapping->server),
                       {.sqlstate = "42704"});
    }
    server->credentials = std::move(mapping->options);
    return StatementResult{.tag = "CREATE USER MAPPING"};
  }
  if (const auto* import = std::get_if<ImportSchema>(statement)) {
    LEAT_ASSIGN(auto tables, ImportTables(*import, *catalog_.FindServer(import->server)));
    for (Relation& table : tables) {
      LEAT_RETURN(RunCreate({.relation = std::move(table)}).status());
    }
    return StatementResult{.tag = "IMPORT FOREIGN SCHEMA"};
  }
  if (const auto* comment = std::get_if<CommentOn>(statement)) {
    if (Relation* relation = catalog_.FindRelation(comment->relation); relation != nullptr) {
      if (comment->column.empty()) relation->comment = comment->text;
      for (auto& column : relation->columns) {
        if (column.column.name == comment->column) column.comment = comment->text;
      }
    }
    return StatementResult{.tag = "COMMENT"};
  }
  if (const auto* set = std::get_if<SetVariable>(statement)) {
    LEAT_ASSIGN(auto result, RunSet(*set));
    return result;
  }
  if (auto* create = std::get_if<CreateFunction>(statement)) {
    LEAT_RETURN(catalog_.AddFunction(std::move(create->function), create->replace));
    return StatementResult{.tag = "CREATE FUNCTION"};
  }
  if (const auto* drop = std::get_if<DropFunction>(statement)) {
    for (const SqlFunction* function : drop->functions) catalog_.DropFunction(function);
    return StatementResult{.tag = "DROP FUNCTION"};
  }
  return DeclareType(statement);
}

Result<StatementResult> Session::RunCreate(CreateRelation create) {
  Relation& relation = create.relation;
  const std::string tag = fmt::format("CREATE {}", TagOf(relation.kind));
  if (create.if_not_exists && catalog_.FindRelation(relation.name) != nullptr) {
    return StatementResult{.tag = tag};
  }
  if (relation.kind == RelationKind::kForeign && relation.infer_columns) {
    const Server* server = catalog_.FindServer(relation.server);
    LEAT_ASSIGN(const Schema schema, InferColumns(*server, relation));
    for (const Column& column : schema.columns) {
      ColumnSpec spec;
      spec.column = column;
      spec.outside_name = column.name;
      relation.columns.push_back(std::move(spec));
    }
  }
  const std::string name = relation.name;
  if (create.replace && catalog_.FindRelation(name) != nullptr) LEAT_RETURN(catalog_.Drop(name));
  const bool local = relation.kind == RelationKind::kTable;
  const bool foreign = relation.kind == RelationKind::kForeign;
  if (foreign) LEAT_RETURN(CheckRelation(*catalog_.FindServer(relation.server), relation));
  LEAT_RETURN(catalog_.AddRelation(std::move(relation)));
  for (SequenceSpec& sequence : create.sequences) {
    LEAT_RETURN(catalog_.AddSequence(std::move(sequence)));
  }
  if (foreign) LEAT_RETURN(AddRejectsRelation(name, &catalog_));
  if (local) tables_[name] = std::make_unique<LocalTable>(catalog_.FindRelation(name));
  return StatementResult{.tag = tag};
}

Result<StatementResult> Session::RunDrop(const DropRelation& drop) {
  std::string kind = "TABLE";
  std::vector<std::string> names = drop.dependents;
  names.insert(names.end(), drop.names.begin(), drop.names.end());
  for (const std::string& name : names) {
    const Relation* relation = catalog_.FindRelation(name);
    if (relation == nullptr && drop.if_exists) continue;
    if (relation != nullptr) kind = TagOf(relation->kind);
    LEAT_RETURN(catalog_.Drop(name));
    if (catalog_.FindRelation(name + "__rejects") != nullptr)
      LEAT_RETURN(catalog_.Drop(name + "__rejects"));
    for (const std::string& sequence : SequencesOf(name)) DropSequenceNamed(sequence);
    tables_.erase(name);
    std::erase_if(history_, [&](const Change& change) { return change.relation == name; });
  }
  return StatementResult{.tag = fmt::format("DROP {}", kind)};
}

Result<StatementResult> Session::RunSet(const SetVariable& set) {
  catalog_.Set(set.name, set.value);
  settings_[set.name] = set.value;
  timezone_ = catalog_.Setting("timezone");
  return StatementResult{.tag = "SET"};
}

Result<StatementResult> Session::RunShow(const ShowVariable& show) {
  static const std::map<std::string, std::string, std::less<>> kFixed = {
      {"server_version", "15.0 (leat)"},
      {"server_encoding", "UTF8"},
      {"client_encoding", "UTF8"},
      {"datestyle", "ISO, MDY"},
      {"intervalstyle", "postgres"},
      {"standard_conforming_strings", "on"},
      {"transaction_isolation", "serializable"},
      {"extra_float_digits", "1"},
      {"search_path", "public"},
      {"lc_collate", "C"},
      {"integer_datetimes", "on"}};
  std::string value = catalog_.Setting(show.name);
  if (const auto it = settings_.find(show.name); it != settings_.end()) value = it->second;
  if (value.empty()) {
    const auto it = kFixed.find(show.name);
    if (it == kFixed.end()) {
      return SqlStatus(fmt::format("unrecognized configuration parameter \"{}\"", show.name),
                       {.sqlstate = "42704"});
    }
    value = it->second;
  }
  return Lines(show.name == "timezone" ? "TimeZone" : show.name, {value}, "SHOW");
}

// ROLLBACK restores the tables' contents as of BEGIN; declarations are not undone, and say so.
Result<StatementResult> Session::RunTransaction(const Transaction& transaction) {
  if (!transaction.name.empty()) return RunSavepoint(transaction);
  if (transaction.what == "BEGIN") {
    if (in_transaction()) return StatementResult{.tag = "BEGIN"};
    LEAT_RETURN(TakeSnapshot(""));
    transaction_clock_ = options_.clock->Now();
    return StatementResult{.tag = "BEGIN"};
  }
  const bool back = transaction.what == "ROLLBACK" || failed_;
  if (back && in_transaction()) Return(snapshots_.front());
  snapshots_.clear();
  failed_ = false;
  transaction_clock_.reset();
  return StatementResult{.tag = back ? "ROLLBACK" : "COMMIT"};
}

Status Session::TakeSnapshot(const std::string& name) {
  Snapshot snapshot{.name = name, .history = history_.size()};
  for (auto& [table_name, table] : tables_) {
    LEAT_ASSIGN(snapshot.contents[table_name], table->contents());
  }
  snapshots_.push_back(std::move(snapshot));
  return Status::OK();
}

void Session::Return(const Snapshot& snapshot) {
  for (const auto& [name, contents] : snapshot.contents) {
    if (const auto it = tables_.find(name); it != tables_.end()) it->second->Reset(contents);
  }
  history_.resize(std::min(history_.size(), snapshot.history));
}

Result<StatementResult> Session::RunSavepoint(const Transaction& transaction) {
  const bool save = transaction.what == "SAVEPOINT";
  const bool release = transaction.what == "RELEASE";
  if (!in_transaction()) {
    const std::string_view words = save      ? "SAVEPOINT"
                                   : release ? "RELEASE SAVEPOINT"
                                             : "ROLLBACK TO SAVEPOINT";
    return SqlStatus(fmt::format("{} can only be used in transaction blocks", words),
                     {.sqlstate = "25P01"});
  }
  if (save) {
    LEAT_RETURN(TakeSnapshot(transaction.name));
    return StatementResult{.tag = "SAVEPOINT"};
  }
  auto last = snapshots_.end();
  for (auto it = snapshots_.begin() + 1; it != snapshots_.end(); ++it) {
    if (it->name == transaction.name) last = it;
  }
  if (last == snapshots_.end()) {
    return SqlStatus(fmt::format("savepoint \"{}\" does not exist", transaction.name),
                     {.sqlstate = "3B001"});
  }
  if (release) {
    snapshots_.erase(last, snapshots_.end());
    return StatementResult{.tag = "RELEASE"};
  }
  Return(*last);
  snapshots_.erase(last + 1, snapshots_.end());
  failed_ = false;
  return StatementResult{.tag = "ROLLBACK"};
}

// --- Queries -------------------------------------------------------------------------------------

Result<LogicalPtr> Session::Expand(const LogicalPtr& query) const {
  LEAT_ASSIGN(const LogicalPtr expanded, ExpandOver(catalog_, query, [&](const Relation& view) {
                return StoredRows(view) != nullptr;
              }));
  return ApplyRules(expanded, options_.without_rule);
}

bool Session::OverLocalTables(const Logical& query) const {
  const auto names = ScannedRelations(query);
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return tables_.contains(name); });
}

Cores Session::OwnCores() {
  if (!pool_) pool_ = std::make_unique<ThreadPool>(options_.threads);
  return {.pool = pool_.get(), .shards = std::min(options_.threads, kShardsMax)};
}

Status Session::CheckCancelled() {
  if (!cancelled_.exchange(false)) return Status::OK();
  return SqlStatus("canceling statement due to user request", {.sqlstate = "57014"});
}

Result<std::vector<Batch>> Session::AnswerOnce(const LogicalPtr& query, const Cores& cores) {
  auto settled = Settled(query, -1, cores);
  auto batches = settled.ok() ? Compute(*settled, cores) : settled.status();
  temporary_.clear();
  return batches;
}

Result<std::vector<Batch>> Session::Compute(const LogicalPtr& query, const Cores& cores) {
  std::vector<Batch> batches;
  const auto visit = [&](const Batch& batch) -> Status {
    LEAT_RETURN(CheckCancelled());
    batches.push_back(batch);
    return Status::OK();
  };
  LEAT_RETURN(RunOnce(query, ScannerOf(*query), Eval(), visit, cores));
  const auto weighted = [](const Batch& batch) { return batch.weights != nullptr; };
  if (std::none_of(batches.begin(), batches.end(), weighted)) return batches;
  LEAT_ASSIGN(Batch sum, SumOf(query->schema, batches));
  return std::vector<Batch>{std::move(sum)};
}

Result<StatementResult> Session::Answer(const Query& query, const Way& way) {
  LEAT_ASSIGN(const LogicalPtr expanded, Expand(query.root));
  if (way.cut == Way::Cut::kOnceThreads) {
    ThreadPool pool(kWayThreads);
    const auto round_rows = static_cast<int64_t>(1 + way.seed % 20);
    LEAT_ASSIGN(auto batches, AnswerOnce(expanded, WayCores(&pool, round_rows)));
    return Present(query, std::move(batches));
  }
  if (way.cut == Way::Cut::kPlain || !OverLocalTables(*expanded) || DrawsNumbers(*expanded)) {
    LEAT_ASSIGN(auto batches, AnswerOnce(expanded, OwnCores()));
    return Present(query, std::move(batches));
  }
  LEAT_ASSIGN(Batch answer, AnswerIncrementally(expanded, history_, way, Eval()));
  return Present(query, {std::move(answer)});
}

Result<StatementResult> Session::Present(const Query& query, std::vector<Batch> batches) const {
  const Schema& schema = query.root->schema;
  // `_seq` is of no use from here on, and batches may disagree about having it.
  for (Batch& batch : batches) batch.seq = nullptr;
  LEAT_ASSIGN(Batch rows, Concatenate(schema, batches));
  if (!query.order.empty()) {
    LEAT_ASSIGN(rows, SortBatch(rows, query.order, Eval()));
  }
  StatementResult result{.tag = fmt::format("SELECT {}", rows.rows), .has_rows = true};
  const auto visible = static_cast<size_t>(query.visible);
  result.schema.columns.assign(schema.columns.begin(), schema.columns.begin() + query.visible);
  rows.columns.resize(visible);
  result.rows = std::move(rows);
  return result;
}

}  // namespace leat
