#include "run/epoch_log.h"

#include <xxhash.h>

#include "base/record.h"

namespace leat {
namespace {

constexpr size_t kFrameHeader = 16;  // length and checksum, 8 bytes each

std::string Encode(const LogRecord& record) {
  RecordWriter out;
  out.Int(record.epoch.number)
      .Int(record.epoch.clock)
      .Int(static_cast<int64_t>(record.ranges.size()));
  for (const LogRange& range : record.ranges) {
    out.Int(range.source).Text(range.end).Int(range.rows_read).Int(range.rows_used);
    out.Int(range.first_seq).Int(static_cast<int64_t>(range.checksum));
  }
  return out.bytes();
}

Result<LogRecord> Decode(std::string_view payload) {
  RecordReader in(payload);
  LogRecord record;
  record.epoch.number = in.Int();
  record.epoch.clock = in.Int();
  const int64_t ranges = in.Int();
  for (int64_t i = 0; i < ranges && in.ok(); ++i) {
    LogRange range;
    range.source = static_cast<int32_t>(in.Int());
    range.end = in.Text();
    range.rows_read = in.Int();
    range.rows_used = in.Int();
    range.first_seq = in.Int();
    range.checksum = static_cast<uint64_t>(in.Int());
    record.ranges.push_back(std::move(range));
  }
  LEAT_RETURN(in.status());
  return record;
}

}  // namespace

Result<std::unique_ptr<EpochLog>> EpochLog::Open(FileSystem* files, std::string path) {
  std::unique_ptr<EpochLog> log(new EpochLog(files, std::move(path)));
  LEAT_RETURN(log->Load());
  LEAT_ASSIGN(log->file_, files->OpenAppend(log->path_));
  return log;
}

Status EpochLog::Load() {
  if (!files_->Exists(path_)) return Status::OK();
  LEAT_ASSIGN(const auto file, files_->Read(path_));
  std::string_view rest = file->bytes();
  while (rest.size() >= kFrameHeader) {
    RecordReader header(rest.substr(0, kFrameHeader));
    const auto length = static_cast<size_t>(header.Int());
    const auto checksum = static_cast<uint64_t>(header.Int());
    if (length > rest.size() - kFrameHeader) break;
    const auto payload = rest.substr(kFrameHeader, length);
    if (XXH3_64bits(payload.data(), payload.size()) != checksum) break;
    LEAT_ASSIGN(LogRecord record, Decode(payload));
    records_.push_back(std::move(record));
    rest.remove_prefix(kFrameHeader + length);
  }
  const auto good = static_cast<int64_t>(file->bytes().size() - rest.size());
  return rest.empty() ? Status::OK() : files_->Truncate(path_, good);
}

Status EpochLog::Append(const LogRecord& record) {
  const std::string payload = Encode(record);
  RecordWriter frame;
  frame.Int(static_cast<int64_t>(payload.size()));
  frame.Int(static_cast<int64_t>(XXH3_64bits(payload.data(), payload.size())));
  return file_->Append(frame.bytes() + payload);
}

Status EpochLog::Sync() { return file_->Sync(); }

Status EpochLog::Clear() {
  records_.clear();
  return files_->Truncate(path_, 0);
}

}  // namespace leat
