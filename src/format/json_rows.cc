#include "format/json_rows.h"

#include <xxhash.h>

#include <algorithm>

#include "format/csv_parse.h"

namespace leat {
namespace {

constexpr size_t kRawBytesMax = 64 << 10;

// Line numbers of places that mostly come in order.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  int64_t LinesBefore(size_t at) {
    if (at < at_) at_ = 0, lines_ = 0;
    lines_ += CountLines(text_.substr(at_, at - at_));
    at_ = at;
    return lines_;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  int64_t lines_ = 0;
};

class RowsParser {
 public:
  RowsParser(JsonPlan& plan, std::shared_ptr<std::string> text, int64_t begin)
      : plan_(plan),
        text_(std::move(text)),
        begin_(begin),
        lines_(*text_),
        fields_(plan.columns.size()) {}

  Result<ParsedChunk> Parse(const std::vector<JsonExtent>& rows) {
    ReadChunk& out = out_.chunk;
    out.begin = begin_;
    out.end = begin_ + static_cast<int64_t>(text_->size());
    out.checksum = XXH3_64bits(text_->data(), text_->size());
    Walk(rows);
    std::vector<std::vector<BadValue>> bad;
    for (size_t i = 0; i < plan_.columns.size(); ++i) {
      const ReadColumn& column = plan_.columns[i];
      const ColumnTask task = {.type = column.column.type,
                               .rows = out.batch.rows,
                               .settings = &plan_.settings,
                               .hint = &plan_.hints[i],
                               .pattern = column.pattern.get()};
      const auto parser = MakeColumnParser(task, TextFields(&fields_[i]));
      parser->Parse(0, out.batch.rows);
      LEAT_ASSIGN(auto values, parser->Finish());
      out.batch.columns.push_back(std::move(values));
      bad.push_back(std::move(parser->bad));
    }
    LEAT_RETURN(TakeOutBadRows(
        plan_.columns, std::move(bad),
        [this](int64_t row) { return MakeReject(good_[static_cast<size_t>(row)], ""); }, &out));
    out_.lines = lines_.LinesBefore(text_->size());
    out.bytes = std::move(text_);
    return std::move(out_);
  }

 private:
  struct Row {
    JsonExtent place;
    int64_t number;  // from the chunk's begin
  };

  std::string_view TextOf(const JsonExtent& place) const {
    return std::string_view(*text_).substr(place.begin, place.end - place.begin);
  }

  void Walk(const std::vector<JsonExtent>& rows) {
    ReadChunk& out = out_.chunk;
    JsonWalker walker(plan_.paths, &arena_);
    for (auto& column : fields_) column.resize(rows.size());
    const bool encoded = EncodingError(*text_).empty();
    for (const JsonExtent& place : rows) {
      const Row row = {place, out.rows_read++};
      const std::string_view json = TextOf(place);
      std::string error = encoded ? std::string() : EncodingError(json);
      if (error.empty() && !place.in_root) error = "the document has no array of rows at its root";
      if (error.empty()) error = walker.Walk(json, good_.size(), &fields_);
      if (!error.empty()) {
        out.rejects.push_back(MakeReject(row, std::move(error)));
        continue;
      }
      good_.push_back(row);
      out.row_offsets.push_back(begin_ + place.begin);
    }
    out.batch.rows = static_cast<int64_t>(good_.size());
  }

  Reject MakeReject(const Row& row, std::string reason) {
    Reject reject;
    reject.offset = begin_ + row.place.begin;
    reject.line = lines_.LinesBefore(row.place.begin);
    reject.row = row.number;
    reject.raw = TextOf(row.place).substr(0, kRawBytesMax);
    reject.reason = std::move(reason);
    return reject;
  }

  JsonPlan& plan_;
  std::shared_ptr<std::string> text_;
  const int64_t begin_;
  LineCounter lines_;
  TextArena arena_;
  std::vector<std::vector<RawField>> fields_;  // by column, then row
  std::vector<Row> good_;
  ParsedChunk out_;
};

}  // namespace

Result<std::shared_ptr<JsonPlan>> JsonPlan::Make(const ReadOptions& options) {
  auto plan = std::make_shared<JsonPlan>();
  LEAT_ASSIGN(plan->paths, JsonPaths::Make(options.columns));
  plan->columns = options.columns;
  plan->settings = options.text;
  plan->hints = std::make_unique<ColumnHint[]>(options.columns.size());
  return plan;
}

Result<ParsedChunk> ParseJsonRows(JsonPlan& plan, std::shared_ptr<std::string> text, int64_t begin,
                                  const std::vector<JsonExtent>& rows) {
  return RowsParser(plan, std::move(text), begin).Parse(rows);
}

}  // namespace leat
