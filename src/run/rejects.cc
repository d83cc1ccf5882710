#include "run/rejects.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "data/key.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr int64_t kScanRows = 4096;
// The columns that name a reject: relation, file, byte_offset, column_name, raw, reason.
const std::vector<int> kKeyColumns = {0, 1, 2, 5, 6, 7};

struct Row {
  std::string_view relation, file;
  const Reject* reject;
  const Epoch* epoch;
};

Result<Batch> MakeBatch(const std::vector<Row>& rows) {
  arrow::StringBuilder relation, file, column, raw, reason;
  arrow::Int64Builder offset, line, row_number, epoch;
  arrow::BooleanBuilder kept;
  arrow::TimestampBuilder at(ArrowType(TypeId::kTimestamptz), arrow::default_memory_pool());
  for (const Row& row : rows) {
    LEAT_RETURN(relation.Append(row.relation));
    LEAT_RETURN(file.Append(row.file));
    LEAT_RETURN(offset.Append(row.reject->offset));
    LEAT_RETURN(line.Append(row.reject->line));
    LEAT_RETURN(row_number.Append(row.reject->row));
    LEAT_RETURN(column.Append(row.reject->column));
    LEAT_RETURN(raw.Append(row.reject->raw));
    LEAT_RETURN(reason.Append(row.reject->reason));
    LEAT_RETURN(kept.Append(row.reject->row_kept));
    LEAT_RETURN(epoch.Append(row.epoch->number));
    LEAT_RETURN(at.Append(row.epoch->clock));
  }
  Batch batch{.rows = static_cast<int64_t>(rows.size())};
  arrow::ArrayBuilder* builders[] = {&relation, &file,   &offset, &line,  &row_number, &column,
                                     &raw,      &reason, &kept,   &epoch, &at};
  for (auto* builder : builders) {
    LEAT_ASSIGN(auto array, builder->Finish());
    batch.columns.push_back(std::move(array));
  }
  return batch;
}

}  // namespace

const Schema& RejectsSchema() {
  static const Schema schema{{
      {"relation", TypeId::kText, false},
      {"file", TypeId::kText, false},
      {"byte_offset", TypeId::kInt8, false},
      {"line", TypeId::kInt8, false},
      {"row_number", TypeId::kInt8, false},
      {"column_name", TypeId::kText, false},
      {"raw", TypeId::kText, false},
      {"reason", TypeId::kText, false},
      {"row_kept", TypeId::kBool, false},
      {"epoch", TypeId::kInt8, false},
      {"rejected_at", TypeId::kTimestamptz, false},
  }};
  return schema;
}

std::optional<std::string> RejectsOf(std::string_view relation) {
  constexpr std::string_view kSuffix = "__rejects";
  if (relation == "leat.rejects" || relation == "rejects") return "";
  if (!relation.ends_with(kSuffix)) return std::nullopt;
  return std::string(relation.substr(0, relation.size() - kSuffix.size()));
}

Status AddRejectsRelation(const std::string& relation, Catalog* catalog) {
  Relation rejects{.name = relation.empty() ? "leat.rejects" : relation + "__rejects",
                   .kind = RelationKind::kForeign,
                   .comment = "Rows that were not used: where they stand, and why"};
  for (const Column& column : RejectsSchema().columns) {
    ColumnSpec spec;
    spec.column = column;
    rejects.columns.push_back(std::move(spec));
  }
  return catalog->AddRelation(std::move(rejects));
}

Rejects::Rejects() : index_(MakeIndex()) {}

Status Rejects::Apply(const Batch& batch, const std::vector<int64_t>& weights) {
  Strings keys, rows;
  LEAT_RETURN(EncodeKeyColumns(RejectsSchema(), kKeyColumns, batch, &keys));
  LEAT_RETURN(EncodeRows(batch.columns, TypesOf(RejectsSchema()), batch.rows, &rows));
  return index_->Apply(keys, rows, weights);
}

Result<Batch> Rejects::Add(const std::string& relation, const std::string& place,
                           const std::vector<Reject>& rejects, const Epoch& epoch) {
  std::vector<Row> rows;
  for (const Reject& reject : rejects) rows.push_back({relation, place, &reject, &epoch});
  LEAT_ASSIGN(Batch batch, MakeBatch(rows));
  LEAT_RETURN(Apply(batch, std::vector<int64_t>(rejects.size(), 1)));
  return batch;
}

