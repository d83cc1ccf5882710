#include "connect/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>
#include <unordered_map>

namespace leat {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

// More folders are looked at now and then.
constexpr size_t kFoldersMax = 4096;
// How often everything is looked at where nobody tells of changes.
constexpr std::chrono::seconds kLookEvery(1);
// … and where somebody does, but perhaps not of all: another machine's writes, an overflow.
constexpr std::chrono::seconds kLookAnyway(10);

class LookingWatch : public FolderWatch {
 public:
  FolderChanges Wait(std::chrono::milliseconds at_most) override {
    const auto now = SteadyClock::now();
    if (now < next_) {
      std::this_thread::sleep_for(std::min<SteadyClock::duration>(at_most, next_ - now));
    }
    if (SteadyClock::now() < next_) return {};
    next_ = SteadyClock::now() + kLookEvery;
    return {.any = true, .all = true};
  }

 private:
  SteadyClock::time_point next_ = SteadyClock::now() + kLookEvery;
};

class InotifyWatch : public FolderWatch {
 public:
  explicit InotifyWatch(WatchSpec spec)
      : spec_(std::move(spec)),
        mask_(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR |
              IN_DELETE_SELF | IN_MOVE_SELF | (spec_.growing ? IN_MODIFY : 0u)),
        fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}
  ~InotifyWatch() override {
    if (fd_ >= 0) ::close(fd_);
  }
  InotifyWatch(const InotifyWatch&) = delete;
  InotifyWatch& operator=(const InotifyWatch&) = delete;

  // False: the system does not let it watch all of them.
  bool Start() { return fd_ >= 0 && Add(spec_.folder); }

  FolderChanges Wait(std::chrono::milliseconds at_most) override {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    static_cast<void>(::poll(&ready, 1, static_cast<int>(at_most.count())));
    FolderChanges changes;
    alignas(inotify_event) std::array<char, 16384> bytes;
    for (ssize_t got = 0; (got = ::read(fd_, bytes.data(), bytes.size())) > 0;) {
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(bytes.data() + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        Take(*event, &changes);
      }
    }
    if (SteadyClock::now() >= look_anyway_) changes.all = true;
    changes.any = changes.all || !changes.names.empty();
    if (changes.all) look_anyway_ = SteadyClock::now() + kLookAnyway;
    return changes;
  }

 private:
  // Watches `folder` (below the root; "" the root) and those below it.
  bool Add(const std::string& folder) {
    if (folders_.size() >= kFoldersMax) return false;
    const std::string path = folder.empty() ? spec_.root : spec_.root + "/" + folder;
    const int watch = ::inotify_add_watch(fd_, path.c_str(), mask_);
    // One below that is gone meanwhile needs no watch.
    if (watch < 0) return (errno == ENOENT || errno == ENOTDIR) && folder != spec_.folder;
    folders_[watch] = folder;
    if (!spec_.deep) return true;
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code unknown;
      if (!entry->is_directory(unknown) || entry->is_symlink(unknown)) continue;
      const std::string name = entry->path().filename().string();
      if (!Add(folder.empty() ? name : folder + "/" + name)) return false;
    }
    return true;
  }

  void Take(const inotify_event& event, FolderChanges* changes) {
    const auto folder = folders_.find(event.wd);
    if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) changes->lost = true;
    if (changes->lost || (event.mask & IN_Q_OVERFLOW) != 0 || folder == folders_.end()) {
      changes->all = true;
      return;
    }
    const std::string name = event.len > 0 ? std::string(event.name) : std::string();
    const std::string below = folder->second.empty() ? name : folder->second + "/" + name;
    if (spec_.deep && (event.mask & IN_ISDIR) != 0 &&
        (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
      static_cast<void>(Add(below));  // what it does not see, the look now and then does
    }
    std::error_code unknown;
    const bool file = (event.mask & (IN_MODIFY | IN_CLOSE_WRITE)) != 0 ||
                      ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 &&
                       fs::is_regular_file(spec_.root + "/" + below, unknown));
    if (!file) {
      changes->all = true;
    } else if (changes->names.empty() || changes->names.back() != below) {
      changes->names.push_back(below);
    }
  }

  const WatchSpec spec_;
  const uint32_t mask_;
  const int fd_;
  std::unordered_map<int, std::string> folders_;
  SteadyClock::time_point look_anyway_ = SteadyClock::now() + kLookAnyway;
};

}  // namespace

std::unique_ptr<FolderWatch> WatchFolder(WatchSpec spec) {
  auto watch = std::make_unique<InotifyWatch>(std::move(spec));
  if (watch->Start()) return watch;
  return std::make_unique<LookingWatch>();
}

Writers WritersOf(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Writers::kUnknown;
  // Whoever opens the file to write while the lease is held makes the kernel send a signal: one
  // that is ignored unless somebody cares, not SIGIO, which would end the process.
  Writers writers = Writers::kUnknown;
  if (::fcntl(fd, F_SETSIG, SIGURG) == 0) {
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
      ::fcntl(fd, F_SETLEASE, F_UNLCK);
      writers = Writers::kNone;
    } else if (errno == EAGAIN) {
      writers = Writers::kSome;
    }
  }
  ::close(fd);
  return writers;
}

}  // namespace leat
