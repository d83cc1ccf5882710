#include <algorithm>
#include <charconv>

#include "base/file_system.h"
#include "connect/stream/file_topic.h"
#include "connect/watch.h"
#include "format/json_scan.h"

namespace leat {
namespace {

constexpr int64_t kRecordBytesMax = 256 << 20;
// Readable bytes behind a block's text: see TopicBlock.
constexpr size_t kPadding = 64;

// Reads the lines that the writer wrote, in the one form in which it writes them.
class LineReader {
 public:
  LineReader(std::string_view text, uint32_t at) : text_(text), at_(at) {}

  // The record of the line that ends at `end` (its newline).
  bool Read(uint32_t end, TopicRecord* record) {
    end_ = end;
    int64_t partition = 0;
    if (!Take("{\"partition\":") || !TakeNumber(&partition) || !Take(",\"timestamp\":") ||
        !TakeNumber(&record->timestamp)) {
      return false;
    }
    record->partition = static_cast<int32_t>(partition);
    if (Take(",\"key\":") && !TakeString(&record->key)) return false;
    if (Take(",\"headers\":") && !TakeObject(&record->headers)) return false;
    if (!Take(",\"value\":") || end_ <= at_ || text_[end_ - 1] != '}') return false;
    const TextExtent value{at_, end_ - 1};
    if (text_.substr(value.begin, value.end - value.begin) != "null") record->value = value;
    at_ = end_ + 1;
    return true;
  }

 private:
  bool Take(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal || at_ + literal.size() > end_) return false;
    at_ += static_cast<uint32_t>(literal.size());
    return true;
  }
  bool TakeNumber(int64_t* number) {
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + end_, *number);
    at_ = static_cast<uint32_t>(end - text_.data());
    return error == std::errc();
  }
  bool TakeString(std::optional<TextExtent>* extent) {
    JsonScanner json(text_.substr(at_, end_ - at_));
    std::string_view inside;
    if (json.Peek() != JsonKind::kString || !json.String(&inside)) return false;
    const auto begin = static_cast<uint32_t>(inside.data() - text_.data());
    *extent = TextExtent{begin, begin + static_cast<uint32_t>(inside.size())};
    at_ = begin + static_cast<uint32_t>(inside.size()) + 1;
    return true;
  }
  bool TakeObject(std::optional<TextExtent>* extent) {
    JsonScanner json(text_.substr(at_, end_ - at_));
    std::string_view whole;
    if (json.Peek() != JsonKind::kObject || !json.Skip(&whole)) return false;
    *extent = TextExtent{at_, at_ + static_cast<uint32_t>(json.offset())};
    at_ = (*extent)->end;
    return true;
  }

  const std::string_view text_;
  uint32_t at_;
  uint32_t end_ = 0;
};

class FileTopicReader : public TopicReader {
 public:
  explicit FileTopicReader(std::string folder) : folder_(std::move(folder)) {}

  Result<std::string> Identity() override {
    LEAT_ASSIGN(const auto state, ReadTopicState(folder_));
    return state ? state->id : std::string();
  }
  Result<TopicPlace> Earliest() override {
    LEAT_ASSIGN(const auto state, ReadTopicState(folder_));
    return state ? EarliestOf(*state) : TopicPlace{};
  }
  Result<TopicPlace> Latest() override {
    LEAT_ASSIGN(const auto state, ReadTopicState(folder_));
    if (!state) return TopicPlace{};
    const TopicState::Segment& last = state->segments.back();
    return TopicPlace{.offsets = state->ends, .segment = last.number, .byte = last.bytes};
  }
  Result<TopicPlace> At(Micros time) override;
  Result<std::optional<TopicBlock>> Read(const TopicPlace& place, const TopicPlace* until,
                                         int64_t bytes_max, bool skip_deleted) override;
  bool Wait(std::chrono::milliseconds at_most) override;

 private:
  static TopicPlace EarliestOf(const TopicState& state) {
    const TopicState::Segment& first = state.segments.front();
    return {.offsets = first.first, .segment = first.number, .byte = 0};
  }
  // The place as it is now: a segment's end is the next one's beginning.
  Result<TopicPlace> Settle(const TopicState& state, TopicPlace place, bool skip_deleted) const;
  // Whole lines of bytes [begin, end) of a segment, about `bytes_max`, at least one.
  Result<std::shared_ptr<std::string>> Lines(int64_t segment, int64_t begin, int64_t end,
                                             int64_t bytes_max) const;

  const std::string folder_;
  std::unique_ptr<FolderWatch> watch_;
};

