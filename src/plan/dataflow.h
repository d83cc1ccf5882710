// A standing computation: operators wired together, inputs by relation name, outputs by name. The
// same sub-plan is one operator, whoever uses it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "plan/properties.h"
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

// Used by one thread at a time.
class Dataflow {
 public:
  explicit Dataflow(DataflowListener* listener);
  ~Dataflow();

  // Adds a query; its answer goes to the listener as the returned output.
  Result<int> Add(const LogicalPtr& query, const SourceProperties& sources);

  // Relations that the queries read.
  std::vector<std::string> inputs() const;

  // Once before the first epoch: VALUES and other constants enter the first epoch.
  Status Push(const std::string& relation, const Batch& batch, const EvalContext& context);
  Status Finish(const Epoch& epoch, const EvalContext& context);

  // State is named by the hash of the plan node (and its occurrence), so that it finds its operator
  // in another dataflow that has the same node.
  Status Checkpoint(const std::function<Result<StateWriter*>(const std::string& name)>& writer);
  Status Restore(const std::function<Result<StateReader*>(const std::string& name)>& reader);

  struct NodeReport {
    std::string name;   // state name
    std::string label;  // "Aggregate by #0"
    OperatorStats stats;
  };
  std::vector<NodeReport> Report() const;

 private:
  struct Node;
  class NodeOutput;
  Result<int> AddNode(const LogicalPtr& logical, int output, const SourceProperties& sources);
  Status PushConstants(const EvalContext& context);

  DataflowListener* listener_;
  std::vector<std::unique_ptr<Node>> nodes_;       // children before parents
  std::map<std::string, int> by_text_;             // canonical text → node
  std::map<std::string, std::vector<int>> scans_;  // relation → scan nodes
  int outputs_ = 0;
  bool constants_pushed_ = false;
};

}  // namespace leat
