// Checkpoints of a group table: each writes the groups that changed since the one before, and now
// and then those of several checkpoints together, so that the files stay in proportion to the
// groups and every group is written a few times in its life, not at every checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/strings.h"
#include "state/chunked.h"
#include "state/group_table.h"
#include "state/store.h"

namespace leat {

class GroupLog {
 public:
  // Appends a group's state; puts it back.
  using Save = std::function<void(uint32_t group, std::string* out)>;
  using Load = std::function<Status(uint32_t group, std::string_view state)>;
  // Called between records: may take groups out of the table where memory has no room for them.
  using Relieve = std::function<Status()>;
  // Which of the keys have a group that Relieve took out; empty: none.
  using Elsewhere = std::function<Result<std::vector<uint8_t>>(const Strings& keys)>;

  // The group's state changed.
  void Touch(uint32_t group) {
    if (group >= changed_.size()) changed_.Resize(group + 1);
    changed_[group] = current_;
  }
  // The group of this key is gone, or will be before the next checkpoint.
  void Erased(std::string_view key) { erased_.push_back({std::string(key), current_}); }

  Status Checkpoint(const GroupTable& table, const Save& save, StateWriter* writer);
  // Fills an empty table, each group once. After Relieve took some out this log is of no use: the
  // caller begins a new one.
  Status Restore(GroupTable* table, const Load& load, const Relieve& relieve,
                 const Elsewhere& elsewhere, StateReader* reader);

 private:
  // The groups that changed in checkpoint `since` or later, when it was written.
  struct Segment {
    uint32_t since = 0;
    int64_t records = 0;
    std::vector<std::string> files;
  };
  struct Gone {
    std::string key;
    uint32_t number;
  };
  int64_t CountChanged(const GroupTable& table, uint32_t since) const;
  Status Write(const GroupTable& table, const Save& save, Segment* segment,
               StateWriter* writer) const;
  struct Restoring;
  Status Read(const Segment& segment, std::string_view file, Restoring* restoring);
  Status LoadPart(const Segment& segment, Restoring* restoring);

  uint32_t current_ = 1;           // the number of the next checkpoint
  Chunked<uint32_t> changed_;      // by group: the checkpoint that is to write it, or did
  std::vector<Gone> erased_;       // since the oldest segment
  std::vector<Segment> segments_;  // the oldest first
};

}  // namespace leat
