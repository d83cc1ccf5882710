// Bytes to typed batches: what all readers of files share. A reader gives rows in order, knows the
// place of every row, and makes a wrong row a reject, never a failure of its neighbours.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/batch.h"
#include "data/text.h"
#include "data/type.h"
#include "format/time_spelling.h"

namespace leat {

// A row that could not be used: where it stands, its text, why.
struct Reject {
  int64_t offset = 0;     // byte of its first character in the uncompressed file
  int64_t line = 0;       // 1 for the file's first line
  int64_t row = 0;        // 0 for the file's first data row
  std::string column;     // which column was wrong; empty: the row as a whole
  std::string raw;        // the row's text, at most 64 KiB of it
  std::string reason;     // PostgreSQL's words
  bool row_kept = false;  // on_error 'null': recorded, but the row stays with a null
};

// Rows [row_begin, …) of a file, between two byte positions.
struct ReadChunk {
  Batch batch;                  // only good rows; no weights, no seq
  std::vector<Reject> rejects;  // in file order
  int64_t rows_read = 0;        // batch.rows + rejected rows
  int64_t begin = 0, end = 0;   // uncompressed bytes [begin, end)
  uint64_t checksum = 0;        // xxh3-64 of those bytes
  // The place of good row i: for constraints that are checked later (NOT NULL, CHECK).
  std::vector<int64_t> row_offsets;  // uncompressed byte offset of each good row; size batch.rows
  std::shared_ptr<const std::string>
      bytes;               // the uncompressed bytes [begin, end), or null (Parquet)
  int64_t first_line = 0;  // line number at `begin`
  int64_t first_row = 0;   // number of the first row read, good or not
};
// Makes the Reject for good row `i` of a chunk that a constraint refuses.
Reject RejectOf(const ReadChunk& chunk, int64_t i, std::string column, std::string reason);

struct ReadColumn {
  Column column;
  std::string outside_name;  // header name, or JSON key ("a.b" flat first, then nested)
  std::string path;          // '$.main.temp', or empty
  bool null_on_error = false;
  bool unread = false;  // its values need not be read where nothing could be wrong with them
  PatternPtr pattern;   // how text spells its dates or times; null: as PostgreSQL does
};

struct ReadOptions {
  std::vector<ReadColumn> columns;             // the columns wanted, in this order
  std::map<std::string, std::string> options;  // as declared: delimiter, quote, header, null, …
  int64_t chunk_bytes_max = 4 << 20;           // uncompressed bytes of one chunk, at least a row
  TextSettings text;                           // how values are read: the time zone, now
  int threads = 2;                             // chunks parsed at once (on arrow's CPU pool)
};

// SQLSTATE of an IOError about a compressed file that ends too early. (Of one that is damaged
// otherwise nobody knows which rows before the damage are right.)
inline constexpr const char* kTruncated = "XX001";

// Reads one file from some place on. Used by one thread at a time; may read ahead on the pool.
class FileReader {
 public:
  virtual ~FileReader() = default;
  // The next rows, or nothing at the end of what the file holds now. A damaged file gives every
  // whole row before the damage and then an IOError naming file and offset.
  virtual Result<std::optional<ReadChunk>> Next() = 0;
};

// Opens `path` ("csv", "csv.gz", "ndjson", "json", "parquet", …; `format` as declared or "" for by
// extension). `begin` is the uncompressed byte to start from (0, or a chunk's end; for Parquet a
// row number), `end` where to stop (-1: the end), `first_row` and `first_line` the counts at
// `begin`.
struct ReadRange {
  int64_t begin = 0;
  int64_t end = -1;
  int64_t first_row = 0;
  int64_t first_line = 1;
};
Result<std::unique_ptr<FileReader>> OpenFile(const std::string& path, const std::string& format,
                                             const ReadOptions& options, const ReadRange& range);

// The columns of a file, for `()` and `describe`: names from its header, keys or schema, types from
// the first `sample_rows` rows.
Result<Schema> InferSchema(const std::string& path, const std::string& format,
                           const std::map<std::string, std::string>& options,
                           int64_t sample_rows = 10000);

// Writes one file; the caller names, renames and removes it. Weights are ignored.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual Status Write(const Batch& batch) = 0;
  virtual int64_t bytes_written() const = 0;  // so far, buffers included: an estimate
  virtual Status Close() = 0;                 // footer, fsync
};
// format: csv, ndjson, parquet. Options: compression ('zstd'), compression_level, row_group_rows, …
Result<std::unique_ptr<FileWriter>> CreateFile(const std::string& path, const std::string& format,
                                               const Schema& schema,
                                               const std::map<std::string, std::string>& options);

}  // namespace leat
