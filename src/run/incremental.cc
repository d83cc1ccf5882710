#include "run/incremental.h"

#include <arrow/builder.h>

#include <algorithm>
#include <random>
#include <unordered_map>

#include "data/key.h"
#include "plan/dataflow.h"
#include "plan/rules.h"
#include "run/row_text.h"
#include "state/memory_store.h"

namespace leat {
namespace {

constexpr int kTicksMax = 100;
constexpr int64_t kEpochsMax = 2000;  // kRows: more rows than this share epochs

// Adds up what a dataflow answers: rows by their bytes, errors by their text.
class Net : public DataflowListener {
 public:
  explicit Net(Schema schema) : schema_(std::move(schema)), types_(TypesOf(schema_)) {}

  Status OnDelta(int, const Batch& batch) override {
    Strings rows;
    LEAT_RETURN(EncodeRows(batch.columns, types_, batch.rows, &rows));
    for (int64_t i = 0; i < batch.rows; ++i) rows_[std::string(rows[i])] += batch.weight(i);
    return Status::OK();
  }
  Status OnRowError(int, const Schema& schema, const RowError& error) override {
    errors_[error.sqlstate + "\n" + error.reason + "\n" + NamedRowText(schema, error.row, 0)] +=
        error.weight;
    return Status::OK();
  }

  Result<Batch> Rows() const {
    for (const auto& [text, weight] : errors_) {
      if (weight == 0) continue;
      const size_t end = text.find('\n', 6);
      return SqlStatus(text.substr(6, end - 6), {.sqlstate = text.substr(0, 5)});
    }
    RowDecoder decoder(types_);
    for (const auto& [row, weight] : rows_) {
      if (weight < 0)
        return Status::UnknownError("a row was taken back that never came: ",
                                    RowText(schema_, row));
      for (int64_t i = 0; i < weight; ++i) LEAT_RETURN(decoder.Append(row));
    }
    Batch batch{.rows = decoder.rows()};
    LEAT_ASSIGN(batch.columns, decoder.Finish());
    return batch;
  }

 private:
  const Schema schema_;
  const std::vector<Type> types_;
  std::map<std::string, int64_t> rows_;
  std::map<std::string, int64_t> errors_;
};

}  // namespace

Result<Batch> SumOf(const Schema& schema, const std::vector<Batch>& batches) {
  Net net(schema);
  for (const Batch& batch : batches) LEAT_RETURN(net.OnDelta(0, batch));
  return net.Rows();
}

namespace {

// One play of a history through a dataflow.
class Play {
 public:
  Play(LogicalPtr query, const std::vector<Change>& history, const Way& way,
       const EvalContext& context)
      : query_(std::move(query)),
        history_(history),
        way_(way),
        context_(context),
        random_(way.seed),
        net_(query_->schema) {}

  Result<Batch> Answer() {
    // What would change all the time stands still here: the answer is that of one moment.
    if (auto moving = MoveWithClock(query_); moving.ok()) {
      moves_ = *moving != query_;
      query_ = *std::move(moving);
    }
    if (!moves_) clock_ = context_.now;
    LEAT_RETURN(Build());
    LEAT_ASSIGN(const auto changes, Changes());
    for (const Change& change : changes) {
      LEAT_RETURN(BeginEpoch(change));
      LEAT_RETURN(flow_->Push(change.relation, change.delta, Eval()));
      const bool random_end = EndsEpoch();
      if (!random_end && change.then == Change::Then::kNothing) continue;
      LEAT_RETURN(FinishEpoch());
      const bool restarts = way_.cut == Way::Cut::kRestart || way_.cut == Way::Cut::kThreads;
      const bool random_restart = restarts && Chance(4);
      if (random_restart || change.then == Change::Then::kRestart) LEAT_RETURN(Restart());
    }
    if (begun_) LEAT_RETURN(FinishEpoch());
    if (moves_) LEAT_RETURN(Tick(context_.now));
    clock_ = context_.now;
    LEAT_RETURN(FinishEpoch());
    return net_.Rows();
  }

 private:
  bool Chance(uint64_t of) { return random_() % of == 0; }

  Properties Known(const std::string& relation) const {
    Properties known{.append_only = way_.cut != Way::Cut::kRetract,
                     .in_order = way_.cut != Way::Cut::kRetract};
    int64_t last = -1;
    for (const Change& change : history_) {
      if (change.relation != relation) continue;
      for (int64_t i = 0; i < change.delta.rows; ++i) {
        known.append_only = known.append_only && change.delta.weight(i) > 0;
        known.in_order = known.in_order && change.delta.seq->Value(i) > last;
        last = change.delta.seq->Value(i);
      }
    }
    return known;
  }

  Status Build() {
    Cores cores;
    if (way_.cut == Way::Cut::kThreads) {
      if (!pool_) pool_.emplace(kWayThreads);
      cores = WayCores(&*pool_, 1 + static_cast<int64_t>(random_() % 20));
    }
    flow_ = std::make_unique<Dataflow>(&net_, cores);
    return flow_->Add(query_, [this](const std::string& name) { return Known(name); }).status();
  }

  // The history in pieces: rows where the cut asks for it, random slices elsewhere.
  Result<std::vector<Change>> Changes() {
    if (way_.cut == Way::Cut::kWhole) return history_;
    std::vector<Change> pieces;
    for (const Change& change : history_) {
      for (int64_t at = 0; at < change.delta.rows;) {
        int64_t rows = 1;
        if (way_.cut != Way::Cut::kRows) rows = 1 + static_cast<int64_t>(random_() % 7);
        rows = std::min(rows, change.delta.rows - at);
        pieces.push_back({change.relation, Slice(change.delta, at, rows), change.clock});
        at += rows;
      }
      if (!pieces.empty()) pieces.back().then = change.then;
    }
    pieces_ = static_cast<int64_t>(pieces.size());
    if (way_.cut == Way::Cut::kRetract) LEAT_RETURN(AddPhantoms(&pieces));
    return pieces;
  }

