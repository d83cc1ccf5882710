#include "test/sim/disk.h"

#include <algorithm>
#include <array>
#include <map>

namespace leat::sim {
namespace {

constexpr size_t kSector = 512;

Status NotThere(const std::string& path) {
  return IOErrorF("could not open \"{}\": No such file or directory", path);
}

std::vector<std::string> Parts(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    if (slash > at) parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

class StringBytes : public FileBytes {
 public:
  explicit StringBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string_view bytes() const override { return bytes_; }

 private:
  const std::string bytes_;
};

void PutAt(size_t at, std::string_view bytes, std::string* file) {
  if (file->size() < at + bytes.size()) file->resize(at + bytes.size());
  file->replace(at, bytes.size(), bytes);
}

}  // namespace

// A file or a directory, as processes see it and as the platter has it.
struct Disk::Node {
  // A change of a file's bytes that is not certain yet.
  struct Change {
    size_t at = 0;
    std::string bytes;
    bool cut = false;   // the file ends at `at`
    bool lost = false;  // by a sync that failed: no later one writes it
  };
  // A change of a directory that is not certain yet; null: the name goes.
  struct Naming {
    std::string name;
    NodePtr node;
  };

  bool directory = false;
  std::string now, certain;
  std::vector<Change> changes;
  std::map<std::string, NodePtr> names_now, names_certain;
  std::vector<Naming> namings;
};

class Disk::File : public AppendFile {
 public:
  File(Disk* disk, std::string path, NodePtr node)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)) {}
  Status Append(std::string_view bytes) override {
    return disk_->Append(node_.get(), path_, bytes);
  }
  Status Sync() override { return disk_->Sync(node_.get(), path_); }
  int64_t size() const override { return static_cast<int64_t>(node_->now.size()); }

 private:
  Disk* const disk_;
  const std::string path_;
  const NodePtr node_;
};

class Disk::Lock : public FileLock {
 public:
  Lock(Disk* disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~Lock() override { disk_->locks_.erase(path_); }

 private:
  Disk* const disk_;
  const std::string path_;
};

Disk::Disk(World* world) : world_(world), root_(std::make_shared<Node>()) {
  root_->directory = true;
}
Disk::~Disk() = default;

// --- Names ---------------------------------------------------------------------------------------

Disk::NodePtr Disk::Find(const std::string& path, bool certain) const {
  NodePtr node = root_;
  for (const std::string& part : Parts(path)) {
    const auto& names = certain ? node->names_certain : node->names_now;
    const auto found = names.find(part);
    if (found == names.end()) return nullptr;
    node = found->second;
  }
  return node;
}

Result<Disk::NodePtr> Disk::Parent(const std::string& path, std::string* name) const {
  const auto parts = Parts(path);
  if (parts.empty()) return NotThere(path);
  *name = parts.back();
  NodePtr node = root_;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto found = node->names_now.find(parts[i]);
    if (found == node->names_now.end() || !found->second->directory) return NotThere(path);
    node = found->second;
  }
  return node;
}

void Disk::SetName(Node* directory, const std::string& name, NodePtr node) {
  if (node)
    directory->names_now[name] = node;
  else
    directory->names_now.erase(name);
  directory->namings.push_back({name, std::move(node)});
}

void Disk::Watch(const std::string& path) {
  if (watch_ && !world_->dead()) watch_(path);
}

Status Disk::Rename(const std::string& from, const std::string& to) {
  LEAT_RETURN(world_->Try(Deed::kDiskName, from + " to " + to));
  std::string from_name, to_name;
  LEAT_ASSIGN(const NodePtr from_parent, Parent(from, &from_name));
  LEAT_ASSIGN(const NodePtr to_parent, Parent(to, &to_name));
  const NodePtr node = Find(from, false);
  if (!node) return NotThere(from);
  Watch(to);
  SetName(to_parent.get(), to_name, node);
  SetName(from_parent.get(), from_name, nullptr);
  return Status::OK();
}

Status Disk::Remove(const std::string& path) {
  LEAT_RETURN(world_->Try(Deed::kDiskName, "removed " + path));
  std::string name;
  if (!Find(path, false)) return Status::OK();
  LEAT_ASSIGN(const NodePtr parent, Parent(path, &name));
  Watch(path);
  SetName(parent.get(), name, nullptr);
  return Status::OK();
}

