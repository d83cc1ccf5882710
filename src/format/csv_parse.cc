#include "format/csv_parse.h"

#include <arrow/array/util.h>
#include <arrow/util/utf8.h>
#include <xxhash.h>

#include <algorithm>

namespace leat {
namespace {

constexpr int64_t kRowsPerBlock = 1024;  // their text stays in the nearest caches
constexpr size_t kRawBytesMax = 64 << 10;

bool IsUtf8(std::string_view text) {
  static const bool tables_made = (arrow::util::InitializeUTF8(), true);
  static_cast<void>(tables_made);
  return arrow::util::ValidateUTF8(reinterpret_cast<const uint8_t*>(text.data()),
                                   static_cast<int64_t>(text.size()));
}

class ChunkParser {
 public:
  ChunkParser(CsvPlan& plan, CsvChunk chunk) : plan_(plan), chunk_(std::move(chunk)) {}

  Result<ParsedChunk> Parse() {
    ReadChunk& out = out_.chunk;
    const std::string& text = *chunk_.text;
    out.begin = chunk_.begin;
    out.end = chunk_.begin + static_cast<int64_t>(text.size());
    out.checksum = XXH3_64bits(text.data(), text.size());
    out_.lines = CountLines(text);
    check_encoding_ = !chunk_.index->plain_ascii &&
                      (std::memchr(text.data(), 0, text.size()) != nullptr || !IsUtf8(text));
    SortRows();
    LEAT_RETURN(ParseColumns());
    out.bytes = std::move(chunk_.text);
    return std::move(out_);
  }

 private:
  std::string_view RowText(const CsvIndex::Row& row) const {
    const std::string_view text = *chunk_.text;
    if (row.last == CsvIndex::kMalformed) {
      const auto& malformed = chunk_.index->malformed[row.first];
      return text.substr(malformed.begin, malformed.end - malformed.begin);
    }
    const uint32_t begin = chunk_.index->marks[row.first] + 1;
    auto whole = text.substr(begin, chunk_.index->marks[row.last] - begin);
    if (whole.ends_with('\r')) whole.remove_suffix(1);
    return whole;
  }

  Reject MakeReject(std::string_view raw, int64_t row, std::string reason) const {
    Reject reject;
    const auto at = static_cast<size_t>(raw.data() - chunk_.text->data());
    reject.offset = chunk_.begin + static_cast<int64_t>(at);
    reject.line = CountLines(std::string_view(*chunk_.text).substr(0, at));
    reject.row = row;
    reject.raw = raw.substr(0, kRawBytesMax);
    reject.reason = std::move(reason);
    return reject;
  }

  // The reason a row cannot be used as a whole; empty: it can.
  std::string RowError(const CsvIndex::Row& row) const {
    if (row.last == CsvIndex::kMalformed) return chunk_.index->malformed[row.first].reason;
    const size_t found = row.last - row.first;
    if (found < plan_.names.size()) {
      return fmt::format("missing data for column \"{}\"", plan_.names[found]);
    }
    if (found > plan_.names.size()) return "extra data after last expected column";
    return check_encoding_ ? EncodingError(RowText(row)) : std::string();
  }

  bool IsBlank(const CsvIndex::Row& row) const {
    return plan_.names.size() > 1 && row.last == row.first + 1 && RowText(row).empty();
  }

  void SortRows() {
    const auto& rows = chunk_.index->rows;
    const size_t width = plan_.names.size();
    firsts_.reserve(rows.size());
    int64_t ordinal = 0;
    for (size_t i = chunk_.header ? 1 : 0; i < rows.size(); ++i) {
      const CsvIndex::Row& row = rows[i];
      if (row.last - row.first == width && row.last != CsvIndex::kMalformed && !check_encoding_)
          [[likely]] {
        firsts_.push_back(row.first);
        ++ordinal;
        continue;
      }
      if (row.last != CsvIndex::kMalformed && IsBlank(row)) continue;
      std::string error = RowError(row);
      if (error.empty()) {
        firsts_.push_back(row.first);
      } else {
        out_.chunk.rejects.push_back(MakeReject(RowText(row), ordinal, std::move(error)));
      }
      ++ordinal;
    }
    out_.chunk.rows_read = ordinal;
  }

  // The number of good row `row` among all rows: those rejected as a whole stand between.
  int64_t Ordinal(int64_t row) const {
    const auto& rejects = out_.chunk.rejects;
    int64_t before = 0, behind = static_cast<int64_t>(rejects.size());
    while (before < behind) {
      const int64_t middle = (before + behind) / 2;
      const int64_t good_before = rejects[static_cast<size_t>(middle)].row - middle;
      (good_before <= row ? before : behind) = good_before <= row ? middle + 1 : middle;
    }
    return row + before;
  }

