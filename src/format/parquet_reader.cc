#include "format/parquet_reader.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <xxhash.h>

#include <algorithm>

#include "format/convert_column.h"
#include "format/csv_parse.h"
#include "format/csv_reader.h"
#include "format/parquet_column.h"

namespace leat {
namespace {

constexpr int64_t kBytesPerRow = 64;  // a guess: chunk_bytes_max is about text

using ArrowReader = std::unique_ptr<parquet::arrow::FileReader>;

Status Annotate(const std::string& path, const Status& status) {
  return status.ok() ? status : IOErrorF("could not read \"{}\": {}", path, status.message());
}

Result<ArrowReader> OpenReader(const std::string& path,
                               const parquet::ArrowReaderProperties& properties) {
  auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) return Annotate(path, file.status());
  parquet::arrow::FileReaderBuilder builder;
  LEAT_RETURN(Annotate(path, builder.Open(*file)));
  auto reader = builder.memory_pool(arrow::default_memory_pool())->properties(properties)->Build();
  if (!reader.ok()) return Annotate(path, reader.status());
  return reader;
}

void LeavesOf(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) LeavesOf(child, leaves);
}

bool HasDictionary(const parquet::FileMetaData& metadata, int leaf) {
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    if (!metadata.RowGroup(i)->ColumnChunk(leaf)->has_dictionary_page()) return false;
  }
  return metadata.num_row_groups() > 0;
}

class ParquetFile : public FileReader {
 public:
  ParquetFile(std::string path, const ReadOptions& options, const ReadRange& range)
      : path_(std::move(path)), options_(options), range_(range), row_(range.begin) {}

  Status Open() {
    parquet::ArrowReaderProperties properties(options_.threads > 1);
    properties.set_batch_size(std::max<int64_t>(1, options_.chunk_bytes_max / kBytesPerRow));
    LEAT_ASSIGN(reader_, OpenReader(path_, properties));
    std::vector<int> leaves;
    LEAT_RETURN(ChooseColumns(&leaves));
    // Opened again: which columns come as dictionaries is fixed when the reader is made.
    const auto metadata = reader_->parquet_reader()->metadata();
    for (const int leaf : leaves) {
      const bool text =
          metadata->schema()->Column(leaf)->physical_type() == parquet::Type::BYTE_ARRAY;
      if (text && HasDictionary(*metadata, leaf)) properties.set_read_dictionary(leaf, true);
    }
    LEAT_ASSIGN(reader_, OpenReader(path_, properties));
    checksum_ = ChecksumOf(*metadata);
    return OpenRows(*metadata, leaves);
  }

  Result<std::optional<ReadChunk>> Next() override {
    while (true) {
      std::shared_ptr<arrow::RecordBatch> rows;
      if (range_.end < 0 || row_ < range_.end) {
        LEAT_RETURN(Annotate(path_, batches_->ReadNext(&rows)));
      }
      if (rows == nullptr) return std::nullopt;
      if (skip_ > 0) {
        const int64_t skipped = std::min(skip_, rows->num_rows());
        rows = rows->Slice(skipped);
        skip_ -= skipped;
      }
      if (range_.end >= 0) rows = rows->Slice(0, std::min(rows->num_rows(), range_.end - row_));
      if (rows->num_rows() > 0) return ChunkOf(*rows);
    }
  }

 private:
  // Where each wanted column is in the batches that are read; their leaves.
  Status ChooseColumns(std::vector<int>* leaves) {
    std::shared_ptr<arrow::Schema> schema;
    LEAT_RETURN(Annotate(path_, reader_->GetSchema(&schema)));
    for (const ReadColumn& column : options_.columns) {
      const std::string& name =
          column.outside_name.empty() ? column.column.name : column.outside_name;
      const int field = schema->GetFieldIndex(name);
      if (field < 0) return NoSuchField(path_, name, schema->field_names());
      const Status can = CanConvert(*schema->field(field)->type(), column.column.type);
      if (!can.ok()) {
        return can.WithMessage("column \"", name, "\" of \"", path_, "\": ", can.message());
      }
      names_.push_back(name);
      LeavesOf(reader_->manifest().schema_fields[static_cast<size_t>(field)], leaves);
    }
    std::sort(leaves->begin(), leaves->end());
    leaves->erase(std::unique(leaves->begin(), leaves->end()), leaves->end());
    return Status::OK();
  }

