// The SIMD reader against a slow obvious one, over random text in random cuts.
#include <gtest/gtest.h>

#include <random>

#include "base/rounds_test.h"
#include "format/csv_parse.h"
#include "format/files_test.h"

namespace leat {
namespace {

constexpr size_t kWidth = 3;

struct SlowRow {
  size_t begin, end;  // without the newline
  std::vector<std::string> fields;
  std::string reason;  // empty: a good row
};

// One character at a time, by the rules of csv_index.h.
class SlowReader {
 public:
  SlowReader(std::string text, char escape) : text_(std::move(text)), escape_(escape) {}

  std::vector<SlowRow> Rows() {
    std::vector<SlowRow> rows;
    while (at_ < text_.size()) rows.push_back(Record());
    return rows;
  }

 private:
  SlowRow Record() {
    SlowRow row{at_, 0, {}, ""};
    while (true) {
      std::string field = "NULL";
      if (Is(at_, '"')) {
        field.clear();
        if (!Quoted(&field, &row.reason)) return GiveUp(std::move(row));
      } else {
        const size_t begin = at_;
        while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') ++at_;
        std::string literal = text_.substr(begin, at_ - begin);
        const bool last = !Is(at_, ',');
        if (last && literal.ends_with('\r')) literal.pop_back();
        if (!literal.empty()) field = literal;
      }
      if (Is(at_, '\r')) ++at_;
      row.fields.push_back(field);
      if (Is(at_, ',')) {
        ++at_;
        continue;
      }
      row.end = at_;
      if (at_ < text_.size()) ++at_;
      return row;
    }
  }

  bool Is(size_t at, char c) const { return at < text_.size() && text_[at] == c; }

  bool Quoted(std::string* field, std::string* reason) {
    size_t at = at_ + 1;
    while (true) {
      if (at >= text_.size()) {
        *reason = "unterminated CSV quoted field";
        return false;
      }
      if (text_[at] == escape_ && (Is(at + 1, '"') || Is(at + 1, escape_))) {
        *field += text_[at + 1];
        at += 2;
      } else if (text_[at] == '"') {
        break;
      } else {
        *field += text_[at++];
      }
    }
    at_ = at + 1;
    const bool line_end = Is(at_, '\r') && Is(at_ + 1, '\n');
    if (at_ == text_.size() || text_[at_] == ',' || text_[at_] == '\n' || line_end) return true;
    *reason = "malformed CSV quoted field: text after the closing quote";
    return false;
  }

  SlowRow GiveUp(SlowRow row) {
    row.end = std::min(text_.find('\n', row.begin), text_.size());
    at_ = std::min(row.end + 1, text_.size());
    return row;
  }