  // Copies of some rows, under new arrival numbers, that come somewhere and go later.
  Status AddPhantoms(std::vector<Change>* pieces) {
    int64_t seq = int64_t{1} << 40;
    const size_t phantoms = std::min<size_t>(pieces->size(), 20);
    for (size_t i = 0; i < phantoms; ++i) {
      const Change from = (*pieces)[random_() % pieces->size()];
      Change come{from.relation, from.delta, from.clock};
      come.delta.weights = nullptr;
      arrow::Int64Builder seqs;
      for (int64_t row = 0; row < come.delta.rows; ++row) LEAT_RETURN(seqs.Append(seq++));
      LEAT_ASSIGN(auto array, seqs.Finish());
      come.delta.seq = std::static_pointer_cast<arrow::Int64Array>(array);
      Change go{.relation = come.relation, .clock = come.clock};
      LEAT_ASSIGN(go.delta, Negate(come.delta));
      const auto first = static_cast<int64_t>(random_() % (pieces->size() + 1));
      pieces->insert(pieces->begin() + first, std::move(come));
      const auto after = static_cast<size_t>(first) + 1 +
                         random_() % (pieces->size() - static_cast<size_t>(first));
      pieces->insert(pieces->begin() + static_cast<int64_t>(after), std::move(go));
    }
    return Status::OK();
  }

  bool EndsEpoch() {
    if (way_.cut == Way::Cut::kWhole) return false;
    if (way_.cut == Way::Cut::kRows) return Chance(static_cast<uint64_t>(pieces_ / kEpochsMax + 1));
    return Chance(3);
  }

  EvalContext Eval() const { return {.now = clock_, .timezone = context_.timezone}; }

  // An epoch has one clock: the one when it begins.
  Status BeginEpoch(const Change& change) {
    if (begun_ || !moves_) return Status::OK();
    const Micros now = std::clamp(change.clock, clock_, context_.now);
    if (way_.cut != Way::Cut::kWhole && epoch_ > 0) LEAT_RETURN(Tick(now));
    clock_ = now;
    begun_ = true;
    return Status::OK();
  }

  Status FinishEpoch() {
    begun_ = false;
    LEAT_RETURN(flow_->Finish({.number = ++epoch_, .clock = clock_}, Eval()));
    if (flow_->Due() > clock_) return Status::OK();
    return Status::UnknownError("what was due is still to be done");
  }

  // Epochs in which nothing comes, as the clock passes where the dataflow says that it must look
  // again, and some other times.
  Status Tick(Micros until) {
    for (int i = 0; i < kTicksMax && flow_->Due() < until && !Chance(20); ++i) {
      const Micros due = std::max(flow_->Due(), clock_);
      const auto rest = static_cast<uint64_t>(until - due) + 1;
      clock_ = Chance(2) ? due : due + static_cast<Micros>(random_() % rest);
      LEAT_RETURN(FinishEpoch());
    }
    return Status::OK();
  }

  Status Restart() {
    store_.Begin();
    std::map<std::string, std::unique_ptr<PrefixWriter>> writers;
    LEAT_RETURN(flow_->Checkpoint([&](const std::string& name) -> Result<StateWriter*> {
      auto& writer = writers[name];
      if (writer) return Status::UnknownError("two operators have one state: ", name);
      writer = std::make_unique<PrefixWriter>(name + "/", &store_);
      return writer.get();
    }));
    store_.Commit();
    LEAT_RETURN(Build());
    std::map<std::string, std::unique_ptr<PrefixReader>> readers;
    return flow_->Restore([&](const std::string& name) -> Result<StateReader*> {
      auto& reader = readers[name] = std::make_unique<PrefixReader>(name + "/", &store_);
      return reader.get();
    });
  }

  LogicalPtr query_;
  bool moves_ = false;  // with the clock
  bool begun_ = false;  // an epoch, if it moves
  Micros clock_ = 0;
  const std::vector<Change>& history_;
  const Way& way_;
  const EvalContext& context_;
  std::mt19937_64 random_;
  Net net_;
  std::optional<ThreadPool> pool_;  // kThreads
  std::unique_ptr<Dataflow> flow_;
  MemoryStore store_;
  int64_t epoch_ = 0;
  int64_t pieces_ = 0;
};

}  // namespace

const char* NameOf(Way::Cut cut) {
  switch (cut) {
    case Way::Cut::kPlain:
      return "plain";
    case Way::Cut::kWhole:
      return "whole";
    case Way::Cut::kRows:
      return "rows";
    case Way::Cut::kRandom:
      return "random";
    case Way::Cut::kRetract:
      return "retract";
    case Way::Cut::kRestart:
      return "restart";
    case Way::Cut::kThreads:
      return "threads";
    case Way::Cut::kOnceThreads:
      return "once-threads";
  }
  return "?";
}

Cores WayCores(ThreadPool* pool, int64_t round_rows) {
  return {.pool = pool, .shards = 3, .round_rows = round_rows, .threads_rows = 1};
}

Result<Batch> AnswerIncrementally(const LogicalPtr& query, const std::vector<Change>& history,
                                  const Way& way, const EvalContext& context) {
  return Play(query, history, way, context).Answer();
}

}  // namespace leat
