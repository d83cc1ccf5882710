#include "format/parquet_writer.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/base64.h>
#include <arrow/util/compression.h>
#include <arrow/util/future.h>
#include <arrow/util/parallel.h>
#include <arrow/util/thread_pool.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/properties.h>
#include <unistd.h>

#include <charconv>
#include <numeric>

#include "format/parquet_column.h"

namespace leat {
namespace {

struct ParquetSettings {
  arrow::Compression::type compression = arrow::Compression::ZSTD;
  int level = 3;                        // zstd's own default
  int64_t row_group_rows = 1 << 17;     // two in memory, and little left to encode at the end
  int64_t row_group_bytes = 128 << 20;  // in memory
};

Result<int64_t> PositiveOption(const std::string& name, const std::string& value) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || out < 1) {
    return SqlStatus(fmt::format("invalid value for option \"{}\": \"{}\"", name, value),
                     {.sqlstate = "22023", .hint = "It must be a positive integer."});
  }
  return out;
}

Result<ParquetSettings> MakeSettings(const std::map<std::string, std::string>& options) {
  ParquetSettings settings;
  bool level_given = false;
  for (const auto& [name, value] : options) {
    if (name == "compression") {
      auto found = arrow::util::Codec::GetCompressionType(value == "none" ? "uncompressed" : value);
      if (!found.ok()) {
        return SqlStatus(fmt::format("unknown compression \"{}\"", value),
                         {.sqlstate = "22023", .hint = "Use zstd, snappy, gzip, lz4 or none."});
      }
      settings.compression = *found;
    } else if (name == "compression_level") {
      LEAT_ASSIGN(const int64_t level, PositiveOption(name, value));
      settings.level = static_cast<int>(level);
      level_given = true;
    } else if (name == "row_group_rows") {
      LEAT_ASSIGN(settings.row_group_rows, PositiveOption(name, value));
    }
  }
  if (!level_given && settings.compression != arrow::Compression::ZSTD) {
    settings.level = arrow::util::Codec::UseDefaultCompressionLevel();
  }
  return settings;
}

std::shared_ptr<arrow::Schema> FileSchema(const Schema& schema) {
  arrow::FieldVector fields;
  const auto plain = ArrowSchema(schema);
  for (int i = 0; i < schema.size(); ++i) {
    fields.push_back(
        plain->field(i)->WithType(ParquetType(schema.columns[static_cast<size_t>(i)].type)));
  }
  return arrow::schema(std::move(fields));
}

// The rows of a row group, still as they came.
struct Group {
  std::vector<arrow::ArrayVector> columns;
  int64_t rows = 0;
  int64_t bytes = 0;
};

class ParquetWriter : public FileWriter {
 public:
  ParquetWriter(std::string path, Schema schema, const ParquetSettings& settings)
      : path_(std::move(path)), schema_(std::move(schema)), settings_(settings) {
    StartGroup();
  }
  ~ParquetWriter() override {
    if (encoding_.is_valid()) encoding_.Wait();
    if (writer_ == nullptr) return;
    // Not closed: what is there is no file. Parquet would write a footer when destroyed.
    (void)sink_->Close();
    try {
      writer_.reset();
    } catch (const std::exception&) {  // NOLINT: the sink is closed on purpose
    }
  }
  ParquetWriter(const ParquetWriter&) = delete;
  ParquetWriter& operator=(const ParquetWriter&) = delete;

  Status Create() {
    LEAT_ASSIGN(sink_, arrow::io::FileOutputStream::Open(path_));
    return Status::OK();
  }

  Status Write(const Batch& batch) override {
    int64_t done = 0;
    while (done < batch.rows) {
      const int64_t rows = std::min(batch.rows - done, settings_.row_group_rows - group_.rows);
      const Batch part = rows == batch.rows ? batch : Slice(batch, done, rows);
      for (size_t i = 0; i < group_.columns.size(); ++i) {
        group_.columns[i].push_back(part.columns[i]);
      }
      group_.rows += rows;
      group_.bytes += MemoryOf(part) * rows / std::max<int64_t>(rows, batch.rows);
      done += rows;
      if (group_.rows >= settings_.row_group_rows || group_.bytes >= settings_.row_group_bytes) {
        LEAT_RETURN(EncodeGroup());
      }
    }
    return Status::OK();
  }

  int64_t bytes_written() const override {
    // Until a row group has been written, four to one is the guess.
    const int64_t encoded = bytes_encoded_, from = bytes_taken_;
    const double ratio = from > 0 ? static_cast<double>(encoded) / static_cast<double>(from) : 0.25;
    return encoded +
           static_cast<int64_t>(ratio * static_cast<double>(group_.bytes + bytes_given_ - from));
  }

  Status Close() override {
    if (group_.rows > 0 || writer_ == nullptr) LEAT_RETURN(EncodeGroup());
    LEAT_RETURN(AwaitEncoding());
    PARQUET_CATCH_NOT_OK(writer_->Close());
    writer_.reset();
    LEAT_RETURN(sink_->Flush());
    if (fsync(sink_->file_descriptor()) != 0) {
      return IOErrorF("could not fsync \"{}\": {}", path_, std::strerror(errno));
    }
    return sink_->Close();
  }

