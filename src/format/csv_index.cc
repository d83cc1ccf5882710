#include "format/csv_index.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace leat {
namespace {

constexpr uint32_t kBlock = 64;
constexpr uint32_t kPeek = 2;  // what follows a closing quote: at most "\r\n"
constexpr const char* kUnterminated = "unterminated CSV quoted field";
constexpr const char* kAfterQuote = "malformed CSV quoted field: text after the closing quote";

// Bit i of the result: an odd number of the bits 0..i is set.
uint64_t PrefixXor(uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

Result<char> OneCharacter(const std::string& name, const std::string& value, bool may_be_empty) {
  if (value.empty() && may_be_empty) return '\0';
  if (value == "\\t") return '\t';
  if (value.size() != 1 || value[0] == '\n' || value[0] == '\r' || value[0] == '\0') {
    return SqlStatus(fmt::format("CSV {} must be a single one-byte character", name),
                     {.sqlstate = "0A000"});
  }
  return value[0];
}

Result<bool> BoolOption(const std::string& name, const std::string& value) {
  if (value.empty() || value == "true" || value == "on" || value == "1") return true;
  if (value == "false" || value == "off" || value == "0") return false;
  return SqlStatus(fmt::format("option \"{}\" requires a Boolean value", name),
                   {.sqlstate = kSyntaxError});
}

std::vector<std::string> SplitNulls(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const size_t bar = text.find('|');
    out.emplace_back(text.substr(0, bar));
    if (bar == text.npos) return out;
    text.remove_prefix(bar + 1);
  }
}

}  // namespace

Result<CsvDialect> CsvDialect::Make(const std::map<std::string, std::string>& options,
                                    std::string_view format) {
  CsvDialect dialect;
  if (format == "tsv") dialect.delimiter = '\t';
  bool escape_given = false;
  for (const auto& [name, value] : options) {
    if (name == "delimiter" || name == "delim" || name == "sep") {
      LEAT_ASSIGN(dialect.delimiter, OneCharacter("delimiter", value, false));
    } else if (name == "quote") {
      LEAT_ASSIGN(dialect.quote, OneCharacter("quote", value, true));
    } else if (name == "escape") {
      LEAT_ASSIGN(dialect.escape, OneCharacter("escape", value, false));
      escape_given = true;
    } else if (name == "header") {
      LEAT_ASSIGN(dialect.header, BoolOption(name, value));
    } else if (name == "null") {
      dialect.nulls = SplitNulls(value);
    } else if (name == "decimal") {
      LEAT_ASSIGN(dialect.numbers.decimal, OneCharacter("decimal", value, false));
    } else if (name == "thousands") {
      LEAT_ASSIGN(dialect.numbers.thousands, OneCharacter("thousands", value, true));
    }
  }
  if (!escape_given) dialect.escape = dialect.quote;
  if (dialect.numbers.decimal == dialect.numbers.thousands) {
    return SqlStatus("CSV decimal and thousands must be different", {.sqlstate = "22023"});
  }
  if (dialect.delimiter == dialect.quote) {
    return SqlStatus("CSV delimiter and quote must be different", {.sqlstate = "22023"});
  }
  return dialect;
}

struct CsvIndexer::Block {
  uint64_t newlines, delimiters, quotes, returns;
  uint64_t known;         // bits that are text
  bool ends;              // the text ends with this block
  char next, after_next;  // the bytes behind the block, where it is full

  Block(const char* bytes, const CsvDialect& dialect, __m256i* high, __m256i* low) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32));
    *high = _mm256_or_si256(*high, _mm256_or_si256(a, b));
    *low = _mm256_min_epu8(*low, _mm256_min_epu8(a, b));
    newlines = Equal(a, b, '\n');
    delimiters = Equal(a, b, dialect.delimiter);
    quotes = dialect.quote == 0 ? 0 : Equal(a, b, dialect.quote);
    returns = quotes == 0 ? 0 : Equal(a, b, '\r');
    known = ~uint64_t{0};
    ends = false;
    next = bytes[kBlock];
    after_next = bytes[kBlock + 1];
  }

  void Cut(uint32_t size) {
    known = size >= 64 ? ~uint64_t{0} : (uint64_t{1} << size) - 1;
    newlines &= known;
    delimiters &= known;
    quotes &= known;
    returns &= known;
    ends = true;
  }

  static uint64_t Equal(__m256i a, __m256i b, char c) {
    const __m256i wanted = _mm256_set1_epi8(c);
    const auto low = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, wanted)));
    const auto high = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, wanted)));
    return low | static_cast<uint64_t>(high) << 32;
  }
};

void CsvIndexer::Start(uint32_t begin, CsvIndex* index) {
  index_ = index;
  index->rows.clear();
  index->malformed.clear();
  index->end = begin;
  index->plain_ascii = true;
  if (index->marks.empty()) index->marks.resize(4096);
  marks_ = 0;
  Resume(begin);
}

