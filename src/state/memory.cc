#include "state/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace leat {
namespace {

constexpr int64_t kDeltaBytes = 64 << 20;
constexpr int64_t kCacheBytes = 256 << 20;

thread_local StateMemory* current = nullptr;

int64_t Share(int64_t limit, int64_t parts, int64_t most) {
  return limit == INT64_MAX ? most : std::min(most, limit / parts);
}

}  // namespace

MemoryAccount::MemoryAccount(StateMemory* memory) : memory_(memory) {
  const std::lock_guard lock(memory_->mutex_);
  memory_->accounts_.insert(this);
}

MemoryAccount::~MemoryAccount() {
  Set(0);
  const std::lock_guard lock(memory_->mutex_);
  memory_->accounts_.erase(this);
}

void MemoryAccount::Set(int64_t bytes) {
  const int64_t before = bytes_.exchange(bytes, std::memory_order_relaxed);
  memory_->held_.fetch_add(bytes - before, std::memory_order_relaxed);
}

StateMemory::StateMemory(Options options)
    : options_(std::move(options)),
      delta_bytes_max_(Share(options_.limit, 16, kDeltaBytes)),
      spill_bytes_min_(Share(options_.limit, 256, INT64_MAX)),
      files_(options_.files),
      cache_(std::make_shared<BlockCache>(Share(options_.limit, 8, kCacheBytes))) {}

StateMemory::~StateMemory() = default;

StateMemory* StateMemory::Current() {
  static StateMemory unlimited({});
  return current != nullptr ? current : &unlimited;
}

int64_t StateMemory::Measure() const {
  return options_.resident ? options_.resident() : held() + cache_->bytes();
}

// Not again before as much has been taken anew: what came of it once is all that there was.
int64_t StateMemory::MeasureAfterRelease(int64_t taken) {
  const std::lock_guard lock(mutex_);
  if (taken < released_at_ + options_.limit / 32) return taken;
  options_.release();
  released_at_ = Measure();
  return released_at_;
}

StateMemory::Pressure StateMemory::Check() {
  if (!limited()) return Pressure::kNone;
  int64_t taken = Measure();
  if (taken >= options_.limit / 10 * 9 && options_.release) taken = MeasureAfterRelease(taken);
  if (taken < options_.limit / 4 * 3) return Pressure::kNone;
  AskGreatest();
  return taken < options_.limit / 10 * 9 ? Pressure::kSoft : Pressure::kHard;
}

// One at a time: what it frees may be enough.
void StateMemory::AskGreatest() {
  const std::lock_guard lock(mutex_);
  MemoryAccount* most = nullptr;
  for (MemoryAccount* account : accounts_) {
    if (account->asked()) return;
    if (most == nullptr || account->bytes() > most->bytes()) most = account;
  }
  if (most != nullptr && most->bytes() > spill_bytes_min_) {
    most->asked_.store(true, std::memory_order_relaxed);
  }
}

MemoryScope::MemoryScope(StateMemory* memory) : outer_(current) { current = memory; }

MemoryScope::~MemoryScope() { current = outer_; }

int64_t ResidentBytes() {
  // Kept open: a read is a microsecond. The descriptor belongs to the process, as the file does.
  static const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[128];
  const ssize_t size = fd < 0 ? -1 : ::pread(fd, text, sizeof(text) - 1, 0);
  if (size <= 0) return 0;
  text[size] = 0;
  const char* second = std::strchr(text, ' ');
  if (second == nullptr) return 0;
  int64_t pages = 0;
  std::from_chars(second + 1, text + size, pages);
  return pages * ::sysconf(_SC_PAGESIZE);
}

}  // namespace leat