  Status ParseColumns() {
    ReadChunk& out = out_.chunk;
    const auto rows = static_cast<int64_t>(firsts_.size());
    const auto last_field = static_cast<int>(plan_.names.size()) - 1;
    std::vector<std::unique_ptr<ColumnParser>> parsers;
    for (size_t i = 0; i < plan_.columns.size(); ++i) {
      const CsvFields fields(chunk_.text->data(), *chunk_.index, firsts_, plan_.dialect,
                             plan_.fields[i], plan_.fields[i] == last_field);
      const Type& type = plan_.columns[i].column.type;
      // Any text will do, and whether it is UTF-8 is seen for the row as a whole.
      if (plan_.columns[i].unread && type.id == TypeId::kText) {
        parsers.push_back(nullptr);
        continue;
      }
      const NumberSpelling& numbers = plan_.dialect.numbers;
      parsers.push_back(
          MakeColumnParser({type, rows, &plan_.settings, &plan_.hints[i],
                            type.is_numeric() && !numbers.Plain() ? &numbers : nullptr,
                            plan_.columns[i].pattern.get()},
                           fields));
    }
    for (int64_t begin = 0; begin < rows; begin += kRowsPerBlock) {
      const int64_t end = std::min(rows, begin + kRowsPerBlock);
      for (auto& parser : parsers) {
        if (parser != nullptr) parser->Parse(begin, end);
      }
    }
    out.batch.rows = rows;
    out.row_offsets.resize(static_cast<size_t>(rows));
    for (size_t i = 0; i < firsts_.size(); ++i) {
      out.row_offsets[i] = chunk_.begin + (chunk_.index->marks[firsts_[i]] + 1);
    }
    std::vector<std::vector<BadValue>> bad;
    for (auto& parser : parsers) {
      if (parser == nullptr) {
        LEAT_ASSIGN(auto nulls, arrow::MakeArrayOfNull(arrow::utf8(), rows));
        out.batch.columns.push_back(std::move(nulls));
        bad.emplace_back();
        continue;
      }
      LEAT_ASSIGN(auto column, parser->Finish());
      out.batch.columns.push_back(std::move(column));
      bad.push_back(std::move(parser->bad));
    }
    return TakeOutBadRows(
        plan_.columns, std::move(bad), [this](int64_t row) { return RejectOfGood(row); }, &out);
  }

  Reject RejectOfGood(int64_t row) const {
    const auto at = static_cast<size_t>(row);
    const CsvIndex::Row found = {firsts_[at],
                                 firsts_[at] + static_cast<uint32_t>(plan_.names.size())};
    return MakeReject(RowText(found), Ordinal(row), "");
  }

  CsvPlan& plan_;
  CsvChunk chunk_;
  std::vector<uint32_t> firsts_;  // CsvIndex::Row::first of each good row
  bool check_encoding_ = false;
  ParsedChunk out_;
};

// Bytes of the character at `at` as PostgreSQL shows them: "0xff", "0xe2 0x28 0xa1".
std::string HexOfCharacter(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  const size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1;
  std::string hex;
  for (size_t i = at; i < std::min(text.size(), at + length); ++i) {
    hex += fmt::format("{}0x{:02x}", hex.empty() ? "" : " ", static_cast<uint8_t>(text[i]));
  }
  return hex;
}

}  // namespace

std::string EncodingError(std::string_view text) {
  const size_t zero = text.find('\0');
  const bool valid = IsUtf8(text);
  if (valid && zero == text.npos) return {};
  size_t at = 0;
  // Whole characters up to the wrong one.
  while (at < text.size() && text[at] != '\0') {
    size_t length = 1;
    while (length < 4 && at + length < text.size() && (text[at + length] & 0xc0) == 0x80) ++length;
    const auto lead = static_cast<uint8_t>(text[at]);
    const size_t wanted = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length < wanted || !IsUtf8(text.substr(at, wanted))) break;
    at += wanted;
  }
  return fmt::format("invalid byte sequence for encoding \"UTF8\": {}",
                     at < text.size() ? HexOfCharacter(text, at) : "0x00");
}

Status TakeOutBadRows(const std::vector<ReadColumn>& columns,
                      std::vector<std::vector<BadValue>> bad,
                      const std::function<Reject(int64_t row)>& reject, ReadChunk* out) {
  std::vector<bool> dropped;
  std::vector<Reject> found;
  for (size_t i = 0; i < columns.size(); ++i) {
    for (BadValue& value : bad[i]) {
      if (dropped.empty()) dropped.resize(static_cast<size_t>(out->batch.rows));
      const auto row = static_cast<size_t>(value.row);
      if (dropped[row]) continue;  // its first wrong column is reason enough
      Reject made = reject(value.row);
      made.column = columns[i].column.name;
      made.reason = std::move(value.reason);
      made.row_kept = columns[i].null_on_error;
      if (!made.row_kept) dropped[row] = true;
      found.push_back(std::move(made));
    }
  }
  if (found.empty()) return Status::OK();
  out->rejects.insert(out->rejects.end(), std::make_move_iterator(found.begin()),
                      std::make_move_iterator(found.end()));
  std::stable_sort(out->rejects.begin(), out->rejects.end(),
                   [](const Reject& a, const Reject& b) { return a.offset < b.offset; });
  std::vector<int32_t> kept;
  std::vector<int64_t> offsets;
  for (size_t row = 0; row < dropped.size(); ++row) {
    if (dropped[row]) continue;
    kept.push_back(static_cast<int32_t>(row));
    offsets.push_back(out->row_offsets[row]);
  }
  if (kept.size() == dropped.size()) return Status::OK();
  LEAT_ASSIGN(out->batch, Take(out->batch, kept));
  out->row_offsets = std::move(offsets);
  return Status::OK();
}

Result<ParsedChunk> ParseCsv(CsvPlan& plan, CsvChunk chunk) {
  return ChunkParser(plan, std::move(chunk)).Parse();
}

}  // namespace leat
