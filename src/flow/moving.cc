// Filter and project where the answer for a row moves with the clock. A row waits in a queue, under
// the time before which nothing changes for it; when the clock has reached that, what was said of
// it is taken back and said anew. Rows for which nothing will ever change are not kept.
//
// That time is a function of the row that stays the same until it is reached (func/clock_motion.h),
// so a row that is taken back is found by computing it again; and all is linear in the weights, so
// it does not matter in which order rows come and go.
#include <arrow/builder.h>

#include <cstring>
#include <map>

#include "base/check.h"
#include "data/key.h"
#include "data/ordered_bytes.h"
#include "flow/operators.h"
#include "func/clock_motion.h"
#include "state/index.h"

namespace leat {
namespace {

constexpr int64_t kChunkRows = 16384;
constexpr size_t kSeqSize = 1 + sizeof(int64_t);
constexpr const char* kClockBlob = "clock";

std::string DueKey(Micros due) {
  std::string key;
  AppendOrdered(due, &key);
  return key;
}

// Hands what comes to an operator and what that gives to `out`.
class Into : public Output {
 public:
  Into(Operator* op, const EvalContext& context, Output* out)
      : op_(op), context_(context), out_(out) {}
  Status Emit(Batch batch) override { return op_->Push(0, batch, context_, out_); }
  Status Reject(RowError error) override { return out_->Reject(std::move(error)); }

 private:
  Operator* const op_;
  const EvalContext& context_;
  Output* const out_;
};

class Moving : public Operator {
 public:
  Moving(const MovingSpec& spec, std::vector<ClockMotion> motions, std::unique_ptr<Operator> filter,
         std::unique_ptr<Operator> project)
      : final_(spec.properties.final),
        motions_(std::move(motions)),
        filter_(std::move(filter)),
        project_(std::move(project)),
        queue_(MakeIndex()) {
    for (const Column& column : spec.input.columns) types_.push_back(column.type);
  }

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    if (batch.rows == 0) return Status::OK();
    stats_.rows_in += batch.rows;
    LEAT_RETURN(Say(batch, context, out));
    return final_ ? Status::OK() : Enqueue(batch, context);
  }

  Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) override {
    const Micros before = clock_;
    clock_ = epoch.clock;
    if (due_ > epoch.clock) return Status::OK();
    LEAT_RETURN(Move(before, context, out));
    return FindDue();
  }

  Micros Due() const override { return due_; }

  Status Checkpoint(StateWriter* writer) override {
    LEAT_RETURN(writer->PutBlob(kClockBlob, DueKey(clock_)));
    return queue_->Checkpoint(writer);
  }
  Status Restore(StateReader* reader) override {
    LEAT_ASSIGN(const std::string clock, reader->GetBlob(kClockBlob));
    if (clock.size() != kOrderedBytes) return IOErrorF("the state of a moving filter has no clock");
    clock_ = OrderedValue(clock);
    LEAT_RETURN(queue_->Restore(reader));
    return FindDue();
  }
  OperatorStats stats() const override {
    OperatorStats stats = stats_;
    const IndexStats queue = queue_->stats();
    stats.state_rows = queue.entries;
    stats.state_bytes = queue.bytes;
    return stats;
  }

 private:
  // What is to be said of rows at a clock.
  Status Say(const Batch& batch, const EvalContext& context, Output* out) {
    Counted counted(&stats_, out);
    if (!filter_) return project_->Push(0, batch, context, &counted);
    if (!project_) return filter_->Push(0, batch, context, &counted);
    Into to_project(project_.get(), context, &counted);
    return filter_->Push(0, batch, context, &to_project);
  }

  Status Enqueue(const Batch& batch, const EvalContext& context) {
    std::vector<Micros> dues(static_cast<size_t>(batch.rows), kNeverChanges);
    for (ClockMotion& motion : motions_) {
      LEAT_ASSIGN(const auto changes, motion.NextChanges(batch, context));
      for (size_t i = 0; i < dues.size(); ++i) dues[i] = std::min(dues[i], changes[i]);
    }
    std::vector<int32_t> waiting;
    for (size_t i = 0; i < dues.size(); ++i) {
      if (dues[i] != kNeverChanges) waiting.push_back(static_cast<int32_t>(i));
    }
    if (waiting.empty()) return Status::OK();
    LEAT_ASSIGN(const Batch kept, Take(batch, waiting));
    Strings keys, rows, values;
    LEAT_RETURN(EncodeRows(kept.columns, types_, kept.rows, &rows));
    std::vector<int64_t> weights;
    for (int64_t i = 0; i < kept.rows; ++i) {
      const Micros due = dues[static_cast<size_t>(waiting[static_cast<size_t>(i)])];
      LEAT_CHECK(due > context.now, "a row is due at {}, and it is {}", due, context.now);
      due_ = std::min(due_, due);
      keys.Append(DueKey(due));
      values.Append(Held(kept, i, rows[i]));
      weights.push_back(kept.weight(i));
    }
    return queue_->Apply(keys, values, weights);
  }

