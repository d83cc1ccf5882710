#include "connect/stream/records.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>

#include "connect/constraints.h"
#include "connect/options.h"
#include "connect/read_column.h"
#include "connect/stream/connect_json.h"
#include "data/text.h"
#include "format/csv_parse.h"
#include "format/json_scan.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

struct MetadataName {
  std::string_view name;
  Metadata metadata;
  std::vector<TypeId> types;  // empty: any
};

const std::vector<MetadataName>& MetadataNames() {
  static const std::vector<MetadataName> names = {
      {"key", Metadata::kKey, {}},
      {"partition", Metadata::kPartition, {TypeId::kInt4}},
      {"offset", Metadata::kOffset, {TypeId::kInt8}},
      {"timestamp", Metadata::kTimestamp, {TypeId::kTimestamptz}},
      {"headers", Metadata::kHeaders, {TypeId::kJsonb, TypeId::kJson, TypeId::kText}}};
  return names;
}

Result<Metadata> MetadataOf(const ColumnSpec& column) {
  const auto found = column.options.find("metadata");
  if (found == column.options.end()) return Metadata::kNone;
  for (const auto& [name, metadata, types] : MetadataNames()) {
    if (name != found->second) continue;
    if (!types.empty() &&
        std::find(types.begin(), types.end(), column.column.type.id) == types.end()) {
      return SqlStatus(fmt::format("column \"{}\" holds the {} of records and must be of type {}",
                                   column.column.name, name, TypeName(Type(types[0]))),
                       {.sqlstate = kDatatypeMismatch});
    }
    return metadata;
  }
  return InvalidValue(
      "metadata", found->second,
      "Valid values are \"key\", \"partition\", \"offset\", \"timestamp\" and \"headers\".");
}

// The value under the key "payload" of the object at `whole`.
std::optional<TextExtent> PayloadOf(std::string_view text, TextExtent whole) {
  JsonScanner json(text.substr(whole.begin, whole.end - whole.begin));
  if (json.Peek() != JsonKind::kObject) return std::nullopt;
  json.Enter();
  std::string_view key, value;
  for (bool first = true; json.NextKey(first, &key); first = false) {
    json.Peek();  // behind the blanks
    const auto begin = whole.begin + static_cast<uint32_t>(json.offset());
    if (!json.Skip(&value)) return std::nullopt;
    if (key == "payload") {
      return TextExtent{begin, whole.begin + static_cast<uint32_t>(json.offset())};
    }
  }
  return std::nullopt;
}

constexpr size_t kRawBytesMax = 64 << 10;

std::string_view TextAt(const TopicBlock& block, TextExtent at) {
  return std::string_view(*block.text).substr(at.begin, at.end - at.begin);
}

// The record whose line holds the byte.
const TopicRecord& RecordAt(const TopicBlock& block, int64_t byte) {
  const auto after =
      std::upper_bound(block.records.begin(), block.records.end(), byte,
                       [](int64_t at, const TopicRecord& record) { return at < record.line; });
  return *std::prev(after);
}

Result<ArrayPtr> TextsOf(const TopicBlock& block, const std::vector<const TopicRecord*>& rows,
                         Metadata metadata) {
  const bool is_key = metadata == Metadata::kKey;
  arrow::StringBuilder texts;
  std::string text;
  for (const TopicRecord* record : rows) {
    const auto& at = is_key ? record->key : record->headers;
    if (!at) {
      LEAT_RETURN(texts.AppendNull());
      continue;
    }
    text = TextAt(block, *at);
    if (is_key && !UnescapeJson(TextAt(block, *at), &text)) text.clear();
    LEAT_RETURN(texts.Append(text));
  }
  return texts.Finish();
}

Result<ArrayPtr> NumbersOf(const std::vector<const TopicRecord*>& rows, Metadata metadata,
                           const Type& type) {
  LEAT_ASSIGN(const auto builder, arrow::MakeBuilder(ArrowType(type)));
  for (const TopicRecord* record : rows) {
    if (metadata == Metadata::kPartition) {
      LEAT_RETURN(static_cast<arrow::Int32Builder&>(*builder).Append(record->partition));
    } else if (metadata == Metadata::kOffset) {
      LEAT_RETURN(static_cast<arrow::Int64Builder&>(*builder).Append(record->offset));
    } else {
      LEAT_RETURN(static_cast<arrow::TimestampBuilder&>(*builder).Append(record->timestamp));
    }
  }
  return builder->Finish();
}

}  // namespace

