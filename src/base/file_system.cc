#include "base/file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace leat {
namespace {

namespace fs = std::filesystem;

Status Failed(const char* what, const std::string& path) {
  return IOErrorF("could not {} \"{}\": {}", what, path, std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixAppendFile : public AppendFile {
 public:
  PosixAppendFile(std::string path, int fd, int64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed("write to", path_);
      bytes.remove_prefix(static_cast<size_t>(written));
      size_ += written;
    }
    return Status::OK();
  }
  Status Sync() override {
    return ::fdatasync(fd_.get()) == 0 ? Status::OK() : Failed("sync", path_);
  }
  int64_t size() const override { return size_; }

 private:
  const std::string path_;
  Descriptor fd_;
  int64_t size_;
};

class MappedBytes : public FileBytes {
 public:
  MappedBytes(void* address, size_t size) : address_(address), size_(size) {}
  ~MappedBytes() override {
    if (size_ > 0) ::munmap(address_, size_);
  }
  std::string_view bytes() const override { return {static_cast<const char*>(address_), size_}; }

 private:
  void* address_;
  size_t size_;
};

Status TooShort(const std::string& path, int64_t offset, int64_t size) {
  return IOErrorF("could not read {} bytes at {} of \"{}\": the file ends before", size, offset,
                  path);
}

class PosixReadFile : public ReadFile {
 public:
  PosixReadFile(std::string path, int fd, int64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}
  int64_t size() const override { return size_; }
  Status ReadAt(int64_t offset, int64_t size, char* out) const override {
    for (int64_t done = 0; done < size;) {
      const ssize_t got =
          ::pread(fd_.get(), out + done, static_cast<size_t>(size - done), offset + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failed("read", path_);
      if (got == 0) return TooShort(path_, offset, size);
      done += got;
    }
    return Status::OK();
  }

 private:
  const std::string path_;
  Descriptor fd_;
  const int64_t size_;
};

// A file in bytes that are there already.
class BytesReadFile : public ReadFile {
 public:
  BytesReadFile(std::string path, std::unique_ptr<FileBytes> bytes)
      : path_(std::move(path)), bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_->bytes().size()); }
  Status ReadAt(int64_t offset, int64_t size, char* out) const override {
    if (offset < 0 || size < 0 || offset + size > this->size()) {
      return TooShort(path_, offset, size);
    }
    if (size > 0) std::memcpy(out, bytes_->bytes().data() + offset, static_cast<size_t>(size));
    return Status::OK();
  }

 private:
  const std::string path_;
  const std::unique_ptr<FileBytes> bytes_;
};

class PosixLock : public FileLock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;
};

class Posix : public FileSystem {
 public:
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) return Failed("open", path);
    const off_t size = ::lseek(fd, 0, SEEK_END);
    return std::make_unique<PosixAppendFile>(path, fd, size);
  }

  Result<std::unique_ptr<FileBytes>> Read(const std::string& path) override {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return Failed("open", path);
    struct stat info;
    if (::fstat(fd.get(), &info) != 0) return Failed("stat", path);
    const auto size = static_cast<size_t>(info.st_size);
    if (size == 0) return std::make_unique<MappedBytes>(nullptr, 0);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED) return Failed("map", path);
    return std::make_unique<MappedBytes>(address, size);
  }

  Result<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Failed("open", path);
    const off_t size = ::lseek(fd, 0, SEEK_END);
    return std::make_unique<PosixReadFile>(path, fd, size);
  }

  Status Truncate(const std::string& path, int64_t size) override {
    return ::truncate(path.c_str(), size) == 0 ? Status::OK() : Failed("truncate", path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? Status::OK() : Failed("rename", from);
  }

  Status Remove(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 || errno == ENOENT ? Status::OK() : Failed("remove", path);
  }

  // With a directory's name goes all that lies below: each is synced into the one above it before
  // anything is made in it. So of those that are there already only the last may not be synced yet,
  // by a process that was killed.
  Status CreateDirectories(const std::string& path) override {
    std::string above = ".", above_last;  // of `at`; of the last that is there
    fs::path at;
    for (const fs::path& name : fs::path(path)) {
      if (!at.empty()) above = at.string();
      at /= name;
      if (std::error_code ignored; fs::is_directory(at, ignored)) {
        above_last = above;
        continue;
      }
      LEAT_RETURN(SyncIfReadable(above_last));
      above_last.clear();
      if (::mkdir(at.c_str(), 0777) != 0) return Failed("create directory", at.string());
      LEAT_RETURN(SyncDirectory(above));
    }
    return SyncIfReadable(above_last);
  }

  Status SyncDirectory(const std::string& path) override {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return Failed("open directory", path);
    return ::fsync(fd.get()) == 0 ? Status::OK() : Failed("sync directory", path);
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator it(directory, error), end; !error && it != end;
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return IOErrorF("could not list \"{}\": {}", directory, error.message());
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(const std::string& path) override {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0;
  }

  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return Failed("open", path);
    auto lock = std::make_unique<PosixLock>(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) return std::unique_ptr<FileLock>();
    return Failed("lock", path);
  }

 private:
  // A directory that others made may be closed to us.
  Status SyncIfReadable(const std::string& path) {
    return path.empty() || ::access(path.c_str(), R_OK) != 0 ? Status::OK() : SyncDirectory(path);
  }
};

}  // namespace

Result<std::unique_ptr<ReadFile>> FileSystem::OpenRead(const std::string& path) {
  LEAT_ASSIGN(auto bytes, Read(path));
  return std::make_unique<BytesReadFile>(path, std::move(bytes));
}

FileSystem* PosixFileSystem() {
  static Posix posix;
  return &posix;
}

Status WriteFileAtomically(FileSystem* files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  LEAT_RETURN(files->Remove(temporary));
  LEAT_ASSIGN(auto file, files->OpenAppend(temporary));
  LEAT_RETURN(file->Append(bytes));
  LEAT_RETURN(file->Sync());
  LEAT_RETURN(files->Rename(temporary, path));
  const size_t slash = path.rfind('/');
  return files->SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace leat
