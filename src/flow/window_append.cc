// The window over rows that come in order and stay. Of each partition the last rows' arguments are
// kept, as many as a frame reaches back, and the states of what runs from its beginning.
#include <arrow/array.h>
#include <arrow/array/concatenate.h>

#include <cstring>
#include <string>
#include <unordered_map>

#include "base/check.h"
#include "data/key.h"
#include "flow/row_errors.h"
#include "flow/window_forms.h"
#include "flow/window_partitions.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Columns = std::vector<ArrayPtr>;

constexpr int64_t kBlockRows = 8192;

void CheckAppendOnly(const Batch& batch) {
  for (int64_t i = 0; batch.weights && i < batch.rows; ++i) {
    LEAT_CHECK(batch.weights->Value(i) == 1, "a row with weight {} in an append-only input",
               batch.weights->Value(i));
  }
}

class WindowAppend : public Operator {
 public:
  WindowAppend(WindowSpec spec, WindowCalls calls)
      : spec_(std::move(spec)),
        calls_(std::move(calls)),
        keep_(calls_.reach().before),
        all_(calls_.size()),
        partitions_(calls_.size(), keep_) {
    for (const ExprPtr& expr : spec_.partition) key_columns_.push_back({.type = expr->type});
  }

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    stats_.rows_in += batch.rows;
    if (batch.rows == 0) return Status::OK();
    CheckAppendOnly(batch);
    ErrorMask errors(batch.rows);
    Batch computed{.rows = batch.rows};
    for (const auto& exprs : {calls_.columns(), spec_.partition}) {
      for (const ExprPtr& expr : exprs) {
        LEAT_ASSIGN(ArrayPtr column, EvaluateColumn(*expr, batch, context, &errors));
        computed.columns.push_back(Plain(column));
      }
    }
    if (!errors.any()) return Answer(batch, computed.columns, out);
    LEAT_RETURN(RejectRows(batch, errors, out));
    const std::vector<int32_t> good = RowsWithoutErrors(batch.rows, errors);
    LEAT_ASSIGN(const Batch rows, Take(batch, good));
    LEAT_ASSIGN(computed, Take(computed, good));
    return rows.rows == 0 ? Status::OK() : Answer(rows, computed.columns, out);
  }

  Status Finish(const Epoch&, const EvalContext&, Output*) override {
    return spec_.partition.empty() ? Status::OK() : partitions_.EndEpoch();
  }
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override;
  OperatorStats stats() const override;

 private:
  Status Answer(const Batch& batch, Columns computed, Output* out) {
    Columns keys(computed.begin() + static_cast<ptrdiff_t>(calls_.columns().size()),
                 computed.end());
    computed.resize(calls_.columns().size());
    if (keys.empty()) return AnswerAll(batch, computed, out);
    return AnswerPartitioned(batch, computed, keys, out);
  }

  Status AnswerAll(const Batch& batch, const Columns& computed, Output* out);
  Result<Columns> AnswerBlock(const Columns& block, ErrorMask* errors);
  Status AnswerPartitioned(const Batch& batch, const Columns& computed, const Columns& keys,
                           Output* out);
  Status RestoreFirstFormat(std::string_view bytes);
  Status Keep(const Columns& computed, const std::vector<uint32_t>& numbers);
  Status EmitResults(const Batch& batch, Columns results, const ErrorMask& errors, Output* out);
  Status EncodeTail(Strings* rows) const;

  const WindowSpec spec_;
  const WindowCalls calls_;
  const int64_t keep_;
  std::vector<KeyColumn> key_columns_;
  // Without PARTITION BY: its states, and the kept rows, which stay columns.
  std::vector<CallState> all_;
  Columns tail_;
  int64_t tail_rows_ = 0;
  WindowPartitions partitions_;  // with it
  OperatorStats stats_;
};

Status WindowAppend::EmitResults(const Batch& batch, Columns results, const ErrorMask& errors,
                                 Output* out) {
  Batch answer = batch;
  answer.weights = nullptr;
  for (ArrayPtr& result : results) answer.columns.push_back(std::move(result));
  if (errors.any()) {
    LEAT_RETURN(RejectRows(batch, errors, out));
    LEAT_ASSIGN(answer, Take(answer, RowsWithoutErrors(batch.rows, errors)));
  }
  stats_.rows_out += answer.rows;
  return answer.rows == 0 ? Status::OK() : out->Emit(std::move(answer));
}

// One partition: the kept rows in front of the batch's, and everything by column; as many rows at a
// time as keep the intermediate columns in the cache (fresh pages cost more than the sums).
Status WindowAppend::AnswerAll(const Batch& batch, const Columns& computed, Output* out) {
  ErrorMask errors(batch.rows);
  std::vector<arrow::ArrayVector> parts(calls_.size());
  for (int64_t at = 0; at < batch.rows; at += kBlockRows) {
    Columns block;
    for (const ArrayPtr& column : computed) block.push_back(column->Slice(at, kBlockRows));
    ErrorMask block_errors(std::min(kBlockRows, batch.rows - at));
    LEAT_ASSIGN(const Columns results, AnswerBlock(block, &block_errors));
    for (size_t i = 0; i < results.size(); ++i) parts[i].push_back(results[i]);
    for (const auto& error : block_errors.errors()) {
      errors.Set(at + error.row, error.sqlstate, error.message);
    }
  }
  Columns results;
  for (const arrow::ArrayVector& part : parts) {
    LEAT_ASSIGN(ArrayPtr whole,
                part.size() == 1 ? Result<ArrayPtr>(part[0]) : arrow::Concatenate(part));
    results.push_back(std::move(whole));
  }
  return EmitResults(batch, std::move(results), errors, out);
}

