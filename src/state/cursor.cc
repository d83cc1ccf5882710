#include "state/cursor.h"

#include <algorithm>
#include <utility>

namespace leat {

Result<RunPlace> LowerBound(const AnyRun& run, std::string_view key) {
  if (run.memory) return RunPlace{0, run.memory->LowerBound(key)};
  if (run.file->blocks() == 0) return RunPlace{};
  RunPlace place{run.file->BlockOf(key), 0};
  // Whatever lies before a block's first key lies in another block: no need to look.
  if (key <= run.file->first_key(place.block)) return place;
  LEAT_ASSIGN(const auto block, run.file->Read(place.block));
  place.key = block->run.LowerBound(key);
  if (place.key == block->run.keys()) place = {place.block + 1, 0};
  return place;
}

RunPlace EndOf(const AnyRun& run) {
  return run.memory ? RunPlace{0, run.memory->keys()} : RunPlace{run.file->blocks(), 0};
}

RunCursor::RunCursor(const AnyRun& run, RunPlace begin, RunPlace end, bool backward)
    : file_(run.memory ? nullptr : run.file.get()),
      run_(run.memory.get()),
      begin_(begin),
      end_(end),
      at_(begin),
      backward_(backward) {
  if (begin >= end) {
    done_ = true;
    return;
  }
  if (backward) {
    at_ = end.key > 0 ? RunPlace{end.block, end.key - 1} : RunPlace{end.block - 1, -1};
  }
  if (file_ != nullptr) OpenBlock(at_.block);
  if (done_) return;
  if (at_.key < 0) at_.key = run_->keys() - 1;
  OpenKey();
}

void RunCursor::OpenBlock(int64_t block) {
  auto read = file_->Read(block);
  if (!read.ok()) {
    status_ = read.status();
    done_ = true;
    return;
  }
  left_ = std::exchange(block_, *std::move(read));
  run_ = &block_->run;
}

void RunCursor::OpenKey() {
  const int64_t first = run_->first(at_.key), end = run_->first(at_.key + 1);
  entry_ = backward_ ? end - 1 : first;
  entry_end_ = backward_ ? first - 1 : end;
}

void RunCursor::Next() {
  entry_ += backward_ ? -1 : 1;
  if (entry_ == entry_end_) NextKey();
}

void RunCursor::NextKey() {
  if (backward_) {
    if (at_ <= begin_) {
      done_ = true;
      return;
    }
    if (--at_.key < 0) {  // only in a file: a run in memory has one block
      OpenBlock(--at_.block);
      if (done_) return;
      at_.key = run_->keys() - 1;
    }
  } else {
    if (++at_.key == run_->keys() && file_ != nullptr) {
      at_ = {at_.block + 1, 0};
      if (at_ < end_) OpenBlock(at_.block);
    }
    done_ = done_ || at_ >= end_;
    if (done_) return;
  }
  OpenKey();
}

SumCursor::SumCursor(std::vector<RunCursor> cursors, bool backward)
    : cursors_(std::move(cursors)), backward_(backward) {
  for (uint32_t i = 0; i < cursors_.size(); ++i) {
    if (!cursors_[i].status().ok()) status_ = cursors_[i].status();
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

Status SumCursor::AdvanceTop() {
  RunCursor& cursor = cursors_[heap_[0].cursor];
  cursor.Next();
  if (cursor.done()) {
    LEAT_RETURN(cursor.status());
    heap_[0] = heap_.back();
    heap_.pop_back();
  } else {
    heap_[0].key = cursor.key();
    heap_[0].value = cursor.value();
  }
  SiftDown();
  return Status::OK();
}

Result<bool> SumCursor::Next() {
  LEAT_RETURN(status_);
  while (!heap_.empty()) {
    key_ = heap_[0].key;
    value_ = heap_[0].value;
    weight_ = 0;
    do {
      weight_ += cursors_[heap_[0].cursor].weight();
      status_ = AdvanceTop();
      LEAT_RETURN(status_);
    } while (!heap_.empty() && heap_[0].key == key_ && heap_[0].value == value_);
    if (weight_ != 0) return true;
  }
  return false;
}

}  // namespace leat
