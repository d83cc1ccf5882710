#include "plan/dataflow.h"

#include <arrow/array.h>

#include <atomic>
#include <charconv>

#include "base/check.h"
#include "plan/exchange.h"
#include "plan/expand.h"
#include "plan/lower.h"
#include "plan/node_time.h"

namespace leat {
namespace {

constexpr const char* kShardsBlob = "shards";

std::string ShardPrefix(size_t shard) { return std::to_string(shard) + "/"; }

// How many shards a state was made with; 1 where it does not say.
Result<int> ShardsIn(StateReader* reader, const std::string& name) {
  const auto text = reader->GetBlob(kShardsBlob);
  if (text.status().IsKeyError()) return 1;
  LEAT_RETURN(text.status());
  int shards = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), shards);
  if (error != std::errc() || end != text->data() + text->size() || shards < 2 ||
      shards > kShardsMax) {
    return IOErrorF("the state of operator {} says that it has \"{}\" shards", name, *text);
  }
  return shards;
}

}  // namespace

struct Dataflow::Node {
  std::string name;  // of its state
  LogicalPtr logical;
  std::vector<int> children;
  std::vector<std::unique_ptr<Operator>> ops;    // by shard; none for scans and values
  mutable std::atomic<int64_t> nanoseconds = 0;  // that its operators worked, on any thread
  struct Target {
    int node;
    int port;
  };
  std::vector<Target> inner, outer;  // who uses it, in its region and in others
  std::vector<int> outputs;          // outputs that this node answers
  int owner = 0;  // the output that first used it: its row errors are reported there
  int region = -1;
  bool in_order = false;  // its rows leave in the order of `_seq`
  bool sharded = true;    // false: its state was made without shards
  // Shards of a keyed region put rows out each in order: they are merged before they go on.
  bool merges = false;

  bool has_users() const { return !outer.empty() || !outputs.empty(); }
};

// A region and what has come for it since it last worked.
struct Dataflow::Gathered {
  Region::Kind kind = Region::Kind::kSerial;
  std::vector<int> nodes;
  size_t shards = 1;
  bool merges = false;
  struct Item {
    int node;
    int port;
    Batch batch;
  };
  std::vector<std::vector<Item>> items;  // by shard; kArrival: all in the first
  int64_t rows = 0, bytes = 0;
  int64_t epoch_rows = 0;

  void Add(size_t shard, int node, int port, Batch batch) {
    rows += batch.rows;
    epoch_rows += batch.rows;
    bytes += MemoryOf(batch);
    items[shard].push_back({node, port, std::move(batch)});
  }
};

// What an operator of one shard puts out: to its users in the region at once, depth first; to the
// others by `deliver`. Used by the thread that works for the shard.
class Dataflow::ShardOutput : public Output {
 public:
  ShardOutput(const Dataflow* flow, int node, size_t shard, const EvalContext& context,
              const Deliver& deliver)
      : flow_(flow), node_(node), shard_(shard), context_(context), deliver_(deliver) {}

  Status Emit(Batch batch) override {
    if (batch.rows == 0) return Status::OK();
    const Node& node = *flow_->nodes_[static_cast<size_t>(node_)];
    if (node.has_users()) {
      LEAT_ASSIGN(Emission emission, node.merges
                                         ? Result<Emission>(Emission{.node = node_, .batch = batch})
                                         : flow_->MakeEmission(node_, batch, context_));
      const NodeTime elsewhere(nullptr);
      LEAT_RETURN(deliver_(std::move(emission)));
    }
    for (const Node::Target& target : node.inner) LEAT_RETURN(PushTo(target, batch));
    return Status::OK();
  }

  Status PushTo(const Node::Target& target, const Batch& batch) const {
    const Node& user = *flow_->nodes_[static_cast<size_t>(target.node)];
    ShardOutput next(flow_, target.node, shard_, context_, deliver_);
    const NodeTime time(&user.nanoseconds);
    return user.ops[shard_]->Push(target.port, batch, context_, &next);
  }

  Status Reject(RowError error) override {
    Emission emission{.node = node_};
    emission.errors.push_back(std::move(error));
    return deliver_(std::move(emission));
  }

 private:
  const Dataflow* const flow_;
  const int node_;
  const size_t shard_;
  const EvalContext& context_;
  const Deliver& deliver_;
};

Dataflow::Dataflow(DataflowListener* listener, const Cores& cores, Sharing sharing)
    : listener_(listener), cores_(cores), sharing_(sharing) {
  LEAT_CHECK(cores_.shards >= 1 && cores_.shards <= kShardsMax, "{} shards", cores_.shards);
}
Dataflow::~Dataflow() = default;

