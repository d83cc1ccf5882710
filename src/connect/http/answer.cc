#include "connect/http/answer.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <xxhash.h>

#include <algorithm>
#include <unordered_set>

#include "connect/constraints.h"
#include "connect/http/request.h"
#include "connect/json.h"
#include "connect/options.h"
#include "connect/read_column.h"
#include "data/key.h"
#include "data/text.h"
#include "format/csv_parse.h"
#include "format/json_split.h"
#include "format/json_walk.h"

namespace leat {
namespace {

// More in an overlap are refused: each is part of the offset.
constexpr size_t kSeenMax = 100'000;
// More answers to one question are a circle of links.
constexpr int64_t kPagesMax = 100'000;
constexpr size_t kPadding = 64;
constexpr size_t kRawBytesMax = 64 << 10;

bool IsSuccess(int64_t status) { return status >= 200 && status < 300; }

// The value of a cursor column at a row, as a number in its own unit.
int64_t CursorAt(const arrow::Array& column, int64_t row) {
  switch (column.type_id()) {
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(column).Value(row);
    case arrow::Type::DATE32:
      return static_cast<const arrow::Date32Array&>(column).Value(row);
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampArray&>(column).Value(row);
    default:
      return static_cast<const arrow::Int64Array&>(column).Value(row);
  }
}

Result<std::string> CursorText(int64_t value, const Type& type) {
  std::shared_ptr<arrow::Scalar> scalar;
  if (type.id == TypeId::kDate) {
    scalar = std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(value));
  } else if (type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz) {
    scalar = std::make_shared<arrow::TimestampScalar>(value, ArrowType(type));
  } else {
    return std::to_string(value);
  }
  LEAT_ASSIGN(const auto array, arrow::MakeArrayFromScalar(*scalar, 1));
  std::string text;
  AppendText(*array, 0, type, {}, &text);
  // As the APIs write it: 2024-05-01T10:00:00Z.
  if (const size_t blank = text.find(' '); blank != text.npos) text[blank] = 'T';
  if (text.ends_with("+00")) text.replace(text.size() - 3, 3, "Z");
  return text;
}

// The string at a place in a JSON text; "" where there is none, or null.
std::string StringAt(std::string_view text, const std::vector<std::string>& steps,
                     size_t step = 0) {
  JsonScanner json(text);
  if (step == steps.size()) {
    std::string value;
    return ReadJson(&json, &value) ? value : std::string();
  }
  if (json.Peek() != JsonKind::kObject) return {};
  json.Enter();
  std::string_view key;
  for (bool first = true; json.NextKey(first, &key); first = false) {
    json.Peek();
    const size_t begin = json.offset();
    std::string_view value;
    if (!json.Skip(&value)) return {};
    if (key == steps[step])
      return StringAt(text.substr(begin, json.offset() - begin), steps, step + 1);
  }
  return {};
}

// The target of rel="next" in a Link header (RFC 8288).
std::string NextOfLink(std::string_view link) {
  while (!link.empty()) {
    const size_t open = link.find('<');
    const size_t close = link.find('>', open);
    if (open == link.npos || close == link.npos) return {};
    const auto target = link.substr(open + 1, close - open - 1);
    link.remove_prefix(close + 1);
    const auto parameters = link.substr(0, link.find('<'));
    if (parameters.find("rel=\"next\"") != parameters.npos ||
        parameters.find("rel=next") != parameters.npos) {
      return std::string(target);
    }
  }
  return {};
}

}  // namespace

std::string EncodeAnswer(const KeptAnswer& answer) {
  std::string text = "{\"place\":";
  AppendJson(answer.place, &text);
  text += fmt::format(",\"requested_at\":{},\"status\":{},\"link\":", answer.requested_at,
                      answer.status);
  AppendJson(answer.link, &text);
  return text + "}\n" + answer.body;
}

Result<KeptAnswer> DecodeAnswer(std::string_view text) {
  KeptAnswer answer;
  const size_t newline = std::min(text.find('\n'), text.size());
  JsonScanner json(text.substr(0, newline));
  const bool read = ReadJsonObject(&json, 4, [&](std::string_view key) {
    if (key == "place") return ReadJson(&json, &answer.place);
    if (key == "requested_at") return ReadJson(&json, &answer.requested_at);
    if (key == "status") return ReadJson(&json, &answer.status);
    return key == "link" && ReadJson(&json, &answer.link);
  });
  if (!read || newline == text.size()) return Status::IOError("a kept answer is damaged");
  answer.body = text.substr(newline + 1);
  return answer;
}

