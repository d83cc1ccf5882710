// Executes statements one after another over local tables, sources, sinks and a pipeline's state:
// what `leat sql` and `leat test` do.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "plan/dataflow.h"
#include "run/incremental.h"
#include "run/key_ranges.h"
#include "run/local_table.h"
#include "run/pipeline.h"
#include "run/read_view.h"
#include "run/rejects.h"
#include "run/sequence_values.h"
#include "sql/sql.h"

namespace leat {

// What a statement answers.
struct StatementResult {
  std::string tag;                    // as psql prints it: "INSERT 0 3", "CREATE TABLE", "SELECT 5"
  bool has_rows = false;              // SELECT, SHOW, EXPLAIN
  std::optional<std::string> output;  // COPY … TO STDOUT: the lines, instead of the tag
  Schema schema;
  Batch rows;  // in the order to show
};

struct SessionOptions {
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  Environment environment;
  std::string directory = ".";  // where relative paths and urls start
  // The pipeline's committed state, as it is when called; nullptr where nothing ran yet. Empty:
  // there is no state to look at.
  std::function<Result<ReadViewPtr>()> committed;
  int threads = 1;           // that a one-shot query computes with
  std::string without_rule;  // of plan/rules.h, in a test
};

// Used by one thread at a time.
class Session {
 public:
  explicit Session(SessionOptions options);
  ~Session();

  // Declares all of a pipeline: its relations can be queried as of its last commit.
  Status OpenPipeline(const std::string& path, std::string* where);
  // The same with fixtures: its sources are empty local tables (a row that breaks a constraint goes
  // to the rejects), and its sinks hold what their queries answer.
  Status OpenFixtures(const std::string& path, std::string* where);

  // Executes one statement. COPY … FROM stdin reads from `input` (psql's text format, or CSV by
  // option; up to a line "\."): nullptr refuses it.
  using LineReader = std::function<std::optional<std::string>()>;
  Result<StatementResult> Execute(const ParsedStatement& statement,
                                  const LineReader& input = nullptr);

  // Answers a SELECT in a given way. Queries over anything but local tables are answered plainly.
  Result<StatementResult> Answer(const Query& query, const Way& way);
  // Execute, with a SELECT answered in a given way.
  Result<StatementResult> ExecuteIn(const Way& way, const ParsedStatement& statement,
                                    const LineReader& input = nullptr);

  // An epoch of the incremental ways ends here, after what has changed so far; kRestart also
  // restores their operators from a checkpoint.
  void EndEpoch(Change::Then then);
  // Rows that came or went in all local tables.
  int64_t history_rows() const;

  // --- For verify ---
  const Pipeline* pipeline() const { return pipeline_.get(); }  // nullptr: none is open
  // What is committed by now, for the calls below.
  Result<ReadViewPtr> Look();
  // Visits what a standing query answers as of what Look saw, from its sources up: rows with
  // weights, to be summed up. Rows that cannot be computed are left out, as the machine does.
  Status VisitStanding(const StandingSink& sink, const std::function<Status(const Batch&)>& visit);
  // A condition over a relation's columns, and whether it holds for any row of a batch of them.
  Result<LogicalPtr> BindCondition(const std::string& relation, const std::string& where) const;
  Result<bool> AnyRow(const LogicalPtr& condition, const Batch& batch);

  const Catalog& catalog() const { return catalog_; }
  const std::string& timezone() const { return timezone_; }
  // Interrupts a running statement from a signal handler or another thread.
  void Cancel() { cancelled_ = true; }
  bool in_transaction() const { return !snapshots_.empty(); }

 private:
  // The local tables' rows at BEGIN or SAVEPOINT.
  struct Snapshot {
    std::string name;  // "": BEGIN
    std::map<std::string, Batch> contents;
    size_t history = 0;
  };

