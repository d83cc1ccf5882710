// The main job without the engine: CSV in, one moving average by adding 50 shifted columns, Parquet
// out. usage: format_bench IN.csv.gz OUT.parquet [read|ma] [LEVEL] [ROW_GROUP_ROWS]
#include <arrow/api.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "format/format.h"

namespace leat {
namespace {

ReadColumn MakeColumn(const char* outside, TypeId type) {
  ReadColumn column;
  column.column = {outside, Type(type)};
  column.outside_name = outside;
  return column;
}

std::vector<ReadColumn> Columns() {
  return {MakeColumn("Amount Requested", TypeId::kFloat8),
          MakeColumn("Application Date", TypeId::kDate),
          MakeColumn("Loan Title", TypeId::kText),
          MakeColumn("Risk_Score", TypeId::kFloat8),
          MakeColumn("Debt-To-Income Ratio", TypeId::kText),
          MakeColumn("Zip Code", TypeId::kText),
          MakeColumn("State", TypeId::kText),
          MakeColumn("Employment Length", TypeId::kText),
          MakeColumn("Policy Code", TypeId::kFloat8)};
}

// The mean of the last 50 values, nulls left out, column-wise.
class MovingAverage {
 public:
  Result<std::shared_ptr<arrow::Array>> Apply(const arrow::DoubleArray& column) {
    const auto rows = static_cast<size_t>(column.length());
    values_.resize(kBack + rows);
    counts_.resize(kBack + rows);
    for (size_t i = 0; i < rows; ++i) {
      const bool valid = column.IsValid(static_cast<int64_t>(i));
      values_[kBack + i] = valid ? column.Value(static_cast<int64_t>(i)) : 0;
      counts_[kBack + i] = valid ? 1 : 0;
    }
    LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> out, arrow::AllocateBuffer(column.length() * 8));
    auto* const sums = reinterpret_cast<double*>(out->mutable_data());
    constexpr size_t kBlock = 1024;
    for (size_t begin = 0; begin < rows; begin += kBlock) {
      const size_t size = std::min(kBlock, rows - begin);
      Block(values_.data() + begin, counts_.data() + begin, size, sums + begin);
    }
    std::copy(values_.end() - kBack, values_.end(), values_.begin());
    std::copy(counts_.end() - kBack, counts_.end(), counts_.begin());
    return std::make_shared<arrow::DoubleArray>(column.length(), out);
  }

 private:
  static constexpr size_t kBack = 49;

  [[gnu::optimize("O3")]] static void Block(const double* values, const double* counts, size_t size,
                                            double* sums) {
    double ones[1024] = {};
    std::memset(sums, 0, size * sizeof(double));
    for (size_t back = 0; back <= kBack; ++back) {
      for (size_t i = 0; i < size; ++i) sums[i] += values[back + i];
      for (size_t i = 0; i < size; ++i) ones[i] += counts[back + i];
    }
    for (size_t i = 0; i < size; ++i) sums[i] /= ones[i];
  }

  std::vector<double> values_ = std::vector<double>(kBack);
  std::vector<double> counts_ = std::vector<double>(kBack);
};

Status Run(const char* in, const char* out, bool write, const char* level, const char* rows_max) {
  ReadOptions options;
  options.columns = Columns();
  LEAT_ASSIGN(auto reader, OpenFile(in, "", options, {}));
  Schema schema;
  for (const auto& column : options.columns) schema.columns.push_back(column.column);
  schema.columns.push_back({"RiskScoreMA50", Type(TypeId::kFloat8)});
  std::unique_ptr<FileWriter> writer;
  if (write) {
    LEAT_ASSIGN(writer, CreateFile(out, "parquet", schema,
                                   {{"compression_level", level}, {"row_group_rows", rows_max}}));
  }
  MovingAverage average;
  int64_t rows = 0, rejected = 0;
  while (true) {
    LEAT_ASSIGN(auto chunk, reader->Next());
    if (!chunk.has_value()) break;
    rows += chunk->batch.rows;
    rejected += static_cast<int64_t>(chunk->rejects.size());
    if (!write) continue;
    LEAT_ASSIGN(auto column,
                average.Apply(static_cast<const arrow::DoubleArray&>(*chunk->batch.columns[3])));
    chunk->batch.columns.push_back(std::move(column));
    LEAT_RETURN(writer->Write(chunk->batch));
  }
  if (write) LEAT_RETURN(writer->Close());
  std::printf("%ld rows, %ld rejected\n", static_cast<long>(rows), static_cast<long>(rejected));
  return Status::OK();
}

}  // namespace
}  // namespace leat

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool write = argc < 4 || std::strcmp(argv[3], "read") != 0;
  const auto status =
      leat::Run(argv[1], argv[2], write, argc > 4 ? argv[4] : "3", argc > 5 ? argv[5] : "131072");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
