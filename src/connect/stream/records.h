// Records of a topic as rows of a table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "connect/stream/topic.h"
#include "format/json_rows.h"

namespace leat {

enum class Metadata : uint8_t { kNone, kKey, kPartition, kOffset, kTimestamp, kHeaders };

class RecordReader {
 public:
  static Result<RecordReader> Make(const Server& server, const Relation& relation);

  const Relation& relation() const { return relation_; }
  // The rows of a block, and the rejects among its records: their offset is the record's, their
  // text its value. REQUIRES: at least one record.
  Result<ReadChunk> Read(const TopicBlock& block) const;
  // The rows' values, as far as they have one: what columns are inferred from.
  std::vector<std::string_view> Values(const TopicBlock& block) const;

 private:
  RecordReader(const Relation& relation, bool enveloped)
      : relation_(relation), enveloped_(enveloped) {}
  // Where the value of a record is that the columns lie in; nothing where it has none.
  std::optional<TextExtent> ValueOf(const TopicBlock& block, const TopicRecord& record) const;
  Status AddMetadata(const TopicBlock& block, ReadChunk* chunk) const;
  // A reject's place: its byte in the block becomes its record's offset.
  static void Place(const TopicBlock& block, Reject* reject);

  Relation relation_;
  bool enveloped_;  // values have a schema and a payload
  TextSettings text_;
  std::vector<Metadata> metadata_;  // by column of the relation
  std::vector<ReadColumn> all_;     // of the relation, for rejects
  std::shared_ptr<JsonPlan> plan_;  // the columns that are in the values
};

}  // namespace leat