// The next record begins at `at`.
void CsvIndexer::Resume(uint32_t at) {
  if (index_->marks.size() < marks_ + kBlock + 16) index_->marks.resize(index_->marks.size() * 2);
  row_first_ = static_cast<uint32_t>(marks_);
  index_->marks[marks_++] = at - 1;
  at_ = at;
  inside_ = 0;
  after_separator_ = 1;
}

void CsvIndexer::Advance(const char* text, uint32_t size, Follows follows) {
  const bool eof = follows == Follows::kNothing;
  if (Simple()) {
    ScanBlocks(text, size, follows);
  } else {
    while (at_ < size && ScanRecord(text, size, eof)) {
    }
    return;
  }
  // At the end: a record without a newline, or one inside quotes that never closed.
  while (eof && index_->end < size) {
    const uint32_t begin = index_->marks[row_first_] + 1;
    if (begin >= size) break;
    if (inside_ == 0) {
      index_->marks[marks_] = size;
      index_->rows.push_back({row_first_, static_cast<uint32_t>(marks_)});
      index_->end = size;
      break;
    }
    marks_ = row_first_ + 1;
    GiveUpLine(text, size, begin, kUnterminated);
    ScanBlocks(text, size, follows);
  }
}

void CsvIndexer::ScanBlocks(const char* text, uint32_t size, Follows follows) {
  __m256i high = _mm256_setzero_si256(), low = _mm256_set1_epi8(-1);
  while (at_ < size) {
    const uint32_t left = size - at_;
    if (left < kBlock + kPeek && follows == Follows::kMore) break;
    alignas(32) char padded[kBlock + kPeek];
    const char* bytes = text + at_;
    if (left < kBlock + kPeek) {
      std::memset(padded, ' ', sizeof padded);
      std::memcpy(padded, bytes, left);
      bytes = padded;
    }
    Block block(bytes, dialect_, &high, &low);
    if (left <= kBlock) block.Cut(left);
    uint64_t separators = block.newlines | block.delimiters;
    if ((block.quotes | inside_) == 0) [[likely]] {
      Emit(separators, block.newlines);
      after_separator_ = separators >> 63;
      at_ += left < kBlock ? left : kBlock;
      continue;
    }
    const uint64_t broken = Quotes(block, &separators);
    if (broken == 0) [[likely]] {
      Emit(separators, block.newlines & separators);
      at_ += left < kBlock ? left : kBlock;
      continue;
    }
    // What stands before the broken rule is sound; its record is read again, slowly.
    const uint64_t before = separators & ((broken & (~broken + 1)) - 1);
    Emit(before, block.newlines & before);
    marks_ = row_first_ + 1;
    at_ = index_->marks[row_first_] + 1;
    if (!ScanRecord(text, size, follows == Follows::kNothing)) {
      // Needs more text: the scan starts again at the record.
      inside_ = 0;
      after_separator_ = 1;
      break;
    }
  }
  const __m256i zero = _mm256_cmpeq_epi8(low, _mm256_setzero_si256());
  if (_mm256_movemask_epi8(high) != 0 || _mm256_movemask_epi8(zero) != 0) {
    index_->plain_ascii = false;
  }
}

uint64_t CsvIndexer::Quotes(const Block& block, uint64_t* separators) {
  const uint64_t inside = PrefixXor(block.quotes) ^ inside_;
  const uint64_t opening = block.quotes & inside, closing = block.quotes & ~inside;
  const uint64_t edges = *separators | block.quotes;
  const uint64_t line_end_next = block.newlines >> 1 | static_cast<uint64_t>(block.next == '\n')
                                                           << 63;
  const bool next_is_edge = block.next == '\n' || block.next == dialect_.delimiter ||
                            block.next == dialect_.quote ||
                            (block.next == '\r' && block.after_next == '\n');
  uint64_t may_follow = (edges | (block.returns & line_end_next)) >> 1;
  if (block.ends) {
    may_follow |= ~(block.known >> 1);
  } else {
    may_follow |= static_cast<uint64_t>(next_is_edge) << 63;
  }
  const uint64_t broken = (opening & ~(edges << 1 | after_separator_)) | (closing & ~may_follow);
  if (broken == 0) {
    inside_ = static_cast<uint64_t>(static_cast<int64_t>(inside) >> 63);
    after_separator_ = edges >> 63;
  }
  *separators &= ~inside;
  return broken;
}

