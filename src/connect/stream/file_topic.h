// A topic as a folder: the embedded stand-in for a broker.
//
//   topics/outflow/segment-000000000001.ndjson   records, a line each; grows at its end
//   topics/outflow/topic.json                    what is committed: its rename is the commit
//
// A line is {"partition":0,"timestamp":1210000000000000,"key":"7","headers":{…},"value":{…}}, key
// and headers only where there are some; its offset is the number of lines of its partition before
// it. What lies in a segment behind the bytes that topic.json counts was never committed: nobody
// reads it, and the next commit overwrites it. Commits of several processes take turns by a lock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/stream/topic.h"

namespace leat {

// topic.json.
struct TopicState {
  struct Segment {
    int64_t number = 1;
    int64_t bytes = 0;           // that are committed
    std::vector<int64_t> first;  // offsets at its beginning
  };
  // Of one writer, by its name.
  struct WriterMark {
    std::string writer;
    Mark mark;
  };
  std::string id;
  std::vector<int64_t> ends;      // next offset, by partition
  std::vector<Segment> segments;  // that are there, in order; at least one
  std::vector<WriterMark> marks;
};

// Nothing if there is no such topic.
Result<std::optional<TopicState>> ReadTopicState(const std::string& folder);
std::string EncodeTopicState(const TopicState& state);
// The folder of a foreign table's topic: option `topic`, or the table's name.
Result<std::string> TopicFolder(const Server& server, const Options& options,
                                const std::string& table);
std::string SegmentPath(const std::string& folder, int64_t number);

std::unique_ptr<TopicReader> ReadFileTopic(std::string folder);

struct FileTopicSpec {
  std::string folder;
  std::string writer;            // its name: marks of others are none of its business
  int32_t partitions = 1;        // of a topic that is made
  const Clock* clock = nullptr;  // a broker has one: the time of records that bring none
};
std::unique_ptr<TopicWriter> WriteFileTopic(FileTopicSpec spec);

// Deletes all records, whoever wrote them; offsets and marks go on.
Status EmptyFileTopic(const std::string& folder);

}  // namespace leat
