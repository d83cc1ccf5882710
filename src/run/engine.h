// The machine itself, for the files that make it: engine_open.cc, engine_again.cc,
// engine_replay.cc, engine_epoch.cc, engine_checkpoint.cc, engine_status.cc. From outside it is
// used through run/machine.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/keyed_rows.h"
#include "plan/dataflow.h"
#include "run/checkpoint_writer.h"
#include "run/epoch_log.h"
#include "run/key_guard.h"
#include "run/machine.h"
#include "run/manifest.h"
#include "run/marks.h"
#include "run/rejects.h"
#include "run/sink_worker.h"
#include "run/source_worker.h"
#include "run/state_dir.h"
#include "state/memory.h"

namespace leat {

inline constexpr const char* kTooManyRejects = "LR001";  // our own SQLSTATE class

// How long sources, sinks and the engine are tried again.
RetryRules RetriesOf(const RunOptions& options, const RunContext& context);

// A sink and its worker.
struct SinkSeat {
  const StandingSink* plan;
  std::unique_ptr<SinkWorker> worker;
  std::unique_ptr<KeyGuard> guard;  // kUpsert without a provable key
  std::unique_ptr<Index> content;   // kReplace, kSnapshot: what the query answers
  bool content_changed = true;      // since it was last handed to the worker
  Micros content_at = 0;            // when that was, by the crew's time
};

struct ViewSeat {
  const StoredView* plan;
  std::unique_ptr<Index> rows;  // key (or the whole row) → row
};

struct SourceSeat {
  const StandingSource* plan;
  std::unique_ptr<SourceWorker> worker;
  SourcePosition position;  // up to what was read into epochs
  SourceReport report;
  int64_t logged_in = 0;  // the log's generation that has `position`, or is about to; 0: none
  bool drained = false;   // once: then sources `after` it may be read
  Micros last_row = 0;    // the clock of the epoch with its last row
  // Whose rows its arrivals have (Arrival::relation), as places among the seats; only itself, but
  // where several are read as one: then the first of them has all, and the others never any.
  std::vector<size_t> members;
  std::unique_ptr<KeyedRows> keyed;  // its rows, where changes name them by key
};

// One life of the machine, from opening the state to leaving it or failing. Used by one thread, the
// engine's.
class Engine : public DataflowListener {
 public:
  // `crew` and the others outlive the engine.
  Engine(const Pipeline& pipeline, const RunOptions& options, const RunContext& context, Crew* crew,
         int64_t restarts = 0);

  Result<RunReport> Run();
  // The state and the sinks are open: `fresh` is done and not to be done again.
  bool opened() const { return opened_; }
  // `again` is done, or on record: not to be done again.
  bool read_again() const { return read_again_; }
  // It left because the machine is asked to step aside.
  bool leaves_aside() const { return leaves_aside_; }

  Status OnDelta(int output, const Batch& batch) override;
  Status OnRowError(int output, const Schema& schema, const RowError& error) override;

 private:
  // Opening.
  Status Open();
  Status BuildFlow();
  Status MakeSeats();
  Status MakeSource(const StandingSource& plan);
  // The relation with the columns marked that no standing query asks for.
  Relation ReadOf(const Relation& relation) const;
  Result<std::unique_ptr<Source>> OpenSource(const StandingSource& plan,
                                             const Relation& relation) const;
  Status Restore();
  Status RestoreSeats();
  Status OpenLog();
  Status OpenSinks();
  Status OpenSink(SinkSeat* seat, int64_t log_end);

  // Writing a sink anew.
  Status CheckRebuildNames() const;
  Result<bool> MustRebuild(const SinkSeat& seat, const SinkSpec& spec,
                           const MarkExpected& expected) const;
  Status CheckRebuildable(const SinkSeat& seat, const std::vector<std::string>& inputs) const;
  Status Rebuild(SinkSeat* seat, const SinkSpec& spec);
  Status PushInput(const std::string& input, Dataflow* flow, int64_t* seq);

  // Reading again.
  Status ReadAllAgain();
  Status PlanAllAgain(std::vector<Offset>* from);
  Status ReadSourceAgain(SourceSeat* seat, const Offset& from);
  Result<AgainPlan> PlanSourceAgain(const SourceSeat& seat, const AgainSpec& spec) const;
  Result<SourceSeat*> FindSource(const std::string& name);
  Status ReadAsNew();
  Status CheckMendable(const SinkSeat& seat) const;
  Status Mend(SinkSeat* seat, const SinkSpec& spec, const MarkExpected& expected);
  Status MakeEqual(const SinkSeat& seat, const SinkSpec& spec);
  Status PushQuery(const StandingSink& plan, DataflowListener* listener);

