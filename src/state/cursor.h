// Walks the sum of several runs in the order of (key, value), up or down.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "state/run.h"
#include "state/run_file.h"

namespace leat {

// A run in memory, in a file, or in both. One of the two is there.
struct AnyRun {
  std::shared_ptr<SortedRun> memory;
  std::shared_ptr<const RunFile> file;
  const RunShape& shape() const { return memory ? memory->shape() : file->shape(); }
  int64_t entries() const { return static_cast<int64_t>(shape().entries); }
};

// A key of a run: its block (0 in memory) and its number there.
struct RunPlace {
  int64_t block = 0, key = 0;
  auto operator<=>(const RunPlace&) const = default;
};

// The first key of the run that is not less.
Result<RunPlace> LowerBound(const AnyRun& run, std::string_view key);
RunPlace EndOf(const AnyRun& run);

// A range of entries of one run, walked from either end. It is done at the end of the range, or
// where a block cannot be read: see status().
class RunCursor {
 public:
  // The entries of keys [begin, end). REQUIRES: the run outlives the cursor.
  RunCursor(const AnyRun& run, RunPlace begin, RunPlace end, bool backward);
  bool done() const { return done_; }
  const Status& status() const { return status_; }
  std::string_view key() const { return run_->key(at_.key); }
  std::string_view value() const { return run_->value(entry_); }
  int64_t weight() const { return run_->weight(entry_); }
  // What key() and value() gave before lasts until the call after this one.
  void Next();

 private:
  void OpenBlock(int64_t block);
  void OpenKey();
  void NextKey();

  const RunFile* file_;
  const RunView* run_ = nullptr;               // the block's, or the run itself
  std::shared_ptr<const Block> block_, left_;  // the one being read, and the one before
  RunPlace begin_, end_, at_;
  int64_t entry_ = 0;
  int64_t entry_end_ = 0;  // where the key's entries end: before the first, going down
  bool backward_;
  bool done_ = false;
  Status status_;
};

class SumCursor {
 public:
  SumCursor(std::vector<RunCursor> cursors, bool backward);
  // Goes to the next entry whose weights do not cancel; false at the end. What it gives lasts until
  // the next call.
  Result<bool> Next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  int64_t weight() const { return weight_; }

 private:
  struct Item {
    std::string_view key, value;
    uint32_t cursor;
  };
  bool After(const Item& a, const Item& b) const;
  // Restores the heap after its top changed.
  void SiftDown();
  Status AdvanceTop();

  std::vector<RunCursor> cursors_;
  std::vector<Item> heap_;  // the least (or the greatest) first
  bool backward_;
  std::string_view key_, value_;
  int64_t weight_ = 0;
  Status status_;
};

}  // namespace leat
