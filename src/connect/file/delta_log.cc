#include "connect/file/delta_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "base/file_system.h"
#include "base/whole_file.h"
#include "connect/file/delta_checkpoint.h"
#include "connect/json.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

std::string LogFolder(const std::string& folder) { return folder + "/_delta_log"; }

// Paths are URIs in the log.
std::string EncodePath(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = static_cast<uint8_t>(c) > ' ' && std::strchr("%\"<>\\^`{}|?#", c) == nullptr;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

std::string DecodePath(std::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    uint8_t byte = 0;
    const char* digits = path.data() + i + 1;
    if (path[i] == '%' && i + 2 < path.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += path[i];
    }
  }
  return out;
}

bool Skip(JsonScanner* json) {
  std::string_view value;
  return json->Skip(&value);
}

bool ReadTextOrNull(JsonScanner* json, std::optional<std::string>* text) {
  if (json->Peek() == JsonKind::kNull) return Skip(json);
  return ReadJson(json, &text->emplace());
}

// Reads an object whose other members do not matter: `read(key)` is false for those it does not
// know, without having moved.
template <typename Read>
bool ReadMembers(JsonScanner* json, Read read) {
  if (json->Peek() != JsonKind::kObject) return false;
  json->Enter();
  std::string_view key;
  for (bool first = true; json->NextKey(first, &key); first = false) {
    if (json->Peek() == JsonKind::kNull || !read(key)) {
      if (!json->ok() || !Skip(json)) return false;
    }
  }
  return json->ok();
}

bool ReadPartition(JsonScanner* json, std::map<std::string, std::optional<std::string>>* values) {
  if (json->Peek() != JsonKind::kObject) return false;
  json->Enter();
  std::string_view key;
  for (bool first = true; json->NextKey(first, &key); first = false) {
    std::string name;
    if (!UnescapeJson(key, &name) || !ReadTextOrNull(json, &(*values)[name])) return false;
  }
  return json->ok();
}

// Applies the actions of a log file, one a line.
class Actions {
 public:
  explicit Actions(DeltaState* state) : state_(*state) {}

  Status Apply(std::string_view line) {
    JsonScanner json(line);
    const bool read = ReadMembers(&json, [&](std::string_view key) {
      if (key == "add") return Add(&json);
      if (key == "remove") return Remove(&json);
      if (key == "metaData") return MetaData(&json);
      if (key == "txn") return Txn(&json);
      return key == "protocol" && Protocol(&json);
    });
    if (!read) return Status::IOError("an action is damaged");
    return refused_.empty() ? Status::OK() : NotSupported(refused_);
  }

 private:
  bool Add(JsonScanner* json) {
    DeltaFile file;
    const bool read = ReadMembers(json, [&](std::string_view key) {
      if (key == "path") return ReadJson(json, &file.path);
      if (key == "partitionValues") return ReadPartition(json, &file.partition);
      if (key == "size") return ReadJson(json, &file.bytes);
      if (key == "modificationTime") return ReadJson(json, &file.modified);
      if (key == "stats") return ReadJson(json, &file.stats);
      if (key == "deletionVector")
        refused_ = "a Delta table with deletion vectors is not supported";
      return false;
    });
    file.path = DecodePath(file.path);
    state_.removed.erase(file.path);
    state_.files[file.path] = file;
    return read;
  }

  bool Remove(JsonScanner* json) {
    std::string path;
    int64_t deleted = 0;
    const bool read = ReadMembers(json, [&](std::string_view key) {
      if (key == "path") return ReadJson(json, &path);
      return key == "deletionTimestamp" && ReadJson(json, &deleted);
    });
    path = DecodePath(path);
    state_.files.erase(path);
    state_.removed[path] = deleted;
    return read;
  }

  bool MetaData(JsonScanner* json) {
    state_.partition_by.clear();
    return ReadMembers(json, [&](std::string_view key) {
      if (key == "id") return ReadJson(json, &state_.id);
      if (key == "schemaString") return ReadJson(json, &state_.schema);
      if (key == "createdTime") return ReadJson(json, &state_.created);
      return key == "partitionColumns" && ReadJsonArray(json, [&] {
               return ReadJson(json, &state_.partition_by.emplace_back());
             });
    });
  }