  // A row as it waits: whether it has a `_seq`, that, and the row's bytes.
  static std::string Held(const Batch& batch, int64_t row, std::string_view bytes) {
    const int64_t seq = batch.seq ? batch.seq->Value(row) : 0;
    std::string held(1, batch.seq ? 1 : 0);
    held.append(reinterpret_cast<const char*>(&seq), sizeof(seq));
    held += bytes;
    return held;
  }

  // Rows that were due by now: out of the queue, and what was said of them when the clock was
  // `before` said anew.
  Status Move(Micros before, const EvalContext& context, Output* out) {
    EvalContext then = context;
    then.now = before;
    Chunk chunk(types_);
    const auto flush = [&]() -> Status {
      if (chunk.weights.empty()) return Status::OK();
      std::vector<int64_t> gone = chunk.weights;
      for (int64_t& weight : gone) weight = -weight;
      LEAT_RETURN(queue_->Apply(chunk.keys, chunk.values, gone));
      LEAT_ASSIGN(const Batch batch, chunk.Finish());
      LEAT_ASSIGN(const Batch back, Negate(batch));
      LEAT_RETURN(Say(back, then, out));
      LEAT_RETURN(Say(batch, context, out));
      return Enqueue(batch, context);
    };
    LEAT_RETURN(queue_->Scan(
        "", DueKey(context.now + 1), false,
        [&](std::string_view key, std::string_view value, int64_t weight) -> Result<bool> {
          LEAT_RETURN(chunk.Add(key, value, weight));
          if (std::ssize(chunk.weights) >= kChunkRows) LEAT_RETURN(flush());
          return true;
        }));
    return flush();
  }

  Status FindDue() {
    due_ = kNeverChanges;
    return queue_->Scan("", "", false, [&](std::string_view key, std::string_view, int64_t) {
      due_ = OrderedValue(key);
      return Result<bool>(false);
    });
  }

  // Rows out of the queue.
  struct Chunk {
    explicit Chunk(const std::vector<Type>& types) : decoder(types) {}
    Status Add(std::string_view key, std::string_view value, int64_t weight) {
      if (value.size() < kSeqSize) return IOErrorF("a row in the state has no length");
      keys.Append(key);
      values.Append(value);
      weights.push_back(weight);
      return Status::OK();
    }
    Result<Batch> Finish() {
      arrow::Int64Builder seqs, weight_builder;
      bool all_have_seq = true;
      for (int64_t i = 0; i < values.size(); ++i) {
        const std::string_view value = values[i];
        int64_t seq = 0;
        std::memcpy(&seq, value.data() + 1, sizeof(seq));
        LEAT_RETURN(seqs.Append(seq));
        all_have_seq = all_have_seq && value[0] != 0;
        LEAT_RETURN(decoder.Append(value.substr(kSeqSize)));
      }
      LEAT_RETURN(weight_builder.AppendValues(weights));
      Batch batch{.rows = decoder.rows()};
      LEAT_ASSIGN(batch.columns, decoder.Finish());
      LEAT_ASSIGN(const auto seq, seqs.Finish());
      LEAT_ASSIGN(const auto array, weight_builder.Finish());
      if (all_have_seq) batch.seq = std::static_pointer_cast<arrow::Int64Array>(seq);
      batch.weights = std::static_pointer_cast<arrow::Int64Array>(array);
      keys.Clear();
      values.Clear();
      weights.clear();
      return batch;
    }
    RowDecoder decoder;
    Strings keys, values;
    std::vector<int64_t> weights;
  };

  class Counted : public Output {
   public:
    Counted(OperatorStats* stats, Output* out) : stats_(stats), out_(out) {}
    Status Emit(Batch batch) override {
      stats_->rows_out += batch.rows;
      return out_->Emit(std::move(batch));
    }
    Status Reject(RowError error) override { return out_->Reject(std::move(error)); }

   private:
    OperatorStats* const stats_;
    Output* const out_;
  };

  const bool final_;
  std::vector<Type> types_;
  std::vector<ClockMotion> motions_;
  std::unique_ptr<Operator> filter_, project_;  // of one row at one clock; absent: all pass
  std::unique_ptr<Index> queue_;                // due → row
  Micros due_ = kNeverChanges;                  // the least in the queue, or earlier
  Micros clock_ = 0;                            // of the last epoch
  OperatorStats stats_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeMoving(const MovingSpec& spec) {
  std::vector<ClockMotion> motions;
  std::vector<ExprPtr> all = spec.exprs;
  if (spec.predicate) all.push_back(spec.predicate);
  for (const ExprPtr& expr : all) {
    if (!ReadsClock(*expr)) continue;
    LEAT_ASSIGN(auto motion, ClockMotion::Of(expr));
    motions.push_back(std::move(motion));
  }
  std::unique_ptr<Operator> filter, project;
  if (spec.predicate) {
    LEAT_ASSIGN(filter, MakeFilter({.input = spec.input, .predicate = spec.predicate}));
  }
  if (!spec.exprs.empty() || !spec.predicate) {
    LEAT_ASSIGN(project,
                MakeProject({.input = spec.input, .exprs = spec.exprs, .output = spec.output}));
  }
  return std::make_unique<Moving>(spec, std::move(motions), std::move(filter), std::move(project));
}

}  // namespace leat
