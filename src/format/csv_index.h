// Finds where the records and fields of CSV text stand, 64 bytes at a time: what is inside quotes
// is a running parity of bits (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019).
//
// The rules, after RFC 4180: a field that begins with the quote ends at the next quote that is not
// doubled, and a separator must follow; elsewhere a quote is a letter like any other. A record
// whose quoted field breaks these rules is malformed: its first line alone is given up, and reading
// goes on with the next line, so that a stray quote never swallows its neighbours.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "format/text_source.h"

namespace leat {

// How numbers are written; thousands 0: no groups.
struct NumberSpelling {
  char decimal = '.';
  char thousands = 0;

  bool Plain() const { return decimal == '.' && thousands == 0; }
  // `text` as SQL writes the number; false if it is none in this spelling, as 1.23 with thousands
  // '.' is none.
  bool Rewrite(std::string_view text, std::string* out) const;
};

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';   // 0: no quoting
  char escape = '"';  // in quotes: takes the next quote or escape literally
  bool header = true;
  std::vector<std::string> nulls = {""};  // unquoted spellings of null
  NumberSpelling numbers;

  // From a table's options: delimiter, quote, escape, header, null (several separated by '|'),
  // decimal, thousands.
  static Result<CsvDialect> Make(const std::map<std::string, std::string>& options,
                                 std::string_view format);
};

// Positions are relative to the text's begin. Field c of a row lies in
// [marks[first + c] + 1, marks[first + c + 1]), with its quotes; the last one may end with '\r'.
struct CsvIndex {
  struct Row {
    uint32_t first;
    uint32_t last;  // the mark of its newline; kMalformed: `first` indexes `malformed`
  };
  struct Malformed {
    uint32_t begin, end;  // without the newline
    const char* reason;
  };
  static constexpr uint32_t kMalformed = UINT32_MAX;

  std::vector<uint32_t> marks;  // larger than what is used of it
  std::vector<Row> rows;
  std::vector<Malformed> malformed;
  uint32_t end = 0;         // behind the last row's newline
  bool plain_ascii = true;  // no byte above 127 and no NUL was seen
};

// Indexes text that arrives in pieces. Used by one thread.
class CsvIndexer {
 public:
  explicit CsvIndexer(const CsvDialect& dialect) : dialect_(dialect) {}

  // Starts a new text, whose first record begins at `begin`. Fills `index`, which may be an old one
  // whose memory is used again.
  void Start(uint32_t begin, CsvIndex* index);
  // Goes on over text[0, size); the bytes seen before must be the same.
  // REQUIRES: 64 readable bytes behind `size`; size < 2^31.
  void Advance(const char* text, uint32_t size, Follows follows);
  // Gives up a record that has grown too long: if it is inside quotes, its first line is malformed
  // and the text goes on with the next. False where that does not help.
  bool GiveUpRecord(const char* text, uint32_t size);
  // Drops the rows that do not end by `limit`, all but the first, and returns where the last one
  // left ends; 0 if it takes more text to tell. `more`: there is some. Ends the text.
  uint32_t CutBy(const char* text, uint32_t limit, bool more);

 private:
  struct Block;
  bool Simple() const { return dialect_.quote == 0 || dialect_.escape == dialect_.quote; }
  void ScanBlocks(const char* text, uint32_t size, Follows follows);
  // The bits of the first broken rule in the block at `at_`, 0 if none; separators outside quotes.
  uint64_t Quotes(const Block& block, uint64_t* separators);
  void Emit(uint64_t separators, uint64_t newlines);
  // Reads one record the slow way from its begin; false if it is not complete yet.
  bool ScanRecord(const char* text, uint32_t size, bool eof);
  void GiveUpLine(const char* text, uint32_t size, uint32_t begin, const char* reason);
  void Resume(uint32_t at);

  CsvDialect dialect_;
  CsvIndex* index_ = nullptr;
  size_t marks_ = 0;              // used of index_->marks
  uint32_t at_ = 0;               // scanned so far
  uint32_t row_first_ = 0;        // the mark before the current record
  uint64_t inside_ = 0;           // all ones: at_ is inside quotes
  uint64_t after_separator_ = 1;  // 1: the byte before at_ allows a quote to open
};

}  // namespace leat
