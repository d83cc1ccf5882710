#include "format/csv_reader.h"

#include <algorithm>
#include <charconv>

#include "format/csv_parse.h"
#include "format/names.h"
#include "format/text_source.h"

namespace leat {
namespace {

constexpr int64_t kHeaderBytesMax = 256 << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class CsvSource : public TextSource {
 public:
  CsvSource(std::unique_ptr<ByteReader> bytes, const std::string& path,
            std::shared_ptr<CsvPlan> plan, const ReadRange& range, int64_t chunk_bytes)
      : TextSource(std::move(bytes), path, range, chunk_bytes),
        plan_(std::move(plan)),
        indexer_(plan_->dialect) {}

 protected:
  void StartText(uint32_t begin) override {
    index_ = indexes_->Take();
    indexer_.Start(begin, index_.get());
  }
  void Scan(const char* text, uint32_t size, Follows follows) override {
    indexer_.Advance(text, size, follows);
  }
  uint32_t CutBy(const char* text, uint32_t, uint32_t limit, bool more) override {
    return indexer_.CutBy(text, limit, more);
  }
  bool GiveUpRow(const char* text, uint32_t size) override {
    return indexer_.GiveUpRecord(text, size);
  }
  ParseJob Cut(std::shared_ptr<std::string> text, int64_t begin) override {
    auto chunk = std::make_shared<CsvChunk>();
    chunk->text = std::move(text);
    chunk->index = std::move(index_);
    chunk->begin = begin;
    chunk->header = begin == 0 && plan_->dialect.header;
    return [plan = plan_, chunk] { return ParseCsv(*plan, std::move(*chunk)); };
  }

 private:
  std::shared_ptr<CsvPlan> plan_;
  CsvIndexer indexer_;
  std::shared_ptr<Recycler<CsvIndex>> indexes_ = std::make_shared<Recycler<CsvIndex>>();
  std::shared_ptr<CsvIndex> index_;
};

// The first record's fields, unquoted.
std::vector<std::string> FieldsOf(const std::string& text, const CsvIndex& index,
                                  const CsvDialect& dialect) {
  const CsvIndex::Row row = index.rows[0];
  const std::vector<uint32_t> firsts = {row.first};
  const auto fields = static_cast<int>(row.last - row.first);
  std::vector<std::string> out;
  std::string scratch;
  for (int i = 0; i < fields; ++i) {
    const CsvFields column(text.data(), index, firsts, dialect, i, i == fields - 1);
    const RawField raw = column.Raw(0);
    out.emplace_back(column.IsQuoted(raw) ? column.Unquote(raw, &scratch)
                                          : std::string_view(raw.data, raw.size));
  }
  return out;
}

// Where a column without a header is: 'column3' or '3', else its place among the declared.
int FieldWithoutHeader(const std::string& name, size_t declared, size_t fields) {
  std::string_view digits = name;
  if (digits.starts_with("column")) digits.remove_prefix(6);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size() && number >= 1 &&
      number <= static_cast<int>(fields)) {
    return number - 1;
  }
  return declared < fields ? static_cast<int>(declared) : -1;
}

}  // namespace

Status NoSuchField(const std::string& path, const std::string& outside_name,
                   const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  const std::string nearest = NearestColumnName(outside_name, names);
  return SqlStatus(
      fmt::format("column \"{}\" does not exist in \"{}\"", outside_name, path),
      {.sqlstate = kUndefinedColumn,
       .detail = "The file has " + list + ".",
       .hint = nearest.empty() ? "" : fmt::format("Perhaps you meant \"{}\".", nearest)});
}

Result<std::vector<std::string>> CsvNames(const std::string& path, const Coding& coding,
                                          const CsvDialect& dialect) {
  LEAT_ASSIGN(auto bytes, OpenBytes(path, coding, 0));
  std::string text(kHeaderBytesMax + TextSource::kPadding, '\0');
  LEAT_ASSIGN(int64_t size, bytes->Read(text.data(), kHeaderBytesMax));
  while (size > 0 && size < kHeaderBytesMax) {
    // A damage further on is the reader's to report, after the rows before it.
    auto more = bytes->Read(text.data() + size, kHeaderBytesMax - size);
    if (!more.ok() || *more == 0) break;
    size += *more;
  }
  CsvIndexer indexer(dialect);
  CsvIndex index;
  indexer.Start(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0, &index);
  indexer.Advance(text.data(), static_cast<uint32_t>(size),
                  size < kHeaderBytesMax ? Follows::kNothing : Follows::kMore);
  if (size == 0) return std::vector<std::string>();
  if (index.rows.empty() || index.rows[0].last == CsvIndex::kMalformed) {
    return SqlStatus(fmt::format("\"{}\" does not begin with a row of CSV", path));
  }
  auto names = FieldsOf(text, index, dialect);
  if (!dialect.header) {
    for (size_t i = 0; i < names.size(); ++i) names[i] = fmt::format("column{}", i + 1);
  }
  return names;
}

Result<std::unique_ptr<FileReader>> OpenCsv(const std::string& path, const Coding& coding,
                                            const CsvDialect& dialect, const ReadOptions& options,
                                            const ReadRange& range) {
  auto plan = std::make_shared<CsvPlan>();
  plan->dialect = dialect;
  LEAT_ASSIGN(plan->names, CsvNames(path, coding, dialect));
  plan->columns = options.columns;
  plan->settings = options.text;
  plan->hints = std::make_unique<ColumnHint[]>(options.columns.size());
  for (size_t i = 0; i < options.columns.size(); ++i) {
    const std::string& name = options.columns[i].outside_name.empty()
                                  ? options.columns[i].column.name
                                  : options.columns[i].outside_name;
    const auto found = std::find(plan->names.begin(), plan->names.end(), name);
    int field = static_cast<int>(found - plan->names.begin());
    if (!dialect.header) field = FieldWithoutHeader(name, i, plan->names.size());
    if (!plan->names.empty() && (field < 0 || field == static_cast<int>(plan->names.size()))) {
      return NoSuchField(path, name, plan->names);
    }
    plan->fields.push_back(field);
  }
  LEAT_ASSIGN(auto bytes, OpenBytes(path, coding, range.begin));
  auto source = std::make_unique<CsvSource>(std::move(bytes), path, std::move(plan), range,
                                            options.chunk_bytes_max);
  return ReadAhead(std::move(source), options.threads, range.first_row, range.first_line);
}

}  // namespace leat
