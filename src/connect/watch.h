// Waits until something changes in a folder or in folders below it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace leat {

// What came to pass since the last look.
struct FolderChanges {
  bool any = false;                // something happened, or may have
  bool all = false;                // look at everything: a file is gone, or nobody knows
  bool lost = false;               // a watched folder is gone: watch anew
  std::vector<std::string> names;  // else: files that are new or changed, below the root
};

// By inotify where the system has it and its limits allow; else by looking now and then, as on
// network file systems, where changes made elsewhere tell nobody. Used by one thread at a time.
class FolderWatch {
 public:
  virtual ~FolderWatch() = default;
  // Returns when something changed, or after about `at_most`.
  virtual FolderChanges Wait(std::chrono::milliseconds at_most) = 0;
};

struct WatchSpec {
  std::string root;
  std::string folder;    // below the root, "" itself: what is watched
  bool deep = false;     // and the folders below it
  bool growing = false;  // tell of every write, not only of the end of writing
};
// Watches from now on.
std::unique_ptr<FolderWatch> WatchFolder(WatchSpec spec);

// Whether some process has the file open to write to it. Asked of the kernel, which grants a lease
// for reading only on a file that nobody writes.
enum class Writers : uint8_t { kNone, kSome, kUnknown };
Writers WritersOf(const std::string& path);

}  // namespace leat
