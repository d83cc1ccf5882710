#include <arrow/scalar.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "connect/read_column.h"
#include "connect/stream/file_topic.h"
#include "connect/stream/place.h"
#include "connect/stream/records.h"
#include "connect/stream/stream.h"
#include "data/text.h"
#include "format/infer.h"

namespace leat {
namespace {

constexpr int64_t kBlockBytesMax = 4 << 20;

// The option `start`.
struct Start {
  enum class From : uint8_t { kEarliest, kLatest, kOffset, kTime };
  From from = From::kEarliest;
  int64_t offset = 0;
  Micros time = 0;
};

Result<Start> StartOf(const Relation& relation) {
  const std::string text = OptionOr(relation.options, "start", "earliest");
  if (text == "earliest") return Start{};
  if (text == "latest") return Start{.from = Start::From::kLatest};
  Start start{.from = Start::From::kOffset};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), start.offset);
  if (error == std::errc() && end == text.data() + text.size() && start.offset >= 0) return start;
  const auto time = ParseValue(text, Type(TypeId::kTimestamptz), {});
  if (!time.ok()) {
    return InvalidValue("start", text,
                        "Write \"earliest\", \"latest\", an offset, or a point in time.");
  }
  start.from = Start::From::kTime;
  start.time = static_cast<const arrow::TimestampScalar&>(**time).value;
  return start;
}

using Checksum = std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)>;

Checksum StartChecksum() {
  Checksum state(XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(state.get());
  return state;
}

class StreamSource : public Source {
 public:
  StreamSource(std::string folder, RecordReader records, Start start, bool skip_deleted)
      : folder_(std::move(folder)),
        topic_(ReadFileTopic(folder_)),
        records_(std::move(records)),
        start_(start),
        skip_deleted_(skip_deleted) {}

  Status Seek(const Offset& offset) override {
    limit_.reset();
    position_.reset();
    told_ = !offset.empty();
    if (!offset.empty()) {
      LEAT_ASSIGN(position_, DecodeStreamOffset(offset));
    }
    return Status::OK();
  }
  Result<std::optional<Arrival>> Poll(int64_t bytes_max) override;
  bool Wait(std::chrono::milliseconds at_most) override { return topic_->Wait(at_most); }
  Result<Arrival> Reread(const Offset& end) override;
  Status Limit(const Offset& end) override {
    LEAT_ASSIGN(limit_, DecodeStreamOffset(end));
    position_ = *limit_;
    position_->at = position_->from;
    told_ = true;
    return Status::OK();
  }

 private:
  Result<Batch> Together(const std::vector<Batch>& batches) const {
    const Schema schema = records_.relation().schema();
    return batches.empty() ? EmptyBatch(schema) : Concatenate(schema, batches);
  }
  // Knows where to read: false while there is no topic.
  Result<bool> Begin();
  // Adds the next block before `until` to the arrival; false: there is none.
  Result<bool> ReadBlock(const TopicPlace* until, int64_t bytes_max, Arrival* arrival,
                         std::vector<Batch>* batches, XXH3_state_t* checksum);

  const std::string folder_;
  const std::unique_ptr<TopicReader> topic_;
  const RecordReader records_;
  const Start start_;
  const bool skip_deleted_;
  std::optional<StreamOffset> position_;
  bool told_ = false;                  // where reading began is in an offset
  std::optional<StreamOffset> limit_;  // see Limit
};

Result<bool> StreamSource::Begin() {
  LEAT_ASSIGN(const std::string identity, topic_->Identity());
  if (position_ && !position_->topic.empty() && identity != position_->topic) {
    return SqlStatus(fmt::format("topic \"{}\" is not the one that was read before", folder_),
                     {.sqlstate = "58P01",
                      .detail = identity.empty() ? "It is gone." : "It was made anew.",
                      .hint = "`leat run --fresh` drops the state and reads it from its start."});
  }
  if (identity.empty()) {
    // What is written to a topic that is not there yet comes after now.
    if (!position_) position_ = StreamOffset{};
    return false;
  }
  if (position_ && position_->topic.empty()) position_->topic = identity;
  if (position_) return true;
  TopicPlace place;
  switch (start_.from) {
    case Start::From::kEarliest:
    case Start::From::kOffset: {
      LEAT_ASSIGN(place, topic_->Earliest());
      break;
    }
    case Start::From::kLatest: {
      LEAT_ASSIGN(place, topic_->Latest());
      break;
    }
    case Start::From::kTime: {
      LEAT_ASSIGN(place, topic_->At(start_.time));
      break;
    }
  }
  position_ = StreamOffset{.topic = identity, .from = place, .at = place};
  return true;
}

Result<bool> StreamSource::ReadBlock(const TopicPlace* until, int64_t bytes_max, Arrival* arrival,
                                     std::vector<Batch>* batches, XXH3_state_t* checksum) {
  LEAT_ASSIGN(auto block, topic_->Read(position_->at, until, bytes_max, skip_deleted_));
  if (!block) return false;
  arrival->bytes_read += static_cast<int64_t>(block->text->size());
  XXH3_64bits_update(checksum, block->text->data(), block->text->size());
  position_->at = block->end;
  if (start_.from == Start::From::kOffset) {
    std::erase_if(block->records,
                  [&](const TopicRecord& record) { return record.offset < start_.offset; });
  }
  if (block->records.empty()) return true;
  LEAT_ASSIGN(ReadChunk chunk, records_.Read(*block));
  arrival->rows_read += chunk.rows_read;
  std::move(chunk.rejects.begin(), chunk.rejects.end(), std::back_inserter(arrival->rejects));
  if (chunk.batch.rows > 0) batches->push_back(std::move(chunk.batch));
  return true;
}

Result<std::optional<Arrival>> StreamSource::Poll(int64_t bytes_max) {
  LEAT_ASSIGN(const bool there, Begin());
  if (!there) return std::nullopt;
  const StreamOffset before = *position_;
  Arrival arrival{.place = records_.relation().name};
  std::vector<Batch> batches;
  const Checksum state = StartChecksum();
  const auto read =
      ReadBlock(limit_ ? &limit_->at : nullptr, std::clamp<int64_t>(bytes_max, 1, kBlockBytesMax),
                &arrival, &batches, state.get());
  if (!read.ok()) position_ = before;
  LEAT_RETURN(read.status());
  if (!*read && told_) return std::nullopt;
  told_ = true;
  LEAT_ASSIGN(arrival.batch, Together(batches));
  arrival.checksum = XXH3_64bits_digest(state.get());
  arrival.end = EncodeStreamOffset(*position_);
  return arrival;
}

Result<Arrival> StreamSource::Reread(const Offset& end) {
  LEAT_ASSIGN(const StreamOffset target, DecodeStreamOffset(end));
  LEAT_ASSIGN(const std::string identity, topic_->Identity());
  if (!position_ || position_->topic.empty()) {
    position_ = target;
    position_->at = target.from;
  }
  if (identity != target.topic) {
    return IOErrorF("topic \"{}\" is not the one that was read before", folder_);
  }
  Arrival arrival{.place = records_.relation().name, .end = end};
  std::vector<Batch> batches;
  const Checksum state = StartChecksum();
  while (position_->at.offsets != target.at.offsets) {
    LEAT_ASSIGN(const bool read,
                ReadBlock(&target.at, kBlockBytesMax, &arrival, &batches, state.get()));
    if (!read) {
      return IOErrorF("topic \"{}\" ends before the place to which it was read", folder_);
    }
  }
  position_->at = target.at;
  told_ = true;
  LEAT_ASSIGN(arrival.batch, Together(batches));
  arrival.checksum = XXH3_64bits_digest(state.get());
  return arrival;
}

}  // namespace

