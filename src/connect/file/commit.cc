#include "connect/file/commit.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "connect/json.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

constexpr size_t kStateDigits = 12;

std::string Below(const std::string& target, std::string_view name) {
  return fmt::format("{}/{}", target, name);
}

Status Failed(std::string_view what, const std::string& path, const std::error_code& error) {
  return IOErrorF("could not {} \"{}\": {}", what, path, error.message());
}

std::error_code LastError() { return {errno, std::generic_category()}; }

Status SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open directory", path, LastError());
  const int synced = ::fsync(fd);
  const auto error = LastError();
  ::close(fd);
  return synced == 0 ? Status::OK() : Failed("fsync directory", path, error);
}

Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? Failed("create directory", path, error) : Status::OK();
}

Status WriteSynced(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return Failed("create file", path, LastError());
  bool good = true;
  for (size_t done = 0; good && done < text.size();) {
    const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    good = wrote >= 0;
    if (good) done += static_cast<size_t>(wrote);
  }
  good = good && ::fsync(fd) == 0;
  const auto error = LastError();
  ::close(fd);
  return good ? Status::OK() : Failed("write file", path, error);
}

Status Rename(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return error ? Failed("rename to", to, error) : Status::OK();
}

std::string Encode(const CommitManifest& manifest) {
  std::string text = "{\"state\":";
  AppendJson(manifest.mark.state, &text);
  text += ",\"statement\":";
  AppendJson(manifest.mark.statement, &text);
  text += fmt::format(",\"epoch\":{},\"files\":[", manifest.mark.epoch);
  for (const CommitFile& file : manifest.files) {
    text += text.ends_with('[') ? "\n{\"staged\":" : ",\n{\"staged\":";
    AppendJson(file.staged, &text);
    text += ",\"name\":";
    AppendJson(file.name, &text);
    text += fmt::format(",\"rows\":{},\"bytes\":{}}}", file.rows, file.bytes);
  }
  text += "],\"replaced\":[";
  for (const std::string& folder : manifest.replaced) {
    if (!text.ends_with('[')) text += ',';
    AppendJson(folder, &text);
  }
  return text + "]}\n";
}

bool DecodeFile(JsonScanner* json, CommitFile* file) {
  return ReadJsonObject(json, 4, [&](std::string_view key) {
    if (key == "staged") return ReadJson(json, &file->staged);
    if (key == "name") return ReadJson(json, &file->name);
    if (key == "rows") return ReadJson(json, &file->rows);
    return key == "bytes" && ReadJson(json, &file->bytes);
  });
}

bool Decode(const std::string& text, CommitManifest* manifest) {
  JsonScanner json(text);
  // A manifest without a member is one from before there was `replaced`.
  const int members = text.find("\"replaced\":") == text.npos ? 4 : 5;
  const bool read = ReadJsonObject(&json, members, [&](std::string_view key) {
    if (key == "state") return ReadJson(&json, &manifest->mark.state);
    if (key == "statement") return ReadJson(&json, &manifest->mark.statement);
    if (key == "epoch") return ReadJson(&json, &manifest->mark.epoch);
    if (key == "replaced") {
      return ReadJsonArray(&json,
                           [&] { return ReadJson(&json, &manifest->replaced.emplace_back()); });
    }
    return key == "files" &&
           ReadJsonArray(&json, [&] { return DecodeFile(&json, &manifest->files.emplace_back()); });
  });
  return read && json.AtEnd();
}

std::string ManifestPath(const std::string& target) { return Below(target, "_leat/commit.json"); }

