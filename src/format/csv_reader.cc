#include "format/csv_reader.h"

#include <algorithm>
#include <cstring>

#include "format/csv_parse.h"
#include "format/fast_parse.h"
#include "format/names.h"

namespace leat {
namespace {

constexpr int64_t kPieceBytes = 256 << 10;  // inflated and indexed while in the nearest cache
constexpr int64_t kRecordBytesMax = 16 << 20;
constexpr int64_t kPadding = 64;  // CsvIndexer reads that far behind the text
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class CsvSource : public ChunkSource {
 public:
  CsvSource(std::unique_ptr<ByteReader> bytes, std::string path, std::shared_ptr<CsvPlan> plan,
            const ReadRange& range, int64_t chunk_bytes)
      : bytes_(std::move(bytes)),
        path_(std::move(path)),
        plan_(std::move(plan)),
        indexer_(plan_->dialect),
        position_(range.begin),
        end_(range.end),
        chunk_bytes_(chunk_bytes),
        buffers_(std::make_shared<BufferPool>()) {}

  Result<std::optional<ParseJob>> Next() override {
    if (done_) {
      LEAT_RETURN(damage_);
      return std::nullopt;
    }
    LEAT_RETURN(StartText());
    while (true) {
      LEAT_RETURN(Fill());
      const auto follows = !at_end_       ? CsvIndexer::Follows::kMore
                           : damage_.ok() ? CsvIndexer::Follows::kNothing
                                          : CsvIndexer::Follows::kDamage;
      indexer_.Advance(text_->data(), static_cast<uint32_t>(size_), follows);
      if (at_end_) break;
      if (size_ < chunk_bytes_) continue;
      if (indexer_.rows() > 0) break;
      if (size_ >= std::max(kRecordBytesMax, chunk_bytes_) &&
          !indexer_.GiveUpRecord(text_->data(), static_cast<uint32_t>(size_))) {
        return IOErrorF("\"{}\": the row at byte {} is longer than {} bytes", path_, position_,
                        size_);
      }
    }
    return Cut();
  }

 private:
  // A new text, which begins with what the last chunk left over.
  Status StartText() {
    text_ = buffers_->Take();
    size_ = static_cast<int64_t>(rest_.size());
    Reserve(std::max(chunk_bytes_, size_) + kPieceBytes);
    std::memcpy(text_->data(), rest_.data(), rest_.size());
    rest_.clear();
    uint32_t begin = 0;
    if (position_ == 0) {
      while (size_ < 3 && !at_end_) LEAT_RETURN(Fill());
      if (std::string_view(text_->data(), static_cast<size_t>(size_)).starts_with(kByteOrderMark)) {
        begin = kByteOrderMark.size();
      }
    }
    indexer_.Start(begin);
    return Status::OK();
  }

  void Reserve(int64_t bytes) {
    const auto wanted = static_cast<size_t>(bytes + kPadding);
    if (text_->size() < wanted) text_->resize(wanted);
  }

  // One piece more, or at_end_; the bytes before a damage come without an error.
  Status Fill() {
    Reserve(size_ + kPieceBytes);
    int64_t wanted = size_ < chunk_bytes_ ? chunk_bytes_ - size_ : chunk_bytes_;
    wanted = std::min(wanted, kPieceBytes);
    if (end_ >= 0) wanted = std::min(wanted, end_ - position_ - size_);
    if (wanted == 0) {
      at_end_ = true;
      return Status::OK();
    }
    auto got = bytes_->Read(text_->data() + size_, wanted);
    if (!got.ok()) {
      damage_ = got.status();
      at_end_ = true;
      return Status::OK();
    }
    size_ += *got;
    at_end_ = *got == 0;
    return Status::OK();
  }

  // The complete rows become a chunk; what follows waits for the next.
  Result<std::optional<ParseJob>> Cut() {
    CsvChunk chunk;
    chunk.index = indexer_.Finish();
    chunk.begin = position_;
    chunk.header = position_ == 0 && plan_->dialect.header;
    const auto cut = static_cast<size_t>(chunk.index.end);
    if (at_end_) {
      done_ = true;
    } else {
      rest_.assign(*text_, cut, static_cast<size_t>(size_) - cut);
    }
    if (cut == 0) {
      LEAT_RETURN(damage_);
      return std::nullopt;
    }
    text_->resize(cut);
    text_->reserve(cut + kPadding);
    chunk.text = std::move(text_);
    position_ += static_cast<int64_t>(cut);
    auto shared = std::make_shared<CsvChunk>(std::move(chunk));
    return ParseJob([plan = plan_, shared] { return ParseCsv(*plan, std::move(*shared)); });
  }

  std::unique_ptr<ByteReader> bytes_;
  std::string path_;
  std::shared_ptr<CsvPlan> plan_;
  CsvIndexer indexer_;
  int64_t position_;  // of text_[0] in the file
  const int64_t end_, chunk_bytes_;
  std::shared_ptr<BufferPool> buffers_;
  std::shared_ptr<std::string> text_;
  int64_t size_ = 0;  // bytes of text_ that are the file's
  std::string rest_;
  bool at_end_ = false, done_ = false;
  Status damage_;
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
  const std::string nearest = NearestName(outside_name, names);
  return SqlStatus(
      fmt::format("column \"{}\" does not exist in \"{}\"", outside_name, path),
      {.sqlstate = kUndefinedColumn,
       .detail = "The file has " + list + ".",
       .hint = nearest.empty() ? "" : fmt::format("Perhaps you meant \"{}\".", nearest)});
}

Result<std::vector<std::string>> CsvNames(const std::string& path, Compression compression,
                                          const CsvDialect& dialect) {
  LEAT_ASSIGN(auto bytes, OpenBytes(path, compression, 0));
  std::string text(kPieceBytes + kPadding, '\0');
  LEAT_ASSIGN(int64_t size, bytes->Read(text.data(), kPieceBytes));
  while (size > 0 && size < kPieceBytes) {
    // A damage further on is the reader's to report, after the rows before it.
    auto more = bytes->Read(text.data() + size, kPieceBytes - size);
    if (!more.ok() || *more == 0) break;
    size += *more;
  }
  CsvIndexer indexer(dialect);
  indexer.Start(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  indexer.Advance(text.data(), static_cast<uint32_t>(size),
                  size < kPieceBytes ? CsvIndexer::Follows::kNothing : CsvIndexer::Follows::kMore);
  const CsvIndex index = indexer.Finish();
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

Result<std::unique_ptr<FileReader>> OpenCsv(const std::string& path, Compression compression,
                                            const CsvDialect& dialect, const ReadOptions& options,
                                            const ReadRange& range) {
  auto plan = std::make_shared<CsvPlan>();
  plan->dialect = dialect;
  LEAT_ASSIGN(plan->names, CsvNames(path, compression, dialect));
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
  LEAT_ASSIGN(auto bytes, OpenBytes(path, compression, range.begin));
  auto source = std::make_unique<CsvSource>(std::move(bytes), path, std::move(plan), range,
                                            std::max<int64_t>(options.chunk_bytes_max, 1));
  return ReadAhead(std::move(source), options.threads, range.first_row, range.first_line);
}

}  // namespace leat