// --- Making it -----------------------------------------------------------------------------------

Result<int> Dataflow::Add(const LogicalPtr& query, const SourceProperties& sources) {
  LEAT_CHECK(!prepared_, "a query is added to a dataflow that has begun");
  for (const std::string& relation : ScannedRelations(*query)) {
    source_properties_.insert_or_assign(relation, sources(relation));
  }
  source_properties_.insert_or_assign("", sources(""));
  const int output = outputs_++;
  LEAT_ASSIGN(const int root, AddNode(query, output));
  nodes_[static_cast<size_t>(root)]->outputs.push_back(output);
  return output;
}

Properties Dataflow::SourceOf(const std::string& relation) const {
  return source_properties_.at(relation);
}

Result<int> Dataflow::AddNode(const LogicalPtr& logical, int output) {
  const std::string text = ToString(*logical);
  if (const auto it = by_text_.find(text); sharing_ == Sharing::kEqualPlans && it != by_text_.end())
    return it->second;
  auto node = std::make_unique<Node>();
  for (const auto& child : logical->children) {
    LEAT_ASSIGN(const int number, AddNode(child, output));
    node->children.push_back(number);
  }
  const SourceProperties sources = [this](const std::string& name) { return SourceOf(name); };
  node->name = HashOf(*logical);
  node->logical = logical;
  node->owner = output;
  node->in_order = PropertiesOf(*logical, sources).in_order;
  if (!node->children.empty()) {
    LEAT_ASSIGN(auto op, LowerNode(*logical, sources));
    node->ops.push_back(std::move(op));
  }
  const int id = static_cast<int>(nodes_.size());
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

std::vector<Region> Dataflow::Regions() const {
  std::vector<Region> regions;
  std::vector<RegionNode> nodes;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    regions.push_back({.kind = Region::Kind::kSerial, .nodes = {static_cast<int>(i)}});
    nodes.push_back({node.logical.get(), node.children, node.in_order, node.sharded});
  }
  return cores_.shards == 1 ? regions : PlanRegions(nodes);
}

Status Dataflow::Prepare() {
  if (prepared_) return Status::OK();
  prepared_ = true;
  for (const Region& region : Regions()) {
    Gathered gathered{.kind = region.kind, .nodes = region.nodes};
    if (region.kind != Region::Kind::kSerial) gathered.shards = static_cast<size_t>(cores_.shards);
    gathered.items.resize(gathered.shards);
    for (const int id : region.nodes) {
      Node& node = *nodes_[static_cast<size_t>(id)];
      node.region = static_cast<int>(regions_.size());
      node.merges = region.kind == Region::Kind::kKeyed && node.in_order;
      gathered.merges = gathered.merges || node.merges;
      LEAT_RETURN(MakeShards(gathered.shards, &node));
    }
    regions_.push_back(std::move(gathered));
  }
  for (size_t id = 0; id < nodes_.size(); ++id) {
    const Node& user = *nodes_[id];
    for (size_t port = 0; port < user.children.size(); ++port) {
      Node& child = *nodes_[static_cast<size_t>(user.children[port])];
      (child.region == user.region ? child.inner : child.outer)
          .push_back({static_cast<int>(id), static_cast<int>(port)});
    }
  }
  return Status::OK();
}

Status Dataflow::MakeShards(size_t shards, Node* node) {
  const SourceProperties sources = [this](const std::string& name) { return SourceOf(name); };
  while (!node->ops.empty() && node->ops.size() < shards) {
    LEAT_ASSIGN(auto op, LowerNode(*node->logical, sources));
    node->ops.push_back(std::move(op));
  }
  return Status::OK();
}

// --- Rows in -------------------------------------------------------------------------------------

Status Dataflow::PushConstants(const EvalContext& context) {
  constants_pushed_ = true;
  for (size_t id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id]->logical->kind != LogicalKind::kValues) continue;
    LEAT_RETURN(PushValues(static_cast<int>(id), context));
  }
  return Status::OK();
}

Status Dataflow::PushValues(int node, const EvalContext& context) {
  LEAT_ASSIGN(Batch batch, ValuesBatch(*nodes_[static_cast<size_t>(node)]->logical, context));
  if (batch.rows == 0) return Status::OK();
  LEAT_ASSIGN(Emission emission, MakeEmission(node, std::move(batch), context));
  return Hand(std::move(emission), context);
}

