#include "state/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace leat {
namespace {

constexpr int64_t kDeltaBytes = 64 << 20;
// … and of little memory: a delta is there some five times on its way into a run, in each shard.
constexpr int64_t kDeltaPart = 64;
constexpr int64_t kCacheBytes = 256 << 20;
// The part of the limit that the tables of all operators may take.
constexpr double kTablesShare = 0.3;
// Who was asked and works no more does not keep others from being asked.
constexpr int64_t kUnansweredMax = 64;
// What is hurried into files is at least this part of the limit.
constexpr int64_t kWorthHurry = 16;

thread_local StateMemory* current = nullptr;

int64_t Share(int64_t limit, int64_t parts, int64_t most) {
  return limit == INT64_MAX ? most : std::min(most, limit / parts);
}

}  // namespace

MemoryAccount::MemoryAccount(StateMemory* memory, Kind kind) : memory_(memory), kind_(kind) {
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
  if (kind_ == Kind::kTable) {
    memory_->tables_.fetch_add(bytes - before, std::memory_order_relaxed);
  }
}

StateMemory::StateMemory(Options options)
    : options_(std::move(options)),
      delta_bytes_max_(Share(options_.limit, kDeltaPart, kDeltaBytes)),
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
  // Little state is not what takes the memory: to hurry all of it into files would cost much, again
  // and again, and give nothing.
  const bool hard = taken >= options_.limit / 10 * 9 && held() > options_.limit / kWorthHurry;
  return hard ? Pressure::kHard : Pressure::kSoft;
}

// One at a time: what it frees may be enough.
void StateMemory::AskGreatest() {
  const std::lock_guard lock(mutex_);
  MemoryAccount* most = nullptr;
  bool waits = false;
  for (MemoryAccount* account : accounts_) {
    if (account->asked()) {
      waits = true;
    } else if (most == nullptr || account->bytes() > most->bytes()) {
      most = account;
    }
  }
  unanswered_ = waits ? unanswered_ + 1 : 0;
  if (waits && unanswered_ < kUnansweredMax) return;
  unanswered_ = 0;
  if (most != nullptr && most->bytes() > spill_bytes_min_) {
    most->asked_.store(true, std::memory_order_relaxed);
  }
}

bool StateMemory::TableTooLarge(int64_t bytes) const {
  const auto share = static_cast<int64_t>(static_cast<double>(limit()) * kTablesShare);
  if (tables_.load(std::memory_order_relaxed) <= share) return false;
  const std::lock_guard lock(mutex_);
  const auto tables = std::count_if(accounts_.begin(), accounts_.end(), [&](const auto* account) {
    return account->kind_ == MemoryAccount::Kind::kTable && account->bytes() > spill_bytes_min_;
  });
  return bytes > share / std::max<int64_t>(1, tables);
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
