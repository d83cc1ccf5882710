// Files, handed to whoever keeps state, so that a simulator can tear, lose and reorder what was not
// synced. Paths are UTF-8; errors are IOErrors naming the path and the system's words.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace leat {

// A file that grows at its end. Destroying it closes it.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  virtual Status Append(std::string_view bytes) = 0;
  // What was appended survives a power cut.
  virtual Status Sync() = 0;
  virtual int64_t size() const = 0;
};

// A file's bytes, mapped or read; they live as long as this object.
class FileBytes {
 public:
  virtual ~FileBytes() = default;
  virtual std::string_view bytes() const = 0;
};

// A file that is read at any place. Thread-safe.
class ReadFile {
 public:
  virtual ~ReadFile() = default;
  virtual int64_t size() const = 0;
  // Exactly `size` bytes: fewer are an error.
  virtual Status ReadAt(int64_t offset, int64_t size, char* out) const = 0;
};

// Released when destroyed, and by the system when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Creates the file, or goes on at its end.
  virtual Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) = 0;
  virtual Result<std::unique_ptr<FileBytes>> Read(const std::string& path) = 0;
  // Here: what Read gives.
  virtual Result<std::unique_ptr<ReadFile>> OpenRead(const std::string& path);
  virtual Status Truncate(const std::string& path, int64_t size) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // atomic
  virtual Status Remove(const std::string& path) = 0;  // no error if it is not there
  virtual Status CreateDirectories(const std::string& path) = 0;
  // A created, renamed or removed name in the directory survives a power cut.
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;  // names, sorted
  virtual bool Exists(const std::string& path) = 0;
  // nullptr if another process holds it.
  virtual Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) = 0;
};

// The machine's own. Lives for ever.
FileSystem* PosixFileSystem();

// Writes a whole file so that a crash leaves either the old one or the new one: a temporary name,
// fsync, rename, fsync of the directory.
Status WriteFileAtomically(FileSystem* files, const std::string& path, std::string_view bytes);

}  // namespace leat
