#include <arrow/array.h>
#include <arrow/builder.h>

#include "flow/join_internal.h"
#include "flow/row_errors.h"

namespace leat {
namespace join_internal {

std::vector<Type> TypesOf(const Schema& schema) {
  std::vector<Type> types;
  for (const Column& column : schema.columns) types.push_back(column.type);
  return types;
}

Result<KeyedColumns> EvaluateKeys(const JoinSpec& spec, int port, const Batch& batch,
                                  const EvalContext& context, Output* out) {
  const std::vector<ExprPtr>& keys = port == 0 ? spec.left_keys : spec.right_keys;
  ErrorMask errors(batch.rows);
  KeyedColumns keyed{.batch = batch, .keys = {}, .null_key = {}};
  for (const ExprPtr& key : keys) {
    LEAT_ASSIGN(auto column, EvaluateColumn(*key, batch, context, &errors));
    keyed.keys.push_back(std::move(column));
  }
  if (errors.any()) {
    LEAT_RETURN(RejectRows(batch, errors, out));
    LEAT_ASSIGN(const Batch good, Take(batch, RowsWithoutErrors(batch.rows, errors)));
    return EvaluateKeys(spec, port, good, context, out);
  }
  keyed.batch.seq = nullptr;
  for (size_t key = 0; key < keyed.keys.size(); ++key) {
    if (key < spec.null_safe.size() && spec.null_safe[key]) continue;
    const auto& column = keyed.keys[key];
    const auto plain = column->type_id() == arrow::Type::DICTIONARY ? Plain(column) : column;
    if (plain->null_count() == 0) continue;
    keyed.null_key.resize(static_cast<size_t>(batch.rows), 0);
    for (int64_t i = 0; i < batch.rows; ++i) {
      if (plain->IsNull(i)) keyed.null_key[static_cast<size_t>(i)] = 1;
    }
  }
  return keyed;
}

Status EncodeKeys(const JoinSpec& spec, int port, const KeyedColumns& keyed, Strings* out) {
  if (keyed.keys.empty()) {
    out->offsets.assign(static_cast<size_t>(keyed.batch.rows) + 1, 0);
    return Status::OK();
  }
  std::vector<KeyColumn> columns;
  for (const ExprPtr& key : port == 0 ? spec.left_keys : spec.right_keys) {
    columns.push_back({.type = key->type});
  }
  return KeyEncoder(std::move(columns)).Encode(keyed.keys, keyed.batch.rows, out);
}

Result<KeyedBatch> MakeKeyed(const JoinSpec& spec, int port, const Batch& batch,
                             const EvalContext& context, Output* out) {
  LEAT_ASSIGN(KeyedColumns columns, EvaluateKeys(spec, port, batch, context, out));
  KeyedBatch keyed;
  LEAT_RETURN(EncodeKeys(spec, port, columns, &keyed.keys));
  keyed.batch = std::move(columns.batch);
  keyed.null_key = std::move(columns.null_key);
  return keyed;
}

Result<KeyedBatch> TakeKeyed(const KeyedBatch& keyed, bool null_key) {
  KeyedBatch taken;
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < keyed.batch.rows; ++i) {
    if ((keyed.null_key[static_cast<size_t>(i)] != 0) != null_key) continue;
    rows.push_back(static_cast<int32_t>(i));
    taken.keys.Append(keyed.keys[i]);
  }
  LEAT_ASSIGN(taken.batch, Take(keyed.batch, rows));
  return taken;
}

SideBuilder::SideBuilder(const Schema& schema) : decoder_(TypesOf(schema)) {}

void SideBuilder::AddNull() {
  if (batch_ != nullptr) {
    rows_.push_back(-1);
  } else {
    decoder_.AppendNull();
  }
}

Status SideBuilder::Finish(std::vector<std::shared_ptr<arrow::Array>>* columns) {
  if (batch_ == nullptr) {
    LEAT_ASSIGN(auto decoded, decoder_.Finish());
    columns->insert(columns->end(), decoded.begin(), decoded.end());
    return Status::OK();
  }
  for (const auto& column : batch_->columns) {
    LEAT_ASSIGN(auto taken, TakeElements(column, rows_));
    columns->push_back(std::move(taken));
  }
  rows_.clear();
  return Status::OK();
}

Status SetWeights(const std::vector<int64_t>& weights, Batch* batch) {
  batch->weights = nullptr;
  if (std::all_of(weights.begin(), weights.end(), [](int64_t weight) { return weight == 1; })) {
    return Status::OK();
  }
  arrow::Int64Builder builder;
  LEAT_RETURN(builder.AppendValues(weights));
  LEAT_ASSIGN(auto array, builder.Finish());
  batch->weights = std::static_pointer_cast<arrow::Int64Array>(array);
  return Status::OK();
}

PairEmitter::PairEmitter(const JoinSpec& spec, const EvalContext& context, Output* out)
    : spec_(spec), context_(context), out_(out), left_(spec.left), right_(spec.right) {}

Status PairEmitter::Begin(const Batch* left, const Batch* right, bool residual) {
  LEAT_RETURN(Flush());
  left_.Use(left);
  right_.Use(right);
  residual_ = residual && spec_.residual != nullptr;
  return Status::OK();
}

Status PairEmitter::Added(int64_t weight) {
  weights_.push_back(weight);
  return static_cast<int64_t>(weights_.size()) < kOutputRows ? Status::OK() : Flush();
}

Status PairEmitter::Flush() {
  if (weights_.empty()) return Status::OK();
  Batch batch;
  batch.rows = static_cast<int64_t>(weights_.size());
  LEAT_RETURN(left_.Finish(&batch.columns));
  if (EmitsPairs(spec_.type)) LEAT_RETURN(right_.Finish(&batch.columns));
  LEAT_RETURN(SetWeights(weights_, &batch));
  weights_.clear();
  if (residual_) {
    ErrorMask errors(batch.rows);
    LEAT_ASSIGN(const auto passed, EvaluateFilter(*spec_.residual, batch, context_, &errors));
    LEAT_RETURN(RejectRows(batch, errors, out_));
    if (static_cast<int64_t>(passed.size()) < batch.rows) {
      LEAT_ASSIGN(batch, Take(batch, passed));
    }
  }
  return batch.rows == 0 ? Status::OK() : out_->Emit(std::move(batch));
}

Status ResidualMatcher::Compare(Candidates* lefts, Candidates* rights) {
  for (Candidate& left : *lefts) {
    for (Candidate& right : *rights) {
      LEAT_RETURN(left_.Add(left.row));
      LEAT_RETURN(right_.Add(right.row));
      pairs_.push_back({&left, &right});
      if (static_cast<int64_t>(pairs_.size()) >= kOutputRows) LEAT_RETURN(Flush());
    }
  }
  return Status::OK();
}

Status ResidualMatcher::Flush() {
  if (pairs_.empty()) return Status::OK();
  Batch batch;
  batch.rows = static_cast<int64_t>(pairs_.size());
  LEAT_RETURN(left_.Finish(&batch.columns));
  LEAT_RETURN(right_.Finish(&batch.columns));
  ErrorMask errors(batch.rows);
  LEAT_ASSIGN(const auto passed, EvaluateFilter(*spec_.residual, batch, context_, &errors));
  for (const int32_t row : passed) {
    const auto [left, right] = pairs_[static_cast<size_t>(row)];
    left->matched_before |= right->before != 0;
    left->matched_after |= right->after != 0;
    right->matched_before |= left->before != 0;
    right->matched_after |= left->after != 0;
  }
  // Where pairs are put out, they were rejected there.
  if (!EmitsPairs(spec_.type)) LEAT_RETURN(RejectPairs(batch, errors));
  pairs_.clear();
  return Status::OK();
}

Status ResidualMatcher::RejectPairs(const Batch& batch, const ErrorMask& errors) {
  for (const ErrorMask::Error& error : errors.errors()) {
    const auto [left, right] = pairs_[static_cast<size_t>(error.row)];
    const int64_t weight = left->after * right->after - left->before * right->before;
    if (weight == 0) continue;
    LEAT_ASSIGN(Batch row, Take(batch, {static_cast<int32_t>(error.row)}));
    LEAT_RETURN(out_->Reject({.row = std::move(row),
                              .weight = weight,
                              .sqlstate = error.sqlstate,
                              .reason = error.message}));
  }
  return Status::OK();
}

}  // namespace join_internal

Result<std::unique_ptr<Operator>> MakeJoin(JoinSpec spec) {
  if (spec.left_keys.size() != spec.right_keys.size()) {
    return Status::Invalid("a join with ", spec.left_keys.size(), " keys on the left and ",
                           spec.right_keys.size(), " on the right");
  }
  if (spec.left_properties.final && spec.right_properties.final) {
    return join_internal::MakeFinalJoin(std::move(spec));
  }
  return join_internal::MakeIncrementalJoin(std::move(spec));
}

}  // namespace leat
