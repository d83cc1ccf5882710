#include "connect/file/staging.h"

#include <arrow/util/io_util.h>

#include <cstring>

namespace leat {
namespace {

// Fewer rows are not worth a call of the writer.
constexpr int64_t kFlushRows = 16 << 10;
// Rows that wait, in all folders.
constexpr int64_t kWaitingBytesMax = 32 << 20;

}  // namespace

Status Staging::Write(const std::string& folder, Batch batch) {
  if (batch.rows == 0) return Status::OK();
  Part& part = parts_[folder];
  part.file.folder = folder;
  const int64_t bytes = MemoryOf(batch);
  part.rows_waiting += batch.rows;
  part.bytes_waiting += bytes;
  waiting_bytes_ += bytes;
  part.waiting.push_back(std::move(batch));
  if (part.rows_waiting >= kFlushRows) return Flush(&part);
  if (waiting_bytes_ < kWaitingBytesMax) return Status::OK();
  for (auto& [name, each] : parts_) LEAT_RETURN(Flush(&each));
  return Status::OK();
}

Status Staging::Flush(Part* part) {
  if (part->waiting.empty()) return Status::OK();
  Batch rows = std::move(part->waiting[0]);
  if (part->waiting.size() > 1) {
    part->waiting[0] = std::move(rows);
    LEAT_ASSIGN(rows, Concatenate(spec_.schema, part->waiting));
  }
  waiting_bytes_ -= part->bytes_waiting;
  part->bytes_waiting = part->rows_waiting = 0;
  part->waiting.clear();
  if (part->writer) {
    open_.splice(open_.end(), open_, part->used);
  } else {
    LEAT_RETURN(OpenWriter(part));
  }
  LEAT_RETURN(Named(part->writer->Write(rows), *part));
  part->file.rows += rows.rows;
  return part->writer->bytes_written() >= spec_.file_bytes_max ? CloseWriter(part) : Status::OK();
}

Status Staging::OpenWriter(Part* part) {
  if (static_cast<int64_t>(open_.size()) >= spec_.writers_max) {
    LEAT_RETURN(CloseWriter(open_.front()));
  }
  part->file.name = fmt::format("{}{:06d}{}", spec_.prefix, files_++, spec_.extension);
  part->file.rows = 0;
  auto writer = CreateFile(fmt::format("{}/{}", spec_.folder, part->file.name), spec_.format,
                           spec_.schema, spec_.options);
  LEAT_RETURN(Named(writer.status(), *part));
  part->writer = *std::move(writer);
  part->used = open_.insert(open_.end(), part);
  return Status::OK();
}

// A writer's error with the file's name and the system's words, which Arrow keeps apart.
Status Staging::Named(const Status& status, const Part& part) const {
  if (status.ok()) return status;
  const int number = arrow::internal::ErrnoFromStatus(status);
  if (number == 0 && !status.IsIOError()) return status;
  return IOErrorF("could not write \"{}/{}\": {}", spec_.folder, part.file.name,
                  number != 0 ? std::strerror(number) : status.message());
}

Status Staging::CloseWriter(Part* part) {
  LEAT_RETURN(Named(part->writer->Close(), *part));
  part->file.bytes = part->writer->bytes_written();
  part->writer.reset();
  open_.erase(part->used);
  finished_bytes_ += part->file.bytes;
  finished_.push_back(part->file);
  return Status::OK();
}

Result<std::vector<StagedFile>> Staging::Finish() {
  for (auto& [name, part] : parts_) {
    LEAT_RETURN(Flush(&part));
    if (part.writer) LEAT_RETURN(CloseWriter(&part));
  }
  parts_.clear();
  finished_bytes_ = 0;
  return std::move(finished_);
}

int64_t Staging::bytes() const {
  int64_t bytes = finished_bytes_ + waiting_bytes_;
  for (const Part* part : open_) bytes += part->writer->bytes_written();
  return bytes;
}

}  // namespace leat
