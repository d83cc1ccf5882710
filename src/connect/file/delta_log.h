// The log of a Delta Lake table (the protocol's PROTOCOL.md): numbered files of JSON actions, each
// made exclusively, and now and then a checkpoint of all that counts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace leat {

struct DeltaFile {
  std::string path;  // below the table, as it is on disk
  std::map<std::string, std::optional<std::string>> partition;
  int64_t bytes = 0;
  int64_t modified = 0;  // milliseconds since 1970
  std::string stats;     // JSON, or ""
};

struct DeltaTxn {
  int64_t version = 0;
  int64_t updated = 0;  // milliseconds since 1970
};

// What a table is at a version.
struct DeltaState {
  int64_t version = -1;    // no table
  int64_t checkpoint = 0;  // the version of the last one
  std::string id;
  std::string schema;  // JSON
  std::vector<std::string> partition_by;
  int64_t created = 0;
  bool timestamp_ntz = false;              // the table feature for timestamps without a zone
  std::map<std::string, DeltaFile> files;  // by path
  std::map<std::string, int64_t> removed;  // path → milliseconds since 1970
  std::map<std::string, DeltaTxn> txns;    // by appId
};

// The table in `folder` as it is now. Refused: what this code could only misread (deletion vectors,
// column mapping, checkpoints in several parts).
Result<DeltaState> ReadDeltaLog(const std::string& folder);
// Reads on from `state`.
Status ReadDeltaNews(const std::string& folder, DeltaState* state);

// Actions as lines of JSON.
std::string AddAction(const DeltaFile& file, bool data_change);
std::string RemoveAction(const DeltaFile& file, int64_t deleted, bool data_change);
std::string MetaDataAction(const DeltaState& state);
std::string ProtocolAction(const DeltaState& state);
std::string TxnAction(const std::string& app, const DeltaTxn& txn);
std::string CommitInfoAction(int64_t now, std::string_view operation);

// Makes `version` of the lines, durably; false: somebody else made it.
Result<bool> CommitDelta(const std::string& folder, int64_t version, const std::string& lines);
// Writes a checkpoint of the state, and removes log files before it that are older than `keep_ms`.
Status CheckpointDelta(const std::string& folder, const DeltaState& state, int64_t now,
                       int64_t keep_ms);

}  // namespace leat
