// Cuts a file into chunks on one thread while others parse them, and hands them out in order.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "format/format.h"

namespace leat {

// A chunk whose rows and lines are still counted from its own begin, 0.
struct ParsedChunk {
  ReadChunk chunk;
  int64_t lines = 0;
};
// Parses one chunk; owns all that it needs. Runs once, on any thread.
using ParseJob = std::function<Result<ParsedChunk>()>;

// The sequential half of a reader. Used by one thread at a time.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  // The next chunk, or nothing at the end.
  virtual Result<std::optional<ParseJob>> Next() = 0;
  // So little is left that to wake another thread would take longer than to read it.
  virtual bool is_small() const { return false; }
};

// Runs `source` on arrow's IO pool and its jobs on the CPU pool, at most `threads` + 2 chunks
// ahead. A thread that waits for a chunk which nobody has begun parses it itself, so that a caller
// on the CPU pool cannot wait for its own pool. What is small is read as it is asked for.
std::unique_ptr<FileReader> ReadAhead(std::unique_ptr<ChunkSource> source, int threads,
                                      int64_t first_row, int64_t first_line);

// Recycles the large buffers of a reader: fresh pages cost more than parsing them.
template <typename T>
class Recycler : public std::enable_shared_from_this<Recycler<T>> {
 public:
  // A T as somebody left it, or a new one; it comes back when the last owner lets go.
  std::shared_ptr<T> Take() {
    std::unique_ptr<T> taken;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        taken = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (taken == nullptr) taken = std::make_unique<T>();
    return {taken.release(), [recycler = this->weak_from_this()](T* returned) {
              std::unique_ptr<T> owned(returned);
              if (const auto alive = recycler.lock()) alive->Return(std::move(owned));
            }};
  }

 private:
  static constexpr size_t kFreeMax = 4;

  void Return(std::unique_ptr<T> owned) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kFreeMax) free_.push_back(std::move(owned));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
};

// How many '\n' there are.
int64_t CountLines(std::string_view text);

}  // namespace leat
