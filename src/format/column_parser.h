// Fields of text to a typed column, a column at a time.
#pragma once

#include <arrow/type_fwd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/date_pattern.h"
#include "data/text.h"
#include "data/type.h"
#include "format/csv_index.h"

namespace leat {

// A field as it stands in the file; fast_parse.h's kReadAhead bytes behind `data` may be read.
struct RawField {
  const char* data;
  size_t size;
};

// The fields of one CSV column.
class CsvFields {
 public:
  // `firsts[row]` is CsvIndex::Row::first. All are borrowed.
  CsvFields(const char* text, const CsvIndex& index, const std::vector<uint32_t>& firsts,
            const CsvDialect& dialect, int column, bool is_last)
      : text_(text),
        marks_(index.marks.data() + column),
        firsts_(firsts.data()),
        dialect_(&dialect),
        quote_(dialect.quote),
        is_last_(is_last),
        only_empty_is_null_(dialect.nulls.size() == 1 && dialect.nulls[0].empty()) {}

  RawField Raw(int64_t row) const {
    const uint32_t* mark = marks_ + firsts_[row];
    const uint32_t begin = mark[0] + 1;
    uint32_t end = mark[1];
    if (is_last_ && end > begin && text_[end - 1] == '\r') --end;
    return {text_ + begin, end - begin};
  }
  bool IsNull(RawField raw) const {
    return only_empty_is_null_ ? raw.size == 0 : IsNullSpelling(raw);
  }
  bool IsQuoted(RawField raw) const { return raw.size > 0 && raw.data[0] == quote_ && quote_ != 0; }
  // The text between the quotes; made in `scratch` where quotes were doubled.
  // REQUIRES: IsQuoted(raw).
  std::string_view Unquote(RawField raw, std::string* scratch) const;

 private:
  bool IsNullSpelling(RawField raw) const;

  const char* text_;
  const uint32_t* marks_;
  const uint32_t* firsts_;
  const CsvDialect* dialect_;
  char quote_;
  bool is_last_, only_empty_is_null_;
};

// Fields that were already taken out; null where `data` is.
class TextFields {
 public:
  explicit TextFields(const std::vector<RawField>* fields) : fields_(fields->data()) {}
  RawField Raw(int64_t row) const { return fields_[row]; }
  bool IsNull(RawField raw) const { return raw.data == nullptr; }
  bool IsQuoted(RawField) const { return false; }
  std::string_view Unquote(RawField raw, std::string*) const { return {raw.data, raw.size}; }

 private:
  const RawField* fields_;
};

struct BadValue {
  int64_t row;
  std::string reason;
};

// What parsers of the same column in different chunks tell each other. Safe for many threads.
struct ColumnHint {
  std::atomic<int> not_low_cardinality = 0;  // chunks to come that need not try a dictionary
};

// Parses one column of one chunk. Used by one thread.
class ColumnParser {
 public:
  virtual ~ColumnParser() = default;
  // REQUIRES: ranges come in order, without gaps.
  virtual void Parse(int64_t begin, int64_t end) = 0;
  // The whole column; bad values are null in it. To be called once.
  virtual Result<std::shared_ptr<arrow::Array>> Finish() = 0;

  std::vector<BadValue> bad;  // complete after Finish; not sorted
};

struct ColumnTask {
  Type type;
  int64_t rows;
  const TextSettings* settings;
  ColumnHint* hint;
  const NumberSpelling* numbers = nullptr;  // where it is not SQL's
  const DatePattern* pattern = nullptr;     // of dates and times, likewise
};
std::unique_ptr<ColumnParser> MakeColumnParser(const ColumnTask& task, const CsvFields& fields);
std::unique_ptr<ColumnParser> MakeColumnParser(const ColumnTask& task, const TextFields& fields);

}  // namespace leat