  // Starts at the row group in which the range begins.
  Status OpenRows(const parquet::FileMetaData& metadata, const std::vector<int>& leaves) {
    std::vector<int> groups;
    int64_t before = 0;
    for (int i = 0; i < metadata.num_row_groups(); ++i) {
      const int64_t rows = metadata.RowGroup(i)->num_rows();
      const bool ended = range_.end >= 0 && before >= range_.end;
      if (before + rows > range_.begin && !ended) {
        if (groups.empty()) skip_ = range_.begin - before;
        groups.push_back(i);
      }
      before += rows;
    }
    auto batches = reader_->GetRecordBatchReader(groups, leaves);
    if (!batches.ok()) return Annotate(path_, batches.status());
    batches_ = *std::move(batches);
    return Status::OK();
  }

  // A file's pages are not read twice for a checksum: the footer, which knows their sizes, stands
  // for them.
  static uint64_t ChecksumOf(const parquet::FileMetaData& metadata) {
    const std::string footer = metadata.SerializeToString();
    return XXH3_64bits(footer.data(), footer.size());
  }

  Result<std::optional<ReadChunk>> ChunkOf(const arrow::RecordBatch& rows) {
    ReadChunk chunk;
    chunk.begin = row_;
    chunk.end = row_ + rows.num_rows();
    const std::array<uint64_t, 3> parts = {checksum_, static_cast<uint64_t>(chunk.begin),
                                           static_cast<uint64_t>(chunk.end)};
    chunk.checksum = XXH3_64bits(parts.data(), sizeof parts);
    chunk.first_row = range_.first_row + (row_ - range_.begin);
    chunk.first_line = chunk.first_row + 1;
    chunk.rows_read = chunk.batch.rows = rows.num_rows();
    for (int64_t i = 0; i < rows.num_rows(); ++i) chunk.row_offsets.push_back(row_ + i);
    std::vector<std::vector<BadValue>> bad(names_.size());
    for (size_t i = 0; i < names_.size(); ++i) {
      const auto column = rows.GetColumnByName(names_[i]);
      if (column == nullptr) return IOErrorF("could not read \"{}\": no \"{}\"", path_, names_[i]);
      LEAT_ASSIGN(auto converted,
                  ConvertColumn(column, options_.columns[i].column.type, options_.text, &bad[i]));
      chunk.batch.columns.push_back(std::move(converted));
    }
    LEAT_RETURN(TakeOutBadRows(
        options_.columns, std::move(bad),
        [&](int64_t row) {
          Reject reject;
          reject.offset = chunk.begin + row;
          reject.row = chunk.first_row + row;
          reject.line = reject.row + 1;
          reject.raw = RowText(rows, row);
          return reject;
        },
        &chunk));
    row_ = chunk.end;
    return chunk;
  }

  // A Parquet row has no text: its values, as Arrow prints them.
  static std::string RowText(const arrow::RecordBatch& rows, int64_t row) {
    std::string text;
    for (int i = 0; i < rows.num_columns(); ++i) {
      const auto value = rows.column(i)->GetScalar(row);
      text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", rows.column_name(i),
                          value.ok() ? (*value)->ToString() : "?");
    }
    return text;
  }

  const std::string path_;
  const ReadOptions options_;
  const ReadRange range_;
  int64_t row_;  // the next row
  int64_t skip_ = 0;
  ArrowReader reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::vector<std::string> names_;  // of options_.columns, in the file
  uint64_t checksum_ = 0;
};

}  // namespace

Result<std::unique_ptr<FileReader>> OpenParquet(const std::string& path, const ReadOptions& options,
                                                const ReadRange& range) {
  auto file = std::make_unique<ParquetFile>(path, options, range);
  LEAT_RETURN(file->Open());
  return file;
}

Result<Schema> InferParquet(const std::string& path) {
  LEAT_ASSIGN(auto reader, OpenReader(path, parquet::ArrowReaderProperties()));
  std::shared_ptr<arrow::Schema> stored;
  LEAT_RETURN(Annotate(path, reader->GetSchema(&stored)));
  Schema schema;
  for (const auto& field : stored->fields()) {
    Column column;
    column.name = field->name();
    column.nullable = field->nullable();
    LEAT_ASSIGN(column.type, TypeFromArrow(*field->type()));
    // What we wrote ourselves says what it was.
    if (field->metadata() != nullptr) {
      const auto name = field->metadata()->Get("leat.type");
      const auto type = name.ok() ? TypeFromName(*name) : Result<Type>(column.type);
      if (type.ok() && ParquetType(*type)->Equals(*field->type())) column.type = *type;
    }
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

}  // namespace leat
