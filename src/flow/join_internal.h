// What the forms of the join share. Only flow/join*.cc include this.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "data/key.h"
#include "flow/operators.h"

namespace leat::join_internal {

// A join's output grows to this many rows before it is handed on.
inline constexpr int64_t kOutputRows = 16384;

std::vector<Type> TypesOf(const Schema& schema);

// Which rows a type of join puts out.
inline bool EmitsPairs(JoinType type) { return type < JoinType::kSemi; }
inline bool EmitsUnmatchedLeft(JoinType type) {
  return type == JoinType::kLeft || type == JoinType::kFull || type == JoinType::kAnti;
}
inline bool EmitsUnmatchedRight(JoinType type) {
  return type == JoinType::kRight || type == JoinType::kFull;
}

// Rows with their join keys. A row with a null in its key matches nothing: `null_key` is set.
struct KeyedBatch {
  Batch batch;  // without `_seq`: a join's output has none
  Strings keys;
  std::vector<uint8_t> null_key;  // empty: no row has one
};

// Rows with what their join keys evaluate to.
struct KeyedColumns {
  Batch batch;                                      // without `_seq`
  std::vector<std::shared_ptr<arrow::Array>> keys;  // one of each key
  std::vector<uint8_t> null_key;                    // as in KeyedBatch
};
// Evaluates the keys of side `port` over a batch; rows that fail go to the rejects and are left
// out.
Result<KeyedColumns> EvaluateKeys(const JoinSpec& spec, int port, const Batch& batch,
                                  const EvalContext& context, Output* out);
// The bytes of the keys of side `port`, one of each row. Without keys every row has the same one.
Status EncodeKeys(const JoinSpec& spec, int port, const KeyedColumns& keyed, Strings* out);
// Both.
Result<KeyedBatch> MakeKeyed(const JoinSpec& spec, int port, const Batch& batch,
                             const EvalContext& context, Output* out);
// The rows of `keyed` whose key has (or has not) a null.
Result<KeyedBatch> TakeKeyed(const KeyedBatch& keyed, bool null_key);

// Collects rows of one side, from a batch by their number or as encoded bytes, never mixed between
// two calls of Finish.
class SideBuilder {
 public:
  explicit SideBuilder(const Schema& schema);
  // Numbers mean rows of `batch`, which must live until Finish; null: rows come as bytes.
  void Use(const Batch* batch) { batch_ = batch; }
  void Add(int32_t row) { rows_.push_back(row); }
  Status Add(std::string_view bytes) { return decoder_.Append(bytes); }
  void AddNull();
  // Appends the side's columns to `columns`.
  Status Finish(std::vector<std::shared_ptr<arrow::Array>>* columns);

 private:
  const Batch* batch_ = nullptr;
  std::vector<int32_t> rows_;
  RowDecoder decoder_;
};

// Puts rows of both sides next to each other and hands them on.
class PairEmitter {
 public:
  PairEmitter(const JoinSpec& spec, const EvalContext& context, Output* out);
  // Starts a phase: where the sides' rows come from, whether pairs must satisfy the residual.
  Status Begin(const Batch* left, const Batch* right, bool residual);
  SideBuilder& left() { return left_; }
  SideBuilder& right() { return right_; }
  // After a row was added to each side (to the left alone in a semi or anti join).
  Status Added(int64_t weight);
  Status Flush();

 private:
  const JoinSpec& spec_;
  const EvalContext& context_;
  Output* out_;
  SideBuilder left_, right_;
  std::vector<int64_t> weights_;
  bool residual_ = false;
};

// Sets weights on a batch, unless all are 1.
Status SetWeights(const std::vector<int64_t>& weights, Batch* batch);

// For joins that keep or drop rows by whether they match, under a residual: compares each row's
// matches before and after the epoch, for the keys that changed.
class ResidualMatcher {
 public:
  // One side of the keys that changed, before and after.
  struct Candidate {
    std::string row;
    int64_t before = 0, after = 0;
    bool matched_before = false, matched_after = false;
  };
  using Candidates = std::vector<Candidate>;

  ResidualMatcher(const JoinSpec& spec, const EvalContext& context, Output* out)
      : spec_(spec), context_(context), out_(out), left_(spec.left), right_(spec.right) {}
  // Evaluates the residual over all pairs of rows of one key. Candidates must live until Flush.
  Status Compare(Candidates* lefts, Candidates* rights);
  Status Flush();

 private:
  struct Pair {
    Candidate* left;
    Candidate* right;
  };
  Status RejectPairs(const Batch& batch, const ErrorMask& errors);

  const JoinSpec& spec_;
  const EvalContext& context_;
  Output* out_;
  SideBuilder left_, right_;
  std::vector<Pair> pairs_;
};

Result<std::unique_ptr<Operator>> MakeIncrementalJoin(JoinSpec spec);
Result<std::unique_ptr<Operator>> MakeFinalJoin(JoinSpec spec);

}  // namespace leat::join_internal