Status Rejects::AddRowError(const std::string& view, const Schema& schema, const RowError& error,
                            const Epoch& epoch) {
  const Reject reject{.raw = NamedRowText(schema, error.row, 0), .reason = error.reason};
  LEAT_ASSIGN(Batch batch, MakeBatch({{view, "", &reject, &epoch}}));
  if (error.weight > 0) return Apply(batch, {error.weight});
  // Taken back: the entry that stands, whichever epoch wrote it.
  Strings keys, values;
  std::vector<int64_t> weights;
  LEAT_RETURN(EncodeKeyColumns(RejectsSchema(), kKeyColumns, batch, &keys));
  LEAT_RETURN(index_->Probe(keys, [&](int64_t, std::string_view value, int64_t) {
    if (values.size() == 0) {
      values.Append(value);
      weights.push_back(error.weight);
    }
    return Status::OK();
  }));
  return values.size() == 0 ? Apply(batch, {error.weight}) : index_->Apply(keys, values, weights);
}

RowsScan Rejects::rows() const { return ScanOf(*index_); }

Status Rejects::Scan(const std::string& relation, const RejectsVisitor& visit) const {
  return ScanRejects(rows(), relation, visit);
}

Status ScanRejects(const RowsScan& rows, const std::string& relation, const RejectsVisitor& visit) {
  RowDecoder decoder(TypesOf(RejectsSchema()));
  const auto flush = [&]() -> Status {
    Batch batch{.rows = decoder.rows()};
    LEAT_ASSIGN(batch.columns, decoder.Finish());
    return batch.rows == 0 ? Status::OK() : visit(batch);
  };
  std::string begin, end;
  if (!relation.empty()) {
    arrow::StringBuilder name;
    LEAT_RETURN(name.Append(relation));
    LEAT_ASSIGN(auto array, name.Finish());
    Strings prefix;
    LEAT_RETURN(KeyEncoder({{TypeId::kText}}).Encode({array}, 1, &prefix));
    begin = std::string(prefix[0]);
    end = begin + "\xFF";
  }
  LEAT_RETURN(rows(begin, end,
                   [&](std::string_view, std::string_view value, int64_t weight) -> Result<bool> {
                     for (int64_t i = 0; i < weight; ++i) LEAT_RETURN(decoder.Append(value));
                     if (decoder.rows() >= kScanRows) LEAT_RETURN(flush());
                     return true;
                   }));
  return flush();
}

namespace {

// `invalid input syntax for type date: "x"` → `invalid input syntax for type date`
std::string ReasonWithoutValue(std::string_view reason) {
  return std::string(reason.substr(0, reason.find(": \"")));
}

std::string_view TextAt(const Batch& batch, size_t column, int64_t row) {
  return static_cast<const arrow::StringArray&>(*batch.columns[column]).GetView(row);
}
int64_t IntAt(const Batch& batch, size_t column, int64_t row) {
  return static_cast<const arrow::Int64Array&>(*batch.columns[column]).Value(row);
}

}  // namespace

Result<std::vector<RejectGroup>> SummarizeRejects(const RowsScan& rows, const std::string& relation,
                                                  int64_t samples_max) {
  std::map<std::tuple<std::string, std::string, std::string>, RejectGroup> groups;
  LEAT_RETURN(ScanRejects(rows, relation, [&](const Batch& batch) {
    for (int64_t i = 0; i < batch.rows; ++i) {
      const std::string of(TextAt(batch, 0, i)), column(TextAt(batch, 5, i));
      RejectGroup& group = groups[{of, column, ReasonWithoutValue(TextAt(batch, 7, i))}];
      if (group.count++ == 0) {
        group.relation = of;
        group.column = column;
        group.reason = ReasonWithoutValue(TextAt(batch, 7, i));
      }
      if (static_cast<int64_t>(group.samples.size()) < samples_max) {
        group.samples.push_back({std::string(TextAt(batch, 1, i)), std::string(TextAt(batch, 6, i)),
                                 IntAt(batch, 3, i), IntAt(batch, 2, i)});
      }
    }
    return Status::OK();
  }));
  std::vector<RejectGroup> sorted;
  for (auto& [key, group] : groups) sorted.push_back(std::move(group));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const RejectGroup& a, const RejectGroup& b) { return a.count > b.count; });
  return sorted;
}

}  // namespace leat
