// The sum of two runs, made a little at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "state/run.h"

namespace leat {

// REQUIRES: both runs outlive the merge.
class Merge {
 public:
  Merge(const Run& a, const Run& b);
  // Takes up to `fuel` entries from the inputs, be it in the middle of a key; true when none is
  // left.
  bool Step(int64_t fuel);
  // REQUIRES: Step returned true.
  std::unique_ptr<Run> Take() { return builder_.Finish(); }

 private:
  struct Side {
    const Run* run;
    int64_t key = 0;    // the next key
    int64_t entry = 0;  // the next entry of the key being merged, up to `end`
    int64_t end = 0;
    bool done() const { return key == run->keys(); }
    void Open() { end = run->first(++key); }
  };
  // Picks the least key; one side or both take part.
  void OpenKey();
  // Adds entries of the key until it is done or the fuel is; returns the fuel left.
  int64_t AddEntries(int64_t fuel);
  void Append(std::string_view value, int64_t weight);

  Side a_, b_;
  std::string_view key_;
  bool key_written_ = true;
  RunBuilder builder_;
};

}  // namespace leat