Result<Columns> WindowAppend::AnswerBlock(const Columns& block, ErrorMask* errors) {
  Sheet sheet{.rows = tail_rows_ + block[0]->length(), .columns = block};
  for (size_t c = 0; tail_rows_ > 0 && c < block.size(); ++c) {
    LEAT_ASSIGN(sheet.columns[c], arrow::Concatenate({tail_[c], block[c]}));
  }
  sheet.stretches.push_back({.begin = 0,
                             .first = tail_rows_,
                             .last = sheet.rows,
                             .end = sheet.rows,
                             .states = &all_,
                             .save = sheet.rows});
  auto results = calls_.Compute(sheet, errors);
  tail_rows_ = std::min(keep_, sheet.rows);
  tail_.resize(block.size());
  for (size_t c = 0; c < block.size(); ++c) {
    // A copy: a slice would keep the batch's memory.
    LEAT_ASSIGN(tail_[c], arrow::Concatenate({sheet.columns[c]->Slice(sheet.rows - tail_rows_)}));
  }
  return results;
}

// The batch's rows by partition, these in the order in which they first come.
struct Grouping {
  std::vector<uint32_t> partitions;
  std::vector<int32_t> sizes;
  std::vector<int32_t> rows;       // the batch's rows, group after group
  std::vector<int32_t> positions;  // where in `rows` each row of the batch is
};

Grouping GroupRows(const std::vector<uint32_t>& numbers) {
  Grouping groups;
  std::unordered_map<uint32_t, int32_t> group_of;
  std::vector<int32_t> group(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto [at, added] =
        group_of.emplace(numbers[i], static_cast<int32_t>(groups.partitions.size()));
    if (added) {
      groups.partitions.push_back(numbers[i]);
      groups.sizes.push_back(0);
    }
    group[i] = at->second;
    ++groups.sizes[static_cast<size_t>(at->second)];
  }
  std::vector<int32_t> next(groups.sizes.size(), 0);
  for (size_t g = 1; g < next.size(); ++g) next[g] = next[g - 1] + groups.sizes[g - 1];
  groups.rows.resize(numbers.size());
  groups.positions.resize(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const int32_t position = next[static_cast<size_t>(group[i])]++;
    groups.positions[i] = position;
    groups.rows[static_cast<size_t>(position)] = static_cast<int32_t>(i);
  }
  return groups;
}

// A stretch per touched partition: its kept rows, then its rows of the batch. The columns are those
// of the batch with all kept rows behind, taken in the order of the stretches.
Status WindowAppend::AnswerPartitioned(const Batch& batch, const Columns& computed,
                                       const Columns& keys, Output* out) {
  Strings encoded;
  LEAT_RETURN(KeyEncoder(key_columns_).Encode(keys, batch.rows, &encoded));
  LEAT_ASSIGN(const std::vector<uint32_t> numbers, partitions_.Resolve(encoded));
  const Grouping groups = GroupRows(numbers);
  RowDecoder kept(calls_.column_types());
  std::vector<int32_t> order;
  Sheet sheet;
  int32_t done = 0;
  for (size_t g = 0; g < groups.partitions.size(); ++g) {
    Partition& partition = partitions_[groups.partitions[g]];
    const int64_t begin = sheet.rows;
    for (int64_t i = 0; i < partition.kept.size(); ++i) {
      order.push_back(static_cast<int32_t>(batch.rows + kept.rows()));
      LEAT_RETURN(kept.Append(partition.kept[i]));
    }
    const auto first = static_cast<int64_t>(order.size());
    const auto at = groups.rows.begin() + done;
    order.insert(order.end(), at, at + groups.sizes[g]);
    done += groups.sizes[g];
    sheet.rows = static_cast<int64_t>(order.size());
    sheet.stretches.push_back({.begin = begin,
                               .first = first,
                               .last = sheet.rows,
                               .end = sheet.rows,
                               .states = &partition.states,
                               .save = sheet.rows});
  }
  const bool keeps = kept.rows() > 0;
  Columns kept_columns;
  if (keeps) {
    LEAT_ASSIGN(kept_columns, kept.Finish());
  }
  for (size_t c = 0; c < computed.size(); ++c) {
    ArrayPtr column = computed[c];
    if (keeps) {
      LEAT_ASSIGN(column, arrow::Concatenate({column, kept_columns[c]}));
    }
    LEAT_ASSIGN(column, TakeElements(column, order));
    sheet.columns.push_back(std::move(column));
  }
  ErrorMask errors_by_position(batch.rows);
  LEAT_ASSIGN(Columns results, calls_.Compute(sheet, &errors_by_position));
  for (ArrayPtr& result : results) {
    LEAT_ASSIGN(result, TakeElements(result, groups.positions));
  }
  ErrorMask errors(batch.rows);
  for (const auto& error : errors_by_position.errors()) {
    errors.Set(groups.rows[static_cast<size_t>(error.row)], error.sqlstate, error.message);
  }
  LEAT_RETURN(Keep(computed, numbers));
  partitions_.Changed(groups.partitions);
  LEAT_RETURN(partitions_.Relieve());
  return EmitResults(batch, std::move(results), errors, out);
}

