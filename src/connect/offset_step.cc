#include <algorithm>
#include <cstring>

#include "connect/source.h"

namespace leat {
namespace {

// Blocks that memcmp compares at once: long offsets differ in little.
constexpr size_t kBlock = 4096;

size_t CommonFront(const Offset& a, const Offset& b, size_t most) {
  size_t same = 0;
  while (same + kBlock <= most && std::memcmp(a.data() + same, b.data() + same, kBlock) == 0) {
    same += kBlock;
  }
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

size_t CommonBack(const Offset& a, const Offset& b, size_t most) {
  const char* const a_end = a.data() + a.size();
  const char* const b_end = b.data() + b.size();
  size_t same = 0;
  while (same + kBlock <= most &&
         std::memcmp(a_end - same - kBlock, b_end - same - kBlock, kBlock) == 0) {
    same += kBlock;
  }
  while (same < most && a_end[-static_cast<std::ptrdiff_t>(same) - 1] ==
                            b_end[-static_cast<std::ptrdiff_t>(same) - 1]) {
    ++same;
  }
  return same;
}

}  // namespace

Status GoOn(const OffsetStep& step, Offset* offset) {
  if (step.front > offset->size() || step.back > offset->size() - step.front) {
    return IOErrorF("an offset goes on from one that is not there");
  }
  offset->replace(step.front, offset->size() - step.front - step.back, step.between);
  return Status::OK();
}

OffsetStep StepTo(const Offset& end, const Offset& before) {
  const size_t shorter = std::min(end.size(), before.size());
  OffsetStep step{.front = CommonFront(end, before, shorter), .back = 0, .between = {}};
  step.back = CommonBack(end, before, shorter - step.front);
  step.between = end.substr(step.front, end.size() - step.front - step.back);
  return step;
}

Status GoOn(const Arrival& arrival, Offset* offset) {
  if (arrival.step) return GoOn(*arrival.step, offset);
  *offset = arrival.end;
  return Status::OK();
}

}  // namespace leat