Result<TopicPlace> FileTopicReader::Settle(const TopicState& state, TopicPlace place,
                                           bool skip_deleted) const {
  if (place.offsets.empty()) return EarliestOf(state);
  for (size_t i = 0; i < state.segments.size(); ++i) {
    const TopicState::Segment& segment = state.segments[i];
    if (segment.number != place.segment) continue;
    if (place.byte > segment.bytes) {
      return IOErrorF("topic \"{}\" ends before the place to which it was read", folder_);
    }
    if (place.byte < segment.bytes || i + 1 == state.segments.size()) return place;
    return TopicPlace{.offsets = place.offsets, .segment = state.segments[i + 1].number, .byte = 0};
  }
  // Its segment was deleted: after it was read, or before.
  TopicPlace earliest = EarliestOf(state);
  if (earliest.offsets == place.offsets || skip_deleted) return earliest;
  return SqlStatus(
      fmt::format("records of topic \"{}\" were deleted before they were read", folder_),
      {.sqlstate = "58P01", .hint = "OPTIONS (on_delete 'ignore') goes on with what is there."});
}

Result<std::shared_ptr<std::string>> FileTopicReader::Lines(int64_t segment, int64_t begin,
                                                            int64_t end, int64_t bytes_max) const {
  const std::string path = SegmentPath(folder_, segment);
  LEAT_ASSIGN(const auto file, PosixFileSystem()->OpenRead(path));
  auto text = std::make_shared<std::string>();
  for (int64_t size = std::min(bytes_max, end - begin);; size = std::min(size * 4, end - begin)) {
    text->reserve(static_cast<size_t>(size) + kPadding);
    text->resize(static_cast<size_t>(size));
    LEAT_RETURN(file->ReadAt(begin, size, text->data()));
    const size_t newline = text->rfind('\n');
    if (newline != text->npos) {
      text->resize(newline + 1);
      return text;
    }
    if (size == end - begin || size > kRecordBytesMax) {
      return IOErrorF("segment \"{}\" is damaged at byte {}: a record has no end", path, begin);
    }
  }
}

Result<std::optional<TopicBlock>> FileTopicReader::Read(const TopicPlace& from,
                                                        const TopicPlace* until, int64_t bytes_max,
                                                        bool skip_deleted) {
  LEAT_ASSIGN(const auto state, ReadTopicState(folder_));
  if (!state) return std::nullopt;
  LEAT_ASSIGN(const TopicPlace place, Settle(*state, from, skip_deleted));
  int64_t end = 0;
  for (const TopicState::Segment& segment : state->segments) {
    if (segment.number == place.segment) end = segment.bytes;
  }
  if (until != nullptr) {
    if (place.segment > until->segment) return std::nullopt;
    if (place.segment == until->segment) end = std::min(end, until->byte);
  }
  if (place.byte >= end) return std::nullopt;
  TopicBlock block{.end = place};
  LEAT_ASSIGN(block.text, Lines(place.segment, place.byte, end, bytes_max));
  LineReader line(*block.text, 0);
  for (uint32_t at = 0; at < block.text->size();) {
    const auto newline = static_cast<uint32_t>(block.text->find('\n', at));
    TopicRecord record{.line = at};
    if (!line.Read(newline, &record) || record.partition < 0 ||
        static_cast<size_t>(record.partition) >= block.end.offsets.size()) {
      return IOErrorF("segment \"{}\" is damaged at byte {}", SegmentPath(folder_, place.segment),
                      place.byte + at);
    }
    record.offset = block.end.offsets[static_cast<size_t>(record.partition)]++;
    block.records.push_back(record);
    at = newline + 1;
  }
  block.end.byte += static_cast<int64_t>(block.text->size());
  return block;
}

Result<TopicPlace> FileTopicReader::At(Micros time) {
  LEAT_ASSIGN(TopicPlace place, Earliest());
  while (true) {
    LEAT_ASSIGN(const auto block, Read(place, nullptr, 1 << 20, /*skip_deleted=*/true));
    if (!block) return place;
    const auto first =
        std::find_if(block->records.begin(), block->records.end(),
                     [&](const TopicRecord& record) { return record.timestamp >= time; });
    if (first == block->records.end()) {
      place = block->end;
      continue;
    }
    // Back from the block's end to the record's line.
    place = block->end;
    for (auto record = first; record != block->records.end(); ++record) {
      --place.offsets[static_cast<size_t>(record->partition)];
    }
    size_t begin = 0;
    for (auto record = block->records.begin(); record != first; ++record) {
      begin = block->text->find('\n', begin) + 1;
    }
    place.byte -= static_cast<int64_t>(block->text->size() - begin);
    return place;
  }
}

bool FileTopicReader::Wait(std::chrono::milliseconds at_most) {
  if (!watch_) {
    watch_ = WatchFolder({.root = folder_, .folder = "", .deep = false, .growing = false});
    return true;  // what came before it watched
  }
  const FolderChanges changes = watch_->Wait(at_most);
  if (changes.lost) watch_.reset();
  return changes.any;
}

}  // namespace

std::unique_ptr<TopicReader> ReadFileTopic(std::string folder) {
  return std::make_unique<FileTopicReader>(std::move(folder));
}

}  // namespace leat
