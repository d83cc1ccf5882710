#include "plan/dataflow.h"

#include <arrow/array.h>

#include "base/check.h"
#include "plan/lower.h"

namespace leat {

struct Dataflow::Node {
  std::string name;  // of its state
  LogicalPtr logical;
  std::unique_ptr<Operator> op;  // none for scans and values
  struct Target {
    int node;
    int port;
  };
  std::vector<Target> targets;
  std::vector<int> outputs;  // outputs that this node answers
  int owner = 0;             // the output that first used it: its row errors are reported there
};

// Carries what a node emits to those who use it, depth first.
class Dataflow::NodeOutput : public Output {
 public:
  NodeOutput(Dataflow* flow, const Node* node, const EvalContext& context)
      : flow_(flow), node_(node), context_(context) {}

  Status Emit(Batch batch) override {
    if (batch.rows == 0) return Status::OK();
    for (int output : node_->outputs) LEAT_RETURN(flow_->listener_->OnDelta(output, batch));
    for (const auto& target : node_->targets) {
      Node* user = flow_->nodes_[static_cast<size_t>(target.node)].get();
      NodeOutput next(flow_, user, context_);
      LEAT_RETURN(user->op->Push(target.port, batch, context_, &next));
    }
    return Status::OK();
  }

  Status Reject(RowError error) override {
    const Schema& schema = node_->logical->children.empty() ? node_->logical->schema
                                                            : node_->logical->children[0]->schema;
    return flow_->listener_->OnRowError(node_->owner, schema, error);
  }

 private:
  Dataflow* flow_;
  const Node* node_;
  const EvalContext& context_;
};

Dataflow::Dataflow(DataflowListener* listener) : listener_(listener) {}
Dataflow::~Dataflow() = default;

Result<int> Dataflow::Add(const LogicalPtr& query, const SourceProperties& sources) {
  const int output = outputs_++;
  LEAT_ASSIGN(const int root, AddNode(query, output, sources));
  nodes_[static_cast<size_t>(root)]->outputs.push_back(output);
  return output;
}

Result<int> Dataflow::AddNode(const LogicalPtr& logical, int output,
                              const SourceProperties& sources) {
  const std::string text = ToString(*logical);
  if (const auto it = by_text_.find(text); it != by_text_.end()) return it->second;
  std::vector<int> children;
  for (const auto& child : logical->children) {
    LEAT_ASSIGN(const int node, AddNode(child, output, sources));
    children.push_back(node);
  }
  auto node = std::make_unique<Node>();
  node->name = HashOf(*logical);
  node->logical = logical;
  node->owner = output;
  if (!children.empty()) {
    LEAT_ASSIGN(node->op, LowerNode(*logical, sources));
  }
  const int id = static_cast<int>(nodes_.size());
  for (size_t port = 0; port < children.size(); ++port) {
    nodes_[static_cast<size_t>(children[port])]->targets.push_back({id, static_cast<int>(port)});
  }
  if (logical->kind == LogicalKind::kScan) scans_[logical->relation].push_back(id);
  nodes_.push_back(std::move(node));
  by_text_.emplace(text, id);
  return id;
}

std::vector<std::string> Dataflow::inputs() const {
  std::vector<std::string> names;
  for (const auto& [name, nodes] : scans_) names.push_back(name);
  return names;
}

Status Dataflow::PushConstants(const EvalContext& context) {
  constants_pushed_ = true;
  for (const auto& node : nodes_) {
    if (node->logical->kind != LogicalKind::kValues) continue;
    LEAT_ASSIGN(Batch batch, ValuesBatch(*node->logical, context));
    NodeOutput output(this, node.get(), context);
    LEAT_RETURN(output.Emit(std::move(batch)));
  }
  return Status::OK();
}

Status Dataflow::Push(const std::string& relation, const Batch& batch, const EvalContext& context) {
  const auto it = scans_.find(relation);
  if (it == scans_.end()) return Status::OK();
  for (int id : it->second) {
    const Node& node = *nodes_[static_cast<size_t>(id)];
    Batch pruned{.rows = batch.rows, .weights = batch.weights, .seq = batch.seq};
    for (int column : node.logical->columns) {
      pruned.columns.push_back(batch.columns[static_cast<size_t>(column)]);
    }
    NodeOutput output(this, &node, context);
    LEAT_RETURN(output.Emit(std::move(pruned)));
  }
  return Status::OK();
}

Status Dataflow::Finish(const Epoch& epoch, const EvalContext& context) {
  if (!constants_pushed_) LEAT_RETURN(PushConstants(context));
  for (const auto& node : nodes_) {
    if (!node->op) continue;
    NodeOutput output(this, node.get(), context);
    LEAT_RETURN(node->op->Finish(epoch, context, &output));
  }
  return Status::OK();
}

Status Dataflow::Checkpoint(
    const std::function<Result<StateWriter*>(const std::string& name)>& writer) {
  for (const auto& node : nodes_) {
    if (!node->op) continue;
    LEAT_ASSIGN(StateWriter * to, writer(node->name));
    LEAT_RETURN(node->op->Checkpoint(to));
  }
  return Status::OK();
}

Status Dataflow::Restore(
    const std::function<Result<StateReader*>(const std::string& name)>& reader) {
  constants_pushed_ = true;  // they are in the state that is restored
  for (const auto& node : nodes_) {
    if (!node->op) continue;
    LEAT_ASSIGN(StateReader * from, reader(node->name));
    LEAT_RETURN(node->op->Restore(from));
  }
  return Status::OK();
}

std::vector<Dataflow::NodeReport> Dataflow::Report() const {
  std::vector<NodeReport> reports;
  for (const auto& node : nodes_) {
    if (!node->op) continue;
    const std::string text = ToString(*node->logical);
    reports.push_back({node->name, text.substr(0, text.find('\n')), node->op->stats()});
  }
  return reports;
}

}  // namespace leat