 private:
  void StartGroup() {
    group_ = Group();
    group_.columns.resize(schema_.columns.size());
  }

  Status AwaitEncoding() {
    if (!encoding_.is_valid()) return Status::OK();
    const auto status = encoding_.status();
    encoding_ = arrow::Future<>();
    return status;
  }

  // Hands the full group to the pools.
  Status EncodeGroup() {
    LEAT_RETURN(AwaitEncoding());
    if (writer_ == nullptr) LEAT_RETURN(OpenWriter());
    if (group_.rows == 0) return Status::OK();
    auto group = std::make_shared<Group>(std::move(group_));
    StartGroup();
    bytes_given_ += group->bytes;
    auto* const pool = arrow::io::default_io_context().executor();
    LEAT_ASSIGN(encoding_, pool->Submit([this, group] { return Encode(*group); }));
    return Status::OK();
  }

  // The first group tells which columns deserve a dictionary.
  Status OpenWriter() {
    const auto file_schema = FileSchema(schema_);
    parquet::WriterProperties::Builder builder;
    builder.compression(settings_.compression)->created_by("leat");
    builder.data_pagesize(1 << 20)->write_batch_size(1 << 16)->max_rows_per_page(1 << 20);
    if (settings_.level != arrow::util::Codec::UseDefaultCompressionLevel()) {
      builder.compression_level(settings_.level);
    }
    builder.set_size_statistics_level(parquet::SizeStatisticsLevel::None);
    arrow_properties_ = parquet::default_arrow_writer_properties();
    std::shared_ptr<parquet::SchemaDescriptor> descriptor;
    LEAT_RETURN(parquet::arrow::ToParquetSchema(file_schema.get(), *builder.build(),
                                                *arrow_properties_, &descriptor));
    for (int i = 0; i < schema_.size(); ++i) {
      const auto& parts = group_.columns[static_cast<size_t>(i)];
      const auto path = descriptor->Column(i)->path();
      if (parts.empty() || !RepeatsOften(parts)) builder.disable_dictionary(path);
      // The least and greatest of a few strings that come again and again prune nothing, and to
      // find them every number is hashed.
      if (!parts.empty() && parts[0]->type_id() == arrow::Type::DICTIONARY) {
        builder.disable_statistics(path);
      }
    }
    // Names and PostgreSQL types of the columns, for readers of Arrow's own.
    LEAT_ASSIGN(auto serialized, arrow::ipc::SerializeSchema(*file_schema));
    auto metadata = arrow::key_value_metadata({"ARROW:schema"},
                                              {arrow::util::base64_encode(serialized->ToString())});
    const auto root =
        std::static_pointer_cast<parquet::schema::GroupNode>(descriptor->schema_root());
    PARQUET_CATCH_NOT_OK(
        writer_ = parquet::ParquetFileWriter::Open(sink_, root, builder.build(), metadata));
    return Status::OK();
  }

  Status Encode(const Group& group) {
    parquet::RowGroupWriter* row_group = nullptr;
    std::vector<parquet::ColumnWriter*> columns;
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    row_group = writer_->AppendBufferedRowGroup();
    for (int i = 0; i < schema_.size(); ++i) columns.push_back(row_group->column(i));
    END_PARQUET_CATCH_EXCEPTIONS
    LEAT_RETURN(arrow::internal::ParallelFor(schema_.size(), [&](int i) {
      const auto at = static_cast<size_t>(i);
      return EncodeColumn(group.columns[at], schema_.columns[at], columns[at]);
    }));
    PARQUET_CATCH_NOT_OK(row_group->Close());
    LEAT_ASSIGN(const int64_t position, sink_->Tell());
    bytes_encoded_ = position;
    bytes_taken_ += group.bytes;
    return Status::OK();
  }

  Status EncodeColumn(const arrow::ArrayVector& parts, const Column& column,
                      parquet::ColumnWriter* writer) const {
    parquet::ArrowWriteContext context(arrow::default_memory_pool(), arrow_properties_.get());
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return WriteColumn(parts, column.type, column.nullable, writer, &context);
    END_PARQUET_CATCH_EXCEPTIONS
  }

  const std::string path_;
  const Schema schema_;
  const ParquetSettings settings_;
  std::shared_ptr<arrow::io::FileOutputStream> sink_;
  std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties_;
  std::unique_ptr<parquet::ParquetFileWriter> writer_;
  Group group_;
  arrow::Future<> encoding_;  // of the group before
  int64_t bytes_given_ = 0;
  std::atomic<int64_t> bytes_taken_ = 0, bytes_encoded_ = 0;
};

}  // namespace

Result<std::unique_ptr<FileWriter>> CreateParquet(
    const std::string& path, const Schema& schema,
    const std::map<std::string, std::string>& options) {
  LEAT_ASSIGN(const ParquetSettings settings, MakeSettings(options));
  for (const Column& column : schema.columns) {
    if (column.type.id == TypeId::kArray && column.type.element->id == TypeId::kArray) {
      return NotSupported("arrays of arrays in Parquet are not supported");
    }
  }
  auto writer = std::make_unique<ParquetWriter>(path, schema, settings);
  LEAT_RETURN(writer->Create());
  return writer;
}

}  // namespace leat