  bool Txn(JsonScanner* json) {
    std::string app;
    DeltaTxn txn;
    const bool read = ReadMembers(json, [&](std::string_view key) {
      if (key == "appId") return ReadJson(json, &app);
      if (key == "version") return ReadJson(json, &txn.version);
      return key == "lastUpdated" && ReadJson(json, &txn.updated);
    });
    state_.txns[app] = txn;
    return read;
  }

  bool Protocol(JsonScanner* json) {
    int64_t reader = 1;
    std::vector<std::string> features;
    const bool read = ReadMembers(json, [&](std::string_view key) {
      if (key == "minReaderVersion") return ReadJson(json, &reader);
      if (key != "readerFeatures" && key != "writerFeatures") return false;
      return ReadJsonArray(json, [&] { return ReadJson(json, &features.emplace_back()); });
    });
    for (const std::string& feature : features) {
      state_.timestamp_ntz = state_.timestamp_ntz || feature == "timestampNtz";
      if (feature == "timestampNtz" || feature == "appendOnly" || feature == "invariants") continue;
      refused_ = fmt::format("a Delta table with the feature \"{}\" is not supported", feature);
    }
    if (reader == 2) refused_ = "a Delta table with mapped columns is not supported";
    return read;
  }

  DeltaState& state_;
  std::string refused_;
};

std::string VersionPath(const std::string& folder, int64_t version) {
  return fmt::format("{}/{:020d}.json", LogFolder(folder), version);
}

// The version of a log file or a checkpoint by its name; -1 for others.
int64_t VersionOf(const std::string& name) {
  int64_t version = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  return error == std::errc() && end == name.data() + 20 ? version : -1;
}

std::string Text(std::string_view text) {
  std::string out;
  AppendJson(text, &out);
  return out;
}

std::string PartitionText(const DeltaFile& file) {
  std::string out = "{";
  for (const auto& [name, value] : file.partition) {
    if (out.size() > 1) out += ',';
    out += Text(name) + ":" + (value ? Text(*value) : "null");
  }
  return out + "}";
}

}  // namespace

Status ReadDeltaNews(const std::string& folder, DeltaState* state) {
  while (PosixFileSystem()->Exists(VersionPath(folder, state->version + 1))) {
    const std::string path = VersionPath(folder, state->version + 1);
    LEAT_ASSIGN(const std::string text, ReadWholeFile(path));
    Actions actions(state);
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = std::string_view(text).substr(at, end - at);
      if (!line.empty()) {
        const Status status = actions.Apply(line);
        if (!status.ok()) return status.WithMessage("\"", path, "\": ", status.message());
      }
      at = end + 1;
    }
    ++state->version;
  }
  return Status::OK();
}

Result<DeltaState> ReadDeltaLog(const std::string& folder) {
  DeltaState state;
  const std::string last = LogFolder(folder) + "/_last_checkpoint";
  if (PosixFileSystem()->Exists(last)) {
    LEAT_ASSIGN(const std::string text, ReadWholeFile(last));
    JsonScanner json(text);
    int64_t version = -1, parts = 0;
    const bool read = ReadMembers(&json, [&](std::string_view key) {
      if (key == "version") return ReadJson(&json, &version);
      return key == "parts" && ReadJson(&json, &parts);
    });
    if (!read || version < 0) return IOErrorF("\"{}\" is damaged", last);
    if (parts > 1) return NotSupported("a Delta table with checkpoints in parts is not supported");
    Actions actions(&state);
    LEAT_RETURN(ReadDeltaCheckpoint(
        fmt::format("{}/{:020d}.checkpoint.parquet", LogFolder(folder), version),
        [&](const std::string& action) { return actions.Apply(action); }));
    state.version = state.checkpoint = version;
  }
  LEAT_RETURN(ReadDeltaNews(folder, &state));
  return state;
}

std::string AddAction(const DeltaFile& file, bool data_change) {
  return fmt::format(
      "{{\"add\":{{\"path\":{},\"partitionValues\":{},\"size\":{},\"modificationTime\":{},"
      "\"dataChange\":{}{}}}}}\n",
      Text(EncodePath(file.path)), PartitionText(file), file.bytes, file.modified, data_change,
      file.stats.empty() ? "" : ",\"stats\":" + Text(file.stats));
}

