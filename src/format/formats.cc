// Which format a file is in, and who reads and writes it.
#include <array>

#include "format/bytes.h"
#include "format/csv_reader.h"
#include "format/format.h"
#include "format/infer.h"
#include "format/json_reader.h"
#include "format/ndjson_reader.h"
#include "format/parquet_reader.h"
#include "format/parquet_writer.h"
#include "format/read_ahead.h"
#include "format/text_writer.h"

namespace leat {
namespace {

struct FileFormat {
  std::string_view name;  // csv, tsv, ndjson, json, parquet
  Coding coding;
};

std::string_view WithoutCompression(std::string_view name) {
  for (const std::string_view ending : {".gz", ".zst", ".zstd"}) {
    if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return name;
}

Result<FileFormat> FormatOf(const std::string& path, const std::string& declared,
                            const std::map<std::string, std::string>& options) {
  struct Known {
    std::string_view ending, name;
  };
  static constexpr std::array kKnown = {Known{"csv", "csv"},         Known{"tsv", "tsv"},
                                        Known{"txt", "csv"},         Known{"ndjson", "ndjson"},
                                        Known{"jsonl", "ndjson"},    Known{"json", "json"},
                                        Known{"parquet", "parquet"}, Known{"pq", "parquet"}};
  FileFormat format;
  LEAT_ASSIGN(format.coding.encoding, EncodingOption(options));
  format.coding.compression = CompressionOf(path);
  std::string_view name = WithoutCompression(declared.empty() ? path : declared);
  if (declared.empty()) {
    const size_t dot = name.rfind('.');
    name = dot == name.npos ? "" : name.substr(dot + 1);
  } else if (name.size() != declared.size()) {
    format.coding.compression = CompressionOf(declared);
  }
  for (const Known& known : kKnown) {
    if (known.ending == name) {
      format.name = known.name;
      return format;
    }
  }
  const std::string message = declared.empty()
                                  ? fmt::format("the format of \"{}\" is unknown", path)
                                  : fmt::format("format \"{}\" is unknown", declared);
  return SqlStatus(message, {.sqlstate = "22023",
                             .hint = "Set the option format to csv, ndjson, json or parquet."});
}

}  // namespace

Result<std::unique_ptr<FileReader>> OpenFile(const std::string& path, const std::string& format,
                                             const ReadOptions& options, const ReadRange& range) {
  LEAT_ASSIGN(const FileFormat found, FormatOf(path, format, options.options));
  if (found.name == "csv" || found.name == "tsv") {
    LEAT_ASSIGN(const CsvDialect dialect, CsvDialect::Make(options.options, found.name));
    return OpenCsv(path, found.coding, dialect, options, range);
  }
  if (found.name == "ndjson") return OpenNdjson(path, found.coding, options, range);
  if (found.name == "json") return OpenJson(path, found.coding, options, range);
  return OpenParquet(path, options, range);
}

Result<Schema> InferSchema(const std::string& path, const std::string& format,
                           const std::map<std::string, std::string>& options, int64_t sample_rows) {
  LEAT_ASSIGN(const FileFormat found, FormatOf(path, format, options));
  if (found.name == "parquet") return InferParquet(path);
  if (found.name == "ndjson") return InferNdjson(path, found.coding, options, sample_rows);
  if (found.name == "json") return InferJson(path, found.coding, options, sample_rows);
  LEAT_ASSIGN(const CsvDialect dialect, CsvDialect::Make(options, found.name));
  return InferCsv(path, found.coding, dialect, options, sample_rows);
}

Result<std::unique_ptr<FileWriter>> CreateFile(const std::string& path, const std::string& format,
                                               const Schema& schema,
                                               const std::map<std::string, std::string>& options) {
  LEAT_ASSIGN(const FileFormat found, FormatOf(path, format, options));
  if (found.name == "parquet") return CreateParquet(path, schema, options);
  if (found.name == "ndjson" || found.name == "json") return CreateNdjson(path, schema, options);
  std::map<std::string, std::string> dialect = options;
  if (found.name == "tsv") dialect.try_emplace("delimiter", "\t");
  return CreateCsv(path, schema, dialect);
}

Reject RejectOf(const ReadChunk& chunk, int64_t i, std::string column, std::string reason) {
  constexpr size_t kRawBytesMax = 64 << 10;
  Reject reject;
  reject.offset = chunk.row_offsets[static_cast<size_t>(i)];
  reject.column = std::move(column);
  reject.reason = std::move(reason);
  // Rows before it: good ones, and those that were rejected already.
  int64_t before = 0;
  for (const Reject& other : chunk.rejects)
    before += !other.row_kept && other.offset < reject.offset;
  reject.row = chunk.first_row + i + before;
  if (chunk.bytes == nullptr) return reject;
  const std::string_view bytes = *chunk.bytes;
  const auto at = static_cast<size_t>(reject.offset - chunk.begin);
  reject.line = chunk.first_line + CountLines(bytes.substr(0, at));
  // Up to the next row, whoever it belongs to, without the line's end.
  int64_t next = chunk.end;
  if (i + 1 < static_cast<int64_t>(chunk.row_offsets.size())) {
    next = chunk.row_offsets[static_cast<size_t>(i) + 1];
  }
  for (const Reject& other : chunk.rejects) {
    if (other.offset > reject.offset) next = std::min(next, other.offset);
  }
  std::string_view raw = bytes.substr(at, static_cast<size_t>(next - reject.offset));
  while (raw.ends_with('\n') || raw.ends_with('\r')) raw.remove_suffix(1);
  reject.raw = raw.substr(0, kRawBytesMax);
  return reject;
}

}  // namespace leat