Result<AnswerReader> AnswerReader::Make(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(HttpQuery query, HttpQuery::Make(server, relation));
  AnswerReader reader(relation, std::move(query));
  LEAT_ASSIGN(reader.text_, TextSettingsOf(server, relation));
  ReadOptions read{.text = reader.text_};
  for (const ColumnSpec& column : relation.columns) {
    const std::string metadata = OptionOr(column.options, "metadata", "");
    const bool time = metadata == "requested_at";
    if (time && column.column.type.id != TypeId::kTimestamptz) {
      return SqlStatus(fmt::format("column \"{}\" holds the time of requests and must be of type "
                                   "timestamp with time zone",
                                   column.column.name),
                       {.sqlstate = kDatatypeMismatch});
    }
    if (!metadata.empty() && !time && metadata != "body" && !metadata.starts_with("each.")) {
      return InvalidValue("metadata", metadata,
                          "Valid values are \"requested_at\", \"body\" and \"each.NAME\".");
    }
    reader.metadata_.push_back(metadata);
    LEAT_ASSIGN(ReadColumn read_column, ReadColumnOf(relation, column));
    reader.all_.push_back(std::move(read_column));
    if (metadata.empty()) read.columns.push_back(reader.all_.back());
  }
  LEAT_ASSIGN(reader.plan_, JsonPlan::Make(read));
  return reader;
}

std::vector<JsonExtent> AnswerReader::ExtentsOf(std::string_view body) const {
  JsonSplitter splitter(query_.root);
  splitter.Start(body.starts_with("\xef\xbb\xbf") ? 3 : 0, /*in_root=*/false);
  splitter.Scan(body.data(), static_cast<uint32_t>(body.size()), /*final=*/true);
  return splitter.extents();
}

std::vector<std::string_view> AnswerReader::Rows(std::string_view body) const {
  std::vector<std::string_view> rows;
  for (const JsonExtent& at : ExtentsOf(body)) {
    if (at.in_root) rows.push_back(body.substr(at.begin, at.end - at.begin));
  }
  return rows;
}

Result<ReadChunk> AnswerReader::Parse(const KeptAnswer& answer) const {
  auto text = std::make_shared<std::string>();
  text->reserve(answer.body.size() + kPadding);
  *text = answer.body;
  if (!IsSuccess(answer.status)) {
    ReadChunk chunk{.batch = {}, .rows_read = 1};
    LEAT_ASSIGN(ParsedChunk nothing, ParseJsonRows(*plan_, text, 0, {}));
    chunk.batch = std::move(nothing.chunk.batch);
    chunk.rejects.push_back({.line = 1,
                             .raw = query_.Redact(answer.body.substr(0, kRawBytesMax)),
                             .reason = fmt::format("the answer is HTTP {}", answer.status)});
    return chunk;
  }
  LEAT_ASSIGN(ParsedChunk parsed, ParseJsonRows(*plan_, text, 0, ExtentsOf(*text)));
  parsed.chunk.first_line = 1;
  for (Reject& reject : parsed.chunk.rejects) reject.line += 1;
  return std::move(parsed.chunk);
}

Status AnswerReader::AddMetadata(const KeptAnswer& answer, const EachRow& row,
                                 ReadChunk* chunk) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<std::vector<BadValue>> bad(metadata_.size());
  auto in_rows = chunk->batch.columns.begin();
  for (size_t i = 0; i < metadata_.size(); ++i) {
    if (metadata_[i].empty()) {
      columns.push_back(*in_rows++);
      continue;
    }
    const Type& type = all_[i].column.type;
    std::shared_ptr<arrow::Scalar> value = arrow::MakeNullScalar(ArrowType(type));
    if (metadata_[i] == "requested_at") {
      value = std::make_shared<arrow::TimestampScalar>(answer.requested_at, ArrowType(type));
    } else {
      std::optional<std::string> text = answer.body;
      if (metadata_[i] != "body") {
        const auto found = row.find(metadata_[i].substr(5));
        if (found == row.end()) {
          return SqlStatus(fmt::format("the relation in \"for_each\" has no column \"{}\"",
                                       metadata_[i].substr(5)),
                           {.sqlstate = kUndefinedColumn});
        }
        text = found->second;
      }
      const auto parsed = text ? ParseValue(*text, type, text_) : value;
      for (int64_t at = 0; !parsed.ok() && at < chunk->batch.rows; ++at) {
        bad[i].push_back({at, parsed.status().message()});
      }
      if (parsed.ok()) value = *parsed;
    }
    LEAT_ASSIGN(auto column, arrow::MakeArrayFromScalar(*value, chunk->batch.rows));
    columns.push_back(std::move(column));
  }
  chunk->batch.columns = std::move(columns);
  return TakeOutBadRows(
      all_, std::move(bad), [&](int64_t at) { return RejectOf(*chunk, at, "", ""); }, chunk);
}

