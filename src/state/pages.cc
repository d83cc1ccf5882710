#include "state/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace leat {
namespace {

constexpr size_t kMapMin = size_t{256} << 10;  // below, malloc is cheaper than a mapping
constexpr size_t kHugeMin = size_t{16} << 20;  // from here on large pages save TLB misses
constexpr size_t kPage = 4096;

}  // namespace

Pages::Pages(size_t capacity) : capacity_(capacity), mapped_(capacity >= kMapMin) {
  if (capacity == 0) return;
  if (!mapped_) {
    data_ = static_cast<char*>(std::calloc(1, capacity));
    LEAT_CHECK(data_ != nullptr, "out of memory: {} bytes", capacity);
    return;
  }
  capacity_ = (capacity + kPage - 1) / kPage * kPage;
  void* mapped = mmap(nullptr, capacity_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  LEAT_CHECK(mapped != MAP_FAILED, "out of memory: {} bytes", capacity_);
  data_ = static_cast<char*>(mapped);
  if (capacity_ >= kHugeMin) madvise(mapped, capacity_, MADV_HUGEPAGE);
}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

size_t Pages::Release(size_t bytes) {
  if (data_ == nullptr) return 0;
  const size_t pages = (bytes + kPage - 1) / kPage * kPage;
  const size_t released = mapped_ ? std::min(pages, capacity_) : capacity_;
  if (mapped_) {
    munmap(data_ + (capacity_ - released), released);
  } else {
    std::free(data_);
  }
  capacity_ -= released;
  if (capacity_ == 0) data_ = nullptr;
  return released;
}

Pages::~Pages() { Release(capacity_); }

}  // namespace leat
