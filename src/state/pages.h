// Zeroed memory that costs nothing until it is touched and that can be given back piece by piece: a
// trace of gigabytes is built and dropped without one long pause in the kernel.
#pragma once

#include <cstddef>
#include <utility>

namespace leat {

class Pages {
 public:
  Pages() = default;
  explicit Pages(size_t capacity);  // all zero
  Pages(Pages&& other) noexcept { *this = std::move(other); }
  Pages& operator=(Pages&& other) noexcept;
  ~Pages();

  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t capacity() const { return capacity_; }

  // Gives back about `bytes` from the end (everything where it is small) and says how many. The
  // contents are lost; only more Release and the destructor may follow.
  size_t Release(size_t bytes);

 private:
  char* data_ = nullptr;
  size_t capacity_ = 0;
  bool mapped_ = false;
};

}  // namespace leat
