#include "format/text_writer.h"

#include "data/batch.h"
#include "format/byte_writer.h"
#include "format/csv_index.h"
#include "format/json_write.h"

namespace leat {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

class BufferedWriter : public FileWriter {
 public:
  explicit BufferedWriter(std::unique_ptr<ByteWriter> bytes) : bytes_(std::move(bytes)) {}

  int64_t bytes_written() const override {
    return bytes_->bytes_written() + static_cast<int64_t>(buffer_.size());
  }
  Status Close() override {
    LEAT_RETURN(bytes_->Write(buffer_));
    buffer_.clear();
    return bytes_->Close();
  }

 protected:
  Status FlushIfFull() {
    if (buffer_.size() < kBufferBytes) return Status::OK();
    LEAT_RETURN(bytes_->Write(buffer_));
    buffer_.clear();
    return Status::OK();
  }

  std::string buffer_;

 private:
  std::unique_ptr<ByteWriter> bytes_;
};

class CsvWriter : public BufferedWriter {
 public:
  CsvWriter(std::unique_ptr<ByteWriter> bytes, Schema schema, const CsvDialect& dialect)
      : BufferedWriter(std::move(bytes)),
        schema_(std::move(schema)),
        dialect_(dialect),
        special_({dialect.delimiter, dialect.quote, '\n', '\r'}) {
    if (!dialect.header) return;
    for (size_t i = 0; i < schema_.columns.size(); ++i) {
      Separate(i);
      AppendField(schema_.columns[i].name);
    }
    buffer_ += '\n';
  }

  Status Write(const Batch& batch) override {
    LEAT_ASSIGN(const auto columns, TextColumns(batch, schema_));
    for (int64_t row = 0; row < batch.rows; ++row) {
      for (size_t i = 0; i < columns.size(); ++i) {
        Separate(i);
        if (columns[i].IsNull(row)) {
          buffer_ += dialect_.nulls[0];
        } else {
          AppendField(columns[i][row]);
        }
      }
      buffer_ += '\n';
      if ((row & 255) == 0) LEAT_RETURN(FlushIfFull());
    }
    return FlushIfFull();
  }

 private:
  void Separate(size_t column) {
    if (column > 0) buffer_ += dialect_.delimiter;
  }

  // As PostgreSQL's CopyAttributeOutCSV: quotes where a reader would take the bare text for
  // something else.
  void AppendField(std::string_view text) {
    const bool alone_dot = schema_.size() == 1 && text == "\\.";
    if (text != dialect_.nulls[0] && !alone_dot && text.find_first_of(special_) == text.npos) {
      buffer_ += text;
      return;
    }
    buffer_ += dialect_.quote;
    for (const char c : text) {
      if (c == dialect_.quote || c == dialect_.escape) buffer_ += dialect_.escape;
      buffer_ += c;
    }
    buffer_ += dialect_.quote;
  }

  const Schema schema_;
  const CsvDialect dialect_;
  const std::string special_;
};

class NdjsonWriter : public BufferedWriter {
 public:
  NdjsonWriter(std::unique_ptr<ByteWriter> bytes, Schema schema)
      : BufferedWriter(std::move(bytes)), rows_(std::move(schema)) {}

  Status Write(const Batch& batch) override {
    LEAT_RETURN(rows_.Take(batch));
    for (int64_t row = 0; row < batch.rows; ++row) {
      LEAT_RETURN(rows_.Append(row, &buffer_));
      buffer_ += '\n';
      if ((row & 255) == 0) LEAT_RETURN(FlushIfFull());
    }
    return FlushIfFull();
  }

 private:
  JsonRows rows_;
};

}  // namespace

Result<std::unique_ptr<FileWriter>> CreateCsv(const std::string& path, const Schema& schema,
                                              const std::map<std::string, std::string>& options) {
  LEAT_ASSIGN(CsvDialect dialect, CsvDialect::Make(options, "csv"));
  if (dialect.quote == 0) {
    return SqlStatus("CSV quote must be a single one-byte character", {.sqlstate = "0A000"});
  }
  LEAT_ASSIGN(auto bytes, CreateBytes(path));
  return std::make_unique<CsvWriter>(std::move(bytes), schema, dialect);
}

Result<std::unique_ptr<FileWriter>> CreateNdjson(const std::string& path, const Schema& schema,
                                                 const std::map<std::string, std::string>&) {
  LEAT_ASSIGN(auto bytes, CreateBytes(path));
  return std::make_unique<NdjsonWriter>(std::move(bytes), schema);
}

}  // namespace leat
