// Where a session's queries find the rows of a relation.
#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <filesystem>

#include "connect/connectors.h"
#include "data/key.h"
#include "flow/keyed_rows.h"
#include "plan/expand.h"
#include "run/machine.h"
#include "run/row_text.h"
#include "run/session.h"

namespace leat {
namespace {

constexpr int64_t kScanRows = 4096;

Status DecodeRows(const RowsScan& rows, const KeyRange& range, const Schema& schema,
                  const std::function<Status(const Batch&)>& visit) {
  RowDecoder decoder(TypesOf(schema));
  const auto flush = [&]() -> Status {
    Batch batch{.rows = decoder.rows()};
    LEAT_ASSIGN(batch.columns, decoder.Finish());
    return batch.rows == 0 ? Status::OK() : visit(batch);
  };
  LEAT_RETURN(rows(range.begin, range.end,
                   [&](std::string_view, std::string_view row, int64_t weight) -> Result<bool> {
                     for (int64_t i = 0; i < weight; ++i) LEAT_RETURN(decoder.Append(row));
                     if (decoder.rows() >= kScanRows) LEAT_RETURN(flush());
                     return true;
                   }));
  return flush();
}

// Rows of a source that are held by key, in the order of their arrival.
Status DecodeHeld(const RowsScan& rows, const KeyRange& range, const Schema& schema,
                  const std::function<Status(const Batch&)>& visit) {
  Strings held;
  std::vector<std::pair<int64_t, int64_t>> order;  // number, place
  LEAT_RETURN(rows(range.begin, range.end,
                   [&](std::string_view, std::string_view row, int64_t) -> Result<bool> {
                     order.emplace_back(KeyedRows::SeqOf(row), held.size());
                     held.Append(KeyedRows::RowOf(row));
                     return true;
                   }));
  std::sort(order.begin(), order.end());
  RowDecoder decoder(TypesOf(schema));
  arrow::Int64Builder seqs;
  const auto flush = [&]() -> Status {
    Batch batch{.rows = decoder.rows()};
    LEAT_ASSIGN(batch.columns, decoder.Finish());
    LEAT_ASSIGN(const auto seq, seqs.Finish());
    batch.seq = std::static_pointer_cast<arrow::Int64Array>(seq);
    return batch.rows == 0 ? Status::OK() : visit(batch);
  };
  for (const auto& [seq, place] : order) {
    LEAT_RETURN(decoder.Append(held[place]));
    LEAT_RETURN(seqs.Append(seq));
    if (decoder.rows() >= kScanRows) LEAT_RETURN(flush());
  }
  return flush();
}

}  // namespace

Status Session::OpenPipeline(const std::string& path, std::string* where) {
  PipelineOptions options{.path = path, .environment = options_.environment};
  if (options_.committed) {
    LEAT_ASSIGN(view_, options_.committed());
  }
  if (view_) options.pinned = view_->manifest.pinned;
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
    *relation = TargetOf(sink, std::move(*relation));
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

Status Session::Refresh() {
  if (!pipeline_ || !options_.committed) return Status::OK();
  if (in_transaction() && view_) return Status::OK();
  LEAT_ASSIGN(view_, options_.committed());
  return Status::OK();
}

Result<ReadViewPtr> Session::Look() {
  view_.reset();
  LEAT_RETURN(Refresh());
  return view_;
}

// Not where the view has an order of arrival: what the state keeps is in the order of keys.
const RowsScan* Session::StoredRows(const Relation& view) const {
  if (!view_ || !pipeline_ || view.kind != RelationKind::kMaterializedView || view.has_seq)
    return nullptr;
  for (const StoredView& stored : pipeline_->stored) {
    if (stored.name != view.name) continue;
    const auto rows = view_->rows.find("view " + view.name);
    const auto hash = view_->manifest.definitions.find("view " + view.name);
    const bool same = hash != view_->manifest.definitions.end() && hash->second == stored.hash;
    return same && rows != view_->rows.end() ? &rows->second : nullptr;
  }
  return nullptr;
}

// As of the last commit: what the system holds by now may be something else.
const RowsScan* Session::HeldRows(const Relation& source) const {
  if (!view_ || !pipeline_ || source.kind != RelationKind::kForeign) return nullptr;
  for (const StandingSource& standing : pipeline_->sources) {
    if (standing.name != source.name || !standing.traits.held()) continue;
    const auto rows = view_->rows.find("source " + source.name);
    return rows == view_->rows.end() ? nullptr : &rows->second;
  }
  return nullptr;
}

const std::vector<int>* Session::KeyOf(const std::string& relation) const {
  const Relation* found = catalog_.FindRelation(relation);
  if (found == nullptr) return nullptr;
  if (HeldRows(*found) != nullptr) {
    for (const StandingSource& source : pipeline_->sources) {
      if (source.name == relation) return &source.traits.key;
    }
  }
  if (StoredRows(*found) == nullptr) return nullptr;
  for (const StoredView& stored : pipeline_->stored) {
    if (stored.name == relation && !stored.key.empty()) return &stored.key;
  }
  return nullptr;
}

RelationScan Session::ScannerOf(const Logical& query) {
  const KeyOfRelation key_of = [this](const std::string& name) { return KeyOf(name); };
  return [this, ranges = KeyRangesOf(query, key_of, Eval())](const std::string& name,
                                                             const BatchVisitor& visit) {
    if (const auto found = temporary_.find(name); found != temporary_.end()) {
      return visit(found->second);
    }
    const auto checked = [&](const Batch& batch) -> Status {
      LEAT_RETURN(CheckCancelled());
      return visit(batch);
    };
    const auto range = ranges.find(name);
    return Scan(name, checked, range == ranges.end() ? KeyRange{} : range->second);
  };
}

Status Session::Scan(const std::string& relation, const std::function<Status(const Batch&)>& visit,
                     const KeyRange& range) {
  if (LocalTable* table = FindTable(relation); table != nullptr) {
    LEAT_ASSIGN(const Batch rows, table->contents());
    return visit(rows);
  }
  if (LocalTable* table = FindTable(std::string(TableOfRows(relation))); table != nullptr) {
    LEAT_ASSIGN(Batch rows, table->contents());
    LEAT_ASSIGN(auto places, ArrivalNumbers(0, rows.rows));
    rows.columns.push_back(std::move(places));
    return visit(rows);
  }
  if (const auto of = RejectsOf(relation); of) {
    return ScanRejects(view_ ? view_->rows.at("rejects") : rejects_.rows(), *of,
                       [&](const Batch& batch) -> Status {
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
  if (const RowsScan* rows = HeldRows(*found); rows != nullptr) {
    return DecodeHeld(*rows, range, found->schema(), visit);
  }
  if (const RowsScan* rows = StoredRows(*found); rows != nullptr) {
    return DecodeRows(*rows, range, found->schema(), visit);
  }
  return ScanForeign(*found, visit);
}

Status Session::ScanForeign(const Relation& relation,
                            const std::function<Status(const Batch&)>& visit) {
  const Server& server = *catalog_.FindServer(relation.server);
  const bool sink =
      pipeline_ && std::any_of(pipeline_->sinks.begin(), pipeline_->sinks.end(),
                               [&](const auto& s) { return s.name == relation.name; });
  const bool made = OptionOr(server.options, "url", "").starts_with("datagen:");
  if (!sink && (server.kind == "file" || made)) return ScanSource(relation, visit);
  return ReadEach(server, relation, [&](const Arrival& arrival) {
    return arrival.batch.rows > 0 ? visit(arrival.batch) : Status::OK();
  });
}

// A source is read from its beginning: up to what the pipeline's state has committed, or all that
// is there now.
Status Session::ScanSource(const Relation& relation,
                           const std::function<Status(const Batch&)>& visit) {
  LEAT_ASSIGN(auto source, MakeSource(*catalog_.FindServer(relation.server), relation));
  LEAT_RETURN(source->Seek(""));
  if (view_) {
    for (const auto& position : view_->manifest.sources) {
      if (position.name == relation.name) LEAT_RETURN(source->Limit(position.offset));
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
