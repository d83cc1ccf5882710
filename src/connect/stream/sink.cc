#include <arrow/array.h>

#include <algorithm>
#include <unordered_set>

#include "connect/stream/connect_json.h"
#include "connect/stream/file_topic.h"
#include "connect/stream/stream.h"
#include "connect/weights.h"
#include "format/json_write.h"

namespace leat {
namespace {

// The partition of a key as Kafka's own clients choose it: murmur2 (Appleby), its sign bit off.
int32_t PartitionOf(std::string_view key, int32_t partitions) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<uint8_t>(key[at])); };
  uint32_t hash = 0x9747b28c ^ static_cast<uint32_t>(key.size());
  size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    uint32_t word = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    word *= kMultiplier;
    word ^= word >> 24;
    hash = (hash * kMultiplier) ^ (word * kMultiplier);
  }
  if (at < key.size()) {
    for (size_t i = key.size(); i > at; --i) hash ^= byte(i - 1) << (8 * (i - 1 - at));
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash & 0x7fffffff) % partitions;
}

Schema Columns(const Schema& schema, const std::vector<int>& columns) {
  Schema chosen;
  for (const int i : columns) chosen.columns.push_back(schema.columns[static_cast<size_t>(i)]);
  return chosen;
}

class StreamSink : public Sink {
 public:
  StreamSink(SinkSpec spec, std::unique_ptr<TopicWriter> topic, bool enveloped, int timestamp)
      : spec_(std::move(spec)),
        topic_(std::move(topic)),
        timestamp_(timestamp),
        enveloped_(enveloped),
        value_rows_(enveloped ? ConnectPayload(spec_.schema) : spec_.schema),
        key_schema_(Columns(spec_.schema, spec_.key)),
        key_rows_(key_schema_) {
    if (enveloped)
      schema_ = "{\"schema\":" + ConnectSchema(spec_.name, spec_.schema) + ",\"payload\":";
  }

  Result<std::optional<Mark>> Open() override {
    went_.clear();
    came_.clear();
    return topic_->Open();
  }
  Status Write(const Batch& batch) override;
  Status Commit(int64_t epoch) override;
  int64_t staged_bytes() const override { return topic_->staged_bytes(); }
  Status Reset() override { return topic_->Empty(); }

 private:
  // The keys of rows as text; null where a key of one column is.
  using Keys = std::vector<std::optional<std::string>>;
  Result<Keys> KeysOf(const Batch& rows);
  Status Put(const Batch& rows);

  const SinkSpec spec_;
  const std::unique_ptr<TopicWriter> topic_;
  const int timestamp_;  // the column that is the records' time; -1 none
  const bool enveloped_;
  std::string schema_;  // what stands before an enveloped value
  JsonRows value_rows_;
  const Schema key_schema_;
  JsonRows key_rows_;
  int64_t keyless_ = 0;  // records without a key: they take partitions in turn
  // kUpsert, of this commit: a key that went and did not come again is deleted.
  std::vector<std::string> went_;
  std::unordered_set<std::string> came_;
};

Result<StreamSink::Keys> StreamSink::KeysOf(const Batch& rows) {
  Keys keys(static_cast<size_t>(rows.rows));
  if (spec_.key.empty()) return keys;
  Batch columns{.rows = rows.rows};
  for (const int i : spec_.key) columns.columns.push_back(rows.columns[static_cast<size_t>(i)]);
  if (spec_.key.size() > 1) {  // an object, as the value is one
    LEAT_RETURN(key_rows_.Take(columns));
    for (int64_t row = 0; row < rows.rows; ++row) {
      LEAT_RETURN(key_rows_.Append(row, &keys[static_cast<size_t>(row)].emplace()));
    }
    return keys;
  }
  LEAT_ASSIGN(const auto texts, TextColumn::Make(columns.columns[0], key_schema_.columns[0].type));
  for (int64_t row = 0; row < rows.rows; ++row) {
    if (!texts.IsNull(row)) keys[static_cast<size_t>(row)] = texts[row];
  }
  return keys;
}