  Result<StatementResult> Run(BoundStatement statement, const ParsedStatement& parsed,
                              const Way& way, const LineReader& input);
  // Applies a declaration that changes the catalog alone; nullopt if it is not one.
  Result<std::optional<StatementResult>> Declare(BoundStatement* statement);
  Result<std::optional<StatementResult>> DeclareType(BoundStatement* statement);
  Result<std::optional<StatementResult>> DeclareSequence(BoundStatement* statement);
  void DropSequenceNamed(const std::string& name);
  // Those of a table's serial and identity columns.
  std::vector<std::string> SequencesOf(const std::string& table) const;
  Result<StatementResult> RunInsert(const InsertRows& insert);
  Result<StatementResult> RunUpsert(const InsertRows& insert, Batch rows);
  Result<StatementResult> RunAlter(AlterTable alter);
  Result<StatementResult> RunExecute(const ExecutePrepared& execute, const ParsedStatement& parsed,
                                     const Way& way, const LineReader& input);
  Result<StatementResult> RunDeallocate(const Deallocate& what);
  // The tag, and what RETURNING asks of the rows: the table's columns, then those behind.
  Result<StatementResult> Returned(const std::optional<Returning>& returning, const Batch& rows,
                                   std::string tag) const;
  Result<StatementResult> RunDelete(const DeleteRows& remove);
  Result<StatementResult> RunUpdate(const UpdateRows& update);
  Result<StatementResult> RunCopy(const CopyFrom& copy, const LineReader& input);
  Result<StatementResult> RunCopyTo(const CopyTo& copy);
  Result<StatementResult> RunMerge(const MergeRows& merge);
  Result<StatementResult> RunTruncate(const TruncateTable& truncate);
  Result<StatementResult> RunDrop(const DropRelation& drop);
  Result<StatementResult> RunCreate(CreateRelation create);
  Result<StatementResult> RunCreateAs(CreateTableAs as);
  Result<StatementResult> RunCreateIndex(const CreateIndex& create);
  Result<StatementResult> RunDropIndex(const DropIndex& drop);
  // A query's rows, together, without `_seq`.
  Result<Batch> RowsOf(const LogicalPtr& query);
  // What WITH RECURSIVE finds, in its place: scans of rows in `temporary_`.
  Result<LogicalPtr> Settled(const LogicalPtr& query, int64_t rows_max, const Cores& cores);
  Result<Batch> Recurse(const Logical& node, int64_t rows_max, const Cores& cores);
  Result<std::vector<Batch>> Compute(const LogicalPtr& query, const Cores& cores);
  // What `rows` chooses (sql.h): the places, ascending, and for each the values behind it.
  Result<std::pair<std::vector<int32_t>, Batch>> Chosen(const LogicalPtr& rows);
  Result<StatementResult> RunSet(const SetVariable& set);
  Result<StatementResult> RunShow(const ShowVariable& show);
  Result<StatementResult> RunExplain(const Explain& explain);
  Status Measure(const LogicalPtr& plan, int64_t* rows, std::vector<Dataflow::NodeReport>* reports);
  Result<StatementResult> RunTransaction(const Transaction& transaction);
  Result<StatementResult> RunSavepoint(const Transaction& transaction);
  Status TakeSnapshot(const std::string& name);
  // Brings back the rows of a snapshot.
  void Return(const Snapshot& snapshot);
  Result<StatementResult> Present(const Query& query, std::vector<Batch> batches) const;
  Result<std::vector<Batch>> AnswerOnce(const LogicalPtr& query, const Cores& cores);
  // The threads of one-shot queries; started when one is asked.
  Cores OwnCores();
  // Puts the queries of materialized views in their scans' place, except those that stand stored.
  Result<LogicalPtr> Expand(const LogicalPtr& query) const;
  bool OverLocalTables(const Logical& query) const;
  // Rows into a local table: all or none; for a fixture, rows that break a constraint are rejected.
  Result<Batch> AddRows(const std::string& table, Batch rows);
  // The places of the rows of a table for which `where` is true.
  Result<std::vector<int32_t>> Matching(LocalTable* table, const ExprPtr& where);
  void Record(const std::string& table, Batch delta);
  Result<int64_t> CopyText(const CopyFrom& copy, const LineReader& input);
  Result<int64_t> CopyFile(const CopyFrom& copy, const std::string& path);
  Status ScanSource(const Relation& relation, const std::function<Status(const Batch&)>& visit);
  // A stored view's rows, where the state has them as its definition stands here.
  const RowsScan* HeldRows(const Relation& source) const;
  const RowsScan* StoredRows(const Relation& view) const;
  // The columns by which the state keeps its rows; nullptr: it does not, or by all of them.
  const std::vector<int>* KeyOf(const std::string& relation) const;
  // Looks at what is committed by now; within a transaction, at what was at BEGIN.
  Status Refresh();
  // Where a query finds its relations' rows: of one key alone, if that is all it asks for.
  RelationScan ScannerOf(const Logical& query);
  // Rows by key only: of the range.
  Status Scan(const std::string& relation, const std::function<Status(const Batch&)>& visit,
              const KeyRange& range = {});
  Status CheckCancelled();
  Status ScanForeign(const Relation& relation, const std::function<Status(const Batch&)>& visit);
  void KnowSinkColumns();
  LocalTable* FindTable(const std::string& name);
  EvalContext Eval() const;

  SessionOptions options_;
  Catalog catalog_;
  mutable SequenceValues sequences_{&catalog_};
  std::map<std::string, std::unique_ptr<LocalTable>> tables_;
  std::vector<Change> history_;
  std::map<std::string, std::shared_ptr<const ParsedStatement>> prepared_;
  std::map<std::string, Batch> temporary_;  // of the query that runs: rows by a scan's name
  std::vector<Snapshot> snapshots_;         // of BEGIN, then of savepoints; empty: no transaction
  bool failed_ = false;                     // the transaction: nothing but its end is taken
  std::map<std::string, std::string> settings_;
  std::string timezone_ = "UTC";
  int64_t next_seq_ = 0;
  std::optional<Micros> transaction_clock_;
  std::atomic<bool> cancelled_ = false;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<Pipeline> pipeline_;
  std::set<std::string> fixtures_;  // local tables that stand for sources
  Rejects rejects_;                 // of fixtures
  ReadViewPtr view_;                // what this statement (or transaction) sees of the state
};

}  // namespace leat
