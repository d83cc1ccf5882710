// The `stream` kind: topics of records with keys, partitions and offsets, read and written.
#pragma once

#include <array>
#include <memory>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

inline constexpr std::array kStreamOptions = {
    OptionSpec{"topic", OptionPlace::kTable, "the table's name", "The topic's name there."},
    OptionSpec{"format", OptionPlace::kTable, "json",
               "Of the records' values: `json`, an object each, whose keys are the columns."},
    OptionSpec{"envelope", OptionPlace::kTable, "none",
               "`schema`: values are `{\"schema\": …, \"payload\": …}` as Kafka Connect's JSON "
               "converter writes and JDBC sinks expect; dates, times and decimals as it spells "
               "them."},
    OptionSpec{"start", OptionPlace::kTable, "earliest",
               "Where a source begins that was never read: `earliest`, `latest`, an offset (of "
               "every partition), or a point in time: the first record of then or later."},
    OptionSpec{"partitions", OptionPlace::kTable, "1",
               "How many partitions a sink's topic gets when it is made."},
    OptionSpec{"timestamp", OptionPlace::kTable, "when it is committed",
               "The column of type timestamp or timestamptz that is the records' time."},
    OptionSpec{"on_delete", OptionPlace::kTable, "fail",
               "When records were deleted before they were read: `fail`, or `ignore` it."},
    OptionSpec{"metadata", OptionPlace::kColumn, "",
               "The column is not in the value but of the record: its `key` (any type), "
               "`partition` (integer), `offset` (bigint), `timestamp` (timestamptz) or `headers` "
               "(jsonb)."},
};

Result<std::unique_ptr<Source>> MakeStreamSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Sink>> MakeStreamSink(SinkSpec spec);
Result<Schema> InferTopicColumns(const Server& server, const Relation& relation);
Status ReadTopic(const Server& server, const Relation& relation, const ArrivalVisitor& visit);
Result<std::optional<Mark>> ReadTopicMark(const SinkSpec& spec);

}  // namespace leat