Status Dataflow::Push(const std::string& relation, const Batch& batch, const EvalContext& context) {
  LEAT_RETURN(Prepare());
  const auto it = scans_.find(relation);
  if (it == scans_.end()) return Status::OK();
  for (const int id : it->second) LEAT_RETURN(PushScan(id, batch, context));
  return Status::OK();
}

Status Dataflow::PushScan(int node, const Batch& batch, const EvalContext& context) {
  const Node& scan = *nodes_[static_cast<size_t>(node)];
  if (batch.rows == 0) return Status::OK();
  Batch pruned{.rows = batch.rows, .weights = batch.weights, .seq = batch.seq};
  for (const int column : scan.logical->columns) {
    pruned.columns.push_back(batch.columns[static_cast<size_t>(column)]);
  }
  Gathered& region = regions_[static_cast<size_t>(scan.region)];
  if (region.kind == Region::Kind::kArrival) {
    region.Add(0, node, 0, std::move(pruned));
    return WorkIfFull(&region, context);
  }
  LEAT_ASSIGN(Emission emission, MakeEmission(node, std::move(pruned), context));
  return Hand(std::move(emission), context);
}

// --- Between regions -----------------------------------------------------------------------------

Result<Emission> Dataflow::MakeEmission(int number, Batch batch, const EvalContext& context) const {
  const Node& node = *nodes_[static_cast<size_t>(number)];
  Emission emission{.node = number};
  bool whole = !node.outputs.empty();
  for (const Node::Target& target : node.outer) {
    const Node& user = *nodes_[static_cast<size_t>(target.node)];
    const Gathered& region = regions_[static_cast<size_t>(user.region)];
    if (region.kind == Region::Kind::kSerial) {
      whole = true;
      continue;
    }
    const auto keys = ShardKeysOf(*user.logical);
    LEAT_ASSIGN(auto parts, SplitByShard(keys[static_cast<size_t>(target.port)],
                                         static_cast<int>(region.shards), batch, context));
    emission.parts.push_back(std::move(parts));
  }
  if (whole) emission.batch = std::move(batch);
  return emission;
}

Status Dataflow::Hand(Emission emission, const EvalContext& context) {
  const Node& node = *nodes_[static_cast<size_t>(emission.node)];
  for (const RowError& error : emission.errors) {
    const Schema& schema =
        node.logical->children.empty() ? node.logical->schema : node.logical->children[0]->schema;
    LEAT_RETURN(listener_->OnRowError(node.owner, schema, error));
  }
  if (!emission.errors.empty()) return Status::OK();
  for (const int output : node.outputs) LEAT_RETURN(listener_->OnDelta(output, emission.batch));
  const Deliver deliver = [&](Emission next) { return Hand(std::move(next), context); };
  size_t exchange = 0;
  for (const Node::Target& target : node.outer) {
    Gathered& region =
        regions_[static_cast<size_t>(nodes_[static_cast<size_t>(target.node)]->region)];
    if (region.kind == Region::Kind::kSerial) {
      const ShardOutput out(this, emission.node, 0, context, deliver);
      LEAT_RETURN(out.PushTo(target, emission.batch));
      continue;
    }
    std::vector<Batch>& parts = emission.parts[exchange++];
    for (size_t shard = 0; shard < parts.size(); ++shard) {
      if (parts[shard].rows == 0) continue;
      region.Add(shard, target.node, target.port, std::move(parts[shard]));
    }
    LEAT_RETURN(WorkIfFull(&region, context));
  }
  return Status::OK();
}

// --- Regions -------------------------------------------------------------------------------------

Status Dataflow::WorkIfFull(Gathered* region, const EvalContext& context) {
  if (region->rows < cores_.round_rows && region->bytes < cores_.round_bytes) return Status::OK();
  return Work(region, nullptr, context);
}

Status Dataflow::Work(Gathered* region, const Epoch* epoch, const EvalContext& context) {
  Gathered taken{.rows = region->rows};
  taken.items.resize(region->items.size());
  taken.items.swap(region->items);
  const int64_t rows = epoch != nullptr ? region->epoch_rows : region->rows;
  region->rows = region->bytes = 0;
  if (epoch != nullptr) region->epoch_rows = 0;
  const bool few = rows < cores_.threads_rows;
  const bool one = region->kind == Region::Kind::kArrival && few;
  const auto shards = one ? 1 : static_cast<int>(region->shards);
  taken.shards = static_cast<size_t>(shards);

  const ShardWork work = [&](int shard, const Deliver& deliver) {
    return region->kind == Region::Kind::kArrival
               ? WorkArrivals(taken, static_cast<size_t>(shard), context, deliver)
               : WorkShard(*region, taken, static_cast<size_t>(shard), epoch, context, deliver);
  };
  const auto run = [&](const Deliver& deliver) {
    return RunShards(few ? nullptr : cores_.pool, shards, cores_.ahead_bytes_max, work, deliver);
  };
  if (region->merges) return WorkInOrder(run, context);
  return run([&](Emission emission) { return Hand(std::move(emission), context); });
}

