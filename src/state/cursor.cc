#include "state/cursor.h"

#include <algorithm>

namespace leat {

RunCursor::RunCursor(const Run& run, int64_t begin, int64_t end, bool backward)
    : run_(&run), backward_(backward) {
  if (begin >= end) return;
  left_ = run.first(end) - run.first(begin);
  key_ = backward ? end - 1 : begin;
  entry_ = backward ? run.first(end) - 1 : run.first(begin);
}

void RunCursor::Next() {
  if (--left_ == 0) return;
  if (backward_) {
    if (--entry_ < run_->first(key_)) --key_;
  } else {
    if (++entry_ == run_->first(key_ + 1)) ++key_;
  }
}

SumCursor::SumCursor(std::vector<RunCursor> cursors, bool backward)
    : cursors_(std::move(cursors)), backward_(backward) {
  for (uint32_t i = 0; i < cursors_.size(); ++i) {
    if (!cursors_[i].done()) heap_.push_back({cursors_[i].key(), cursors_[i].value(), i});
  }
  std::make_heap(heap_.begin(), heap_.end(),
                 [this](const Item& a, const Item& b) { return After(a, b); });
}

bool SumCursor::After(const Item& a, const Item& b) const {
  const int by_key = a.key.compare(b.key);
  const int order = by_key != 0 ? by_key : a.value.compare(b.value);
  return backward_ ? order < 0 : order > 0;
}

void SumCursor::SiftDown() {
  const size_t size = heap_.size();
  for (size_t at = 0;;) {
    size_t child = 2 * at + 1;
    if (child >= size) return;
    if (child + 1 < size && After(heap_[child], heap_[child + 1])) ++child;
    if (!After(heap_[at], heap_[child])) return;
    std::swap(heap_[at], heap_[child]);
    at = child;
  }
}

void SumCursor::AdvanceTop() {
  RunCursor& cursor = cursors_[heap_[0].cursor];
  cursor.Next();
  if (cursor.done()) {
    heap_[0] = heap_.back();
    heap_.pop_back();
  } else {
    heap_[0].key = cursor.key();
    heap_[0].value = cursor.value();
  }
  SiftDown();
}

bool SumCursor::Next() {
  while (!heap_.empty()) {
    key_ = heap_[0].key;
    value_ = heap_[0].value;
    weight_ = 0;
    do {
      weight_ += cursors_[heap_[0].cursor].weight();
      AdvanceTop();
    } while (!heap_.empty() && heap_[0].key == key_ && heap_[0].value == value_);
    if (weight_ != 0) return true;
  }
  return false;
}

}  // namespace leat
