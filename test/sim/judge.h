// Holds the engine to its promise: what a sink holds is what its query, asked once and slowly,
// answers over all rows that the log says were read up to the sink's mark.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "run/epoch_log.h"
#include "run/pipeline.h"
#include "run/state_dir.h"
#include "test/sim/disk.h"
#include "test/sim/target.h"
#include "test/sim/upstream.h"

namespace leat::sim {

using Rows = std::map<std::string, int64_t>;  // a row's exact bytes → how often

// `disk` and `upstreams` must outlive it. Used by one thread.
class Judge {
 public:
  // `pipeline` is what runs, `reference` the same but for queries of rows that cannot be computed,
  // which it leaves out.
  Judge(const Pipeline* pipeline, const Pipeline* reference, const Disk* disk,
        const std::vector<Upstream>* upstreams, std::string state_dir);

  // A sink is about to commit `epoch`: the log must hold it whatever happens. Once an epoch has
  // left the process it is what it is.
  void BeforeCommit(const std::string& sink, int64_t epoch);
  // The log is about to lose what it holds.
  void BeforeLoss(const std::string& path);
  // What the target holds must be the answer as of its mark.
  void CheckTarget(const std::string& sink, const Target& target);
  // What leat keeps of stored views must be the answer as of the checkpoint; and of each source,
  // all that its offset says was read was used or rejected.
  void CheckState(FileSystem* files);
  // All rows that there are were read.
  void CheckComplete(FileSystem* files);

  void Complain(const std::string& what);
  const std::string& state() const { return state_; }
  // The first broken promise; "" none.
  const std::string& complaint() const { return complaint_; }
  int64_t checks() const { return checks_; }

 private:
  struct Past {
    LogRecord record;
    bool fixed = false;                                 // it has left the process
    std::vector<std::pair<std::string, Batch>> deltas;  // relation → rows, as they were read
  };

  Status Observe(int64_t committing);
  Status LookIntoLog(int64_t* log_end);
  Status Fix(int64_t epoch);
  Status ReadDeltas(Past* past);
  Result<int64_t> LookAtCheckpoint();
  Result<Rows> Answer(const LogicalPtr& query, int64_t epoch) const;
  Status ScanRelation(const std::string& relation, int64_t epoch,
                      const std::function<Status(const Batch&)>& visit) const;
  Status CompareTarget(const std::string& sink, const Target& target);
  Status CompareRejects(StateDirectory* state, int64_t epoch) const;
  Status CompareState(FileSystem* files, bool complete);
  std::string Difference(const Schema& schema, const Rows& expected, const Rows& found) const;

  const Pipeline* const pipeline_;
  const Pipeline* const reference_;
  const Disk* const disk_;
  const std::vector<Upstream>* const upstreams_;
  const std::string state_dir_;
  std::string state_;  // the state's id
  std::map<int64_t, Past> past_;
  std::vector<Place> places_;  // of each of the pipeline's sources, after the last fixed epoch
  int64_t fixed_ = 0;          // the last epoch that has left the process
  int64_t log_begin_ = 0;      // the checkpoint when last looked at: the log may begin after it
  std::string complaint_;
  int64_t checks_ = 0;
};

}  // namespace leat::sim