// A shard of the arrivals is a stretch of their rows: what comes out is in their order.
Status Dataflow::WorkArrivals(const Gathered& taken, size_t shard, const EvalContext& context,
                              const Deliver& deliver) const {
  const auto shards = static_cast<int64_t>(taken.shards);
  const auto number = static_cast<int64_t>(shard);
  const int64_t begin = taken.rows * number / shards, end = taken.rows * (number + 1) / shards;
  int64_t at = 0;  // of the item's first row
  for (const Gathered::Item& item : taken.items[0]) {
    const int64_t first = std::max<int64_t>(begin - at, 0);
    const int64_t last = std::min(end - at, item.batch.rows);
    at += item.batch.rows;
    if (first >= last) continue;
    const bool all = last - first == item.batch.rows;
    ShardOutput out(this, item.node, shard, context, deliver);
    LEAT_RETURN(out.Emit(all ? item.batch : Slice(item.batch, first, last - first)));
  }
  return Status::OK();
}

Status Dataflow::WorkShard(const Gathered& region, const Gathered& taken, size_t shard,
                           const Epoch* epoch, const EvalContext& context,
                           const Deliver& deliver) const {
  for (const Gathered::Item& item : taken.items[shard]) {
    const ShardOutput out(this, item.node, shard, context, deliver);
    LEAT_RETURN(out.PushTo({item.node, item.port}, item.batch));
  }
  if (epoch == nullptr) return Status::OK();
  for (const int id : region.nodes) {
    const Node& node = *nodes_[static_cast<size_t>(id)];
    if (node.ops.empty()) continue;
    ShardOutput out(this, id, shard, context, deliver);
    const NodeTime time(&node.nanoseconds);
    LEAT_RETURN(node.ops[shard]->Finish(*epoch, context, &out));
  }
  return Status::OK();
}

Status Dataflow::WorkInOrder(const std::function<Status(const Deliver&)>& run,
                             const EvalContext& context) {
  std::map<int, std::vector<Batch>> by_node;
  LEAT_RETURN(run([&](Emission emission) -> Status {
    const bool merges = nodes_[static_cast<size_t>(emission.node)]->merges;
    if (!merges || !emission.errors.empty()) return Hand(std::move(emission), context);
    by_node[emission.node].push_back(std::move(emission.batch));
    return Status::OK();
  }));
  for (const auto& [id, batches] : by_node) {
    LEAT_ASSIGN(Batch merged,
                MergeBySeq(nodes_[static_cast<size_t>(id)]->logical->schema, batches));
    LEAT_ASSIGN(Emission emission, MakeEmission(id, std::move(merged), context));
    LEAT_RETURN(Hand(std::move(emission), context));
  }
  return Status::OK();
}

Status Dataflow::FinishRegion(Gathered* region, const Epoch& epoch, const EvalContext& context) {
  if (region->kind != Region::Kind::kSerial) return Work(region, &epoch, context);
  const Deliver deliver = [&](Emission next) { return Hand(std::move(next), context); };
  return WorkShard(*region, *region, 0, &epoch, context, deliver);
}

Status Dataflow::Finish(const Epoch& epoch, const EvalContext& context) {
  LEAT_RETURN(Prepare());
  if (!constants_pushed_) LEAT_RETURN(PushConstants(context));
  for (Gathered& region : regions_) LEAT_RETURN(FinishRegion(&region, epoch, context));
  return Status::OK();
}

Micros Dataflow::Due() const {
  Micros due = INT64_MAX;
  for (const auto& node : nodes_) {
    for (const auto& op : node->ops) due = std::min(due, op->Due());
  }
  return due;
}

Status Dataflow::Drain(const RelationScan& scan, const EvalContext& context) {
  LEAT_CHECK(sharing_ == Sharing::kNone && outputs_ == 1, "only one query can be drained");
  LEAT_RETURN(Prepare());
  return DrainNode(static_cast<int>(nodes_.size()) - 1, scan, context);
}

