// An array that grows without moving what is there: no growth pauses for more than one chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace leat {

template <typename T>
class Chunked {
 public:
  int64_t size() const { return size_; }
  // New elements are value-initialised; it never shrinks.
  void Resize(int64_t size) {
    while (static_cast<int64_t>(chunks_.size()) * kChunk < size) {
      chunks_.push_back(std::make_unique<T[]>(kChunk));
    }
    if (size > size_) size_ = size;
  }
  T& operator[](int64_t i) {
    return chunks_[static_cast<size_t>(i >> kBits)][static_cast<size_t>(i & (kChunk - 1))];
  }
  const T& operator[](int64_t i) const {
    return chunks_[static_cast<size_t>(i >> kBits)][static_cast<size_t>(i & (kChunk - 1))];
  }
  int64_t memory() const {
    return static_cast<int64_t>(chunks_.size()) * kChunk * static_cast<int64_t>(sizeof(T));
  }

 private:
  static constexpr int kBits = 12;
  static constexpr int64_t kChunk = int64_t{1} << kBits;
  std::vector<std::unique_ptr<T[]>> chunks_;
  int64_t size_ = 0;
};

}  // namespace leat
