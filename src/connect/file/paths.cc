#include "connect/file/paths.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>

namespace leat {
namespace {

namespace fs = std::filesystem;

// Deeper folders are a cycle of links.
constexpr int kDepthMax = 64;

bool HasWildcard(std::string_view part) { return part.find_first_of("*?[") != part.npos; }

bool IsHidden(std::string_view name) { return name.starts_with('_') || name.starts_with('.'); }

std::string Join(const std::string& folder, const std::string& name) {
  if (folder.empty()) return name;
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

std::vector<std::string> Split(const std::string& pattern) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < pattern.size();) {
    const size_t slash = std::min(pattern.find('/', at), pattern.size());
    std::string part = pattern.substr(at, slash - at);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    at = slash + 1;
  }
  return parts;
}

// The pattern's parts; one that means a folder ends with any number of folders.
std::vector<std::string> PartsOf(const std::string& root, const std::string& pattern) {
  std::vector<std::string> parts = Split(pattern);
  std::error_code error;
  if (pattern.empty() || pattern.ends_with('/') || fs::is_directory(Join(root, pattern), error)) {
    parts.emplace_back("**");
  }
  return parts;
}

bool MatchesPart(const std::string& part, const std::string& name) {
  if (!HasWildcard(part)) return part == name;
  return fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) == 0 &&
         (!name.starts_with('_') || part.starts_with('_'));
}

using Parts = std::span<const std::string>;

bool Matches(Parts parts, Parts names) {
  if (parts.empty() || names.empty()) return parts.empty() && names.empty();
  if (parts[0] != "**") {
    return MatchesPart(parts[0], names[0]) && Matches(parts.subspan(1), names.subspan(1));
  }
  const bool last = parts.size() == 1;
  if (!last && Matches(parts.subspan(1), names)) return true;
  if (IsHidden(names[0])) return false;
  return names.size() == 1 ? last : Matches(parts, names.subspan(1));
}

// A walk below `root` that collects what a split pattern names.
class Walk {
 public:
  Walk(const std::string& root, const std::vector<std::string>& parts)
      : root_(root), parts_(parts) {}

  Status Match(const std::string& folder, size_t part, int depth) {
    if (depth > kDepthMax) {
      return IOErrorF("folders below \"{}\" are nested too deeply", Join(root_, folder));
    }
    const bool last = part + 1 == parts_.size();
    if (parts_[part] == "**") return MatchAnyDepth(folder, part, depth);
    if (!HasWildcard(parts_[part])) {
      const std::string name = Join(folder, parts_[part]);
      return last ? Add(name) : Match(name, part + 1, depth + 1);
    }
    LEAT_ASSIGN(const auto names, List(folder));
    for (const std::string& name : names) {
      if (!MatchesPart(parts_[part], name)) continue;
      const std::string below = Join(folder, name);
      LEAT_RETURN(last ? Add(below) : Match(below, part + 1, depth + 1));
    }
    return Status::OK();
  }

  std::vector<FoundFile> Take() {
    std::vector<FoundFile> files;
    for (auto& [name, file] : found_) files.push_back(std::move(file));
    return files;
  }

 private:
  Status MatchAnyDepth(const std::string& folder, size_t part, int depth) {
    if (part + 1 < parts_.size()) LEAT_RETURN(Match(folder, part + 1, depth));
    LEAT_ASSIGN(const auto names, List(folder));
    for (const std::string& name : names) {
      if (IsHidden(name)) continue;
      const std::string below = Join(folder, name);
      std::error_code error;
      if (fs::is_directory(Join(root_, below), error)) {
        LEAT_RETURN(Match(below, part, depth + 1));
      } else if (part + 1 == parts_.size()) {
        LEAT_RETURN(Add(below));
      }
    }
    return Status::OK();
  }

  // Names in a folder; none where it is not a folder, or gone meanwhile.
  Result<std::vector<std::string>> List(const std::string& folder) const {
    std::vector<std::string> names;
    std::error_code error;
    const std::string path = Join(root_, folder);
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error && error != std::errc::not_a_directory &&
        error != std::errc::no_such_file_or_directory) {
      return IOErrorF("could not open directory \"{}\": {}", path, error.message());
    }
    return names;
  }

  Status Add(const std::string& name) {
    LEAT_ASSIGN(auto file, StatFile(root_, name));
    if (file) found_.insert_or_assign(name, std::move(*file));
    return Status::OK();
  }

  const std::string& root_;
  const std::vector<std::string>& parts_;
  std::map<std::string, FoundFile> found_;
};

}  // namespace

Result<std::optional<FoundFile>> StatFile(const std::string& root, const std::string& name) {
  FoundFile file{.name = name, .path = Join(root, name)};
  struct stat status {};
  if (::stat(file.path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return IOErrorF("could not stat file \"{}\": {}", file.path, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  file.size = status.st_size;
  file.modified = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return file;
}

bool NamesFile(const std::string& root, const std::string& pattern, const std::string& name) {
  return Matches(PartsOf(root, pattern), Split(name));
}

Result<std::vector<FoundFile>> FindFiles(const std::string& root, const std::string& pattern) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    return IOErrorF("could not open directory \"{}\": {}", root,
                    error ? error.message() : std::string("No such file or directory"));
  }
  const auto parts = PartsOf(root, pattern);
  Walk walk(root, parts);
  LEAT_RETURN(walk.Match("", 0, 0));
  auto files = walk.Take();
  if (files.empty() && !HasWildcard(pattern) && parts.back() != "**") {
    return IOErrorF("could not open file \"{}\" for reading: No such file or directory",
                    Join(root, pattern));
  }
  return files;
}

}  // namespace leat
