#include "format/ndjson_reader.h"

#include <xxhash.h>

#include <cstring>

#include "format/csv_parse.h"
#include "format/json_walk.h"
#include "format/text_source.h"

namespace leat {
namespace {

constexpr size_t kRawBytesMax = 64 << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

struct JsonPlan {
  JsonPaths paths;
  std::vector<ReadColumn> columns;
  TextSettings settings;
  std::unique_ptr<ColumnHint[]> hints;
};

class LineParser {
 public:
  LineParser(JsonPlan& plan, std::shared_ptr<std::string> text, int64_t begin)
      : plan_(plan), text_(std::move(text)), begin_(begin), fields_(plan.columns.size()) {}

  Result<ParsedChunk> Parse() {
    ReadChunk& out = out_.chunk;
    out.begin = begin_;
    out.end = begin_ + static_cast<int64_t>(text_->size());
    out.checksum = XXH3_64bits(text_->data(), text_->size());
    ReadLines();
    std::vector<std::vector<BadValue>> bad;
    for (size_t i = 0; i < plan_.columns.size(); ++i) {
      const ColumnTask task = {plan_.columns[i].column.type, out.batch.rows, &plan_.settings,
                               &plan_.hints[i]};
      const auto parser = MakeColumnParser(task, TextFields(&fields_[i]));
      parser->Parse(0, out.batch.rows);
      LEAT_ASSIGN(auto column, parser->Finish());
      out.batch.columns.push_back(std::move(column));
      bad.push_back(std::move(parser->bad));
    }
    LEAT_RETURN(TakeOutBadRows(
        plan_.columns, std::move(bad),
        [this](int64_t row) { return MakeReject(lines_[static_cast<size_t>(row)], ""); }, &out));
    out.bytes = std::move(text_);
    return std::move(out_);
  }

 private:
  struct Line {
    std::string_view text;  // without its end
    int64_t number;         // from the chunk's begin
    int64_t row;
  };

  void ReadLines() {
    ReadChunk& out = out_.chunk;
    std::string_view rest = *text_;
    JsonWalker walker(plan_.paths, &arena_);
    std::vector<RawField> values;
    while (!rest.empty()) {
      const size_t newline = std::min(rest.find('\n'), rest.size());
      Line line = {rest.substr(0, newline), out_.lines, out.rows_read};
      const bool ended = newline < rest.size();
      rest.remove_prefix(newline + (ended ? 1 : 0));
      out_.lines += ended;
      if (OffsetOf(line) == 0 && line.text.starts_with(kByteOrderMark)) {
        line.text.remove_prefix(kByteOrderMark.size());
      }
      if (line.text.ends_with('\r')) line.text.remove_suffix(1);
      const std::string_view json = JsonOfLine(line.text);
      if (json.empty()) continue;
      ++out.rows_read;
      std::string error = EncodingError(json);
      if (error.empty()) error = walker.Walk(json, &values);
      if (!error.empty()) {
        out.rejects.push_back(MakeReject(line, std::move(error)));
        continue;
      }
      for (size_t i = 0; i < values.size(); ++i) fields_[i].push_back(values[i]);
      lines_.push_back(line);
      out.row_offsets.push_back(OffsetOf(line));
    }
    out.batch.rows = static_cast<int64_t>(lines_.size());
  }

  int64_t OffsetOf(const Line& line) const { return begin_ + (line.text.data() - text_->data()); }

  Reject MakeReject(const Line& line, std::string reason) const {
    Reject reject;
    reject.offset = OffsetOf(line);
    reject.line = line.number;
    reject.row = line.row;
    reject.raw = line.text.substr(0, kRawBytesMax);
    reject.reason = std::move(reason);
    return reject;
  }

  JsonPlan& plan_;
  std::shared_ptr<std::string> text_;
  const int64_t begin_;
  TextArena arena_;
  std::vector<std::vector<RawField>> fields_;  // by column, then row
  std::vector<Line> lines_;                    // of the good rows
  ParsedChunk out_;
};

class NdjsonSource : public TextSource {
 public:
  NdjsonSource(std::unique_ptr<ByteReader> bytes, const std::string& path,
               std::shared_ptr<JsonPlan> plan, const ReadRange& range, int64_t chunk_bytes)
      : TextSource(std::move(bytes), path, range, chunk_bytes), plan_(std::move(plan)) {}

 protected:
  void StartText(uint32_t) override {}
  void Scan(const char*, uint32_t, Follows follows) override { follows_ = follows; }
  uint32_t CutBy(const char* text, uint32_t size, uint32_t limit, bool) override {
    if (follows_ == Follows::kNothing && size <= limit) return size;
    const void* newline = memrchr(text, '\n', std::min(size, limit));
    if (newline == nullptr) newline = std::memchr(text, '\n', size);
    if (newline == nullptr) return follows_ == Follows::kNothing ? size : 0;
    return static_cast<uint32_t>(static_cast<const char*>(newline) - text) + 1;
  }
  bool GiveUpRow(const char*, uint32_t) override { return false; }
  ParseJob Cut(std::shared_ptr<std::string> text, int64_t begin) override {
    return [plan = plan_, text, begin] { return LineParser(*plan, text, begin).Parse(); };
  }

 private:
  std::shared_ptr<JsonPlan> plan_;
  Follows follows_ = Follows::kMore;
};

}  // namespace

Result<std::unique_ptr<FileReader>> OpenNdjson(const std::string& path, Compression compression,
                                               const ReadOptions& options, const ReadRange& range) {
  auto plan = std::make_shared<JsonPlan>();
  LEAT_ASSIGN(plan->paths, JsonPaths::Make(options.columns));
  plan->columns = options.columns;
  plan->settings = options.text;
  plan->hints = std::make_unique<ColumnHint[]>(options.columns.size());
  LEAT_ASSIGN(auto bytes, OpenBytes(path, compression, range.begin));
  auto source = std::make_unique<NdjsonSource>(std::move(bytes), path, std::move(plan), range,
                                               options.chunk_bytes_max);
  return ReadAhead(std::move(source), options.threads, range.first_row, range.first_line);
}

}  // namespace leat