Result<std::unique_ptr<Source>> MakeStreamSource(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(std::string folder, TopicFolder(server, relation.options, relation.name));
  LEAT_ASSIGN(RecordReader records, RecordReader::Make(server, relation));
  LEAT_ASSIGN(const Start start, StartOf(relation));
  constexpr std::array<std::string_view, 2> kOnDelete = {"fail", "ignore"};
  LEAT_ASSIGN(const auto on_delete, ChoiceOption(relation.options, "on_delete", kOnDelete));
  return std::make_unique<StreamSource>(std::move(folder), std::move(records), start,
                                        on_delete == "ignore");
}

Result<Schema> InferTopicColumns(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(const std::string folder, TopicFolder(server, relation.options, relation.name));
  LEAT_ASSIGN(const RecordReader records, RecordReader::Make(server, relation));
  LEAT_ASSIGN(const auto block, ReadFileTopic(folder)->Read({}, nullptr, kBlockBytesMax,
                                                            /*skip_deleted=*/true));
  if (!block) {
    return SqlStatus(fmt::format("could not infer the columns of \"{}\": its topic has no records",
                                 relation.name),
                     {.sqlstate = kUndefinedTable,
                      .location = relation.location,
                      .hint = "Declare the columns."});
  }
  LEAT_ASSIGN(const TimeSpelling times, TimeSpellingOf(relation));
  return InferObjects(folder, records.Values(*block), times);
}

Status ReadTopic(const Server& server, const Relation& relation, const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const auto source, MakeStreamSource(server, relation));
  while (true) {
    LEAT_ASSIGN(const auto arrival, source->Poll(kBlockBytesMax));
    if (!arrival) return Status::OK();
    LEAT_RETURN(visit(*arrival));
  }
}

}  // namespace leat
