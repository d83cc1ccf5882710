// A topic, whoever keeps it: records in partitions, appended in transactions. What the source and
// the sink know of a system of streams; file_topic.h is one, in a folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "connect/sink.h"

namespace leat {

// Before a record of each partition; where that is, for whoever keeps the topic.
struct TopicPlace {
  std::vector<int64_t> offsets;  // by partition
  int64_t segment = 0;
  int64_t byte = 0;

  bool operator==(const TopicPlace&) const = default;
};

// text[begin, end) of a block.
struct TextExtent {
  uint32_t begin = 0, end = 0;
};

struct TopicRecord {
  uint32_t line = 0;  // where it begins in the block
  int32_t partition = 0;
  int64_t offset = 0;
  Micros timestamp = 0;
  std::optional<TextExtent> key;      // the inside of a JSON string
  std::optional<TextExtent> headers;  // a JSON object
  std::optional<TextExtent> value;    // nothing: the key's rows are deleted
};

// Records in the order in which they were committed. Behind the text are some readable bytes.
struct TopicBlock {
  std::shared_ptr<std::string> text;
  std::vector<TopicRecord> records;
  TopicPlace end;
};

// Reads what is committed, and nothing else. Used by one thread at a time.
class TopicReader {
 public:
  virtual ~TopicReader() = default;
  // The topic's identity; "" while there is none of that name.
  virtual Result<std::string> Identity() = 0;
  // The first record that is there; behind the last; the first at `time` or later.
  virtual Result<TopicPlace> Earliest() = 0;
  virtual Result<TopicPlace> Latest() = 0;
  virtual Result<TopicPlace> At(Micros time) = 0;
  // The next records from `place` on, at most about `bytes_max` and not beyond `until`; nothing if
  // there are none now. An error if those at `place` were deleted, unless `skip_deleted`.
  virtual Result<std::optional<TopicBlock>> Read(const TopicPlace& place, const TopicPlace* until,
                                                 int64_t bytes_max, bool skip_deleted) = 0;
  // Waits until there may be more, at most about `at_most`; false: there is not.
  virtual bool Wait(std::chrono::milliseconds at_most) = 0;
};

// Appends in transactions: what is put is seen when it is committed, all of it and with its mark.
// Used by one thread at a time; others may write to the same topic.
class TopicWriter {
 public:
  virtual ~TopicWriter() = default;
  // Makes the topic if it is missing, and forgets what was put and not committed. The mark of the
  // last commit under this writer's name.
  virtual Result<std::optional<Mark>> Open() = 0;
  virtual int32_t partitions() const = 0;
  // `key` is null where there is none. `value` is JSON on one line, or null. Without a time the
  // record gets that of its commit.
  virtual Status Put(int32_t partition, const std::string* key, std::optional<Micros> timestamp,
                     const std::string* value) = 0;
  virtual int64_t staged_bytes() const = 0;
  virtual Status Commit(const Mark& mark) = 0;
  // Deletes all records; offsets go on. Refused where others wrote some of them.
  virtual Status Empty() = 0;
};

}  // namespace leat