// All paths below a folder, files before the folders that hold them.
Result<std::vector<fs::path>> Everything(const std::string& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    paths.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Failed("read directory", folder, error);
  }
  std::reverse(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string StagingFolder(const std::string& target) { return Below(target, "_leat/tmp"); }

std::string DataFilePrefix(const std::string& state) {
  return fmt::format("leat-{}-", state.substr(0, kStateDigits));
}

Status MakeFolders(const std::string& target) { return MakeFolder(StagingFolder(target)); }

Result<std::optional<CommitManifest>> ReadManifest(const std::string& target) {
  const std::string path = ManifestPath(target);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CommitManifest manifest;
  if (!file || !Decode(text, &manifest)) return IOErrorF("manifest \"{}\" is damaged", path);
  return manifest;
}

Status WriteManifest(const std::string& target, const CommitManifest& manifest) {
  LEAT_RETURN(SyncFolder(StagingFolder(target)));
  const std::string path = ManifestPath(target);
  LEAT_RETURN(WriteSynced(path + ".tmp", Encode(manifest)));
  LEAT_RETURN(Rename(path + ".tmp", path));
  return SyncFolder(Below(target, "_leat"));
}

Status MoveIntoPlace(const std::string& target, const CommitManifest& manifest) {
  std::set<std::string> folders;
  for (const CommitFile& file : manifest.files) {
    const std::string from = Below(StagingFolder(target), file.staged);
    std::error_code error;
    if (!fs::exists(from, error)) continue;  // moved before the crash
    const fs::path to = Below(target, file.name);
    LEAT_RETURN(MakeFolder(to.parent_path().string()));
    LEAT_RETURN(Rename(from, to.string()));
    // The folder, and those above it, which may be new.
    for (fs::path folder = to.parent_path(); folder.string().size() >= target.size();
         folder = folder.parent_path()) {
      if (!folders.insert(folder.string()).second) break;
    }
  }
  for (const std::string& folder : folders) LEAT_RETURN(SyncFolder(folder));
  return folders.empty() ? Status::OK() : SyncFolder(StagingFolder(target));
}

Status RemoveReplaced(const std::string& target, const CommitManifest& manifest, bool everywhere) {
  std::set<std::string> replaced;
  for (const std::string& folder : manifest.replaced) replaced.insert(Below(target, folder));
  std::set<std::string> named;
  for (const CommitFile& file : manifest.files) named.insert(Below(target, file.name));
  LEAT_ASSIGN(const auto paths, Everything(target));
  for (const fs::path& path : paths) {
    const std::string name = path.filename().string();
    std::error_code error;
    const bool here = everywhere || replaced.contains(path.parent_path().string());
    if (here && name.starts_with(DataFilePrefix(manifest.mark.state)) &&
        !named.contains(path.string()) && !fs::remove(path, error)) {
      return Failed("remove file", path.string(), error);
    }
    // Partition folders without a file left; remove() leaves others alone.
    if (name.find('=') != name.npos && fs::is_directory(path, error)) fs::remove(path, error);
  }
  return Status::OK();
}

Status ClearStaging(const std::string& target) {
  LEAT_ASSIGN(const auto paths, Everything(StagingFolder(target)));
  for (const fs::path& path : paths) {
    std::error_code error;
    if (!fs::remove(path, error) && error) return Failed("remove", path.string(), error);
  }
  return Status::OK();
}

Status RemoveCommitted(const std::string& target, const std::vector<std::string>& states) {
  LEAT_ASSIGN(const auto paths, Everything(target));
  std::set<std::string> folders;
  for (const fs::path& path : paths) {
    const std::string name = path.filename().string();
    const bool ours = std::any_of(states.begin(), states.end(), [&](const std::string& state) {
      return name.starts_with(DataFilePrefix(state));
    });
    std::error_code error;
    if (ours && !fs::remove(path, error)) return Failed("remove file", path.string(), error);
    // Partition folders without a file left; remove() leaves others alone.
    if (name.find('=') != name.npos && fs::is_directory(path, error)) fs::remove(path, error);
  }
  std::error_code error;
  fs::remove(ManifestPath(target), error);
  return error ? Failed("remove file", ManifestPath(target), error)
               : SyncFolder(Below(target, "_leat"));
}

}  // namespace leat
