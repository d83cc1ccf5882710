// A disk that does no more than POSIX promises. What was written and not synced may be there after
// a crash, or parts of it, or none; a name that was made, moved or removed may be as it was before
// unless its directory was synced since, and so may the directory's own name in its parent. A sync
// that fails has lost what it should have written, though reads still show it until the crash.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "test/sim/world.h"

namespace leat::sim {

// Lies that a canary tells the engine; none in an honest run.
struct DiskLies {
  std::string unsynced;  // Sync of a file with this in its name does nothing
  bool directories_unsynced = false;
  // Changes what Read gives.
  std::function<void(const std::string& path, std::string* bytes)> misread;
};

class Disk : public FileSystem {
 public:
  explicit Disk(World* world);
  ~Disk() override;

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override;
  Result<std::unique_ptr<FileBytes>> Read(const std::string& path) override;
  Status Truncate(const std::string& path, int64_t size) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  bool Exists(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override;

  // The power is cut: what remains is decided by the world's generator.
  void Crash();
  // Of a file: what is certain to be there after a crash; false if not even its name is.
  bool CertainBytes(const std::string& path, std::string* bytes) const;
  // The names in a directory that are certain to be there; false if the directory is not.
  bool CertainNames(const std::string& directory, std::vector<std::string>* names) const;

  void Lie(DiskLies lies) { lies_ = std::move(lies); }
  // Called before a file's bytes are cut off, or its name goes or is taken by another.
  void BeforeLoss(std::function<void(const std::string& path)> watch) { watch_ = std::move(watch); }

 private:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  class File;
  class Lock;

  NodePtr Find(const std::string& path, bool certain) const;
  Result<NodePtr> Parent(const std::string& path, std::string* name) const;
  void SetName(Node* directory, const std::string& name, NodePtr node);
  void Watch(const std::string& path);
  Status Append(Node* file, const std::string& path, std::string_view bytes);
  Status Sync(Node* file, const std::string& path);
  void CrashNames(Node* directory);
  void CrashBytes(Node* file);

  World* const world_;
  DiskLies lies_;
  std::function<void(const std::string& path)> watch_;
  NodePtr root_;
  std::map<std::string, bool> locks_;
};

// The disk as it would be at worst after a crash now, to look only. `disk` must outlive it.
std::unique_ptr<FileSystem> CertainView(const Disk* disk);

}  // namespace leat::sim