// As the real one does it: each is synced into the one above it before anything is made in it.
Status Disk::CreateDirectories(const std::string& path) {
  NodePtr node = root_;
  std::string above = "/", above_last;
  for (const std::string& part : Parts(path)) {
    const auto found = node->names_now.find(part);
    if (found != node->names_now.end()) {
      node = found->second;
      above_last = above;
    } else {
      if (!above_last.empty()) LEAT_RETURN(SyncDirectory(above_last));
      above_last.clear();
      LEAT_RETURN(world_->Try(Deed::kDiskName, "directory " + part + " in " + above));
      auto made = std::make_shared<Node>();
      made->directory = true;
      SetName(node.get(), part, made);
      LEAT_RETURN(SyncDirectory(above));
      node = std::move(made);
    }
    if (!node->directory) return IOErrorF("could not create directory \"{}\": File exists", path);
    above += part + "/";
  }
  return above_last.empty() ? Status::OK() : SyncDirectory(above_last);
}

Status Disk::SyncDirectory(const std::string& path) {
  LEAT_RETURN(world_->Try(Deed::kDiskSync, path));
  const NodePtr node = Find(path, false);
  if (!node || !node->directory) return NotThere(path);
  if (lies_.directories_unsynced) return Status::OK();
  node->names_certain = node->names_now;
  node->namings.clear();
  return Status::OK();
}

Result<std::vector<std::string>> Disk::List(const std::string& directory) {
  LEAT_RETURN(world_->Try(Deed::kDiskName, "list of " + directory));
  const NodePtr node = Find(directory, false);
  if (!node || !node->directory) return NotThere(directory);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->names_now) names.push_back(name);
  return names;
}

bool Disk::Exists(const std::string& path) { return Find(path, false) != nullptr; }

Result<std::unique_ptr<FileLock>> Disk::TryLock(const std::string& path) {
  LEAT_RETURN(OpenAppend(path).status());
  if (locks_[path]) return std::unique_ptr<FileLock>();
  locks_[path] = true;
  return std::make_unique<Lock>(this, path);
}

// --- Bytes ---------------------------------------------------------------------------------------

Result<std::unique_ptr<AppendFile>> Disk::OpenAppend(const std::string& path) {
  LEAT_RETURN(world_->Try(Deed::kDiskName, path));
  std::string name;
  LEAT_ASSIGN(const NodePtr parent, Parent(path, &name));
  NodePtr& node = parent->names_now[name];
  if (!node) {
    node = std::make_shared<Node>();
    parent->namings.push_back({name, node});
  }
  return std::make_unique<File>(this, path, node);
}

Result<std::unique_ptr<FileBytes>> Disk::Read(const std::string& path) {
  LEAT_RETURN(world_->Try(Deed::kDiskRead, path));
  const NodePtr node = Find(path, false);
  if (!node || node->directory) return NotThere(path);
  std::string bytes = node->now;
  if (lies_.misread) lies_.misread(path, &bytes);
  return std::make_unique<StringBytes>(std::move(bytes));
}

Status Disk::Append(Node* file, const std::string& path, std::string_view bytes) {
  const Status status = world_->Try(Deed::kDiskWrite, path);
  if (world_->dead()) return status;
  // A disk that is full, or fails, may have taken a part.
  if (!status.ok()) bytes = bytes.substr(0, world_->random().Below(bytes.size() + 1));
  if (!bytes.empty())
    file->changes.push_back({.at = file->now.size(), .bytes = std::string(bytes)});
  file->now.append(bytes);
  return status;
}

Status Disk::Truncate(const std::string& path, int64_t size) {
  LEAT_RETURN(world_->Try(Deed::kDiskWrite, path));
  const NodePtr node = Find(path, false);
  if (!node) return NotThere(path);
  Watch(path);
  node->now.resize(static_cast<size_t>(size));
  node->changes.push_back({.at = static_cast<size_t>(size), .cut = true});
  return Status::OK();
}

Status Disk::Sync(Node* file, const std::string& path) {
  const Status status = world_->Try(Deed::kDiskSync, path);
  if (world_->dead()) return status;
  if (!status.ok()) {
    for (auto& change : file->changes) change.lost = true;
    return status;
  }
  if (!lies_.unsynced.empty() && path.find(lies_.unsynced) != path.npos) return status;
  std::vector<Node::Change> lost;
  for (auto& change : file->changes) {
    if (change.lost) {
      lost.push_back(std::move(change));
    } else if (change.cut) {
      if (change.at < file->certain.size()) file->certain.resize(change.at);
      std::erase_if(lost, [&](const auto& other) { return other.at >= change.at; });
    } else {
      PutAt(change.at, change.bytes, &file->certain);
    }
  }
  file->changes = std::move(lost);
  return status;
}

// --- A crash -------------------------------------------------------------------------------------

void Disk::Crash() {
  // Names first: what nobody can reach any more need not be decided.
  CrashNames(root_.get());
}

