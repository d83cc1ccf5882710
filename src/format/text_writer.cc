#include "format/text_writer.h"

#include <arrow/array.h>

#include <cmath>

#include "data/batch.h"
#include "data/text.h"
#include "format/byte_writer.h"
#include "format/csv_index.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr size_t kBufferBytes = 1 << 20;

// All columns of a batch as text, dictionaries still as dictionaries.
class TextColumn {
 public:
  static Result<TextColumn> Make(const ArrayPtr& column, const Type& type) {
    TextColumn out;
    const bool dictionary = column->type_id() == arrow::Type::DICTIONARY;
    ArrayPtr values = column;
    if (dictionary) {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(*column);
      out.numbers_ = std::static_pointer_cast<arrow::Int32Array>(encoded.indices());
      values = encoded.dictionary();
    }
    if (values->type_id() != arrow::Type::STRING) {
      LEAT_ASSIGN(values, ToTextColumn(*values, type, {}));
    }
    out.texts_ = std::static_pointer_cast<arrow::StringArray>(values);
    return out;
  }

  bool IsNull(int64_t row) const {
    return numbers_ != nullptr ? numbers_->IsNull(row) : texts_->IsNull(row);
  }
  std::string_view operator[](int64_t row) const {
    return texts_->GetView(numbers_ != nullptr ? numbers_->Value(row) : row);
  }

 private:
  std::shared_ptr<arrow::Int32Array> numbers_;
  std::shared_ptr<arrow::StringArray> texts_;
};

Result<std::vector<TextColumn>> TextColumns(const Batch& batch, const Schema& schema) {
  std::vector<TextColumn> out;
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    LEAT_ASSIGN(auto column, TextColumn::Make(batch.columns[i], schema.columns[i].type));
    out.push_back(std::move(column));
  }
  return out;
}

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

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      case '\b':
        *out += "\\b";
        break;
      case '\f':
        *out += "\\f";
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          *out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          *out += c;
        }
    }
  }
  *out += '"';
}

class NdjsonWriter : public BufferedWriter {
 public:
  NdjsonWriter(std::unique_ptr<ByteWriter> bytes, Schema schema)
      : BufferedWriter(std::move(bytes)), schema_(std::move(schema)) {
    for (size_t i = 0; i < schema_.columns.size(); ++i) {
      std::string& key = keys_.emplace_back(i == 0 ? "{" : ",");
      AppendJsonString(schema_.columns[i].name, &key);
      key += ':';
    }
  }

  Status Write(const Batch& batch) override {
    LEAT_ASSIGN(const auto columns, TextColumns(batch, schema_));
    for (int64_t row = 0; row < batch.rows; ++row) {
      if (columns.empty()) buffer_ += '{';
      for (size_t i = 0; i < columns.size(); ++i) {
        buffer_ += keys_[i];
        LEAT_RETURN(AppendValue(columns[i], row, *batch.columns[i], schema_.columns[i].type));
      }
      buffer_ += "}\n";
      if ((row & 255) == 0) LEAT_RETURN(FlushIfFull());
    }
    return FlushIfFull();
  }

 private:
  Status AppendValue(const TextColumn& texts, int64_t row, const arrow::Array& column,
                     const Type& type) {
    if (texts.IsNull(row)) {
      buffer_ += "null";
      return Status::OK();
    }
    const std::string_view text = texts[row];
    switch (type.id) {
      case TypeId::kBool:
        buffer_ += text == "t" || text == "true" ? "true" : "false";
        break;
      case TypeId::kInt2:
      case TypeId::kInt4:
      case TypeId::kInt8:
        buffer_ += text;
        break;
      case TypeId::kFloat4:
      case TypeId::kFloat8:
      case TypeId::kNumeric: {
        // NaN and Infinity are no JSON numbers.
        const bool bare = text.find_first_of("NI") == text.npos;
        if (bare) {
          buffer_ += text;
        } else {
          AppendJsonString(text, &buffer_);
        }
        break;
      }
      case TypeId::kJsonb:
        buffer_ += text;
        break;
      case TypeId::kJson:
        AppendOneLine(text);
        break;
      case TypeId::kTimestamp:
      case TypeId::kTimestamptz:
        AppendTimestamp(text, type.id == TypeId::kTimestamptz);
        break;
      case TypeId::kArray:
        return AppendList(column, row, *type.element);
      default:
        AppendJsonString(text, &buffer_);
    }
    return Status::OK();
  }

  // json keeps its text, which may hold line ends between tokens.
  void AppendOneLine(std::string_view text) {
    for (const char c : text) buffer_ += c == '\n' || c == '\r' ? ' ' : c;
  }

  // As PostgreSQL's JSON functions: ISO 8601, a T between, minutes in the zone.
  void AppendTimestamp(std::string_view text, bool zone) {
    std::string iso(text);
    if (const size_t blank = iso.find(' '); blank != iso.npos) iso[blank] = 'T';
    if (zone && iso.size() > 3 && (iso[iso.size() - 3] == '+' || iso[iso.size() - 3] == '-')) {
      iso += ":00";
    }
    AppendJsonString(iso, &buffer_);
  }

  Status AppendList(const arrow::Array& column, int64_t row, const Type& element) {
    const auto& list = static_cast<const arrow::ListArray&>(column);
    const ArrayPtr values = list.value_slice(row);
    LEAT_ASSIGN(const auto texts, TextColumn::Make(values, element));
    buffer_ += '[';
    for (int64_t i = 0; i < values->length(); ++i) {
      if (i > 0) buffer_ += ',';
      LEAT_RETURN(AppendValue(texts, i, *values, element));
    }
    buffer_ += ']';
    return Status::OK();
  }

  const Schema schema_;
  std::vector<std::string> keys_;
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
