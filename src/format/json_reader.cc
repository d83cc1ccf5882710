#include "format/json_reader.h"

#include <algorithm>

#include "format/json_rows.h"
#include "format/json_split.h"
#include "format/text_source.h"

namespace leat {
namespace {

// Every chunk but the first begins behind a row, so inside the root array: a cut between two
// documents is none.
class JsonSource : public TextSource {
 public:
  JsonSource(std::unique_ptr<ByteReader> bytes, const std::string& path,
             std::shared_ptr<JsonPlan> plan, std::vector<std::string> root, const ReadRange& range,
             int64_t chunk_bytes)
      : TextSource(std::move(bytes), path, range, chunk_bytes),
        plan_(std::move(plan)),
        splitter_(std::move(root)),
        inside_(range.begin > 0) {}

 protected:
  void StartText(uint32_t begin) override {
    splitter_.Start(begin, inside_);
    inside_ = true;
  }
  void Scan(const char* text, uint32_t size, Follows follows) override {
    splitter_.Scan(text, size, follows == Follows::kNothing);
    size_ = size;
    final_ = follows == Follows::kNothing;
  }
  uint32_t CutBy(const char*, uint32_t, uint32_t limit, bool) override {
    uint32_t cut = 0;
    bool all = true;
    for (const JsonExtent& row : splitter_.extents()) {
      all = all && row.end <= limit;
      if (row.in_root && (row.end <= limit || cut == 0)) cut = row.end;
    }
    if (final_ && (cut == 0 || (all && size_ <= limit))) return size_;
    return cut;
  }
  bool GiveUpRow(const char* text, uint32_t size) override { return splitter_.GiveUp(text, size); }
  ParseJob Cut(std::shared_ptr<std::string> text, int64_t begin) override {
    std::vector<JsonExtent> rows;
    for (const JsonExtent& row : splitter_.extents()) {
      if (row.end <= text->size()) rows.push_back(row);
    }
    return [plan = plan_, text, begin, rows = std::move(rows)] {
      return ParseJsonRows(*plan, text, begin, rows);
    };
  }

 private:
  std::shared_ptr<JsonPlan> plan_;
  JsonSplitter splitter_;
  bool inside_;
  uint32_t size_ = 0;
  bool final_ = false;
};

}  // namespace

std::vector<std::string> JsonRoot(const std::map<std::string, std::string>& options) {
  const auto found = options.find("root");
  return found == options.end() ? std::vector<std::string>() : JsonSteps(found->second);
}

Result<std::unique_ptr<FileReader>> OpenJson(const std::string& path, const Coding& coding,
                                             const ReadOptions& options, const ReadRange& range) {
  LEAT_ASSIGN(auto plan, JsonPlan::Make(options));
  LEAT_ASSIGN(auto bytes, OpenBytes(path, coding, range.begin));
  auto source =
      std::make_unique<JsonSource>(std::move(bytes), path, std::move(plan),
                                   JsonRoot(options.options), range, options.chunk_bytes_max);
  return ReadAhead(std::move(source), options.threads, range.first_row, range.first_line);
}

}  // namespace leat