  const std::string text_;
  const char escape_;
  size_t at_ = 0;
};

std::string RandomText(std::mt19937& random, char escape) {
  static const std::vector<std::string> kPieces = {",",
                                                   ",",
                                                   ",",
                                                   "\n",
                                                   "\n",
                                                   "\r\n",
                                                   "\"",
                                                   "\"\"",
                                                   "a",
                                                   "bc",
                                                   "long enough to fill a block",
                                                   " ",
                                                   "é",
                                                   "\"quoted, with\nlines\"",
                                                   "\"x\"",
                                                   "1",
                                                   "\r",
                                                   "a,b,c\n",
                                                   "\"a\",\"b\",\"c\"\n"};
  std::string text;
  const size_t pieces = random() % 120;
  // Sometimes mostly well formed, sometimes noise.
  const bool tidy = random() % 2 == 0;
  for (size_t i = 0; i < pieces; ++i) {
    if (tidy && random() % 8 != 0) {
      text += random() % 2 == 0 ? "\"p\"\"q\r\n,\",,r\n" : "one,\"two\nlines\",3\r\n";
    } else {
      text += kPieces[random() % kPieces.size()];
    }
    if (random() % 60 == 0) text += '\xff';
    if (random() % 30 == 0) text += escape;
  }
  return text;
}

std::string SlowReason(const SlowRow& row, std::string_view text) {
  if (!row.reason.empty()) return row.reason;
  if (row.fields.size() > kWidth) return "extra data after last expected column";
  if (row.fields.size() < kWidth) {
    return fmt::format("missing data for column \"{}\"", row.fields.size() == 1 ? "b" : "c");
  }
  return EncodingError(text);
}

void Compare(const std::string& body, char escape, int64_t chunk_bytes, uint32_t seed) {
  const std::string header = "a,b,c\n";
  const TestFile file("random.csv", header + body);
  ReadOptions options;
  for (const char* name : {"a", "b", "c"})
    options.columns.push_back(WantColumn(name, TypeId::kText));
  options.options["escape"] = std::string(1, escape);
  options.chunk_bytes_max = chunk_bytes;
  const Drained fast = Drain(file.path(), options);
  ASSERT_TRUE(fast.status.ok()) << fast.status.ToString();

  size_t good = 0, rejected = 0, number = 0;
  for (const SlowRow& row : SlowReader(body, escape).Rows()) {
    std::string_view text = std::string_view(body).substr(row.begin, row.end - row.begin);
    if (row.reason.empty() && text.ends_with('\r')) text.remove_suffix(1);
    if (row.reason.empty() && row.fields.size() == 1 && text.empty()) continue;
    const std::string reason = SlowReason(row, text);
    const auto offset = static_cast<int64_t>(header.size() + row.begin);
    SCOPED_TRACE(fmt::format("seed {} chunk {} escape {} row {}: {}", seed, chunk_bytes, escape,
                             number, text));
    if (reason.empty()) {
      ASSERT_LT(good, fast.rows.size());
      ASSERT_EQ(fast.rows[good], row.fields);
      ASSERT_EQ(fast.offsets[good++], offset);
    } else {
      ASSERT_LT(rejected, fast.rejects.size());
      const Reject& reject = fast.rejects[rejected++];
      ASSERT_EQ(reject.reason, reason);
      ASSERT_EQ(reject.raw, text);
      ASSERT_EQ(reject.offset, offset);
      ASSERT_EQ(reject.row, static_cast<int64_t>(number));
      const auto before = static_cast<std::ptrdiff_t>(row.begin);
      ASSERT_EQ(reject.line, 2 + std::count(body.begin(), body.begin() + before, '\n'));
    }
    ++number;
  }
  ASSERT_EQ(good, fast.rows.size()) << "seed " << seed;
  ASSERT_EQ(rejected, fast.rejects.size()) << "seed " << seed;
  ASSERT_EQ(fast.rows_read, static_cast<int64_t>(number));
  std::string bytes;
  for (const ReadChunk& chunk : fast.chunks) {
    ASSERT_EQ(chunk.begin, static_cast<int64_t>(bytes.size()));
    bytes += *chunk.bytes;
    ASSERT_EQ(chunk.end, static_cast<int64_t>(bytes.size()));
  }
  ASSERT_EQ(bytes, header + body);
}

TEST(CsvDifferential, AnyTextInAnyCutIsReadAsTheSlowReaderReadsIt) {
  const auto seeds = static_cast<uint32_t>(Rounds(1500));
  for (uint32_t seed = 0; seed < seeds; ++seed) {
    std::mt19937 random(seed);
    const char escape = random() % 4 == 0 ? '\\' : '"';
    const std::string body = RandomText(random, escape);
    Compare(body, escape, 1 + static_cast<int64_t>(random() % 64), seed);
    Compare(body, escape, 1 << 20, seed);
    if (HasFatalFailure()) return;
  }
}

TEST(CsvDifferential, EveryChunkIsAPlaceToGoOnFrom) {
  std::mt19937 random(7);
  const TestFile file("resume.csv", "a,b,c\n" + RandomText(random, '"') + RandomText(random, '"'));
  ReadOptions options;
  for (const char* name : {"a", "b", "c"})
    options.columns.push_back(WantColumn(name, TypeId::kText));
  options.chunk_bytes_max = 50;
  const Drained whole = Drain(file.path(), options);
  ASSERT_GT(whole.chunks.size(), 2U);
  size_t rows = 0;
  for (const ReadChunk& chunk : whole.chunks) {
    rows += static_cast<size_t>(chunk.batch.rows);
    if (chunk.end == whole.chunks.back().end) break;
    const Drained rest = Drain(
        file.path(), options,
        {.begin = chunk.end, .first_row = chunk.first_row + chunk.rows_read, .first_line = 1});
    ASSERT_EQ(rest.rows.size(), whole.rows.size() - rows);
    ASSERT_TRUE(std::equal(rest.rows.begin(), rest.rows.end(),
                           whole.rows.begin() + static_cast<std::ptrdiff_t>(rows)));
    const Drained exact = Drain(file.path(), options, {.begin = chunk.begin, .end = chunk.end});
    ASSERT_EQ(exact.rows.size(), static_cast<size_t>(chunk.batch.rows));
    ASSERT_EQ(exact.chunks.size(), 1U);
    ASSERT_EQ(exact.chunks[0].checksum, chunk.checksum);
  }
}

}  // namespace
}  // namespace leat
