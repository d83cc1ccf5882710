#include "format/ndjson_reader.h"

#include <algorithm>
#include <cstring>

#include "format/json_rows.h"
#include "format/text_source.h"

namespace leat {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// The lines that hold a row. `at_start`: the text begins its file.
std::vector<JsonExtent> RowsOfLines(std::string_view text, bool at_start) {
  std::vector<JsonExtent> rows;
  size_t begin = at_start && text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view json = JsonOfLine(text.substr(begin, end - begin));
    if (!json.empty()) {
      const auto at = static_cast<uint32_t>(json.data() - text.data());
      rows.push_back({at, at + static_cast<uint32_t>(json.size())});
    }
    begin = end + 1;
  }
  return rows;
}

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
    return [plan = plan_, text, begin] {
      return ParseJsonRows(*plan, text, begin, RowsOfLines(*text, begin == 0));
    };
  }

 private:
  std::shared_ptr<JsonPlan> plan_;
  Follows follows_ = Follows::kMore;
};

}  // namespace

Result<std::unique_ptr<FileReader>> OpenNdjson(const std::string& path, const Coding& coding,
                                               const ReadOptions& options, const ReadRange& range) {
  LEAT_ASSIGN(auto plan, JsonPlan::Make(options));
  LEAT_ASSIGN(auto bytes, OpenBytes(path, coding, range.begin));
  auto source = std::make_unique<NdjsonSource>(std::move(bytes), path, std::move(plan), range,
                                               options.chunk_bytes_max);
  return ReadAhead(std::move(source), options.threads, range.first_row, range.first_line);
}

}  // namespace leat
