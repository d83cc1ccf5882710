// Walks the sum of several runs in the order of (key, value), up or down.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "state/run.h"

namespace leat {

// A range of entries of one run, walked from either end.
class RunCursor {
 public:
  // The entries of keys [begin, end).
  RunCursor(const Run& run, int64_t begin, int64_t end, bool backward);
  bool done() const { return left_ == 0; }
  std::string_view key() const { return run_->key(key_); }
  std::string_view value() const { return run_->value(entry_); }
  int64_t weight() const { return run_->weight(entry_); }
  void Next();

 private:
  const Run* run_;
  int64_t key_ = 0;
  int64_t entry_ = 0;
  int64_t left_ = 0;  // entries
  bool backward_;
};

class SumCursor {
 public:
  SumCursor(std::vector<RunCursor> cursors, bool backward);
  // Goes to the next entry whose weights do not cancel; false at the end.
  bool Next();
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
  void AdvanceTop();

  std::vector<RunCursor> cursors_;
  std::vector<Item> heap_;  // the least (or the greatest) first
  bool backward_;
  std::string_view key_, value_;
  int64_t weight_ = 0;
};

}  // namespace leat
