// CSV however broken: every row is used or rejected, and where the file is cut changes nothing.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "data/text.h"
#include "format/format.h"

namespace leat {
namespace {

// A file in memory, with a path.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : fd_(::memfd_create("csv", MFD_CLOEXEC)) {
    LEAT_CHECK(fd_ >= 0 && ::write(fd_, data, size) == static_cast<ssize_t>(size));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

ReadOptions WhatToRead(int64_t chunk_bytes) {
  ReadOptions options;
  options.options["header"] = "false";
  options.columns = {{.column = {"column1", TypeId::kText}},
                     {.column = {"column2", TypeId::kInt4}},
                     {.column = {"column1", TypeId::kFloat8}, .null_on_error = true}};
  options.chunk_bytes_max = chunk_bytes;
  options.threads = 1;
  return options;
}

// All that was read, as text: good rows, rejects, and how it ended.
std::string Everything(const std::string& path, int64_t chunk_bytes) {
  const ReadOptions options = WhatToRead(chunk_bytes);
  auto reader = OpenFile(path, "csv", options, {});
  if (!reader.ok()) return reader.status().message();
  std::string rows, rejects;
  int64_t end = 0;
  while (true) {
    auto chunk = (*reader)->Next();
    if (!chunk.ok()) return rows + rejects + chunk.status().message();
    if (!*chunk) return rows + rejects;
    const Batch& batch = (*chunk)->batch;
    int64_t kept = 0;
    for (const Reject& reject : (*chunk)->rejects) {
      rejects += fmt::format("{} {} {} {}: {}\n", reject.offset, reject.line, reject.row,
                             reject.column, reject.reason);
      kept += reject.row_kept ? 1 : 0;
    }
    LEAT_CHECK((*chunk)->rows_read <= batch.rows + static_cast<int64_t>((*chunk)->rejects.size()));
    LEAT_CHECK(kept > 0 ||
               (*chunk)->rows_read == batch.rows + static_cast<int64_t>((*chunk)->rejects.size()));
    LEAT_CHECK((*chunk)->begin >= end && (*chunk)->end >= (*chunk)->begin);
    end = (*chunk)->end;
    for (int64_t row = 0; row < batch.rows; ++row) {
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        AppendText(*Plain(batch.columns[i]), row, options.columns[i].column.type, {}, &rows);
        rows += '|';
      }
      rows += '\n';
    }
  }
}

}  // namespace
}  // namespace leat

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const leat::MemoryFile file(data + 1, size - 1);
  const std::string whole = leat::Everything(file.path(), 1 << 16);
  const std::string cut = leat::Everything(file.path(), 1 + data[0] % 64);
  LEAT_CHECK(whole == cut, "whole: {}\ncut: {}", whole, cut);
  return 0;
}