Result<RecordReader> RecordReader::Make(const Server& server, const Relation& relation) {
  constexpr std::array<std::string_view, 2> kEnvelopes = {"none", "schema"};
  constexpr std::array<std::string_view, 2> kFormats = {"json", "ndjson"};
  LEAT_RETURN(ChoiceOption(relation.options, "format", kFormats).status());
  LEAT_ASSIGN(const auto envelope, ChoiceOption(relation.options, "envelope", kEnvelopes));
  RecordReader reader(relation, envelope == "schema");
  LEAT_ASSIGN(reader.text_, TextSettingsOf(server, relation));
  ReadOptions read{.text = reader.text_};
  for (const ColumnSpec& column : relation.columns) {
    LEAT_ASSIGN(const Metadata metadata, MetadataOf(column));
    LEAT_ASSIGN(ReadColumn read_column, ReadColumnOf(relation, column));
    reader.metadata_.push_back(metadata);
    reader.all_.push_back(std::move(read_column));
    if (metadata != Metadata::kNone) continue;
    read.columns.push_back(reader.all_.back());
    if (reader.enveloped_ && IsConnectType(column.column.type)) {
      read.columns.back().column.type = Type(TypeId::kJson);
    }
  }
  LEAT_ASSIGN(reader.plan_, JsonPlan::Make(read));
  return reader;
}

std::optional<TextExtent> RecordReader::ValueOf(const TopicBlock& block,
                                                const TopicRecord& record) const {
  if (!record.value || !enveloped_) return record.value;
  return PayloadOf(*block.text, *record.value);
}

std::vector<std::string_view> RecordReader::Values(const TopicBlock& block) const {
  std::vector<std::string_view> values;
  for (const TopicRecord& record : block.records) {
    if (const auto at = ValueOf(block, record)) values.push_back(TextAt(block, *at));
  }
  return values;
}

Result<ReadChunk> RecordReader::Read(const TopicBlock& block) const {
  std::vector<JsonExtent> extents;
  std::vector<Reject> rejects;
  for (const TopicRecord& record : block.records) {
    if (const auto at = ValueOf(block, record)) {
      extents.push_back({at->begin, at->end});
      continue;
    }
    rejects.push_back(
        {.offset = record.line,
         .reason = record.value ? "the record has no payload" : "the record has no value"});
  }
  LEAT_ASSIGN(ParsedChunk parsed, ParseJsonRows(*plan_, block.text, 0, extents));
  ReadChunk& chunk = parsed.chunk;
  chunk.bytes.reset();  // a row's text is that of its value: see Place
  chunk.rows_read = static_cast<int64_t>(block.records.size());
  std::move(rejects.begin(), rejects.end(), std::back_inserter(chunk.rejects));
  LEAT_RETURN(AddMetadata(block, &chunk));
  LEAT_RETURN(ApplyConstraints(relation_, relation_.name, &chunk,
                               [&](Reject* reject) { Place(block, reject); }));
  return std::move(chunk);
}

void RecordReader::Place(const TopicBlock& block, Reject* reject) {
  const TopicRecord& record = RecordAt(block, reject->offset);
  reject->offset = reject->row = record.offset;
  reject->line = 0;
  reject->raw = record.value ? TextAt(block, *record.value).substr(0, kRawBytesMax) : "null";
}

// Puts the columns of the relation together, and takes out the rows whose key, or whose value in
// Connect's spelling, is not of its type.
Status RecordReader::AddMetadata(const TopicBlock& block, ReadChunk* chunk) const {
  std::vector<const TopicRecord*> rows;
  for (const int64_t byte : chunk->row_offsets) rows.push_back(&RecordAt(block, byte));
  std::vector<ArrayPtr> columns;
  std::vector<std::vector<BadValue>> bad(metadata_.size());
  auto in_value = chunk->batch.columns.begin();
  for (size_t i = 0; i < metadata_.size(); ++i) {
    const Type& type = all_[i].column.type;
    const auto note = [&](int64_t row, std::string reason) {
      bad[i].push_back({row, std::move(reason)});
    };
    ArrayPtr column;
    if (metadata_[i] == Metadata::kNone) {
      column = *in_value++;
      if (enveloped_ && IsConnectType(type)) {
        LEAT_ASSIGN(column, FromConnect(*Plain(column), type, text_, note));
      }
    } else if (metadata_[i] == Metadata::kKey || metadata_[i] == Metadata::kHeaders) {
      LEAT_ASSIGN(const auto texts, TextsOf(block, rows, metadata_[i]));
      LEAT_ASSIGN(column,
                  FromTextColumn(*texts, type, text_, [&](int64_t row, const Status& status) {
                    note(row, status.message());
                  }));
    } else {
      LEAT_ASSIGN(column, NumbersOf(rows, metadata_[i], type));
    }
    columns.push_back(std::move(column));
  }
  chunk->batch.columns = std::move(columns);
  return TakeOutBadRows(
      all_, std::move(bad),
      [&](int64_t row) { return Reject{.offset = chunk->row_offsets[static_cast<size_t>(row)]}; },
      chunk);
}

}  // namespace leat