  // Replay.
  Status Replay();
  Status ReplayRange(const LogRange& range);
  int64_t LastToReplay() const;

  // Epochs.
  Status Loop();
  bool AwaitWork();
  bool AskedAside() const;
  bool AllDrained() const;
  bool HasNews() const;
  bool AtRest();
  bool MayRead(const SourceSeat& seat) const;
  Micros TickAt() const;
  bool TickDue() const;
  Status RunEpoch();
  Status BeginEpoch();
  Status ReadEpoch();
  Result<SourceSeat*> TakeAny(Arrival* arrival);
  Result<SourceSeat*> TakeNext(Arrival* arrival);
  Status Take(SourceSeat* seat, const Arrival& arrival);
  Status Compute(SourceSeat* seat, const Arrival& arrival, int64_t first_seq);
  Status ComputePart(SourceSeat* seat, const Arrival& part, int64_t first_seq);
  Status ApplyKeyed(SourceSeat* seat, const Arrival& part, const Batch& batch);
  Status SetAside(SourceSeat* seat, const std::string& place, const std::vector<Reject>& rejects);
  Status PushContents(Dataflow* flow, int64_t* seq);
  bool SnapshotDue() const;
  Status CloseSnapshots(Micros clock);
  Status FinishEpoch();
  Status CheckBudget(const SourceSeat& seat) const;
  Status HandOver();

  // Checkpoints, and what else there is to do between epochs.
  Status Housekeep();
  Micros NextDuty() const;
  bool HasSinkNews() const;
  bool CheckpointDue() const;
  bool SinksHold(int64_t epoch) const;
  Status Leave();
  Status BeginCheckpoint();
  Status FinishCheckpoint();
  Status WriteState();
  bool ContentDue(const SinkSeat& seat) const;
  Status FlushContent(SinkSeat* seat);
  Status WriteContent(SinkSeat* seat);
  Status Await(const SinkSeat& seat, int64_t epoch);

  // Readers.
  bool ReadersWait() const { return context_.readers != nullptr && context_.readers->wanted(); }
  Result<ReadViewPtr> MakeView() const;

  // What it says of itself.
  RunReport Report() const;
  Micros NextTelling() const;
  void Tell();
  LiveStatus StatusNow() const;

  bool stopping() const { return crew_.stopping(); }
  EvalContext Eval() const { return {.now = record_.epoch.clock, .timezone = timezone_}; }

  const Pipeline& pipeline_;
  const RunOptions& options_;
  const RunContext& context_;
  Crew& crew_;
  std::string timezone_ = "UTC";
  const RetryRules retries_;
  const int64_t restarts_;  // engines of this run before it
  const Micros start_;      // the crew's time
  Micros started_at_;       // the clock's

  StateMemory memory_;       // of all state
  const MemoryScope scope_;  // what is made in here takes part in it
  std::unique_ptr<StateDirectory> state_;
  std::unique_ptr<EpochLog> log_;
  Manifest manifest_;  // of the last checkpoint, or the one that is being made
  bool restored_ = false;
  bool opened_ = false;
  bool read_again_ = false;
  bool leaves_aside_ = false;
  ThreadPool pool_;  // outlives the dataflow
  Dataflow flow_;
  Rejects rejects_;
  std::vector<SinkSeat> sinks_;  // outputs 0 …
  std::vector<ViewSeat> views_;  // … and after them
  std::vector<SourceSeat> sources_;

  size_t next_source_ = 0;  // whose turn it is

  LogRecord record_;            // the epoch that is being read or computed
  Status failed_;               // what ended a drain; the rows before it are committed
  bool period_begins_ = false;  // with it, for some sink of mode `snapshot`
  int64_t next_seq_ = 0;
  int64_t row_errors_ = 0;
  int64_t first_epoch_ = 0;
  int64_t replayed_ = 0;

  int64_t checkpoint_epoch_ = 0;    // of the last manifest
  Micros checkpointed_at_ = 0;      // by the clock
  Micros checkpointed_ = 0;         // when the last one was begun, by the crew's time
  std::optional<int64_t> pending_;  // the epoch of one that waits for its writer and the sinks
  CheckpointWriter writer_;
  Micros told_ = 0;
};

}  // namespace leat
