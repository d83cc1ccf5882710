// Delta Lake tables (`format 'delta'`): written in modes append, upsert and replace, and read
// whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/file/delta_log.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

bool IsDelta(const Options& options);

// `target` is the table's folder.
Result<std::unique_ptr<Sink>> MakeDeltaSink(SinkSpec spec, std::string target,
                                            std::vector<int> partition_by);
Result<std::optional<Mark>> ReadDeltaMark(const SinkSpec& spec, const std::string& target);
// All rows of the table's newest version, in columns of the relation.
Status ReadDelta(const Relation& relation, const std::string& target, const ArrivalVisitor& visit);
Result<Schema> InferDeltaColumns(const std::string& target);

// --- What the sink and the reader share ----------------------------------------------------------

// As what a column is kept: what Delta has no type for is text.
Schema DeltaSchema(const Schema& schema);
Result<Batch> ToDelta(const Schema& schema, const Batch& batch);
// The log's `schemaString`.
std::string DeltaSchemaString(const Schema& schema);
Result<Schema> ParseDeltaSchema(const std::string& text);

// The columns of `schema` from one of the table's files, null where the file is older than a
// column.
class DeltaFileReader {
 public:
  DeltaFileReader(std::string folder, Schema schema, std::vector<int> columns);
  // Rows with these columns, batch after batch.
  Status Read(const DeltaFile& file, const std::function<Status(Batch batch)>& visit) const;

 private:
  const std::string folder_;
  const Schema schema_;  // of the table's relation
  const std::vector<int> columns_;
};

}  // namespace leat
