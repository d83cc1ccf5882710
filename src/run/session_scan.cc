// Where a session's queries find the rows of a relation.
#include <filesystem>

#include "connect/connectors.h"
#include "data/key.h"
#include "plan/expand.h"
#include "run/machine.h"
#include "run/row_text.h"
#include "run/session.h"
#include "run/state_dir.h"

namespace leat {

Status Session::OpenPipeline(const std::string& path, std::string* where) {
  PipelineOptions options{.path = path, .environment = options_.environment};
  LEAT_ASSIGN(auto state, StateDirectory::OpenToRead(options_.files, options_.state_dir));
  Manifest manifest;
  LEAT_ASSIGN(const bool there, state->Load(&manifest));
  if (there) {
    options.pinned = manifest.pinned;
    LEAT_ASSIGN(StateReader * reader, state->Reader("rejects"));
    LEAT_RETURN(rejects_.Restore(reader));
  }
  LEAT_ASSIGN(Pipeline pipeline, LoadPipeline(options, where));
  pipeline_ = std::make_unique<Pipeline>(std::move(pipeline));
  catalog_ = pipeline_->catalog;
  for (const auto& [name, value] : pipeline_->settings) LEAT_RETURN(RunSet({name, value}).status());
  for (const auto& [name, relation] : catalog_.relations()) {
    if (relation.kind == RelationKind::kTable)
      tables_[name] = std::make_unique<LocalTable>(&relation);
  }
  for (const auto& insert : pipeline_->contents) LEAT_RETURN(RunInsert(insert).status());
  KnowSinkColumns();
  return Status::OK();
}

// A sink's columns are its query's.
void Session::KnowSinkColumns() {
  for (const StandingSink& sink : pipeline_->sinks) {
    Relation* relation = catalog_.FindRelation(sink.name);
    relation->infer_columns = false;
    if (!relation->columns.empty()) continue;
    for (const Column& column : sink.spec.schema.columns) {
      ColumnSpec spec;
      spec.column = column;
      spec.outside_name = column.name;
      relation->columns.push_back(std::move(spec));
    }
  }
}

Status Session::OpenFixtures(const std::string& path, std::string* where) {
  LEAT_ASSIGN(Pipeline pipeline,
              LoadPipeline({.path = path, .environment = options_.environment}, where));
  pipeline_ = std::make_unique<Pipeline>(std::move(pipeline));
  catalog_ = pipeline_->catalog;
  for (const StandingSource& source : pipeline_->sources) {
    catalog_.FindRelation(source.name)->kind = RelationKind::kTable;
    fixtures_.insert(source.name);
  }
  for (const StandingInsert& insert : pipeline_->catalog.inserts()) {
    Relation* sink = catalog_.FindRelation(insert.sink);
    sink->kind = RelationKind::kMaterializedView;
    sink->sql = insert.sql;
  }
  KnowSinkColumns();
  for (const auto& [name, relation] : catalog_.relations()) {
    if (relation.kind == RelationKind::kTable)
      tables_[name] = std::make_unique<LocalTable>(&relation);
  }
  for (const auto& insert : pipeline_->contents) LEAT_RETURN(RunInsert(insert).status());
  return Status::OK();
}

Status Session::Scan(const std::string& relation,
                     const std::function<Status(const Batch&)>& visit) {
  if (LocalTable* table = FindTable(relation); table != nullptr) {
    LEAT_ASSIGN(const Batch rows, table->contents());
    return visit(rows);
  }
  if (const auto of = RejectsOf(relation); of) {
    return rejects_.Scan(*of, [&](const Batch& batch) -> Status {
      Batch rows = batch;
      LEAT_ASSIGN(rows.seq, ArrivalNumbers(0, rows.rows));
      return visit(rows);
    });
  }
  const Relation* found = catalog_.FindRelation(relation);
  if (found == nullptr) {
    return SqlStatus(fmt::format("relation \"{}\" does not exist", relation),
                     {.sqlstate = kUndefinedTable});
  }
  return ScanForeign(*found, visit);
}

Status Session::ScanForeign(const Relation& relation,
                            const std::function<Status(const Batch&)>& visit) {
  const Server& server = *catalog_.FindServer(relation.server);
  const bool sink =
      pipeline_ && std::any_of(pipeline_->sinks.begin(), pipeline_->sinks.end(),
                               [&](const auto& s) { return s.name == relation.name; });
  if (!sink && server.kind == "file") return ScanSource(relation, visit);
  LEAT_ASSIGN(const auto batches, ReadAll(server, relation));
  for (const Batch& batch : batches) LEAT_RETURN(visit(batch));
  return Status::OK();
}

// A source is read from its beginning: up to what the pipeline's state has committed, or all that
// is there now.
Status Session::ScanSource(const Relation& relation,
                           const std::function<Status(const Batch&)>& visit) {
  LEAT_ASSIGN(auto source, MakeSource(*catalog_.FindServer(relation.server), relation));
  LEAT_RETURN(source->Seek(""));
  if (pipeline_ && !options_.state_dir.empty()) {
    LEAT_ASSIGN(auto state, StateDirectory::OpenToRead(options_.files, options_.state_dir));
    Manifest manifest;
    LEAT_ASSIGN(const bool there, state->Load(&manifest));
    for (const auto& position : manifest.sources) {
      if (there && position.name == relation.name) LEAT_RETURN(source->Limit(position.offset));
    }
  }
  int64_t seq = 0;
  while (true) {
    LEAT_ASSIGN(auto arrival, source->Poll(4 << 20));
    if (!arrival) return Status::OK();
    LEAT_ASSIGN(arrival->batch.seq, ArrivalNumbers(seq, arrival->batch.rows));
    seq += arrival->batch.rows;
    if (arrival->batch.rows > 0) LEAT_RETURN(visit(arrival->batch));
  }
}

}  // namespace leat