Status Dataflow::DrainNode(int number, const RelationScan& scan, const EvalContext& context) {
  const Node& node = *nodes_[static_cast<size_t>(number)];
  Gathered& region = regions_[static_cast<size_t>(node.region)];
  if (node.logical->kind == LogicalKind::kScan) {
    LEAT_RETURN(scan(node.logical->relation,
                     [&](const Batch& batch) { return PushScan(number, batch, context); }));
    return region.kind == Region::Kind::kArrival ? Work(&region, nullptr, context) : Status::OK();
  }
  if (node.logical->kind == LogicalKind::kValues) return PushValues(number, context);
  std::vector<int> inputs = node.children;
  if (node.logical->kind == LogicalKind::kJoin) std::swap(inputs[0], inputs[1]);
  for (const int input : inputs) LEAT_RETURN(DrainNode(input, scan, context));
  // Nothing is shared: a region is a path, and its last node the only way out.
  if (region.kind == Region::Kind::kArrival || region.nodes.back() != number) return Status::OK();
  return FinishRegion(&region, {.number = 1, .clock = context.now}, context);
}

// --- State ---------------------------------------------------------------------------------------

Status Dataflow::Checkpoint(
    const std::function<Result<StateWriter*>(const std::string& name)>& writer) {
  LEAT_RETURN(Prepare());
  for (const auto& node : nodes_) {
    if (node->ops.empty()) continue;
    LEAT_ASSIGN(StateWriter * to, writer(node->name));
    if (IsLinear(*node->logical) || node->ops.size() == 1) {
      LEAT_RETURN(node->ops[0]->Checkpoint(to));
      continue;
    }
    LEAT_RETURN(to->PutBlob(kShardsBlob, std::to_string(node->ops.size())));
    for (size_t shard = 0; shard < node->ops.size(); ++shard) {
      PrefixWriter part(ShardPrefix(shard), to);
      LEAT_RETURN(node->ops[shard]->Checkpoint(&part));
    }
  }
  return Status::OK();
}

// A state keeps the shards that it was made with, whatever this machine has.
Status Dataflow::CountShards(
    const std::function<Result<StateReader*>(const std::string& name)>& reader) {
  int found = 1;
  for (const auto& node : nodes_) {
    if (ShardKeysOf(*node->logical).empty()) continue;
    LEAT_ASSIGN(StateReader * from, reader(node->name));
    LEAT_ASSIGN(const int shards, ShardsIn(from, node->name));
    node->sharded = shards > 1;
    if (shards == 1) continue;
    if (found > 1 && shards != found) {
      return IOErrorF("operators of one state have {} and {} shards", found, shards);
    }
    found = shards;
  }
  if (found > 1) cores_.shards = found;
  return Status::OK();
}

Status Dataflow::Restore(
    const std::function<Result<StateReader*>(const std::string& name)>& reader) {
  LEAT_CHECK(!prepared_, "a dataflow that has begun is restored");
  constants_pushed_ = true;  // they are in the state that is restored
  LEAT_RETURN(CountShards(reader));
  LEAT_RETURN(Prepare());
  for (const auto& node : nodes_) {
    if (node->ops.empty()) continue;
    LEAT_ASSIGN(StateReader * from, reader(node->name));
    if (IsLinear(*node->logical) || node->ops.size() == 1) {
      if (node->sharded && !ShardKeysOf(*node->logical).empty() && cores_.shards > 1) {
        return IOErrorF("the state of operator {} has shards, which this plan does not",
                        node->name);
      }
      LEAT_RETURN(node->ops[0]->Restore(from));
      continue;
    }
    for (size_t shard = 0; shard < node->ops.size(); ++shard) {
      PrefixReader part(ShardPrefix(shard), from);
      LEAT_RETURN(node->ops[shard]->Restore(&part));
    }
  }
  return Status::OK();
}

std::vector<Dataflow::NodeReport> Dataflow::Report() const {
  std::vector<NodeReport> reports;
  for (const auto& node : nodes_) {
    if (node->ops.empty()) continue;
    const std::string text = ToString(*node->logical);
    NodeReport report{.name = node->name, .label = text.substr(0, text.find('\n'))};
    report.shards = static_cast<int>(node->ops.size());
    report.nanoseconds = node->nanoseconds.load(std::memory_order_relaxed);
    for (const auto& op : node->ops) {
      const OperatorStats stats = op->stats();
      report.stats.rows_in += stats.rows_in;
      report.stats.rows_out += stats.rows_out;
      report.stats.state_rows += stats.state_rows;
      report.stats.state_bytes += stats.state_bytes;
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace leat