std::string RemoveAction(const DeltaFile& file, int64_t deleted, bool data_change) {
  return fmt::format(
      "{{\"remove\":{{\"path\":{},\"deletionTimestamp\":{},\"dataChange\":{},"
      "\"extendedFileMetadata\":true,\"partitionValues\":{},\"size\":{}}}}}\n",
      Text(EncodePath(file.path)), deleted, data_change, PartitionText(file), file.bytes);
}

std::string MetaDataAction(const DeltaState& state) {
  std::string columns;
  for (const std::string& name : state.partition_by) {
    columns += (columns.empty() ? "" : ",") + Text(name);
  }
  return fmt::format(
      "{{\"metaData\":{{\"id\":{},\"format\":{{\"provider\":\"parquet\",\"options\":{{}}}},"
      "\"schemaString\":{},\"partitionColumns\":[{}],\"configuration\":{{}},\"createdTime\":{}}}}}"
      "\n",
      Text(state.id), Text(state.schema), columns, state.created);
}

std::string ProtocolAction(const DeltaState& state) {
  if (!state.timestamp_ntz) {
    return "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n";
  }
  return "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,"
         "\"readerFeatures\":[\"timestampNtz\"],\"writerFeatures\":[\"timestampNtz\"]}}\n";
}

std::string TxnAction(const std::string& app, const DeltaTxn& txn) {
  return fmt::format("{{\"txn\":{{\"appId\":{},\"version\":{},\"lastUpdated\":{}}}}}\n", Text(app),
                     txn.version, txn.updated);
}

std::string CommitInfoAction(int64_t now, std::string_view operation) {
  return fmt::format(
      "{{\"commitInfo\":{{\"timestamp\":{},\"operation\":\"{}\",\"operationParameters\":{{}},"
      "\"engineInfo\":\"leat\"}}}}\n",
      now, operation);
}

Result<bool> CommitDelta(const std::string& folder, int64_t version, const std::string& lines) {
  FileSystem& files = *PosixFileSystem();
  LEAT_RETURN(files.CreateDirectories(LogFolder(folder)));
  const std::string staged = fmt::format("{}/.leat-{}.tmp", LogFolder(folder), ::getpid());
  LEAT_RETURN(files.Remove(staged));
  {
    LEAT_ASSIGN(const auto file, files.OpenAppend(staged));
    LEAT_RETURN(file->Append(lines));
    LEAT_RETURN(file->Sync());
  }
  // A link is made whole or not at all, and never over another.
  const std::string path = VersionPath(folder, version);
  const bool made = ::link(staged.c_str(), path.c_str()) == 0;
  const int error = errno;
  LEAT_RETURN(files.Remove(staged));
  if (!made && error == EEXIST) return false;
  if (!made) return IOErrorF("could not create file \"{}\": {}", path, std::strerror(error));
  LEAT_RETURN(files.SyncDirectory(LogFolder(folder)));
  return true;
}

Status CheckpointDelta(const std::string& folder, const DeltaState& state, int64_t now,
                       int64_t keep_ms) {
  std::string lines = ProtocolAction(state) + MetaDataAction(state);
  for (const auto& [app, txn] : state.txns) lines += TxnAction(app, txn);
  for (const auto& [path, file] : state.files) lines += AddAction(file, false);
  for (const auto& [path, deleted] : state.removed) {
    if (deleted + keep_ms > now) lines += RemoveAction({.path = path}, deleted, false);
  }
  const std::string log = LogFolder(folder);
  const std::string path = fmt::format("{}/{:020d}.checkpoint.parquet", log, state.version);
  LEAT_ASSIGN(const int64_t actions, WriteDeltaCheckpoint(path + ".tmp", lines));
  FileSystem& files = *PosixFileSystem();
  LEAT_RETURN(files.Rename(path + ".tmp", path));
  LEAT_RETURN(
      WriteFileAtomically(&files, log + "/_last_checkpoint",
                          fmt::format("{{\"version\":{},\"size\":{}}}", state.version, actions)));
  LEAT_ASSIGN(const auto names, files.List(log));
  for (const std::string& name : names) {
    const int64_t version = VersionOf(name);
    if (version < 0 || version >= state.version) continue;
    std::error_code error;
    const auto age =
        fs::file_time_type::clock::now() - fs::last_write_time(log + "/" + name, error);
    if (!error && age >= std::chrono::milliseconds(keep_ms)) {
      LEAT_RETURN(files.Remove(log + "/" + name));
    }
  }
  return Status::OK();
}

}  // namespace leat
