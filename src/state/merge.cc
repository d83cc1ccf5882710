#include "state/merge.h"

namespace leat {
namespace {

RunBuilder::Bounds Sum(const AnyRun& a, const AnyRun* b) {
  RunBuilder::Bounds bounds;
  for (const AnyRun* run : {&a, b}) {
    if (run == nullptr) continue;
    bounds.keys += run->shape().keys;
    bounds.entries += run->shape().entries;
    bounds.key_bytes += run->shape().key_bytes;
    bounds.value_bytes += run->shape().value_bytes;
  }
  return bounds;
}

}  // namespace

Merge::Merge(AnyRun a, const AnyRun* b, std::unique_ptr<StateFileMaker> to) {
  const RunBuilder::Bounds bounds = Sum(a, b);
  if (to) {
    file_.emplace(std::move(to), bounds.keys);
  } else {
    memory_.emplace(bounds);
  }
  begun_ = a_.Init(std::move(a));
  if (b != nullptr && begun_.ok()) begun_ = b_.Init(*b);
}

Status Merge::Side::Init(AnyRun any) {
  held = std::move(any);
  if (held.memory) {
    run = held.memory.get();
    done = run->keys() == 0;
    return Status::OK();
  }
  reader.emplace(*held.file);
  return Refill();
}

Status Merge::Side::Refill() {
  done = true;
  if (!reader) return Status::OK();
  LEAT_ASSIGN(const bool any, reader->Next(&block));
  run = &block;
  key = entry = end = 0;
  done = !any;
  return Status::OK();
}

void Merge::Side::OpenKey() {
  end = run->first(++key);
  more = reader && key == run->keys() && reader->continues();
}

Status Merge::Side::Continue() {
  LEAT_RETURN(Refill());
  OpenKey();
  return Status::OK();
}

bool Merge::KeyDone() const {
  return a_.entry == a_.end && b_.entry == b_.end && !a_.more && !b_.more;
}

Result<bool> Merge::Step(int64_t fuel) {
  LEAT_RETURN(begun_);
  while (fuel > 0) {
    if (KeyDone()) {
      LEAT_RETURN(OpenKey());
      if (KeyDone()) return true;
    }
    fuel = AddEntries(fuel);
    for (Side* side : {&a_, &b_}) {
      if (side->entry == side->end && side->more) LEAT_RETURN(side->Continue());
    }
  }
  if (file_) LEAT_RETURN(file_->status());
  return false;
}

Status Merge::OpenKey() {
  for (Side* side : {&a_, &b_}) {
    if (!side->done && side->key == side->run->keys()) LEAT_RETURN(side->Refill());
  }
  if (a_.done && b_.done) return Status::OK();
  const int order = b_.done ? -1 : a_.done ? 1 : a_.run->key(a_.key).compare(b_.run->key(b_.key));
  key_ = order <= 0 ? a_.run->key(a_.key) : b_.run->key(b_.key);
  key_written_ = false;
  if (order <= 0) a_.OpenKey();
  if (order >= 0) b_.OpenKey();
  return Status::OK();
}

void Merge::Append(std::string_view value, int64_t weight) {
  if (memory_) {
    if (!key_written_) memory_->AppendKey(key_, HashKey(key_));
    memory_->AppendValue(value, weight);
  } else {
    if (!key_written_) file_->AppendKey(key_, HashKey(key_));
    file_->AppendValue(value, weight);
  }
  key_written_ = true;
}

int64_t Merge::AddEntries(int64_t fuel) {
  for (; fuel > 0; --fuel) {
    int order;
    if (a_.entry == a_.end) {
      if (a_.more || b_.entry == b_.end) break;
      order = 1;
    } else if (b_.entry == b_.end) {
      if (b_.more) break;
      order = -1;
    } else {
      order = a_.run->value(a_.entry).compare(b_.run->value(b_.entry));
    }
    if (order < 0) {
      Append(a_.run->value(a_.entry), a_.run->weight(a_.entry));
    } else if (order > 0) {
      Append(b_.run->value(b_.entry), b_.run->weight(b_.entry));
    } else {
      const int64_t weight = a_.run->weight(a_.entry) + b_.run->weight(b_.entry);
      if (weight != 0) Append(a_.run->value(a_.entry), weight);
    }
    if (order <= 0) ++a_.entry;
    if (order >= 0) ++b_.entry;
  }
  return fuel;
}

Result<AnyRun> Merge::Take(std::shared_ptr<BlockCache> cache) {
  AnyRun sum;
  if (memory_) {
    std::shared_ptr<SortedRun> run = memory_->Finish();
    if (run->entries() > 0) sum.memory = std::move(run);
  } else if (file_->entries() > 0) {
    LEAT_ASSIGN(sum.file, file_->Finish(std::move(cache)));
  }
  return sum;
}

int64_t Merge::memory() const { return memory_ ? memory_->bytes() : file_->memory(); }

}  // namespace leat
