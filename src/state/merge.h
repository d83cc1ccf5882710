// The sum of two runs, made a little at a time, in memory or in a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "state/cursor.h"
#include "state/run.h"
#include "state/run_file.h"

namespace leat {

class Merge {
 public:
  // Sums `a` and `b`, or copies `a` where there is no `b`. `to`: the file to write; null: memory.
  Merge(AnyRun a, const AnyRun* b, std::unique_ptr<StateFileMaker> to);
  // Takes up to `fuel` entries from the inputs, be it in the middle of a key; true when none is
  // left.
  Result<bool> Step(int64_t fuel);
  // The sum; nothing where all cancels. REQUIRES: Step returned true.
  Result<AnyRun> Take(std::shared_ptr<BlockCache> cache);
  // Bytes of memory taken by now, the inputs not counted.
  int64_t memory() const;

 private:
  // One input, walked block by block (a run in memory is one block).
  struct Side {
    AnyRun held;
    std::optional<RunFileReader> reader;  // of a run that is only in a file
    const RunView* run = nullptr;
    RunView block;
    int64_t key = 0;    // the next key of the block
    int64_t entry = 0;  // the next entry of the key being merged, up to `end`
    int64_t end = 0;
    bool done = true;  // no key is left

    Status Init(AnyRun any);
    // Goes to the first key of the next block, if the block is used up.
    Status Refill();
    // Takes the next key; its entries are [entry, end), and `more` in the next block if it says so.
    void OpenKey();
    // Goes on with the key in the next block. REQUIRES: more.
    Status Continue();
    bool more = false;
  };
  // Picks the least key; one side or both take part.
  Status OpenKey();
  // True when both sides have given all entries of the key.
  bool KeyDone() const;
  // Adds entries of the key until it is done or the fuel is; returns the fuel left.
  int64_t AddEntries(int64_t fuel);
  void Append(std::string_view value, int64_t weight);

  Status begun_;
  Side a_, b_;
  std::string key_;
  bool key_written_ = true;
  std::optional<RunBuilder> memory_;
  std::optional<RunFileBuilder> file_;
};

}  // namespace leat
