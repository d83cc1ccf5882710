// A standing computation: operators wired together, inputs by relation name, outputs by name. The
// same sub-plan is one operator, whoever uses it. Operators with a key are split into shards that
// threads work on at the same time; what comes out, and in which order, depends on the number of
// shards alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "plan/properties.h"
#include "plan/regions.h"
#include "plan/shards.h"
#include "sql/logical.h"

namespace leat {

// Receives what a dataflow answers. Called on the thread that pushes.
class DataflowListener {
 public:
  virtual ~DataflowListener() = default;
  // A part of the delta of output `output` (an index given by Add).
  virtual Status OnDelta(int output, const Batch& batch) = 0;
  // A row that could not be computed, in the plan of the first output that uses the operator.
  virtual Status OnRowError(int output, const Schema& schema, const RowError& error) = 0;
};

using BatchVisitor = std::function<Status(const Batch& batch)>;
// Gives the present rows of a relation (all its columns), with `_seq` in order.
using RelationScan = std::function<Status(const std::string& relation, const BatchVisitor& visit)>;

// Used by one thread at a time; its pool's threads work while one of its calls does.
class Dataflow {
 public:
  // kEqualPlans: equal sub-plans are one; kNone: each has operators of its own.
  enum class Sharing : uint8_t { kEqualPlans, kNone };
  explicit Dataflow(DataflowListener* listener, const Cores& cores = {},
                    Sharing sharing = Sharing::kEqualPlans);
  ~Dataflow();

  // Adds a query; its answer goes to the listener as the returned output. REQUIRES: nothing was
  // pushed or restored.
  Result<int> Add(const LogicalPtr& query, const SourceProperties& sources);

  // Relations that the queries read.
  std::vector<std::string> inputs() const;

  // Once before the first epoch: VALUES and other constants enter the first epoch.
  Status Push(const std::string& relation, const Batch& batch, const EvalContext& context);
  Status Finish(const Epoch& epoch, const EvalContext& context);

  // After Finish: the clock from which on the answer may be another, though nothing comes;
  // INT64_MAX: never.
  Micros Due() const;

  // Instead of Push and Finish: reads all that the only query needs, as one final epoch. A node's
  // inputs are computed one after the other, each to its end, a join's right side before its left:
  // a final join wants that. REQUIRES: Sharing::kNone.
  Status Drain(const RelationScan& scan, const EvalContext& context);

  // State is named by the hash of the plan node (and its occurrence), so that it finds its operator
  // in another dataflow that has the same node; inside, by shard. A state that was made with
  // another number of shards keeps it.
  Status Checkpoint(const std::function<Result<StateWriter*>(const std::string& name)>& writer);
  Status Restore(const std::function<Result<StateReader*>(const std::string& name)>& reader);

  struct NodeReport {
    std::string name;   // state name
    std::string label;  // "Aggregate by #0"
    OperatorStats stats;
    int shards = 1;
    int64_t nanoseconds = 0;  // that it worked, all shards together
  };
  std::vector<NodeReport> Report() const;

 private:
  struct Node;
  struct Gathered;
  class ShardOutput;
  Result<int> AddNode(const LogicalPtr& logical, int output);
  Properties SourceOf(const std::string& relation) const;
  // Splits nodes into regions and their operators into shards, once.
  Status Prepare();
  std::vector<Region> Regions() const;
  Status MakeShards(size_t shards, Node* node);
  Status CountShards(const std::function<Result<StateReader*>(const std::string& name)>& reader);

  Status PushConstants(const EvalContext& context);
  Status PushValues(int node, const EvalContext& context);
  Status PushScan(int node, const Batch& batch, const EvalContext& context);
  // Splits rows for the exchanges behind a node. On any thread.
  Result<Emission> MakeEmission(int node, Batch batch, const EvalContext& context) const;
  // Takes what a node put out to the listener and to the regions behind it.
  Status Hand(Emission emission, const EvalContext& context);

  Status WorkIfFull(Gathered* region, const EvalContext& context);
  // Works on what a region has gathered; with `epoch` also ends the epoch for it.
  Status Work(Gathered* region, const Epoch* epoch, const EvalContext& context);
  Status WorkArrivals(const Gathered& taken, size_t shard, const EvalContext& context,
                      const Deliver& deliver) const;
  Status WorkShard(const Gathered& region, const Gathered& taken, size_t shard, const Epoch* epoch,
                   const EvalContext& context, const Deliver& deliver) const;
  // `run`, with the rows of nodes that keep the order of arrival put back into it.
  Status WorkInOrder(const std::function<Status(const Deliver&)>& run, const EvalContext& context);
  Status DrainNode(int number, const RelationScan& scan, const EvalContext& context);
  Status FinishRegion(Gathered* region, const Epoch& epoch, const EvalContext& context);

  DataflowListener* listener_;
  Cores cores_;
  const Sharing sharing_;
  std::map<std::string, Properties> source_properties_;
  std::vector<std::unique_ptr<Node>> nodes_;       // children before parents
  std::map<std::string, int> by_text_;             // canonical text → node
  std::map<std::string, std::vector<int>> scans_;  // relation → scan nodes
  std::vector<Gathered> regions_;                  // each after those that feed it
  bool prepared_ = false;
  int outputs_ = 0;
  bool constants_pushed_ = false;
};

}  // namespace leat
