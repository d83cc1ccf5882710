#include "run/epoch_log.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/record.h"

namespace leat {
namespace {

constexpr size_t kFrameHeader = 16;  // length and checksum, 8 bytes each
constexpr std::string_view kPrefix = "log-";

// "log-12" → 12; nothing for any other name.
std::optional<int64_t> SegmentOf(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// What of an offset is new: see OffsetStep.
void EncodeStep(const OffsetStep& step, RecordWriter* out) {
  out->Int(static_cast<int64_t>(step.front)).Int(static_cast<int64_t>(step.back));
  out->Text(step.between);
}

Result<std::string> Encode(const LogRecord& record, std::map<int32_t, Offset>* ends) {
  RecordWriter out;
  out.Int(record.epoch.number)
      .Int(record.epoch.clock)
      .Int(static_cast<int64_t>(record.ranges.size()));
  for (const LogRange& range : record.ranges) {
    LEAT_CHECK(!range.step || ends->contains(range.source), "a step from where no file says");
    Offset& before = (*ends)[range.source];
    out.Int(range.source);
    EncodeStep(range.step ? *range.step : StepTo(range.end, before), &out);
    LEAT_RETURN(GoOn(range, &before));
    out.Int(range.rows_read).Int(range.rows_used);
    out.Int(range.first_seq).Int(static_cast<int64_t>(range.checksum));
  }
  return out.bytes();
}

// `ends`: of each source, in the file so far. `known`: the sources of which the whole end has been
// given in a record that counts.
Result<LogRecord> Decode(std::string_view payload, int64_t after, std::map<int32_t, Offset>* ends,
                         std::set<int32_t>* known) {
  RecordReader in(payload);
  LogRecord record;
  record.epoch.number = in.Int();
  record.epoch.clock = in.Int();
  const int64_t ranges = in.Int();
  for (int64_t i = 0; i < ranges && in.ok(); ++i) {
    LogRange range;
    range.source = static_cast<int32_t>(in.Int());
    OffsetStep step;
    step.front = static_cast<size_t>(in.Int());
    step.back = static_cast<size_t>(in.Int());
    step.between = in.Text();
    LEAT_RETURN(in.status());
    Offset& end = (*ends)[range.source];
    if (const Status status = GoOn(step, &end); !status.ok()) {
      return status.WithMessage("the log is damaged: ", status.message());
    }
    if (record.epoch.number > after && known->insert(range.source).second) {
      range.end = end;
    } else {
      range.step = std::move(step);
    }
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

Status GoOn(const LogRange& range, Offset* offset) {
  if (range.step) return GoOn(*range.step, offset);
  *offset = range.end;
  return Status::OK();
}

std::string EpochLog::PathOf(int64_t number) const {
  return fmt::format("{}/{}{}", directory_, kPrefix, number);
}

EpochLog::EpochLog(FileSystem* files, std::string directory, std::string_view state, int64_t after)
    : files_(files),
      directory_(std::move(directory)),
      seed_(XXH3_64bits(state.data(), state.size())),
      after_(after) {}

Result<std::unique_ptr<EpochLog>> EpochLog::Open(FileSystem* files, std::string directory,
                                                 std::string_view state, int64_t after) {
  std::unique_ptr<EpochLog> log(new EpochLog(files, std::move(directory), state, after));
  LEAT_RETURN(log->Load());
  return log;
}

Status EpochLog::Remove(FileSystem* files, const std::string& directory) {
  LEAT_ASSIGN(const auto names, files->List(directory));
  for (const std::string& name : names) {
    if (SegmentOf(name)) LEAT_RETURN(files->Remove(directory + "/" + name));
  }
  return Status::OK();
}

Status EpochLog::Load() {
  LEAT_ASSIGN(const auto names, files_->List(directory_));
  for (const std::string& name : names) {
    if (const auto number = SegmentOf(name)) segments_.push_back({.number = *number});
  }
  std::sort(segments_.begin(), segments_.end(),
            [](const Segment& a, const Segment& b) { return a.number < b.number; });
  for (Segment& segment : segments_) LEAT_RETURN(LoadSegment(&segment));
  return gap_;
}

Status EpochLog::LoadSegment(Segment* segment) {
  LEAT_ASSIGN(const auto file, files_->Read(PathOf(segment->number)));
  std::string_view rest = file->bytes();
  segment->bytes = static_cast<int64_t>(rest.size());
  bytes_ += segment->bytes;
  std::map<int32_t, Offset> ends;
  std::set<int32_t> known;
  while (rest.size() >= kFrameHeader) {
    RecordReader header(rest.substr(0, kFrameHeader));
    const auto length = static_cast<size_t>(header.Int());
    const auto checksum = static_cast<uint64_t>(header.Int());
    if (length > rest.size() - kFrameHeader) break;
    const auto payload = rest.substr(kFrameHeader, length);
    if (XXH3_64bits_withSeed(payload.data(), payload.size(), seed_) != checksum) break;
    LEAT_ASSIGN(LogRecord record, Decode(payload, after_, &ends, &known));
    LEAT_RETURN(Keep(std::move(record)));
    rest.remove_prefix(kFrameHeader + length);
  }
  return Status::OK();
}

Status EpochLog::Keep(LogRecord record) {
  const int64_t number = record.epoch.number;
  while (!records_.empty() && records_.back().epoch.number >= number) records_.pop_back();
  if (number <= after_) return Status::OK();
  const int64_t before = records_.empty() ? after_ : records_.back().epoch.number;
  if (number != before + 1) {
    // Of what was removed a part may be back after a power cut; what replaced it comes after.
    gap_ = IOErrorF("the log in \"{}\" is damaged: epoch {} is followed by epoch {}", directory_,
                    before, number);
    records_.clear();
  } else if (records_.empty()) {
    gap_ = Status::OK();
  }
  records_.push_back(std::move(record));
  return Status::OK();
}

Result<std::string> EpochLog::FrameOf(const LogRecord& record) {
  LEAT_ASSIGN(const std::string payload, Encode(record, &ends_));
  RecordWriter header;
  header.Int(static_cast<int64_t>(payload.size()));
  header.Int(static_cast<int64_t>(XXH3_64bits_withSeed(payload.data(), payload.size(), seed_)));
  return header.bytes() + payload;
}

Status EpochLog::Append(const LogRecord& record) {
  if (!file_) ends_.clear();  // a file stands by itself
  LEAT_ASSIGN(const std::string frame, FrameOf(record));
  if (!file_) {
    const int64_t number = segments_.empty() ? 1 : segments_.back().number + 1;
    LEAT_ASSIGN(file_, files_->OpenAppend(PathOf(number)));
    segments_.push_back({.number = number});
    named_ = false;
  }
  LEAT_RETURN(file_->Append(frame));
  segments_.back().bytes += static_cast<int64_t>(frame.size());
  bytes_ += static_cast<int64_t>(frame.size());
  return Status::OK();
}

Status EpochLog::WriteAnew() {
  if (records_.empty()) return Status::OK();
  ends_.clear();
  std::string bytes;
  for (const LogRecord& record : records_) {
    LEAT_ASSIGN(const std::string frame, FrameOf(record));
    bytes += frame;
  }
  // Whole or not at all: half of it would hide the rest of what it replaces.
  const Segment whole = {.number = segments_.back().number + 1,
                         .bytes = static_cast<int64_t>(bytes.size())};
  LEAT_RETURN(WriteFileAtomically(files_, PathOf(whole.number), bytes));
  for (const Segment& old : segments_) LEAT_RETURN(files_->Remove(PathOf(old.number)));
  segments_ = {whole};
  bytes_ = whole.bytes;
  return Status::OK();
}

Status EpochLog::Sync() {
  if (!file_) return Status::OK();
  LEAT_RETURN(file_->Sync());
  if (!named_) LEAT_RETURN(files_->SyncDirectory(directory_));
  named_ = true;
  return Status::OK();
}

Status EpochLog::Roll() {
  LEAT_RETURN(Sync());
  file_.reset();
  ++generation_;
  rolled_ = segments_.size();
  return Status::OK();
}

// A segment that comes back after a power cut does no harm: the checkpoint holds its epochs.
Status EpochLog::DropRolled() {
  for (size_t i = 0; i < rolled_; ++i) {
    LEAT_RETURN(files_->Remove(PathOf(segments_[i].number)));
    bytes_ -= segments_[i].bytes;
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(rolled_));
  rolled_ = 0;
  return Status::OK();
}

}  // namespace leat
