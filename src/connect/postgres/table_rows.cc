#include "connect/postgres/table_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>

#include "connect/constraints.h"
#include "connect/options.h"
#include "connect/postgres/postgres.h"
#include "data/key.h"
#include "data/text.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

Result<std::shared_ptr<arrow::BooleanArray>> Flags(const std::vector<bool>& flags) {
  arrow::BooleanBuilder builder;
  LEAT_RETURN(builder.AppendValues(flags));
  LEAT_ASSIGN(const ArrayPtr array, builder.Finish());
  return std::static_pointer_cast<arrow::BooleanArray>(array);
}

// Whether a column of `there` is one of `here` as it is.
bool SameValues(const Type& here, const Type& there) {
  if (here == there) return true;
  return here.id == TypeId::kText && (there.id == TypeId::kVarchar || there.id == TypeId::kText);
}

// "id\t\\N\tabc": a row as COPY prints it.
std::string RowText(const std::vector<ArrayPtr>& columns, const Relation& relation, int64_t row) {
  constexpr size_t kRawBytesMax = 64 << 10;
  std::string text;
  for (size_t i = 0; i < columns.size() && text.size() < kRawBytesMax; ++i) {
    if (i > 0) text += '\t';
    if (columns[i]->IsNull(row)) {
      text += "\\N";
    } else {
      AppendText(*columns[i], row, relation.columns[i].column.type, {}, &text);
    }
  }
  if (text.size() > kRawBytesMax) text.resize(kRawBytesMax);
  return text;
}

}  // namespace

struct TableRows::Column {
  std::unique_ptr<BinaryColumn> binary;  // or texts
  arrow::StringBuilder texts;
  std::vector<bool> unchanged;  // by row, up to the last that is
};

// A value that the relation's column cannot hold.
struct TableRows::Refused {
  int64_t row = 0;
  size_t column = 0;
  std::string reason;
};

TableRows::TableRows(const Relation& relation, std::string place)
    : relation_(relation), held_(PostgresTraits(relation).held()), place_(std::move(place)) {}
TableRows::~TableRows() = default;

void TableRows::Use(std::vector<WireColumn> columns) {
  columns_.clear();
  for (const WireColumn& column : columns) {
    auto& made = columns_.emplace_back(std::make_unique<Column>());
    if (column.binary) made->binary = BinaryColumn::Make(column.there.type);
  }
  wire_ = std::move(columns);
}

bool TableRows::Value(size_t column, std::string_view bytes) {
  bytes_ += static_cast<int64_t>(bytes.size()) + 4;
  Column& to = *columns_[column];
  if (to.binary) return to.binary->Append(bytes);
  return to.texts.Append(bytes).ok();
}

void TableRows::Null(size_t column) {
  Column& to = *columns_[column];
  bytes_ += 4;
  if (to.binary) {
    to.binary->AppendNull();
  } else {
    static_cast<void>(to.texts.AppendNull());
  }
}

void TableRows::Unchanged(size_t column) {
  Null(column);
  std::vector<bool>& flags = columns_[column]->unchanged;
  flags.resize(lsns_.size());
  flags.push_back(true);
  any_unchanged_ = true;
}

void TableRows::End(int64_t weight, Lsn lsn, bool moved, bool read) {
  weights_.push_back(weight);
  lsns_.push_back(static_cast<int64_t>(lsn));
  moved_.push_back(moved);
  any_moved_ = any_moved_ || moved;
  read_ += read ? 1 : 0;
}

void TableRows::Truncate(std::string after, std::string up_to) {
  upserts_.truncated = true;
  upserts_.after = std::move(after);
  upserts_.up_to = std::move(up_to);
}

Result<ArrayPtr> TableRows::FinishColumn(size_t column, std::vector<Refused>* refused) {
  Column& from = *columns_[column];
  const Type& here = relation_.columns[column].column.type;
  const TextSettings settings;
  const auto note = [&](int64_t row, const Status& status) {
    refused->push_back({row, column, status.message()});
  };
  if (!from.binary) {
    LEAT_ASSIGN(const ArrayPtr texts, from.texts.Finish());
    return FromTextColumn(*texts, here, settings, note);
  }
  for (const BinaryReject& reject : from.binary->rejects()) {
    refused->push_back({reject.row, column, reject.reason});
  }
  from.binary->ClearRejects();
  LEAT_ASSIGN(ArrayPtr values, from.binary->Finish());
  const Type& there = wire_[column].there.type;
  if (SameValues(here, there)) return values;
  LEAT_ASSIGN(values, ToTextColumn(*values, there, settings));
  return FromTextColumn(*values, here, settings, note);
}

