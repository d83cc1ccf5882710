// The deterministic machine over a log: reads sources into epochs, computes them, hands the deltas
// to sinks, checkpoints, and after a crash replays what the log says.
//
// An epoch is written to the log (ranges of every source as they interleaved, with counts and
// checksums, and the clock) and fsynced before anything that was computed from it leaves the
// process: before any sink commits it and before any checkpoint holds it. Computing has no other
// effect, so an epoch may flow through while it is still being read.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "connect/connectors.h"
#include "run/aside.h"
#include "run/crew.h"
#include "run/live_status.h"
#include "run/pipeline.h"
#include "run/read_view.h"

namespace leat {

// Before anything else: a part of a source is read again (connect/source.h, Source::Again), and the
// sinks get what that changes. Without `as_new` all that was ever read is read again, a new state
// is computed from it, and each sink is made equal to its query: rows that differ are written,
// where it has a key, else all of it. A crash at any time leaves the state of before, or what the
// next run completes.
struct AgainOptions {
  std::string source, from;
  bool as_new = false;
  // Told what is about to be done, a line for each thing; an error ends it before it began.
  std::function<Status(const std::vector<std::string>& what)> confirm;
};

struct RunOptions {
  int64_t epoch_bytes_max = 64 << 20;    // uncompressed bytes read in one epoch
  int64_t queue_bytes_max = 32 << 20;    // read ahead, per source; written behind, per sink
  int64_t outbox_bytes_max = 128 << 20;  // kept for a sink that fails, per sink
  // Of the whole process, as the system shows it; beyond it state goes to files.
  int64_t memory_max = INT64_MAX;
  std::chrono::milliseconds checkpoint_interval{60'000};
  int threads = 1;     // that compute, the engine's own included; sources and sinks have theirs
  int shards = 1;      // of operators with a key in a state that is made new; it keeps them
  bool fresh = false;  // drop the state and the sinks' rows first
  // Drop the rows of sinks whose mark is another state's, or lost, or does not fit; write them
  // anew.
  bool adopt = false;
  std::vector<std::string> rebuild;  // … of these sinks, whatever their mark says
  std::optional<AgainOptions> again;
  bool follow = false;  // when all is read, wait for more
  // How long a source or sink may fail before the run does. Unset: for ever when following, not at
  // all in a drain.
  std::optional<std::chrono::milliseconds> degraded_max;

  // Keeps the process to so many bytes: its queues and epochs, too.
  void LimitMemory(int64_t bytes);
};

struct SourceReport {
  std::string name;
  int64_t rows_read = 0, rows_used = 0, rows_rejected = 0, rows_kept_with_null = 0;
  int64_t bytes = 0;
};
struct SinkReport {
  std::string name;
  int64_t rows_added = 0, rows_deleted = 0;
};
// Of this run; `rows_read == rows_used + rows_rejected` for every source.
struct RunReport {
  std::vector<SourceReport> sources;
  std::vector<SinkReport> sinks;
  int64_t row_errors = 0;                   // rows that a query could not compute
  int64_t first_epoch = 0, last_epoch = 0;  // empty when last < first
  int64_t epochs_replayed = 0;
  double seconds = 0;
};

// What a running machine tells, from time to time, on the engine's thread.
using Progress = std::function<void(const RunReport& so_far)>;

// Whether a run ended because a source had more rejects than it allows: exit code 3.
bool IsTooManyRejects(const Status& status);

struct RunContext {
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  std::function<uint64_t()> random;         // makes the state's id, spreads retries
  std::string state_dir;                    // made if missing
  const std::atomic<bool>* stop = nullptr;  // set by Ctrl-C: finish the epoch, checkpoint, leave
  Progress progress;                        // may be empty
  StatusBoard* board = nullptr;             // gets the status after epochs and commits
  ReadDesk* readers = nullptr;              // is answered between epochs; closed at the end
  AsideDesk* aside = nullptr;               // asked between epochs; closed at the end
  std::function<void()> opened;             // called when the state directory is ours; or empty
  std::function<Result<std::unique_ptr<Source>>(const Server&, const Relation&)> make_source =
      [](const Server& server, const Relation& relation) { return MakeSource(server, relation); };
  std::function<Result<std::unique_ptr<Sink>>(SinkSpec)> make_sink = MakeSink;
  // Reads what a sink's target holds.
  std::function<Status(const SinkSpec&, const Relation&, const ArrivalVisitor&)> read_target =
      [](const SinkSpec& sink, const Relation& relation, const ArrivalVisitor& visit) {
        return ReadEach(sink.server, relation, visit);
      };
  // Set: no thread is started and no time passes but by it. See run/crew.h.
  Schedule* schedule = nullptr;
};

// Drains what the sources hold (or follows them until `stop`), commits, checkpoints and returns. A
// state made by another definition is refused (SqlStatus, exit code 2) with what changed.
Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunOptions& options,
                              const RunContext& context);

}  // namespace leat