Status StreamSink::Put(const Batch& rows) {
  if (rows.rows == 0) return Status::OK();
  LEAT_ASSIGN(const Keys keys, KeysOf(rows));
  const arrow::TimestampArray* times = nullptr;
  if (timestamp_ >= 0) {
    times = static_cast<const arrow::TimestampArray*>(
        rows.columns[static_cast<size_t>(timestamp_)].get());
  }
  if (enveloped_) {
    LEAT_ASSIGN(const Batch payload, ToConnect(spec_.name, spec_.schema, rows));
    LEAT_RETURN(value_rows_.Take(payload));
  } else {
    LEAT_RETURN(value_rows_.Take(rows));
  }
  std::string value;
  for (int64_t row = 0; row < rows.rows; ++row) {
    value = schema_;
    LEAT_RETURN(value_rows_.Append(row, &value));
    if (enveloped_) value += '}';
    const auto& key = keys[static_cast<size_t>(row)];
    const int32_t partitions = topic_->partitions();
    const int32_t partition =
        key ? PartitionOf(*key, partitions) : static_cast<int32_t>(keyless_++ % partitions);
    std::optional<Micros> time;
    if (times != nullptr && times->IsValid(row)) time = times->Value(row);
    LEAT_RETURN(topic_->Put(partition, key ? &*key : nullptr, time, &value));
    if (spec_.mode == SinkMode::kUpsert && key) came_.insert(*key);
  }
  return Status::OK();
}

Status StreamSink::Write(const Batch& batch) {
  if (spec_.mode != SinkMode::kUpsert) {
    LEAT_ASSIGN(const Batch rows, RowsThatCame(batch, spec_.name));
    return Put(rows);
  }
  LEAT_ASSIGN(const CameAndWent rows, SplitByWeight(batch));
  LEAT_ASSIGN(const Keys keys, KeysOf(rows.went));
  for (const auto& key : keys) {
    if (key) went_.push_back(*key);
  }
  return Put(rows.came);
}

Status StreamSink::Commit(int64_t epoch) {
  for (const std::string& key : went_) {
    if (came_.contains(key)) continue;
    LEAT_RETURN(topic_->Put(PartitionOf(key, topic_->partitions()), &key, std::nullopt, nullptr));
  }
  went_.clear();
  came_.clear();
  return topic_->Commit({.state = spec_.state, .statement = spec_.statement, .epoch = epoch});
}

Result<int> TimestampColumn(const SinkSpec& spec) {
  LEAT_ASSIGN(const auto columns, ColumnList(spec.options, "timestamp", spec.schema));
  if (columns.empty()) return -1;
  const Column& column = spec.schema.columns[static_cast<size_t>(columns[0])];
  const bool fits = column.type.id == TypeId::kTimestamp || column.type.id == TypeId::kTimestamptz;
  if (columns.size() == 1 && fits) return columns[0];
  return InvalidValue("timestamp", OptionOr(spec.options, "timestamp", ""),
                      "Name one column of type timestamp or timestamp with time zone.");
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeStreamSink(SinkSpec spec) {
  static const SystemClock clock;
  if (spec.mode != SinkMode::kAppend && spec.mode != SinkMode::kUpsert) {
    return NotSupported(
        fmt::format("sink \"{}\": a topic has the modes \"append\", \"upsert\" and \"changelog\"",
                    spec.name),
        -1, "Records of a topic are not replaced.");
  }
  constexpr std::array<std::string_view, 2> kFormats = {"json", "ndjson"};
  constexpr std::array<std::string_view, 2> kEnvelopes = {"none", "schema"};
  LEAT_RETURN(ChoiceOption(spec.options, "format", kFormats).status());
  LEAT_ASSIGN(const auto envelope, ChoiceOption(spec.options, "envelope", kEnvelopes));
  LEAT_ASSIGN(const int timestamp, TimestampColumn(spec));
  LEAT_ASSIGN(const int64_t partitions, CountOption(spec.options, "partitions", 1, /*min=*/1));
  FileTopicSpec topic{.writer = spec.name,
                      .partitions = static_cast<int32_t>(std::min<int64_t>(partitions, 10'000)),
                      .clock = &clock};
  LEAT_ASSIGN(topic.folder, TopicFolder(spec.server, spec.options, spec.name));
  return std::make_unique<StreamSink>(std::move(spec), WriteFileTopic(std::move(topic)),
                                      envelope == "schema", timestamp);
}

Result<std::optional<Mark>> ReadTopicMark(const SinkSpec& spec) {
  LEAT_ASSIGN(const std::string folder, TopicFolder(spec.server, spec.options, spec.name));
  LEAT_ASSIGN(const auto state, ReadTopicState(folder));
  if (!state) return std::nullopt;
  for (const auto& [writer, mark] : state->marks) {
    if (writer == spec.name) return mark;
  }
  return std::nullopt;
}

}  // namespace leat