void Disk::CrashNames(Node* directory) {
  Random& random = world_->random();
  auto names = directory->names_certain;
  if (random.OneIn(3)) {  // any name as it was at any time since the sync
    std::map<std::string, std::vector<NodePtr>> choices;
    for (const auto& naming : directory->namings) choices[naming.name].push_back(naming.node);
    for (const auto& [name, nodes] : choices) {
      const size_t choice = random.Below(nodes.size() + 1);
      if (choice < nodes.size()) names[name] = nodes[choice];
    }
  } else {  // as a journal does: up to some time
    const size_t kept = random.OneIn(3) ? 0 : random.Below(directory->namings.size() + 1);
    for (size_t i = 0; i < kept; ++i) {
      names[directory->namings[i].name] = directory->namings[i].node;
    }
  }
  std::erase_if(names, [](const auto& name) { return name.second == nullptr; });
  directory->names_now = directory->names_certain = std::move(names);
  directory->namings.clear();
  for (const auto& [name, node] : directory->names_now) {
    if (node->directory)
      CrashNames(node.get());
    else
      CrashBytes(node.get());
  }
}

// Sector by sector, each is written or not; the last one written may be torn, and where one was
// lost the file may have grown all the same.
void Disk::CrashBytes(Node* file) {
  Random& random = world_->random();
  constexpr std::array<uint64_t, 5> kKept = {0, 50, 90, 99, 100};  // percent, all of a crash
  const uint64_t kept = kKept[random.Below(kKept.size())];
  const bool grows = random.OneIn(2);
  for (const auto& change : file->changes) {
    if (change.cut) {
      const bool cut = random.Below(100) < kept;
      if (cut && change.at < file->certain.size()) file->certain.resize(change.at);
      continue;
    }
    for (size_t done = 0; done < change.bytes.size();) {
      const size_t at = change.at + done;
      size_t size = std::min(kSector - at % kSector, change.bytes.size() - done);
      std::string_view piece = std::string_view(change.bytes).substr(done, size);
      done += size;
      if (random.Below(100) < kept) {
        if (kept < 100 && random.OneIn(8)) piece = piece.substr(0, random.Below(size + 1));
        PutAt(at, piece, &file->certain);
      } else if (grows && file->certain.size() < at + size) {
        file->certain.resize(at + size);
      }
    }
  }
  file->changes.clear();
  file->now = file->certain;
}

bool Disk::CertainBytes(const std::string& path, std::string* bytes) const {
  const NodePtr node = Find(path, true);
  if (!node || node->directory) return false;
  *bytes = node->certain;
  return true;
}

bool Disk::CertainNames(const std::string& directory, std::vector<std::string>* names) const {
  const NodePtr node = Find(directory, true);
  if (!node || !node->directory) return false;
  for (const auto& [name, child] : node->names_certain) names->push_back(name);
  return true;
}

// --- What is certain -----------------------------------------------------------------------------

namespace {

// Takes what is written and forgets it.
class NoFile : public AppendFile {
 public:
  Status Append(std::string_view) override { return Status::OK(); }
  Status Sync() override { return Status::OK(); }
  int64_t size() const override { return 0; }
};

class Certain : public FileSystem {
 public:
  explicit Certain(const Disk* disk) : disk_(disk) {}
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string&) override {
    return std::make_unique<NoFile>();
  }
  Result<std::unique_ptr<FileBytes>> Read(const std::string& path) override {
    std::string bytes;
    if (!disk_->CertainBytes(path, &bytes)) return NotThere(path);
    return std::make_unique<StringBytes>(std::move(bytes));
  }
  Status Truncate(const std::string&, int64_t) override { return Status::OK(); }
  Status Rename(const std::string&, const std::string&) override { return Status::OK(); }
  Status Remove(const std::string&) override { return Status::OK(); }
  Status CreateDirectories(const std::string&) override { return Status::OK(); }
  Status SyncDirectory(const std::string&) override { return Status::OK(); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    std::vector<std::string> names;
    if (!disk_->CertainNames(directory, &names)) return NotThere(directory);
    return names;
  }
  bool Exists(const std::string& path) override {
    std::string bytes;
    std::vector<std::string> names;
    return disk_->CertainBytes(path, &bytes) || disk_->CertainNames(path, &names);
  }
  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override {
    return IOErrorF("\"{}\" is to look only", path);
  }

 private:
  const Disk* const disk_;
};

}  // namespace

std::unique_ptr<FileSystem> CertainView(const Disk* disk) {
  return std::make_unique<Certain>(disk);
}

}  // namespace leat::sim