Status WindowAppend::Keep(const Columns& computed, const std::vector<uint32_t>& numbers) {
  if (keep_ == 0) return Status::OK();
  Strings rows;
  const auto count = static_cast<int64_t>(numbers.size());
  LEAT_RETURN(EncodeRows(computed, calls_.column_types(), count, &rows));
  for (int64_t i = 0; i < count; ++i) {
    partitions_[numbers[static_cast<size_t>(i)]].kept.Append(rows[i], keep_);
  }
  return Status::OK();
}

// ---- checkpoints --------------------------------------------------------------------------------

void SaveBytes(std::string_view bytes, std::string* out) {
  const uint64_t size = bytes.size();
  out->append(reinterpret_cast<const char*>(&size), sizeof(size));
  out->append(bytes);
}

Result<std::string_view> LoadBytes(std::string_view* from) {
  uint64_t size = 0;
  if (from->size() >= sizeof(size)) {
    std::memcpy(&size, from->data(), sizeof(size));
    from->remove_prefix(sizeof(size));
    if (size <= from->size()) {
      const std::string_view bytes = from->substr(0, size);
      from->remove_prefix(size);
      return bytes;
    }
  }
  return Status::IOError("the state of a window is cut short");
}

Status WindowAppend::EncodeTail(Strings* rows) const {
  if (tail_rows_ == 0) return Status::OK();
  return EncodeRows(tail_, calls_.column_types(), tail_rows_, rows);
}

// Without PARTITION BY: an empty key, the number of kept rows, the rows, the states.
Status WindowAppend::Checkpoint(StateWriter* writer) {
  if (!spec_.partition.empty()) return partitions_.Checkpoint(writer);
  std::string bytes;
  Strings tail;
  LEAT_RETURN(EncodeTail(&tail));
  SaveBytes("", &bytes);
  SaveBytes(std::to_string(tail.size()), &bytes);
  for (int64_t i = 0; i < tail.size(); ++i) SaveBytes(tail[i], &bytes);
  SaveStates(all_, &bytes);
  LEAT_ASSIGN(const std::string file, writer->PutFile(bytes));
  return writer->PutBlob("window", file);
}

Status WindowAppend::Restore(StateReader* reader) {
  const auto name = reader->GetBlob("window");
  if (!spec_.partition.empty() && name.status().IsKeyError()) return partitions_.Restore(reader);
  LEAT_RETURN(name.status());
  LEAT_ASSIGN(const auto file, reader->GetFile(*name));
  return RestoreFirstFormat(*file);
}

// Which was for partitions, too: one after another, each behind its key.
Status WindowAppend::RestoreFirstFormat(std::string_view bytes) {
  RowDecoder tail(calls_.column_types());
  while (!bytes.empty()) {
    LEAT_ASSIGN(const std::string_view key, LoadBytes(&bytes));
    LEAT_ASSIGN(const std::string_view kept, LoadBytes(&bytes));
    Strings keys;
    keys.Append(key);
    std::vector<uint32_t> number;
    if (!spec_.partition.empty()) {
      LEAT_ASSIGN(number, partitions_.Resolve(keys));
    }
    for (int64_t i = std::atoll(std::string(kept).c_str()); i > 0; --i) {
      LEAT_ASSIGN(const std::string_view row, LoadBytes(&bytes));
      if (number.empty()) {
        LEAT_RETURN(tail.Append(row));
      } else {
        partitions_[number[0]].kept.Append(row, keep_);
      }
    }
    LEAT_RETURN(LoadStates(&bytes, number.empty() ? &all_ : &partitions_[number[0]].states));
    partitions_.Changed(number);
  }
  tail_rows_ = tail.rows();
  LEAT_ASSIGN(tail_, tail.Finish());
  return Status::OK();
}

OperatorStats WindowAppend::stats() const {
  OperatorStats stats = stats_;
  stats.state_rows = tail_rows_ + partitions_.rows();
  stats.state_bytes = partitions_.bytes();
  return stats;
}

}  // namespace

bool SuitsAppend(const WindowSpec& spec, const WindowCalls& calls) {
  const Reach& reach = calls.reach();
  return spec.properties.append_only && spec.properties.in_order && spec.order.empty() &&
         !calls.needs_peers() && reach.back == 0 && reach.after == 0 &&
         reach.before != RowFrame::kUnbounded;
}

std::unique_ptr<Operator> MakeWindowAppend(WindowSpec spec, WindowCalls calls) {
  return std::make_unique<WindowAppend>(std::move(spec), std::move(calls));
}

}  // namespace leat