Status AnswerReader::PassOver(ReadChunk* chunk, HttpPosition* position) const {
  if (!query_.deduplicate && query_.cursor < 0) return Status::OK();
  const Batch& batch = chunk->batch;
  Strings rows;
  // When it was asked for makes no other row of it.
  Batch read{.rows = batch.rows};
  std::vector<Type> types;
  for (size_t i = 0; i < metadata_.size(); ++i) {
    if (metadata_[i] == "requested_at" || metadata_[i] == "body") continue;
    read.columns.push_back(batch.columns[i]);
    types.push_back(all_[i].column.type);
  }
  LEAT_RETURN(EncodeRows(read.columns, types, read.rows, &rows));
  std::unordered_set<uint64_t> seen;
  for (const SeenRow& row : position->seen) seen.insert(row.hash);
  std::vector<int32_t> kept;
  std::vector<int64_t> offsets;
  for (int64_t row = 0; row < batch.rows; ++row) {
    SeenRow now{.hash = XXH3_64bits(rows[row].data(), rows[row].size())};
    if (query_.cursor >= 0) {
      const arrow::Array& column = *batch.columns[static_cast<size_t>(query_.cursor)];
      if (column.IsValid(row)) {
        now.cursor = CursorAt(column, row);
        position->high = position->has_high ? std::max(position->high, now.cursor) : now.cursor;
        position->has_high = true;
      }
    }
    if (query_.deduplicate) {
      if (!seen.insert(now.hash).second) continue;
      position->seen.push_back(now);
    }
    kept.push_back(static_cast<int32_t>(row));
    offsets.push_back(chunk->row_offsets[static_cast<size_t>(row)]);
  }
  if (static_cast<int64_t>(kept.size()) == batch.rows) return Status::OK();
  chunk->rows_read -= batch.rows - static_cast<int64_t>(kept.size());
  LEAT_ASSIGN(chunk->batch, Take(batch, kept));
  chunk->row_offsets = std::move(offsets);
  return Status::OK();
}

Status AnswerReader::Begin(HttpPosition* position) const {
  if (query_.cursor < 0) return Status::OK();
  if (!position->has_high) {
    position->since = query_.cursor_start;
    return Status::OK();
  }
  const Type& type = all_[static_cast<size_t>(query_.cursor)].column.type;
  LEAT_ASSIGN(position->since, CursorText(position->high - query_.overlap, type));
  return Status::OK();
}

// What no later round can bring again is forgotten.
void AnswerReader::EndRound(HttpPosition* position) const {
  ++position->round;
  position->each = 0;
  if (query_.cursor < 0) return;
  std::erase_if(position->seen,
                [&](const SeenRow& row) { return row.cursor < position->high - query_.overlap; });
}

Status AnswerReader::MoveOn(const KeptAnswer& answer, int64_t rows, HttpPosition* position) const {
  ++position->answers;
  ++position->page;
  std::string next;
  if (IsSuccess(answer.status)) {
    if (query_.next == "link") next = NextOfLink(answer.link);
    if (!query_.next.empty() && query_.next != "link") {
      next = StringAt(answer.body, JsonSteps(query_.next));
    }
  }
  if (next.starts_with("http") && !next.starts_with(query_.base + "/")) {
    return IOErrorF("the answer of \"{}\" links to another server", answer.place);
  }
  if (next.starts_with(query_.base)) next.erase(0, query_.base.size());
  const bool more = !next.empty() || (!query_.page.empty() && rows > 0);
  if (more && position->page >= kPagesMax) {
    return IOErrorF("\"{}\" has more than {} pages", answer.place, kPagesMax);
  }
  position->next = query_.Redact(next);
  if (more) return Status::OK();
  position->page = 0;
  if (++position->each >= static_cast<int64_t>(query_.each.size())) EndRound(position);
  return Status::OK();
}

Result<Arrival> AnswerReader::Read(const KeptAnswer& answer, HttpPosition* position) const {
  static const EachRow none;
  const auto at = static_cast<size_t>(position->each);
  const EachRow& row = at < query_.each.size() ? query_.each[at] : none;
  LEAT_ASSIGN(ReadChunk chunk, Parse(answer));
  const int64_t rows = chunk.rows_read;
  LEAT_RETURN(AddMetadata(answer, row, &chunk));
  LEAT_RETURN(PassOver(&chunk, position));
  LEAT_RETURN(ApplyConstraints(relation_, answer.place, &chunk));
  if (position->seen.size() > kSeenMax) {
    return IOErrorF("more than {} rows of \"{}\" lie in the overlap: make it shorter", kSeenMax,
                    relation_.name);
  }
  LEAT_RETURN(MoveOn(answer, IsSuccess(answer.status) ? rows : 0, position));
  Arrival arrival{.batch = std::move(chunk.batch),
                  .rejects = std::move(chunk.rejects),
                  .place = answer.place,
                  .rows_read = chunk.rows_read,
                  .bytes_read = static_cast<int64_t>(answer.body.size()),
                  .checksum = XXH3_64bits(answer.body.data(), answer.body.size()),
                  .end = EncodeHttpPosition(*position)};
  return arrival;
}

}  // namespace leat
