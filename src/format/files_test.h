// What the tests of this room share: small files, and readers drained.
#pragma once

#include <arrow/api.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/batch.h"
#include "data/text.h"
#include "format/format.h"

namespace leat {

// A file of its own, removed at the end.
class TestFile {
 public:
  explicit TestFile(const std::string& name, std::string_view content = {}) {
    static int number = 0;
    path_ = (std::filesystem::temp_directory_path() /
             fmt::format("leat_{}_{}_{}", getpid(), number++, name))
                .string();
    if (!content.empty()) Write(content);
  }
  ~TestFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;

  void Write(std::string_view content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string Compress(arrow::Compression::type type, std::string_view text) {
  auto codec = arrow::util::Codec::Create(type).ValueOrDie();
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  std::string out(static_cast<size_t>(codec->MaxCompressedLen(size, bytes)), '\0');
  const int64_t used = codec
                           ->Compress(size, bytes, static_cast<int64_t>(out.size()),
                                      reinterpret_cast<uint8_t*>(out.data()))
                           .ValueOrDie();
  out.resize(static_cast<size_t>(used));
  return out;
}

inline ReadColumn WantColumn(const std::string& name, Type type) {
  ReadColumn column;
  column.column = {name, std::move(type)};
  column.outside_name = name;
  return column;
}

// Everything a reader gave. Rows are texts, with NULL for null.
struct Drained {
  std::vector<std::vector<std::string>> rows;
  std::vector<int64_t> offsets;
  std::vector<Reject> rejects;
  std::vector<ReadChunk> chunks;
  int64_t rows_read = 0;
  Status status;
};

inline std::string TextAt(const arrow::Array& column, int64_t row, const Type& type) {
  if (column.IsNull(row)) return "NULL";
  std::string out;
  AppendText(column, row, type, {}, &out);
  return out;
}

inline Drained Drain(const std::string& path, const ReadOptions& options, ReadRange range = {},
                     const std::string& format = "") {
  Drained out;
  auto reader = OpenFile(path, format, options, range);
  out.status = reader.status();
  while (out.status.ok()) {
    auto chunk = (*reader)->Next();
    out.status = chunk.status();
    if (!chunk.ok() || !chunk->has_value()) break;
    ReadChunk& got = **chunk;
    for (int64_t row = 0; row < got.batch.rows; ++row) {
      auto& texts = out.rows.emplace_back();
      for (size_t i = 0; i < options.columns.size(); ++i) {
        texts.push_back(TextAt(*Plain(got.batch.columns[i]), row, options.columns[i].column.type));
      }
    }
    EXPECT_EQ(got.row_offsets.size(), static_cast<size_t>(got.batch.rows));
    out.offsets.insert(out.offsets.end(), got.row_offsets.begin(), got.row_offsets.end());
    out.rejects.insert(out.rejects.end(), got.rejects.begin(), got.rejects.end());
    out.rows_read += got.rows_read;
    out.chunks.push_back(std::move(got));
  }
  return out;
}

}  // namespace leat