void CsvIndexer::Emit(uint64_t separators, uint64_t newlines) {
  if (index_->marks.size() < marks_ + kBlock + 16) index_->marks.resize(index_->marks.size() * 2);
  uint32_t* const out = index_->marks.data() + marks_;
  while (newlines != 0) {
    const uint64_t bit = newlines & (~newlines + 1);
    const auto mark = static_cast<uint32_t>(marks_) +
                      static_cast<uint32_t>(std::popcount(separators & (bit - 1)));
    index_->rows.push_back({row_first_, mark});
    index_->end = at_ + static_cast<uint32_t>(std::countr_zero(bit)) + 1;
    row_first_ = mark;
    newlines &= newlines - 1;
  }
  const int count = std::popcount(separators);
  // Fixed strides of stores beat a loop whose end cannot be predicted; what is too much is garbage.
  for (int i = 0; i < count; i += 12) {
    for (int j = 0; j < 12; ++j) {
      out[i + j] = at_ + static_cast<uint32_t>(std::countr_zero(separators));
      separators &= separators - 1;
    }
  }
  marks_ += static_cast<size_t>(count);
}

bool CsvIndexer::GiveUpRecord(const char* text, uint32_t size) {
  const uint32_t begin = index_->marks[row_first_] + 1;
  if (inside_ == 0 || std::memchr(text + begin, '\n', size - begin) == nullptr) return false;
  GiveUpLine(text, size, begin, kUnterminated);
  return true;
}

void CsvIndexer::GiveUpLine(const char* text, uint32_t size, uint32_t begin, const char* reason) {
  const void* newline = std::memchr(text + begin, '\n', size - begin);
  const uint32_t end =
      newline == nullptr ? size : static_cast<uint32_t>(static_cast<const char*>(newline) - text);
  index_->rows.push_back({static_cast<uint32_t>(index_->malformed.size()), CsvIndex::kMalformed});
  index_->malformed.push_back({begin, end, reason});
  marks_ = row_first_ + 1;  // that mark is also the row before's end
  const uint32_t next = end < size ? end + 1 : size;
  index_->end = next;
  Resume(next);
}

bool CsvIndexer::ScanRecord(const char* text, uint32_t size, bool eof) {
  const uint32_t begin = index_->marks[row_first_] + 1;
  marks_ = row_first_ + 1;
  const auto mark = [&](uint32_t at) {
    if (index_->marks.size() < marks_ + kBlock + 16) index_->marks.resize(index_->marks.size() * 2);
    index_->marks[marks_++] = at;
  };
  uint32_t at = begin;
  while (true) {
    if (at < size && dialect_.quote != 0 && text[at] == dialect_.quote) {
      bool closed = false;
      for (++at; at < size && !closed;) {
        const bool pair = text[at] == dialect_.escape && at + 1 < size &&
                          (text[at + 1] == dialect_.quote || text[at + 1] == dialect_.escape);
        closed = !pair && text[at] == dialect_.quote;
        at += pair ? 2 : 1;
      }
      if (!closed) {
        if (eof) GiveUpLine(text, size, begin, kUnterminated);
        return eof;
      }
      const bool sure = at < size && text[at] != '\r';
      if (!eof && !sure && at + kPeek > size) return false;
      const bool return_next = at + 1 < size && text[at] == '\r' && text[at + 1] == '\n';
      if (at < size && text[at] != dialect_.delimiter && text[at] != '\n' && !return_next) {
        GiveUpLine(text, size, begin, kAfterQuote);
        return true;
      }
    }
    while (at < size && text[at] != dialect_.delimiter && text[at] != '\n') ++at;
    if (at == size && !eof) return false;
    if (at < size && text[at] == dialect_.delimiter) {
      mark(at++);
      continue;
    }
    index_->plain_ascii = false;  // not looked at here: the reader will
    const uint32_t newline = at;
    index_->marks[marks_] = newline;
    index_->rows.push_back({row_first_, static_cast<uint32_t>(marks_)});
    index_->end = newline < size ? newline + 1 : size;
    ++marks_;
    Resume(index_->end);
    return true;
  }
}

uint32_t CsvIndexer::CutBy(const char* text, uint32_t limit, bool more) {
  auto& rows = index_->rows;
  if (rows.empty()) return 0;
  const uint32_t pending = index_->marks[row_first_] + 1;
  // A record inside quotes may yet turn out malformed, and then its first line is a row.
  const bool open = more && inside_ != 0 && pending < limit &&
                    std::memchr(text + pending, '\n', limit - pending) != nullptr;
  if (open) return 0;
  const auto end_of = [this](const CsvIndex::Row& row) {
    return row.last == CsvIndex::kMalformed ? index_->malformed[row.first].end
                                            : index_->marks[row.last];
  };
  if (end_of(rows.back()) < limit) return index_->end;
  while (rows.size() > 1 && end_of(rows.back()) >= limit) rows.pop_back();
  index_->end = std::min(end_of(rows.back()) + 1, index_->end);
  return index_->end;
}

}  // namespace leat
