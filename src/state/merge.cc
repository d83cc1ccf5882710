#include "state/merge.h"

namespace leat {
namespace {

RunBuilder::Bounds Sum(const Run& a, const Run& b) {
  RunBuilder::Bounds bounds;
  for (const Run* run : {&a, &b}) {
    bounds.keys += static_cast<uint64_t>(run->keys());
    bounds.entries += static_cast<uint64_t>(run->entries());
    bounds.key_bytes += run->key_bytes();
    bounds.value_bytes += run->value_bytes();
  }
  return bounds;
}

}  // namespace

Merge::Merge(const Run& a, const Run& b) : a_{&a}, b_{&b}, builder_(Sum(a, b)) {}

bool Merge::Step(int64_t fuel) {
  while (fuel > 0) {
    if (a_.entry == a_.end && b_.entry == b_.end) {
      if (a_.done() && b_.done()) return true;
      OpenKey();
    }
    fuel = AddEntries(fuel);
  }
  return a_.done() && b_.done() && a_.entry == a_.end && b_.entry == b_.end;
}

void Merge::OpenKey() {
  const int order = b_.done()   ? -1
                    : a_.done() ? 1
                                : a_.run->key(a_.key).compare(b_.run->key(b_.key));
  key_ = order <= 0 ? a_.run->key(a_.key) : b_.run->key(b_.key);
  key_written_ = false;
  if (order <= 0) a_.Open();
  if (order >= 0) b_.Open();
}

void Merge::Append(std::string_view value, int64_t weight) {
  if (!key_written_) builder_.AppendKey(key_, HashKey(key_));
  key_written_ = true;
  builder_.AppendValue(value, weight);
}

int64_t Merge::AddEntries(int64_t fuel) {
  const Run& a = *a_.run;
  const Run& b = *b_.run;
  for (; fuel > 0 && (a_.entry < a_.end || b_.entry < b_.end); --fuel) {
    const int order = b_.entry == b_.end   ? -1
                      : a_.entry == a_.end ? 1
                                           : a.value(a_.entry).compare(b.value(b_.entry));
    if (order < 0) {
      Append(a.value(a_.entry), a.weight(a_.entry));
    } else if (order > 0) {
      Append(b.value(b_.entry), b.weight(b_.entry));
    } else {
      const int64_t weight = a.weight(a_.entry) + b.weight(b_.entry);
      if (weight != 0) Append(a.value(a_.entry), weight);
    }
    if (order <= 0) ++a_.entry;
    if (order >= 0) ++b_.entry;
  }
  return fuel;
}

}  // namespace leat