Result<Arrival> TableRows::Finish() {
  Arrival arrival{.place = place_, .rows_read = read_, .bytes_read = bytes_};
  arrival.batch.rows = rows();
  std::vector<Refused> refused;
  for (size_t i = 0; i < columns_.size(); ++i) {
    LEAT_ASSIGN(ArrayPtr values, FinishColumn(i, &refused));
    arrival.batch.columns.push_back(std::move(values));
  }
  if (any_unchanged_) {
    for (const auto& column : columns_) {
      column->unchanged.resize(lsns_.size());
      LEAT_ASSIGN(auto flags, Flags(column->unchanged));
      upserts_.unchanged.push_back(flags->true_count() > 0 ? std::move(flags) : nullptr);
      column->unchanged.clear();
    }
  }
  if (any_moved_) {
    LEAT_ASSIGN(upserts_.moved, Flags(moved_));
  }
  LEAT_RETURN(KeepLastKey(arrival.batch));
  LEAT_RETURN(SetAside(std::move(refused), &arrival));
  if (std::any_of(weights_.begin(), weights_.end(), [](int64_t weight) { return weight < 0; })) {
    arrow::Int64Builder weights;
    LEAT_RETURN(weights.AppendValues(weights_));
    LEAT_ASSIGN(const ArrayPtr array, weights.Finish());
    arrival.batch.weights = std::static_pointer_cast<arrow::Int64Array>(array);
  }
  if (held_) {
    arrival.upserts = std::move(upserts_);
    arrival.offsets = std::move(lsns_);
  } else {
    ReadChunk chunk{.batch = std::move(arrival.batch), .rejects = std::move(arrival.rejects)};
    chunk.row_offsets = std::move(lsns_);
    LEAT_RETURN(ApplyConstraints(relation_, place_, &chunk));
    arrival.batch = std::move(chunk.batch);
    arrival.rejects = std::move(chunk.rejects);
  }
  upserts_ = {};
  weights_.clear();
  lsns_.clear();
  moved_.clear();
  any_moved_ = any_unchanged_ = false;
  read_ = bytes_ = 0;
  return arrival;
}

// Rejects rows with values that the relation cannot hold. Of a keyed table such a row still says
// that the row of before is gone; of another it is left out.
Status TableRows::SetAside(std::vector<Refused> refused, Arrival* arrival) {
  if (refused.empty()) return Status::OK();
  std::stable_sort(refused.begin(), refused.end(),
                   [](const Refused& a, const Refused& b) { return a.row < b.row; });
  std::vector<bool> out(lsns_.size());
  for (const Refused& one : refused) {
    const auto row = static_cast<size_t>(one.row);
    const ColumnSpec& column = relation_.columns[one.column];
    LEAT_ASSIGN(const OnError on_error, OnErrorOf(relation_, column));
    const bool kept = on_error == OnError::kNull;
    const bool goes = weights_[row] < 0 && !kept;
    // Without a key a row that goes is named by values, and one with these never came.
    if (goes && !keyed()) out[row] = true;
    if (out[row] || goes) continue;
    out[row] = !kept;
    arrival->rejects.push_back({.offset = lsns_[row],
                                .row = one.row,
                                .column = column.column.name,
                                .raw = RowText(arrival->batch.columns, relation_, one.row),
                                .reason = one.reason,
                                .row_kept = kept});
  }
  LEAT_RETURN(FailOnFatal(relation_, place_, arrival->rejects));
  std::vector<int32_t> stay;
  for (size_t row = 0; row < out.size(); ++row) {
    bool key = true;
    for (const int column : relation_.primary_key) {
      key = key &&
            arrival->batch.columns[static_cast<size_t>(column)]->IsValid(static_cast<int64_t>(row));
    }
    if (out[row] && keyed()) weights_[row] = -1;
    if (!out[row] || (keyed() && key)) stay.push_back(static_cast<int32_t>(row));
  }
  if (stay.size() == out.size()) return Status::OK();
  // What the rows stood beside goes with them; a row that moved keeps the one in front of it,
  // whose key is held.
  LEAT_ASSIGN(arrival->batch, Take(arrival->batch, stay));
  const auto pick = [&](auto* values) {
    auto picked = *values;
    picked.clear();
    for (const int32_t row : stay) picked.push_back((*values)[static_cast<size_t>(row)]);
    *values = std::move(picked);
  };
  pick(&weights_);
  pick(&lsns_);
  const Batch flags{.rows = static_cast<int64_t>(out.size())};
  for (auto& column : upserts_.unchanged) {
    if (!column) continue;
    LEAT_ASSIGN(const Batch taken, Take({.rows = flags.rows, .columns = {column}}, stay));
    column = std::static_pointer_cast<arrow::BooleanArray>(taken.columns[0]);
  }
  if (upserts_.moved) {
    LEAT_ASSIGN(const Batch taken, Take({.rows = flags.rows, .columns = {upserts_.moved}}, stay));
    upserts_.moved = std::static_pointer_cast<arrow::BooleanArray>(taken.columns[0]);
  }
  return Status::OK();
}

Status TableRows::KeepLastKey(const Batch& batch) {
  last_key_.clear();
  last_key_bytes_.clear();
  if (!keyed()) return Status::OK();
  for (int64_t row = batch.rows - 1; row >= 0 && last_key_.empty(); --row) {
    std::vector<ArrayPtr> columns;
    std::vector<KeyColumn> types;
    std::vector<std::string> texts;
    for (const int column : relation_.primary_key) {
      const ArrayPtr& values = batch.columns[static_cast<size_t>(column)];
      const Type& type = relation_.columns[static_cast<size_t>(column)].column.type;
      if (values->IsNull(row)) break;
      AppendText(*values, row, type, {}, &texts.emplace_back());
      columns.push_back(values->Slice(row, 1));
      types.push_back({.type = type});
    }
    if (texts.size() < relation_.primary_key.size()) continue;
    Strings keys;
    LEAT_RETURN(KeyEncoder(std::move(types)).Encode(columns, 1, &keys));
    last_key_ = std::move(texts);
    last_key_bytes_ = keys[0];
  }
  return Status::OK();
}

}  // namespace leat
