#include "test/sim/judge.h"

#include <algorithm>
#include <map>

#include "data/key.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "run/rejects.h"
#include "run/row_text.h"

namespace leat::sim {
namespace {

constexpr size_t kShownRows = 5;

bool SameRange(const LogRange& a, const LogRange& b) {
  return a.source == b.source && a.end == b.end && a.rows_read == b.rows_read &&
         a.rows_used == b.rows_used && a.first_seq == b.first_seq && a.checksum == b.checksum;
}

bool SameRecord(const LogRecord& a, const LogRecord& b) {
  return a.epoch.clock == b.epoch.clock &&
         std::equal(a.ranges.begin(), a.ranges.end(), b.ranges.begin(), b.ranges.end(), SameRange);
}

Status Broken(const std::string& what) { return Status::Invalid(what); }

}  // namespace

Judge::Judge(const Pipeline* pipeline, const Pipeline* reference, const Disk* disk,
             const std::vector<Upstream>* upstreams, std::string state_dir)
    : pipeline_(pipeline),
      reference_(reference),
      disk_(disk),
      upstreams_(upstreams),
      state_dir_(std::move(state_dir)),
      places_(pipeline->sources.size()) {}

void Judge::Complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

// --- What was read -------------------------------------------------------------------------------

void Judge::BeforeCommit(const std::string& sink, int64_t epoch) {
  const Status status = Observe(epoch);
  if (!status.ok()) Complain(fmt::format("sink \"{}\": {}", sink, status.message()));
}

void Judge::BeforeLoss(const std::string& path) {
  if (!path.starts_with(state_dir_ + "/log")) return;
  const Status status = Observe(0);
  if (!status.ok()) Complain(status.message());
}

// Epochs up to `committing`, and those in the checkpoint, are what they are from now on.
Status Judge::Observe(int64_t committing) {
  LEAT_ASSIGN(const int64_t checkpoint, LookAtCheckpoint());
  int64_t log_end = 0;
  if (!state_.empty()) LEAT_RETURN(LookIntoLog(&log_end));
  if (committing > std::max(log_end, checkpoint)) {
    return Broken(fmt::format("epoch {} is committed, and after a crash the log would end at {}",
                              committing, std::max(log_end, checkpoint)));
  }
  log_begin_ = checkpoint;
  return Fix(std::max(committing, checkpoint));
}

Status Judge::LookIntoLog(int64_t* log_end) {
  const auto files = CertainView(disk_);
  LEAT_ASSIGN(const auto log, EpochLog::Open(files.get(), state_dir_, state_, log_begin_));
  std::map<int32_t, Offset> ends;
  for (LogRecord record : log->records()) {
    for (LogRange& range : record.ranges) {  // whole, whoever wrote it how
      LEAT_RETURN(GoOn(range, &ends[range.source]));
      range.end = ends[range.source];
      range.step.reset();
    }
    const int64_t number = record.epoch.number;
    *log_end = std::max(*log_end, number);
    Past& past = past_[number];
    if (past.fixed && !SameRecord(past.record, record)) {
      return Broken(fmt::format("epoch {} left the process, and was read anew", number));
    }
    past.record = record;
  }
  return Status::OK();
}

// The epoch of the checkpoint that would be there after a crash. With a new state all begins anew.
Result<int64_t> Judge::LookAtCheckpoint() {
  const auto files = CertainView(disk_);
  if (!files->Exists(state_dir_ + "/state/manifest")) return 0;
  LEAT_ASSIGN(const auto state, StateDirectory::OpenToRead(files.get(), state_dir_));
  Manifest manifest;
  LEAT_RETURN(state->Load(&manifest).status());
  if (manifest.state != state_) {
    state_ = manifest.state;
    past_.clear();
    places_.assign(pipeline_->sources.size(), {});
    fixed_ = log_begin_ = 0;
  }
  return manifest.epoch.number;
}

Status Judge::Fix(int64_t epoch) {
  for (; fixed_ < epoch; ++fixed_) {
    const auto found = past_.find(fixed_ + 1);
    if (found == past_.end()) {
      return Broken(fmt::format("epoch {} left the process, and was never logged", fixed_ + 1));
    }
    found->second.fixed = true;
    LEAT_RETURN(ReadDeltas(&found->second));
  }
  return Status::OK();
}

// The rows of an epoch, from the systems themselves.
Status Judge::ReadDeltas(Past* past) {
  Rejects rejects;
  for (const LogRange& range : past->record.ranges) {
    const auto source = static_cast<size_t>(range.source);
    const StandingSource& plan = pipeline_->sources[source];
    const auto upstream = std::find_if(upstreams_->begin(), upstreams_->end(),
                                       [&](const auto& u) { return u.name() == plan.name; });
    LEAT_ASSIGN(const Place to, DecodePlace(range.end, upstream->partitions()));
    Place& from = places_[source];
    from.resize(upstream->partitions());
    LEAT_ASSIGN(Arrival arrival,
                upstream->Read(*pipeline_->catalog.FindRelation(plan.name), from, to));
    if (arrival.rows_read != range.rows_read || arrival.batch.rows != range.rows_used ||
        arrival.checksum != range.checksum) {
      return Broken(fmt::format("epoch {} logged {} rows of \"{}\" up to {}, which has {}",
                                past->record.epoch.number, range.rows_read, plan.name, range.end,
                                arrival.rows_read));
    }
    from = to;
    LEAT_ASSIGN(arrival.batch.seq, ArrivalNumbers(range.first_seq, range.rows_used));
    past->deltas.emplace_back(plan.name, arrival.batch);
    if (arrival.rejects.empty()) continue;
    LEAT_ASSIGN(Batch rows,
                rejects.Add(plan.name, arrival.place, arrival.rejects, past->record.epoch));
    LEAT_ASSIGN(rows.seq, ArrivalNumbers(range.first_seq + range.rows_used, rows.rows));
    past->deltas.emplace_back(plan.name + "__rejects", rows);
    past->deltas.emplace_back("leat.rejects", rows);
  }
  return Status::OK();
}

// --- What should be answered ---------------------------------------------------------------------

Status Judge::ScanRelation(const std::string& relation, int64_t epoch,
                           const std::function<Status(const Batch&)>& visit) const {
  int64_t seq = 0;
  for (const InsertRows& insert : pipeline_->contents) {
    const auto nothing = [](const std::string&, const BatchVisitor&) { return Status::OK(); };
    LEAT_RETURN(
        RunOnce(VisibleColumns(insert.query), nothing, {}, [&](const Batch& rows) -> Status {
          Batch batch = rows;
          LEAT_ASSIGN(batch.seq, ArrivalNumbers(seq, batch.rows));
          seq += batch.rows;
          return insert.table == relation ? visit(batch) : Status::OK();
        }));
  }
  for (const auto& [number, past] : past_) {
    if (number > epoch) break;
    for (const auto& [name, batch] : past.deltas) {
      if (name == relation && batch.rows > 0) LEAT_RETURN(visit(batch));
    }
  }
  return Status::OK();
}

Result<Rows> Judge::Answer(const LogicalPtr& query, int64_t epoch) const {
  Rows rows;
  if (epoch == 0) return rows;
  const auto scan = [&](const std::string& relation, const BatchVisitor& visit) {
    return ScanRelation(relation, epoch, visit);
  };
  LEAT_RETURN(RunOnce(query, scan, {}, [&](const Batch& batch) -> Status {
    LEAT_ASSIGN(const auto all, RowBytes(query->schema, {}, batch));
    for (size_t i = 0; i < all.size(); ++i) {
      rows[all[i]] += batch.weight(static_cast<int64_t>(i));
    }
    return Status::OK();
  }));
  std::erase_if(rows, [](const auto& row) { return row.second == 0; });
  return rows;
}

std::string Judge::Difference(const Schema& schema, const Rows& expected, const Rows& found) const {
  std::vector<std::string> lines;
  const auto count = [](const Rows& rows, const std::string& row) {
    const auto it = rows.find(row);
    return it == rows.end() ? 0 : it->second;
  };
  Rows all = expected;
  all.insert(found.begin(), found.end());
  size_t differences = 0;
  for (const auto& [row, any] : all) {
    const int64_t want = count(expected, row), have = count(found, row);
    if (want == have) continue;
    if (++differences > kShownRows) continue;
    lines.push_back(
        fmt::format("\n    {} is there {} times, not {}", RowText(schema, row), have, want));
  }
  if (lines.empty()) return {};
  return fmt::format("{} rows differ:{}", differences, fmt::join(lines, ""));
}

// --- What is there -------------------------------------------------------------------------------

void Judge::CheckTarget(const std::string& sink, const Target& target) {
  const Status status = CompareTarget(sink, target);
  if (!status.ok()) Complain(fmt::format("sink \"{}\": {}", sink, status.message()));
}

Status Judge::CompareTarget(const std::string& sink, const Target& target) {
  if (!complaint_.empty()) return Status::OK();
  ++checks_;
  if (target.mark && target.mark->state != state_) return Status::OK();  // of one that was dropped
  const int64_t epoch = target.mark ? target.mark->epoch : 0;
  if (epoch > fixed_) return Broken(fmt::format("its mark, {}, is of no epoch", epoch));
  for (size_t i = 0; i < pipeline_->sinks.size(); ++i) {
    const StandingSink& plan = pipeline_->sinks[i];
    if (plan.name != sink) continue;
    LEAT_ASSIGN(const Rows expected, Answer(reference_->sinks[i].query, epoch));
    const std::string difference =
        Difference(plan.spec.schema, expected, target.Content(plan.spec.mode));
    if (!difference.empty()) return Broken(fmt::format("as of epoch {} {}", epoch, difference));
  }
  return Status::OK();
}

void Judge::CheckState(FileSystem* files) {
  const Status status = CompareState(files, false);
  if (!status.ok()) Complain(fmt::format("the state: {}", status.message()));
}

void Judge::CheckComplete(FileSystem* files) {
  const Status status = CompareState(files, true);
  if (!status.ok()) Complain(fmt::format("at the end: {}", status.message()));
}

Status Judge::CompareState(FileSystem* files, bool complete) {
  if (!complaint_.empty()) return Status::OK();
  ++checks_;
  LEAT_ASSIGN(const auto state, StateDirectory::OpenToRead(files, state_dir_));
  Manifest manifest;
  LEAT_ASSIGN(const bool there, state->Load(&manifest));
  if (!there) return complete ? Broken("there is none") : Status::OK();
  LEAT_RETURN(Observe(manifest.epoch.number));
  for (size_t i = 0; i < pipeline_->stored.size(); ++i) {
    const StoredView& view = pipeline_->stored[i];
    LEAT_ASSIGN(const Rows expected, Answer(reference_->stored[i].query, manifest.epoch.number));
    LEAT_ASSIGN(StateReader * reader, state->Reader("view " + view.name));
    const auto index = MakeIndex();
    Rows found;
    if (manifest.epoch.number > 0) LEAT_RETURN(index->Restore(reader));
    LEAT_RETURN(index->Scan(
        "", "", false, [&](std::string_view, std::string_view row, int64_t weight) -> Result<bool> {
          found[std::string(row)] += weight;
          return true;
        }));
    const std::string difference = Difference(view.query->schema, expected, found);
    if (!difference.empty()) return Broken(fmt::format("view \"{}\": {}", view.name, difference));
  }
  for (const SourcePosition& position : manifest.sources) {
    const auto upstream = std::find_if(upstreams_->begin(), upstreams_->end(),
                                       [&](const auto& u) { return u.name() == position.name; });
    LEAT_ASSIGN(const Place place, DecodePlace(position.offset, upstream->partitions()));
    LEAT_ASSIGN(const Arrival all, upstream->Read(*pipeline_->catalog.FindRelation(position.name),
                                                  Place(upstream->partitions()), place));
    const int64_t rejected = all.rows_read - all.batch.rows;
    if (position.rows_read != all.rows_read || position.rows_rejected != rejected) {
      return Broken(fmt::format("of \"{}\" {} rows were read and {} rejected, not {} and {}",
                                position.name, all.rows_read, rejected, position.rows_read,
                                position.rows_rejected));
    }
    if (complete && all.rows_read != upstream->rows()) {
      return Broken(fmt::format("of \"{}\" {} rows were read, not all {}", position.name,
                                all.rows_read, upstream->rows()));
    }
  }
  return Status::OK();
}

// What leat keeps of rows that it could not read, with the time at which it met them.
Status Judge::CompareRejects(StateDirectory* state, int64_t epoch) const {
  if (epoch == 0) return Status::OK();
  Rejects rejects;
  LEAT_ASSIGN(StateReader * reader, state->Reader("rejects"));
  LEAT_RETURN(rejects.Restore(reader));
  Rows expected, found;
  const auto add = [](Rows* rows, const Batch& batch) -> Status {
    LEAT_ASSIGN(const auto all, RowBytes(RejectsSchema(), {}, batch));
    for (const std::string& row : all) ++(*rows)[row];
    return Status::OK();
  };
  LEAT_RETURN(ScanRelation("leat.rejects", epoch,
                           [&](const Batch& batch) { return add(&expected, batch); }));
  for (const StandingSource& source : pipeline_->sources) {
    LEAT_RETURN(rejects.Scan(source.name, [&](const Batch& batch) { return add(&found, batch); }));
  }
  const std::string difference = Difference(RejectsSchema(), expected, found);
  return difference.empty() ? Status::OK() : Broken("the rejects: " + difference);
}

}  // namespace leat::sim
